//! Requirements as they stand in `fixtures/requirements/*.toml`, one file per specification.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Level, Severity};
use crate::embedded;
use crate::problem::{Problem, Source};

/// One normative statement of a specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `RFC6749-4.1.2-05`: document, section, ordinal of the keyword in it; a letter where no keyword stands.
    #[serde(skip_deserializing)]
    pub id: String,
    /// The keyword of RFC 2119, or `must` / `should` in lower case for a statement without one.
    pub keyword: String,
    /// Whom it binds: `server`, `client`, `resource-server`, `both`.
    pub binds: String,
    /// What it says, in our own words.
    pub text: String,
    /// How much harm a breach does.
    pub severity: Severity,
    /// Why no scenario can verify it; empty where one does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unverified: String,
    /// How many checks it takes: the items of the list that it stands before; 1 where there is none.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub items: usize,
}

impl Requirement {
    /// How strongly it binds.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::of_keyword(&self.keyword.to_ascii_uppercase())
    }

    /// The document: `RFC6749`.
    #[must_use]
    pub fn document(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// The section: `4.1.2`.
    #[must_use]
    pub fn section(&self) -> &str {
        let rest = self.id.split_once('-').map_or("", |(_, rest)| rest);
        rest.rsplit_once('-').map_or("", |(section, _)| section)
    }

    /// The document and section: `RFC 6749 section 4.1.2`.
    #[must_use]
    pub fn clause(&self) -> String {
        let document = self.document();
        let named = match document {
            "OIDCCORE" => Some("OpenID Connect Core"),
            "OIDCLOGOUT" => Some("OpenID Connect RP-Initiated Logout"),
            "OIDCDISCOVERY" => Some("OpenID Connect Discovery"),
            _ => None,
        };
        if let Some(name) = named {
            return format!("{name} section {}", self.section());
        }
        let split = document.find(|c: char| c.is_ascii_digit()).unwrap_or(document.len());
        let (series, number) = document.split_at(split);
        format!("{} section {}", format!("{series} {number}").trim(), self.section())
    }
}

fn one() -> usize {
    1
}

fn is_one(items: &usize) -> bool {
    *items == 1
}

/// Every requirement, by id.
#[derive(Debug, Default)]
pub struct Catalogue(BTreeMap<String, Requirement>);

impl Catalogue {
    /// The catalogue that is built in.
    ///
    /// # Panics
    /// Never in a released binary: the embedded files are loaded by a unit test.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
            let mut all = Catalogue::default();
            for (name, text) in embedded::requirements() {
                all.load(&Source::new(name, text)).expect("the embedded catalogue is checked by a test");
            }
            all
        });
        &CATALOGUE
    }

    /// Adds the requirements of one file: a table per id.
    ///
    /// # Errors
    /// Where the file is no such table, or an id is there already.
    pub fn load(&mut self, source: &std::sync::Arc<Source>) -> Result<(), Box<Problem>> {
        let rows: BTreeMap<toml::Spanned<String>, Requirement> =
            toml::from_str(&source.text).map_err(|error| Problem::from_toml(source, &error))?;
        for (id, mut row) in rows {
            row.id = id.get_ref().clone();
            if self.0.insert(row.id.clone(), row).is_some() {
                return Err(Problem::new(source, id.span(), format!("{} stands twice", id.get_ref())).into());
            }
        }
        Ok(())
    }

    /// The requirement of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.0.get(id)
    }

    /// All requirements, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_loads() {
        assert!(Catalogue::embedded().iter().count() > 0);
    }

    #[test]
    fn clauses_are_readable() {
        let text = "[\"RFC6749-4.1.2-05\"]\nkeyword = \"MUST\"\nbinds = \"server\"\ntext = \"x\"\nseverity = \"critical\"\n";
        let mut all = Catalogue::default();
        all.load(&Source::new("test", text)).unwrap();
        assert_eq!(all.get("RFC6749-4.1.2-05").unwrap().clause(), "RFC 6749 section 4.1.2");
    }
}
