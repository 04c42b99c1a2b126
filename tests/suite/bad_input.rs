//! Bad input: each a clear message, the exit status of the contract, no hang, no panic.

use std::fs;
use std::time::{Duration, Instant};

use oauthspec::mock::MockServer;
use rstest::rstest;
use tempfile::tempdir;

use crate::oauthspec::{canned, response, run};

const USER: [&str; 4] = ["--username", "alice", "--password", "wonderland"];

fn against(issuer: &str, more: &[&str]) -> crate::oauthspec::Ran {
    let folder = tempdir().unwrap();
    let mut arguments = vec!["server", issuer];
    arguments.extend(USER);
    arguments.extend(more);
    run(folder.path(), &arguments)
}

#[test]
fn an_unreachable_target() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    against(&format!("http://{closed}"), &[]).exits(3).says(&closed.to_string());
}

#[test]
fn a_target_that_answers_html_everywhere() {
    let address = canned(|_| response(200, "text/html", b"<html><title>Welcome</title>Hello</html>"));
    against(&format!("http://{address}"), &[]).exits(3).says("HTML");
}

#[rstest]
#[case::no_json(b"{ \"issuer\": ")]
#[case::no_utf8(b"{ \"issuer\": \"\xff\xfe\" }")]
#[case::no_object(b"[1, 2, 3]")]
fn metadata_that_cannot_be_read(#[case] body: &'static [u8]) {
    let address = canned(|_| response(200, "application/json", body));
    against(&format!("http://{address}"), &[]).exits(3).says(&address.to_string());
}

#[test]
fn metadata_that_points_to_another_host() {
    let address = canned(|_| {
        let body = br#"{"issuer":"http://127.0.0.1","authorization_endpoint":"https://evil.example/authorize","token_endpoint":"https://evil.example/token","response_types_supported":["code"]}"#;
        response(200, "application/json", body)
    });
    against(&format!("http://{address}"), &[]).exits(2).says("evil.example").says("--allow-host");
}

#[test]
fn a_body_of_a_hundred_megabytes_is_cut() {
    let address = canned(|_| {
        let mut all = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n{\"x\":\"".to_vec();
        all.resize(100 * 1024 * 1024, b'a');
        all
    });
    let begun = Instant::now();
    against(&format!("http://{address}"), &[]).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_answer_that_never_ends_is_given_up() {
    let address = canned(|_| {
        std::thread::park_timeout(Duration::from_secs(60));
        Vec::new()
    });
    let begun = Instant::now();
    against(&format!("http://{address}"), &["--timeout", "1s"]).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(30), "bounded by --timeout");
}

#[test]
fn a_login_that_never_ends() {
    let folder = tempdir().unwrap();
    let address = canned(|head| {
        let path = head.split(' ').nth(1).unwrap_or("/");
        if path.starts_with("/authorize") {
            let next = if path.contains("again") { "/authorize?x=1" } else { "/authorize?again=1" };
            return format!("HTTP/1.1 302 Found\r\nLocation: {next}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .into_bytes();
        }
        response(400, "application/json", br#"{"error":"invalid_request"}"#)
    });
    fs::write(folder.path().join("oauthspec.toml"), config(&format!("http://{address}"), "web-secret-1234", "wonderland"))
        .unwrap();
    run(folder.path(), &["server"]).exits(2).says("redirect");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_said_once_with_its_cure() {
    let server = MockServer::start().await.unwrap();
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("oauthspec.toml"), config(&server.issuer(), "this-is-not-the-secret", "wonderland")).unwrap();
    let ran = run(folder.path(), &["server"]).exits(2).says("client_secret");
    assert!(!format!("{}{}", ran.out, ran.err).contains("this-is-not-the-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_with_the_page() {
    let server = MockServer::start().await.unwrap();
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("oauthspec.toml"), config(&server.issuer(), "irrelevant-secret", "wrong-password")).unwrap();
    let ran = run(folder.path(), &["server"]).exits(2).says("login");
    assert!(!format!("{}{}", ran.out, ran.err).contains("wrong-password"));
}

#[test]
fn a_typo_in_the_configuration() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("oauthspec.toml"), "[server]\nisuer = \"http://127.0.0.1:1\"\n").unwrap();
    run(folder.path(), &["server"]).exits(2).says("oauthspec.toml:2:1").says("issuer");
}

#[test]
fn a_secret_from_a_variable_that_is_not_set() {
    let folder = tempdir().unwrap();
    let text =
        config("http://127.0.0.1:1", "x", "y").replace("client_secret = \"x\"", "client_secret = { env = \"NOT_SET_ANYWHERE\" }");
    fs::write(folder.path().join("oauthspec.toml"), text).unwrap();
    run(folder.path(), &["server"]).exits(2).says("NOT_SET_ANYWHERE");
}

fn config(issuer: &str, secret: &str, password: &str) -> String {
    format!(
        r#"
[server]
issuer = "{issuer}"
[server.endpoints]
authorization = "{issuer}/authorize"
token = "{issuer}/token"
[[server.clients]]
name = "web"
client_id = "web"
client_secret = "{secret}"
token_endpoint_auth_method = "client_secret_basic"
redirect_uris = ["https://client.example/callback"]
grant_types = ["authorization_code"]
scopes = ["openid"]
[[server.users]]
username = "alice"
password = "{password}"
"#
    )
}
