//! Claims whose values a policy spells with placeholders: `{user.email}`, `{auth_time}`, `{uuid}`.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::issue::Authority;
use super::state::State;
use crate::oauth::Scope;

/// Adds claims to others. `null`, and a placeholder that has no value here, takes the claim away.
pub(super) fn add<'a>(
    claims: &mut Map<String, Value>,
    further: impl IntoIterator<Item = (&'a String, &'a Value)>,
    call: &Call<'_>,
    by: &Authority,
    scope: &Scope,
    state: &mut State,
) {
    for (name, value) in further {
        let value = match value {
            Value::String(text) if text.contains('{') => filled(text, call, by, scope, state).unwrap_or_default(),
            other => other.clone(),
        };
        if value.is_null() {
            claims.shift_remove(name);
        } else {
            claims.insert(name.clone(), value);
        }
    }
}

/// A text with its placeholders filled. One that is nothing but a placeholder becomes the value itself, of its own type.
fn filled(text: &str, call: &Call<'_>, by: &Authority, scope: &Scope, state: &mut State) -> Option<Value> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}')?;
        let value = value_of(name, call, by, scope, state)?;
        if before.is_empty() && tail.is_empty() && out.is_empty() {
            return Some(value);
        }
        out.push_str(before);
        match &value {
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
        rest = tail;
    }
    Some(Value::from(out + rest))
}

fn value_of(name: &str, call: &Call<'_>, by: &Authority, scope: &Scope, state: &mut State) -> Option<Value> {
    match name {
        "uuid" => Some(json!(state.random.uuid("claim"))),
        "grant" => Some(json!(state.random.uuid_of("grant", by.grant))),
        "client" => Some(json!(by.client)),
        "scope" => Some(json!(scope.to_string())),
        "user" => by.user.as_ref().map(|user| json!(user)),
        "auth_time" => Some(json!(by.auth_time.unwrap_or(call.now).as_secs())),
        _ => {
            let user = call.realm.user(by.user.as_deref()?)?;
            user.claims.get(name.strip_prefix("user.")?).cloned()
        }
    }
}
