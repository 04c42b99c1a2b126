//! What the tokens are, and how they live on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::token_endpoint::Reuse;

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
        /// Whether the second RSA key signs, not the first.
        second_key: bool = false,
        /// Seconds it lives.
        lifetime: u64 = 3600,
        /// Characters, where it is opaque.
        length: usize = 43,
        /// What it is made of, where it is opaque: as for codes.
        source: String = "random".into(),
        /// `typ` of the header, where it is a JWT; empty: none.
        typ: String = "at+jwt".into(),
        /// `aud`: `resource` (the protected resource), `list` (the same in a list), `client`, `asked` (the `resource` of the
        /// authorization request, RFC 8707; without one there is no `aud`), `none`.
        aud: String = "resource".into(),
        /// Which tokens are taken for good ones.
        trust: Trust = Trust::Issued,
        /// Further claims. A string may hold `{user}`, `{user.CLAIM}`, `{client}`, `{scope}`, `{auth_time}`, `{issuer}`, `{grant}` (a UUID
        /// that all tokens of one authorization share) and `{uuid}` (a fresh one); what has no value leaves its claim out.
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
        /// Whether a replaced one leaves what remains of its life to the new one; else that begins a life of its own.
        lifetime_kept: bool = false,
        /// Whether its expiry is checked.
        check_expiry: bool = true,
        /// Whether it works for its own client only.
        bound_to_client: bool = true,
        /// Whether an unknown one is accepted.
        accept_unknown: bool = false,
        /// Scope beyond the grant.
        widening: Widening = Widening::Refuse,
        /// Whether `scope` is looked at; else the original one is granted.
        read_scope: bool = true,
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
        /// What it is made of: as for codes, or `jwe` (what looks like an encrypted token in five parts).
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
        /// Whether the second RSA key signs, not the first.
        second_key: bool = false,
        /// `typ` of the header; empty: none.
        typ: String = "JWT".into(),
        /// Whether it holds the claims of the granted scopes, as the UserInfo response does.
        scope_claims: bool = false,
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
        /// Further claims; templates as in `access_token.claims`.
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
        /// Scope tokens that a client does not get for itself, though it is registered for them.
        reserved_scopes: Vec<String> = vec![],
    }
}
