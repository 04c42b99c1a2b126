//! Where the verbs that need only data get it: one adapter for each kind, from the modules that own it to plain rows.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::error::Error;
use super::rows::{FaultRow, PlanRow, ProfileRow, RequirementRow, Role, ScenarioRow, VariantRow};
use super::values::Schema;
use crate::catalog::{Catalogue, Plan};
use crate::policy::{Library, Patch, PatchKind};
use crate::problem::{Problem, Source};
use crate::reference::{self, ClientPatch, ClientPatchKind};
use crate::runner::Results;
use crate::scenario::{self, Suite};
use crate::target::Discovery;
use crate::target::config::{self, Config};

/// The scenarios that are built in.
///
/// # Errors
/// None, once they are checked by a test.
pub fn scenarios() -> Result<Vec<ScenarioRow>, Error> {
    let suite = Suite::embedded().map_err(Error::Problems)?;
    Ok(suite.iter().map(|scenario| ScenarioRow::of(scenario, Catalogue::embedded())).collect())
}

/// The faults that are built in, families by member.
#[must_use]
pub fn faults() -> Vec<FaultRow> {
    let row = |patch: &Patch| FaultRow {
        id: patch.id.clone(),
        role: Role::Server,
        title: patch.title.clone(),
        breaks: patch.breaks.iter().map(|id| id.get_ref().clone()).collect(),
        why: patch.why.clone(),
    };
    let of_client = |patch: &ClientPatch| FaultRow {
        id: patch.id.clone(),
        role: Role::Client,
        title: patch.title.clone(),
        breaks: patch.breaks.iter().map(|id| id.get_ref().clone()).collect(),
        why: patch.why.clone(),
    };
    let of_clients = reference::Library::embedded().faults().iter().map(of_client);
    Library::embedded().faults().map(row).chain(of_clients).collect()
}

/// The variants that are built in.
#[must_use]
pub fn variants() -> Vec<VariantRow> {
    let row = |patch: &Patch| VariantRow {
        id: patch.id.clone(),
        role: Role::Server,
        title: patch.title.clone(),
        declines: patch.declines.clone(),
        skips: patch.skips.clone(),
        plans: patch.plans.clone(),
        why: patch.why.clone(),
    };
    let of_client = |patch: &ClientPatch| VariantRow {
        id: patch.id.clone(),
        role: Role::Client,
        title: patch.title.clone(),
        declines: patch.declines.clone(),
        skips: patch.skips.clone(),
        plans: patch.plans.clone(),
        why: patch.why.clone(),
    };
    let of_clients = reference::Library::embedded().variants().iter().map(of_client);
    Library::embedded().variants().map(row).chain(of_clients).collect()
}

/// Whether an id names a fault or variant of the reference client, or a family of them.
#[must_use]
pub fn is_of_reference_client(kind: PatchKind, id: &str) -> bool {
    let library = reference::Library::embedded();
    let shelf = match kind {
        PatchKind::Fault => library.faults(),
        PatchKind::Variant => library.variants(),
        PatchKind::Profile | PatchKind::Script => return false,
    };
    shelf.iter().any(|patch| names(id, &patch.id))
}

/// Whether an id names a patch: by its own id, or by that of its family.
#[must_use]
pub fn names(id: &str, patch: &str) -> bool {
    patch.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The profiles that are built in, and the default.
#[must_use]
pub fn profiles() -> Vec<ProfileRow> {
    let strict = ProfileRow {
        id: "strict".into(),
        title: "Strictly conformant; the default".into(),
        why: "RFC 6749, 6750, 7636, 7009, 7662, 8414 and 9207, and the MUSTs of RFC 9700.".into(),
    };
    let row = |patch: &Patch| ProfileRow { id: patch.id.clone(), title: patch.title.clone(), why: patch.why.clone() };
    [strict].into_iter().chain(Library::embedded().profiles().map(row)).collect()
}

/// The requirement catalogue.
#[must_use]
pub fn requirements() -> Vec<RequirementRow> {
    Catalogue::embedded().iter().map(RequirementRow::from).collect()
}

/// The plans.
#[must_use]
pub fn plans() -> Vec<PlanRow> {
    let row = |plan: &Plan| PlanRow { id: plan.id.clone(), title: plan.title.clone(), date: plan.date.clone() };
    Plan::all().iter().map(row).collect()
}

/// What a file that is checked can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A scenario.
    Scenario,
    /// Faults, variants, profiles or a script of the mock.
    Patch(PatchKind),
    /// Faults or variants of the reference client.
    ClientPatch(ClientPatchKind),
    /// `oauthspec.toml`
    Config,
}

/// The mistakes in a file that is well-formed TOML.
#[must_use]
pub fn mistakes(kind: FileKind, source: &Arc<Source>) -> Vec<Problem> {
    match kind {
        FileKind::Scenario => scenario::load_one(source, &id_of(source)).err().unwrap_or_default(),
        FileKind::Patch(kind) => Library::embedded().check_file(kind, source),
        FileKind::ClientPatch(kind) => ClientPatch::parse(kind, source).err().unwrap_or_default(),
        FileKind::Config => {
            let folder =
                Path::new(&source.name).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // A secret that is not there yet is no mistake in the file.
            Config::parse(source, folder, &|name| Some(std::env::var(name).unwrap_or_else(|_| "unset".into())))
                .err()
                .unwrap_or_default()
        }
    }
}

/// The id that a file would have: its name without folder and ending.
fn id_of(source: &Source) -> String {
    Path::new(&source.name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The JSON Schema of a file format.
///
/// # Errors
/// Where this version has none.
pub fn schema(what: Schema) -> Result<Value, Error> {
    match what {
        Schema::Results => Ok(schemars::schema_for!(Results).to_value()),
        Schema::Config => Ok(config::schema()),
        Schema::Scenario => Ok(scenario::schema::scenario()),
        Schema::Patch => Ok(scenario::schema::patch()),
    }
}

/// The commented configuration, filled in from what an issuer publishes, or with an example.
#[must_use]
pub fn config_template(issuer: Option<&str>, discovery: Option<&Discovery>) -> String {
    let template = config::template(discovery);
    match (issuer, discovery) {
        (Some(issuer), None) => template.replacen("\"http://127.0.0.1:3000\"", &toml::Value::from(issuer).to_string(), 1),
        _ => template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_valid_configuration() {
        let source = Source::new("oauthspec.toml", config_template(None, None));
        assert_eq!(mistakes(FileKind::Config, &source), []);
    }

    #[test]
    fn an_issuer_is_filled_in_as_a_string() {
        let table: toml::Table = toml::from_str(&config_template(Some("https://as.example/\"x"), None)).unwrap();
        assert_eq!(table["server"]["issuer"].as_str(), Some("https://as.example/\"x"));
    }

    #[test]
    fn results_have_a_schema() {
        let schema = schema(Schema::Results).unwrap();
        assert!(schema["properties"]["scenarios"].is_object());
        assert!(!schema.to_string().contains("\"snapshot\""));
    }
}
