//! Placeholders in the claims of tokens: `{user.email}`, `{auth_time}`, `{uuid}`.

use serde_json::Value;

/// Those that stand for one thing; `user.` and the name of a claim is another one.
const NAMES: [&str; 7] = ["uuid", "grant", "client", "scope", "user", "auth_time", "issuer"];

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// It stands for itself.
    Text(&'a str),
    /// It stands for something else: the name between the braces.
    Placeholder(&'a str),
}

/// The parts of a text. What stands between braces is a placeholder if it is made of the characters of names.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let named =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte));
    let (mut out, mut plain, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let close = text[open..].find('}').map(|close| open + close);
        let Some(close) = close.filter(|close| named(&text[open + 1..*close])) else {
            at = open + 1;
            continue;
        };
        if plain < open {
            out.push(Piece::Text(&text[plain..open]));
        }
        out.push(Piece::Placeholder(&text[open + 1..close]));
        (plain, at) = (close + 1, close + 1);
    }
    if plain < text.len() {
        out.push(Piece::Text(&text[plain..]));
    }
    out
}

/// A placeholder in a value that stands for nothing.
pub(super) fn unknown(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => pieces(text).into_iter().find_map(|piece| match piece {
            Piece::Placeholder(name) if !NAMES.contains(&name) && name.strip_prefix("user.").is_none_or(str::is_empty) => {
                Some(name)
            }
            _ => None,
        }),
        Value::Array(items) => items.iter().find_map(unknown),
        Value::Object(members) => members.values().find_map(unknown),
        _ => None,
    }
}

/// What is said of such a one.
pub(super) fn refusal(name: &str) -> String {
    format!("`{{{name}}}` stands for nothing; there are {{{}}} and {{user.CLAIM}}", NAMES.join("}, {"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        assert_eq!(pieces("{issuer}/"), [Piece::Placeholder("issuer"), Piece::Text("/")]);
        assert_eq!(pieces("a{user.cognito:groups}"), [Piece::Text("a"), Piece::Placeholder("user.cognito:groups")]);
        assert_eq!(pieces(r#"{"a": {user}}"#), [Piece::Text(r#"{"a": "#), Piece::Placeholder("user"), Piece::Text("}")]);
        assert_eq!((pieces("{}{ x"), pieces("")), (vec![Piece::Text("{}{ x")], vec![]));
    }

    #[test]
    fn what_stands_for_nothing_is_found_anywhere() {
        assert_eq!(unknown(&json!({ "a": ["{user}", { "b": "x{usr}" }] })), Some("usr"));
        assert_eq!(unknown(&json!(["{user.any}", "{issuer}", "{}", 1])), None);
        assert!(refusal("usr").starts_with("`{usr}` stands for nothing; there are {uuid}, {grant}"));
    }
}
