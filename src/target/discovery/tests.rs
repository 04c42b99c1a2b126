use std::time::Duration;

use super::*;
use crate::wire::WireOptions;
use crate::wire::testing::{Canned, reply};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn wire() -> Wire {
    Wire::new(WireOptions { timeout: Duration::from_secs(5), body_limit: 4096, ..WireOptions::default() }).unwrap()
}

/// A server that answers with this at that path, and with 404 elsewhere.
async fn at(path: &'static str, status: u16, headers: &'static str, body: &'static str) -> Canned {
    Canned::start(move |origin, request| {
        if request.starts_with(&format!("GET {path} ")) {
            reply(status, headers, &body.replace("ORIGIN", origin))
        } else {
            reply(404, "", "not here")
        }
    })
    .await
}

const JSON: &str = "Content-Type: application/json\r\n";
const GOOD: &str = r#"{"issuer":"ORIGIN","token_endpoint":"ORIGIN/token"}"#;

#[tokio::test]
async fn metadata_is_found_in_all_four_places() {
    for (path, kind) in [
        ("/.well-known/oauth-authorization-server/t", MetadataKind::OAuth),
        ("/t/.well-known/oauth-authorization-server", MetadataKind::OAuth),
        ("/t/.well-known/openid-configuration", MetadataKind::OpenId),
        ("/.well-known/openid-configuration/t", MetadataKind::OpenId),
    ] {
        let server = at(path, 200, JSON, GOOD).await;
        let found = discover(&wire(), &format!("{}/t/", server.origin), &[]).await.unwrap();
        assert_eq!((found.kind, found.url), (kind, format!("{}{path}", server.origin)));
        assert_eq!(found.exchanges.len(), server.seen().len());
        assert!(found.notes[0].contains("names the issuer"), "{:?}", found.notes);
    }
}

#[tokio::test]
async fn a_plain_issuer_has_two_places_and_no_notes() {
    let server = at(OPENID, 200, JSON, GOOD).await;
    let found = discover(&wire(), &server.origin, &[]).await.unwrap();
    assert_eq!(found.exchanges.len(), 2);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    assert_eq!(found.endpoints().token.unwrap(), format!("{}/token", server.origin));
}

#[tokio::test]
async fn metadata_that_was_changed_on_the_way_is_used_with_a_note() {
    let server = at(OAUTH, 203, JSON, GOOD).await;
    let found = discover(&wire(), &server.origin, &[]).await.unwrap();
    assert_eq!(found.notes, ["the metadata is served with status 203, not with 200"]);
}

#[tokio::test]
async fn each_way_of_having_none_is_told_apart() {
    for (status, headers, body, expected) in [
        (404, "", "", "answers 404"),
        (302, "Location: /login\r\n", "", "answers 302"),
        (503, "", "", "status 503"),
        (200, "Content-Type: text/html\r\n", "<html><title>Welcome</title>", "HTML page titled \"Welcome\""),
        (200, JSON, "{\"issuer\":", "not valid JSON"),
        (200, JSON, "[1]", "no metadata: [1]"),
        (200, JSON, "{\"error\":\"x\"}", "an object with error"),
    ] {
        let server = at(OAUTH, status, headers, body).await;
        let error = discover(&wire(), &server.origin, &[]).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains(&server.origin), "{text}");
        assert_eq!(error.status(), 3);
    }
}

#[tokio::test]
async fn a_page_for_humans_at_one_place_hides_nothing_at_the_other() {
    let server = Canned::start(|origin, request| match request {
        r if r.starts_with(&format!("GET {OPENID} ")) => reply(200, JSON, &GOOD.replace("ORIGIN", origin)),
        _ => reply(200, "Content-Type: text/html\r\n", "<!doctype html><div id=root></div>"),
    })
    .await;
    assert_eq!(discover(&wire(), &server.origin, &[]).await.unwrap().kind, MetadataKind::OpenId);
}

#[tokio::test]
async fn endless_metadata_is_cut() {
    let server = Canned::start(|_, _| reply(200, JSON, &format!("{{\"issuer\":\"{}\"}}", "x".repeat(9000)))).await;
    let error = discover(&wire(), &server.origin, &[]).await.unwrap_err();
    assert!(matches!(error, DiscoveryError::Truncated { bytes: 4096, .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_and_no_url() {
    let error = discover(&wire(), "http://127.0.0.1:1", &[]).await.unwrap_err();
    assert!(matches!(error, DiscoveryError::Unreachable { .. }), "{error}");
    for issuer in ["as.example", "ftp://as.example", "http://h/?a=b", "http://h/#x", ""] {
        let error = discover(&wire(), issuer, &[]).await.unwrap_err();
        assert_eq!(error.status(), 2, "{issuer}: {error}");
    }
}

#[tokio::test]
async fn other_hosts_are_refused_until_they_are_allowed_and_ports_do_not_count() {
    let body = r#"{"issuer":"ORIGIN","token_endpoint":"http://127.0.0.1:9/t","jwks_uri":"https://evil.example/k",
        "registration_endpoint":"http://localhost/r","service_documentation":"https://docs.example/"}"#;
    let server = at(OAUTH, 200, JSON, body).await;
    let error = discover(&wire(), &server.origin, &[]).await.unwrap_err();
    assert_eq!(error.status(), 2);
    let text = error.to_string();
    assert!(text.contains("jwks_uri names evil.example, registration_endpoint names localhost"), "{text}");
    assert!(text.ends_with("allow them with --allow-host evil.example --allow-host localhost"), "{text}");
    let allowed = ["EVIL.example".to_owned(), "localhost:99".to_owned()];
    assert!(discover(&wire(), &server.origin, &allowed).await.is_ok());
    assert_eq!(server.seen().len(), 2, "nothing else was asked");
}
