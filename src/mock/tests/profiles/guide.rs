//! The ten acceptance checks of `guide`.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::super::browser::title;
use super::super::{VERIFIER, error, refused, resource};
use super::*;

const ID: &str = "guide";
const WEB: &str = "your_client_id";
const APP: &str = "single_page_app";

fn refuse(realm: &Realm, tokens: &Value) -> (u16, String) {
    error(&refreshed(realm, WEB, tokens))
}

#[test]
fn the_scope_keeps_the_order_of_the_request() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "write:profile read:profile");
    assert_eq!(text(&issued["scope"]), "write:profile read:profile");
    assert_eq!(text(&claims(&issued["access_token"])["scope"]), "write:profile read:profile");
}

#[test]
fn c01_the_code_flow_returns_five_members() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "read:profile write:profile");
    let found: BTreeSet<_> = names(&issued).into_iter().collect();
    assert_eq!(found, ["access_token", "expires_in", "refresh_token", "scope", "token_type"].into());
    assert_eq!((&issued["expires_in"], text(&issued["token_type"])), (&json!(3600), "Bearer"));
    let scope: BTreeSet<_> = text(&issued["scope"]).split(' ').collect();
    assert_eq!(scope, ["read:profile", "write:profile"].into());
}

#[test]
fn c02_public_clients_need_pkce_and_no_secret() {
    let realm = profile(ID);
    let without = tail(&realm, APP, &[("code_challenge", None), ("code_challenge_method", None)]);
    assert!(without.starts_with("?error=invalid_request&error_description=code+challenge+required"), "{without}");
    let code = || tail(&realm, APP, &[]).split(['=', '&']).nth(1).unwrap().to_owned();
    assert_eq!(redeem(&realm, APP, &code(), &[("code_verifier", VERIFIER)]).status, 200);
    let other = VERIFIER.replace('d', "e");
    assert_eq!(error(&redeem(&realm, APP, &code(), &[("code_verifier", &other)])), refused(400, "invalid_grant"));
    assert_eq!(error(&redeem(&realm, APP, &code(), &[])), refused(400, "invalid_grant"));
}

#[test]
fn c03_refusal_is_told_with_the_state() {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let response = browser.go(&browser.request(WEB), "deny");
    let location = header(&response, "location").into_owned();
    assert!(location.starts_with("https://yourapp.example/callback?error=access_denied&"), "{location}");
    assert!(location.ends_with("&state=s+t"), "{location}");
}

#[test]
fn c04_expired_and_replayed_codes() {
    let realm = profile(ID);
    let late = code(&realm, WEB, "read:profile");
    realm.advance(Duration::from_secs(61));
    let refusal = redeem(&realm, WEB, &late, &[]);
    assert_eq!(refusal.status, 400);
    assert_eq!(refusal.text(), r#"{"error":"invalid_grant","error_description":"The authorization code has expired"}"#);
    let used = code(&realm, WEB, "read:profile");
    let first = redeem(&realm, WEB, &used, &[]).json().unwrap();
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    assert_eq!(error(&redeem(&realm, WEB, &used, &[])), refused(400, "invalid_grant"));
    assert_eq!(resource(&realm, &first["access_token"]), 401);
}

#[test]
fn c05_services_act_for_themselves() {
    let realm = profile(ID);
    let form = [("grant_type", "client_credentials"), ("scope", "admin:read")];
    let issued = post(&realm, "token", "service", &form).json().unwrap();
    assert_eq!(names(&issued), ["access_token", "token_type", "expires_in", "scope"]);
    assert_eq!(text(&claims(&issued["access_token"])["sub"]), "service");
}

#[test]
fn c06_refresh_tokens_rotate_and_their_reuse_ends_the_family() {
    let realm = profile(ID);
    let first = tokens(&realm, WEB, "read:profile");
    let second = refreshed(&realm, WEB, &first).json().unwrap();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["scope"], Value::Null);
    assert_eq!(refuse(&realm, &first), refused(400, "invalid_grant"));
    assert_eq!(refuse(&realm, &second), refused(400, "invalid_grant"));
}

