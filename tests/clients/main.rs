//! The suite on clients that were not written for it: those of `fixtures/clients/rust`.
//!
//! A client has to be a program, and this one is it: called with `client NAME` it is that client, else it is the test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../adjudication/mod.rs"]
mod adjudication;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tempfile::tempdir;

const CLIENTS: [&str; 3] = ["oauth2", "oauth2-service", "openidconnect"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, name] = arguments.as_slice()
        && role == "client"
    {
        return rust_clients::run(name);
    }
    // What test runners ask of a test: a list, and the tests that have a word in their name.
    let word = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str);
    let chosen = CLIENTS.iter().filter(|name| test_of(name).contains(word));
    for name in chosen {
        if arguments.iter().any(|argument| argument == "--list") {
            println!("{}: test", test_of(name));
            continue;
        }
        println!("test {} ...", test_of(name));
        is_as_adjudicated(name);
        println!("test {} ... ok", test_of(name));
    }
    ExitCode::SUCCESS
}

fn test_of(name: &str) -> String {
    format!("{}_is_as_adjudicated", name.replace('-', "_"))
}

fn is_as_adjudicated(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(name);
    let reports = tempdir().unwrap();
    let config = configuration_for(&folder, reports.path());
    adjudication::is_as_adjudicated("client", &folder, &config, reports.path());
}

/// The client's configuration, with this program as its command.
fn configuration_for(folder: &Path, into: &Path) -> PathBuf {
    let text = fs::read_to_string(folder.join("oauthspec.toml")).unwrap();
    let this = std::env::current_exe().unwrap();
    let moved = text.replace("[\"../rust/.bin/bin/rust-clients\", ", &format!("[{:?}, \"client\", ", this.display().to_string()));
    assert_ne!(moved, text, "the client has another command by now");
    let path = into.join("oauthspec.toml");
    fs::write(&path, moved).unwrap();
    path
}
