//! Compares a run of the suite with what was adjudicated, as `fixtures/check` does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use self::adjudicated::Adjudicated;

#[path = "../common/adjudicated.rs"]
mod adjudicated;

/// Runs the suite on the subject of a role (`server`, `client`), and fails where a verdict is not as in `expected.toml` of the folder.
pub fn is_as_adjudicated(role: &str, folder: &Path, config: &Path, reports: &Path) {
    let results = run(role, config, reports);
    assert_eq!(results["complete"], true);

    let differences = Adjudicated::read(&folder.join("expected.toml")).differences(&results);
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
