//! Claims whose values a policy spells with placeholders: `{user.email}`, `{auth_time}`, `{uuid}`.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::issue::Authority;
use super::state::State;
use crate::oauth::Scope;
use crate::policy::{Piece, pieces};

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
        let value = filled(value, call, by, scope, state);
        if value.is_null() {
            claims.shift_remove(name);
        } else {
            claims.insert(name.clone(), value);
        }
    }
}

/// A value with its placeholders filled, in lists and tables too; `null` where one has no value here.
fn filled(value: &Value, call: &Call<'_>, by: &Authority, scope: &Scope, state: &mut State) -> Value {
    match value {
        Value::String(text) if text.contains('{') => spelled(text, call, by, scope, state).unwrap_or_default(),
        Value::Array(items) => {
            let items = items.iter().map(|item| filled(item, call, by, scope, state));
            items.filter(|item| !item.is_null()).collect()
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), filled(value, call, by, scope, state)));
            Value::Object(members.filter(|(_, value)| !value.is_null()).collect())
        }
        other => other.clone(),
    }
}

/// A text with its placeholders filled. One that is nothing but a placeholder becomes the value itself, of its own type.
fn spelled(text: &str, call: &Call<'_>, by: &Authority, scope: &Scope, state: &mut State) -> Option<Value> {
    let pieces = pieces(text);
    if let [Piece::Placeholder(name)] = pieces.as_slice() {
        return value_of(name, call, by, scope, state);
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Placeholder(name) => match value_of(name, call, by, scope, state)? {
                Value::String(text) => out.push_str(&text),
                other => out.push_str(&other.to_string()),
            },
        }
    }
    Some(Value::from(out))
}

fn value_of(name: &str, call: &Call<'_>, by: &Authority, scope: &Scope, state: &mut State) -> Option<Value> {
    match name {
        "uuid" => Some(json!(state.random.uuid("claim"))),
        "grant" => Some(json!(state.random.uuid_of("grant", by.grant))),
        "client" => Some(json!(by.client)),
        "issuer" => Some(json!(call.realm.issuer)),
        "scope" => Some(json!(scope.to_string())),
        "user" => by.user.as_ref().map(|user| json!(user)),
        "auth_time" => Some(json!(by.auth_time.unwrap_or(call.now).as_secs())),
        _ => {
            let user = call.realm.user(by.user.as_deref()?)?;
            user.claims.get(name.strip_prefix("user.")?).cloned()
        }
    }
}
