//! Ctrl-C in the middle leaves a usable, clearly partial report.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use oauthspec::mock::MockServer;
use tempfile::tempdir;

use crate::oauthspec::{command, results};

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_keeps_what_it_has() {
    let server = MockServer::start().await.unwrap();
    let folder = tempdir().unwrap();
    let issuer = server.issuer();
    // Against a server whose clock is its own, scenarios that wait for real time keep the run going.
    let arguments = [
        "server",
        &issuer,
        "--username",
        "alice",
        "--password",
        "wonderland",
        "--max-wait",
        "120s",
        "-j",
        "4",
        "-s",
        "server/code/*",
    ];
    let mut child = command(folder.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("server/code/"))).unwrap().unwrap();
    assert!(first.contains("server/code/"), "{first}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    for line in lines {
        line.unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let results = results(folder.path());
    assert_eq!(results["complete"], false);
    assert!(!results["scenarios"].as_array().unwrap().is_empty());
}
