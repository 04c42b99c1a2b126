//! What else the guide says, beyond its acceptance checks.

use rstest::rstest;
use serde_json::json;

use super::super::{error, params, refused, resource};
use super::*;

const ID: &str = "guide";
const WEB: &str = "your_client_id";

#[test]
fn its_endpoints_are_the_four_and_the_metadata() {
    let realm = profile(ID);
    let document = realm.handle(&Request::get("https://as.example/.well-known/oauth-authorization-server/r")).json().unwrap();
    let of = |name: &str| document[name].as_str().unwrap().to_owned();
    assert_eq!(of("authorization_endpoint"), "https://as.example/r/oauth/authorize");
    assert_eq!(of("token_endpoint"), "https://as.example/r/oauth/token");
    assert_eq!(of("revocation_endpoint"), "https://as.example/r/oauth/revoke");
    assert_eq!(of("jwks_uri"), "https://as.example/r/.well-known/jwks.json");
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["scopes_supported"].as_array().unwrap().len(), 9);
    for gone in [
        "userinfo_endpoint",
        "introspection_endpoint",
        "registration_endpoint",
        "end_session_endpoint",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(document.get(gone).is_none(), "{gone}");
    }
    for gone in ["token", "userinfo", "par", "introspect", "register", ".well-known/openid-configuration"] {
        assert_eq!(realm.handle(&Request::get(super::super::url(gone))).status, 404, "{gone}");
    }
    let put = realm.handle(&Request::new("PUT", place(&realm, "token")));
    assert_eq!((put.status, header(&put, "allow").as_ref()), (405, "POST"));
    let off = patched(ID, &[("metadata.oauth", json!(false))]);
    assert_eq!(off.handle(&Request::get("https://as.example/.well-known/oauth-authorization-server/r")).status, 404);
}

#[rstest]
#[case("GET", "/projects", "read:projects")]
#[case("POST", "/projects", "write:projects")]
#[case("DELETE", "/projects/7", "delete:projects")]
#[case("PUT", "/profile", "write:profile")]
#[case("GET", "/email", "read:email")]
fn the_api_wants_a_scope_for_each_thing(#[case] method: &str, #[case] path: &str, #[case] scope: &str) {
    let realm = profile(ID);
    let url = format!("{}{path}", place(&realm, "resource"));
    let with = tokens(&realm, WEB, scope);
    assert_eq!(bearer(&realm, &url, method, text(&with["access_token"])).status, 200);
    let other = if scope == "read:profile" { "read:email" } else { "read:profile" };
    let without = tokens(&realm, WEB, other);
    let refusal = bearer(&realm, &url, method, text(&without["access_token"]));
    assert_eq!(refusal.status, 403);
    assert!(
        header(&refusal, "www-authenticate")
            .contains(&format!(r#"error="insufficient_scope", error_description="the scope does not suffice", scope="{scope}""#))
    );
}

#[rstest]
#[case("admin:read")]
#[case("admin:write")]
#[case("admin:users")]
fn scopes_of_administrators_are_for_their_client_alone(#[case] scope: &str) {
    let realm = profile(ID);
    assert!(tail(&realm, WEB, &[("scope", Some(scope))]).starts_with("?error=invalid_scope"));
    assert!(tail(&realm, "admin_console", &[("scope", Some(scope))]).starts_with("?code="));
}

#[test]
fn the_secret_works_in_body_and_header_and_not_in_both() {
    let realm = profile(ID);
    let form = [("grant_type", "client_credentials")];
    assert_eq!(post(&realm, "token", "service", &form).status, 200);
    assert_eq!(with_basic(&realm, "service", &form).status, 200);
    let secret = client(&realm, "service").client_secret.unwrap();
    let both = with_basic(&realm, "service", &[form[0], ("client_id", "service"), ("client_secret", &secret)]);
    assert_eq!(error(&both), refused(400, "invalid_request"));
}

#[test]
fn scopes_on_refreshing() {
    let realm = profile(ID);
    let first = tokens(&realm, WEB, "read:profile write:profile");
    let ask = |token: &Value, scope: &str| {
        post(&realm, "token", WEB, &[("grant_type", "refresh_token"), ("refresh_token", text(token)), ("scope", scope)])
    };
    assert_eq!(error(&ask(&first["refresh_token"], "read:profile read:email")), refused(400, "invalid_scope"));
    let narrow = ask(&first["refresh_token"], "read:profile").json().unwrap();
    assert_eq!(text(&narrow["scope"]), "read:profile");
}

#[test]
fn revocation_in_its_other_cases() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "read:profile");
    let revoke = |id: &str, pairs: &[(&str, &str)]| post(&realm, "revoke", id, pairs);
    assert_eq!(error(&revoke(WEB, &[])), refused(400, "invalid_request"));
    let token = text(&issued["access_token"]);
    assert_eq!(revoke("your_other_client_id", &[("token", token)]).status, 200);
    assert_eq!(resource(&realm, &issued["access_token"]), 200);
    assert_eq!(revoke(WEB, &[("token", token), ("token_type_hint", "refresh_token")]).status, 200);
    assert_eq!(resource(&realm, &issued["access_token"]), 401);
    assert_eq!(refreshed(&realm, WEB, &issued).status, 200);
    let wrong = params(&[("token", token), ("client_id", WEB), ("client_secret", "wrong")]);
    assert_eq!(error(&realm.handle(&Request::post_form(place(&realm, "revoke"), &wrong))), refused(401, "invalid_client"));
    assert_eq!(realm.handle(&Request::get(place(&realm, "revoke"))).status, 405);
}

#[test]
fn browsers_of_other_origins_may_call_the_endpoints_for_clients() {
    let realm = profile(ID);
    let asked = |url: String| realm.handle(&Request::get(url).with("Origin", "https://spa.example"));
    for url in [place(&realm, "token"), place(&realm, "revoke"), format!("{}/.well-known/jwks.json", realm.issuer())] {
        let response = asked(url);
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        assert!(!response.headers.has("access-control-allow-credentials"));
    }
    assert!(!asked(place(&realm, "authorize")).headers.has("access-control-allow-origin"));
}

#[test]
fn it_fails_and_is_busy_as_the_rfc_says() {
    for (failing, code) in [("server-error", "server_error"), ("temporarily-unavailable", "temporarily_unavailable")] {
        let realm = patched(ID, &[("authorize.failing", json!(failing))]);
        assert!(tail(&realm, WEB, &[]).starts_with(&format!("?error={code}")));
    }
    let busy = patched(ID, &[("token.max_per_minute", json!(1)), ("token.retry_after", json!(5))]);
    post(&busy, "token", "service", &[("grant_type", "client_credentials")]);
    let second = post(&busy, "token", "service", &[("grant_type", "client_credentials")]);
    assert_eq!((second.status, header(&second, "retry-after").as_ref()), (429, "5"));
}

#[test]
fn public_clients_do_without_a_secret_everywhere() {
    let realm = profile(ID);
    let app = "single_page_app";
    let code = tail(&realm, app, &[]).split(['=', '&']).nth(1).unwrap().to_owned();
    let issued = redeem(&realm, app, &code, &[("code_verifier", super::super::VERIFIER)]).json().unwrap();
    let next = refreshed(&realm, app, &issued).json().unwrap();
    assert_eq!(post(&realm, "revoke", app, &[("token", text(&next["refresh_token"]))]).status, 200);
    assert_eq!(resource(&realm, &next["access_token"]), 401);
    assert_eq!(error(&post(&realm, "token", app, &[("grant_type", "client_credentials")])), refused(400, "unauthorized_client"));
}
