//! The parameters of a Bearer challenge (RFC 6750 section 3), as they stand in `WWW-Authenticate`.

use serde_json::{Map, Value};

/// The parameters of the Bearer challenge in a header field, which may hold other challenges too. One that stands more than once
/// becomes a list. `None` where there is no such challenge.
pub(super) fn bearer(field: &str) -> Option<Map<String, Value>> {
    let mut found: Option<Map<String, Value>> = None;
    let mut ours = false;
    for item in items(field) {
        let (scheme, parameter) = head(item);
        if let Some(scheme) = scheme {
            ours = scheme.eq_ignore_ascii_case("bearer");
            if ours {
                found.get_or_insert_default();
            }
        }
        let Some((name, value)) = parameter.and_then(|parameter| parameter.split_once('=')) else { continue };
        if let Some(found) = found.as_mut().filter(|_| ours) {
            add(found, name.trim().to_ascii_lowercase(), unquoted(value.trim()));
        }
    }
    found
}

/// The pieces between commas that stand outside of quotes.
fn items(field: &str) -> Vec<&str> {
    let (mut out, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in field.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                out.push(field[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(field[start..].trim());
    out
}

/// The scheme that a piece begins with, if it does, and the parameter in it.
fn head(item: &str) -> (Option<&str>, Option<&str>) {
    let token = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!#$%&'*+^`|".contains(c));
    match item.split_once(' ') {
        Some((scheme, rest)) if token(scheme) && !rest.trim_start().starts_with('=') => (Some(scheme), Some(rest.trim_start())),
        None if token(item) => (Some(item), None),
        _ => (None, Some(item)),
    }
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.to_owned(),
        None => value.to_owned(),
    }
}

fn add(found: &mut Map<String, Value>, name: String, value: String) {
    match found.get_mut(&name) {
        None => drop(found.insert(name, Value::from(value))),
        Some(Value::Array(all)) => all.push(Value::from(value)),
        Some(first) => *first = Value::from(vec![first.take(), Value::from(value)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bearer_challenge_is_found_among_others() {
        let of = |field| bearer(field).map(Value::Object);
        assert_eq!(of(r#"Basic realm="x""#), None);
        assert_eq!(of("Bearer"), Some(json!({})));
        assert_eq!(of(r#"bearer realm="a, b", error=invalid_token"#), Some(json!({"realm": "a, b", "error": "invalid_token"})));
        assert_eq!(
            of(r#"DPoP algs="ES256", Bearer scope="a b", scope="c", Basic realm="z""#),
            Some(json!({"scope": ["a b", "c"]}))
        );
        assert_eq!(of(r#"Bearer error_description="say \"no\"""#), Some(json!({"error_description": r#"say \"no\""#})));
    }
}
