//! The mock as a library and as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use oauthspec::mock::MockServer;
use oauthspec::oauth::{Channel, Request};
use oauthspec::wire::{Wire, WireOptions};
use serde_json::Value;
use tempfile::tempdir;

use crate::oauthspec::command;

#[tokio::test]
async fn a_server_per_test() {
    let server = MockServer::start().await.unwrap();
    let url = format!("{}/.well-known/openid-configuration", server.issuer());
    let metadata: Value = serde_json::from_slice(&fetch(&url).await).unwrap();
    assert_eq!(metadata["issuer"], server.issuer());
}

#[tokio::test]
async fn the_process_says_when_it_is_ready() {
    let folder = tempdir().unwrap();
    let mut child = command(folder.path(), &["mock", "--format", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let issuer = ready["issuer"].as_str().unwrap().to_owned();
    let body = fetch(&format!("{issuer}/jwks")).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let keys: Value = serde_json::from_slice(&body).unwrap();
    assert!(keys["keys"].as_array().unwrap().len() >= 2);
}

async fn fetch(url: &str) -> Vec<u8> {
    let wire = Wire::new(WireOptions::default()).unwrap();
    wire.send(Channel::Back, Request::get(url)).await.outcome.unwrap().body
}
