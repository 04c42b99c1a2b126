//! Compares a run of the suite with what was adjudicated, as `fixtures/check` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Verdicts by check (`id[case]#check`), and by id of scenarios that were skipped or ended early.
type Verdicts = BTreeMap<String, String>;

/// Runs the suite on the subject of a role (`server`, `client`), and fails where a verdict is not as in `expected.toml` of the folder.
pub fn is_as_adjudicated(role: &str, folder: &Path, config: &Path, reports: &Path) {
    let results = run(role, config, reports);
    assert_eq!(results["complete"], true);

    let (wanted, sometimes) = expected(&folder.join("expected.toml"));
    let mut seen = bad_verdicts(&results);
    seen.retain(|key, verdict| !(sometimes.contains_key(key) && ["fail", "warn"].contains(&verdict.as_str())));
    let differences = differences(&wanted, &seen);
    assert!(differences.is_empty(), "not as adjudicated in {}:\n{}", folder.display(), differences.join("\n"));
}

fn run(role: &str, config: &Path, reports: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_oauthspec"))
        .args([role, "--quiet", "--config"])
        .arg(config)
        .arg("--report-dir")
        .arg(reports)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // 1 is a run in which something failed, 3 one in which a scenario is in error: both can be compared.
    let comparable = output.status.code().is_some_and(|status| [0, 1, 3].contains(&status));
    assert!(comparable, "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&fs::read(reports.join("results.json")).unwrap()).unwrap()
}

/// What was adjudicated, and what chance decides.
fn expected(path: &Path) -> (Verdicts, Verdicts) {
    let mut tables: BTreeMap<String, Verdicts> = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let sometimes = tables.remove("sometimes").unwrap_or_default();
    let mut wanted = Verdicts::new();
    for (verdict, rulings) in tables {
        assert!(["fail", "warn", "skip"].contains(&verdict.as_str()), "unknown table [{verdict}]");
        for key in rulings.into_keys() {
            let before = wanted.insert(key.clone(), verdict.clone());
            assert_eq!(before, None, "{key} stands in two tables");
        }
    }
    (wanted, sometimes)
}

fn bad_verdicts(results: &Value) -> Verdicts {
    let mut seen = Verdicts::new();
    for scenario in results["scenarios"].as_array().unwrap() {
        let id = scenario["id"].as_str().unwrap();
        let verdict = scenario["verdict"].as_str().unwrap();
        // What is about clients of another kind is not for this one, and goes without saying.
        let mut explained = verdict == "pass" || scenario["skip_code"] == "kind";
        for check in scenario["checks"].as_array().unwrap() {
            let of_check = check["verdict"].as_str().unwrap();
            if !["fail", "warn", "error", "waived"].contains(&of_check) {
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

fn differences(wanted: &Verdicts, seen: &Verdicts) -> Vec<String> {
    let gone = wanted.iter().filter(|(key, _)| !seen.contains_key(*key)).map(|(key, verdict)| format!("gone  {verdict} {key}"));
    let other =
        seen.iter().filter(|(key, verdict)| wanted.get(*key) != Some(verdict)).map(|(key, verdict)| match wanted.get(key) {
            None => format!("new  {verdict} {key}"),
            Some(before) => format!("different  {key}: {verdict}, adjudicated as {before}"),
        });
    gone.chain(other).collect()
}
