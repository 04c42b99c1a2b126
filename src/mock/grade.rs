//! Grading in passing: what a request says about the care of the client that sent it. Changes no answer.

use super::call::{Call, Endpoint};
use super::state::State;
use crate::oauth::{Params, Pkce};

/// Parameters that are secrets and have no business in a URL (RFC 6749 section 2.3.1, RFC 9700 sections 2.2.2 and 4.3.2).
const SECRETS: [&str; 6] = ["client_secret", "code_verifier", "access_token", "refresh_token", "password", "client_assertion"];

/// What a careful client would have done otherwise, one sentence each.
pub(super) fn notes(call: &Call<'_>, params: &Params, state: &mut State) -> Vec<String> {
    let mut notes = Vec::new();
    let query = Params::parse_lossy(call.request.query().unwrap_or("").as_bytes());
    notes.extend(SECRETS.into_iter().filter(|name| query.has(name)).map(|name| format!("{name} stands in the URL")));
    match call.endpoint {
        // What was pushed was graded when it was pushed.
        Endpoint::Authorize if params.has("request_uri") => {}
        Endpoint::Authorize | Endpoint::Par => authorize(params, state, &mut notes),
        Endpoint::Token => token(params, state, &mut notes),
        _ => {}
    }
    notes
}

fn authorize(params: &Params, state: &mut State, notes: &mut Vec<String>) {
    match params.get("code_challenge").as_deref() {
        None | Some("") => notes.push("no code_challenge: the code is not bound to whoever asked for it".into()),
        Some(challenge) => {
            if !Pkce::well_formed(challenge.as_bytes()) {
                notes.push("code_challenge is malformed".into());
            }
            if params.get("code_challenge_method").as_deref() != Some("S256") {
                notes.push("code_challenge_method is not S256".into());
            }
            if state.seen_before("code_challenge", challenge) {
                notes.push("code_challenge was used before".into());
            }
        }
    }
    for name in ["state", "nonce"] {
        if let Some(value) = params.get(name).filter(|value| !value.is_empty())
            && state.seen_before(name, &value)
        {
            notes.push(format!("{name} was used before"));
        }
    }
    let scope = params.get("scope").unwrap_or_default();
    if scope.split(' ').any(|token| token == "openid") && !params.has("nonce") {
        notes.push("no nonce with the scope openid".into());
    }
    if !params.has("state") && !params.has("code_challenge") && !params.has("nonce") {
        notes.push("neither state nor PKCE nor nonce: nothing ties the response to the browser".into());
    }
    if !params.has("redirect_uri") {
        notes.push("no redirect_uri".into());
    }
}

fn token(params: &Params, state: &State, notes: &mut Vec<String>) {
    let Some(code) = params.get("code").and_then(|code| state.codes.get(code.as_ref())) else { return };
    match params.get("redirect_uri") {
        None if code.redirect_uri_sent => notes.push("redirect_uri of the authorization request is not repeated".into()),
        Some(sent) if sent != code.redirect_uri => notes.push("redirect_uri is not that of the authorization request".into()),
        _ => {}
    }
    match params.bytes("code_verifier") {
        None if code.challenge.is_some() => notes.push("no code_verifier, though there was a code_challenge".into()),
        Some(verifier) if !Pkce::well_formed(verifier) => notes.push("code_verifier is malformed".into()),
        _ => {}
    }
    if code.used.is_some() {
        notes.push("code was redeemed before".into());
    }
}
