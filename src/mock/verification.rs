//! The verification page (RFC 8628 section 3.3): takes the user code, logs the user in, asks, and keeps what the user said.
//!
//! A visit is one user's way through the page; the browser is tied to it by a cookie. Wrong codes count by user.

use std::time::Duration;

use super::call::{Call, Fields};
use super::decision::{Decision, DevicePage, Outcome, Page};
use super::device;
use super::interaction;
use super::state::{Said, Session, State, VerificationVisit};
use crate::oauth::Params;
use crate::policy::{DeviceQuestion, Policy, Repeated, UserCodeComparison, VerificationOrder};

const WRONG_CODE: &str = "This code is not valid. Please check it on your device.";
const WRONG_PASSWORD: &str = "Wrong user name or password.";

/// What a form said about the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Approve,
    Deny,
}

/// Decides about a request to the verification page.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    if !device::is_offered(policy) {
        return Decision::new(Outcome::NotFound);
    }
    match call.request.method.as_str() {
        "GET" => begin(call, policy, state),
        "POST" => proceed(call, policy, state),
        _ => Decision::method("GET, POST"),
    }
}

/// A visit begins: by `verification_uri`, or by `verification_uri_complete` with the code in it.
fn begin(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let params = Params::parse_lossy(call.request.query().unwrap_or("").as_bytes());
    let linked = params.get("user_code").map(std::borrow::Cow::into_owned).filter(|code| !code.is_empty());
    let mut visit = VerificationVisit {
        csrf: state.random.secret("csrf", 22),
        browser: state.random.secret("browser", 22),
        session: interaction::session(call, policy, state).filter(|_| policy.authorize.remember_login),
        linked,
        device: None,
    };
    let id = state.random.secret("verification", 43);
    let straight = !policy.device.prefill || policy.device.question != DeviceQuestion::Always;
    let mut mistake = None;
    if let Some(code) = visit.linked.clone().filter(|_| straight) {
        mistake = look_up(call, policy, state, &mut visit, &code).err();
    }
    if let Some(Mistake::TooMany) = mistake {
        return too_many();
    }
    let cookie = interaction::set_cookie(call, policy, &interaction::browser_cookie(&id), &visit.browser, "; Max-Age=3600");
    next(policy, state, &id, visit, mistake.map(|_| WRONG_CODE)).cookie(cookie)
}

/// A form of the page comes back. It may carry any of: login, user code, decision.
fn proceed(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    let (id, mut visit, fields) = match resume(call, policy, state) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    let mut cookie = None;
    if visit.session.is_none() && fields.sent("username") {
        match log_in(call, policy, &fields) {
            Some(session) => cookie = Some(keep_session(call, policy, state, &mut visit, session)),
            None => return next(policy, state, &id, visit, Some(WRONG_PASSWORD)),
        }
    }
    if let Some(code) = fields.get("user_code").filter(|_| visit.device.is_none()) {
        match look_up(call, policy, state, &mut visit, code) {
            Ok(()) => {}
            Err(Mistake::Unknown) => return with(cookie, next(policy, state, &id, visit, Some(WRONG_CODE))),
            Err(Mistake::TooMany) => return with(cookie, too_many()),
        }
    }
    let choice = match fields.get("decision") {
        Some("approve") => Some(Choice::Approve),
        Some("deny") => Some(Choice::Deny),
        _ => None,
    };
    if let (Some(choice), Some(session), Some(device)) = (choice, visit.session.clone(), visit.device.clone()) {
        state.verifications.remove(&id);
        return with(cookie, answer(state, &device, &session, choice));
    }
    with(cookie, next(policy, state, &id, visit, None))
}

fn with(cookie: Option<String>, decision: Decision) -> Decision {
    match cookie {
        Some(cookie) => decision.cookie(cookie),
        None => decision,
    }
}

/// The visit of a form, if it comes from its own page in its own browser (RFC 6749 section 10.12).
fn resume(call: &Call<'_>, policy: &Policy, state: &State) -> Result<(String, VerificationVisit, Fields), Box<Decision>> {
    let stale = || Box::new(Decision::stale("unknown_transaction", "This visit is over. Please start again."));
    let params = Params::parse_lossy(&call.request.body);
    let id = interaction::transaction_of(&params).unwrap_or_default();
    let visit = state.verifications.get(&id).cloned().ok_or_else(stale)?;
    let fields = Fields::new(params, Repeated::First, false).map_err(|_| stale())?;
    let same_browser = call.cookie(&interaction::browser_cookie(&id)).as_deref() == Some(&visit.browser);
    if policy.pages.csrf && !(same_browser && fields.get(&policy.pages.csrf_field) == Some(&visit.csrf)) {
        return Err(Box::new(Decision::stale("foreign_form", "This form was not sent from the page that was shown to you.")));
    }
    Ok((id, visit, fields))
}

fn log_in(call: &Call<'_>, policy: &Policy, fields: &Fields) -> Option<Session> {
    let user = call.realm.user(fields.get("username")?)?;
    let right = !policy.pages.check_password || user.password == fields.get("password").unwrap_or("");
    right.then(|| Session { user: user.username.clone(), auth_time: call.now })
}

