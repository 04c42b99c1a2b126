//! Pushed authorization requests (RFC 9126): the endpoint that takes them, and what becomes of `request_uri` at the authorization
//! endpoint.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use url::Url;

use super::MockClient;
use super::authorize::{self, Transaction};
use super::call::{Call, Fields};
use super::client_auth;
use super::decision::{Cache, Decision, Outcome};
use super::redirect_uri::{self, Destination, Parts};
use super::state::{Pushed, State};
use super::token;
use crate::policy::{AuthorizeCause, BesideRequestUri, NewRedirectUris, ParPolicy, Policy, Repeated, TokenCause, UsedUp};

/// What authenticates the client and is no part of the authorization request (RFC 9126 section 2.1).
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// Why a push is refused: in the words of the token endpoint, or in those of the authorization endpoint (RFC 9126 section 2.3).
enum Refusal {
    Request(TokenCause),
    Authorization(AuthorizeCause),
}

impl From<TokenCause> for Refusal {
    fn from(cause: TokenCause) -> Self {
        Self::Request(cause)
    }
}

impl From<AuthorizeCause> for Refusal {
    fn from(cause: AuthorizeCause) -> Self {
        Self::Authorization(cause)
    }
}

/// An authorization request as it counts: as it was sent, or as it was pushed before.
pub(super) struct Resolved {
    pub(super) fields: Fields,
    /// The `request_uri` under which it was pushed.
    pub(super) reference: Option<String>,
    /// A redirect URI that was allowed with the push though it is not registered.
    pub(super) new_redirect_uri: Option<Destination>,
}

/// Decides about a pushed authorization request.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    if !policy.par.enabled {
        return Decision::new(Outcome::NotFound);
    }
    let mut client = None;
    let outcome = match push(call, policy, state, &mut client) {
        Ok(body) => Outcome::Json { status: 201, body, cache: Cache::NoStore },
        Err(Refusal::Request(cause)) => token::refusal(call, cause, policy.par.get),
        Err(Refusal::Authorization(cause)) => Outcome::PushRefused(cause),
    };
    Decision::new(outcome).client(client)
}

/// Takes a request in (RFC 9126 section 2.1); the body of the answer.
fn push(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    seen: &mut Option<String>,
) -> Result<Map<String, serde_json::Value>, Refusal> {
    let settings = &policy.par;
    if call.request.body.len() as u64 > settings.max_bytes {
        return Err(TokenCause::TooLarge.into());
    }
    let (fields, query) = token::read(call, policy, settings.get)?;
    *seen = fields.get("client_id").map(str::to_owned);
    let client = if settings.authenticate {
        client_auth::authenticate(call, &fields, query.as_ref(), None, &policy.client_auth, state)?
    } else {
        claimed(call, &fields, policy, state)?
    };
    *seen = Some(client.client_id.clone());
    if state.pushes.is_beyond(&client.client_id, call.now, policy.par.max_per_minute) {
        return Err(TokenCause::TooMany.into());
    }
    if fields.sent("request_uri") && settings.refuse_request_uri {
        return Err(TokenCause::PushedRequestUri.into());
    }
    if fields.get("client_id").is_none() && settings.require_client_id {
        return Err(AuthorizeCause::MissingClient.into());
    }
    let fields = fields.without(&CREDENTIALS).without(&["request_uri"]).with("client_id", &client.client_id);
    let new_redirect_uri = validate(&fields, &client, policy, state)?;
    let challenge = authorize::judge(&fields, &client, policy).ok().and_then(|wanted| wanted.challenge);
    state.latest_challenge.insert(client.client_id.clone(), challenge);
    let reference = settings.prefix.clone() + &state.random.made_of(&settings.source, "request_uri", settings.length, call.now);
    let pushed = Pushed {
        client: client.client_id.clone(),
        fields,
        new_redirect_uri,
        expires: call.now + Duration::from_secs(settings.lifetime),
        used: false,
    };
    state.pushed.insert(reference.clone(), pushed);
    let mut body = Map::new();
    body.insert("request_uri".into(), json!(reference));
    body.insert("expires_in".into(), json!(settings.lifetime));
    Ok(body)
}

/// The client that a request says it comes from, where nobody asks for a proof.
fn claimed(call: &Call<'_>, fields: &Fields, policy: &Policy, state: &State) -> Result<Arc<MockClient>, TokenCause> {
    let header = call.request.headers.get("authorization");
    let basic = header.as_deref().and_then(|value| client_auth::basic(value, &policy.client_auth));
    let id = fields.get("client_id").map(str::to_owned).or_else(|| basic.map(|(id, _)| id));
    state.client(&id.ok_or(TokenCause::MissingClientAuth)?).ok_or(TokenCause::UnknownClient)
}

