//! Plans: frozen, dated sets of scenarios and rulings by which a target is measured, from `fixtures/plans.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::embedded;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its id: `bcp`.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// When it was frozen: year and month.
    pub date: String,
    /// The documents that it measures by, as requirement ids begin: `RFC6749`.
    pub documents: Vec<String>,
    /// The variants that make the strict mock conformant to it.
    #[serde(default)]
    pub mock: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plan: Vec<Plan>,
}

impl Plan {
    /// Every plan; the first is the default.
    ///
    /// # Panics
    /// Never in a released binary: the embedded file is loaded by a unit test.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
            let file: File = toml::from_str(embedded::PLANS).expect("the embedded plans are checked by a test");
            file.plan
        });
        &PLANS
    }

    /// The plan of that id.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|plan| plan.id == id)
    }

    /// Its id with its date, as verdicts name it: `bcp@2026-11`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.id, self.date)
    }

    /// Whether it measures by the document of that requirement.
    #[must_use]
    pub fn holds(&self, requirement: &str) -> bool {
        let document = requirement.split('-').next().unwrap_or_default();
        self.documents.iter().any(|one| one == document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_best_current_practice() {
        assert_eq!(Plan::all()[0].name(), "bcp@2026-11");
        assert!(Plan::all()[0].holds("RFC9700-2.1-01"));
        assert!(!Plan::of("rfc6749").unwrap().holds("RFC9700-2.1-01"));
    }

    #[test]
    fn every_requirement_belongs_to_a_plan() {
        for requirement in crate::catalog::Catalogue::embedded().iter() {
            assert!(Plan::all().iter().any(|plan| plan.holds(&requirement.id)), "{}", requirement.id);
        }
    }
}
