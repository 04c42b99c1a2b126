//! Where the verbs that need only data get it: one adapter for each kind, from the modules that own it to plain rows.

use std::sync::Arc;

use serde_json::Value;

use super::error::Error;
use super::rows::{FaultRow, PlanRow, ProfileRow, RequirementRow, ScenarioRow, VariantRow};
use super::values::Schema;
use crate::catalog::Catalogue;
use crate::problem::{Problem, Source};
use crate::runner::Results;

/// The scenarios that are built in.
///
/// # Errors
/// None, once they are checked by a test.
pub fn scenarios() -> Result<Vec<ScenarioRow>, Error> {
    Ok(Vec::new())
}

/// The faults that are built in, families by member.
///
/// # Errors
/// As [`scenarios`].
pub fn faults() -> Result<Vec<FaultRow>, Error> {
    Ok(Vec::new())
}

/// The variants that are built in.
///
/// # Errors
/// As [`scenarios`].
pub fn variants() -> Result<Vec<VariantRow>, Error> {
    Ok(Vec::new())
}

/// The profiles that are built in.
///
/// # Errors
/// As [`scenarios`].
pub fn profiles() -> Result<Vec<ProfileRow>, Error> {
    Ok(Vec::new())
}

/// The requirement catalogue.
#[must_use]
pub fn requirements() -> Vec<RequirementRow> {
    Catalogue::embedded().iter().map(RequirementRow::from).collect()
}

/// The plans.
#[must_use]
pub fn plans() -> Vec<PlanRow> {
    Vec::new()
}

/// What a file that is checked can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A scenario.
    Scenario,
    /// Faults, variants, profiles or a script.
    Patch,
    /// `oauthspec.toml`
    Config,
}

/// The mistakes in a file that is well-formed TOML.
#[must_use]
pub fn mistakes(kind: FileKind, source: &Arc<Source>) -> Vec<Problem> {
    match (kind, source) {
        (FileKind::Scenario | FileKind::Patch | FileKind::Config, _) => Vec::new(),
    }
}

/// The JSON Schema of a file format.
///
/// # Errors
/// Where this version has none.
pub fn schema(what: Schema) -> Result<Value, Error> {
    match what {
        Schema::Results => Ok(schemars::schema_for!(Results).to_value()),
        Schema::Config => Err(Error::NotImplemented { what: "schema config" }),
        Schema::Scenario => Err(Error::NotImplemented { what: "schema scenario" }),
        Schema::Patch => Err(Error::NotImplemented { what: "schema patch" }),
    }
}

/// The commented configuration, with that issuer or an example.
#[must_use]
pub fn config_template(issuer: Option<&str>) -> String {
    let template = include_str!("oauthspec.toml");
    match issuer {
        Some(issuer) => template.replacen("\"http://127.0.0.1:3000\"", &toml::Value::from(issuer).to_string(), 1),
        None => template.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_toml_with_and_without_its_comments() {
        let template = config_template(None);
        toml::from_str::<toml::Table>(&template).unwrap();
        // Lines that begin with `#` and no blank are settings that wait to be used; the others are prose.
        let used: String = template
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |all, line| all + line + "\n");
        let table: toml::Table = toml::from_str(&used).unwrap();
        assert_eq!(table.keys().collect::<Vec<_>>(), ["server", "waivers"]);
        assert!(table["server"]["login"]["steps"].is_array());
    }

    #[test]
    fn an_issuer_is_filled_in_as_a_string() {
        let table: toml::Table = toml::from_str(&config_template(Some("https://as.example/\"x"))).unwrap();
        assert_eq!(table["server"]["issuer"].as_str(), Some("https://as.example/\"x"));
    }

    #[test]
    fn results_have_a_schema() {
        let schema = schema(Schema::Results).unwrap();
        assert!(schema["properties"]["scenarios"].is_object());
        assert!(!schema.to_string().contains("\"snapshot\""));
    }
}
