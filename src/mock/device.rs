//! Device authorization (RFC 8628): the endpoint that hands out the codes, and the grant that redeems a device code. The page on
//! which the user answers is in `verification`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::MockClient;
use super::call::{Call, Fields};
use super::client_auth;
use super::code_grant::may_come_again;
use super::decision::{Cache, Decision, Outcome, Tokens};
use super::issue::{self, Authority};
use super::scope;
use super::state::{Device, Noted, Said, State, Used};
use super::token::{self, Grant, Trail, cause_of};
use crate::policy::{DeviceDecision, FastPolling, Policy, TokenCause, Unknown};

/// The grant type (RFC 8628 section 3.4).
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The parameters that the device authorization endpoint knows.
const KNOWN: [&str; 7] =
    ["client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "resource", "audience"];

/// How often another user code is tried where one is taken.
const TRIES: usize = 8;

/// Whether the grant is on offer, and with it the endpoint and the page.
pub(super) fn is_offered(policy: &Policy) -> bool {
    policy.token.grants.iter().any(|grant| grant == GRANT)
}

/// Decides about a device authorization request (RFC 8628 section 3.1).
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    if !is_offered(policy) {
        return Decision::new(Outcome::NotFound);
    }
    let mut client = None;
    let cache = if policy.device.no_store { Cache::NoStore } else { Cache::Public };
    let outcome = match codes(call, policy, state, &mut client) {
        Ok(body) => Outcome::Json { status: 200, body, cache },
        Err(cause) => token::refusal(call, cause, policy.device.get),
    };
    Decision::new(outcome).client(client)
}

/// The device authorization response (RFC 8628 section 3.2).
fn codes(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    named: &mut Option<String>,
) -> Result<Map<String, Value>, TokenCause> {
    let (fields, query) = token::read(call, policy, policy.device.get)?;
    *named = fields.get("client_id").map(str::to_owned);
    if policy.device.unknown == Unknown::Refuse && fields.has_others(&KNOWN) {
        return Err(TokenCause::UnknownParameter);
    }
    let client = client(call, &fields, query.as_ref(), policy, state)?;
    *named = Some(client.client_id.clone());
    if policy.token.check_registered_grants && !client.may_use(GRANT) {
        return Err(TokenCause::ForbiddenGrantType);
    }
    let asked = fields.get("scope");
    let scope = scope::resolve(asked, &client, &policy.scope).map_err(cause_of)?;
    let settings = &policy.device;
    let device_code = state.random.made_of(&settings.source, "device_code", settings.length, call.now);
    let user_code = new_user_code(policy, state);
    let device = Device {
        grant: state.new_grant(),
        client: client.client_id.clone(),
        scope,
        asked_scope: asked.map(str::to_owned),
        user_code: user_code.clone(),
        said: None,
        expires: call.now + Duration::from_secs(settings.lifetime),
        polled: settings.first_poll_waits.then_some(call.now),
        interval: Duration::from_secs(settings.interval),
        used: None,
    };
    state.add_device(device_code.clone(), plain(&user_code), device);
    Ok(response(call, policy, &device_code, &user_code))
}

fn response(call: &Call<'_>, policy: &Policy, device_code: &str, user_code: &str) -> Map<String, Value> {
    let settings = &policy.device;
    let page = call.url(&policy.paths.device);
    let with_code = format!("{page}?user_code={user_code}");
    let mut body = Map::new();
    body.insert("device_code".into(), json!(device_code));
    body.insert("user_code".into(), json!(user_code));
    body.insert("verification_uri".into(), json!(if settings.code_in_uri { &with_code } else { &page }));
    if settings.complete {
        body.insert("verification_uri_complete".into(), json!(with_code));
    }
    body.insert("expires_in".into(), json!(settings.lifetime));
    if settings.interval_member {
        body.insert("interval".into(), json!(settings.interval));
    }
    body
}

/// The client that asks, authenticated as at the token endpoint (RFC 8628 section 3.1).
fn client(
    call: &Call<'_>,
    fields: &Fields,
    query: Option<&Fields>,
    policy: &Policy,
    state: &State,
) -> Result<Arc<MockClient>, TokenCause> {
    let found = client_auth::authenticate(call, fields, query, Some(GRANT), &policy.client_auth, state);
    if policy.device.authenticate {
        return found;
    }
    found.or_else(|cause| {
        let header = call.request.headers.get("authorization");
        let by_header = header.and_then(|value| client_auth::basic(&value, &policy.client_auth)).map(|(id, _)| id);
        let named = by_header.or_else(|| fields.get("client_id").map(str::to_owned));
        named.and_then(|id| state.client(&id)).ok_or(cause)
    })
}

