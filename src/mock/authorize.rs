//! Authorization endpoint: reads and judges the request (RFC 6749 section 4.1.1). What the user then does is `interaction`'s.

use std::sync::Arc;
use std::time::Duration;

use super::MockClient;
use super::call::{Call, Fields};
use super::decision::{Decision, Outcome, Page};
use super::interaction;
use super::par::{self, Resolved};
use super::pkce;
use super::redirect_uri::{self, Destination};
use super::scope::{self, ScopeFault};
use super::state::{Challenge, OpenidAsked, Session, State};
use crate::oauth::{Params, Scope, is_vschar};
use crate::policy::{AuthorizeCause, Effective, Failing, Policy, Repeated, Unknown, Via};

/// The parameters that this endpoint knows (RFC 6749, RFC 7636, OpenID Connect Core, RFC 8707, RFC 9101).
const KNOWN: [&str; 21] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "nonce",
    "display",
    "prompt",
    "max_age",
    "ui_locales",
    "claims_locales",
    "id_token_hint",
    "login_hint",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "resource",
    "code_challenge",
    "code_challenge_method",
];

/// An authorization request under way, from its arrival to its response.
#[derive(Clone)]
pub(super) struct Transaction {
    pub(super) asked: Asked,
    /// The policy of the authorization request; it rules the response too.
    pub(super) effective: Arc<Effective>,
    /// What the forms of this transaction carry.
    pub(super) csrf: String,
    /// What the cookie of the browser that began it carries.
    pub(super) browser: String,
    /// Who has logged in for it.
    pub(super) session: Option<Session>,
    /// When it began.
    pub(super) begun: Duration,
}

/// An authorization request whose response has somewhere to go.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) destination: Destination,
    pub(super) state: Option<String>,
    pub(super) invented_state: Option<String>,
    pub(super) via: Option<Via>,
    /// `prompt=none`, where it is honoured.
    pub(super) silent: bool,
    /// `prompt=login`, where it is honoured.
    pub(super) login_again: bool,
    /// `max_age` in seconds, where it is honoured.
    pub(super) max_age: Option<u64>,
    /// `login_hint`: who is logged in where nobody is asked.
    pub(super) login_hint: Option<String>,
    /// The `request_uri` under which it was pushed.
    pub(super) reference: Option<String>,
    /// What the pages show as it came.
    pub(super) raw: Vec<String>,
    /// What is wanted, or why it is refused.
    pub(super) wanted: Result<Wanted, AuthorizeCause>,
}

/// What a request without fault asks for.
#[derive(Clone)]
pub(super) struct Wanted {
    /// `code`, `token`, `id_token`: any of them.
    pub(super) response_types: Vec<String>,
    pub(super) scope: Scope,
    pub(super) asked_scope: Option<String>,
    /// The API that the token is for (RFC 8707 section 2).
    pub(super) resource: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) openid: OpenidAsked,
    /// `prompt=consent`.
    pub(super) ask_again: bool,
}

/// Decides about an authorization request.
pub(super) fn decide(call: &Call<'_>, effective: &Arc<Effective>, state: &mut State) -> Decision {
    let policy = &*effective.policy;
    let asked = match encoded(call, policy) {
        Ok(encoded) => ask(call, encoded, effective, state),
        Err(cause) => return page(cause, policy),
    };
    match asked {
        Ok(asked) => {
            let client = asked.client.clone();
            interaction::begin(call, effective, state, *asked).client(client)
        }
        Err(refusal) => *refusal,
    }
}

/// The authorization request in a query, as a transaction that has not begun.
pub(super) fn transaction(
    call: &Call<'_>,
    encoded: &[u8],
    effective: &Arc<Effective>,
    state: &mut State,
) -> Result<Box<Transaction>, Box<Decision>> {
    let asked = ask(call, encoded, effective, state)?;
    Ok(Box::new(interaction::transaction(call, effective, state, *asked)))
}

/// Reads and judges an authorization request; the page that says why, where its response has nowhere to go.
fn ask(call: &Call<'_>, encoded: &[u8], effective: &Arc<Effective>, state: &mut State) -> Result<Box<Asked>, Box<Decision>> {
    let policy = &*effective.policy;
    let request = match read(encoded, policy).and_then(|fields| par::resolve(fields, call, policy, state)) {
        Ok(request) => request,
        Err(cause) => return Err(Box::new(page(cause, policy))),
    };
    let fields = &request.fields;
    let claimed = fields.get("client_id").map(str::to_owned);
    let (client, destination) = match address(&request, policy, state) {
        Ok(found) => found,
        Err(cause) => match (policy.errors.authorize.of(cause).show.as_str(), fields.get("redirect_uri")) {
            // A policy may send errors to addresses that nobody has vouched for.
            ("redirect", Some(uri)) => {
                let destination = Destination { uri: uri.to_owned(), sent: true };
                return Ok(Box::new(asked(&request, claimed.unwrap_or_default(), destination, Err(cause), policy, state)));
            }
            _ => return Err(Box::new(page(cause, policy).client(claimed))),
        },
    };
    let wanted = if par::is_missing(&request, &client, policy) {
        Err(AuthorizeCause::PushRequired)
    } else {
        judge(fields, &client, policy)
    };
    let challenge = wanted.as_ref().ok().and_then(|wanted| wanted.challenge.clone());
    state.latest_challenge.insert(client.client_id.clone(), challenge);
    Ok(Box::new(asked(&request, client.client_id.clone(), destination, wanted, policy, state)))
}

