//! Where sessions end (OpenID Connect RP-Initiated Logout 1.0), and the dialects of it.

use std::sync::Arc;

use serde_json::Value;

use super::MockClient;
use super::call::{Call, Fields};
use super::decision::{Decision, Outcome, Page};
use super::interaction;
use super::state::State;
use crate::oauth::encoding::from_base64url;
use crate::oauth::{Params, encoding};
use crate::policy::{AuthorizeCause, Policy, Repeated};

/// Decides about a request to end a session.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let settings = &policy.end_session;
    if !settings.enabled {
        return Decision::new(Outcome::NotFound);
    }
    let encoded = match call.request.method.as_str() {
        "GET" => call.request.query().unwrap_or("").as_bytes(),
        "POST" if settings.post => &call.request.body,
        _ => return wrong_method(policy),
    };
    let Ok(fields) = Fields::new(Params::parse_lossy(encoded), Repeated::First, true) else {
        return super::authorize::page(AuthorizeCause::Malformed, policy);
    };
    let client = client(call, &fields, policy, state);
    let named = client.as_ref().map(|client| client.client_id.clone());
    let decision = match destination(&fields, client.as_deref(), policy) {
        Some(uri) => leave(&uri, fields.get("state").filter(|_| settings.state)),
        None if settings.login_again => login_again(call, &fields, client.as_deref(), policy),
        None => {
            let text = "You are signed out. You can close this page.";
            Decision::new(Outcome::Page(Page::Notice { title: "Signed out", text }))
        }
    };
    let user = interaction::session(call, policy, state).map(|session| session.user);
    interaction::end_session(call, policy, state);
    let gone = interaction::set_cookie(call, policy, &policy.pages.session_cookie, "", "; Max-Age=0");
    decision.client(named).user(user).cookie(gone)
}

fn wrong_method(policy: &Policy) -> Decision {
    let mut decision = super::authorize::page(AuthorizeCause::Method, policy);
    if let Outcome::Page(Page::Error { allow, .. }) = &mut decision.outcome {
        *allow = Some(if policy.end_session.post { "GET, POST" } else { "GET" });
    }
    decision
}

/// The client that asks: by its identifier, or as the one for which the ID token was made.
fn client(call: &Call<'_>, fields: &Fields, policy: &Policy, state: &State) -> Option<Arc<MockClient>> {
    let hinted = || {
        let hint = fields.get("id_token_hint").filter(|_| policy.end_session.id_token_hint)?;
        let claims: Value = serde_json::from_slice(&from_base64url(hint.split('.').nth(1)?)?).ok()?;
        let own = claims["iss"].as_str() == Some(&call.realm.issuer);
        claims["aud"].as_str().filter(|_| own).map(str::to_owned)
    };
    state.client(&fields.get("client_id").map(str::to_owned).or_else(hinted)?)
}

/// Where the user goes afterwards, if the client has registered that.
fn destination(fields: &Fields, client: Option<&MockClient>, policy: &Policy) -> Option<String> {
    let asked = fields.get(&policy.end_session.return_parameter)?;
    let registered = client.and_then(|client| client.metadata.get("post_logout_redirect_uris")).and_then(Value::as_array);
    let known = registered.is_some_and(|uris| uris.iter().any(|uri| uri.as_str() == Some(asked)));
    (known || !policy.end_session.check_return).then(|| asked.to_owned())
}

fn leave(uri: &str, state: Option<&str>) -> Decision {
    let url = match state {
        Some(state) => format!("{uri}{}state={}", if uri.contains('?') { '&' } else { '?' }, encoding::form(state)),
        None => uri.to_owned(),
    };
    Decision::new(Outcome::Continue { url, status: 302 })
}

/// On to the login page, with the parameters of an authorization request.
fn login_again(call: &Call<'_>, fields: &Fields, client: Option<&MockClient>, policy: &Policy) -> Decision {
    let Some(client) = client else {
        let named = fields.get("client_id").is_some();
        let cause = if named { AuthorizeCause::UnknownClient } else { AuthorizeCause::MissingClient };
        return super::authorize::page(cause, policy);
    };
    if fields.get("redirect_uri").is_none() || fields.get("response_type").is_none() {
        return super::authorize::page(AuthorizeCause::MissingRedirectUri, policy);
    }
    let mut query = Params::new();
    for name in ["client_id", "redirect_uri", "response_type", "state", "nonce"] {
        if let Some(value) = fields.get(name) {
            query.push(name, value);
        }
    }
    query.push("scope", fields.get("scope").map_or_else(|| client.scopes.join(" "), str::to_owned));
    let url = format!("{}?{}", call.url(&policy.paths.login), query.encode());
    Decision::new(Outcome::Continue { url, status: 302 })
}
