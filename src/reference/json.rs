//! JSON objects whose repeated members are seen.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Duplicates;

/// Why a text is no object that the client takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotAnObject {
    /// No JSON, or none that begins with a brace.
    Other,
    /// The member of that name stands more than once.
    Repeated(String),
}

/// Reads an object.
pub(super) fn object(bytes: &[u8], duplicates: Duplicates) -> Result<Map<String, Value>, NotAnObject> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let pairs = reader.deserialize_map(Pairs).map_err(|_| NotAnObject::Other)?;
    reader.end().map_err(|_| NotAnObject::Other)?;
    let mut members = Map::new();
    for (name, value) in pairs {
        match duplicates {
            Duplicates::Refuse if members.contains_key(&name) => return Err(NotAnObject::Repeated(name)),
            Duplicates::First if members.contains_key(&name) => {}
            _ => drop(members.insert(name, value)),
        }
    }
    Ok(members)
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = access.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_members_count_as_told() {
        let text = br#"{"a": 1, "b": 2, "a": 3}"#;
        assert_eq!(object(text, Duplicates::First).unwrap()["a"], 1);
        assert_eq!(object(text, Duplicates::Last).unwrap()["a"], 3);
        assert_eq!(object(text, Duplicates::Refuse), Err(NotAnObject::Repeated("a".into())));
        for text in ["", "[]", "{\"a\":1", "{} x", "<html>"] {
            assert_eq!(object(text.as_bytes(), Duplicates::Last), Err(NotAnObject::Other), "{text}");
        }
    }
}
