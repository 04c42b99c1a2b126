//! Device authorization: the endpoint, the page and the grant.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::browser::{Browser, title};
use super::{error, post, refused, resource, strict, url, with};
use crate::mock::Realm;
use crate::oauth::{Request, Response};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn codes(realm: &Realm, id: &str) -> Value {
    let response = post(realm, "device_authorization", id, &[("scope", "api:read")]);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()
}

fn poll(realm: &Realm, id: &str, codes: &Value) -> Response {
    post(realm, "token", id, &[("grant_type", GRANT), ("device_code", codes["device_code"].as_str().unwrap())])
}

/// Visits the page as alice, types the code, and gives that answer; the last page.
fn visit(realm: &Realm, code: &str, decision: &str) -> Response {
    walk(&mut Browser::new(realm), &url("device"), code, decision)
}

/// Does what each page asks for; all of it at once where it is one page.
fn walk(browser: &mut Browser<'_>, address: &str, code: &str, decision: &str) -> Response {
    let mut response = browser.send(Request::get(address));
    for _ in 0..3 {
        let text = response.text().into_owned();
        let asks = |name: &str| text.contains(&format!("name=\"{name}\""));
        let answers = [("username", "alice"), ("password", "wonderland"), ("user_code", code), ("decision", decision)];
        let given: Vec<_> = answers.into_iter().filter(|(name, _)| asks(name)).collect();
        if given.is_empty() || text.contains("not valid") {
            return response;
        }
        response = browser.submit(&response, "device", &given);
    }
    response
}

fn user_code(codes: &Value) -> &str {
    codes["user_code"].as_str().unwrap()
}

#[rstest]
fn codes_are_worth_tokens_once_the_user_has_approved(
    #[values("tv", "console")] id: &str,
    #[values("login-first", "code-first", "one-page")] order: &str,
) {
    let realm = with(&[("device.order", json!(order))]);
    let codes = codes(&realm, id);
    assert_eq!((codes["expires_in"].as_u64(), codes["interval"].as_u64()), (Some(600), Some(5)));
    assert_eq!(codes["verification_uri"], json!(url("device")));
    assert_eq!(codes["verification_uri_complete"], json!(format!("{}?user_code={}", url("device"), user_code(&codes))));
    assert_eq!(error(&poll(&realm, id, &codes)), refused(400, "authorization_pending"));
    assert_eq!(title(&visit(&realm, user_code(&codes), "approve")), "Done");
    let tokens = poll(&realm, id, &codes);
    assert_eq!((tokens.status, tokens.headers.get("cache-control").unwrap().as_ref()), (200, "no-store"));
    let tokens = tokens.json().unwrap();
    assert_eq!(tokens["scope"], json!("api:read"));
    assert_eq!(resource(&realm, &tokens["access_token"]), 200);
    assert_eq!(error(&poll(&realm, id, &codes)), refused(400, "invalid_grant"));
}

#[test]
fn user_codes_are_readable_and_taken_as_people_type_them() {
    let realm = strict();
    let codes = codes(&realm, "tv");
    let code = user_code(&codes).to_owned();
    assert!(code.len() == 9 && code.chars().all(|c| c == '-' || "BCDFGHJKLMNPQRSTVWXZ".contains(c)), "{code}");
    assert_eq!(title(&visit(&realm, &format!(" {} ", code.to_lowercase().replace('-', " ")), "approve")), "Done");
    assert_eq!(poll(&realm, "tv", &codes).status, 200);
}

#[test]
fn a_refusal_and_the_end_of_the_lifetime_have_their_errors() {
    let realm = strict();
    let denied = codes(&realm, "tv");
    visit(&realm, user_code(&denied), "deny");
    assert_eq!(error(&poll(&realm, "tv", &denied)), refused(400, "access_denied"));
    let expired = codes(&realm, "tv");
    realm.advance(Duration::from_secs(600));
    assert_eq!(error(&poll(&realm, "tv", &expired)), refused(400, "expired_token"));
    assert!(visit(&realm, user_code(&expired), "approve").text().contains("not valid"));
}

