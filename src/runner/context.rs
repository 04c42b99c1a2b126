//! Variables: what `{login.got.code}` and the like stand for at a moment of a scenario.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use url::Url;

use super::ground::Clock;
use super::record::{Record, text_of};
use crate::oauth::{Compact, encoding};
use crate::scenario::{OF_STEP, Part, Template, Value};
use crate::target::{Client, Target};

/// What variables can refer to.
#[derive(Debug)]
pub struct Names<'a> {
    /// The target.
    pub target: &'a Target,
    /// The clients of the scenario.
    pub clients: &'a BTreeMap<String, Client>,
    /// Clients that steps registered, by the names of the steps.
    pub registered: BTreeMap<String, Client>,
    /// What came of the named steps.
    pub records: BTreeMap<String, Vec<Record>>,
    /// The values of the case; variables in them are filled in when they are used.
    pub case: BTreeMap<String, Value>,
    /// `{random}`.
    pub random: String,
    /// `{attacker}`: an issuer on another origin.
    pub attacker: Option<String>,
    /// The clock of the target, for `{now}`.
    pub clock: &'a Clock,
    /// The key set, once it was read.
    pub keys: Option<Json>,
}

/// A variable that has no value now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{0}}} has no value here")]
pub struct Unset(pub String);

impl Names<'_> {
    /// Fills a template in.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value: the server did not send that parameter, for example.
    pub fn fill(&self, template: &Template) -> Result<String, Unset> {
        let bytes = self.fill_bytes(template)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Fills a template in, keeping bytes that are no text.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value.
    pub fn fill_bytes(&self, template: &Template) -> Result<Vec<u8>, Unset> {
        let mut out = Vec::new();
        for part in template.parts() {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Variable(path) => out.extend(self.look_up(path).ok_or_else(|| Unset(path.join(".")))?),
            }
        }
        Ok(out)
    }

    /// A value as bytes, without any encoding.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value.
    pub fn plain(&self, value: &Value) -> Result<Vec<u8>, Unset> {
        match value {
            Value::Text(template) | Value::Raw(template) => self.fill_bytes(template),
            Value::Hex(bytes) => Ok(bytes.clone()),
            Value::Repeat { text, times } => Ok(text.repeat(*times as usize).into_bytes()),
        }
    }

    /// A value as it stands in a form or query: encoded, unless it is to go out as it is.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value.
    pub fn encoded(&self, value: &Value) -> Result<Vec<u8>, Unset> {
        match value {
            Value::Raw(template) => self.fill_bytes(template),
            Value::Text(template) if self.is_raw_case(template) => self.fill_bytes(template),
            Value::Text(template) => Ok(encoding::form(self.fill_bytes(template)?).into_bytes()),
            Value::Hex(bytes) => Ok(encoding::form(bytes).into_bytes()),
            Value::Repeat { .. } => self.plain(value),
        }
    }

    /// A JSON value with its strings filled in.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value.
    pub fn json(&self, value: &crate::scenario::Json) -> Result<Json, Unset> {
        use crate::scenario::Json as Written;
        Ok(match value {
            Written::Text(template) => Json::String(self.fill(template)?),
            Written::Array(items) => Json::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?),
            Written::Object(members) => {
                let filled = members.iter().map(|(name, value)| Ok((name.clone(), self.json(value)?)));
                Json::Object(filled.collect::<Result<_, Unset>>()?)
            }
            Written::Plain(value) => value.clone(),
        })
    }

    /// The values of a variable in every record of its step, for checks over several results.
    #[must_use]
    pub fn every(&self, template: &Template) -> Vec<String> {
        let Some(path) = template.variables().next() else { return Vec::new() };
        let Some(records) = path.first().and_then(|name| self.records.get(name)) else { return Vec::new() };
        let value = |record| of_token(record, &path[1..], self.keys.as_ref()).or_else(|| of_record(record, &path[1..]));
        records.iter().filter_map(value).collect()
    }

    /// A list, for `cases = { from = … }`.
    #[must_use]
    pub fn list(&self, template: &Template) -> Vec<String> {
        let Some(path) = template.variables().next() else { return Vec::new() };
        let value = match path.first().map(String::as_str) {
            Some("metadata") => self.metadata(&path[1..]),
            Some(name) => self.records.get(name).and_then(|records| records.last()).and_then(|record| record.json.clone()),
            None => None,
        };
        value.as_ref().and_then(Json::as_array).map(|items| items.iter().map(text_of).collect()).unwrap_or_default()
    }

    /// Whether a template is nothing but a case value that goes out as it is.
    fn is_raw_case(&self, template: &Template) -> bool {
        match template.parts() {
            [Part::Variable(path)] if path.len() == 2 && path[0] == "case" => {
                matches!(self.case.get(&path[1]), Some(Value::Raw(_) | Value::Repeat { .. }))
            }
            _ => false,
        }
    }

    fn look_up(&self, path: &[String]) -> Option<Vec<u8>> {
        let (root, rest) = path.split_first()?;
        match root.as_str() {
            "case" => match self.case.get(rest.first()?)? {
                // A value of a case that names values of the case would never end.
                Value::Text(template) | Value::Raw(template) if template.variables().any(|path| path[0] == "case") => None,
                value => self.plain(value).ok(),
            },
            "issuer" => of_issuer(&self.target.issuer, rest).map(String::into_bytes),
            "attacker" => self.attacker.clone().map(String::into_bytes),
            // A slash at the end of the issuer goes (OpenID Connect Discovery section 4.1).
            "openid_configuration" => {
                Some(format!("{}/.well-known/openid-configuration", self.target.issuer.trim_end_matches('/')).into_bytes())
            }
            "random" => Some(self.random.clone().into_bytes()),
            "now" => {
                let before = rest.get(1).and_then(|span| span.parse::<i64>().ok()).unwrap_or(0);
                Some((i64::try_from(self.clock.seconds()).ok()? - before).to_string().into_bytes())
            }
            "metadata" => self.metadata(rest).map(|value| text_of(&value).into_bytes()),
            "endpoint" => self.target.endpoints.get(rest.first()?).map(|url| url.as_bytes().to_vec()),
            name => match (self.clients.get(name), self.records.get(name)) {
                (Some(client), _) => of_client(client, rest).map(String::into_bytes),
                (None, Some(records)) => {
                    let record = records.last()?;
                    of_token(record, rest, self.keys.as_ref()).or_else(|| of_record(record, rest)).map(String::into_bytes)
                }
                (None, None) => None,
            },
        }
    }

    fn metadata(&self, path: &[String]) -> Option<Json> {
        self.target.metadata.as_ref()?.get(path.first()?).cloned()
    }
}

