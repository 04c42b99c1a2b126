//! What can be listed and explained, as plain data. `serde` gives what `oauthspec list --format json` prints; what is skipped there is for
//! `oauthspec explain`.

use serde::Serialize;

use crate::catalog::{Catalogue, Level, Requirement, Severity};
use crate::scenario::Scenario;

/// Which party something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Authorization servers, and the mock.
    Server,
    /// Clients, and the reference client.
    Client,
}

impl Role {
    /// Its word: in lists, and as the folder of the scenarios about it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// A scenario.
#[derive(Debug, Clone, Serialize)]
pub struct ScenarioRow {
    /// Its id.
    pub id: String,
    /// The behaviour that is right.
    pub title: String,
    /// Whom it tests.
    pub role: Role,
    /// The strongest level of its checks.
    pub level: Level,
    /// The harm of its gravest check.
    pub severity: Severity,
    /// The requirements that its checks verify, each once, in the order of the file.
    pub requirements: Vec<String>,
    /// Patterns of the faults that it catches.
    pub catches: Vec<String>,
    /// Why it matters.
    #[serde(skip)]
    pub why: String,
    /// How to mend what fails.
    #[serde(skip)]
    pub fix: String,
    /// The file.
    #[serde(skip)]
    pub file: String,
}

impl ScenarioRow {
    /// A scenario that was loaded; level and requirements follow from its checks.
    #[must_use]
    pub fn of(scenario: &Scenario, catalogue: &Catalogue) -> Self {
        Self {
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            role: if scenario.is_about_clients() { Role::Client } else { Role::Server },
            level: scenario.level(catalogue),
            severity: scenario.severity,
            requirements: scenario.requirements(),
            catches: scenario.catches.iter().map(|pattern| pattern.get_ref().clone()).collect(),
            why: scenario.why.clone(),
            fix: scenario.fix.clone(),
            file: scenario.source.name.clone(),
        }
    }
}

/// A fault.
#[derive(Debug, Clone, Serialize)]
pub struct FaultRow {
    /// Its id.
    pub id: String,
    /// Whose it is: the mock's, or the reference client's.
    pub role: Role,
    /// What they do under it.
    pub title: String,
    /// The requirements that it breaks.
    pub breaks: Vec<String>,
    /// More about it; may be empty.
    #[serde(skip)]
    pub why: String,
}

/// A variant.
#[derive(Debug, Clone, Serialize)]
pub struct VariantRow {
    /// Its id.
    pub id: String,
    /// Whose it is: the mock's, or the reference client's.
    pub role: Role,
    /// What they do under it.
    pub title: String,
    /// Checks that may warn under it.
    pub declines: Vec<String>,
    /// Scenarios that may be skipped under it.
    pub skips: Vec<String>,
    /// The plans under which it is conformant; empty: all.
    pub plans: Vec<String>,
    /// More about it; may be empty.
    #[serde(skip)]
    pub why: String,
}

/// A profile.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileRow {
    /// Its id.
    pub id: String,
    /// Which provider.
    pub title: String,
    /// More about it; may be empty.
    #[serde(skip)]
    pub why: String,
}

/// A requirement.
#[derive(Debug, Clone, Serialize)]
pub struct RequirementRow {
    /// Its id.
    pub id: String,
    /// Its keyword.
    pub keyword: String,
    /// Whom it binds.
    pub binds: String,
    /// How strongly.
    pub level: Level,
    /// The harm of a breach.
    pub severity: Severity,
    /// What it says.
    pub text: String,
    /// Why no scenario can verify it.
    pub reason: Option<String>,
    /// The document and section.
    #[serde(skip)]
    pub clause: String,
}

impl From<&Requirement> for RequirementRow {
    fn from(requirement: &Requirement) -> Self {
        Self {
            id: requirement.id.clone(),
            keyword: requirement.keyword.clone(),
            binds: requirement.binds.clone(),
            level: requirement.level(),
            severity: requirement.severity,
            text: requirement.text.clone(),
            reason: Some(requirement.unverified.clone()).filter(|reason| !reason.is_empty()),
            clause: requirement.clause(),
        }
    }
}

/// A plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanRow {
    /// Its name.
    pub id: String,
    /// What it measures by.
    pub title: String,
    /// When it was frozen.
    pub date: String,
}
