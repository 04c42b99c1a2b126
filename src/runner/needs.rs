//! Whether a target offers what a scenario needs, and which of its clients play in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ground::{Ground, NoGround};
use super::result::SkipCode;
use crate::scenario::{ClientNeed, DEVICE_GRANT, Needs, Scenario};
use crate::target::{AuthMethod, Client, ClientKind, Target, Wanted};
use crate::wire::Wire;

/// Whether the target offers all of it.
///
/// # Errors
/// The first thing that is missing, with the evidence.
pub(super) fn of_scenario(needs: &Needs, target: &Target) -> Result<(), (SkipCode, String)> {
    for grant in &needs.grant {
        if !offers_grant(target, grant) {
            return Err((SkipCode::NotOffered, format!("grant {grant} is neither announced nor registered for a client")));
        }
    }
    for endpoint in &needs.endpoint {
        if target.endpoints.get(endpoint).is_none() {
            return Err((SkipCode::NotOffered, format!("no {endpoint} endpoint in metadata or configuration")));
        }
    }
    for feature in &needs.feature {
        if !has_feature(target, feature) {
            return Err((
                SkipCode::NotOffered,
                if target.claims_only {
                    format!("feature {feature} is not claimed in [client.features]")
                } else {
                    format!("feature {feature} is neither announced nor claimed in [server.features]")
                },
            ));
        }
    }
    if let Some(least) = needs.users.filter(|least| target.users.len() < *least) {
        return Err((SkipCode::NotConfigured, format!("needs {least} users; {} configured", target.users.len())));
    }
    if let Some(least) = needs.issuers.filter(|least| *least > 1 && !has_feature(target, "issuers")) {
        return Err((SkipCode::NotConfigured, format!("needs {least} issuers")));
    }
    if needs.tokens.as_deref().is_some_and(|format| format != "jwt") {
        return Err((SkipCode::NotOffered, "only JWT access tokens can be asked for".into()));
    }
    Ok(())
}

/// The client that a `register` step asks for: any that can use the authorization code grant.
pub(super) fn wanted_by_step(step: &str, scenario: &Scenario, target: &Target) -> Result<Wanted, NoGround> {
    let need = ClientNeed { grant: vec!["authorization_code".into()], ..ClientNeed::default() };
    wanted(&step.replace('_', "-"), &need, scenario, target)
}

/// Whether a feature is announced by metadata or claimed by the configuration.
pub(super) fn has_feature(target: &Target, feature: &str) -> bool {
    let claimed = |name: &str| target.features.get(name).is_some_and(is_yes);
    let pkce = target.features.get("pkce").and_then(Value::as_str);
    let methods = target.metadata.as_ref().and_then(|m| m.get("code_challenge_methods_supported")).and_then(Value::as_array);
    if target.claims_only {
        return claimed(feature);
    }
    match feature {
        "metadata" => target.metadata.is_some(),
        "registration" => target.endpoints.registration.is_some(),
        "pkce" => pkce.map_or(methods.is_some_and(|m| !m.is_empty()), |word| word != "none"),
        "pkce_plain" => claimed(feature) || methods.is_some_and(|m| m.iter().any(|method| method == "plain")),
        "par_required" => target.requires_push(),
        "pkce_required" => matches!(pkce, Some("required" | "public")),
        "pkce_optional" => !matches!(pkce, Some("required")),
        "iss" => {
            let announced = target.metadata.as_ref().and_then(|m| m.get("authorization_response_iss_parameter_supported"));
            announced.map_or(claimed(feature), is_yes)
        }
        "openid" => {
            let scopes = target.metadata.as_ref().and_then(|m| m.get("scopes_supported")).and_then(Value::as_array);
            let announced = scopes.is_some_and(|s| s.iter().any(|scope| scope == "openid"));
            announced || claimed(feature) || target.clients.iter().any(|c| c.scopes.iter().any(|scope| scope == "openid"))
        }
        other => claimed(other),
    }
}

/// Chooses among the configured clients, a different one for each name as far as there are enough.
pub(super) fn choose_clients(scenario: &Scenario, target: &Target) -> Result<BTreeMap<String, Client>, NoGround> {
    let mut chosen: Vec<&Client> = Vec::new();
    if !assign(&scenario.clients, target, &mut chosen, &scenario.clients) {
        let wanted: Vec<String> = scenario.clients.iter().map(|(name, need)| format!("{name}: {}", describe(need))).collect();
        return Err(NoGround::Skip(SkipCode::NoClient, format!("no configured client fits ({})", wanted.join("; "))));
    }
    if let Some(least) = scenario.needs.clients.filter(|least| target.clients.len() < *least) {
        return Err(NoGround::Skip(SkipCode::NoClient, format!("needs {least} clients; {} configured", target.clients.len())));
    }
    if let Some(least) = scenario.needs.scopes.filter(|least| chosen.first().is_some_and(|c| c.scopes.len() < *least)) {
        return Err(NoGround::Skip(SkipCode::NoClient, format!("needs a client with {least} scopes")));
    }
    Ok(scenario.clients.iter().map(|(name, _)| name.clone()).zip(chosen.into_iter().cloned()).collect())
}

