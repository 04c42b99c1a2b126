//! The suite on a server that was not written for it: the one of `fixtures/targets/oxide-auth`, inside this process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../adjudication/mod.rs"]
mod adjudication;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tempfile::tempdir;
use tokio::net::TcpListener;

#[test]
fn oxide_auth_is_as_adjudicated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/targets/oxide-auth");
    let reports = tempdir().unwrap();
    let config = configuration_for(&folder, start(), reports.path());
    adjudication::is_as_adjudicated("server", &folder, &config, reports.path());
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
