//! Waivers: failures and warnings that are excused, with a reason and an end.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobMatcher};

use super::result::{ScenarioResult, Verdict};
use super::verdict::aggregate;

/// One waiver, still in force.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The pattern as written: a glob on ids, with `#check` for one check.
    pub pattern: String,
    /// Why.
    pub reason: String,
}

/// The waivers of a run.
#[derive(Debug, Clone, Default)]
pub struct Waivers {
    entries: Arc<Vec<Entry>>,
    used: Arc<Mutex<HashSet<usize>>>,
}

#[derive(Debug)]
struct Entry {
    waiver: Waiver,
    scenario: GlobMatcher,
    check: Option<String>,
}

impl Waivers {
    /// Reads the patterns.
    ///
    /// # Errors
    /// The pattern that cannot be read, and why.
    pub fn new(waivers: Vec<Waiver>) -> Result<Self, String> {
        let mut entries = Vec::new();
        for waiver in waivers {
            let (scenario, check) = match waiver.pattern.split_once('#') {
                Some((scenario, check)) => (scenario, Some(check.to_owned())),
                None => (waiver.pattern.as_str(), None),
            };
            let glob = GlobBuilder::new(scenario).literal_separator(false).build();
            let scenario = glob.map_err(|error| format!("waiver {}: {error}", waiver.pattern))?.compile_matcher();
            entries.push(Entry { waiver, scenario, check });
        }
        Ok(Self { entries: Arc::new(entries), used: Arc::default() })
    }

    /// Excuses what is excused in a result; the scenario is waived only where nothing else fails or warns.
    pub fn apply(&self, result: &mut ScenarioResult) {
        let mut reason = None;
        for (index, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.scenario.is_match(&result.id)) {
            for check in &mut result.checks {
                let named = entry.check.as_ref().is_none_or(|name| *name == check.name);
                if named && matches!(check.verdict, Verdict::Fail | Verdict::Warn) {
                    check.verdict = Verdict::Waived;
                    reason = Some(entry.waiver.reason.clone());
                    self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
                }
            }
        }
        if reason.is_some() && result.verdict != Verdict::Error {
            result.verdict = aggregate(&result.checks);
            result.waiver = reason;
        }
    }

    /// Patterns that excused nothing although every scenario that they match was run and judged.
    #[must_use]
    pub fn stale(&self, results: &BTreeMap<String, ScenarioResult>) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = |entry: &Entry| {
            let mut matched = results.values().filter(|result| entry.scenario.is_match(&result.id)).peekable();
            matched.peek().is_some() && matched.all(|result| !matches!(result.verdict, Verdict::Skip | Verdict::Error))
        };
        let stale = self.entries.iter().enumerate().filter(|(index, entry)| !used.contains(index) && ran(entry));
        stale.map(|(_, entry)| entry.waiver.pattern.clone()).collect()
    }
}
