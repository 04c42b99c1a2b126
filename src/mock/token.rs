//! Token endpoint (RFC 6749 section 3.2): reads the request, authenticates the client, and hands over to the grant.
//!
//! Order of checks: decode, repeats, client, grant type, whether the client may use it, then what the grant asks for.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Fields};
use super::client_auth;
use super::code_grant;
use super::decision::{Decision, Outcome, Tokens};
use super::device;
use super::issue::{self, Authority};
use super::refresh_grant;
use super::scope::{self, ScopeFault};
use super::state::{Commit, Noted, State, Used};
use super::{MockClient, MockUser};
use crate::oauth::Params;
use crate::policy::{ContentTypes, Effective, Policy, Repeated, TokenCause, Unknown};

/// The parameters that this endpoint knows.
const KNOWN: [&str; 16] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "redirect_uri",
    "refresh_token",
    "device_code",
    "scope",
    "username",
    "password",
    "resource",
    "audience",
    "code_verifier",
    "code_challenge_method",
];

/// A token request after its client is known.
pub(super) struct Grant<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) policy: &'a Policy,
    pub(super) fields: &'a Fields,
    pub(super) client: &'a Arc<MockClient>,
}

/// What is learned on the way, whatever comes of it.
#[derive(Default)]
pub(super) struct Trail {
    pub(super) client: Option<String>,
    pub(super) user: Option<String>,
    pub(super) commits: Vec<Commit>,
}

impl Trail {
    /// Notes a use: at once, or later where the policy loses races.
    pub(super) fn note(&mut self, state: &mut State, noted: Noted, used: Used, delay_ms: u64) {
        if delay_ms == 0 {
            state.note(&noted, &used);
        } else {
            self.commits.push(Commit { after: Duration::from_millis(delay_ms), noted, used });
        }
    }
}

/// Decides about a token request.
pub(super) fn decide(call: &Call<'_>, effective: &Effective, state: &mut State) -> Decision {
    let policy = &*effective.policy;
    let mut trail = Trail::default();
    let outcome = match tokens(call, policy, state, &mut trail) {
        Ok(tokens) => Outcome::Tokens(Box::new(tokens)),
        Err(cause) => refusal(call, cause, policy.token.get),
    };
    Decision { outcome, client: trail.client, user: trail.user, commits: trail.commits, cookies: Vec::new() }
}

/// A refusal of a back-channel endpoint.
pub(super) fn refusal(call: &Call<'_>, cause: TokenCause, get: bool) -> Outcome {
    let allow = if get { "GET, POST" } else { "POST" };
    Outcome::TokenError { cause, header_used: client_auth::header_used(call), allow }
}

/// The parameters of a request to a back-channel endpoint, and those of its URL.
pub(super) fn read(call: &Call<'_>, policy: &Policy, get: bool) -> Result<(Fields, Option<Fields>), TokenCause> {
    let settings = &policy.token;
    let query = Params::parse(call.request.query().unwrap_or("").as_bytes()).map_err(|_| TokenCause::Malformed)?;
    let params = match call.request.method.as_str() {
        "POST" => body(call, settings.content_types)?,
        "GET" if get => query.clone(),
        _ => return Err(TokenCause::Method),
    };
    if call.request.method == "POST" && settings.refuse_query && !query.is_empty() {
        return Err(TokenCause::QueryParameter);
    }
    let merged = call.request.method == "POST" && settings.query;
    let params = if merged { join(&params, &query) } else { params };
    let params = if settings.case_sensitive { params } else { lower_case(&params) };
    let fields = |params| Fields::new(params, settings.repeated, settings.empty_is_absent).map_err(|_| TokenCause::Malformed);
    let fields_of_body = fields(params)?;
    if settings.repeated == Repeated::Refuse && fields_of_body.repeats_any() {
        return Err(TokenCause::RepeatedParameter);
    }
    Ok((fields_of_body, if query.is_empty() { None } else { fields(query).ok() }))
}

