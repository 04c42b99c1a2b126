//! A login page that carries the authorization request in its own query: nothing is remembered between the two, and a request may
//! begin here as well. Its form is bound to the browser by a cookie whose value it repeats.

use std::sync::Arc;

use super::authorize::{self, Transaction};
use super::call::{Call, Fields};
use super::decision::{Decision, Form, Outcome, Page};
use super::interaction;
use super::state::State;
use crate::oauth::Params;
use crate::policy::{Effective, Policy, Repeated};

/// Decides about a request to the login page.
pub(super) fn decide(call: &Call<'_>, effective: &Arc<Effective>, state: &mut State) -> Decision {
    let policy = &*effective.policy;
    let encoded = call.request.query().unwrap_or("").as_bytes();
    let transaction = match authorize::transaction(call, encoded, effective, state) {
        Ok(transaction) => *transaction,
        Err(decision) => return *decision,
    };
    match call.request.method.as_str() {
        "GET" => match interaction::at_once(call, state, &transaction) {
            Some(decision) => decision,
            None if transaction.session.is_some() => interaction::set_out(call, state, transaction),
            None => page(call, &transaction, policy, state, None),
        },
        "POST" => post(call, transaction, policy, state),
        _ => Decision::method("GET, POST"),
    }
}

fn post(call: &Call<'_>, transaction: Transaction, policy: &Policy, state: &mut State) -> Decision {
    let params = Params::parse_lossy(&call.request.body);
    let Ok(fields) = Fields::new(params, Repeated::First, false) else {
        return Decision::stale("malformed_form", "This form cannot be read.");
    };
    if policy.pages.csrf && !is_own(call, &fields, policy) {
        return Decision::stale("foreign_form", "This form was not sent from the page that was shown to you.");
    }
    if is_late(call, &fields, policy, state) {
        return interaction::over();
    }
    if let Some(cause) = interaction::chosen_error(call, &fields) {
        return interaction::refuse(state, &transaction, cause);
    }
    let Some(session) = interaction::new_session(call, policy, &fields) else {
        return page(call, &transaction, policy, state, Some(interaction::WRONG_PASSWORD));
    };
    let cookie = interaction::keep_session(call, policy, state, session.clone());
    interaction::set_out(call, state, Transaction { session: Some(session), ..transaction }).cookie(cookie)
}

/// Whether the form repeats the cookie that came with its page.
fn is_own(call: &Call<'_>, fields: &Fields, policy: &Policy) -> bool {
    let cookie = call.cookie(&policy.pages.csrf_cookie).filter(|value| !value.is_empty());
    cookie.is_some() && fields.get(&policy.pages.csrf_field) == cookie.as_deref()
}

/// Whether the page of the form was shown too long ago.
fn is_late(call: &Call<'_>, fields: &Fields, policy: &Policy, state: &State) -> bool {
    let shown = fields.get(&policy.pages.csrf_field).and_then(|csrf| state.forms.get(csrf));
    policy.pages.csrf
        && policy.pages.sign_in_lifetime > 0
        && !shown.is_some_and(|shown| interaction::in_time(call, policy, *shown))
}

fn page(
    call: &Call<'_>,
    transaction: &Transaction,
    policy: &Policy,
    state: &mut State,
    mistake: Option<&'static str>,
) -> Decision {
    if policy.pages.csrf && policy.pages.sign_in_lifetime > 0 {
        state.forms.insert(call.stamp.csrf.clone(), call.now);
    }
    let form = Form {
        query: Some(call.request.query().unwrap_or("").to_owned()),
        csrf: policy.pages.csrf.then(|| call.stamp.csrf.clone()),
        mistake,
        ..interaction::login_form(call, String::new(), transaction, policy)
    };
    Decision::new(Outcome::Page(Page::Login(form))).client(transaction.asked.client.clone())
}
