//! Facts of the profiles that can be had otherwise, each with the setting that has them so.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{error, refused, resource};
use super::*;
use crate::mock::MockClient;

const POOL: &str = "cognito";
const WEB: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
const GUIDE: &str = "your_client_id";

fn login(realm: &Realm, edits: &[(&str, Option<&str>)]) -> Response {
    let request = edited(Browser::new(realm).request(WEB), edits);
    realm.handle(&Request::get(format!("{}?{}", place(realm, "login"), request.encode())))
}

#[rstest]
#[case::scope(&[("scope", Some("nope"))], "error_description=invalid_scope&state=s+t&error=invalid_request")]
#[case::response_type(&[("response_type", None)], "error=invalid_request&state=s+t")]
#[case::plain(&[("code_challenge_method", Some("plain"))], "error=invalid_request&state=s+t")]
#[case::silent(&[("prompt", Some("none"))], "error=login_required&state=s+t")]
fn a_login_page_redirects_errors_as_the_authorization_endpoint(#[case] edits: &[(&str, Option<&str>)], #[case] answer: &str) {
    let realm = profile(POOL);
    let response = login(&realm, edits);
    let location = header(&response, "location").into_owned();
    let uri = client(&realm, WEB).redirect_uris[0].clone();
    assert_eq!((response.status, location.strip_prefix(&format!("{uri}?"))), (302, Some(answer)));
    assert_eq!(login(&realm, &[]).status, 200);
}

#[test]
fn a_login_page_is_over_after_three_minutes() {
    let late = |settings: &[(&str, Value)]| {
        let realm = patched(POOL, settings);
        let mut browser = Browser::new(&realm);
        let page = browser.authorize(&browser.request(WEB));
        realm.advance(Duration::from_secs(180));
        let answer = browser.fill(&page, &[("username", "alice"), ("password", "wonderland")]);
        header(&answer, "location").contains("/error?error=invalid_request")
    };
    assert_eq!((late(&[]), late(&[("pages.sign_in_lifetime", json!(0))])), (true, false));
}

#[rstest]
#[case::pool(POOL, WEB)]
#[case::guide("guide", GUIDE)]
fn a_challenge_has_the_length_of_a_hash(#[case] id: &str, #[case] web: &str) {
    for (challenge, right) in [("x".repeat(43), true), ("x".repeat(44), false), ("~".repeat(43), false)] {
        let passes = |settings: &[(&str, Value)]| {
            tail(&patched(id, settings), web, &[("code_challenge", Some(&challenge))]).contains("code=")
        };
        assert_eq!(passes(&[]), right, "{challenge}");
        assert!(passes(&[("pkce.exact_s256", json!(false))]), "{challenge}");
    }
}

#[test]
fn machines_have_no_scope_of_the_system_and_no_userinfo() {
    let realm = profile(POOL);
    realm.register(MockClient {
        client_id: "own".into(),
        client_secret: Some("s".into()),
        auth_method: "client_secret_post".into(),
        grant_types: vec!["client_credentials".into()],
        scopes: vec!["openid".into(), "email".into(), "pets/read".into()],
        ..MockClient::default()
    });
    let ask = |scope: &[(&str, &str)]| post(&realm, "token", "own", &[&[("grant_type", "client_credentials")], scope].concat());
    let issued = ask(&[]).json().unwrap();
    assert_eq!(text(&claims(&issued["access_token"])["scope"]), "pets/read");
    assert_eq!(error(&ask(&[("scope", "openid")])), refused(400, "invalid_scope"));
    assert_eq!(userinfo(&realm, &issued["access_token"]).status, 401);
    // Where they are not reserved, there is still no user.
    let patch = Patch::new("open").set("client_credentials.reserved_scopes", json!([]));
    realm.set_policies(realm.policies().with_scripts(&[patch]).unwrap());
    let issued = ask(&[]).json().unwrap();
    assert_eq!(text(&claims(&issued["access_token"])["scope"]), "openid email pets/read");
    let refusal = userinfo(&realm, &issued["access_token"]);
    let challenge = r#"error="invalid_token", error_description="Access token does not contain openid scope""#;
    assert_eq!((refusal.status, header(&refusal, "www-authenticate").as_ref()), (401, challenge));
}

#[test]
fn scopes_that_a_machine_may_not_have_can_be_ignored() {
    let realm = profile(POOL);
    let machine = "4d9f2g7h1j6k3l8z5x0c4v9b2n";
    let ask = || post(&realm, "token", machine, &[("grant_type", "client_credentials"), ("scope", "foo")]);
    assert_eq!(error(&ask()), refused(400, "invalid_scope"));
    let policies = realm.policies().with_scripts(&[Patch::new("documented").set("scope.unknown", json!("ignore"))]).unwrap();
    realm.set_policies(policies);
    let issued = ask().json().unwrap();
    assert_eq!(text(&claims(&issued["access_token"])["scope"]), "pets/read pets/write");
}

#[test]
fn an_api_hears_of_no_revocation() {
    let realm = profile(POOL);
    let issued = tokens(&realm, WEB, "openid");
    assert_eq!(post(&realm, "revoke", WEB, &[("token", text(&issued["refresh_token"]))]).status, 200);
    assert_eq!(resource(&realm, &issued["access_token"]), 200);
    assert_eq!(userinfo(&realm, &issued["access_token"]).status, 401);
}

#[test]
fn a_client_that_may_not_revoke_is_refused() {
    let realm = patched(POOL, &[("revocation.allowed", json!(false))]);
    let issued = tokens(&realm, WEB, "openid");
    let answer = post(&realm, "revoke", WEB, &[("token", text(&issued["refresh_token"]))]);
    assert_eq!((answer.status, answer.json()), (400, Some(json!({ "error": "invalid_request" }))));
    assert_eq!(refreshed(&realm, WEB, &issued).status, 200);
}

