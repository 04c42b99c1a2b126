//! Compares a run with what was adjudicated: every `fail`, `warn` and skip with its ruling, as `fixtures/targets/check` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use oauthspec::policy::matches;
use serde_json::Value;

/// Verdicts by check (`id[case]#check`), and by id of scenarios that were skipped or ended early.
pub(crate) type Verdicts = BTreeMap<String, String>;

/// What was adjudicated.
pub(crate) struct Adjudicated {
    wanted: Verdicts,
    /// What chance decides.
    sometimes: Verdicts,
    /// Scenarios that are skipped, as patterns.
    skipped: Vec<String>,
    /// Checks that pass though the behaviour is one of a kind: each has to have run.
    tolerated: Vec<String>,
}

impl Adjudicated {
    /// Reads a file with a table for each verdict.
    pub(crate) fn read(path: &Path) -> Self {
        let mut tables: BTreeMap<String, Verdicts> = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let sometimes = tables.remove("sometimes").unwrap_or_default();
        let tolerated = tables.remove("tolerated").unwrap_or_default().into_keys().collect();
        let skips = tables.remove("skip").unwrap_or_default().into_keys();
        let (skipped, exactly): (Vec<String>, Vec<String>) = skips.partition(|key| key.contains('*'));
        let mut wanted: Verdicts = exactly.into_iter().map(|key| (key, "skip".to_owned())).collect();
        for (verdict, rulings) in tables {
            assert!(["fail", "warn"].contains(&verdict.as_str()), "unknown table [{verdict}] in {}", path.display());
            for key in rulings.into_keys() {
                let before = wanted.insert(key.clone(), verdict.clone());
                assert_eq!(before, None, "{key} stands in two tables of {}", path.display());
            }
        }
        Self { wanted, sometimes, skipped, tolerated }
    }

    /// What is new, gone or different in a run, one line each.
    pub(crate) fn differences(&self, results: &Value) -> Vec<String> {
        let all = verdicts(results);
        let seen: Verdicts = all.iter().filter(|(_, verdict)| *verdict != "pass").map(|(k, v)| (k.clone(), v.clone())).collect();
        let by_chance = |key: &str, verdict: &str| self.sometimes.contains_key(key) && ["fail", "warn"].contains(&verdict);
        let by_pattern = |key: &str| self.skipped.iter().any(|pattern| matches(pattern, key));
        let mut out = Vec::new();
        for (key, verdict) in &self.wanted {
            if !seen.contains_key(key) {
                out.push(format!("gone  {verdict} {key}"));
            }
        }
        for (key, verdict) in &seen {
            match self.wanted.get(key) {
                Some(before) if before == verdict => {}
                Some(before) => out.push(format!("different  {key}: {verdict}, adjudicated as {before}")),
                None if by_chance(key, verdict) || (verdict == "skip" && by_pattern(key)) => {}
                None => out.push(format!("new  {verdict} {key}: {}", reason(results, key))),
            }
        }
        let idle = |pattern: &&String| !seen.iter().any(|(key, verdict)| verdict == "skip" && matches(pattern, key));
        out.extend(self.skipped.iter().filter(idle).map(|pattern| format!("gone  skip {pattern}")));
        let ran = |key: &&String| all.get(*key).is_none_or(|verdict| verdict != "pass");
        out.extend(self.tolerated.iter().filter(ran).map(|key| format!("gone  tolerated {key}")));
        out
    }
}

/// Why the scenario of a key is no pass.
fn reason<'r>(results: &'r Value, key: &str) -> &'r str {
    let id = key.split(['[', '#']).next().unwrap_or(key);
    let scenario = results["scenarios"].as_array().into_iter().flatten().find(|scenario| scenario["id"] == id);
    scenario.and_then(|scenario| scenario["reason"].as_str()).unwrap_or_default()
}

fn verdicts(results: &Value) -> Verdicts {
    let mut seen = Verdicts::new();
    for scenario in results["scenarios"].as_array().unwrap() {
        let id = scenario["id"].as_str().unwrap();
        let verdict = scenario["verdict"].as_str().unwrap();
        // What is about clients of another kind is not for this one, and goes without saying.
        let mut explained = verdict == "pass" || scenario["skip_code"] == "kind";
        for check in scenario["checks"].as_array().unwrap() {
            let of_check = check["verdict"].as_str().unwrap();
            if !["pass", "fail", "warn", "error", "waived"].contains(&of_check) {
                continue;
            }
            explained |= of_check == verdict;
            let case = check["case"].as_str().map(|case| format!("[{case}]")).unwrap_or_default();
            seen.insert(format!("{id}{case}#{}", check["name"].as_str().unwrap()), of_check.to_owned());
        }
        if !explained {
            seen.insert(id.to_owned(), verdict.to_owned());
        }
    }
    seen
}