/// Registers a client of its own for each name (RFC 7591).
pub(super) async fn register_clients(
    scenario: &Scenario,
    ground: &Ground,
    wire: &Wire,
    scopes: &[String],
) -> Result<BTreeMap<String, Client>, NoGround> {
    let target = &ground.target;
    let mut out = BTreeMap::new();
    for (name, need) in &scenario.clients {
        let mut wanted = wanted(name, need, scenario, target)?;
        if !scopes.is_empty() {
            wanted.scopes = scopes.to_vec();
        }
        if let Some(scope) = need.scope.as_ref().filter(|scope| !wanted.scopes.contains(scope)) {
            return Err(NoGround::Skip(SkipCode::NotOffered, format!("the server does not announce the scope {scope}")));
        }
        match crate::target::register(wire, target, &wanted).await {
            Ok((client, _)) => {
                let mut client = client;
                client.name.clone_from(name);
                client.may_introspect = client.client_secret.is_some();
                // OpenID Connect Core section 11: the server leaves `offline_access` out of the scope unless consent is asked for.
                if ["openid", "offline_access"].iter().all(|scope| client.scopes.iter().any(|s| s == scope)) {
                    client.extra_authorize.push(("prompt".into(), "consent".into()));
                }
                ground.keep(client.clone());
                out.insert(name.clone(), client);
            }
            Err(error) => {
                return Err(NoGround::Skip(
                    SkipCode::NoClient,
                    format!("registration of a client ({}) failed: {error}", describe(need)),
                ));
            }
        }
    }
    Ok(out)
}

fn assign<'t>(
    rest: &[(String, ClientNeed)],
    target: &'t Target,
    chosen: &mut Vec<&'t Client>,
    all: &[(String, ClientNeed)],
) -> bool {
    let Some(((_, need), rest)) = rest.split_first() else { return true };
    let other = need.differs_from.as_ref().and_then(|other| all.iter().position(|(name, _)| name == other));
    let taken: Vec<String> = chosen.iter().map(|client| client.client_id.clone()).collect();
    let must_differ = |client: &Client| other.and_then(|at| taken.get(at)).is_none_or(|id| *id != client.client_id);
    let mut candidates: Vec<&Client> = target.clients.iter().filter(|client| fits(need, client) && must_differ(client)).collect();
    candidates.sort_by_key(|client| taken.contains(&client.client_id));
    for client in candidates {
        chosen.push(client);
        if assign(rest, target, chosen, all) {
            return true;
        }
        chosen.pop();
    }
    false
}

fn fits(need: &ClientNeed, client: &Client) -> bool {
    let auth = need.auth.as_deref().is_none_or(|auth| match auth {
        "secret" => client.auth_method != AuthMethod::None,
        "basic" => client.auth_method == AuthMethod::Basic,
        "post" => client.auth_method == AuthMethod::Post,
        _ => client.auth_method == AuthMethod::None,
    });
    let grants = need.grant.iter().all(|grant| client.grant_types.contains(grant));
    let lacks = need.lacks_grant.as_ref().is_none_or(|grant| !client.grant_types.contains(grant));
    let kind = need.kind.as_deref().is_none_or(|kind| (kind == "native") == (client.kind == ClientKind::Native));
    let introspects = !need.may_introspect || client.may_introspect;
    let uris = need.redirect_uris.is_none_or(|least| client.redirect_uris.len() >= least);
    let in_front = need.grant.iter().any(|grant| grant == "authorization_code" || grant == "implicit");
    let redirects = !in_front || !client.redirect_uris.is_empty();
    let scopes = need.scopes.is_none_or(|least| client.scopes.len() >= least);
    let query = !need.redirect_query || client.redirect_uris.first().is_some_and(|uri| uri.contains('?'));
    let scope = need.scope.as_ref().is_none_or(|scope| client.scopes.contains(scope));
    auth && grants && lacks && kind && introspects && uris && redirects && scopes && scope && query
}

