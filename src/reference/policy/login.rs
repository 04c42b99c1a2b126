//! Settings of a login: the authorization request, what ties its response to it, and the session that comes of it.

use serde::{Deserialize, Serialize};

use super::{Rendering, Source, Strictness};
use crate::policy::{choices, settings_tree};

choices! {
    /// What is asked for.
    ResponseType {
        /// An authorization code.
        Code,
        /// An access token, in the response itself.
        Token,
    }
}

choices! {
    /// How the response is to come.
    ResponseMode {
        /// As the response type has it; no parameter is sent.
        Default,
        /// By a form that posts itself.
        FormPost,
    }
}

choices! {
    /// Where the redirect URI comes from.
    RedirectUri {
        /// From the configuration.
        Configured,
        /// From `X-Forwarded-Host` or `Host` of the request that starts the login.
        Request,
    }
}

settings_tree! {
    /// Authorization request.
    AuthorizationPolicy {
        /// The response type.
        response_type: ResponseType = ResponseType::Code,
        /// The response mode.
        response_mode: ResponseMode = ResponseMode::Default,
        /// Whether the scope is sent.
        scope: bool = true,
        /// Scope tokens that are asked for beside the configured ones.
        more_scope: Vec<String> = vec![],
        /// Where the redirect URI comes from.
        redirect_uri: RedirectUri = RedirectUri::Configured,
        /// Whether the redirect URI is sent.
        sends_redirect_uri: bool = true,
        /// Whether a query that the endpoint has is kept (RFC 6749 section 3.1).
        keeps_query: bool = true,
        /// Whether `scope` is sent twice.
        repeats_scope: bool = false,
        /// Whether the client secret is sent along.
        secret: bool = false,
        /// Whether the code verifier is sent along.
        verifier: bool = false,
    }
}

choices! {
    /// How the `state` of a response is judged.
    StateCheck {
        /// It is that of a login which this browser has begun.
        Compare,
        /// It is there.
        Present,
        /// It is not looked at.
        None,
        /// It is compared where both sides have one.
        IfBoth,
        /// It is compared, and two that are absent are equal.
        AbsentIsEqual,
        /// It is that of a login which any browser has begun.
        AnySession,
        /// It is the one value that is always sent.
        Constant,
        /// It begins with what was sent, or what was sent begins with it.
        Prefix,
    }
}

settings_tree! {
    /// The parameter `state`.
    StatePolicy {
        /// Whether it is sent.
        sent: bool = true,
        /// How it is judged.
        check: StateCheck = StateCheck::Compare,
        /// Whether it is good for one response only.
        single_use: bool = true,
        /// How it is made up.
        source: Source = Source::Random,
        /// Its length in random bytes.
        bytes: usize = 32,
        /// Whether it carries the scope and the page to return to in readable form.
        readable: bool = false,
        /// Whether it carries the code verifier.
        carries_verifier: bool = false,
    }
}

choices! {
    /// The challenge method.
    Method {
        /// S256.
        #[serde(rename = "S256")]
        S256,
        /// plain.
        Plain,
        /// No challenge at all.
        None,
    }
}

choices! {
    /// What a client does when a server does not say that it supports PKCE.
    Unadvertised {
        /// It uses PKCE all the same (RFC 7636 section 5).
        Use,
        /// It goes without.
        Skip,
        /// It does not use the server.
        Refuse,
    }
}

choices! {
    /// What is sent for the code verifier.
    SentVerifier {
        /// The verifier.
        Verifier,
        /// The challenge.
        Challenge,
        /// Nothing.
        Nothing,
    }
}

settings_tree! {
    /// Proof Key for Code Exchange (RFC 7636).
    PkceUse {
        /// The challenge method.
        method: Method = Method::S256,
        /// What is done when metadata does not announce PKCE.
        unadvertised: Unadvertised = Unadvertised::Use,
        /// How the verifier is made up.
        source: Source = Source::Random,
        /// The length of the verifier, in characters.
        length: usize = 43,
        /// Whether the verifier has characters that are not allowed.
        illegal_characters: bool = false,
        /// Whether each login has a verifier of its own.
        fresh: bool = true,
        /// What is sent to the token endpoint.
        sent: SentVerifier = SentVerifier::Verifier,
        /// Whether a login that fails is begun again with `plain`.
        falls_back: bool = false,
    }
}

choices! {
    /// How the `nonce` of an ID token is judged.
    NonceCheck {
        /// It is there and the one that was sent.
        Compare,
        /// It is the one that was sent, where it is there.
        IfPresent,
        /// It is not looked at.
        None,
    }
}

settings_tree! {
    /// The parameter `nonce`.
    NoncePolicy {
        /// Whether it is sent.
        sent: bool = true,
        /// How it is judged.
        check: NonceCheck = NonceCheck::Compare,
        /// How it is made up.
        source: Source = Source::Random,
    }
}

