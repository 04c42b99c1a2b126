//! The suite on the embedded mock: the README's first command, faults from the command line, and the matrix.

use std::sync::Arc;
use std::time::Duration;

use oauthspec::catalog::{Catalogue, Plan};
use oauthspec::policy::Library;
use oauthspec::reference::Library as ClientLibrary;
use oauthspec::runner::{Keep, Matrix, Pace, Part, Stage, selftest, selftest_clients};
use oauthspec::scenario::{Scenario, Suite};
use oauthspec::wire::{Wire, WireOptions};
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
        for secret in ["wonderland", "eyJ", "web-secret-"] {
            assert!(!text.contains(secret), "{secret} is in {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_strict_mock_passes_and_every_fault_is_caught() {
    let suite = Suite::embedded().unwrap();
    let scenarios: Vec<Arc<Scenario>> = of_servers(&suite);
    assert_complete(&matrix(&scenarios, Part::Faults).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_client_passes_and_every_fault_of_it_is_caught() {
    let suite = Suite::embedded().unwrap();
    let scenarios: Vec<Arc<Scenario>> = suite.iter().filter(|scenario| scenario.is_about_clients()).cloned().collect();
    assert!(scenarios.len() >= 110, "{}", scenarios.len());
    let plans: Vec<&Plan> = Plan::all().iter().collect();
    let matrix = selftest_clients(&scenarios, &plans, ClientLibrary::embedded(), &stage(), &[Part::Faults]).await.unwrap();
    assert_complete(&matrix);
}

/// Every variant on a scenario of each family; `oauthspec selftest` does it with all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_variant_passes_a_scenario_of_each_family() {
    let suite = Suite::embedded().unwrap();
    let mut scenarios: Vec<Arc<Scenario>> = of_servers(&suite);
    scenarios.dedup_by_key(|scenario| scenario.id.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
    assert!(scenarios.len() > 10);
    assert_complete(&matrix(&scenarios, Part::Variants).await);
}

fn of_servers(suite: &Suite) -> Vec<Arc<Scenario>> {
    suite.iter().filter(|scenario| !scenario.is_about_clients()).cloned().collect()
}

async fn matrix(scenarios: &[Arc<Scenario>], part: Part) -> Matrix {
    let plans: Vec<&Plan> = Plan::all().iter().collect();
    selftest(scenarios, &plans, Library::embedded(), &stage(), &[part]).await.unwrap()
}

fn stage() -> Stage {
    Stage {
        wire: Wire::new(WireOptions::default()).unwrap(),
        catalogue: Catalogue::embedded(),
        seed: 1,
        max_wait: Duration::ZERO,
        repeat: Arc::from("--mock"),
        keep: Keep::Verdicts,
        pace: Arc::new(Pace::default()),
        places: Arc::new(tokio::sync::Semaphore::new(8)),
    }
}

#[track_caller]
fn assert_complete(matrix: &Matrix) {
    let red: Vec<_> = matrix.cells.iter().filter(|cell| !cell.green).collect();
    assert!(red.is_empty(), "{red:#?}");
    assert!(matrix.complete, "uncaught: {:?}, without faults: {:?}", matrix.uncaught, matrix.toothless);
}
