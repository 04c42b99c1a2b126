//! The endpoints around: revocation, introspection, pushed requests, resources, keys, registration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::front::Unknown;

settings! {
    /// Revocation endpoint.
    RevocationPolicy {
        /// Whether it is there.
        enabled: bool = true,
        /// Whether clients may revoke; else they are refused.
        allowed: bool = true,
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
        /// Whether an ID token is an `unsupported_token_type` instead of a token that is not known.
        knows_id_tokens: bool = false,
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
        /// The scope that the protected resource needs, by method and path below it: `"GET /projects"`; a `*` at the end stands for
        /// anything. What is not named needs none in particular.
        scopes: BTreeMap<String, String> = BTreeMap::new(),
        /// Whether a `WWW-Authenticate` field is sent with refusals.
        challenge: bool = true,
        /// Its scheme; empty: left out (RFC 6750 section 3 says `Bearer`).
        challenge_scheme: String = "Bearer".into(),
        /// Whether it has a realm.
        challenge_realm: bool = true,
        /// Whether it names the scope that is lacking.
        challenge_scope: bool = true,
        /// Whether refusals repeat error and description in a JSON body.
        error_body: bool = true,
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
        /// What a `kid` is: `name`, or `digest` (the SHA-256 of the public key in base64).
        kid_form: String = "name".into(),
        /// Whether two keys share one `kid`.
        same_kid: bool = false,
        /// Keys that are published, by their algorithms; `RS256-second` is the second RSA key.
        published: Vec<String> = vec!["ES256".into(), "RS256".into()],
        /// Further keys that are published.
        more: Vec<Value> = vec![],
        /// Members of every own key that are set.
        set: BTreeMap<String, Value> = BTreeMap::new(),
        /// Members of every own key that are left out.
        omit: Vec<String> = vec![],
        /// Seconds for which a key stays published that was replaced; 0: for ever.
        retired_for: u64 = 0,
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
