//! The policy tree as JSON: which dotted paths there are, what may stand at each, and how values are put there.
//!
//! A path walks through the structs of the default policy. Where that has an empty object, the setting is a map (`metadata.set`):
//! the rest of the path, dots and all, is the name of its entry.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value};

use super::{Documented as _, Policy, placeholder};
use crate::reader::quoted;

/// Settings that are strings in the tree, with the words that mean something; `*` stands for one segment.
const WORDS: &[(&str, &[&str])] = &[
    ("errors.authorize.*.via", &["as-asked", "query", "fragment"]),
    ("metadata.signed_alg", &["ES256", "RS256"]),
    ("authorize.state_change", &CHANGES),
    ("redirect_uri.repeated", &["same", "first-then-last"]),
    ("code.source", &SOURCES),
    ("access_token.format", &["jwt", "opaque"]),
    ("access_token.alg", &["ES256", "RS256"]),
    ("access_token.aud", &["resource", "list", "client", "asked", "none"]),
    ("access_token.source", &SOURCES),
    ("refresh.source", &["random", "counter", "time", "constant", "short", "half", "uuid", "jwe"]),
    ("jwks.kid_form", &["name", "digest"]),
    ("par.source", &SOURCES),
    ("registration.id_source", &SOURCES),
    ("registration.secret_source", &SOURCES),
    ("registration.token_source", &SOURCES),
    ("id_token.alg", &["RS256", "ES256"]),
    ("id_token.at_hash", &["right", "none", "whole"]),
    ("id_token.aud", &["string", "list", "others-too"]),
    ("id_token.auth_time", &["always", "when-asked", "never"]),
    ("id_token.nonce_change", &CHANGES),
    ("id_token.refreshed_auth_time", &["original", "now"]),
    ("id_token.refreshed_nonce", &["none", "kept", "other"]),
    ("id_token.sub", &["stable", "fresh"]),
    ("device.source", &SOURCES),
    ("device.user_code_source", &["random", "counter", "constant"]),
    ("revocation.foreign", &["refuse", "ignore", "revoke"]),
    ("pkce.default_method", &["plain", "S256"]),
    ("errors.authorize.*.show", &["redirect", "page"]),
    ("errors.authorize.*.order", &["error-first", "error-last"]),
    ("errors.token.*.challenge", &["never", "when-header-used", "always"]),
];

/// Settings that are lists of words, with those that mean something.
const LISTS: &[(&str, &[&str])] = &[
    ("authorize.response_modes", &["query", "fragment", "form_post"]),
    ("client_auth.methods", &["client_secret_basic", "client_secret_post", "none"]),
    ("jwks.published", &["ES256", "RS256", "RS256-second"]),
    ("pkce.methods", &["S256", "plain"]),
    (
        "token.grants",
        &[
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
    ),
];

const CHANGES: [&str; 8] = ["none", "append", "lower-case", "truncate", "html-escape", "decode-twice", "plus-to-blank", "trim"];

const SOURCES: [&str; 7] = ["random", "counter", "time", "constant", "short", "half", "uuid"];

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A struct of settings.
    Group,
    /// A single setting.
    Setting,
    /// A map whose entries can be set.
    Map,
    /// An entry of a map, there or not.
    Entry,
}

/// The default policy as JSON.
pub(super) fn defaults() -> &'static Value {
    static DEFAULTS: LazyLock<Value> = LazyLock::new(|| {
        serde_json::to_value(Policy::default()).expect("the policy holds scalars, lists, maps and structs only")
    });
    &DEFAULTS
}

/// The paths of settings that a pattern means, in which `*` stands for one segment: `errors.token.*.status`.
pub(super) fn matching(pattern: &str) -> Vec<String> {
    paths().iter().filter(|path| fits(pattern, path)).cloned().collect()
}

/// Every path of a setting or a map.
pub(super) fn paths() -> &'static [String] {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut out = Vec::new();
        collect(defaults(), "", &mut out);
        out
    });
    &PATHS
}

/// A setting of the mock, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Where it is in the tree.
    pub path: String,
    /// Its value where no patch says otherwise.
    pub default: Value,
    /// What it may be, in words.
    pub allowed: String,
    /// What it is for.
    pub what: String,
}

impl Setting {
    /// Every setting, in the order of the tree.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut docs = Vec::new();
        Policy::document("", &mut docs);
        let docs: HashMap<String, &str> = docs.into_iter().collect();
        let one = |path: &String| {
            // Of the members of an error its cause is told.
            let own = docs.get(path).or_else(|| docs.get(path.rsplit_once('.')?.0));
            let mut original = defaults().clone();
            let default = parent(&mut original, path).and_then(|(members, name)| members.get(name).cloned()).unwrap_or_default();
            let what = own.map_or_else(String::new, |doc| doc.trim().to_owned());
            Self { path: path.clone(), allowed: allowed(path, ""), default, what }
        };
        paths().iter().map(one).collect()
    }
}

