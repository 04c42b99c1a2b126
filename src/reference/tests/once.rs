//! Clients that run once: native ones and scripts.

use serde_json::json;

use super::*;
use crate::reference::{Grant, NativeEnd, native, script};

async fn native_ground() -> (MockServer, Settings) {
    let mock = MockServer::start().await.unwrap();
    mock.realm().register(MockClient {
        client_secret: None,
        auth_method: "none".into(),
        redirect_uris: vec!["http://127.0.0.1/callback".into(), "http://localhost/callback".into()],
        kind: ClientKind::Native,
        ..client()
    });
    let settings = Settings { client_secret: None, auth_method: "none".into(), ..settings(&mock) };
    (mock, settings)
}

/// Runs a native client with a browser that does with the response what it is told.
async fn run(mock: &MockServer, settings: Settings, policy: ClientPolicy, change: impl Fn(String) -> String) -> NativeEnd {
    let issuer = mock.base_url().to_owned();
    native(settings, policy, async |url: String| {
        let redirect_uri = query(&url).get("redirect_uri").unwrap().into_owned();
        let wire = Wire::new(WireOptions::default()).unwrap();
        let mut browser = Browser::new(wire);
        let callback = change(walk(&mut browser, &url, mock, "alice", redirect_uri).await);
        assert!(!callback.starts_with(&issuer));
        tokio::spawn(async move { browser.send(Request::get(callback)).await });
    })
    .await
}

#[tokio::test]
async fn a_native_login() {
    let (mock, settings) = native_ground().await;
    let end = run(&mock, settings.clone(), ClientPolicy::default(), |callback| callback).await;
    assert_eq!(end, NativeEnd { status: 0, output: "signed in as alice\n".into() });
    let forged = run(&mock, settings.clone(), ClientPolicy::default(), |callback| callback.replace("state=", "state=x")).await;
    assert_eq!(forged.status, 1, "{}", forged.output);
    let end =
        run(&mock, settings.clone(), policy("native-localhost"), |callback| callback.replace("localhost", "127.0.0.1")).await;
    assert_eq!(end.status, 0, "{}", end.output);
    let hasty = ClientPolicy { native: super::super::NativePolicy { wait: 0, ..Default::default() }, ..Default::default() };
    let end = native(settings, hasty, async |_url| {}).await;
    assert_eq!((end.status, end.output.as_str()), (1, "nobody came back from the browser\n"));
}

#[tokio::test]
async fn scripts() {
    let mock = MockServer::start().await.unwrap();
    mock.realm().register(MockClient { redirect_uris: vec!["https://c.example/cb".into()], ..client() });
    let own = Settings { scopes: vec!["api:read".into()], ..settings(&mock) };
    let end = script(own.clone(), ClientPolicy::default(), Grant::ClientCredentials).await;
    assert_eq!(end, NativeEnd { status: 0, output: "signed in as app\n".into() });
    let end = script(own.clone(), policy("auth-basic-raw"), Grant::ClientCredentials).await;
    assert_eq!((end.status, end.output.contains("invalid_client")), (1, true), "{}", end.output);
    let end = script(own.clone(), ClientPolicy::default(), Grant::RefreshToken("unknown".into())).await;
    assert_eq!((end.status, end.output.contains("invalid_grant")), (1, true), "{}", end.output);
    let end = script(own, policy("response-error-ending.crash"), Grant::RefreshToken("unknown".into())).await;
    assert_eq!(end.status, 101);
}

#[tokio::test]
async fn a_refresh_token_that_was_given() {
    let ground = Ground::strict().await;
    ground.user().sign_in().await;
    let answer = ground.seen("token").remove(0).exchange.outcome.unwrap().json().unwrap();
    let token = answer["refresh_token"].as_str().unwrap().to_owned();
    let end = script(settings(&ground.mock), ClientPolicy::default(), Grant::RefreshToken(token)).await;
    assert_eq!(end, NativeEnd { status: 0, output: "signed in as alice\n".into() });
    assert_eq!(answer["token_type"], json!("Bearer"));
}