/// The error page (RFC 6749 section 4.1.2.1: what may not be redirected is told to the resource owner).
pub(super) fn page(cause: AuthorizeCause, policy: &Policy) -> Decision {
    let rendered = policy.errors.authorize.of(cause);
    let allow = (rendered.status == 405).then_some(match (policy.authorize.get, policy.authorize.post) {
        (true, false) => "GET",
        (false, true) => "POST",
        _ => "GET, POST",
    });
    Decision::new(Outcome::Page(Page::Error {
        status: rendered.status,
        error: rendered.error.clone(),
        description: rendered.description.clone(),
        cause: cause.name(),
        allow,
        tell_client: rendered.tell_client,
    }))
}

/// Where the parameters of the request are: in the query of a GET or the body of a POST (RFC 6749 section 3.1).
fn encoded<'a>(call: &Call<'a>, policy: &Policy) -> Result<&'a [u8], AuthorizeCause> {
    match call.request.method.as_str() {
        "GET" if policy.authorize.get => Ok(call.request.query().unwrap_or("").as_bytes()),
        "POST" if policy.authorize.post => {
            if call.media_type() != "application/x-www-form-urlencoded" && !call.request.body.is_empty() {
                return Err(AuthorizeCause::Malformed);
            }
            Ok(&call.request.body)
        }
        _ => Err(AuthorizeCause::Method),
    }
}

fn read(encoded: &[u8], policy: &Policy) -> Result<Fields, AuthorizeCause> {
    let params = Params::parse(encoded).map_err(|_| AuthorizeCause::Malformed)?;
    let settings = &policy.authorize;
    Fields::new(params, settings.repeated, settings.empty_is_absent).map_err(|_| AuthorizeCause::Malformed)
}

/// Who asks, and where the answer goes.
fn address(request: &Resolved, policy: &Policy, state: &State) -> Result<(Arc<MockClient>, Destination), AuthorizeCause> {
    let fields = &request.fields;
    if policy.authorize.repeated == Repeated::Refuse && fields.repeats(&["client_id", "redirect_uri"]) {
        return Err(AuthorizeCause::RepeatedAddress);
    }
    let id = fields.get("client_id").ok_or(AuthorizeCause::MissingClient)?;
    let client = state.client(id).ok_or(AuthorizeCause::UnknownClient)?;
    let pushed_unseen = request.reference.is_some() && !policy.par.validate_again;
    let destination = match (&request.new_redirect_uri, fields.get("redirect_uri").filter(|_| pushed_unseen)) {
        (Some(destination), _) => destination.clone(),
        (None, Some(uri)) => Destination { uri: uri.to_owned(), sent: true },
        (None, None) => redirect_uri::choose(fields, &client, &policy.redirect_uri, state)?,
    };
    Ok((client, destination))
}

