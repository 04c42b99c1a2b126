//! Login and consent, and the authorization response that comes of them.

use std::sync::Arc;
use std::time::Duration;

use super::MockUser;
use super::authorize::{self, Asked, Transaction, Wanted};
use super::call::{Call, Fields};
use super::decision::{AuthorizationResponse, Decision, Form, LoginHelp, Outcome, Page, Success};
use super::issue::{self, Authority};
use super::par;
use super::scope;
use super::state::{Code, Session, State};
use crate::oauth::Params;
use crate::policy::{AuthorizeCause, Consent, Effective, Policy, Remembered, Repeated};

/// What the user has said about a request so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Open,
    Approved,
    Refused,
}

/// Takes an authorization request in: answers it at once, or asks the user.
pub(super) fn begin(call: &Call<'_>, effective: &Arc<Effective>, state: &mut State, asked: Asked) -> Decision {
    let transaction = transaction(call, effective, state, asked);
    at_once(call, state, &transaction).unwrap_or_else(|| set_out(call, state, transaction))
}

/// The response for which no page is shown: where none may be, and errors that do not wait for a login.
pub(super) fn at_once(call: &Call<'_>, state: &mut State, transaction: &Transaction) -> Option<Decision> {
    if transaction.asked.silent {
        return Some(silently(call, state, transaction));
    }
    let policy = &transaction.effective.policy;
    let cause = *transaction.asked.wanted.as_ref().err()?;
    let waits = policy.authorize.authenticate_first && policy.errors.authorize.of(cause).show != "page";
    (!waits).then(|| respond(transaction, Err(cause)))
}

/// A transaction for an authorization request, with the login of the browser if that will do.
pub(super) fn transaction(call: &Call<'_>, effective: &Arc<Effective>, state: &mut State, asked: Asked) -> Transaction {
    let policy = &*effective.policy;
    let must_log_in = |session: &Session| too_old(session, asked.max_age, call.now) || (asked.login_again && !asked.silent);
    let found = session(call, policy, state).filter(|session| policy.authorize.remember_login && !must_log_in(session));
    // Where nobody is asked, everybody has logged in just now.
    let session = found.or_else(|| anonymous(call, policy, asked.login_hint.as_deref()));
    let (csrf, browser) = (state.random.secret("csrf", 22), state.random.secret("browser", 22));
    Transaction { asked, effective: Arc::clone(effective), csrf, browser, session, begun: call.now }
}

/// The first page of a new transaction, or the response.
pub(super) fn set_out(call: &Call<'_>, state: &mut State, transaction: Transaction) -> Decision {
    let id = state.random.secret("transaction", 43);
    let policy = Arc::clone(&transaction.effective.policy);
    let decision = advance(call, state, &id, &transaction, Answer::Open);
    let kept = transaction.session.is_some() || policy.pages.remembered == Remembered::Transaction;
    if kept && matches!(decision.outcome, Outcome::Continue { .. }) {
        let cookie = set_cookie(call, &policy, &browser_cookie(&id), &transaction.browser, "; Max-Age=3600");
        state.transactions.insert(id, transaction);
        return decision.cookie(cookie);
    }
    decision
}

/// Decides about a request to the login page.
pub(super) fn login(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let (id, transaction, fields) = match resume(call, policy, state) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    if call.request.method == "GET" {
        return login_page(call, &id, &transaction, policy, state, None);
    }
    if let Some(cause) = chosen_error(call, &fields) {
        let refusal = refuse(state, &transaction, cause);
        return answered(call, state, &id, &transaction, refusal);
    }
    let Some(session) = new_session(call, policy, &fields) else {
        return login_page(call, &id, &transaction, policy, state, Some(WRONG_PASSWORD));
    };
    let cookie = keep_session(call, policy, state, session.clone());
    let transaction = Transaction { session: Some(session), ..transaction };
    let answer = answer(&fields).filter(|_| policy.pages.combined).unwrap_or(Answer::Open);
    proceed(call, state, &id, &transaction, answer).cookie(cookie)
}

/// What the login page says to a wrong user name or password, without telling which.
pub(super) const WRONG_PASSWORD: &str = "Wrong user name or password.";