/// What stands at a path; `None` where there is no such path.
pub(super) fn place(path: &str) -> Option<Place> {
    let mut node = defaults();
    let mut rest = path;
    loop {
        let Value::Object(members) = node else { return None };
        if members.is_empty() {
            return Some(Place::Entry);
        }
        let (name, tail) = rest.split_once('.').map_or((rest, None), |(name, tail)| (name, Some(tail)));
        node = members.get(name)?;
        match tail {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    Some(match node {
        Value::Object(members) if members.is_empty() => Place::Map,
        Value::Object(_) => Place::Group,
        _ => Place::Setting,
    })
}

/// Puts a value at a path that [`place`] knows.
pub(super) fn put(tree: &mut Value, path: &str, value: Value) {
    if let Some((members, name)) = parent(tree, path) {
        members.insert(name.to_owned(), value);
    }
}

/// Puts the default back, or removes an entry of a map.
pub(super) fn reset(tree: &mut Value, path: &str) {
    let mut original = defaults().clone();
    let original = parent(&mut original, path).and_then(|(members, name)| members.get(name).cloned());
    if let Some((members, name)) = parent(tree, path) {
        match original {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.shift_remove(name),
        };
    }
}

/// The typed policy of a tree.
///
/// # Errors
/// What serde says, where a value does not fit.
pub(super) fn typed(tree: &Value) -> Result<Policy, serde_json::Error> {
    Policy::deserialize(tree)
}

/// Whether a value fits the setting at that path, by itself.
///
/// # Errors
/// What is allowed there, in words.
pub(super) fn check(path: &str, value: &Value) -> Result<(), String> {
    let of_claims = ["access_token.claims", "id_token.claims"].iter().any(|claims| path.starts_with(claims));
    if let Some(name) = Some(value).filter(|_| of_claims).and_then(placeholder::unknown) {
        return Err(placeholder::refusal(name));
    }
    if let Some(words) = words(path)
        && !value.as_str().is_some_and(|text| words.contains(&text))
    {
        return Err(format!("`{path}` is one of {}, not {}", quoted(words), short(value)));
    }
    if let (Some(words), Some(items)) = (lists(path), value.as_array())
        && let Some(other) = items.iter().find(|item| !item.as_str().is_some_and(|text| words.contains(&text)))
    {
        return Err(format!("`{path}` is a list of {}, not of {}", quoted(words), short(other)));
    }
    fit(path, value).map_err(|message| explain(path, value, &message))
}

/// What serde says of a value at that path.
fn fit(path: &str, value: &Value) -> Result<(), String> {
    let mut tree = defaults().clone();
    put(&mut tree, path, value.clone());
    typed(&tree).map(drop).map_err(|error| error.to_string())
}

fn words(path: &str) -> Option<&'static [&'static str]> {
    WORDS.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, words)| *words)
}

fn lists(path: &str) -> Option<&'static [&'static str]> {
    LISTS.iter().find(|(known, _)| *known == path).map(|(_, words)| *words)
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('.');
    pattern.split('.').all(|want| segments.next().is_some_and(|segment| want == "*" || want == segment))
        && segments.next().is_none()
}

fn explain(path: &str, value: &Value, message: &str) -> String {
    format!("`{path}` is {}, not {}", allowed(path, message), short(value))
}

