//! The suite on a server that was not written for it: the one of `fixtures/targets/oxide-auth`, inside this process.
//!
//! Compares every verdict that is no pass with its `expected.toml`, as `fixtures/targets/check` does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;
use tempfile::tempdir;
use tokio::net::TcpListener;

/// Verdicts by check (`id[case]#check`), and by id of scenarios that were skipped or ended early.
type Verdicts = BTreeMap<String, String>;

#[test]
fn oxide_auth_is_as_adjudicated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/targets/oxide-auth");
    let reports = tempdir().unwrap();
    let config = configuration_for(&folder, start(), reports.path());
    let results = run(&config, reports.path());
    assert_eq!(results["complete"], true);

    let (wanted, sometimes) = expected(&folder.join("expected.toml"));
    let mut seen = bad_verdicts(&results);
    seen.retain(|key, verdict| !(sometimes.contains_key(key) && ["fail", "warn"].contains(&verdict.as_str())));
    let differences = differences(&wanted, &seen);
    assert!(differences.is_empty(), "not as adjudicated in {}:\n{}", folder.display(), differences.join("\n"));
}

/// Serves on a port of its own until the process ends.
fn start() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            oxide_auth_target::serve(listener).await.unwrap();
        });
    });
    told.recv().unwrap()
}

/// The target's configuration, with the port that it has here.
fn configuration_for(folder: &Path, address: SocketAddr, into: &Path) -> PathBuf {
    let text = fs::read_to_string(folder.join("oauthspec.toml")).unwrap();
    let moved = text.replace("127.0.0.1:9540", &address.to_string());
    assert_ne!(moved, text, "the target has another port by now");
    let path = into.join("oauthspec.toml");
    fs::write(&path, moved).unwrap();
    path
}

fn run(config: &Path, reports: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_oauthspec"))
        .args(["server", "--quiet", "--config"])
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
        let mut explained = verdict == "pass";
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
