//! JSON Schemas of scenario and patch files, for editors.
//!
//! Files are read from a tree with positions, not through serde, so that every mistake gets its place. Here is the same grammar as
//! types, from which the schemas are generated; nothing is read with them but, in tests, every file there is: they cannot drift.

#![allow(dead_code, reason = "the fields are for the schema; only tests fill them")]

use schemars::{JsonSchema, schema_for};
use serde_json::Value as Json;

/// The JSON Schema of a scenario file.
#[must_use]
pub fn scenario() -> Json {
    schema_for!(file::ScenarioFile).to_value()
}

/// The JSON Schema of a file of faults, variants, profiles or scripts.
#[must_use]
pub fn patch() -> Json {
    schema_for!(patches::PatchFile).to_value()
}

/// Declares structs of the grammar.
macro_rules! grammar {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* })*) => {$(
        #[derive(JsonSchema)]
        #[cfg_attr(test, derive(serde::Deserialize))]
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($(#[$field_meta])* pub(super) $field: $kind,)* }
    )*};
}

/// Declares closed lists of words.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* })*) => {$(
        #[derive(JsonSchema)]
        #[cfg_attr(test, derive(serde::Deserialize))]
        $(#[$meta])*
        pub(super) enum $name { $(#[serde(rename = $word)] $variant,)* }
    )*};
}

/// Declares alternatives without a tag.
macro_rules! either {
    ($($(#[$meta:meta])* $name:ident $(<$param:ident>)? { $($variant:ident($kind:ty),)* })*) => {$(
        #[derive(JsonSchema)]
        #[cfg_attr(test, derive(serde::Deserialize))]
        $(#[$meta])*
        #[serde(untagged)]
        pub(super) enum $name $(<$param>)? { $($variant($kind),)* }
    )*};
}

mod checks;
mod clients;
mod file;
mod patches;
mod steps;

either! {
    /// One of it, or a list.
    OneOrMany<T> { One(T), Many(Vec<T>), }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::file::ScenarioFile;
    use super::patches::PatchFile;
    use super::*;
    use crate::embedded;
    use crate::scenario::tests::{EVERYTHING, EVERYTHING_OF_CLIENTS};

    #[test]
    fn every_file_fits_the_types() {
        for (name, text) in embedded::scenarios().into_iter().chain(everything()) {
            let read: Result<ScenarioFile, _> = toml::from_str(text);
            assert!(read.is_ok(), "{name}: {}", read.err().unwrap());
        }
        for (name, text) in [embedded::faults(), embedded::variants(), embedded::profiles()].into_iter().flatten() {
            let read: Result<PatchFile, _> = toml::from_str(text);
            assert!(read.is_ok(), "{name}: {}", read.err().unwrap());
        }
    }

    fn everything() -> [(String, &'static str); 2] {
        [("everything.toml".to_owned(), EVERYTHING), ("clients.toml".to_owned(), EVERYTHING_OF_CLIENTS)]
    }

    /// The other direction: whatever the schema offers stands in the file that has everything, which the loader reads.
    #[test]
    fn the_loader_knows_every_member() {
        let mut members = BTreeSet::new();
        properties(&scenario(), &mut members);
        let known = |member: &&String| {
            let fits = |end: &str| everything().iter().any(|(_, text)| text.contains(&format!("{member}{end}")));
            !(fits(" =") || fits("]"))
        };
        assert_eq!(members.iter().filter(known).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn schemas_are_closed_and_documented() {
        for schema in [scenario(), patch()] {
            let text = schema.to_string();
            assert!(text.contains("\"additionalProperties\":false") && text.contains("\"description\""));
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
        assert_eq!(scenario()["required"], serde_json::json!(["title", "severity", "why", "fix", "steps"]));
    }

    fn properties(schema: &Json, out: &mut BTreeSet<String>) {
        match schema {
            Json::Object(members) => {
                if let Some(Json::Object(found)) = members.get("properties") {
                    out.extend(found.keys().cloned());
                }
                members.values().for_each(|value| properties(value, out));
            }
            Json::Array(items) => items.iter().for_each(|item| properties(item, out)),
            _ => {}
        }
    }
}