#[test]
fn rotation_ends_the_old_token_and_not_the_family() {
    let settings =
        [("refresh.rotation", json!("always")), ("refresh.reuse", json!("within-grace")), ("refresh.grace", json!(60))];
    let realm = patched(POOL, &settings);
    let first = tokens(&realm, WEB, "openid");
    let second = refreshed(&realm, WEB, &first).json().unwrap();
    realm.advance(Duration::from_secs(59));
    assert_eq!(refreshed(&realm, WEB, &first).status, 200);
    realm.advance(Duration::from_secs(2));
    assert_eq!(error(&refreshed(&realm, WEB, &first)), refused(400, "invalid_grant"));
    assert_eq!(refreshed(&realm, WEB, &second).status, 200);
}

#[test]
fn paths_can_be_had_without_regard_to_case() {
    let ask = |settings: &[(&str, Value)]| {
        let realm = patched(POOL, settings);
        let issued = tokens(&realm, WEB, "openid");
        bearer(&realm, &super::super::url("oauth2/userinfo"), "GET", text(&issued["access_token"])).status
    };
    assert_eq!((ask(&[]), ask(&[("paths.case_sensitive", json!(false))])), (404, 200));
}

#[test]
fn signing_out_by_post_is_405_and_empty() {
    let realm = profile(POOL);
    let answer = realm.handle(&Request::new("POST", super::super::url("logout")));
    assert_eq!((answer.status, answer.body.len()), (405, 0));
    let nobody = realm.handle(&Request::get(format!("{}?logout_uri=https://x.example/", super::super::url("logout"))));
    assert!(header(&nobody, "location").ends_with("/error?error=Required+parameters+missing"));
}

#[test]
fn the_delivery_network_has_an_identifier_of_its_own() {
    let realm = profile("cognito-custom-domain");
    let answer = realm.handle(&Request::get(place(&realm, "userinfo")));
    assert_eq!(header(&answer, "x-amz-cf-id").len(), 56);
}

#[test]
fn the_hosted_tenant_tells_the_state_where_that_is_documented() {
    let realm = profile("cognito-hosted");
    let web = "5urjcisbfnu82jhd8f9jicl2bi";
    assert_eq!(tail(&realm, web, &[("prompt", Some("none"))]), "?error=login_required&state=s+t");
    assert_eq!(tail(&realm, web, &[("response_type", None)]), "?error=invalid_request");
}

#[test]
fn the_guide_wants_the_redirect_uri_in_every_request() {
    let ask = |settings: &[(&str, Value)]| {
        let realm = patched("guide", settings);
        let mut browser = Browser::new(&realm);
        let request = edited(browser.request("your_other_client_id"), &[("redirect_uri", None)]);
        browser.authorize(&request).status
    };
    assert_eq!((ask(&[]), ask(&[("redirect_uri.absent", json!("only-one"))])), (400, 200));
}

#[test]
fn the_guide_says_when_to_come_again() {
    let realm = patched("guide", &[("token.max_per_minute", json!(1))]);
    let ask = || post(&realm, "token", "service", &[("grant_type", "client_credentials")]);
    assert_eq!(ask().status, 200);
    let busy = ask();
    assert_eq!((busy.status, header(&busy, "retry-after").as_ref()), (429, "60"));
}

#[test]
fn the_guide_publishes_a_replaced_key_until_its_last_token_has_expired() {
    let realm = profile("guide");
    let count = || jwks(&realm)["keys"].as_array().unwrap().len();
    realm.rotate_keys(None).unwrap();
    realm.advance(Duration::from_secs(3599));
    assert_eq!(count(), 2);
    realm.advance(Duration::from_secs(1));
    assert_eq!(count(), 1);
    assert_eq!(realm.keys().iter().filter(|key| key.published).count(), 1);
}

#[test]
fn claims_are_spelled_with_placeholders_anywhere() {
    let claims_of = |value: Value| {
        let realm = patched(POOL, &[("id_token.claims.x", value)]);
        claims(&tokens(&realm, WEB, "openid")["id_token"])
    };
    let issuer = profile(POOL).issuer().to_owned();
    assert_eq!(claims_of(json!("{issuer}/"))["x"], format!("{issuer}/"));
    assert_eq!(claims_of(json!(["{user}", { "by": "{client}" }]))["x"], json!(["alice", { "by": WEB }]));
    assert_eq!(claims_of(json!("{\"a\": 1}"))["x"], "{\"a\": 1}");
    let slip = Patch::new("slip").set("id_token.claims", json!({ "x": "{usr}" }));
    let error = PolicySet::new([&slip]).unwrap_err().to_string();
    assert!(error.contains("`{usr}` stands for nothing; there are {uuid}"), "{error}");
}

#[test]
fn nobody_is_asked_and_the_hint_says_who_it_is() {
    let realm = patched("guide", &[("pages.login", json!(false)), ("pages.consent", json!("never"))]);
    let subject = |hint: Option<&str>| {
        let answer = tail(
            &realm,
            GUIDE,
            &[
                ("login_hint", hint),
                ("prompt", Some("login")),
                ("max_age", Some("0")),
                ("code_challenge", None),
                ("code_challenge_method", None),
            ],
        );
        let code = Params::parse(answer.trim_start_matches('?').as_bytes()).unwrap().get("code").unwrap().into_owned();
        text(&claims(&redeem(&realm, GUIDE, &code, &[]).json().unwrap()["access_token"])["sub"]).to_owned()
    };
    assert_eq!(
        (subject(None), subject(Some("bob")), subject(Some("nobody"))),
        ("user_123".into(), "user_456".into(), "user_123".into())
    );
}