/// The session of a user whose name and password a form holds, or whom a person picked where they may.
pub(super) fn new_session(call: &Call<'_>, policy: &Policy, fields: &Fields) -> Option<Session> {
    if let Some(session) = picked_session(call, fields) {
        return Some(session);
    }
    let user = call.realm.user(fields.get("username").unwrap_or(""))?;
    let right = !policy.pages.check_password || user.password == fields.get("password").unwrap_or("");
    right.then(|| Session { user: user.username.clone(), auth_time: call.now })
}

/// Remembers a login; the cookie by which it is known again.
pub(super) fn keep_session(call: &Call<'_>, policy: &Policy, state: &mut State, session: Session) -> String {
    end_session(call, policy, state);
    let value = state.random.secret("session", 43);
    state.sessions.insert(value.clone(), session);
    let lifetime = policy.pages.session_lifetime;
    let age = if lifetime > 0 { format!("; Max-Age={lifetime}") } else { String::new() };
    set_cookie(call, policy, &policy.pages.session_cookie, &value, &age)
}

/// Forgets the login of the browser. A session that was there before is never carried over, so that nobody can have planted it.
pub(super) fn end_session(call: &Call<'_>, policy: &Policy, state: &mut State) {
    if let Some(old) = call.cookie(&policy.pages.session_cookie) {
        state.sessions.remove(&old);
    }
}

/// The errors that a person can choose on the login page (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
const CHOSEN_ERRORS: [AuthorizeCause; 7] = [
    AuthorizeCause::Denied,
    AuthorizeCause::ServerError,
    AuthorizeCause::TemporarilyUnavailable,
    AuthorizeCause::UnknownScope,
    AuthorizeCause::ForbiddenResponseType,
    AuthorizeCause::LoginRequired,
    AuthorizeCause::ConsentRequired,
];

/// The error that a person chose, where they may.
pub(super) fn chosen_error(call: &Call<'_>, fields: &Fields) -> Option<AuthorizeCause> {
    let name = fields.get("inject").filter(|_| call.realm.login_help)?;
    CHOSEN_ERRORS.into_iter().find(|cause| cause.name() == name)
}

/// The session of a user whom a person picked, where they may.
fn picked_session(call: &Call<'_>, fields: &Fields) -> Option<Session> {
    let user = call.realm.user(fields.get("pick").filter(|_| call.realm.login_help)?)?;
    Some(Session { user: user.username.clone(), auth_time: call.now })
}

fn help(call: &Call<'_>, policy: &Policy) -> LoginHelp {
    let user = |user: &Arc<MockUser>| {
        let name = user.claims.get("name").and_then(serde_json::Value::as_str).unwrap_or(&user.username);
        (user.username.clone(), name.to_owned())
    };
    let error = |cause: AuthorizeCause| (cause.name(), policy.errors.authorize.of(cause).error.clone());
    LoginHelp { users: call.realm.users().iter().map(user).collect(), errors: CHOSEN_ERRORS.into_iter().map(error).collect() }
}

/// Decides about a request to the consent page.
pub(super) fn consent(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let (id, transaction, fields) = match resume(call, policy, state) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    if transaction.session.is_none() {
        return next_page(call, &policy.paths.login, &id, policy);
    }
    if call.request.method == "GET" {
        return consent_page(id, &transaction, policy, None);
    }
    match answer(&fields) {
        Some(answer) => proceed(call, state, &id, &transaction, answer),
        None => consent_page(id, &transaction, policy, Some("Please approve or deny.")),
    }
}

/// Whether the user has to log in again (OpenID Connect Core section 3.1.2.1; a `max_age` of 0 is `prompt=login`).
fn too_old(session: &Session, max_age: Option<u64>, now: Duration) -> bool {
    max_age.is_some_and(|age| age == 0 || now > session.auth_time.saturating_add(Duration::from_secs(age)))
}

/// The user of the session that a request belongs to, if it still lasts.
pub(super) fn session(call: &Call<'_>, policy: &Policy, state: &State) -> Option<Session> {
    let session = state.sessions.get(&call.cookie(&policy.pages.session_cookie)?)?;
    let lifetime = policy.pages.session_lifetime;
    let lasts = lifetime == 0 || call.now < session.auth_time.saturating_add(Duration::from_secs(lifetime));
    lasts.then(|| session.clone())
}

