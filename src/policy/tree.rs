//! The tree of settings. Scalars, lists and structs only, so that patches can be merged key by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuthorizeErrors, BearerErrors, RegistrationErrors, TokenErrors};

/// Declares an enumeration whose values are written in kebab case.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$doc])* $variant,)* }
    };
}

/// Declares a struct of settings with its defaults.
macro_rules! settings {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

#[cfg(feature = "cli")]
pub(crate) use choices;
#[cfg(feature = "cli")]
pub(crate) use settings as settings_tree;

settings! {
    /// Everything the mock decides. The default is strictly conformant.
    Policy {
        /// Metadata documents (RFC 8414, OpenID Connect Discovery).
        metadata: MetadataPolicy = MetadataPolicy::default(),
        /// Authorization endpoint.
        authorize: AuthorizePolicy = AuthorizePolicy::default(),
        /// Redirect URIs, at both endpoints.
        redirect_uri: RedirectUriPolicy = RedirectUriPolicy::default(),
        /// Login and consent pages.
        pages: PagesPolicy = PagesPolicy::default(),
        /// Scope.
        scope: ScopePolicy = ScopePolicy::default(),
        /// Proof Key for Code Exchange.
        pkce: PkcePolicy = PkcePolicy::default(),
        /// Authorization codes.
        code: CodePolicy = CodePolicy::default(),
        /// Token endpoint: the request.
        token: TokenPolicy = TokenPolicy::default(),
        /// Client authentication.
        client_auth: ClientAuthPolicy = ClientAuthPolicy::default(),
        /// Token endpoint: the response.
        response: ResponsePolicy = ResponsePolicy::default(),
        /// Access tokens.
        access_token: AccessTokenPolicy = AccessTokenPolicy::default(),
        /// Refresh tokens.
        refresh: RefreshPolicy = RefreshPolicy::default(),
        /// ID tokens.
        id_token: IdTokenPolicy = IdTokenPolicy::default(),
        /// Client credentials grant.
        client_credentials: ClientCredentialsPolicy = ClientCredentialsPolicy::default(),
        /// Device authorization grant; whether it is on offer is a matter of `token.grants`.
        device: DevicePolicy = DevicePolicy::default(),
        /// Implicit grant.
        implicit: ImplicitPolicy = ImplicitPolicy::default(),
        /// Password grant.
        password: PasswordPolicy = PasswordPolicy::default(),
        /// Revocation endpoint.
        revocation: RevocationPolicy = RevocationPolicy::default(),
        /// Introspection endpoint.
        introspection: IntrospectionPolicy = IntrospectionPolicy::default(),
        /// Pushed authorization requests.
        par: ParPolicy = ParPolicy::default(),
        /// UserInfo and the protected resource.
        resource: ResourcePolicy = ResourcePolicy::default(),
        /// Key set.
        jwks: JwksPolicy = JwksPolicy::default(),
        /// Dynamic client registration.
        registration: RegistrationPolicy = RegistrationPolicy::default(),
        /// Requests of strange form.
        robustness: RobustnessPolicy = RobustnessPolicy::default(),
        /// How each cause of an error is rendered.
        errors: ErrorsPolicy = ErrorsPolicy::default(),
    }
}

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
        /// Members that are left out.
        omit: Vec<String> = vec![],
        /// Whether the document is repeated as a signed token, `signed_metadata` (RFC 8414 section 2.1).
        signed: bool = true,
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
        /// What is done to `state` on its way: `none`, `lower-case`, `truncate` (to 64), `html-escape`, `decode-twice`, `plus-to-blank`, `trim`.
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

choices! {
    /// What happens to a scope that is not known or not allowed.
    UnknownScope {
        /// The request is refused with `invalid_scope`.
        Refuse,
        /// It is left out of the grant.
        Narrow,
        /// It is granted.
        Grant,
    }
}

choices! {
    /// When a response names the scope.
    ScopeMember {
        /// In every response.
        Always,
        /// Where it differs from what was requested (RFC 6749 section 5.1).
        WhenDifferent,
        /// Never.
        Never,
        /// The requested scope is named, whatever was granted.
        AsRequested,
    }
}

settings! {
    /// Scope.
    ScopePolicy {
        /// Scopes that are not known or not allowed.
        unknown: UnknownScope = UnknownScope::Refuse,
        /// Whether a scope that breaks the grammar is refused; else its legal tokens count.
        check_grammar: bool = true,
        /// Whether scopes compare with regard to case.
        case_sensitive: bool = true,
        /// Whether a request without a scope is refused; else the client's registered scopes are granted.
        required: bool = false,
        /// When a response names the scope.
        member: ScopeMember = ScopeMember::Always,
        /// Whether a client gets no more than it asks for; else all that it is registered for.
        only_requested: bool = true,
        /// Whether the order of the tokens matters (then an order other than the registered one is refused).
        ordered: bool = false,
    }
}

choices! {
    /// Whom PKCE is demanded of.
    PkceRequired {
        /// Public clients (RFC 9700 section 2.1.1).
        Public,
        /// Every client.
        Always,
        /// Nobody.
        Never,
    }
}

choices! {
    /// What happens to a challenge method that is not on offer.
    UnknownMethod {
        /// Refused (RFC 7636 section 4.4.1).
        Refuse,
        /// Taken for `plain`.
        Plain,
        /// Taken for `S256`.
        S256,
        /// The whole challenge is forgotten.
        Forget,
    }
}

choices! {
    /// What is done to a verifier before it is looked at.
    VerifierReading {
        /// Nothing.
        Exact,
        /// Blanks and line breaks at its ends are cut off.
        Trim,
        /// Equals signs at its end are cut off.
        Unpad,
        /// It is percent-decoded once more.
        Decode,
        /// Plus and slash are read as hyphen and underscore.
        Base64,
    }
}

choices! {
    /// How a verifier is verified.
    VerifierCheck {
        /// Transformed and compared (RFC 7636 section 4.6).
        Compare,
        /// Not at all.
        Skip,
        /// Only that one is there.
        Presence,
        /// Without regard to case.
        IgnoreCase,
        /// The first characters of both.
        Prefix,
        /// Against the challenge as it is, or its transformation: either will do.
        EitherMethod,
        /// By the method that the token request names, where it names one.
        MethodOfTokenRequest,
        /// Against the challenge of the client's latest authorization request instead of the code's own.
        LatestChallenge,
    }
}

settings! {
    /// Proof Key for Code Exchange.
    PkcePolicy {
        /// Whether it is supported at all; else its parameters are unknown ones.
        supported: bool = true,
        /// Whom it is demanded of.
        required: PkceRequired = PkceRequired::Public,
        /// Challenge methods on offer.
        methods: Vec<String> = vec!["S256".into(), "plain".into()],
        /// The method where none is named (RFC 7636 section 4.3 says `plain`).
        default_method: String = "plain".into(),
        /// Challenge methods that are not on offer.
        unknown_method: UnknownMethod = UnknownMethod::Refuse,
        /// Whether method names compare with regard to case.
        method_case_sensitive: bool = true,
        /// Whether the form of a challenge is checked (RFC 7636 section 4.2).
        check_challenge: bool = true,
        /// Whether the length of a verifier is checked (RFC 7636 section 4.1).
        check_verifier_length: bool = true,
        /// Whether the characters of a verifier are checked.
        check_verifier_characters: bool = true,
        /// What is done to a verifier before it is looked at.
        reading: VerifierReading = VerifierReading::Exact,
        /// How a verifier is verified.
        verify: VerifierCheck = VerifierCheck::Compare,
        /// Whether a missing verifier is refused where there was a challenge.
        require_verifier: bool = true,
        /// Whether an empty verifier counts as none at all and is let through.
        empty_verifier_passes: bool = false,
        /// Whether a verifier is refused where there was no challenge (RFC 9700 section 4.8.2).
        refuse_unexpected_verifier: bool = true,
        /// Whether confidential clients are spared all of it.
        only_public: bool = false,
    }
}

choices! {
    /// What happens when something that works once comes again.
    Reuse {
        /// Refused.
        Refuse,
        /// Accepted.
        Accept,
        /// Accepted within the grace period.
        WithinGrace,
        /// Accepted from another client than the one that used it first.
        FromOthers,
    }
}

settings! {
    /// Authorization codes.
    CodePolicy {
        /// Seconds it lives (RFC 6749 section 4.1.2 recommends at most 600).
        lifetime: u64 = 60,
        /// Whether its expiry is checked.
        check_expiry: bool = true,
        /// What happens when it comes again.
        reuse: Reuse = Reuse::Refuse,
        /// Seconds in which it may come again, under `within-grace`.
        grace: u64 = 10,
        /// Whether its reuse revokes the tokens issued for it.
        reuse_revokes: bool = true,
        /// Whether its reuse revokes only the access token, and leaves the refresh token.
        reuse_spares_refresh: bool = false,
        /// Whether it works for its own client only.
        bound_to_client: bool = true,
        /// Whether a refused attempt of the right client burns it.
        burnt_by_failure: bool = false,
        /// Milliseconds (of real time) until a use is noted: loses races on purpose.
        commit_delay_ms: u64 = 0,
        /// Characters.
        length: usize = 43,
        /// What it is made of: `random`, `counter`, `time`, `constant`, `short` (six digits), `half` (half of it constant).
        source: String = "random".into(),
        /// Characters put in front, some of them outside the grammar of RFC 6749 A.11 if so wished.
        prefix: String = String::new(),
        /// Whether it ends with the code challenge, for all to read (RFC 7636 section 4.4).
        shows_challenge: bool = false,
    }
}

choices! {
    /// Which content types the token endpoint reads.
    ContentTypes {
        /// Forms only.
        Form,
        /// JSON too.
        FormAndJson,
        /// Whatever comes is read as a form.
        Any,
    }
}

settings! {
    /// Token endpoint: the request.
    TokenPolicy {
        /// Whether GET works too, with parameters in the query.
        get: bool = false,
        /// Which content types are read.
        content_types: ContentTypes = ContentTypes::Form,
        /// Whether parameters in the query count beside those in the body.
        query: bool = false,
        /// Whether parameters in the query are refused; else they are ignored.
        refuse_query: bool = false,
        /// Whether a parameter without a value counts as left out.
        empty_is_absent: bool = true,
        /// Parameters that stand more than once.
        repeated: Repeated = Repeated::Refuse,
        /// Parameters that nobody knows.
        unknown: Unknown = Unknown::Ignore,
        /// Grant types on offer.
        grants: Vec<String> = vec![
            "authorization_code".into(),
            "refresh_token".into(),
            "client_credentials".into(),
            "urn:ietf:params:oauth:grant-type:device_code".into(),
        ],
        /// Whether a client may use only the grants that it is registered for.
        check_registered_grants: bool = true,
        /// Whether an unknown grant type is refused; else it is taken for `authorization_code`.
        check_grant_type: bool = true,
        /// Whether names of parameters compare with regard to case (RFC 6749 section 1.1).
        case_sensitive: bool = true,
    }
}

choices! {
    /// How a secret is compared.
    SecretCheck {
        /// In full.
        Compare,
        /// Not at all.
        Skip,
        /// Not where it is empty.
        EmptyPasses,
        /// Without regard to case.
        IgnoreCase,
        /// The first eight characters.
        Prefix,
        /// Not in the body.
        HeaderOnly,
        /// Not in the header.
        BodyOnly,
    }
}

choices! {
    /// How HTTP Basic credentials are decoded.
    BasicDecoding {
        /// Form-decoded after base64 (RFC 6749 section 2.3.1).
        Form,
        /// Taken as they are.
        Raw,
        /// Form-decoded, and the bytes read as ISO 8859-1 instead of UTF-8 (RFC 6749 appendix B).
        Latin1,
    }
}

settings! {
    /// Client authentication.
    ClientAuthPolicy {
        /// Methods on offer.
        methods: Vec<String> = vec!["client_secret_basic".into(), "client_secret_post".into(), "none".into()],
        /// Whether confidential clients must authenticate.
        required: bool = true,
        /// Whether they must when they redeem a code.
        required_for_code: bool = true,
        /// Whether they must when they refresh.
        required_for_refresh: bool = true,
        /// How a secret is compared.
        secret: SecretCheck = SecretCheck::Compare,
        /// How HTTP Basic credentials are decoded.
        basic_decoding: BasicDecoding = BasicDecoding::Form,
        /// Whether the name of the scheme compares with regard to case (RFC 9110 section 11.1 says it does not).
        scheme_case_sensitive: bool = false,
        /// Whether two methods in one request are refused; else the header counts.
        refuse_several: bool = true,
        /// Whether the first of two Authorization header fields counts; else both are refused.
        first_header: bool = false,
        /// Whether a client must use the method that it is registered for.
        registered_method_only: bool = true,
        /// Whether credentials in the query count.
        query: bool = false,
        /// Whether a `client_id` in the body that is not the authenticated client is refused.
        check_id_mismatch: bool = true,
        /// Whether an unknown client is told from a wrong secret in the description.
        tell_unknown: bool = false,
        /// The realm attribute of the Basic challenge; empty: none.
        realm: String = "token".into(),
        /// The scheme of the challenge.
        challenge_scheme: String = "Basic".into(),
    }
}

settings! {
    /// Token endpoint: the response.
    ResponsePolicy {
        /// Whether `Cache-Control: no-store` is sent with tokens.
        no_store: bool = true,
        /// Whether `Pragma: no-cache` is sent with tokens.
        pragma: bool = true,
        /// Whether both are sent with errors too.
        no_store_on_error: bool = true,
        /// Whether `expires_in` is sent.
        expires_in: bool = true,
        /// `token_type`.
        token_type: String = "Bearer".into(),
        /// Further members.
        extra: BTreeMap<String, Value> = BTreeMap::new(),
        /// Whether `error_description` is sent.
        description: bool = true,
        /// `error_uri`; empty: not sent.
        error_uri: String = String::new(),
        /// Further members of error bodies.
        error_extra: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

choices! {
    /// Which access tokens are taken for good ones, beside those that were issued.
    Trust {
        /// None: what is not known character by character is refused.
        Issued,
        /// Those whose header and claims can be read: the signature is not looked at.
        AnySignature,
        /// Those without a signature, whatever the header says.
        NoSignature,
        /// Those whose `alg` is `none`.
        AlgNone,
        /// Those with an HMAC that is keyed with a published key (RFC 8725 section 2.1).
        PublicKeyAsSecret,
        /// Those that bring their own key along in the header.
        EmbeddedKey,
        /// ID tokens (RFC 8725 section 3.12).
        IdTokens,
    }
}

settings! {
    /// Access tokens.
    AccessTokenPolicy {
        /// `jwt` (RFC 9068) or `opaque`.
        format: String = "jwt".into(),
        /// `ES256` or `RS256`.
        alg: String = "ES256".into(),
        /// Seconds it lives.
        lifetime: u64 = 3600,
        /// Characters, where it is opaque.
        length: usize = 43,
        /// What it is made of, where it is opaque: as for codes.
        source: String = "random".into(),
        /// `typ` of the header, where it is a JWT.
        typ: String = "at+jwt".into(),
        /// `aud`: `resource` (the protected resource), `list` (the same in a list), `client`.
        aud: String = "resource".into(),
        /// Which tokens are taken for good ones.
        trust: Trust = Trust::Issued,
        /// Further claims.
        claims: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

choices! {
    /// When a refresh token is issued.
    IssueRefresh {
        /// With every code, to clients registered for the grant.
        Always,
        /// Where `offline_access` was granted.
        OfflineAccess,
        /// Never.
        Never,
    }
}

choices! {
    /// When a refresh token is replaced by a new one.
    Rotation {
        /// Each time.
        Always,
        /// For public clients.
        Public,
        /// Never.
        Never,
    }
}

choices! {
    /// What happens to a scope beyond the grant, on refresh.
    Widening {
        /// Refused with `invalid_scope`.
        Refuse,
        /// Granted, if the client may ask for it.
        Grant,
        /// The original scope is granted.
        Ignore,
    }
}

settings! {
    /// Refresh tokens.
    RefreshPolicy {
        /// When one is issued.
        issue: IssueRefresh = IssueRefresh::Always,
        /// When one is replaced.
        rotation: Rotation = Rotation::Always,
        /// What happens when a replaced one comes again.
        reuse: Reuse = Reuse::Refuse,
        /// Seconds in which it may come again, under `within-grace`.
        grace: u64 = 10,
        /// Whether its reuse revokes the whole family (RFC 9700 section 4.14.2).
        reuse_revokes: bool = true,
        /// Seconds it lives.
        lifetime: u64 = 1_209_600,
        /// Whether its expiry is checked.
        check_expiry: bool = true,
        /// Whether it works for its own client only.
        bound_to_client: bool = true,
        /// Whether an unknown one is accepted.
        accept_unknown: bool = false,
        /// Scope beyond the grant.
        widening: Widening = Widening::Refuse,
        /// Whether a narrower scope is honoured; else the original one is granted.
        narrowing: bool = true,
        /// Whether a narrower scope sticks to the new refresh token (RFC 6749 section 6 says it does not).
        narrowing_sticks: bool = false,
        /// Whether a narrower scope is refused.
        refuse_narrowing: bool = false,
        /// Milliseconds (of real time) until a use is noted: loses races on purpose.
        commit_delay_ms: u64 = 0,
        /// Whether a replaced one stays alive when its answer was a refusal.
        survives_failure: bool = true,
        /// Characters.
        length: usize = 43,
        /// What it is made of: as for codes.
        source: String = "random".into(),
    }
}

settings! {
    /// ID tokens.
    IdTokenPolicy {
        /// Whether one is issued where `openid` was granted.
        issue: bool = true,
        /// `RS256` or `ES256`.
        alg: String = "RS256".into(),
        /// Seconds it lives.
        lifetime: u64 = 3600,
        /// Whether `nonce` is copied.
        nonce: bool = true,
        /// What is done to `nonce` on its way: as for `state`.
        nonce_change: String = "none".into(),
        /// Whether a `nonce` is made up where none was sent.
        nonce_invented: bool = false,
        /// When there is an `auth_time`: `always`, `when-asked` (by `max_age`), `never`.
        auth_time: String = "always".into(),
        /// `at_hash`: `right`, `none`, `whole` (all of the hash, not its left half).
        at_hash: String = "right".into(),
        /// `aud`: `string`, `list`, `others-too` (a list with further audiences).
        aud: String = "string".into(),
        /// Whether there is an `azp`.
        azp: bool = false,
        /// `sub`: `stable`, `fresh` (another one each time).
        sub: String = "stable".into(),
        /// Whether a refresh yields one too (OpenID Connect Core section 12.2).
        on_refresh: bool = true,
        /// `nonce` of one that a refresh yields: `none`, `kept`, `other`.
        refreshed_nonce: String = "none".into(),
        /// `auth_time` of one that a refresh yields: `original`, `now`.
        refreshed_auth_time: String = "original".into(),
        /// Further claims.
        claims: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

settings! {
    /// Client credentials grant.
    ClientCredentialsPolicy {
        /// Whether a refresh token is issued (RFC 6749 section 4.4.3 advises against it).
        refresh_token: bool = false,
        /// Whether public clients may use it (RFC 6749 section 4.4 forbids it).
        public_clients: bool = false,
    }
}

choices! {
    /// What happens to a device that polls faster than it may.
    FastPolling {
        /// It is told to slow down, and its interval grows (RFC 8628 section 3.5).
        SlowDown,
        /// It is told that the user has not answered yet, like any other.
        Pending,
        /// Its device code is dropped.
        Drop,
    }
}

choices! {
    /// What becomes of the user's decision about a device.
    DeviceDecision {
        /// It counts (RFC 8628 section 3.5).
        Heeded,
        /// Nobody waits for it: the first poll gets tokens.
        NotAwaited,
        /// An approval changes nothing.
        ApprovalIgnored,
        /// A refusal changes nothing.
        DenialIgnored,
        /// A refusal counts as an approval.
        DenialApproves,
    }
}

choices! {
    /// When the user is asked about a device.
    DeviceQuestion {
        /// Each time (RFC 8628 section 3.3.1).
        Always,
        /// Where the code was typed; a code in the link is an approval.
        WhenTyped,
        /// Never: a code is an approval.
        Never,
    }
}

choices! {
    /// In which order the verification page wants things of the user.
    VerificationOrder {
        /// Login, user code, approval (RFC 8628 section 1, step D).
        LoginFirst,
        /// User code, login, approval.
        CodeFirst,
        /// All of it on one page.
        OnePage,
    }
}

choices! {
    /// How a user code as it was typed is compared.
    UserCodeComparison {
        /// Without regard to case and punctuation (RFC 8628 section 6.1).
        Lenient,
        /// With regard to case, without regard to punctuation.
        CaseSensitive,
        /// Without regard to case, with the punctuation.
        Punctuated,
    }
}

settings! {
    /// Device authorization grant (RFC 8628).
    DevicePolicy {
        /// Whether GET works at the device authorization endpoint too.
        get: bool = false,
        /// Whether confidential clients must authenticate at the device authorization endpoint.
        authenticate: bool = true,
        /// Parameters of the device authorization request that nobody knows.
        unknown: Unknown = Unknown::Ignore,
        /// Whether the device authorization response carries `Cache-Control: no-store`.
        no_store: bool = true,
        /// Seconds for which both codes live.
        lifetime: u64 = 600,
        /// Whether the token endpoint checks the expiry of a device code.
        check_expiry: bool = true,
        /// Whether the verification page checks the expiry of a user code.
        check_user_code_expiry: bool = true,
        /// Seconds between two polls.
        interval: u64 = 5,
        /// Whether `interval` is sent; without it clients wait 5 seconds.
        interval_member: bool = true,
        /// Whether the interval counts for the first poll too, from the moment the codes were issued.
        first_poll_waits: bool = false,
        /// Polling faster than that.
        fast_polling: FastPolling = FastPolling::SlowDown,
        /// Seconds by which the interval grows with each `slow_down`.
        raise: u64 = 5,
        /// What becomes of the user's decision.
        decision: DeviceDecision = DeviceDecision::Heeded,
        /// What happens when a device code that was exchanged for tokens comes again.
        reuse: Reuse = Reuse::Refuse,
        /// Seconds in which it may come again, under `within-grace`.
        grace: u64 = 10,
        /// Milliseconds (of real time) until a use is noted: loses races on purpose.
        commit_delay_ms: u64 = 0,
        /// Whether the tokens have the scope that was asked for; else all that the client is registered for.
        keep_scope: bool = true,
        /// Whether a device code works for its own client only.
        bound_to_client: bool = true,
        /// Characters of a device code.
        length: usize = 43,
        /// What a device code is made of: as for codes.
        source: String = "random".into(),
        /// Characters of a user code, punctuation aside.
        user_code_length: usize = 8,
        /// A hyphen stands after so many characters; 0: none.
        user_code_group: usize = 4,
        /// The characters that user codes are made of.
        user_code_alphabet: String = "BCDFGHJKLMNPQRSTVWXZ".into(),
        /// What user codes are made of: `random`, `counter`, `constant`.
        user_code_source: String = "random".into(),
        /// How a user code as it was typed is compared.
        user_code_comparison: UserCodeComparison = UserCodeComparison::Lenient,
        /// Whether `verification_uri_complete` is sent.
        complete: bool = true,
        /// Whether `verification_uri` carries the user code.
        code_in_uri: bool = false,
        /// In which order the verification page wants things of the user.
        order: VerificationOrder = VerificationOrder::LoginFirst,
        /// Whether a code from the link stands in a field to be sent on by the user; else the page goes straight to the question.
        prefill: bool = true,
        /// Whether the user code is shown with the question.
        show_code: bool = true,
        /// When the user is asked.
        question: DeviceQuestion = DeviceQuestion::Always,
        /// Wrong user codes that a user may enter within `attempt_window`; 0: any number.
        attempts: u64 = 5,
        /// Seconds for which wrong user codes count.
        attempt_window: u64 = 600,
    }
}

settings! {
    /// Implicit grant (RFC 6749 section 4.2).
    ImplicitPolicy {
        /// Whether it is on offer: the response type `token` beside those of `authorize.response_types`.
        offered: bool = false,
        /// Where the parameters are put when tokens come from the authorization endpoint, and its errors (RFC 6749 section 4.2.2: the fragment).
        via: Via = Via::Fragment,
    }
}

settings! {
    /// Password grant (RFC 6749 section 4.3).
    PasswordPolicy {
        /// Whether it is on offer, beside the grants of `token.grants`.
        offered: bool = false,
        /// Whether the user's password is checked.
        check: bool = true,
    }
}

settings! {
    /// Revocation endpoint.
    RevocationPolicy {
        /// Whether it is there.
        enabled: bool = true,
        /// Whether callers must authenticate as at the token endpoint.
        authenticate: bool = true,
        /// Whether GET works too.
        get: bool = false,
        /// Whether access tokens can be revoked; else `unsupported_token_type` (RFC 7009 section 2.2.1).
        access: bool = true,
        /// Whether a revoked access token stops working.
        revokes_access: bool = true,
        /// Whether a revoked refresh token stops working.
        revokes_refresh: bool = true,
        /// Whether tokens of public clients are revoked; else the answer is 200 and they live on.
        public_clients: bool = true,
        /// Whether revoking a refresh token ends the access tokens of its grant.
        cascades: bool = true,
        /// Whether revoking an access token ends the refresh tokens of its grant.
        cascades_up: bool = false,
        /// What happens to another client's token: `refuse`, `ignore` (200, still alive), `revoke`.
        foreign: String = "refuse".into(),
        /// Whether an unknown token is an error (RFC 7009 section 2.2 says it is none).
        unknown_is_error: bool = false,
        /// Whether a wrong `token_type_hint` hides the token.
        trust_hint: bool = false,
    }
}

settings! {
    /// Introspection endpoint.
    IntrospectionPolicy {
        /// Whether it is there.
        enabled: bool = true,
        /// Whether callers must authenticate.
        authenticate: bool = true,
        /// Whether GET works too.
        get: bool = false,
        /// Whether every client that authenticates may ask, and public ones without.
        anybody: bool = false,
        /// Whether an authorization code passes for an active token.
        codes: bool = false,
        /// What a `reason` member says of a token that is not known; empty: there is none.
        unknown_reason: String = String::new(),
        /// Whether an inactive token's answer tells more than that.
        inactive_details: bool = false,
        /// Whether revoked tokens are inactive.
        check_revoked: bool = true,
        /// Whether expired tokens are inactive.
        check_expiry: bool = true,
        /// Whether an unknown token is an error (RFC 7662 section 2.2 says it is none).
        unknown_is_error: bool = false,
    }
}

choices! {
    /// Whose pushed requests may name a redirect URI that is not registered (RFC 9126 section 2.4).
    NewRedirectUris {
        /// Nobody's.
        Refuse,
        /// Those of clients that have authenticated, for https addresses.
        Authenticated,
        /// Everybody's, for any address.
        Anybody,
    }
}

choices! {
    /// What happens to parameters that stand beside `request_uri` at the authorization endpoint.
    BesideRequestUri {
        /// They do not count.
        Ignore,
        /// The request is refused where one of them differs from the pushed one.
        Refuse,
        /// They count where nothing was pushed under their name.
        Complete,
        /// They replace what was pushed.
        Replace,
    }
}

choices! {
    /// When a `request_uri` is used up.
    UsedUp {
        /// When the authorization response is sent: until then the page may be loaded again.
        ByResponse,
        /// When the authorization endpoint sees it first.
        ByVisit,
        /// Never.
        Never,
    }
}

settings! {
    /// Pushed authorization requests (RFC 9126).
    ParPolicy {
        /// Whether the endpoint is there.
        enabled: bool = true,
        /// Whether every authorization request must have been pushed; announced where it is so.
        required: bool = false,
        /// Whether requests that had to be pushed, by all clients or by this one, are refused where they were not.
        enforce: bool = true,
        /// Whether clients must authenticate as at the token endpoint.
        authenticate: bool = true,
        /// Whether a push needs `client_id` in its body, beside an Authorization header.
        require_client_id: bool = true,
        /// Whether a push that holds `request_uri` is refused; else that parameter is ignored.
        refuse_request_uri: bool = true,
        /// Whether GET works too, with parameters in the query.
        get: bool = false,
        /// Whether redirect URI, response type, scope and the rest are validated when the request is pushed.
        validate: bool = true,
        /// Whether they are validated when the pushed request is used.
        validate_again: bool = true,
        /// Whose requests may name a redirect URI that is not registered.
        new_redirect_uris: NewRedirectUris = NewRedirectUris::Refuse,
        /// The longest body, in bytes; beyond it 413.
        max_bytes: u64 = 65536,
        /// How many requests a client may push in a minute; beyond it 429; 0: as many as it likes.
        max_per_minute: u64 = 0,
        /// Seconds that a `request_uri` lives, as `expires_in` says.
        lifetime: u64 = 60,
        /// Whether its expiry is checked.
        check_expiry: bool = true,
        /// When it is used up.
        used_up: UsedUp = UsedUp::ByResponse,
        /// Whether an unknown one is ignored, so that the parameters beside it count.
        ignore_unknown: bool = false,
        /// Whether it works for the client only that pushed the request.
        bound_to_client: bool = true,
        /// Parameters that stand beside it at the authorization endpoint.
        beside: BesideRequestUri = BesideRequestUri::Ignore,
        /// What it begins with.
        prefix: String = "urn:ietf:params:oauth:request_uri:".into(),
        /// Characters after that.
        length: usize = 43,
        /// What they are made of: as for codes.
        source: String = "random".into(),
    }
}

settings! {
    /// UserInfo and the protected resource.
    ResourcePolicy {
        /// Whether the UserInfo endpoint is there.
        userinfo: bool = true,
        /// Methods that work.
        methods: Vec<String> = vec!["GET".into(), "POST".into()],
        /// Whether a token in the form body is read (RFC 6750 section 2.2).
        body: bool = true,
        /// Whether a body with a token must come by POST.
        body_needs_post: bool = true,
        /// Whether a body with a token must be labelled as a form.
        body_needs_form: bool = true,
        /// Whether a token in the query is read (RFC 6750 section 2.3).
        query: bool = false,
        /// Whether a token in two places is refused.
        refuse_several: bool = true,
        /// Whether the name of the scheme compares with regard to case.
        scheme_case_sensitive: bool = false,
        /// Whether expired tokens are refused.
        check_expiry: bool = true,
        /// Whether revoked tokens are refused.
        check_revoked: bool = true,
        /// Whether signatures and unknown tokens are looked at.
        check_token: bool = true,
        /// Whether the scope is looked at.
        check_scope: bool = true,
        /// Whether a `WWW-Authenticate` field is sent with refusals.
        challenge: bool = true,
        /// Whether `Cache-Control: no-store` is sent with answers to good tokens.
        no_store: bool = true,
        /// Whether a code passes for an access token.
        codes: bool = false,
        /// Whether the token counts under another scheme than Bearer too.
        any_scheme: bool = false,
    }
}

settings! {
    /// Key set.
    JwksPolicy {
        /// Whether private members are published.
        private: bool = false,
        /// Whether keys carry a `kid`.
        kid: bool = true,
        /// Whether two keys share one `kid`.
        same_kid: bool = false,
        /// Keys that are published, by their algorithms.
        published: Vec<String> = vec!["ES256".into(), "RS256".into()],
        /// Further keys that are published.
        more: Vec<Value> = vec![],
        /// Members of every own key that are set.
        set: BTreeMap<String, Value> = BTreeMap::new(),
        /// Members of every own key that are left out.
        omit: Vec<String> = vec![],
    }
}

choices! {
    /// What happens to metadata that cannot be registered as they were sent (RFC 7591 sections 2 and 3.2.1).
    Unsupported {
        /// The registration is refused.
        Refuse,
        /// They are left out or replaced, and the response says so.
        Replace,
        /// They are registered nevertheless.
        Accept,
    }
}

settings! {
    /// Dynamic client registration.
    RegistrationPolicy {
        /// Whether anybody may register a client (RFC 7591).
        open: bool = true,
        /// The initial access token that a registration must carry; empty: none is asked for (RFC 7591 section 3).
        initial_token: String = String::new(),
        /// Whether the media type of the request must be JSON; else any body that is JSON will do.
        check_content_type: bool = true,
        /// Metadata that nobody knows.
        unknown: Unknown = Unknown::Ignore,
        /// Whether clients of redirecting grants must bring redirect URIs.
        require_redirect_uris: bool = true,
        /// Whether a redirect URI must be absolute and well formed.
        check_redirect_form: bool = true,
        /// Whether a redirect URI with a fragment is refused.
        check_redirect_fragment: bool = true,
        /// Whether the scheme of a redirect URI must be a safe one: https, http to a loopback address, a native application's own.
        check_redirect_scheme: bool = true,
        /// Grant types, response types, scopes and authentication methods that are not on offer: refused or replaced.
        unsupported: Unsupported = Unsupported::Refuse,
        /// Grant types and response types that do not fit together (RFC 7591 section 2.1): refused or replaced.
        inconsistent: Unsupported = Unsupported::Refuse,
        /// Whether `jwks` beside `jwks_uri` is refused.
        check_keys: bool = true,
        /// Whether addresses of pages and pictures must be web addresses.
        check_links: bool = true,
        /// Whether the response tells all registered metadata.
        echo: bool = true,
        /// Whether `client_secret_expires_at` goes with a secret.
        secret_expiry: bool = true,
        /// Seconds that a secret lives; 0: for ever.
        secret_lifetime: u64 = 0,
        /// What client identifiers are made of: as for codes.
        id_source: String = "random".into(),
        /// What secrets are made of: as for codes.
        secret_source: String = "random".into(),
        /// Whether a registered client can be read and deleted (RFC 7592).
        management: bool = true,
        /// Whether reading a registration is on offer; else 405.
        read: bool = true,
        /// Whether deleting a registration is on offer; else 405.
        delete: bool = true,
        /// Whether the registration access token is looked at.
        check_token: bool = true,
        /// Whether it works for its own client only.
        bound_to_client: bool = true,
        /// What registration access tokens are made of: as for codes.
        token_source: String = "random".into(),
        /// Whether a deleted client is gone; else only the answer says so.
        delete_removes: bool = true,
        /// Whether the tokens of a deleted client are revoked.
        delete_revokes: bool = true,
    }
}

choices! {
    /// A property by which a request is strange.
    Strange {
        /// A parameter of more than 4096 bytes.
        LongParameter,
        /// A header field of more than 4096 bytes.
        LongHeader,
        /// More than 500 parameters.
        ManyParameters,
        /// A percent sign without two hexadecimal digits.
        BadPercent,
        /// A zero byte, in a parameter or in Basic credentials.
        Nul,
        /// Bytes that are no UTF-8, in a parameter or in Basic credentials.
        NotUtf8,
        /// Letters outside of ASCII, in a parameter or in Basic credentials.
        NotAscii,
        /// A body in chunks.
        Chunked,
        /// Two fields for one of Authorization and Content-Type.
        RepeatedHeader,
        /// A Content-Type that is neither a plain form nor absent.
        ContentType,
        /// Another method than GET and POST.
        Method,
        /// A POST without a body.
        EmptyBody,
    }
}

settings! {
    /// Requests of strange form.
    RobustnessPolicy {
        /// Those that end in status 500.
        crash_on: Vec<Strange> = vec![],
    }
}

settings! {
    /// How each cause of an error is rendered.
    ErrorsPolicy {
        /// Authorization endpoint.
        authorize: AuthorizeErrors = AuthorizeErrors::default(),
        /// Token endpoint, revocation, introspection.
        token: TokenErrors = TokenErrors::default(),
        /// Protected resource and UserInfo.
        bearer: BearerErrors = BearerErrors::default(),
        /// Client registration.
        registration: RegistrationErrors = RegistrationErrors::default(),
    }
}

impl Policy {
    /// The response types on offer.
    #[must_use]
    pub fn response_types(&self) -> Vec<String> {
        let mut types = self.authorize.response_types.clone();
        if self.implicit.offered && !types.iter().any(|kind| kind == "token") {
            types.push("token".into());
        }
        types
    }

    /// The grants on offer, at both endpoints.
    #[must_use]
    pub fn grants(&self) -> Vec<String> {
        let mut grants = self.token.grants.clone();
        if self.password.offered && !grants.iter().any(|grant| grant == "password") {
            grants.push("password".into());
        }
        if self.response_types().iter().any(|types| types.split(' ').any(|kind| kind != "code")) {
            grants.push("implicit".into());
        }
        grants
    }
}