choices! {
    /// How `iss` in a response is judged.
    IssCheck {
        /// It is there and that of the server.
        Always,
        /// As RFC 9207 section 2.4 has it: it is there where metadata announces it.
        WhenAdvertised,
        /// It is that of the server, where it is there.
        IfPresent,
        /// It is not looked at.
        Never,
    }
}

choices! {
    /// How two issuers are compared.
    IssuerComparison {
        /// Character by character.
        Exact,
        /// After lower-casing and without a slash at the end.
        Normalised,
        /// One begins with the other.
        Prefix,
        /// The host is the same.
        Host,
        /// Not at all.
        Ignore,
    }
}

settings_tree! {
    /// The parameter `iss` (RFC 9207).
    IssPolicy {
        /// Whether it is judged.
        check: IssCheck = IssCheck::WhenAdvertised,
        /// What a response means that has it though metadata does not announce it; accepting compares it still.
        unadvertised: Strictness = Strictness::Refuse,
        /// How it is compared.
        comparison: IssuerComparison = IssuerComparison::Exact,
        /// Whether error responses are judged too.
        on_error: bool = true,
    }
}

choices! {
    /// Which server a response is from.
    LoginIssuer {
        /// That of the login to which the response belongs.
        Login,
        /// That of the latest login of this browser.
        Latest,
        /// The first one that is configured.
        First,
    }
}

choices! {
    /// Where logins that are under way are kept.
    LoginStore {
        /// In the session of the browser, any number of them.
        Many,
        /// In the session of the browser, the latest one only.
        Latest,
        /// In one place for all browsers, the latest one only.
        Shared,
    }
}

settings_tree! {
    /// What is remembered of a login that is under way.
    LoginPolicy {
        /// Where it is kept.
        store: LoginStore = LoginStore::Many,
        /// Which server the response is from (RFC 9700 section 4.4).
        issuer: LoginIssuer = LoginIssuer::Login,
    }
}

choices! {
    /// What an error in the response does.
    ErrorResponse {
        /// It ends the login.
        Ends,
        /// It does, unless there is a code beside it.
        UnlessCode,
        /// It is not looked at: whatever stands for the code is redeemed, even nothing.
        Ignored,
    }
}

choices! {
    /// What a repeated parameter does.
    RepeatedParameter {
        /// It ends the login.
        Refuse,
        /// The first one counts.
        First,
        /// The last one counts.
        Last,
    }
}

settings_tree! {
    /// Authorization response.
    CallbackPolicy {
        /// What an error does.
        error: ErrorResponse = ErrorResponse::Ends,
        /// How `error_description` reaches the page.
        description: Rendering = Rendering::Escaped,
        /// What a repeated parameter does.
        repeated: RepeatedParameter = RepeatedParameter::Refuse,
        /// What a parameter does that nobody knows.
        unknown: Strictness = Strictness::Accept,
        /// Whether error codes that no specification has crash the client.
        crashes_on_unknown_error: bool = false,
        /// Whether an access token in the response signs its owner in.
        access_token: bool = false,
        /// Whether the response may come by POST.
        post: bool = true,
    }
}

choices! {
    /// What follows a response that was good.
    Landing {
        /// A redirect to a page without parameters.
        Redirect,
        /// The page itself.
        Page,
    }
}

choices! {
    /// Where the client sends the browser after a login that was begun with `return_to`.
    ReturnTo {
        /// To pages of its own.
        Local,
        /// To whatever begins with a slash.
        Slash,
        /// To pages of its own, and to whatever begins with its own scheme and host.
        Prefix,
        /// Anywhere.
        Any,
        /// Nowhere: the parameter means nothing.
        Ignored,
    }
}

settings_tree! {
    /// The session between browser and client.
    SessionPolicy {
        /// Whether a login begins a new session.
        renewed: bool = true,
        /// How its identifier is made up.
        source: Source = Source::Random,
        /// Whether its cookie is `HttpOnly`.
        http_only: bool = true,
        /// Whether its cookie is `SameSite=Lax`.
        same_site: bool = true,
        /// What follows the response.
        landing: Landing = Landing::Redirect,
        /// Which pages can be returned to.
        return_to: ReturnTo = ReturnTo::Local,
        /// Whether the URL of the page after the login carries the tokens.
        tokens_in_url: bool = false,
        /// Whether the page shows the tokens.
        tokens_in_page: bool = false,
        /// Whether the access token becomes a cookie.
        token_cookie: bool = false,
        /// Whether a wrong response ends the session that is there.
        lost_on_failure: bool = false,
        /// Whether pages tell others no address of theirs (`Referrer-Policy: no-referrer`).
        no_referrer: bool = true,
    }
}
