//! What the embedded mock claims of itself where metadata cannot tell: the same that a configuration file tells of a real server.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::mock::{ClientKind as MockKind, MockClient, Realm};
use crate::policy::{Consent, PkceRequired, Policy, Rotation};
use crate::scenario::DEVICE_GRANT;
use crate::target::{AuthMethod, Client, ClientKind, Endpoints, Lifetimes};

/// Endpoints that no metadata names, and all of them where there is no metadata.
pub(super) fn endpoints(endpoints: &mut Endpoints, realm: &Realm, policy: &Policy) {
    let paths = &policy.paths;
    let at = |path: &str| Some(format!("{}/{path}", realm.base_url()));
    let fill = |slot: &mut Option<String>, path: &str| {
        if slot.is_none() {
            *slot = at(path);
        }
    };
    endpoints.resource = at(&paths.resource);
    fill(&mut endpoints.authorization, &paths.authorize);
    fill(&mut endpoints.token, &paths.token);
    if endpoints.jwks.is_none() {
        endpoints.jwks = Some(format!("{}/{}", realm.issuer(), paths.jwks));
    }
    if policy.revocation.enabled {
        fill(&mut endpoints.revocation, &paths.revoke);
    }
    if policy.introspection.enabled {
        fill(&mut endpoints.introspection, &paths.introspect);
    }
    if policy.resource.userinfo {
        fill(&mut endpoints.userinfo, &paths.userinfo);
    }
    if policy.par.enabled {
        fill(&mut endpoints.pushed_authorization_request, &paths.par);
    }
    if policy.token.grants.iter().any(|grant| grant == DEVICE_GRANT) {
        fill(&mut endpoints.device_authorization, &paths.device_authorization);
    }
    if policy.registration.open {
        fill(&mut endpoints.registration, &paths.register);
    }
}

/// Lifetimes.
pub(super) fn lifetimes(lifetimes: &mut Lifetimes, policy: &Policy) {
    let seconds = |n: u64| Some(Duration::from_secs(n));
    lifetimes.code = seconds(policy.code.lifetime);
    lifetimes.access_token = seconds(policy.access_token.lifetime);
    lifetimes.device_code = seconds(policy.device.lifetime);
    lifetimes.refresh_token = seconds(policy.refresh.lifetime);
    lifetimes.request_uri = seconds(policy.par.lifetime);
    let grace = if policy.refresh.reuse == crate::policy::Reuse::WithinGrace { policy.refresh.grace } else { 0 };
    lifetimes.refresh_grace = seconds(grace);
}

/// Features, as `[server.features]` would claim them.
pub(super) fn features(policy: &Policy) -> BTreeMap<String, Value> {
    let pkce = match (policy.pkce.supported, policy.pkce.required) {
        (false, _) => "none",
        (true, PkceRequired::Always) => "required",
        (true, PkceRequired::Public) => "public",
        (true, PkceRequired::Never) => "supported",
    };
    let mut out = BTreeMap::new();
    out.insert("pkce".into(), Value::from(pkce));
    out.insert("pkce_plain".into(), Value::from(policy.pkce.supported && policy.pkce.methods.iter().any(|m| m == "plain")));
    out.insert("iss".into(), Value::from(policy.authorize.iss));
    out.insert("refresh_rotation".into(), Value::from(policy.refresh.rotation == Rotation::Always));
    out.insert("par_required".into(), Value::from(policy.par.required));
    out.insert("consent".into(), Value::from(policy.pages.consent != Consent::Never));
    out.insert("openid".into(), Value::from(policy.id_token.issue));
    out
}

/// A client of a realm, as the runner sees clients: with the grants that are on offer only. `None` where its way of authentication
/// is not on offer, so that nobody would have registered it.
pub(super) fn client(client: &MockClient, policy: &Policy) -> Option<Client> {
    if !policy.client_auth.methods.contains(&client.auth_method) {
        return None;
    }
    // A server that wants a scope with every request has to be told: what a configuration does with `extra = { token = … }`.
    let extra_token = if policy.scope.required { vec![("scope".to_owned(), client.scopes.join(" "))] } else { Vec::new() };
    Some(Client {
        name: client.client_id.clone(),
        client_id: client.client_id.clone(),
        client_secret: client.client_secret.clone(),
        auth_method: AuthMethod::parse(&client.auth_method).unwrap_or(AuthMethod::None),
        redirect_uris: client.redirect_uris.clone(),
        grant_types: client.grant_types.iter().filter(|grant| policy.grants().contains(grant)).cloned().collect(),
        scopes: client.scopes.clone(),
        kind: match client.kind {
            MockKind::Web => ClientKind::Web,
            MockKind::Native => ClientKind::Native,
        },
        may_introspect: client.may_introspect,
        extra_authorize: Vec::new(),
        extra_token,
        management: None,
        start_url: None,
    })
}