/// Validates a pushed request as the authorization endpoint would; whether its redirect URI is a new one that is allowed.
fn validate(fields: &Fields, client: &MockClient, policy: &Policy, state: &State) -> Result<bool, AuthorizeCause> {
    let settings = &policy.par;
    let destination = redirect_uri::choose(fields, client, &policy.redirect_uri, state);
    let may_be_new = match settings.new_redirect_uris {
        NewRedirectUris::Refuse => false,
        // RFC 9126 section 7.2: a public client has proved nothing.
        NewRedirectUris::Authenticated => !client.is_public() && fields.get("redirect_uri").is_some_and(is_web_site),
        NewRedirectUris::Anybody => true,
    };
    let new = may_be_new && matches!(destination, Err(AuthorizeCause::UnknownRedirectUri));
    if settings.validate {
        if !new {
            destination?;
        }
        authorize::judge(fields, client, policy)?;
    }
    Ok(new)
}

/// Whether codes can be sent there: https, without a fragment (RFC 6749 section 3.1.2).
fn is_web_site(uri: &str) -> bool {
    let parts = Parts::of(uri);
    Url::parse(uri).is_ok() && parts.scheme.eq_ignore_ascii_case("https") && !parts.host.is_empty() && parts.fragment.is_none()
}

/// The authorization request behind the parameters of one: what was pushed under its `request_uri`, if it has any.
pub(super) fn resolve(fields: Fields, call: &Call<'_>, policy: &Policy, state: &mut State) -> Result<Resolved, AuthorizeCause> {
    let settings = &policy.par;
    let Some(reference) = fields.get("request_uri").filter(|_| settings.enabled).map(str::to_owned) else {
        return Ok(Resolved { fields, reference: None, new_redirect_uri: None });
    };
    if policy.authorize.repeated == Repeated::Refuse && fields.repeats(&["client_id", "request_uri"]) {
        return Err(AuthorizeCause::RepeatedAddress);
    }
    let Some(pushed) = state.pushed.get_mut(&reference) else {
        return unknown(fields, &reference, settings);
    };
    let sender = fields.get("client_id").ok_or(AuthorizeCause::MissingClient)?;
    if settings.bound_to_client && sender != pushed.client {
        return Err(AuthorizeCause::ForeignRequestUri);
    }
    if settings.check_expiry && call.now >= pushed.expires {
        return Err(AuthorizeCause::ExpiredRequestUri);
    }
    if settings.used_up != UsedUp::Never && pushed.used {
        return Err(AuthorizeCause::UsedRequestUri);
    }
    pushed.used |= settings.used_up == UsedUp::ByVisit;
    let counted = merge(&pushed.fields, &fields, settings.beside)?;
    let new = counted.get("redirect_uri").filter(|_| pushed.new_redirect_uri);
    let new_redirect_uri = new.map(|uri| Destination { uri: uri.to_owned(), sent: true });
    Ok(Resolved { fields: counted, reference: Some(reference), new_redirect_uri })
}

/// What becomes of a `request_uri` that was never issued. One that does not even look like it is no matter of pushed requests: the
/// authorization endpoint says what it thinks of request objects elsewhere (RFC 9101).
fn unknown(fields: Fields, reference: &str, settings: &ParPolicy) -> Result<Resolved, AuthorizeCause> {
    let plain = |fields| Ok(Resolved { fields, reference: None, new_redirect_uri: None });
    if settings.ignore_unknown {
        return plain(fields.without(&["request_uri"]));
    }
    if reference.starts_with(&settings.prefix) { Err(AuthorizeCause::UnknownRequestUri) } else { plain(fields) }
}

/// The parameters that count, of those that were pushed and those that stand beside `request_uri`.
fn merge(pushed: &Fields, beside: &Fields, rule: BesideRequestUri) -> Result<Fields, AuthorizeCause> {
    let mut out = pushed.clone();
    for name in beside.names().filter(|name| !matches!(*name, "request_uri" | "client_id")) {
        let (before, now) = (pushed.get(name), beside.get(name));
        let counts = match rule {
            BesideRequestUri::Refuse if before.is_some() && before != now => return Err(AuthorizeCause::ContraryParameter),
            BesideRequestUri::Ignore | BesideRequestUri::Refuse => false,
            BesideRequestUri::Complete => before.is_none(),
            BesideRequestUri::Replace => true,
        };
        if let (true, Some(value)) = (counts, now) {
            out = out.with(name, value);
        }
    }
    Ok(out)
}

/// Whether a request had to be pushed, and was not (RFC 9126 sections 4 and 6).
pub(super) fn is_missing(resolved: &Resolved, client: &MockClient, policy: &Policy) -> bool {
    let settings = &policy.par;
    settings.enabled && settings.enforce && (settings.required || client.require_par) && resolved.reference.is_none()
}

/// Uses the `request_uri` of a transaction up that is about to be answered.
pub(super) fn use_up(state: &mut State, transaction: &Transaction) -> Result<(), AuthorizeCause> {
    let rule = transaction.effective.policy.par.used_up;
    let reference = transaction.asked.reference.as_ref().filter(|_| rule == UsedUp::ByResponse);
    let Some(pushed) = reference.and_then(|reference| state.pushed.get_mut(reference)) else { return Ok(()) };
    if std::mem::replace(&mut pushed.used, true) { Err(AuthorizeCause::UsedRequestUri) } else { Ok(()) }
}