#[test]
fn polling_too_fast_makes_the_interval_grow() {
    let realm = strict();
    let codes = codes(&realm, "tv");
    let after = |seconds: u64| {
        realm.advance(Duration::from_secs(seconds));
        error(&poll(&realm, "tv", &codes)).1
    };
    assert_eq!([0, 4, 9, 15].map(after), ["authorization_pending", "slow_down", "slow_down", "authorization_pending"]);
}

#[test]
fn a_device_code_is_bound_to_its_client_and_must_exist() {
    let realm = strict();
    let codes = codes(&realm, "tv");
    visit(&realm, user_code(&codes), "approve");
    assert_eq!(error(&poll(&realm, "console", &codes)), refused(400, "invalid_grant"));
    assert_eq!(error(&poll(&realm, "tv", &json!({ "device_code": "x" }))), refused(400, "invalid_grant"));
    assert_eq!(error(&post(&realm, "token", "tv", &[("grant_type", GRANT)])), refused(400, "invalid_request"));
    assert_eq!(error(&poll(&realm, "web", &codes)), refused(400, "unauthorized_client"));
    assert_eq!(poll(&realm, "tv", &codes).status, 200);
}

#[test]
fn clients_authenticate_as_at_the_token_endpoint() {
    let realm = strict();
    let ask = |pairs: &[(&str, &str)]| realm.handle(&Request::post_form(url("device_authorization"), &super::params(pairs)));
    assert_eq!(error(&ask(&[("client_id", "console")])), refused(401, "invalid_client"));
    assert_eq!(error(&ask(&[])), refused(401, "invalid_client"));
    assert_eq!(error(&post(&realm, "device_authorization", "web", &[])), refused(400, "unauthorized_client"));
    assert_eq!(error(&post(&realm, "device_authorization", "tv", &[("scope", "moon")])), refused(400, "invalid_scope"));
    assert_eq!(realm.handle(&Request::get(url("device_authorization"))).status, 405);
}

#[test]
fn a_link_still_shows_the_code_and_asks() {
    for prefill in [true, false] {
        let realm = with(&[("device.prefill", json!(prefill))]);
        let codes = codes(&realm, "tv");
        let mut browser = Browser::new(&realm);
        let page = browser.send(Request::get(codes["verification_uri_complete"].as_str().unwrap()));
        let page = browser.submit(&page, "device", &[("username", "alice"), ("password", "wonderland")]);
        assert!(page.text().contains(user_code(&codes)), "{}", page.text());
        assert_eq!(error(&poll(&realm, "tv", &codes)), refused(400, "authorization_pending"));
        let address = codes["verification_uri_complete"].as_str().unwrap();
        assert_eq!(title(&walk(&mut browser, address, user_code(&codes), "approve")), "Done");
        assert_eq!(poll(&realm, "tv", &codes).status, 200);
    }
}

#[test]
fn wrong_codes_are_counted() {
    let realm = strict();
    let codes = codes(&realm, "tv");
    for _ in 0..5 {
        assert!(visit(&realm, "BBBB-BBBB", "approve").text().contains("not valid"));
    }
    assert_eq!(visit(&realm, user_code(&codes), "approve").status, 429);
    realm.advance(Duration::from_secs(600));
    assert_eq!(title(&visit(&realm, user_code(&self::codes(&realm, "tv")), "approve")), "Done");
}

#[test]
fn without_the_grant_there_is_neither_endpoint_nor_page() {
    let realm = with(&[("token.grants", json!(["authorization_code"]))]);
    assert_eq!(post(&realm, "device_authorization", "tv", &[]).status, 404);
    assert_eq!(realm.handle(&Request::get(url("device"))).status, 404);
    let metadata = realm.handle(&Request::get(url(".well-known/openid-configuration"))).json().unwrap();
    assert!(metadata.get("device_authorization_endpoint").is_none());
}