fn tokens(call: &Call<'_>, policy: &Policy, state: &mut State, trail: &mut Trail) -> Result<Tokens, TokenCause> {
    let (fields, query) = read(call, policy, policy.token.get)?;
    trail.client = fields.get("client_id").map(str::to_owned);
    let known = if policy.pkce.supported { &KNOWN[..] } else { &KNOWN[..KNOWN.len() - 2] };
    if policy.token.unknown == Unknown::Refuse && fields.has_others(known) {
        return Err(TokenCause::UnknownParameter);
    }
    let named = fields.get("grant_type").map(|named| grant_type(named, policy).ok_or(TokenCause::UnknownGrantType));
    let grant = named.as_ref().and_then(|grant| grant.as_ref().ok()).copied();
    let client = client_auth::authenticate(call, &fields, query.as_ref(), grant, &policy.client_auth, state)?;
    trail.client = Some(client.client_id.clone());
    if state.token_requests.is_beyond(&client.client_id, call.now, policy.token.max_per_minute) {
        return Err(TokenCause::TooMany);
    }
    let grant = named.ok_or(TokenCause::MissingGrantType)??;
    if grant == "client_credentials" && client.is_public() && !policy.client_credentials.public_clients {
        return Err(TokenCause::PublicClient);
    }
    if policy.token.check_registered_grants && !client.may_use(grant) {
        let none = client.grant_types.is_empty();
        return Err(if none { TokenCause::NoGrants } else { TokenCause::ForbiddenGrantType });
    }
    let request = Grant { call, policy, fields: &fields, client: &client };
    match grant {
        "authorization_code" => code_grant::redeem(&request, state, trail),
        "refresh_token" => refresh_grant::refresh(&request, state, trail),
        "client_credentials" => client_credentials(&request, state),
        device::GRANT => device::redeem(&request, state, trail),
        "password" => password(&request, state, trail),
        _ => Err(TokenCause::UnknownGrantType),
    }
}

/// The grant types that this server can do; those on offer are the policy's choice.
fn grant_type(named: &str, policy: &Policy) -> Option<&'static str> {
    const ALL: [&str; 5] = ["authorization_code", "refresh_token", "client_credentials", "password", device::GRANT];
    let offered = |grant: &&str| *grant == named && policy.grants().iter().any(|offer| offer == named);
    ALL.into_iter().find(offered).or_else(|| (!policy.token.check_grant_type).then_some("authorization_code"))
}

/// RFC 6749 section 4.4.
fn client_credentials(request: &Grant<'_>, state: &mut State) -> Result<Tokens, TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    let asked = fields.get("scope");
    let reserved = &policy.client_credentials.reserved_scopes;
    let scope = if reserved.is_empty() {
        scope::resolve(asked, client, &policy.scope)
    } else {
        let mut own = MockClient::clone(client);
        own.scopes.retain(|token| !reserved.contains(token));
        scope::resolve(asked, &own, &policy.scope)
    }
    .map_err(cause_of)?;
    let by =
        Authority { grant: state.new_grant(), client: client.client_id.clone(), user: None, auth_time: None, resource: None };
    let access = issue::access(call, policy, state, &by, &scope);
    let refresh = policy.client_credentials.refresh_token.then(|| issue::refresh(policy, state, &by, &scope, call.now));
    Ok(Tokens { access, refresh, scope: scope::member(asked, &scope, &policy.scope), id_token: None })
}

/// RFC 6749 section 4.3; only on offer where a policy turns it on.
fn password(request: &Grant<'_>, state: &mut State, trail: &mut Trail) -> Result<Tokens, TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    let username = fields.get("username").ok_or(TokenCause::MissingPassword)?;
    let password = fields.get("password").ok_or(TokenCause::MissingPassword)?;
    let right = |user: &Arc<MockUser>| !policy.password.check || user.password == password;
    let user = call.realm.user(username).filter(right).ok_or(TokenCause::WrongPassword)?;
    trail.user = Some(user.username.clone());
    let asked = fields.get("scope");
    let scope = scope::resolve(asked, client, &policy.scope).map_err(cause_of)?;
    let by = Authority {
        grant: state.new_grant(),
        client: client.client_id.clone(),
        user: Some(user.username.clone()),
        auth_time: Some(call.now),
        resource: None,
    };
    let access = issue::access(call, policy, state, &by, &scope);
    let refresh = issue::gets_refresh(client, &scope, policy).then(|| issue::refresh(policy, state, &by, &scope, call.now));
    let id_token = issue::id_token(call, policy, state, &by, &scope, None);
    Ok(Tokens { access, refresh, scope: scope::member(asked, &scope, &policy.scope), id_token })
}

/// The cause for a faulty scope.
pub(super) fn cause_of(fault: ScopeFault) -> TokenCause {
    match fault {
        ScopeFault::Malformed => TokenCause::MalformedScope,
        ScopeFault::Unknown => TokenCause::UnknownScope,
        ScopeFault::Missing => TokenCause::MissingScope,
    }
}

fn body(call: &Call<'_>, accepted: ContentTypes) -> Result<Params, TokenCause> {
    let form = || Params::parse(&call.request.body).map_err(|_| TokenCause::Malformed);
    match (call.media_type().as_str(), accepted) {
        ("application/x-www-form-urlencoded", _) | (_, ContentTypes::Any) => form(),
        ("application/json", ContentTypes::FormAndJson) => json(&call.request.body).ok_or(TokenCause::Malformed),
        _ => Err(TokenCause::ContentType),
    }
}

fn json(body: &[u8]) -> Option<Params> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(value.as_object()?.iter().map(|(name, value)| (name.as_str(), text(value))).collect())
}

fn join(a: &Params, b: &Params) -> Params {
    a.iter().chain(b.iter()).collect()
}

fn lower_case(params: &Params) -> Params {
    params.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}
