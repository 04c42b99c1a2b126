//! Patches at work: conditions, defects of one answer, and what the journal says of them.

use serde_json::{Value, json};

use super::browser::{Browser, response_params};
use super::{error, redeem, refused, resource, tokens, under, with};
use crate::mock::Realm;
use crate::policy::{Answer, Patch, PolicySet, Rewrite, When};

fn object(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn rewritten(endpoint: &str, rewrite: Rewrite) -> Realm {
    let patch = Patch::new("defect").rule(When::at(endpoint), rewrite);
    under(PolicySet::new([&patch]).unwrap())
}

#[test]
fn members_of_a_token_response() {
    let members = object(&json!({"expires_in": "3600", "token_type": null}));
    let realm = rewritten("token", Rewrite { on: Answer::Success, members, ..Rewrite::default() });
    let body = tokens(&realm, "web");
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!("3600"), &Value::Null));
    let entry = realm.journal().last().unwrap();
    assert_eq!(entry.applied, ["defect"]);
    assert_eq!(entry.original.as_ref().unwrap().json().unwrap()["expires_in"], json!(3600));
    assert_eq!(error(&redeem(&realm, "web", "x")), refused(400, "invalid_grant"));
}

#[test]
fn members_of_an_authorization_response_are_changed_though_a_form_completes_it() {
    let members = object(&json!({"state": "other", "iss": null}));
    let realm = rewritten("authorize", Rewrite { members, ..Rewrite::default() });
    let mut browser = Browser::new(&realm);
    let answer = browser.complete(&browser.request("web"));
    assert_eq!((answer.get("state").unwrap().as_ref(), answer.has("iss")), ("other", false));
    assert_eq!(realm.journal().last().unwrap().applied, ["defect"]);
}

#[test]
fn claims_and_signatures() {
    let rewrite = Rewrite {
        claims: object(&json!({"iss": "https://evil.example"})),
        jws: object(&json!({"alg": "none"})),
        ..Rewrite::default()
    };
    let realm = rewritten("token", rewrite);
    let body = tokens(&realm, "web");
    assert!(body["id_token"].as_str().unwrap().ends_with('.'));
    // The server knows its own tokens, however broken they are.
    assert_eq!(resource(&realm, &body["access_token"]), 200);
}

#[test]
fn errors_go_where_the_table_says() {
    let realm = with(&[("errors.authorize.unknown_redirect_uri.show", json!("redirect"))]);
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.set("redirect_uri", "https://evil.example/x");
    let response = browser.go(&request, "approve");
    assert!(response.headers.get("location").unwrap().starts_with("https://evil.example/x?error=invalid_request"));
    let realm = with(&[("errors.authorize.denied.show", json!("page"))]);
    let mut browser = Browser::new(&realm);
    assert_eq!(browser.go(&browser.request("web"), "deny").status, 400);
    let realm = with(&[("errors.token.unknown_code.status", json!(401)), ("errors.token.unknown_code.error", json!(""))]);
    let response = redeem(&realm, "web", "x");
    assert_eq!((response.status, response.body.len()), (401, 0));
}

#[test]
fn responses_as_policies_say() {
    let settings = [
        ("authorize.iss_value", json!("https://evil.example")),
        ("authorize.state_change", json!("plus-to-blank")),
        ("authorize.twice", json!(["code"])),
        ("authorize.redirect_status", json!(303)),
    ];
    let realm = with(&settings);
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.set("state", "a+b");
    let response = browser.go(&request, "approve");
    let answer = response_params(&response);
    assert_eq!((response.status, answer.repeated()), (303, vec!["code".to_owned()]));
    assert_eq!((answer.get("iss").unwrap().as_ref(), answer.get("state").unwrap().as_ref()), ("https://evil.example", "a b"));
}

#[test]
fn a_reset_realm_remembers_its_clients_only() {
    let realm = with(&[("code.reuse", json!("accept"))]);
    let body = tokens(&realm, "web");
    realm.reset(PolicySet::strict());
    assert!(realm.journal().is_empty());
    assert_eq!(resource(&realm, &body["access_token"]), 401);
    assert_eq!(resource(&realm, &tokens(&realm, "web")["access_token"]), 200);
}

#[test]
fn the_journal_grades() {
    let realm = with(&[]);
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.set("code_challenge_method", "plain");
    browser.authorize(&request);
    browser.authorize(&request);
    let notes = |entry: &crate::mock::Entry| entry.notes.join("; ");
    let authorize: Vec<_> =
        realm.journal().iter().filter(|entry| entry.endpoint == "authorize").map(|entry| notes(&entry)).collect();
    assert_eq!(authorize[0], "code_challenge_method is not S256");
    let second =
        "code_challenge_method is not S256; code_challenge was used before; state was used before; nonce was used before";
    assert_eq!(authorize[1], second);
}
