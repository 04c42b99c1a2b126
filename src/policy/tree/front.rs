//! What a browser meets: metadata, the authorization endpoint, redirect URIs, pages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

settings! {
    /// Metadata documents.
    MetadataPolicy {
        /// Whether the document of RFC 8414 is there (`/.well-known/oauth-authorization-server` inserted before the path).
        oauth: bool = true,
        /// Whether the OpenID document is there (appended to the issuer).
        openid: bool = true,
        /// The issuer it names; empty: the realm's own.
        issuer: String = String::new(),
        /// Whether `X-Forwarded-Host` of anybody says where the endpoints are (RFC 9700 section 4.13).
        trust_forwarded: bool = false,
        /// Whether the members stand in alphabetical order.
        sorted: bool = false,
        /// Members that are left out.
        omit: Vec<String> = vec![],
        /// Whether the document is repeated as a signed token, `signed_metadata` (RFC 8414 section 2.1).
        signed: bool = true,
        /// How that token is signed: `ES256` or `RS256`.
        signed_alg: String = "ES256".into(),
        /// Members that are set, whatever the rest of the policy says.
        set: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

choices! {
    /// What happens to a parameter that stands more than once.
    Repeated {
        /// The request is refused (RFC 6749 sections 3.1, 3.2).
        Refuse,
        /// The first one counts.
        First,
        /// The last one counts.
        Last,
    }
}

choices! {
    /// What happens to a parameter that nobody knows.
    Unknown {
        /// It is ignored (RFC 6749 sections 3.1, 3.2).
        Ignore,
        /// The request is refused.
        Refuse,
    }
}

choices! {
    /// Where response parameters are put.
    Via {
        /// Into the query of the redirect URI.
        Query,
        /// Into its fragment.
        Fragment,
        /// Into a form that posts itself.
        FormPost,
    }
}

choices! {
    /// When the user is asked.
    Consent {
        /// Each time.
        Always,
        /// Once for a client and scope.
        Once,
        /// Never.
        Never,
    }
}

choices! {
    /// Whether the authorization endpoint fails at requests that are right (RFC 6749 section 4.1.2.1).
    Failing {
        /// It does not.
        No,
        /// With `server_error`.
        ServerError,
        /// With `temporarily_unavailable`.
        TemporarilyUnavailable,
    }
}

choices! {
    /// How errors are shown that are not redirected to the client.
    ShownErrors {
        /// By the answer itself.
        AtOnce,
        /// By a redirect to the error page (the first of `paths.error`), with the error in its query.
        OnErrorPage,
    }
}

choices! {
    /// How pages know which authorization request they belong to.
    Remembered {
        /// By a transaction that the server keeps.
        Transaction,
        /// By the query of the authorization request, which the login page has too, and which can begin there as well.
        Query,
    }
}

settings! {
    /// Authorization endpoint.
    AuthorizePolicy {
        /// Whether POST works beside GET.
        post: bool = true,
        /// Whether GET works.
        get: bool = true,
        /// Whether the user logs in before an error is redirected (RFC 9700 section 4.11.2).
        authenticate_first: bool = true,
        /// Response types on offer.
        response_types: Vec<String> = vec!["code".into()],
        /// Whether a response type that is not on offer is refused; else it is taken for `code`.
        check_response_type: bool = true,
        /// Whether a missing response type is refused; else it is taken for `code`.
        require_response_type: bool = true,
        /// Whether a parameter without a value counts as left out.
        empty_is_absent: bool = true,
        /// Parameters that stand more than once.
        repeated: Repeated = Repeated::Refuse,
        /// Parameters that nobody knows.
        unknown: Unknown = Unknown::Ignore,
        /// Whether a `state` with characters outside of RFC 6749 A.5 is refused.
        check_state: bool = true,
        /// Values of `response_mode` that are honoured: `query`, `fragment`, `form_post`; others are ignored.
        response_modes: Vec<String> = vec!["query".into()],
        /// Status of the redirect back to the client: 302, 303, 307.
        redirect_status: u16 = 302,
        /// Where the parameters of a success are put.
        via: Via = Via::Query,
        /// Where the parameters of an error are put.
        error_via: Via = Via::Query,
        /// Whether a query that the redirect URI has is kept.
        keep_query: bool = true,
        /// Attached to the redirect as a fragment; empty: none (RFC 9700 section 4.1.3 allows one).
        fragment: String = String::new(),
        /// Whether `state` is returned with a success.
        state: bool = true,
        /// Whether `state` is returned with an error.
        state_on_error: bool = true,
        /// Whether a `state` is made up where none was sent.
        state_invented: bool = false,
        /// What is done to `state` on its way: `none`; `append` (an `x`), whatever it is; or, where it holds what is meant, `lower-case`,
        /// `truncate` (to 64 characters), `html-escape`, `decode-twice`, `plus-to-blank`, `trim`.
        state_change: String = "none".into(),
        /// Whether `iss` is returned with a success (RFC 9207).
        iss: bool = true,
        /// Whether `iss` is returned with an error.
        iss_on_error: bool = true,
        /// Another value of `iss`; empty: the issuer.
        iss_value: String = String::new(),
        /// Further parameters of the response.
        extra: BTreeMap<String, String> = BTreeMap::new(),
        /// Parameters of a success that stand twice.
        twice: Vec<String> = vec![],
        /// `error_description` is sent.
        description: bool = true,
        /// Whether browsers on other origins may read the endpoint (CORS).
        cors: bool = false,
        /// Whether a session that logged in before is used again.
        remember_login: bool = true,
        /// Whether a `prompt=none` is honoured.
        prompt_none: bool = true,
        /// Parameters that are known and refused all the same.
        refuse_parameters: Vec<String> = vec![],
        /// Whether `none` beside other values of `prompt` is refused (OpenID Connect Core section 3.1.2.1); else it counts.
        prompt_none_alone: bool = true,
        /// Whether a `prompt=login` is honoured.
        prompt_login: bool = true,
        /// Whether `max_age` is honoured.
        max_age: bool = true,
        /// Whether right requests fail all the same.
        failing: Failing = Failing::No,
        /// Parameters of a success that come first, in this order.
        order: Vec<String> = vec![],
        /// Whether `request` and `request_uri`, which are not supported, are refused (OpenID Connect Core section 6); else ignored.
        refuse_request_objects: bool = true,
    }
}

choices! {
    /// How a redirect URI is compared with the registered ones.
    Comparison {
        /// Character by character (RFC 9700 section 2.1).
        Exact,
        /// It is not compared at all.
        None,
        /// The registered one is a prefix of it.
        Prefix,
        /// Scheme, host and port are the same.
        Origin,
        /// The host is the same.
        Host,
        /// The host is the same or ends with the registered one after a dot.
        Subdomain,
        /// The host begins with the registered one.
        HostPrefix,
        /// The host ends with the registered one.
        HostSuffix,
        /// Everything but the query is the same.
        IgnoreQuery,
        /// Everything is the same without regard to case.
        IgnoreCase,
        /// Everything is the same after URL normalisation (case, percent-encoding, dot segments, default port).
        Normalised,
        /// Everything but the scheme is the same.
        IgnoreScheme,
        /// Everything but the port is the same, for any host.
        IgnorePort,
        /// A slash at the end does not count.
        IgnoreSlash,
        /// The fragment does not count.
        IgnoreFragment,
        /// User information before the host does not count.
        IgnoreUserinfo,
        /// Any client's registered URI will do.
        AnyClient,
        /// Any URI on a loopback host will do.
        Localhost,
        /// The registered one stands somewhere in it.
        Substring,
        /// Dots of the registered one stand for any character, as in a regular expression.
        Pattern,
        /// Blanks, tabs and line breaks do not count.
        IgnoreControls,
        /// Everything is the same after percent-decoding, as often as that changes something.
        Decoded,
        /// Everything is the same after parameters of path segments were taken away and dot segments resolved.
        IgnorePathParameters,
        /// The parameters of the query count, their order and repetition do not.
        IgnoreQueryOrder,
        /// The first registered one alone will do.
        FirstOnly,
    }
}

choices! {
    /// What happens without `redirect_uri` in the authorization request.
    AbsentRedirectUri {
        /// The only registered one is taken; several: refused (RFC 6749 section 3.1.2.3).
        OnlyOne,
        /// The first registered one is taken.
        First,
        /// Always refused.
        Refuse,
    }
}

choices! {
    /// What the token endpoint does with `redirect_uri`.
    AtToken {
        /// Required and compared where the authorization request had one (RFC 6749 section 4.1.3).
        Compare,
        /// Compared where it is sent.
        IfSent,
        /// Must be one of the client's.
        AnyRegistered,
        /// Only its origin is compared.
        Origin,
        /// Not looked at.
        Ignore,
    }
}

settings! {
    /// Redirect URIs.
    RedirectUriPolicy {
        /// How it is compared with the registered ones.
        comparison: Comparison = Comparison::Exact,
        /// Whether native clients may use any port on a loopback address (RFC 8252 section 7.3).
        loopback_any_port: bool = true,
        /// What happens without it.
        absent: AbsentRedirectUri = AbsentRedirectUri::OnlyOne,
        /// What the token endpoint does with it.
        at_token: AtToken = AtToken::Compare,
        /// Which of a repeated `redirect_uri` is validated and which used, where repeats are not refused: `same` or `first-then-last`.
        repeated: String = "same".into(),
    }
}

settings! {
    /// Login and consent pages.
    PagesPolicy {
        /// Whether the user has to log in; else everybody is taken for the first user.
        login: bool = true,
        /// When the user is asked.
        consent: Consent = Consent::Always,
        /// Whether login and consent stand on one page.
        combined: bool = false,
        /// Whether the forms carry a secret against cross-site requests.
        csrf: bool = true,
        /// `X-Frame-Options`; empty: not sent (RFC 6749 section 10.13).
        frame_options: String = "DENY".into(),
        /// `Content-Security-Policy`; empty: not sent (RFC 9700 section 4.16).
        content_security_policy: String = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'".into(),
        /// `Referrer-Policy`; empty: not sent (RFC 9700 section 4.2.4).
        referrer_policy: String = "no-referrer".into(),
        /// How pages know which authorization request they belong to.
        remembered: Remembered = Remembered::Transaction,
        /// How errors are shown that are not redirected to the client.
        shown_errors: ShownErrors = ShownErrors::AtOnce,
        /// What the error page says beside the error itself; empty: nothing.
        error_text: String = String::new(),
        /// The name of the form on the login page; empty: none.
        form_name: String = String::new(),
        /// The field of the forms with the secret against cross-site requests.
        csrf_field: String = "csrf".into(),
        /// A cookie that every answer renews, and whose value that field repeats, in place of one for each transaction; empty: none.
        csrf_cookie: String = String::new(),
        /// Further hidden fields of the login form.
        fields: BTreeMap<String, String> = BTreeMap::new(),
        /// The name of the button on the login page; empty: none.
        button_name: String = String::new(),
        /// The cookie of a browser that has logged in.
        session_cookie: String = "oauthspec_session".into(),
        /// Seconds that a login lasts; 0: for ever.
        session_lifetime: u64 = 0,
        /// Seconds that a user may take for login and consent; 0: any time.
        sign_in_lifetime: u64 = 0,
        /// Whether a wrong password is refused.
        check_password: bool = true,
        /// Status of redirects from one page to the next: 302, 303, 307.
        redirect_status: u16 = 303,
        /// The attributes of cookies beside their path; empty: none.
        cookie_attributes: String = "HttpOnly; SameSite=Lax".into(),
        /// Parameters of the authorization request that login and consent page show as they came, without escaping.
        raw: Vec<String> = vec![],
        /// The URL of a style sheet that login and consent page load; empty: none.
        style_sheet: String = String::new(),
        /// Whether `X-Forwarded-Host` of anybody says where the pages are (RFC 9700 section 4.13).
        trust_forwarded: bool = false,
    }
}