fn wanted(name: &str, need: &ClientNeed, scenario: &Scenario, target: &Target) -> Result<Wanted, NoGround> {
    let auth_method = registrable_method(need, target)?;
    let native = need.kind.as_deref() == Some("native");
    let known = ["authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT];
    let mut grant_types: Vec<String> = known.map(str::to_owned).to_vec();
    grant_types.retain(|grant| {
        let named = need.grant.contains(grant) || grant == "authorization_code";
        let usual = grant == "refresh_token" && offers_grant(target, grant);
        (named || usual) && need.lacks_grant.as_ref() != Some(grant)
    });
    let old = need.grant.iter().filter(|grant| matches!(grant.as_str(), "implicit" | "password"));
    grant_types.extend(old.cloned());
    let host = format!("{name}.{}.example", scenario.id.rsplit('/').next().unwrap_or("client"));
    let redirect_uris = if native {
        vec!["http://127.0.0.1/callback".to_owned()]
    } else {
        let count = need.redirect_uris.unwrap_or(1).max(1);
        let query = if need.redirect_query { "?tenant=1" } else { "" };
        let path = |n: usize| if n == 1 { format!("/callback{query}") } else { format!("/callback/{n}") };
        (1..=count).map(|n| format!("https://{host}{}", path(n))).collect()
    };
    let kind = if native { ClientKind::Native } else { ClientKind::Web };
    Ok(Wanted { name: name.to_owned(), auth_method, redirect_uris, grant_types, scopes: registrable_scopes(target), kind })
}

fn registrable_method(need: &ClientNeed, target: &Target) -> Result<AuthMethod, NoGround> {
    let announced =
        target.metadata.as_ref().and_then(|m| m.get("token_endpoint_auth_methods_supported")).and_then(Value::as_array);
    let offered = |method: AuthMethod| match announced {
        Some(list) => list.iter().any(|name| name == method.name()),
        // RFC 8414 section 2: left out means client_secret_basic.
        None => method == AuthMethod::Basic,
    };
    let candidates: &[AuthMethod] = match need.auth.as_deref() {
        Some("basic") => &[AuthMethod::Basic],
        Some("post") => &[AuthMethod::Post],
        Some("none") => &[AuthMethod::None],
        Some(_) => &[AuthMethod::Basic, AuthMethod::Post],
        None => &[AuthMethod::Basic, AuthMethod::Post, AuthMethod::None],
    };
    candidates.iter().copied().find(|method| offered(*method)).ok_or_else(|| {
        let names: Vec<&str> = candidates.iter().map(|method| method.name()).collect();
        NoGround::Skip(SkipCode::NotOffered, format!("the server announces none of {}", names.join(", ")))
    })
}

/// The usual scopes that the server announces: enough to have several, few enough not to ask for too much.
fn registrable_scopes(target: &Target) -> Vec<String> {
    const USUAL: [&str; 4] = ["openid", "offline_access", "profile", "email"];
    let announced = target.metadata.as_ref().and_then(|m| m.get("scopes_supported")).and_then(Value::as_array);
    let Some(announced) = announced else { return Vec::new() };
    let names: Vec<&str> = announced.iter().filter_map(Value::as_str).collect();
    let usual: Vec<String> = USUAL.iter().filter(|scope| names.contains(scope)).map(|&scope| scope.to_owned()).collect();
    if usual.is_empty() { names.iter().take(2).map(|&scope| scope.to_owned()).collect() } else { usual }
}

fn offers_grant(target: &Target, grant: &str) -> bool {
    let announced = target.metadata.as_ref().and_then(|m| m.get("grant_types_supported")).and_then(Value::as_array);
    let registered = target.clients.iter().any(|client| client.grant_types.iter().any(|g| g == grant));
    // Without the member RFC 8414 section 2 means authorization_code and implicit; that alone is no announcement of others.
    let by_default = target.clients.is_empty() && announced.is_none() && grant == "authorization_code";
    registered || by_default || announced.is_some_and(|list| list.iter().any(|g| g == grant) && target.clients.is_empty())
}

fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(word) => !matches!(word.as_str(), "" | "none" | "no" | "false"),
        _ => false,
    }
}

fn describe(need: &ClientNeed) -> String {
    let mut parts = Vec::new();
    parts.extend(need.auth.as_ref().map(|auth| format!("auth {auth}")));
    parts.extend(need.grant.iter().map(|grant| format!("grant {grant}")));
    parts.extend(need.lacks_grant.as_ref().map(|grant| format!("without grant {grant}")));
    parts.extend(need.kind.clone());
    parts.extend(need.may_introspect.then(|| "may introspect".to_owned()));
    parts.extend(need.redirect_query.then(|| "a redirect URI with a query".to_owned()));
    parts.extend(need.redirect_uris.map(|n| format!("{n} redirect URIs")));
    parts.extend(need.scopes.map(|n| format!("{n} scopes")));
    parts.extend(need.scope.as_ref().map(|scope| format!("scope {scope}")));
    parts.extend(need.differs_from.as_ref().map(|other| format!("another than {other}")));
    if parts.is_empty() { "any".into() } else { parts.join(", ") }
}