/// Keeps a login; the cookie is a new one, so that nobody can have planted it.
fn keep_session(call: &Call<'_>, policy: &Policy, state: &mut State, visit: &mut VerificationVisit, session: Session) -> String {
    visit.session = Some(session.clone());
    interaction::keep_session(call, policy, state, session)
}

/// Why a user code leads to no device.
enum Mistake {
    Unknown,
    TooMany,
}

/// Finds the device that a user code stands for.
fn look_up(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    visit: &mut VerificationVisit,
    typed: &str,
) -> Result<(), Mistake> {
    let settings = &policy.device;
    let who = visit.session.as_ref().map(|session| session.user.clone()).unwrap_or_default();
    let window = Duration::from_secs(settings.attempt_window);
    if settings.attempts > 0 && state.wrong_user_codes(&who, call.now, window) >= settings.attempts {
        return Err(Mistake::TooMany);
    }
    let found = state.device_of(&device::plain(typed)).map(str::to_owned);
    let device = found.as_deref().and_then(|value| state.device(value)).filter(|device| {
        let fits = match settings.user_code_comparison {
            UserCodeComparison::Lenient => true,
            UserCodeComparison::CaseSensitive => bare(typed) == bare(&device.user_code),
            UserCodeComparison::Punctuated => typed.to_uppercase() == device.user_code.to_uppercase(),
        };
        let fresh = !settings.check_user_code_expiry || call.now < device.expires;
        fits && fresh && device.said.is_none()
    });
    if device.is_none() {
        state.note_wrong_user_code(&who, call.now);
        return Err(Mistake::Unknown);
    }
    visit.device = found;
    Ok(())
}

fn bare(code: &str) -> String {
    code.chars().filter(|character| character.is_alphanumeric()).collect()
}

/// The next page, by what is still missing; the answer, where nobody is asked.
fn next(policy: &Policy, state: &mut State, id: &str, visit: VerificationVisit, mistake: Option<&'static str>) -> Decision {
    if let (Some(session), Some(device)) = (&visit.session, &visit.device)
        && !must_ask(policy, &visit)
    {
        return answer(state, device, session, Choice::Approve);
    }
    let page = page(policy, state, id, &visit, mistake);
    let (client, user) = (page.client.clone(), visit.session.as_ref().map(|session| session.user.clone()));
    state.verifications.insert(id.to_owned(), visit);
    Decision::new(Outcome::Page(Page::Device(page))).client(client).user(user)
}

fn must_ask(policy: &Policy, visit: &VerificationVisit) -> bool {
    match policy.device.question {
        DeviceQuestion::Always => true,
        DeviceQuestion::WhenTyped => visit.linked.is_none(),
        DeviceQuestion::Never => false,
    }
}

fn page(policy: &Policy, state: &State, id: &str, visit: &VerificationVisit, mistake: Option<&'static str>) -> DevicePage {
    let (login, code) = (visit.session.is_none(), visit.device.is_none());
    let asks = must_ask(policy, visit);
    let (show_login, show_code, show_question) = match policy.device.order {
        VerificationOrder::OnePage => (login, code, asks),
        VerificationOrder::LoginFirst => (login, code && !login, asks && !login && !code),
        VerificationOrder::CodeFirst => (login && !code, code, asks && !login && !code),
    };
    let device = visit.device.as_deref().and_then(|value| state.device(value));
    DevicePage {
        transaction: id.to_owned(),
        csrf: policy.pages.csrf.then(|| visit.csrf.clone()),
        mistake,
        login: show_login,
        code: show_code.then(|| visit.linked.clone().unwrap_or_default()),
        question: show_question,
        confirm: device.filter(|_| policy.device.show_code).map(|device| device.user_code.clone()),
        client: device.map(|device| device.client.clone()),
        scope: device.map(|device| device.scope.iter().map(str::to_owned).collect()).unwrap_or_default(),
    }
}

fn answer(state: &mut State, value: &str, session: &Session, choice: Choice) -> Decision {
    let mut client = None;
    if let Some(device) = state.device_mut(value) {
        let user = session.user.clone();
        device.said = Some(match choice {
            Choice::Approve => Said::Approved { user, auth_time: session.auth_time },
            Choice::Deny => Said::Denied { user },
        });
        client = Some(device.client.clone());
    }
    let text = match choice {
        Choice::Approve => "The device is connected. You can go back to it.",
        Choice::Deny => "The device was not connected. You can close this page.",
    };
    Decision::new(Outcome::Page(Page::Notice { title: "Done", text })).client(client).user(session.user.clone())
}

/// RFC 8628 section 5.1: guesses are limited.
fn too_many() -> Decision {
    let page = Page::Error {
        status: 429,
        error: "too_many_attempts".into(),
        description: "Too many wrong codes. Please try again later.".into(),
        cause: "too_many_user_codes",
        allow: None,
        tell_client: false,
    };
    Decision::new(Outcome::Page(page))
}
