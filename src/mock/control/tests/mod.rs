//! The control API over real sockets.

mod behaviour;
mod document;
mod further;
mod guarding;
mod page;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::mock::MockServer;

/// What comes back.
#[derive(Debug)]
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn start() -> MockServer {
    MockServer::builder().seed(1).start_blocking().unwrap()
}

/// Sends a control request with header fields of its own, and reads the answer to its end.
fn send(server: &MockServer, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Got {
    send_to(server, method, &format!("/_oauthspec{path}"), fields, body)
}

/// The same to any path.
fn send_to(server: &MockServer, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Got {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: {}\r\n", server.address()));
    }
    fields.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

fn call(server: &MockServer, method: &str, path: &str, body: &Value) -> Got {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(server, method, path, &[], &body)
}

fn get(server: &MockServer, path: &str) -> Value {
    let got = call(server, "GET", path, &Value::Null);
    assert_eq!(got.status, 200, "{path}: {got:?}");
    got.json()
}

fn post(server: &MockServer, path: &str, body: &Value) -> Value {
    let got = call(server, "POST", path, body);
    assert!(got.status < 300, "{path}: {got:?}");
    got.json()
}

/// The status of a refusal, and its first mistake: pointer or parameter, what is wrong, how to mend it.
fn refusal(got: &Got) -> (u16, String) {
    let problem = got.json();
    assert!(got.head.contains("application/problem+json"), "{got:?}");
    assert_eq!(problem["status"], got.status);
    let flaw = &problem["errors"][0];
    let place = flaw["pointer"].as_str().or_else(|| flaw["parameter"].as_str()).unwrap_or("-");
    let detail = flaw["detail"].as_str().unwrap_or_else(|| problem["detail"].as_str().unwrap());
    let help = flaw["help"].as_str().map_or_else(String::new, |help| format!(" ({help})"));
    (got.status, format!("{place}: {detail}{help}"))
}

/// A token of the client that acts for itself, which leaves an entry in the journal.
fn exchange(server: &MockServer, realm: &str) {
    use crate::oauth::{Params, Request};
    let form: Params = [("grant_type", "client_credentials"), ("client_id", "service")].into_iter().collect();
    let realm = server.realms.get(realm).unwrap();
    let _answer = realm.handle(&Request::post_form(format!("{}/token", realm.issuer()), &form));
}

fn object() -> Value {
    json!({})
}