/// What stands in a JSON Web Token that came back, or what is forged of it.
fn of_token(record: &Record, path: &[String], keys: Option<&Json>) -> Option<String> {
    let (member, rest) = path.split_first()?;
    if OF_STEP.contains(&member.as_str()) {
        return None;
    }
    let token = record.got(member).as_ref().map(text_of)?;
    match rest {
        [forgery] => super::forge::forge(&token, forgery, keys),
        [part, name] => {
            let token = Compact::parse(&token)?;
            let members = if part == "header" { token.header } else { token.claims };
            members.get(name).map(text_of)
        }
        _ => None,
    }
}

fn of_record(record: &Record, path: &[String]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    match (first.as_str(), rest.first()) {
        ("sent", Some(name)) => record.sent.get(name).map(std::borrow::Cow::into_owned),
        ("got", Some(name)) => record.got(name).as_ref().map(text_of),
        ("headers", Some(name)) => record.headers.joined(name),
        ("status", None) => record.status.map(|status| status.to_string()),
        ("callback", None) => record.callback.clone(),
        ("code_verifier", None) => record.code_verifier.clone(),
        (name, None) => record.got(name).as_ref().map(text_of),
        _ => None,
    }
}

fn of_client(client: &Client, path: &[String]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "client_id" => Some(client.client_id.clone()),
        "client_secret" => client.client_secret.clone(),
        // A secret without letters has no other case.
        "client_secret_swapped" => client
            .client_secret
            .as_deref()
            .map(|secret| (secret, case_swapped(secret)))
            .and_then(|(secret, swapped)| if swapped == secret { None } else { Some(swapped) }),
        "scope" => Some(client.scopes.join(" ")),
        "scope_first" => client.scopes.first().cloned(),
        "scope_last" => client.scopes.last().cloned(),
        "scope_reversed" => Some(client.scopes.iter().rev().cloned().collect::<Vec<_>>().join(" ")),
        "redirect_uri" => uri_part(client.redirect_uris.first()?, rest.first().map(String::as_str)),
        "start_url" => uri_part(client.start_url.as_ref()?, rest.first().map(String::as_str)),
        "redirect_uri_2" => uri_part(client.redirect_uris.get(1)?, rest.first().map(String::as_str)),
        _ => None,
    }
}

/// The issuer, or its parts as RFC 8414 section 3.1 takes it apart: the path has no slash at its end.
fn of_issuer(issuer: &str, path: &[String]) -> Option<String> {
    match path.first().map(String::as_str) {
        Some("path") => uri_part(issuer, Some("path")).map(|path| path.trim_end_matches('/').to_owned()),
        part => uri_part(issuer, part),
    }
}

fn case_swapped(text: &str) -> String {
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(swap).collect()
}

/// With every letter percent-encoded: another string for the same resource (RFC 3986 section 6.2.2.2).
fn letters_encoded(text: &str) -> String {
    let encode = |c: char| if c.is_ascii_alphabetic() { format!("%{:02x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(encode).collect()
}

fn uri_part(uri: &str, part: Option<&str>) -> Option<String> {
    let Some(part) = part else { return Some(uri.to_owned()) };
    let parsed = Url::parse(uri).ok()?;
    let host = parsed.host_str().unwrap_or_default().to_owned();
    let authority = parsed.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    match part {
        "scheme" => Some(parsed.scheme().to_owned()),
        "host" => Some(host),
        "host_undotted" => Some(host.replace('.', "x")),
        "host_upper" => Some(host.to_ascii_uppercase()),
        "port" => Some(parsed.port_or_known_default().map(|port| port.to_string()).unwrap_or_default()),
        "authority" => Some(authority),
        "origin" => Some(format!("{}://{authority}", parsed.scheme())),
        "path" => Some(parsed.path().to_owned()),
        "path_encoded" => Some(letters_encoded(parsed.path())),
        "path_upper" => Some(parsed.path().to_ascii_uppercase()),
        "query" => parsed.query().map(str::to_owned),
        _ => None,
    }
}
