//! Dynamic client registration (RFC 7591) and its management: read and delete (RFC 7592).

use serde_json::{Map, Value, json};
use url::Url;

use super::bearer;
use super::call::Call;
use super::decision::{Cache, Decision, Outcome};
use super::metadata;
use super::redirect_uri::Parts;
use super::state::State;
use super::{ClientKind, MockClient};
use crate::oauth::Scope;
use crate::policy::Policy;

/// Why a registration is refused (RFC 7591 section 3.2.2).
enum Fault {
    RedirectUri(String),
    Metadata(String),
}

/// Decides about a registration request.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    if !policy.registration.open {
        return Decision::new(Outcome::NotFound);
    }
    if call.request.method != "POST" {
        return Decision::method("POST");
    }
    match client(call, policy, state) {
        Ok(client) => {
            let token = policy.registration.management.then(|| state.random.secret("registration", 43));
            let id = client.client_id.clone();
            let body = describe(call, &client, token.as_deref(), call.now.as_secs());
            state.register(client, token, call.now);
            Decision::json(201, body, Cache::NoStore).client(id)
        }
        Err(Fault::RedirectUri(description)) => refused("invalid_redirect_uri", description),
        Err(Fault::Metadata(description)) => refused("invalid_client_metadata", description),
    }
}

/// Decides about a request to a client's own registration.
pub(super) fn manage(call: &Call<'_>, id: &str, policy: &Policy, state: &mut State) -> Decision {
    if !policy.registration.management {
        return Decision::new(Outcome::NotFound);
    }
    let known = state.management(id).map(|(token, since)| (token.to_owned(), since));
    let presented = bearer::presented(call.request);
    let right = known.as_ref().zip(presented.as_ref()).is_some_and(|((token, _), presented)| token == presented);
    let (Some((token, since)), Some(client), true) = (known, state.client(id), right) else {
        // RFC 7592 section 2.1: an unknown client is answered like a wrong token.
        let cause =
            if presented.is_some() { crate::policy::BearerCause::UnknownToken } else { crate::policy::BearerCause::MissingToken };
        return Decision::new(Outcome::BearerError { cause, scope: None });
    };
    match call.request.method.as_str() {
        "GET" => Decision::json(200, describe(call, &client, Some(&token), since.as_secs()), Cache::NoStore),
        "DELETE" => {
            state.unregister(id);
            Decision::new(Outcome::Empty(204))
        }
        _ => Decision::method("GET, DELETE"),
    }
    .client(id.to_owned())
}

fn refused(error: &'static str, description: String) -> Decision {
    Decision::new(Outcome::Problem { status: 400, error, description, allow: None })
}

/// The client that the metadata describe.
fn client(call: &Call<'_>, policy: &Policy, state: &mut State) -> Result<MockClient, Fault> {
    let wrong = |text: &str| Fault::Metadata(text.to_owned());
    if call.media_type() != "application/json" {
        return Err(wrong("send application/json"));
    }
    let document: Value = serde_json::from_slice(&call.request.body).map_err(|_| wrong("the body is no JSON"))?;
    let members = document.as_object().ok_or_else(|| wrong("the body is no JSON object"))?;
    let auth_method = text(members, "token_endpoint_auth_method")?.unwrap_or("client_secret_basic").to_owned();
    if !policy.client_auth.methods.contains(&auth_method) {
        return Err(wrong("this token_endpoint_auth_method is not supported"));
    }
    let grant_types = list(members, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".into()]);
    if !grant_types.iter().all(|grant| policy.grants().contains(grant) || grant == "implicit") {
        return Err(wrong("one of grant_types is not supported"));
    }
    let response_types = list(members, "response_types")?;
    if response_types.iter().flatten().any(|kind| !policy.response_types().contains(kind)) {
        return Err(wrong("one of response_types is not supported"));
    }
    let kind = match text(members, "application_type")? {
        None | Some("web") => ClientKind::Web,
        Some("native") => ClientKind::Native,
        Some(_) => return Err(wrong("application_type is web or native")),
    };
    let redirect_uris = list(members, "redirect_uris")?.unwrap_or_default();
    if redirect_uris.is_empty() && grant_types.iter().any(|grant| matches!(grant.as_str(), "authorization_code" | "implicit")) {
        return Err(Fault::RedirectUri("this client needs redirect_uris".into()));
    }
    for uri in &redirect_uris {
        check_redirect_uri(uri, kind)?;
    }
    let known = metadata::scopes(state);
    let scopes = match text(members, "scope")? {
        None => known,
        Some(scope) => Scope::parse(scope).map_err(|_| wrong("scope is malformed"))?.iter().map(str::to_owned).collect(),
    };
    let secret = (auth_method != "none").then(|| state.random.secret("client_secret", 43));
    let client_id = format!("dyn-{}", state.random.secret("client_id", 16));
    Ok(MockClient {
        client_id,
        client_secret: secret,
        auth_method,
        redirect_uris,
        grant_types,
        scopes,
        kind,
        may_introspect: false,
    })
}

/// RFC 6749 section 3.1.2: absolute, without a fragment. RFC 9700 section 2.6: no plain http, but to a loopback address.
fn check_redirect_uri(uri: &str, kind: ClientKind) -> Result<(), Fault> {
    let wrong = |why: &str| Err(Fault::RedirectUri(format!("a redirect URI {why}")));
    let parts = Parts::of(uri);
    let scheme = parts.scheme.to_ascii_lowercase();
    if Url::parse(uri).is_err() || uri.bytes().any(|byte| !(0x21..=0x7E).contains(&byte)) {
        return wrong("is not absolute");
    }
    if parts.fragment.is_some() {
        return wrong("has a fragment");
    }
    match scheme.as_str() {
        "https" if !parts.host.is_empty() => Ok(()),
        "http" if parts.is_loopback() => Ok(()),
        "http" => wrong("uses http without being a loopback address"),
        // RFC 8252 section 7.1: schemes of native applications hold a domain name in reverse order.
        scheme if kind == ClientKind::Native && scheme.contains('.') => Ok(()),
        _ => wrong("has a scheme that is not allowed"),
    }
}

/// The client information response (RFC 7591 section 3.2.1).
fn describe(call: &Call<'_>, client: &MockClient, management: Option<&str>, issued_at: u64) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("client_id".into(), json!(client.client_id));
    body.insert("client_id_issued_at".into(), json!(issued_at));
    if let Some(secret) = &client.client_secret {
        body.insert("client_secret".into(), json!(secret));
        body.insert("client_secret_expires_at".into(), json!(0));
    }
    if let Some(token) = management {
        body.insert("registration_access_token".into(), json!(token));
        body.insert("registration_client_uri".into(), json!(call.url(&format!("register/{}", client.client_id))));
    }
    body.insert("redirect_uris".into(), json!(client.redirect_uris));
    body.insert("grant_types".into(), json!(client.grant_types));
    if client.may_use("authorization_code") {
        body.insert("response_types".into(), json!(["code"]));
    }
    body.insert("token_endpoint_auth_method".into(), json!(client.auth_method));
    body.insert("application_type".into(), json!(if client.kind == ClientKind::Native { "native" } else { "web" }));
    body.insert("scope".into(), json!(client.scopes.join(" ")));
    body
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Fault> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::Metadata(format!("{name} is no string"))),
    }
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Fault> {
    let wrong = || Fault::Metadata(format!("{name} is no list of strings"));
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong));
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}
