//! The suite on the embedded mock: the README's first command, faults from the command line, and the whole matrix.

use tempfile::tempdir;

use crate::oauthspec::{results, run};

#[test]
fn the_first_command_passes_and_writes_reports() {
    let folder = tempdir().unwrap();
    let ran = run(folder.path(), &["server", "--mock"]).exits(0);
    let results = results(folder.path());
    assert_eq!(results["complete"], true);
    assert_eq!(results["summary"]["fail"], 0);
    assert!(results["summary"]["pass"].as_u64().unwrap() >= 70, "{}", ran.out);
    let junit = std::fs::read_to_string(folder.path().join("reports/junit.xml")).unwrap();
    assert!(junit.contains("server/code"), "{junit}");
}

#[test]
fn a_fault_fails_with_its_clause_and_the_way_to_repeat_it() {
    let folder = tempdir().unwrap();
    let arguments = ["server", "--mock", "--fault", "code-reusable.accept", "-s", "server/code/reused-code"];
    run(folder.path(), &arguments).exits(1).shows("RFC6749-4.1.2-05").shows("-s 'server/code/reused-code'");
    let results = results(folder.path());
    let check = &results["scenarios"][0]["checks"][0];
    assert_eq!(check["verdict"], "fail");
    let exchange = usize::try_from(check["exchange"].as_u64().unwrap()).unwrap();
    assert_eq!(results["scenarios"][0]["exchanges"][exchange]["response"]["status"], 200);
}

#[test]
fn no_secret_is_in_the_reports() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["server", "--mock", "-s", "server/client-auth/*", "-s", "server/refresh/*"]).exits(0);
    for file in ["results.json", "junit.xml"] {
        let text = std::fs::read_to_string(folder.path().join("reports").join(file)).unwrap();
        for secret in ["wonderland", "eyJ"] {
            assert!(!text.contains(secret), "{secret} is in {file}");
        }
    }
}

#[test]
fn the_matrix_is_complete() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["selftest"]).exits(0);
}
