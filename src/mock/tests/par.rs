//! Pushed authorization requests (RFC 9126).

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::{CHALLENGE, client, error, params, post, redeem, refused, strict, under, url, with};
use crate::mock::Realm;
use crate::oauth::{Params, Request, Response};
use crate::policy::{Patch, PolicySet};

/// Pushes a complete request of a client, with these parameters set.
fn push(realm: &Realm, id: &str, edits: &[(&str, &str)]) -> Response {
    let uri = client(realm, id).redirect_uris[0].clone();
    let mut pushed = params(&[
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", &uri),
        ("scope", "openid"),
        ("state", "s1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    edits.iter().for_each(|(name, value)| pushed.set(name, *value));
    let pairs: Vec<(String, String)> = pushed
        .iter()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    let without_id = client(realm, id).auth_method != "client_secret_basic";
    // The helper adds client_id where it is part of the authentication.
    let pairs: Vec<(&str, &str)> =
        pairs.iter().filter(|(name, _)| !(without_id && name == "client_id")).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    post(realm, "par", id, &pairs)
}

fn reference(response: &Response) -> String {
    assert_eq!(response.status, 201, "{}", response.text());
    response.json().unwrap()["request_uri"].as_str().unwrap().to_owned()
}

fn using(id: &str, reference: &str) -> Params {
    params(&[("client_id", id), ("request_uri", reference)])
}

fn location(response: &Response) -> String {
    response.headers.get("location").map(std::borrow::Cow::into_owned).unwrap_or_default()
}

#[test]
fn a_pushed_request_leads_to_a_code_once() {
    let realm = strict();
    for id in ["web", "post", "public"] {
        let response = push(&realm, id, &[]);
        let body: Value = response.json().unwrap();
        assert_eq!((response.headers.get("cache-control").unwrap().as_ref(), &body["expires_in"]), ("no-store", &json!(60)));
        let uri = reference(&response);
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
        // Loading the page again does no harm before it is answered.
        assert_eq!(Browser::new(&realm).authorize(&using(id, &uri)).status, 200);
        let answer = Browser::new(&realm).go(&using(id, &uri), "approve");
        let to = location(&answer);
        assert!(to.starts_with(&client(&realm, id).redirect_uris[0]) && to.contains("state=s1"), "{to}");
        let query = to.split_once('?').unwrap().1;
        let code = Params::parse_lossy(query.as_bytes()).get("code").unwrap().into_owned();
        assert_eq!(redeem(&realm, id, &code).status, 200);
        let again = Browser::new(&realm).go(&using(id, &uri), "approve");
        assert_eq!((again.status, location(&again).as_str()), (400, ""));
    }
}

#[test]
fn what_the_authorization_endpoint_refuses_is_refused_as_json() {
    let realm = strict();
    for (name, value, code) in [
        ("redirect_uri", "https://attacker.example/", "invalid_request"),
        ("response_type", "oauthspec", "unsupported_response_type"),
        ("scope", "nothing", "invalid_scope"),
        ("code_challenge", "short", "invalid_request"),
        ("request_uri", "urn:x", "invalid_request"),
        ("client_id", "web2", "invalid_request"),
    ] {
        assert_eq!(error(&push(&realm, "web", &[(name, value)])), refused(400, code), "{name}");
    }
    let bare = Request::post_form(url("par"), &params(&[("response_type", "code")]));
    assert_eq!(error(&realm.handle(&bare)), refused(401, "invalid_client"));
    let get = realm.handle(&Request::get(url("par")));
    assert_eq!((get.status, get.headers.get("allow").unwrap().as_ref()), (405, "POST"));
    assert_eq!(push(&realm, "web", &[("x", &"a".repeat(70_000))]).status, 413);
    assert_eq!(push(&with(&[("par.enabled", json!(false))]), "web", &[]).status, 404);
}

#[test]
fn references_are_bound_expire_and_are_not_invented() {
    let realm = strict();
    let uri = reference(&push(&realm, "web", &[]));
    let shown = |id: &str, uri: &str| {
        let response = Browser::new(&realm).authorize(&using(id, uri));
        (response.status, location(&response))
    };
    assert_eq!(shown("web2", &uri), (400, String::new()));
    assert_eq!(shown("web", "urn:ietf:params:oauth:request_uri:x"), (400, String::new()));
    realm.advance(Duration::from_secs(61));
    assert_eq!(shown("web", &uri), (400, String::new()));
}

#[test]
fn parameters_beside_a_reference() {
    let state = |rule: &str| {
        let realm = with(&[("par.beside", json!(rule))]);
        let uri = reference(&push(&realm, "web", &[]));
        let mut request = using("web", &uri);
        request.push("state", "changed");
        location(&Browser::new(&realm).go(&request, "approve"))
    };
    assert!(state("ignore").contains("state=s1"));
    assert!(state("complete").contains("state=s1"));
    assert!(state("replace").contains("state=changed"));
    assert_eq!(state("refuse"), "");
}

#[test]
fn requests_that_must_be_pushed() {
    let realm = with(&[("par.required", json!(true))]);
    let uri = client(&realm, "web").redirect_uris[0].clone();
    let plain = params(&[("response_type", "code"), ("client_id", "web"), ("redirect_uri", &uri), ("code_challenge", CHALLENGE)]);
    let to = location(&Browser::new(&realm).go(&plain, "approve"));
    assert!(to.contains("error=invalid_request"), "{to}");
    let metadata = realm.handle(&Request::get(url(".well-known/openid-configuration"))).json().unwrap();
    assert_eq!(metadata["require_pushed_authorization_requests"], json!(true));
    let pushed = reference(&push(&realm, "web", &[]));
    assert!(location(&Browser::new(&realm).go(&using("web", &pushed), "approve")).contains("code="));
}

#[test]
fn new_redirect_uris_and_rates_are_settings() {
    let new = [("redirect_uri", "https://new.example/cb")];
    let realm = with(&[("par.new_redirect_uris", json!("authenticated"))]);
    let uri = reference(&push(&realm, "web", &new));
    assert!(location(&Browser::new(&realm).go(&using("web", &uri), "approve")).starts_with("https://new.example/cb?code="));
    assert_eq!(push(&realm, "public", &new).status, 400);
    assert_eq!(push(&realm, "web", &[("redirect_uri", "javascript:alert(1)")]).status, 400);
    let busy = under(PolicySet::new([&Patch::new("test").set("par.max_per_minute", json!(2))]).unwrap());
    let statuses: Vec<u16> = (0..3).map(|_| push(&busy, "web", &[]).status).collect();
    assert_eq!(statuses, [201, 201, 429]);
    busy.advance(Duration::from_secs(60));
    assert_eq!(push(&busy, "web", &[]).status, 201);
}
