//! Clients that cannot be tested: each a clear message, the exit status of the contract, and nothing left behind.

use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use tempfile::tempdir;

use crate::oauthspec::{Ran, canned, response, run};

const SHORT: [&str; 4] = ["--timeout", "1s", "-s", "client/callback/state-wrong"];

fn client(folder: &Path, config: &str) -> Ran {
    fs::write(folder.join("oauthspec.toml"), config).unwrap();
    run(folder, &[&["client"], &SHORT[..]].concat())
}

fn native(script: &str) -> String {
    format!("[client]\nkind = \"native\"\ncommand = [\"sh\", \"-c\", {script:?}]\n")
}

#[test]
fn no_such_program() {
    let folder = tempdir().unwrap();
    client(folder.path(), "[client]\nkind = \"native\"\ncommand = [\"./no-such-program\"]\n")
        .exits(2)
        .says("no-such-program` does not start");
}

#[rstest]
#[case::exits_at_once("echo no home >&2; exit 3", "exit status: 3; no home")]
#[case::binary_output(r"printf '\377\000\376\n'; exit 1", "exit status: 1")]
#[case::ends_well_without_a_login("exit 0", "no token request")]
fn a_program_that_logs_nobody_in(#[case] script: &str, #[case] said: &str) {
    let folder = tempdir().unwrap();
    client(folder.path(), &native(script)).exits(2).says("a plain run of the client does not work").says(said);
}

#[test]
fn a_program_that_never_ends_is_ended_with_its_children() {
    let folder = tempdir().unwrap();
    let script = "sleep 1000 & echo $! > child; echo $$ > parent; wait";
    client(folder.path(), &native(script)).exits(2).says("did not end within 1 s");
    for name in ["child", "parent"] {
        is_gone(folder.path(), name);
    }
}

#[test]
fn what_a_program_leaves_behind_is_ended() {
    let folder = tempdir().unwrap();
    client(folder.path(), &native("sleep 1000 & echo $! > child; exit 1")).exits(2).says("rejected");
    is_gone(folder.path(), "child");
}

/// Whether the process whose number stands in that file has ended.
fn is_gone(folder: &Path, name: &str) {
    let id = fs::read_to_string(folder.join(name)).unwrap();
    // One that has ended may wait for somebody to ask for its status.
    let state = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    assert!(state.is_empty() || state.starts_with('Z'), "{name} is still there: {state}");
}

#[test]
fn slips_in_the_configuration() {
    let folder = tempdir().unwrap();
    let config = "[client]\nkind = \"script\"\ncommand = [\"true\"]\ngrant_types = [\"refresh_tokn\"]\n\
                  env = { ISSUER = \"{isuer}\", OWN = \"{place}\" }\nfeatures = { revokation = true }\n";
    client(folder.path(), config)
        .exits(2)
        .says("`refresh_tokn` is not known here")
        .says("did you mean `{issuer}`?")
        .says("did you mean `revocation`?");
}

#[test]
fn an_endless_line_is_told_in_short() {
    let folder = tempdir().unwrap();
    let ran = client(folder.path(), &native("head -c 100000 /dev/zero | tr '\\0' x; exit 1")).exits(2).says("xxx…");
    assert!(ran.err.len() < 2_000, "{}", ran.err.len());
}

#[test]
fn an_application_that_is_not_there() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempdir().unwrap();
    client(folder.path(), &format!("[client]\nkind = \"web\"\nstart_url = \"http://{closed}/login\"\n"))
        .exits(3)
        .says("start_url");
}

#[rstest]
#[case::ends_at_once("exit 4", "ended (exit status: 4)")]
#[case::serves_elsewhere("sleep 1000", "gave no answer within 1 s")]
fn an_application_that_does_not_get_ready(#[case] script: &str, #[case] said: &str) {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempdir().unwrap();
    let config = format!(
        "[client]\nkind = \"web\"\nstart_url = \"http://{closed}/login\"\n\
         serve = {{ command = [\"sh\", \"-c\", {script:?}], ready_url = \"http://{closed}/\" }}\n"
    );
    client(folder.path(), &config).exits(3).says(said);
}

#[test]
fn an_application_in_the_way() {
    let address = canned(|_| response(200, "text/html", b"somebody else"));
    let folder = tempdir().unwrap();
    let config = format!(
        "[client]\nkind = \"web\"\nstart_url = \"http://{address}/login\"\n\
         serve = {{ command = [\"sleep\", \"1000\"], ready_url = \"http://{address}/\" }}\n"
    );
    client(folder.path(), &config).exits(3).says("something answers at").says("choose another port");
}

#[test]
fn an_application_that_redirects_in_circles() {
    let circle = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    let address = canned(move |_| circle.clone());
    let folder = tempdir().unwrap();
    client(folder.path(), &format!("[client]\nkind = \"web\"\nstart_url = \"http://{address}/login\"\n"))
        .exits(2)
        .says("no end after 20 redirects");
}
