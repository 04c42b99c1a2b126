//! The mock as a library and as a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use oauthspec::mock::{Keys, MockServer, RealmSpec};
use oauthspec::oauth::{Channel, Request, Response};
use oauthspec::wire::{Wire, WireOptions};
use serde_json::Value;
use tempfile::tempdir;

use crate::oauthspec::{command, run};

#[tokio::test]
async fn a_server_per_test() {
    let server = MockServer::start().await.unwrap();
    let url = format!("{}/.well-known/openid-configuration", server.issuer());
    assert_eq!(fetch(Request::get(url)).await.json().unwrap()["issuer"], server.issuer());
}

#[tokio::test]
async fn fresh_keys_are_others_than_the_fixtures() {
    let server = MockServer::start().await.unwrap();
    let mut spec = RealmSpec::new("fresh");
    spec.keys = Keys::Fresh;
    let realm = server.create(spec).unwrap();
    let keys = |issuer: &str| Request::get(format!("{issuer}/jwks"));
    let (fixed, fresh) = (fetch(keys(&server.issuer())).await, fetch(keys(realm.issuer())).await);
    assert_ne!(fixed.json().unwrap(), fresh.json().unwrap());
}

#[tokio::test]
async fn the_process_says_when_it_is_ready() {
    let folder = tempdir().unwrap();
    let mock = Mock::start(folder.path(), &[]);
    let keys = fetch(Request::get(format!("{}/jwks", mock.issuer()))).await.json().unwrap();
    assert!(keys["keys"].as_array().unwrap().len() >= 2);
}

#[test]
fn it_ends_with_its_input_where_that_is_asked_for() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["mock", "--until-stdin-ends"]).exits(0).shows("issuer http://127.0.0.1:");
}

#[tokio::test]
async fn clients_and_users_come_from_a_configuration() {
    let folder = tempdir().unwrap();
    let text = r#"
[server]
issuer = "http://127.0.0.1:1"
[[server.clients]]
name = "mine"
client_id = "mine"
client_secret = "a-secret-of-mine"
token_endpoint_auth_method = "client_secret_post"
redirect_uris = ["https://mine.example/callback"]
grant_types = ["client_credentials"]
"#;
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let mock = Mock::start(folder.path(), &["--config", "mine.toml"]);
    let form = [("grant_type", "client_credentials"), ("client_id", "mine"), ("client_secret", "a-secret-of-mine")];
    let answer = fetch(Request::post_form(format!("{}/token", mock.issuer()), &form.into_iter().collect())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn control_paths_ask_for_the_token() {
    let folder = tempdir().unwrap();
    let mock = Mock::start(folder.path(), &["--control-token", "let-me-in"]);
    let control = mock.ready["control"].as_str().unwrap();
    assert_eq!(fetch(Request::get(format!("{control}health"))).await.status, 200);
    let refused = fetch(Request::get(format!("{control}realms"))).await;
    assert_eq!(
        (refused.status, refused.headers.get("www-authenticate").as_deref()),
        (401, Some("Bearer realm=\"oauthspec control\""))
    );
    let allowed = fetch(Request::get(format!("{control}realms")).with("Authorization", "Bearer let-me-in")).await;
    assert_eq!(allowed.status, 200);
}

/// A mock process; it ends with the test.
struct Mock {
    child: Child,
    ready: Value,
}

impl Mock {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let all = [&["mock", "--format", "json"], arguments].concat();
        let mut child = command(folder, &all).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn issuer(&self) -> &str {
        self.ready["issuer"].as_str().unwrap()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn fetch(request: Request) -> Response {
    Wire::new(WireOptions::default()).unwrap().send(Channel::Back, request).await.outcome.unwrap()
}
