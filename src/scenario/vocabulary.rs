//! The closed lists of words that scenario files may use.

/// Answer classes of the back channel.
pub const BACK_OUTCOMES: [&str; 5] = ["accepted", "refused", "throttled", "broken", "none"];

/// Answer classes of the front channel.
pub const FRONT_OUTCOMES: [&str; 5] = ["granted", "denied", "shown", "waiting", "stuck"];

/// How a client under test ended.
pub const CLIENT_OUTCOMES: [&str; 5] = ["accepted", "rejected", "crashed", "hung", "unknown"];

/// Features that discovery or configuration can tell of; `[server.features]` may claim others.
pub const FEATURES: &[&str] = &[
    "api",
    "client_secret_basic",
    "confidential",
    "consent",
    "id_token",
    "iss",
    "issuers",
    "logout",
    "metadata",
    "openid",
    "par_required",
    "pkce",
    "pkce_optional",
    "pkce_plain",
    "pkce_required",
    "refresh",
    "refresh_rotation",
    "registration",
    "revocation",
    "shared_redirect_uri",
];

/// The device authorization grant (RFC 8628 section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Grant types by their registered names; others are written as URNs.
pub const GRANTS: [&str; 6] = ["authorization_code", "client_credentials", "implicit", "password", "refresh_token", DEVICE_GRANT];

/// Endpoints by their names in the configuration.
pub const ENDPOINTS: [&str; 10] = [
    "authorization",
    "token",
    "revocation",
    "introspection",
    "userinfo",
    "jwks",
    "registration",
    "device_authorization",
    "pushed_authorization_request",
    "resource",
];

/// Lifetimes by their names in the configuration.
pub const LIFETIMES: [&str; 6] = ["code", "access_token", "refresh_token", "refresh_grace", "request_uri", "device_code"];

/// The plans a target can be measured by.
pub const PLANS: [&str; 3] = ["rfc6749", "bcp", "oauth2.1"];

/// What steps of a kind `same` compare.
pub const SAME_PARTS: [&str; 3] = ["status", "headers", "json"];

/// First segments of variables that are neither a step nor a client.
pub(super) const ROOTS: &[&str] =
    &["attacker", "case", "endpoint", "issuer", "metadata", "now", "openid_configuration", "random"];

/// Variables of a client.
pub(super) const OF_CLIENT: [&str; 10] = [
    "client_id",
    "client_secret",
    "client_secret_swapped",
    "redirect_uri",
    "redirect_uri_2",
    "scope",
    "scope_first",
    "scope_last",
    "scope_reversed",
    "start_url",
];

/// Parts of a redirect URI, and of the URL where a login begins.
pub(super) const URI_PARTS: [&str; 11] = [
    "authority",
    "host",
    "host_undotted",
    "host_upper",
    "origin",
    "path",
    "path_encoded",
    "path_upper",
    "port",
    "query",
    "scheme",
];

/// What the parts of a step's result are called before the name of a parameter or header field.
pub const OF_STEP: [&str; 3] = ["sent", "got", "headers"];

/// The parts of a JSON Web Token that came back, before the name of a member.
pub(super) const OF_JWT: [&str; 2] = ["claims", "header"];

/// What can be made of a JSON Web Token that came back.
pub const FORGERIES: [&str; 6] = ["embedded_key", "hmac", "other_key", "signature_removed", "tampered", "unsigned"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Endpoints, Lifetimes};

    #[test]
    fn targets_use_the_same_words() {
        assert_eq!(ENDPOINTS, Endpoints::NAMES);
        assert_eq!(LIFETIMES, Lifetimes::NAMES);
    }

    #[test]
    fn the_plans_are_those_of_the_catalogue() {
        let mut ids: Vec<&str> = crate::catalog::Plan::all().iter().map(|plan| plan.id.as_str()).collect();
        ids.sort_unstable();
        let mut words = PLANS;
        words.sort_unstable();
        assert_eq!(ids, words);
    }
}
