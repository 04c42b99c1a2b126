//! Introspection endpoint (RFC 7662).

use serde_json::{Map, Value, json};

use super::call::Call;
use super::client_auth;
use super::decision::{Cache, Decision};
use super::issue;
use super::state::{State, Token, TokenKind};
use super::token;
use super::trust;
use crate::oauth::Compact;
use crate::policy::{Policy, Reuse, TokenCause};

/// Decides about an introspection request.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &State) -> Decision {
    if !policy.introspection.enabled {
        return Decision::new(super::decision::Outcome::NotFound);
    }
    let (mut client, mut user) = (None, None);
    match introspect(call, policy, state, &mut client, &mut user) {
        Ok(body) => Decision::json(200, body, Cache::NoStore),
        Err(cause) => Decision::new(token::refusal(call, cause, policy.introspection.get)),
    }
    .client(client)
    .user(user)
}

fn introspect(
    call: &Call<'_>,
    policy: &Policy,
    state: &State,
    client: &mut Option<String>,
    user: &mut Option<String>,
) -> Result<Map<String, Value>, TokenCause> {
    let settings = &policy.introspection;
    let (fields, query) = token::read(call, policy, settings.get)?;
    *client = fields.get("client_id").map(str::to_owned);
    if settings.authenticate {
        let found = client_auth::authenticate(call, &fields, query.as_ref(), None, &policy.client_auth, state)?;
        *client = Some(found.client_id.clone());
        if !found.may_introspect && !settings.anybody {
            return Err(TokenCause::MayNotIntrospect);
        }
    }
    let value = fields.get("token").ok_or(TokenCause::MissingToken)?;
    if state.token(value).is_none()
        && trust::takes(value, policy.access_token.trust, &call.realm.keys.current())
        && let Some(token) = Compact::parse(value)
    {
        let active = Map::from_iter([("active".to_owned(), Value::Bool(true))]);
        return Ok(active.into_iter().chain(token.claims).collect());
    }
    let Some(token) = state.token(value) else {
        let active = settings.codes && state.codes.get(value).is_some();
        let mut inactive = Map::from_iter([("active".to_owned(), Value::Bool(active))]);
        if !settings.unknown_reason.is_empty() {
            inactive.insert("reason".into(), json!(settings.unknown_reason));
        }
        return if settings.unknown_is_error { Err(TokenCause::UnknownToken) } else { Ok(inactive) };
    };
    user.clone_from(&token.user);
    let active = is_active(call, token, policy);
    let mut body = Map::from_iter([("active".to_owned(), Value::Bool(active))]);
    // RFC 7662 section 2.2: of an inactive token nothing more is told.
    if active || settings.inactive_details {
        describe(call, policy, token, &mut body);
    }
    Ok(body)
}

fn is_active(call: &Call<'_>, token: &Token, policy: &Policy) -> bool {
    let settings = &policy.introspection;
    let rotated = token.used.is_some() && policy.refresh.reuse != Reuse::Accept;
    let revoked = settings.check_revoked && (token.revoked || rotated);
    let expired = settings.check_expiry && call.now >= token.expires;
    !revoked && !expired
}

fn describe(call: &Call<'_>, policy: &Policy, token: &Token, body: &mut Map<String, Value>) {
    if !token.scope.is_empty() {
        body.insert("scope".into(), json!(token.scope.to_string()));
    }
    body.insert("client_id".into(), json!(token.client));
    if let Some(user) = &token.user {
        body.insert("username".into(), json!(user));
    }
    if token.kind == TokenKind::Access {
        body.insert("token_type".into(), json!("Bearer"));
        body.insert("aud".into(), json!(issue::audience(call, policy)));
    }
    body.insert("exp".into(), json!(token.expires.as_secs()));
    body.insert("iat".into(), json!(token.issued.as_secs()));
    body.insert("sub".into(), json!(call.realm.subject(token.user.as_deref(), &token.client)));
    body.insert("iss".into(), json!(call.realm.issuer));
}