/// Everything else about the request.
pub(super) fn judge(fields: &Fields, client: &MockClient, policy: &Policy) -> Result<Wanted, AuthorizeCause> {
    let settings = &policy.authorize;
    if settings.repeated == Repeated::Refuse && fields.repeats_any() {
        return Err(AuthorizeCause::RepeatedParameter);
    }
    let known = if policy.pkce.supported { &KNOWN[..] } else { &KNOWN[..KNOWN.len() - 2] };
    if settings.unknown == Unknown::Refuse && fields.has_others(known) {
        return Err(AuthorizeCause::UnknownParameter);
    }
    if settings.refuse_parameters.iter().any(|name| fields.get(name).is_some()) {
        return Err(AuthorizeCause::UnknownParameter);
    }
    if settings.check_state && !fields.get("state").unwrap_or("").bytes().all(is_vschar) {
        return Err(AuthorizeCause::MalformedState);
    }
    if settings.refuse_request_objects && fields.get("request").is_some() {
        return Err(AuthorizeCause::RequestNotSupported);
    }
    if settings.refuse_request_objects && fields.get("request_uri").is_some() {
        return Err(AuthorizeCause::RequestUriNotSupported);
    }
    if settings.prompt_none_alone && prompts(fields, "none") && fields.get("prompt") != Some("none") {
        return Err(AuthorizeCause::PromptConflict);
    }
    let response_types = response_types(fields, client, policy)?;
    let asked_scope = fields.get("scope").map(str::to_owned);
    let scope = scope::resolve(asked_scope.as_deref(), client, &policy.scope).map_err(|fault| match fault {
        ScopeFault::Malformed => AuthorizeCause::MalformedScope,
        ScopeFault::Unknown => AuthorizeCause::UnknownScope,
        ScopeFault::Missing => AuthorizeCause::MissingScope,
    })?;
    // A challenge protects a code (RFC 7636 section 4.3); without one there is nothing to demand it for.
    let for_code = response_types.iter().any(|kind| kind == "code");
    let challenge = if for_code { pkce::challenge(fields, client, &policy.pkce)? } else { None };
    match settings.failing {
        Failing::No => {}
        Failing::ServerError => return Err(AuthorizeCause::ServerError),
        Failing::TemporarilyUnavailable => return Err(AuthorizeCause::TemporarilyUnavailable),
    }
    let openid = OpenidAsked { nonce: fields.get("nonce").map(str::to_owned), max_age: max_age(fields).is_some() };
    let (resource, ask_again) = (fields.get("resource").map(str::to_owned), prompts(fields, "consent"));
    Ok(Wanted { response_types, scope, asked_scope, resource, challenge, openid, ask_again })
}

/// The values of `response_type`; their order has no meaning (RFC 6749 section 3.1.1).
fn response_types(fields: &Fields, client: &MockClient, policy: &Policy) -> Result<Vec<String>, AuthorizeCause> {
    let settings = &policy.authorize;
    let named = match fields.get("response_type") {
        None if settings.require_response_type => return Err(AuthorizeCause::MissingResponseType),
        None => "code",
        Some(named) => named,
    };
    let types = match is_offered(named, policy) {
        true => sorted(named),
        false if settings.check_response_type => return Err(AuthorizeCause::UnknownResponseType),
        false => vec!["code".to_owned()],
    };
    let needed = |kind: &String| if kind == "code" { "authorization_code" } else { "implicit" };
    if policy.token.check_registered_grants && !types.iter().all(|kind| client.may_use(needed(kind))) {
        return Err(AuthorizeCause::ForbiddenResponseType);
    }
    Ok(types)
}

fn is_offered(response_type: &str, policy: &Policy) -> bool {
    let named = sorted(response_type);
    policy.response_types().iter().any(|offer| sorted(offer) == named)
}

fn sorted(response_type: &str) -> Vec<String> {
    let mut values: Vec<_> = response_type.split(' ').map(str::to_owned).collect();
    values.sort_unstable();
    values
}

fn asked(
    request: &Resolved,
    client: String,
    destination: Destination,
    wanted: Result<Wanted, AuthorizeCause>,
    policy: &Policy,
    state: &mut State,
) -> Asked {
    let (settings, fields) = (&policy.authorize, &request.fields);
    let sent = fields.get("state").map(str::to_owned);
    let invented = (sent.is_none() && settings.state_invented).then(|| state.random.secret("state", 22));
    let mode = fields.get("response_mode").filter(|mode| settings.response_modes.iter().any(|offer| offer == mode));
    let via = mode.and_then(|mode| match mode {
        "query" => Some(Via::Query),
        "fragment" => Some(Via::Fragment),
        "form_post" => Some(Via::FormPost),
        _ => None,
    });
    // Tokens never stand in a query (OAuth 2.0 Multiple Response Type Encoding Practices, section 3), and errors go where they
    // would have gone (RFC 6749 section 4.2.2.1).
    let named = fields.get("response_type").unwrap_or("");
    let in_front = named.split(' ').any(|kind| kind != "code") && is_offered(named, policy);
    let via = if in_front && via.is_none_or(|via| via == Via::Query) { Some(policy.implicit.via) } else { via };
    Asked {
        client,
        destination,
        state: sent,
        invented_state: invented,
        via,
        silent: settings.prompt_none && prompts(fields, "none"),
        login_again: settings.prompt_login && prompts(fields, "login"),
        max_age: max_age(fields).filter(|_| settings.max_age),
        login_hint: fields.get("login_hint").map(str::to_owned),
        reference: request.reference.clone(),
        raw: policy.pages.raw.iter().filter_map(|name| fields.get(name).map(str::to_owned)).collect(),
        wanted,
    }
}

/// `max_age`; what is no number of seconds is passed over.
fn max_age(fields: &Fields) -> Option<u64> {
    fields.get("max_age").and_then(|seconds| seconds.parse().ok())
}

fn prompts(fields: &Fields, value: &str) -> bool {
    fields.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == value))
}