#[test]
fn c07_revocation_reaches_the_access_token_and_minds_no_garbage() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "read:profile");
    let revoke = |token: &str| post(&realm, "revoke", WEB, &[("token", token)]);
    let done = revoke(text(&issued["refresh_token"]));
    assert_eq!((done.status, done.body.len()), (200, 0));
    assert_eq!(resource(&realm, &issued["access_token"]), 401);
    assert_eq!(refuse(&realm, &issued), refused(400, "invalid_grant"));
    let garbage = revoke("garbage");
    assert_eq!((garbage.status, garbage.body.len()), (200, 0));
}

#[test]
fn c08_wrong_secrets() {
    let realm = profile(ID);
    let form = |secret: &'static str| {
        let pairs = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", secret)];
        Request::post_form(place(&realm, "token"), &pairs.into_iter().collect())
    };
    let by_body = realm.handle(&form("wrong"));
    assert_eq!((error(&by_body), by_body.headers.has("www-authenticate")), (refused(401, "invalid_client"), false));
    let header_value = format!("Basic {}", crate::oauth::encoding::base64("service:wrong"));
    let mut request = form("wrong");
    request.body = b"grant_type=client_credentials".to_vec();
    let by_header = realm.handle(&request.with("Authorization", header_value));
    assert_eq!(error(&by_header), refused(401, "invalid_client"));
    assert!(header(&by_header, "www-authenticate").starts_with("Basic realm="));
}

#[test]
fn c09_tokens_verify_and_forgeries_do_not_pass() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "read:profile");
    let token = text(&issued["access_token"]);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks(&realm)).unwrap();
    let kid = head(&issued["access_token"])["kid"].as_str().unwrap().to_owned();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut wanted = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    wanted.set_audience(&["https://api.example.com"]);
    wanted.set_issuer(&[realm.issuer()]);
    let told = jsonwebtoken::decode::<Value>(token, &key, &wanted).unwrap();
    assert_eq!(told.header.typ.as_deref(), Some("JWT"));
    let claims = told.claims;
    assert_eq!((text(&claims["client_id"]), text(&claims["sub"]), text(&claims["scope"])), (WEB, "user_123", "read:profile"));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[0] = crate::oauth::encoding::base64url(r#"{"alg":"none","typ":"JWT"}"#);
    parts[2].clear();
    assert_eq!(resource(&realm, &json!(parts.join("."))), 401);
    // Signed with the right key, for another API.
    let mut foreign = claims.as_object().unwrap().clone();
    foreign.insert("aud".into(), json!("https://other.example"));
    let keys = crate::mock::Keys::Fixture.load().unwrap();
    let policy = realm.policies();
    let alg = crate::mock::keys::Alg::Rs256;
    let foreign = crate::mock::jwt::sign(
        &foreign,
        alg,
        "JWT",
        &keys,
        policy.base(),
        crate::mock::jwt::Making { rewrites: &[], kind: crate::policy::Tokens::Access, memo: None },
    );
    assert_eq!(resource(&realm, &json!(foreign)), 401);
    assert_eq!(resource(&realm, &issued["access_token"]), 200);
}

#[rstest]
#[case("https://evil.example/callback")]
#[case("https://yourapp.example/callback/")]
fn c10_unregistered_redirect_uris_stay_on_the_page(#[case] uri: &str) {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let request = edited(browser.request(WEB), &[("redirect_uri", Some(uri))]);
    let page = browser.authorize(&request);
    assert_eq!((page.status, title(&page).as_str(), page.headers.has("location")), (400, "Error", false));
}

#[test]
fn c10_the_implicit_grant_is_unknown_and_nothing_is_stored() {
    let realm = profile(ID);
    let answer = tail(&realm, WEB, &[("response_type", Some("token"))]);
    assert!(answer.starts_with("?error=unsupported_response_type"), "{answer}");
    let success = redeem(&realm, WEB, &code(&realm, WEB, "read:profile"), &[]);
    let failure = redeem(&realm, WEB, "unknown", &[]);
    for response in [success, failure] {
        assert_eq!((header(&response, "cache-control").as_ref(), header(&response, "pragma").as_ref()), ("no-store", "no-cache"));
    }
}
