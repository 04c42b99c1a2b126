//! What the server says of itself: metadata (RFC 8414, OpenID Connect Discovery) and the key set, computed from the policy.

use serde_json::{Map, Value, json};

use super::call::{Call, Endpoint};
use super::decision::{Cache, Decision, Outcome};
use super::device;
use super::state::State;
use crate::policy::Policy;

/// Decides about a request for a metadata document.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &State) -> Decision {
    let openid = *call.endpoint == Endpoint::OpenidMetadata;
    let exists = if openid { policy.metadata.openid } else { policy.metadata.oauth };
    if !exists {
        return Decision::new(Outcome::NotFound);
    }
    if !matches!(call.request.method.as_str(), "GET" | "HEAD") {
        return Decision::method("GET");
    }
    let mut document = document(call, policy, state);
    if let Some(host) = call.request.headers.get("x-forwarded-host").filter(|_| policy.metadata.trust_forwarded) {
        for (name, path) in [("authorization_endpoint", &policy.paths.authorize), ("token_endpoint", &policy.paths.token)] {
            document.insert(name.into(), json!(format!("https://{host}{}/{path}", call.realm.path)));
        }
    }
    for name in &policy.metadata.omit {
        document.shift_remove(name);
    }
    for (name, value) in &policy.metadata.set {
        document.insert(name.clone(), value.clone());
    }
    if policy.metadata.sorted {
        document.sort_keys();
    }
    Decision::json(200, document, Cache::Public)
}

/// Decides about a request for the key set.
pub(super) fn jwks(call: &Call<'_>, policy: &Policy) -> Decision {
    if !matches!(call.request.method.as_str(), "GET" | "HEAD") {
        return Decision::method("GET");
    }
    Decision::json(200, call.realm.keys.current().jwks(&policy.jwks, call.now), Cache::Public)
}

/// The scope tokens that exist: those that a client is registered for, in the order in which they come up.
pub(super) fn scopes(state: &State) -> Vec<String> {
    let mut all = Vec::new();
    for client in state.clients() {
        for scope in &client.scopes {
            if !all.contains(scope) {
                all.push(scope.clone());
            }
        }
    }
    all
}

fn document(call: &Call<'_>, policy: &Policy, state: &State) -> Map<String, Value> {
    let mut out = Map::new();
    let issuer = if policy.metadata.issuer.is_empty() { &call.realm.issuer } else { &policy.metadata.issuer };
    out.insert("issuer".into(), json!(issuer));
    let paths = &policy.paths;
    out.insert("authorization_endpoint".into(), json!(call.url(&paths.authorize)));
    out.insert("token_endpoint".into(), json!(call.url(&paths.token)));
    out.insert("jwks_uri".into(), json!(call.issuer_url(&paths.jwks)));
    let mut endpoint = |there: bool, name: &str, path: &str| {
        if there {
            out.insert(name.into(), json!(call.url(path)));
        }
    };
    endpoint(policy.registration.open, "registration_endpoint", &paths.register);
    endpoint(policy.resource.userinfo, "userinfo_endpoint", &paths.userinfo);
    endpoint(policy.revocation.enabled, "revocation_endpoint", &paths.revoke);
    endpoint(policy.introspection.enabled, "introspection_endpoint", &paths.introspect);
    endpoint(policy.par.enabled, "pushed_authorization_request_endpoint", &paths.par);
    endpoint(device::is_offered(policy), "device_authorization_endpoint", &paths.device_authorization);
    endpoint(policy.end_session.enabled, "end_session_endpoint", &paths.end_session);
    lists(policy, state, &mut out);
    // Left out, the second of them would mean that they are supported (OpenID Connect Discovery section 3).
    for name in ["request_parameter_supported", "request_uri_parameter_supported"] {
        out.insert(name.into(), json!(false));
    }
    if policy.par.required {
        out.insert("require_pushed_authorization_requests".into(), json!(true));
    }
    if policy.authorize.iss {
        out.insert("authorization_response_iss_parameter_supported".into(), json!(true));
    }
    out
}

/// The members that are lists; RFC 8414 section 3.2 wants empty ones left out.
fn lists(policy: &Policy, state: &State, out: &mut Map<String, Value>) {
    let methods = &policy.client_auth.methods;
    let secret_methods: Vec<_> = methods.iter().filter(|method| *method != "none").cloned().collect();
    let challenge_methods = if policy.pkce.supported { policy.pkce.methods.clone() } else { Vec::new() };
    let mut list = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            out.insert(name.into(), json!(values));
        }
    };
    list("scopes_supported", scopes(state));
    list("response_types_supported", policy.response_types());
    list("response_modes_supported", policy.authorize.response_modes.clone());
    list("grant_types_supported", policy.grants());
    list("token_endpoint_auth_methods_supported", methods.clone());
    if policy.revocation.enabled {
        list("revocation_endpoint_auth_methods_supported", methods.clone());
    }
    if policy.introspection.enabled {
        list("introspection_endpoint_auth_methods_supported", secret_methods);
    }
    list("code_challenge_methods_supported", challenge_methods);
    if !policy.id_token.issue {
        return;
    }
    list("subject_types_supported", vec!["public".into()]);
    // RS256 is always among them (OpenID Connect Discovery section 3).
    let mut algorithms = vec![policy.id_token.alg.clone(), "RS256".into()];
    algorithms.dedup();
    list("id_token_signing_alg_values_supported", algorithms);
}
