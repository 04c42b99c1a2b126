use super::*;
use crate::wire::WireOptions;
use crate::wire::testing::{Canned, reply};

fn wire() -> Wire {
    Wire::new(WireOptions::default()).unwrap()
}

fn config(issuer: Option<&str>, token: Option<&str>) -> ServerConfig {
    let endpoints = Endpoints { token: token.map(str::to_owned), ..Endpoints::default() };
    ServerConfig { issuer: issuer.map(str::to_owned), endpoints, ..ServerConfig::default() }
}

#[tokio::test]
async fn configured_endpoints_win_over_metadata_and_its_lies() {
    let server = Canned::start(|origin, _| {
        let body = format!(r#"{{"issuer":"{origin}","token_endpoint":"https://evil.example/t","jwks_uri":"{origin}/jwks"}}"#);
        reply(200, "Content-Type: application/json\r\n", &body)
    })
    .await;
    let error = connect(&wire(), &config(Some(&server.origin), None), &[]).await.unwrap_err();
    assert_eq!(error.status(), 2, "{error}");
    let token = format!("{}/token", server.origin);
    let connection = connect(&wire(), &config(Some(&server.origin), Some(&token)), &[]).await.unwrap();
    let target = connection.target;
    assert_eq!(target.endpoints.token.as_deref(), Some(token.as_str()));
    assert!(target.endpoints.jwks.is_some() && target.home.contains(&token) && !target.home.contains("https://evil.example/t"));
    assert_eq!(target.name, server.origin.trim_start_matches("http://"));
}

#[tokio::test]
async fn endpoints_alone_are_enough_and_nothing_is_too_little() {
    let connection = connect(&wire(), &config(None, Some("http://127.0.0.1:1/token")), &[]).await.unwrap();
    assert!(connection.exchanges.is_empty() && connection.target.metadata.is_none());
    let connection = connect(&wire(), &config(Some("http://127.0.0.1:1"), Some("http://127.0.0.1:1/token")), &[]).await.unwrap();
    assert!(connection.notes[0].contains("cannot be reached"), "{:?}", connection.notes);
    assert_eq!(connect(&wire(), &config(None, None), &[]).await.unwrap_err().status(), 2);
    assert_eq!(connect(&wire(), &config(Some("http://127.0.0.1:1"), None), &[]).await.unwrap_err().status(), 3);
    let server = Canned::start(|origin, _| reply(200, "", &format!(r#"{{"issuer":"{origin}"}}"#))).await;
    let error = connect(&wire(), &config(Some(&server.origin), None), &[]).await.unwrap_err();
    assert!(error.to_string().contains("no token endpoint"), "{error}");
}
