//! Which requirements are verified, which have a reason why none can be, and which have neither. Computed from pairs of a requirement
//! and a check that cites it: whence they come is not known here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Catalogue, Requirement};

/// How a requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As many checks cite it as it takes.
    Verified,
    /// No check does, and there is a written reason.
    Excused,
    /// Neither: no check and no reason, fewer checks than it takes, or checks in spite of a reason.
    Missing,
}

/// A requirement with the checks that verify it.
#[derive(Debug, Clone)]
pub struct Covered<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// The checks that cite it (`server/code/reused-code#refused`), each once, ordered.
    pub checks: BTreeSet<String>,
    /// How it stands.
    pub standing: Standing,
}

impl Covered<'_> {
    /// Why it is missing, in a few words; none where it is not.
    #[must_use]
    pub fn gap(&self) -> Option<String> {
        if self.standing != Standing::Missing {
            return None;
        }
        let (checks, items) = (self.checks.len(), self.requirement.items);
        Some(match (checks, self.requirement.unverified.is_empty()) {
            (0, _) => "no check and no reason".to_owned(),
            (_, true) => format!("{checks} of {items} checks"),
            (_, false) => "verified in spite of its reason".to_owned(),
        })
    }
}

/// How many requirements of one document stand how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The document, as requirement ids begin: `RFC6749`.
    pub id: String,
    /// All of its requirements.
    pub rows: usize,
    /// Those that are verified.
    pub verified: usize,
    /// Those with a reason.
    pub excused: usize,
    /// Those with neither.
    pub missing: usize,
}

impl Catalogue {
    /// How every requirement stands, given the checks that cite it: pairs of a requirement's id and a check's. Ordered by document and
    /// section as these are numbered. Citations of what is not in the catalogue are passed over.
    pub fn coverage(&self, citations: impl IntoIterator<Item = (String, String)>) -> Vec<Covered<'_>> {
        let mut checks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (requirement, check) in citations {
            checks.entry(requirement).or_default().insert(check);
        }
        let mut rows: Vec<&Requirement> = self.iter().collect();
        rows.sort_by_cached_key(|row| order(row));
        rows.into_iter().map(|row| covered(row, checks.remove(&row.id).unwrap_or_default())).collect()
    }
}

/// The totals of every document, in the order in which they come up.
#[must_use]
pub fn totals(rows: &[Covered<'_>]) -> Vec<Totals> {
    let mut all: Vec<Totals> = Vec::new();
    for row in rows {
        let id = row.requirement.document();
        if all.last().is_none_or(|totals| totals.id != id) {
            all.push(Totals { id: id.to_owned(), ..Totals::default() });
        }
        let Some(totals) = all.last_mut() else { continue };
        totals.rows += 1;
        match row.standing {
            Standing::Verified => totals.verified += 1,
            Standing::Excused => totals.excused += 1,
            Standing::Missing => totals.missing += 1,
        }
    }
    all
}

fn covered(requirement: &Requirement, checks: BTreeSet<String>) -> Covered<'_> {
    let standing = match (checks.len(), requirement.unverified.is_empty()) {
        (0, false) => Standing::Excused,
        (count, true) if count >= requirement.items.max(1) => Standing::Verified,
        _ => Standing::Missing,
    };
    Covered { requirement, checks, standing }
}

/// A key that orders section 10 behind section 9, and appendices behind both.
fn order(row: &Requirement) -> (String, Vec<(usize, String)>, String) {
    let part = |part: &str| (part.parse().unwrap_or(usize::MAX), part.to_owned());
    (row.document().to_owned(), row.section().split('.').map(part).collect(), row.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    fn catalogue(rows: &[(&str, &str)]) -> Catalogue {
        let table = |(id, more): &(&str, &str)| {
            format!("[\"{id}\"]\nkeyword = \"MUST\"\nbinds = \"server\"\ntext = \"x\"\nseverity = \"low\"\n{more}\n")
        };
        let mut all = Catalogue::default();
        all.load(&Source::new("test", rows.iter().map(table).collect::<String>())).unwrap();
        all
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, check)| ((*id).to_owned(), (*check).to_owned())).collect()
    }

    fn standing(more: &str, checks: &[&str]) -> (Standing, Option<String>) {
        let all = catalogue(&[("RFC6749-1-01", more)]);
        let rows = all.coverage(checks.iter().map(|check| ("RFC6749-1-01".to_owned(), (*check).to_owned())));
        (rows[0].standing, rows[0].gap())
    }

    #[test]
    fn a_check_or_a_reason_settles_a_requirement() {
        assert_eq!(standing("", &["a#b"]), (Standing::Verified, None));
        assert_eq!(standing("unverified = \"not observable\"", &[]), (Standing::Excused, None));
        assert_eq!(standing("", &[]), (Standing::Missing, Some("no check and no reason".into())));
    }

    #[test]
    fn a_reason_beside_a_check_is_stale() {
        let gap = Some("verified in spite of its reason".into());
        assert_eq!(standing("unverified = \"not observable\"", &["a#b"]), (Standing::Missing, gap));
    }

    #[test]
    fn a_list_takes_a_check_for_each_item() {
        assert_eq!(standing("items = 2", &["a#b", "a#b"]), (Standing::Missing, Some("1 of 2 checks".into())));
        assert_eq!(standing("items = 2", &["a#b", "a#c"]), (Standing::Verified, None));
    }

    #[test]
    fn rows_are_in_the_order_of_the_document_and_counted_by_it() {
        let ids = ["RFC7009-2-01", "RFC6749-A-a", "RFC6749-10.3-01", "RFC6749-2.1-a", "RFC6749-2.1-02"];
        let all = catalogue(&ids.map(|id| (id, "")));
        let rows = all.coverage(pairs(&[("RFC6749-A-a", "s#c"), ("RFC1-1-01", "s#c")]));
        let order: Vec<&str> = rows.iter().map(|row| row.requirement.id.as_str()).collect();
        assert_eq!(order, ["RFC6749-2.1-02", "RFC6749-2.1-a", "RFC6749-10.3-01", "RFC6749-A-a", "RFC7009-2-01"]);
        let first = Totals { id: "RFC6749".into(), rows: 4, verified: 1, excused: 0, missing: 3 };
        let second = Totals { id: "RFC7009".into(), rows: 1, verified: 0, excused: 0, missing: 1 };
        assert_eq!(totals(&rows), [first, second]);
    }
}
