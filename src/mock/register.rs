//! Dynamic client registration (RFC 7591) and its management: read and delete (RFC 7592). What is registered of the metadata that a
//! client sends is `client_metadata`'s.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::bearer;
use super::call::Call;
use super::client_metadata::{self, Fault};
use super::decision::{Cache, Decision, Outcome};
use super::state::State;
use super::{ClientKind, MockClient};
use crate::policy::{BearerCause, Policy, RegistrationCause};

/// Decides about a registration request.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let settings = &policy.registration;
    if !settings.open {
        return Decision::new(Outcome::NotFound);
    }
    if call.request.method != "POST" {
        return refused(Fault { cause: RegistrationCause::Method, detail: String::new() });
    }
    let presented = bearer::presented(call.request);
    if !settings.initial_token.is_empty() && presented.as_deref() != Some(settings.initial_token.as_str()) {
        return unauthorized(presented.is_some());
    }
    let client = match client_metadata::read(call, policy, state) {
        Ok(client) => provisioned(client, policy, state, call.now),
        Err(fault) => return refused(fault),
    };
    let source = &settings.token_source;
    let token = settings.management.then(|| state.random.made_of(source, "registration", 43, call.now));
    let body = describe(call, &client, token.as_deref(), call.now, policy);
    let id = client.client_id.clone();
    state.register(client, token, call.now);
    Decision::json(201, body, Cache::NoStore).client(id)
}

/// Decides about a request to a client's own registration.
pub(super) fn manage(call: &Call<'_>, id: &str, policy: &Policy, state: &mut State) -> Decision {
    let settings = &policy.registration;
    if !settings.management {
        return Decision::new(Outcome::NotFound);
    }
    let known = state.management(id).map(|(token, since)| (token.to_owned(), since));
    let presented = bearer::presented(call.request);
    let fits = |own: &str| match presented.as_deref() {
        _ if !settings.check_token => true,
        Some(token) => token == own || (!settings.bound_to_client && state.manages_any(token)),
        None => false,
    };
    let (Some((token, since)), Some(client)) = (known.filter(|(token, _)| fits(token)), state.client(id)) else {
        // RFC 7592 section 2.1: an unknown client is answered like a wrong token.
        return unauthorized(presented.is_some());
    };
    match call.request.method.as_str() {
        "GET" if settings.read => Decision::json(200, describe(call, &client, Some(&token), since, policy), Cache::NoStore),
        "DELETE" if settings.delete => {
            if settings.delete_removes {
                state.unregister(id);
            }
            if settings.delete_revokes {
                state.revoke_client(id);
            }
            Decision::new(Outcome::Empty(204))
        }
        _ => Decision::method(match (settings.read, settings.delete) {
            (true, false) => "GET",
            (false, true) => "DELETE",
            _ => "GET, DELETE",
        }),
    }
    .client(id.to_owned())
}

fn refused(fault: Fault) -> Decision {
    Decision::new(Outcome::RegistrationError { cause: fault.cause, detail: fault.detail })
}

fn unauthorized(presented: bool) -> Decision {
    let cause = if presented { BearerCause::UnknownToken } else { BearerCause::MissingToken };
    Decision::new(Outcome::BearerError { cause, scope: None })
}

/// The client with an identifier, and with a secret where it is to have one.
fn provisioned(client: MockClient, policy: &Policy, state: &mut State, now: Duration) -> MockClient {
    let settings = &policy.registration;
    let secret = (!client.is_public()).then(|| state.random.made_of(&settings.secret_source, "client_secret", 43, now));
    let expires = (secret.is_some() && settings.secret_lifetime > 0).then(|| now.as_secs() + settings.secret_lifetime);
    let client_id = format!("dyn-{}", state.random.made_of(&settings.id_source, "client_id", 16, now));
    MockClient { client_id, client_secret: secret, secret_expires: expires, ..client }
}

/// The client information response (RFC 7591 section 3.2.1).
fn describe(
    call: &Call<'_>,
    client: &MockClient,
    management: Option<&str>,
    issued_at: Duration,
    policy: &Policy,
) -> Map<String, Value> {
    let settings = &policy.registration;
    let mut body = Map::new();
    body.insert("client_id".into(), json!(client.client_id));
    body.insert("client_id_issued_at".into(), json!(issued_at.as_secs()));
    if let Some(secret) = &client.client_secret {
        body.insert("client_secret".into(), json!(secret));
        if settings.secret_expiry {
            body.insert("client_secret_expires_at".into(), json!(client.secret_expires.unwrap_or(0)));
        }
    }
    if let Some(token) = management {
        body.insert("registration_access_token".into(), json!(token));
        body.insert(
            "registration_client_uri".into(),
            json!(call.url(&format!("{}/{}", policy.paths.register, client.client_id))),
        );
    }
    if !settings.echo {
        return body;
    }
    body.insert("redirect_uris".into(), json!(client.redirect_uris));
    body.insert("grant_types".into(), json!(client.grant_types));
    if client.may_use("authorization_code") {
        body.insert("response_types".into(), json!(["code"]));
    }
    body.insert("token_endpoint_auth_method".into(), json!(client.auth_method));
    body.insert("application_type".into(), json!(if client.kind == ClientKind::Native { "native" } else { "web" }));
    body.insert("scope".into(), json!(client.scopes.join(" ")));
    if client.require_par {
        body.insert("require_pushed_authorization_requests".into(), json!(true));
    }
    body.extend(client.metadata.clone());
    body
}
