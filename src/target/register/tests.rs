use super::*;
use crate::target::{Endpoints, Home};
use crate::wire::WireOptions;
use crate::wire::testing::{Canned, reply};

fn wire() -> Wire {
    Wire::new(WireOptions::default()).unwrap()
}

fn wanted(auth_method: AuthMethod) -> Wanted {
    Wanted {
        name: "a".into(),
        auth_method,
        redirect_uris: vec!["https://client.example/cb".into()],
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        scopes: vec!["openid".into(), "offline_access".into()],
        kind: ClientKind::Web,
    }
}

fn target(server: &Canned) -> Target {
    let endpoints = Endpoints { registration: Some(format!("{}/reg", server.origin)), ..Endpoints::default() };
    Target { endpoints, home: Home::new([server.origin.as_str()], []), ..Target::default() }
}

#[tokio::test]
async fn a_client_is_registered_and_deleted() {
    let server = Canned::start(|origin, request| {
        if request.starts_with("DELETE /reg/c1 ") && request.contains("Bearer rat") {
            return reply(204, "", "");
        }
        let body = format!(
            r#"{{"client_id":"c1","client_secret":"s","registration_client_uri":"{origin}/reg/c1","registration_access_token":"rat",
                "scope":"openid"}}"#
        );
        reply(201, "", &body)
    })
    .await;
    let (client, exchanges) = register(&wire(), &target(&server), &wanted(AuthMethod::Basic)).await.unwrap();
    assert_eq!((client.client_id.as_str(), client.client_secret.as_deref(), exchanges.len()), ("c1", Some("s"), 1));
    assert_eq!(client.scopes, ["openid"], "the answer wins");
    let sent: Value = serde_json::from_slice(&exchanges[0].request.body).unwrap();
    assert_eq!(sent["response_types"], json!(["code"]));
    assert_eq!(sent["scope"], "openid offline_access");
    assert_eq!(sent["application_type"], "web");
    assert!(matches!(unregister(&wire(), &client).await, Unregistered::Deleted(_)));
}

#[tokio::test]
async fn a_foreign_management_address_is_never_asked() {
    let body = r#"{"client_id":"c1","registration_client_uri":"https://evil.example/c1","registration_access_token":"rat"}"#;
    let server = Canned::start(move |_, _| reply(201, "", body)).await;
    let (client, _) = register(&wire(), &target(&server), &wanted(AuthMethod::None)).await.unwrap();
    assert_eq!(client.management, None);
    assert!(matches!(unregister(&wire(), &client).await, Unregistered::Kept { exchange: None, .. }));
}

#[tokio::test]
async fn refusals_and_odd_answers_are_told() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_redirect_uri","error_description":"no"}"#, "status 400: invalid_redirect_uri: no"),
        (401, "", "status 401"),
        (201, "{}", "no client_id"),
        (201, r#"{"client_id":"x"}"#, "no client_secret"),
        (201, "<html>", "no client_id"),
    ] {
        let server = Canned::start(move |_, _| reply(status, "", body)).await;
        let error = register(&wire(), &target(&server), &wanted(AuthMethod::Post)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.exchange().is_some());
    }
    let nowhere = Target::default();
    let error = register(&wire(), &nowhere, &wanted(AuthMethod::Post)).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unsupported));
}