/// What may stand at a path, in words; `message` is what serde says of a value that may not.
fn allowed(path: &str, message: &str) -> String {
    if let Some(words) = words(path) {
        return format!("one of {}", quoted(words));
    }
    if let Some(words) = lists(path) {
        return format!("a list of {}", quoted(words));
    }
    let mut original = defaults().clone();
    let original = parent(&mut original, path).and_then(|(members, name)| members.get(name).cloned());
    match original {
        Some(Value::Bool(_)) => "true or false".to_owned(),
        Some(Value::Number(_)) if message.contains("u16") => "a whole number from 0 to 65535".to_owned(),
        Some(Value::Number(_)) => "a whole number from 0".to_owned(),
        Some(Value::Array(_)) if fit(path, &serde_json::json!([{}])).is_ok() => "a list of tables".to_owned(),
        Some(Value::Array(_)) => match fit(path, &serde_json::json!(["\u{0}"])).err() {
            Some(message) if message.contains("expected ") => {
                let (_, choices) = message.split_once("expected ").unwrap_or_default();
                format!("a list of {}", choices.trim_start_matches("one of "))
            }
            _ => "a list of strings".to_owned(),
        },
        Some(Value::Object(_)) => "a table".to_owned(),
        // An impossible word makes serde say which words there are, if the string is a choice.
        _ => match fit(path, &Value::from("\u{0}")).err().as_ref().and_then(|message| message.split_once("expected ")) {
            Some((_, choices)) => format!("one of {}", choices.trim_start_matches("one of ")),
            None => "a string".to_owned(),
        },
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Array(_) => "such a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// The object that holds the last segment, and that segment. Inside a map the rest of the path is one name.
fn parent<'t, 'p>(tree: &'t mut Value, path: &'p str) -> Option<(&'t mut Map<String, Value>, &'p str)> {
    let mut default = defaults();
    let mut node = tree.as_object_mut()?;
    let mut rest = path;
    loop {
        if default.as_object()?.is_empty() {
            return Some((node, rest));
        }
        let Some((name, tail)) = rest.split_once('.') else { return Some((node, rest)) };
        default = default.get(name)?;
        node = node.get_mut(name)?.as_object_mut()?;
        rest = tail;
    }
}

fn collect(node: &Value, path: &str, out: &mut Vec<String>) {
    match node {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                collect(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places() {
        assert_eq!(place("code"), Some(Place::Group));
        assert_eq!(place("code.reuse"), Some(Place::Setting));
        assert_eq!(place("metadata.set"), Some(Place::Map));
        assert_eq!(place("metadata.set.https://claims.example/x"), Some(Place::Entry));
        assert_eq!(place("errors.token.used_code.status"), Some(Place::Setting));
        for path in ["cod", "code.reus", "code.reuse.x", "", "code."] {
            assert_eq!(place(path), None, "{path}");
        }
    }

    #[test]
    fn putting_and_resetting() {
        let mut tree = defaults().clone();
        put(&mut tree, "code.reuse", json!("accept"));
        put(&mut tree, "metadata.set.a.b", json!(1));
        assert_eq!(tree["code"]["reuse"], "accept");
        assert_eq!(tree["metadata"]["set"]["a.b"], 1);
        reset(&mut tree, "code.reuse");
        reset(&mut tree, "metadata.set.a.b");
        assert_eq!(&tree, defaults());
    }

    #[test]
    fn a_value_that_does_not_fit_is_told_what_would() {
        let wrong = |path, value: Value| check(path, &value).unwrap_err();
        assert_eq!(
            wrong("code.reuse", json!("yes")),
            "`code.reuse` is one of `refuse`, `accept`, `within-grace`, `from-others`, not \"yes\""
        );
        assert_eq!(wrong("authorize.unknown", json!("x")), "`authorize.unknown` is one of `ignore` or `refuse`, not \"x\"");
        assert_eq!(wrong("code.check_expiry", json!("no")), "`code.check_expiry` is true or false, not \"no\"");
        assert_eq!(wrong("code.lifetime", json!(-1)), "`code.lifetime` is a whole number from 0, not -1");
        assert_eq!(
            wrong("authorize.redirect_status", json!(70000)),
            "`authorize.redirect_status` is a whole number from 0 to 65535, not 70000"
        );
        assert_eq!(wrong("authorize.order", json!("code")), "`authorize.order` is a list of strings, not \"code\"");
        assert_eq!(
            wrong("pkce.methods", json!(["S256", "S257"])),
            "`pkce.methods` is a list of `S256`, `plain`, not of \"S257\""
        );
        assert_eq!(wrong("pkce.methods", json!("S256")), "`pkce.methods` is a list of `S256`, `plain`, not \"S256\"");
        let strange = wrong("robustness.crash_on", json!(["zz"]));
        assert!(strange.starts_with("`robustness.crash_on` is a list of `") && strange.ends_with("not such a list"), "{strange}");
        assert_eq!(wrong("access_token.format", json!("jwe")), "`access_token.format` is one of `jwt`, `opaque`, not \"jwe\"");
        assert_eq!(
            wrong("errors.token.used_code.challenge", json!("x")),
            "`errors.token.used_code.challenge` is one of `never`, `when-header-used`, `always`, not \"x\""
        );
        assert_eq!(wrong("code.prefix", json!(5)), "`code.prefix` is a string, not 5");
        assert_eq!(check("metadata.set.anything", &json!([1])), Ok(()));
    }

    #[test]
    fn the_words_are_those_of_the_tree() {
        for (pattern, words) in WORDS {
            let path = pattern.replace('*', if pattern.contains("authorize") { "malformed" } else { "method" });
            let mut tree = defaults().clone();
            let (members, name) = parent(&mut tree, &path).unwrap();
            assert!(words.contains(&members[name].as_str().unwrap()), "{path}");
        }
    }
}