/// The first user, for policies that let everybody in.
fn anonymous(call: &Call<'_>, policy: &Policy, hint: Option<&str>) -> Option<Session> {
    let hinted = hint.and_then(|name| call.realm.user(name));
    let user = hinted.or_else(|| call.realm.first_user()).filter(|_| !policy.pages.login)?;
    Some(Session { user: user.username.clone(), auth_time: call.now })
}

/// The transaction that a request to a page names, in its query or its form.
pub(super) fn transaction_of(params: &Params) -> Option<String> {
    params.get("transaction").map(std::borrow::Cow::into_owned)
}

/// Finds the transaction, and checks that the request comes from its own pages (RFC 6749 section 10.12).
fn resume(call: &Call<'_>, policy: &Policy, state: &State) -> Result<(String, Transaction, Fields), Box<Decision>> {
    let encoded = match call.request.method.as_str() {
        "GET" => call.request.query().unwrap_or("").as_bytes(),
        "POST" => &call.request.body,
        _ => return Err(Box::new(Decision::method("GET, POST"))),
    };
    let params = Params::parse_lossy(encoded);
    let id = transaction_of(&params).unwrap_or_default();
    let stale = || Box::new(over());
    let transaction =
        state.transactions.get(&id).filter(|known| in_time(call, policy, known.begun)).cloned().ok_or_else(stale)?;
    let fields = Fields::new(params, Repeated::First, false).map_err(|_| stale())?;
    let same_browser = call.cookie(&browser_cookie(&id)).as_deref() == Some(&transaction.browser);
    let own_form = call.request.method == "GET" || fields.get(&policy.pages.csrf_field) == Some(&transaction.csrf);
    if policy.pages.csrf && !(same_browser && own_form) {
        return Err(Box::new(Decision::stale("foreign_form", "This form was not sent from the page that was shown to you.")));
    }
    Ok((id, transaction, fields))
}

/// What is said to whoever comes too late.
pub(super) fn over() -> Decision {
    Decision::stale("unknown_transaction", "This sign-in is over. Please start again.")
}

/// Whether a user may still go on with what began then.
pub(super) fn in_time(call: &Call<'_>, policy: &Policy, begun: Duration) -> bool {
    let lifetime = policy.pages.sign_in_lifetime;
    lifetime == 0 || call.now.saturating_sub(begun) < Duration::from_secs(lifetime)
}

/// Goes on with a transaction that is kept: it stays until it is answered.
fn proceed(call: &Call<'_>, state: &mut State, id: &str, transaction: &Transaction, answer: Answer) -> Decision {
    let decision = advance(call, state, id, transaction, answer);
    if matches!(decision.outcome, Outcome::Continue { .. }) {
        state.transactions.insert(id.to_owned(), transaction.clone());
        return decision;
    }
    answered(call, state, id, transaction, decision)
}

/// The transaction is over.
fn answered(call: &Call<'_>, state: &mut State, id: &str, transaction: &Transaction, decision: Decision) -> Decision {
    state.transactions.remove(id);
    decision.cookie(set_cookie(call, &transaction.effective.policy, &browser_cookie(id), "", "; Max-Age=0"))
}

/// The next page, or the response.
fn advance(call: &Call<'_>, state: &mut State, id: &str, transaction: &Transaction, answer: Answer) -> Decision {
    let policy = &*transaction.effective.policy;
    let Some(session) = &transaction.session else {
        return login_next(call, id, policy);
    };
    let wanted = match &transaction.asked.wanted {
        Ok(wanted) => wanted,
        Err(cause) => return respond(transaction, Err(*cause)),
    };
    match answer {
        Answer::Refused => refuse(state, transaction, AuthorizeCause::Denied),
        Answer::Open if must_ask(transaction, wanted, session, state) => {
            next_page(call, &policy.paths.consent, id, policy).user(session.user.clone())
        }
        Answer::Open => grant(call, state, transaction, wanted, session),
        Answer::Approved => {
            let key = (session.user.clone(), transaction.asked.client.clone());
            state.consents.entry(key).or_default().extend(wanted.scope.iter().map(str::to_owned));
            grant(call, state, transaction, wanted, session)
        }
    }
}

/// The answer to a request that the user has turned down.
pub(super) fn refuse(state: &mut State, transaction: &Transaction, cause: AuthorizeCause) -> Decision {
    let cause = par::use_up(state, transaction).err().unwrap_or(cause);
    respond(transaction, Err(cause))
}

