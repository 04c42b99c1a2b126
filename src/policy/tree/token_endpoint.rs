//! From the code to the answer of the token endpoint: scope, PKCE, codes, client authentication, the response.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::front::{Repeated, Unknown};

choices! {
    /// What happens to a scope that is not known or not allowed.
    UnknownScope {
        /// The request is refused with `invalid_scope`.
        Refuse,
        /// It is left out of the grant, as long as any is left.
        Narrow,
        /// It is left out of the grant; where none is left, that is as if none had been asked for.
        Ignore,
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
        /// Scope tokens that are granted only together with `openid`.
        with_openid: Vec<String> = vec![],
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
        /// Whether a challenge of S256 must have the 43 base64url characters that a SHA-256 has.
        exact_s256: bool = false,
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
        /// What it is made of: `random`, `counter`, `time`, `constant`, `short` (six digits), `half` (half of it constant), `uuid`.
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
        /// How many requests a client may send in a minute; beyond it 429; 0: as many as it likes.
        max_per_minute: u64 = 0,
        /// Seconds of the `Retry-After` that goes with a 429; 0: none.
        retry_after: u64 = 0,
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
        /// Whether `client_id` has to stand in the body, beside an Authorization header too.
        require_client_id: bool = false,
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
        /// Members that come first, in this order.
        order: Vec<String> = vec![],
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
