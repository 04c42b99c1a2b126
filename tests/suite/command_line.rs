//! The command line on data alone: lists, explanations, schemas, checks.

use serde_json::Value;
use tempfile::tempdir;

use crate::oauthspec::run;

fn listed(what: &str) -> Vec<Value> {
    let folder = tempdir().unwrap();
    let ran = run(folder.path(), &["list", what, "--format", "json"]).exits(0);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn scenarios_are_listed_with_what_they_are() {
    let scenarios = listed("scenarios");
    assert!(scenarios.len() >= 70, "{}", scenarios.len());
    for scenario in &scenarios {
        for member in ["id", "title", "level", "severity", "requirements", "catches"] {
            assert!(!scenario[member].is_null(), "{member} is missing in {scenario}");
        }
    }
}

#[test]
fn faults_variants_profiles_and_requirements_are_listed() {
    assert!(listed("faults").len() >= 70);
    assert!(listed("variants").len() >= 12);
    assert!(!listed("profiles").is_empty());
    assert!(listed("requirements").len() >= 600);
    assert!(listed("plans").iter().any(|plan| plan["id"] == "bcp"));
}

#[test]
fn what_is_of_the_reference_client_is_told_apart() {
    let role_of = |rows: &[Value], id: &str| rows.iter().find(|row| row["id"] == id).unwrap()["role"].clone();
    let faults = listed("faults");
    assert_eq!((role_of(&faults, "openid-alg-none"), role_of(&faults, "id-token-alg-none")), ("server".into(), "client".into()));
    assert_eq!(role_of(&listed("variants"), "state-alone"), "client");
    assert_eq!(role_of(&listed("scenarios"), "client/userinfo/subject-twice"), "client");
    let folder = tempdir().unwrap();
    for verb in [&["mock"][..], &["server", "--mock"]] {
        let ran = run(folder.path(), &[verb, &["--fault", "id-token-alg-none"]].concat()).exits(2);
        ran.says("`id-token-alg-none` is a fault of the reference client").says("oauthspec explain id-token-alg-none");
    }
    run(folder.path(), &["explain", "id-token-alg-none"]).exits(0).shows("oauthspec selftest -s 'client/");
    run(folder.path(), &["explain", "state-alone"]).exits(0).shows("oauthspec selftest --part variants -s 'client/*'");
}

#[test]
fn everything_that_is_listed_is_explained() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["explain", "server/code/reused-code"]).exits(0).shows("RFC6749-4.1.2-05");
    run(folder.path(), &["explain", "RFC6749-4.1.2-05"]).exits(0).shows("server/code/reused-code");
    run(folder.path(), &["explain", "code-reusable.accept"]).exits(0).shows("server/code/reused-code");
    run(folder.path(), &["explain", "opaque-access-tokens"]).exits(0);
    run(folder.path(), &["explain", "server/code/reused-cod"]).exits(2).says("server/code/reused-code");
}

#[test]
fn schemas_are_json() {
    let folder = tempdir().unwrap();
    for what in ["config", "scenario", "patch", "results"] {
        let ran = run(folder.path(), &["schema", what]).exits(0);
        let schema: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(schema["$schema"].is_string(), "{what}");
    }
}

#[test]
fn the_commented_configuration_is_valid() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["init", "--quiet"]).exits(2);
    run(folder.path(), &["init"]).exits(0);
    run(folder.path(), &["check", "oauthspec.toml"]).exits(0);
    run(folder.path(), &["init"]).exits(2).says("exists already");
}

#[test]
fn no_target_is_wrong_usage_with_a_hint() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["server"]).exits(2).says("--mock");
}

#[test]
fn what_this_version_lacks_is_refused() {
    let folder = tempdir().unwrap();
    for arguments in [
        &["server", "--mock", "--deny", "warnings"][..],
        &["server", "--mock", "--partition", "hash:1/2"],
        &["server", "--mock", "--baseline", "x.json"],
    ] {
        run(folder.path(), arguments).exits(2).says("not implemented");
    }
    run(folder.path(), &["client"]).exits(2).says("--start-url");
}

#[test]
fn coverage_tells_what_verifies_each_requirement() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["coverage", "9207"])
        .exits(0)
        .shows("server/iss/in-success#there")
        .shows("needs a server without metadata");
    run(folder.path(), &["coverage", "--format", "json", "RFC7636"]).exits(0).shows("\"scenarios\": [");
    run(folder.path(), &["coverage", "--format", "markdown", "rfc8414"]).exits(0).shows("### RFC 8414 section 2");
    run(folder.path(), &["coverage", "RFC9208"]).exits(2).says("RFC9207");
}

#[test]
fn patterns_that_match_nothing_are_mistakes_and_filters_that_leave_nothing_are_not() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["server", "--mock", "-s", "server/cod/reused-code"]).exits(2).says("server/code/reused-code");
    run(folder.path(), &["server", "--mock", "-s", "server/code/reused-code", "-x", "server/**"]).exits(4);
    run(folder.path(), &["server", "--mock", "--fault", "code-reusable.acept"]).exits(2).says("code-reusable.accept");
}