/// `prompt=none`: an answer without any page (OpenID Connect Core section 3.1.2.6).
fn silently(call: &Call<'_>, state: &mut State, transaction: &Transaction) -> Decision {
    let Some(session) = &transaction.session else {
        let cause = transaction.asked.wanted.as_ref().err().copied().unwrap_or(AuthorizeCause::LoginRequired);
        return respond(transaction, Err(cause));
    };
    match &transaction.asked.wanted {
        Err(cause) => respond(transaction, Err(*cause)),
        Ok(wanted) if must_ask(transaction, wanted, session, state) => respond(transaction, Err(AuthorizeCause::ConsentRequired)),
        Ok(wanted) => grant(call, state, transaction, wanted, session),
    }
}

fn must_ask(transaction: &Transaction, wanted: &Wanted, session: &Session, state: &State) -> bool {
    let known = || {
        let key = (session.user.clone(), transaction.asked.client.clone());
        state.consents.get(&key).is_some_and(|agreed| wanted.scope.iter().all(|token| agreed.contains(token)))
    };
    match transaction.effective.policy.pages.consent {
        Consent::Always => true,
        Consent::Once => wanted.ask_again || !known(),
        Consent::Never => false,
    }
}

/// Issues what was asked for (RFC 6749 section 4.1.2).
fn grant(call: &Call<'_>, state: &mut State, transaction: &Transaction, wanted: &Wanted, session: &Session) -> Decision {
    if let Err(cause) = par::use_up(state, transaction) {
        return respond(transaction, Err(cause));
    }
    let policy = &*transaction.effective.policy;
    let asked = &transaction.asked;
    let by = Authority {
        grant: state.new_grant(),
        client: asked.client.clone(),
        user: Some(session.user.clone()),
        auth_time: Some(session.auth_time),
        resource: wanted.resource.clone(),
    };
    let wants = |kind: &str| wanted.response_types.iter().any(|asked| asked == kind);
    let mut success = Success::default();
    if wants("code") {
        let mut value = issue::code(policy, state, call.now);
        if let Some(challenge) = wanted.challenge.as_ref().filter(|_| policy.code.shows_challenge) {
            value.push_str(&format!(".{}", challenge.value));
        }
        state.codes.insert(value.clone(), code(call, transaction, wanted, session, by.grant));
        success.code = Some(value);
    }
    if wants("token") {
        success.access = Some(issue::access(call, policy, state, &by, &wanted.scope));
        success.scope = scope::member(wanted.asked_scope.as_deref(), &wanted.scope, &policy.scope);
    }
    let beside = policy.implicit.id_token && wants("token") && !wants("code");
    if wants("id_token") || beside {
        success.id_token = issue::id_token(call, policy, state, &by, &wanted.scope, Some(&wanted.openid));
    }
    respond(transaction, Ok(success))
}

fn code(call: &Call<'_>, transaction: &Transaction, wanted: &Wanted, session: &Session, grant: u64) -> Code {
    let asked = &transaction.asked;
    Code {
        grant,
        client: asked.client.clone(),
        user: session.user.clone(),
        auth_time: session.auth_time,
        redirect_uri: asked.destination.uri.clone(),
        redirect_uri_sent: asked.destination.sent,
        scope: wanted.scope.clone(),
        asked_scope: wanted.asked_scope.clone(),
        resource: wanted.resource.clone(),
        challenge: wanted.challenge.clone(),
        openid: wanted.openid.clone(),
        expires: call.now + Duration::from_secs(transaction.effective.policy.code.lifetime),
        used: None,
    }
}

/// The response, by redirect, or by a page where the policy shows this error to the user.
fn respond(transaction: &Transaction, result: Result<Success, AuthorizeCause>) -> Decision {
    let policy = &*transaction.effective.policy;
    let user = transaction.session.as_ref().map(|session| session.user.clone());
    let asked = &transaction.asked;
    if let Err(cause) = &result
        && policy.errors.authorize.of(*cause).show == "page"
    {
        return authorize::page(*cause, policy).client(asked.client.clone()).user(user);
    }
    let response = AuthorizationResponse {
        redirect_uri: asked.destination.uri.clone(),
        state: asked.state.clone(),
        invented_state: asked.invented_state.clone(),
        via: asked.via,
        result,
        effective: Arc::clone(&transaction.effective),
    };
    Decision::new(Outcome::Authorization(Box::new(response))).client(asked.client.clone()).user(user)
}

