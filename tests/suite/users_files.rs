//! Scenarios and configurations that users write: they run, and every mistake is said with file, line and column.

use std::fs;

use tempfile::tempdir;

use crate::oauthspec::{results, run};

const GOOD: &str = r#"
title = "Our scope works"
severity = "low"
why = "It is what the release is about."
fix = "Ask the team."
needs = { grant = "client_credentials" }
clients = { a = { auth = "secret", grant = "client_credentials" } }

[[steps]]
token = { client = "a", grant = "client_credentials" }
expect = { name = "granted", outcome = "accepted" }
"#;

#[test]
fn a_users_scenario_runs_beside_the_suite() {
    let folder = tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mine/team")).unwrap();
    fs::write(folder.path().join("mine/team/scope.toml"), GOOD).unwrap();
    run(folder.path(), &["server", "--mock", "--scenarios", "mine", "-s", "team/*"]).exits(0);
    assert_eq!(results(folder.path())["scenarios"][0]["id"], "team/scope");
}

#[test]
fn an_id_that_exists_already_is_a_mistake() {
    let folder = tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mine/server/code")).unwrap();
    fs::write(folder.path().join("mine/server/code/reused-code.toml"), GOOD).unwrap();
    run(folder.path(), &["server", "--mock", "--scenarios", "mine"]).exits(2).says("server/code/reused-code");
}

#[test]
fn a_typo_in_a_scenario_is_said_before_anything_runs() {
    let folder = tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/scope.toml"), GOOD.replace("outcome =", "outcom =")).unwrap();
    run(folder.path(), &["server", "--mock", "--scenarios", "mine"]).exits(2).says("scope.toml:11:").says("outcome");
    assert!(!folder.path().join("reports").exists());
    run(folder.path(), &["check", "mine/scope.toml"]).exits(2).says("scope.toml:11:");
}

#[test]
fn waivers_excuse_and_go_stale() {
    let folder = tempdir().unwrap();
    let waive = |scenario: &str| format!("[[waivers]]\nscenario = \"{scenario}\"\nreason = \"known\"\nexpires = 2999-01-01\n");
    let arguments = ["server", "--mock", "--fault", "code-reusable.accept", "-s", "server/code/reused-code"];
    fs::write(folder.path().join("oauthspec.toml"), waive("server/code/*")).unwrap();
    run(folder.path(), &arguments).exits(0);
    let results = results(folder.path());
    assert_eq!(results["scenarios"][0]["verdict"], "waived");
    assert_eq!(results["scenarios"][0]["waiver"], "known");
    run(folder.path(), &["server", "--mock", "-s", "server/code/reused-code"]).exits(1).shows("server/code/*");
    fs::write(folder.path().join("oauthspec.toml"), waive("server/code/*").replace("2999", "2001")).unwrap();
    run(folder.path(), &arguments).exits(1);
}
