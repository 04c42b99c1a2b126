//! What every answer carries, whatever was decided: the header fields of the policy, leave for other origins to read it (CORS), and
//! the cookie against forged forms where each answer renews it.

use super::call::Call;
use super::decision::{Decision, Outcome};
use super::interaction;
use super::state::State;
use crate::oauth::Response;
use crate::policy::{Cors, Policy};

/// What is made up for an answer before it is decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamp {
    /// A UUID, for header fields that want one.
    id: String,
    /// Characters, for header fields that want some.
    random: String,
    /// The secret of forms that compare it with a cookie.
    pub(super) csrf: String,
}

impl Stamp {
    /// What a policy needs: mostly nothing.
    pub(super) fn of(policy: &Policy, state: &mut State) -> Self {
        let mut stamp = Self::default();
        if !policy.headers.set.is_empty() {
            stamp.id = state.random.uuid("answer");
            let wanted = policy.headers.set.values().any(|value| value.contains("{random}"));
            stamp.random = if wanted { state.random.secret("answer-random", 56) } else { String::new() };
        }
        if !policy.pages.csrf_cookie.is_empty() {
            stamp.csrf = state.random.uuid("csrf");
        }
        stamp
    }
}

/// The answer to a browser that asks whether it may send a request from another origin (CORS preflight).
pub(super) fn preflight(call: &Call<'_>, policy: &Policy) -> Option<Decision> {
    let asks = call.request.method == "OPTIONS" && call.request.headers.has("access-control-request-method");
    (asks && policy.headers.cors != Cors::None).then(|| Decision::new(Outcome::Empty(204)))
}

/// Adds what an answer carries whatever was decided; an answer that a script gives word for word stays as it is.
pub(super) fn dress(response: &mut Response, decision: &Decision, call: &Call<'_>, policy: &Policy) {
    if matches!(decision.outcome, Outcome::Literal(_)) {
        return;
    }
    for (name, value) in &policy.headers.set {
        let value = value.replace("{uuid}", &call.stamp.id).replace("{random}", &call.stamp.random);
        response.headers.set(name, value);
    }
    if !policy.pages.csrf_cookie.is_empty() {
        let cookie = interaction::set_cookie(call, policy, &policy.pages.csrf_cookie, &call.stamp.csrf, "");
        response.headers.push("Set-Cookie", cookie);
    }
    allow_origin(response, call, policy.headers.cors);
}

fn allow_origin(response: &mut Response, call: &Call<'_>, cors: Cors) {
    let origin = call.request.headers.get("origin");
    match (cors, origin) {
        (Cors::None, _) | (Cors::Echo, None) => return,
        (Cors::Star, _) => response.headers.set("Access-Control-Allow-Origin", b"*"),
        (Cors::Echo, Some(origin)) => {
            response.headers.set("Access-Control-Allow-Origin", origin.as_bytes());
            response.headers.set("Access-Control-Allow-Credentials", b"true");
            response.headers.push("Vary", "Origin");
        }
    }
    if call.request.method == "OPTIONS" {
        response.headers.push("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
        response.headers.push("Access-Control-Allow-Headers", "Authorization, Content-Type");
        response.headers.push("Access-Control-Max-Age", "600");
    }
}
