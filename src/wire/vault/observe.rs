//! Finds secrets in an exchange by the names under which they stand.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::fields::fields;
use super::names;
use crate::oauth::{Exchange, Headers, encoding};

static JWT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}").expect("a constant expression")
});
static MEMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""([A-Za-z_][A-Za-z0-9_.\-]*)"\s*:\s*"((?:[^"\\]|\\.)*)"#).expect("a constant expression"));

/// A kind and a value.
pub(super) type Secret = (&'static str, Vec<u8>);

/// Every secret of an exchange, in the order in which it appears.
pub(super) fn secrets(exchange: &Exchange) -> Vec<Secret> {
    let mut found = Found::default();
    let request = &exchange.request;
    found.text(&request.url, 2);
    found.headers(&request.headers);
    found.body(&request.body);
    if let Some(response) = exchange.response() {
        found.headers(&response.headers);
        found.body(&response.body);
    }
    found.0
}

/// Everything that has the form of a JWS or JWE in compact serialisation.
pub(super) fn json_web_tokens(text: &str) -> impl Iterator<Item = &str> {
    // Nearly no text holds one, and it is asked of every field of every exchange.
    let begins = text.contains("eyJ").then(|| JWT.find_iter(text));
    begins.into_iter().flatten().map(|found| found.as_str())
}

#[derive(Default)]
struct Found(Vec<Secret>);

impl Found {
    fn add(&mut self, kind: &'static str, value: impl Into<Vec<u8>>) {
        self.0.push((kind, value.into()));
    }

    fn headers(&mut self, headers: &Headers) {
        for (name, value) in headers.iter() {
            let text = String::from_utf8_lossy(value);
            match name.to_ascii_lowercase().as_str() {
                "authorization" | "proxy-authorization" => self.credentials(text.trim()),
                "cookie" => text.split(';').for_each(|pair| self.cookie(pair)),
                "set-cookie" => self.cookie(text.split(';').next().unwrap_or_default()),
                other => {
                    if let Some(kind) = names::kind_of(other) {
                        self.add(kind, text.trim());
                    }
                    self.text(&text, 2);
                }
            }
        }
    }

    fn credentials(&mut self, value: &str) {
        let Some((scheme, credentials)) = value.split_once(' ') else {
            self.add("credentials", value);
            return;
        };
        let credentials = credentials.trim();
        if !scheme.eq_ignore_ascii_case("basic") {
            self.add(if scheme.eq_ignore_ascii_case("bearer") { "access_token" } else { "credentials" }, credentials);
            return;
        }
        self.add("basic", credentials);
        let padded = format!("{}{}", credentials, "=".repeat((4 - credentials.len() % 4) % 4));
        let decoded = encoding::from_base64(&padded.replace('-', "+").replace('_', "/"));
        let secret = decoded.and_then(|pair| pair.iter().position(|&b| b == b':').map(|at| pair[at + 1..].to_vec()));
        if let Some(secret) = secret {
            if let Some(decoded) = encoding::from_form(&secret) {
                self.add("client_secret", decoded);
            }
            self.add("client_secret", secret);
        }
    }

    fn cookie(&mut self, pair: &str) {
        let Some((_, value)) = pair.split_once('=') else { return };
        let value = value.trim().trim_matches('"');
        self.add("cookie", value);
        if let Some(decoded) = encoding::from_percent(value.as_bytes())
            && decoded != value.as_bytes()
        {
            self.add("cookie", decoded);
        }
    }

    fn body(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        if text.is_empty() {
            return;
        }
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            self.json(&value);
        } else {
            self.members(&text);
            self.html(&text);
        }
        self.text(&text, 2);
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if let (Some(kind), Value::String(text)) = (names::kind_of(name), value) {
                        self.member(kind, text);
                    }
                    self.json(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.json(value)),
            Value::String(text) => self.text(text, 1),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// JSON inside something else, or cut.
    fn members(&mut self, text: &str) {
        for member in MEMBER.captures_iter(text) {
            if let Some(kind) = names::kind_of(&member[1]) {
                let unescaped = serde_json::from_str::<String>(&format!("\"{}\"", &member[2]));
                self.member(kind, &unescaped.unwrap_or_else(|_| member[2].to_owned()));
            }
        }
    }

    /// `code`, `state` and `token` name other things than secrets too, in the JSON of others: words and sentences are none.
    fn member(&mut self, kind: &'static str, text: &str) {
        let wordy = text.contains(char::is_whitespace)
            || text.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'))
            || text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if !wordy || matches!(kind, "password" | "client_secret" | "access_token" | "refresh_token") {
            self.add(kind, text);
        }
    }

    fn html(&mut self, text: &str) {
        for field in fields(text) {
            let hidden = field.kind.is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
            let (name, value) = match field.tag {
                "input" if hidden => (field.name.unwrap_or_default(), field.value),
                "meta" => (field.name.unwrap_or_default(), field.content),
                _ => continue,
            };
            let Some(value) = value else { continue };
            if let Some(kind) = names::kind_of(&name) {
                self.add(kind, &*value);
            } else if hidden && !names::is_public(&name) && looks_random(&value) {
                self.add("hidden", &*value);
            }
        }
    }

    /// `name=value` wherever it stands, also inside a percent-encoded value, so many levels deep.
    fn text(&mut self, text: &str, depth: usize) {
        for (name, value) in pairs(text) {
            if let Some(kind) = names::kind_of(name) {
                self.add(kind, encoding::from_form(value.as_bytes()).unwrap_or_else(|| value.as_bytes().to_vec()));
            }
        }
        for token in json_web_tokens(text) {
            self.add("jwt", token);
        }
        if depth > 0
            && (text.contains("%3D") || text.contains("%3d"))
            && let Cow::Owned(decoded) = decode_once(text)
        {
            self.text(&decoded, depth - 1);
        }
    }
}

/// Every `name=value` in a text. A name begins with a letter; a value ends where in a URL, a header field, a form or a page it would.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let ends_value = |c: char| c.is_whitespace() || matches!(c, '&' | ';' | '"' | '\'' | '<' | '>' | ',' | '\\' | '#');
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (before, after) = rest.split_once('=')?;
            let word = &before[before.trim_end_matches(in_name).len()..];
            let name = word.trim_start_matches(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
            let value = &after[..after.find(ends_value).unwrap_or(after.len())];
            let whole = !name.is_empty() && !value.is_empty();
            rest = if whole { &after[value.len()..] } else { after };
            if whole {
                return Some((name, value));
            }
        }
    })
}

fn decode_once(text: &str) -> Cow<'_, str> {
    match encoding::from_percent(text.as_bytes()) {
        Some(decoded) => Cow::Owned(String::from_utf8_lossy(&decoded).into_owned()),
        None => Cow::Borrowed(text),
    }
}

/// Long, of the characters of tokens, letters and digits mixed, and no URL.
fn looks_random(value: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "_-.+/=~:%|".contains(c);
    value.len() >= 16
        && !value.contains("://")
        && value.chars().all(token)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
}