/// On to the login page.
fn login_next(call: &Call<'_>, id: &str, policy: &Policy) -> Decision {
    if policy.pages.remembered == Remembered::Transaction {
        return next_page(call, &policy.paths.login, id, policy);
    }
    // The authorization request as it came, whether in the query or in the body.
    let in_body = call.request.method == "POST" && !call.request.body.is_empty();
    let query = if in_body {
        String::from_utf8_lossy(&call.request.body).into_owned()
    } else {
        call.request.query().unwrap_or("").into()
    };
    let url = format!("{}?{query}", call.url(&policy.paths.login));
    Decision::new(Outcome::Continue { url, status: policy.pages.redirect_status })
}

fn login_page(
    call: &Call<'_>,
    id: &str,
    transaction: &Transaction,
    policy: &Policy,
    state: &State,
    mistake: Option<&'static str>,
) -> Decision {
    let nobody = Session { user: String::new(), auth_time: Duration::ZERO };
    let asks = transaction.asked.wanted.as_ref().is_ok_and(|wanted| must_ask(transaction, wanted, &nobody, state));
    let combined = policy.pages.combined && asks;
    let form = Form { mistake, combined, ..login_form(call, id.to_owned(), transaction, policy) };
    Decision::new(Outcome::Page(Page::Login(form))).client(transaction.asked.client.clone())
}

fn consent_page(id: String, transaction: &Transaction, policy: &Policy, mistake: Option<&'static str>) -> Decision {
    let user = transaction.session.as_ref().map(|session| session.user.clone());
    let form = Form { mistake, user: user.clone(), ..form(id, transaction, policy) };
    Decision::new(Outcome::Page(Page::Consent(form))).client(transaction.asked.client.clone()).user(user)
}

/// What stands on a login page, with what a person is offered there.
pub(super) fn login_form(call: &Call<'_>, id: String, transaction: &Transaction, policy: &Policy) -> Form {
    Form { help: call.realm.login_help.then(|| help(call, policy)), ..form(id, transaction, policy) }
}

fn form(transaction_id: String, transaction: &Transaction, policy: &Policy) -> Form {
    let scope = transaction.asked.wanted.as_ref().map(|wanted| wanted.scope.iter().map(str::to_owned).collect());
    Form {
        transaction: transaction_id,
        query: None,
        csrf: policy.pages.csrf.then(|| transaction.csrf.clone()),
        client: transaction.asked.client.clone(),
        user: None,
        scope: scope.unwrap_or_default(),
        mistake: None,
        combined: false,
        raw: transaction.asked.raw.clone(),
        style_sheet: policy.pages.style_sheet.clone(),
        help: None,
    }
}

fn answer(fields: &Fields) -> Option<Answer> {
    match fields.get("decision")? {
        "approve" => Some(Answer::Approved),
        "deny" => Some(Answer::Refused),
        _ => None,
    }
}

/// On to another page. Whoever may be believed says under which host it is.
fn next_page(call: &Call<'_>, page: &str, id: &str, policy: &Policy) -> Decision {
    let forwarded = call.request.headers.get("x-forwarded-host").filter(|_| policy.pages.trust_forwarded);
    let url = match forwarded {
        Some(host) => format!("https://{host}{}/{page}", call.realm.path),
        None => call.url(page),
    };
    Decision::new(Outcome::Continue { url: format!("{url}?transaction={id}"), status: policy.pages.redirect_status })
}

/// A cookie of its own for each transaction, so that several can be under way in one browser.
pub(super) fn browser_cookie(transaction: &str) -> String {
    format!("oauthspec_{}", &transaction[..transaction.len().min(8)])
}

pub(super) fn set_cookie(call: &Call<'_>, policy: &Policy, name: &str, value: &str, age: &str) -> String {
    let attributes = &policy.pages.cookie_attributes;
    let attributes = if attributes.is_empty() { String::new() } else { format!("; {attributes}") };
    let secure = if call.realm.secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={}{attributes}{secure}{age}", call.realm.path)
}
