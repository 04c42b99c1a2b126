//! A control request as handlers see it: its realm, its query and its body as typed values, every mistake in them told with its place.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use super::shape::{Shape, Unique};
use super::trouble::{Flaw, Trouble};
use crate::mock::Realm;
use crate::mock::realms::Realms;
use crate::oauth::{Params, Request};
use crate::problem::nearest;

/// What a handler is given.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) realms: Arc<Realms>,
    pub(super) request: Request,
    /// The values of what stands in braces in the path of the route.
    pub(super) path: Vec<(&'static str, String)>,
}

/// Neither parameters nor members.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl Ask {
    /// What stands in the path for a name in braces.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The realm that the path names.
    pub(super) fn realm(&self) -> Result<Realm, Trouble> {
        let name = self.part("realm");
        self.realms.get(name).ok_or_else(|| {
            let all = self.realms.all();
            Trouble::missing("realm", name, all.iter().map(|held| held.realm.name()))
        })
    }

    /// The query, typed.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        let params = Params::parse_lossy(self.request.query().unwrap_or("").as_bytes());
        if let Some(name) = params.repeated().into_iter().next() {
            return Err(Trouble::parameter(name, "it stands more than once"));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let members: Map<String, Value> = params.iter().map(|(name, value)| (text(name), Value::from(text(value)))).collect();
        serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
            let flaw = flaw("parameter", error.path(), &error.inner().to_string());
            let name = flaw.pointer.as_deref().unwrap_or_default().trim_start_matches('/').to_owned();
            Trouble::flaws(vec![Flaw { pointer: None, parameter: Some(name), ..flaw }])
        })
    }

    /// The body, typed; an empty one is an object without members.
    pub(super) fn body<T: DeserializeOwned>(&self, shape: &Shape) -> Result<T, Trouble> {
        let body: &[u8] = if self.request.body.is_empty() { b"{}" } else { &self.request.body };
        let value = json(body)?;
        match shape.flaw(&value) {
            Some(flaw) => Err(Trouble::flaws(vec![flaw])),
            None => typed(value, ""),
        }
    }
}

/// Whether an answer is for a person's browser, by the `Accept` field.
pub(super) fn wants_page(accept: &str) -> bool {
    let place = |kind: &str| accept.split(',').position(|range| range.split(';').next().unwrap_or("").trim() == kind);
    match (place("text/html"), place("application/json")) {
        (Some(page), Some(json)) => page < json,
        (page, None) => page.is_some(),
        (None, Some(_)) => false,
    }
}

/// JSON in which no member stands twice.
fn json(body: &[u8]) -> Result<Value, Trouble> {
    let no_json = |error: &serde_json::Error| {
        Trouble::at("", format!("the body is no JSON: {error}")).help("send a JSON object, or no body at all")
    };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read: Result<Unique, _> = serde_path_to_error::deserialize(&mut reader);
    let Unique(value) = read.map_err(|error| match error.inner().is_data() {
        true => Trouble::flaws(vec![flaw("member", error.path(), &error.inner().to_string())]),
        false => no_json(error.inner()),
    })?;
    reader.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

/// A value that stands at a pointer in the body, typed.
pub(super) fn typed<T: DeserializeOwned>(value: Value, at: &str) -> Result<T, Trouble> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let flaw = flaw("member", error.path(), &error.inner().to_string());
        let pointer = format!("{at}{}", flaw.pointer.unwrap_or_default());
        Trouble::flaws(vec![Flaw { pointer: Some(pointer), ..flaw }])
    })
}

/// The parser's message with its place; for an unknown member with the one that was probably meant.
fn flaw(what: &str, path: &Path, message: &str) -> Flaw {
    let mut pointer = pointer(path);
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (detail, help) = match quoted.split_first() {
        Some((wrong, known)) if message.starts_with("unknown field") => {
            let last = format!("/{}", escaped(wrong));
            if !pointer.ends_with(&last) {
                pointer.push_str(&last);
            }
            unknown(what, wrong, known.iter().copied())
        }
        Some((twice, _)) if message.starts_with("duplicate field") => {
            pointer.push_str(&format!("/{}", escaped(twice)));
            (format!("`{twice}` stands twice"), None)
        }
        Some((missing, _)) if message.starts_with("missing field") => (format!("`{missing}` is missing"), None),
        _ => (message.to_owned(), None),
    };
    Flaw { pointer: Some(pointer), parameter: None, detail, help }
}

/// What is said of a word that nobody knows, and how to mend it.
pub(super) fn unknown<'a>(what: &str, wrong: &str, known: impl Iterator<Item = &'a str>) -> (String, Option<String>) {
    let known: Vec<&str> = known.collect();
    let help = match nearest(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("no {what} is known here"),
        None => format!("known here: {}", known.join(", ")),
    };
    (format!("unknown {what} `{wrong}`"), Some(help))
}

fn pointer(path: &Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { variant } => format!("/{}", escaped(variant)),
        Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

/// A name as a JSON pointer holds it (RFC 6901 section 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