/// A user code that no other device has, as far as the policy lets them differ.
fn new_user_code(policy: &Policy, state: &mut State) -> String {
    let settings = &policy.device;
    let mut code = String::new();
    for _ in 0..TRIES {
        code =
            state.random.picked(&settings.user_code_source, "user_code", &settings.user_code_alphabet, settings.user_code_length);
        if state.device_of(&plain(&code)).is_none() {
            break;
        }
    }
    grouped(&code, settings.user_code_group)
}

fn grouped(code: &str, group: usize) -> String {
    if group == 0 {
        return code.to_owned();
    }
    let characters: Vec<char> = code.chars().collect();
    characters.chunks(group).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A user code without its punctuation, in capitals (RFC 8628 section 6.1).
pub(super) fn plain(code: &str) -> String {
    code.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Tokens for a device code (RFC 8628 section 3.4), or why there are none yet.
pub(super) fn redeem(request: &Grant<'_>, state: &mut State, trail: &mut Trail) -> Result<Tokens, TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    let settings = &policy.device;
    let value = fields.get("device_code").ok_or(TokenCause::MissingDeviceCode)?;
    let device = state.device(value).cloned().ok_or(TokenCause::UnknownDeviceCode)?;
    if settings.bound_to_client && device.client != client.client_id {
        return Err(TokenCause::ForeignDeviceCode);
    }
    if let Some(used) = &device.used
        && !may_come_again(used, &client.client_id, call.now, settings.reuse, settings.grace)
    {
        return Err(TokenCause::UsedDeviceCode);
    }
    if settings.check_expiry && call.now >= device.expires {
        return Err(TokenCause::ExpiredDeviceCode);
    }
    let (user, auth_time) = match granted(request, &device) {
        Ok(Some(by)) => by,
        Ok(None) => return Err(keep_waiting(request, value, &device, state)),
        Err(cause) => return Err(cause),
    };
    trail.user = Some(user.clone());
    let used = Used { at: call.now, client: client.client_id.clone() };
    trail.note(state, Noted::Device(value.to_owned()), used, settings.commit_delay_ms);
    let by = Authority {
        grant: device.grant,
        client: client.client_id.clone(),
        user: Some(user),
        auth_time: Some(auth_time),
        resource: None,
    };
    let scope = if settings.keep_scope { device.scope } else { client.scopes.iter().cloned().collect() };
    let access = issue::access(call, policy, state, &by, &scope);
    let gets_refresh = issue::gets_refresh(client, &scope, policy);
    let refresh = gets_refresh.then(|| issue::refresh(policy, state, &by, &scope, call.now));
    let id_token = issue::id_token(call, policy, state, &by, &scope, None);
    Ok(Tokens { access, refresh, scope: scope::member(device.asked_scope.as_deref(), &scope, &policy.scope), id_token })
}

/// In whose name tokens are issued, if the user has said so.
fn granted(request: &Grant<'_>, device: &Device) -> Result<Option<(String, Duration)>, TokenCause> {
    let Grant { call, policy, .. } = *request;
    let decision = policy.device.decision;
    match &device.said {
        Some(Said::Approved { .. }) if decision == DeviceDecision::ApprovalIgnored => Ok(None),
        Some(Said::Approved { user, auth_time }) => Ok(Some((user.clone(), *auth_time))),
        Some(Said::Denied { .. }) if decision == DeviceDecision::DenialIgnored => Ok(None),
        Some(Said::Denied { user }) if decision == DeviceDecision::DenialApproves => Ok(Some((user.clone(), call.now))),
        Some(Said::Denied { .. }) => Err(TokenCause::DeviceDenied),
        None if decision == DeviceDecision::NotAwaited => {
            Ok(call.realm.first_user().map(|user| (user.username.clone(), call.now)))
        }
        None => Ok(None),
    }
}

/// The answer to a poll that comes before the user's (RFC 8628 section 3.5).
fn keep_waiting(request: &Grant<'_>, value: &str, device: &Device, state: &mut State) -> TokenCause {
    let Grant { call, policy, .. } = *request;
    let settings = &policy.device;
    let fast = device.polled.is_some_and(|polled| call.now < polled + device.interval);
    if fast && settings.fast_polling == FastPolling::Drop {
        state.drop_device(value);
        return TokenCause::UnknownDeviceCode;
    }
    let slow_down = fast && settings.fast_polling == FastPolling::SlowDown;
    if let Some(device) = state.device_mut(value) {
        device.polled = Some(call.now);
        if slow_down {
            device.interval += Duration::from_secs(settings.raise);
        }
    }
    if slow_down { TokenCause::SlowDown } else { TokenCause::AuthorizationPending }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_are_grouped_and_stripped() {
        assert_eq!(grouped("BCDFGHJKL", 4), "BCDF-GHJK-L");
        assert_eq!(grouped("BCDF", 0), "BCDF");
        assert_eq!(plain(" bcdf-ghjk "), "BCDFGHJK");
    }
}
