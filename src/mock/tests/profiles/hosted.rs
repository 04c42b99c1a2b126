//! The ten acceptance checks of `cognito-hosted`.

use rstest::rstest;
use serde_json::json;

use super::super::{CHALLENGE, error, refused};
use super::*;

const ID: &str = "cognito-hosted";
const WEB: &str = "5urjcisbfnu82jhd8f9jicl2bi";

#[test]
fn c01_a_trailing_ampersand_does_no_harm() {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let uri = client(&realm, WEB).redirect_uris[0].clone();
    let request = format!("{}?response_type=code&client_id={WEB}&redirect_uri={uri}&state=s&", place(&realm, "authorize"));
    let page = browser.open(&request);
    let response = browser.fill(&page, &[("username", "a"), ("password", "wonderland")]);
    assert_eq!(response.status, 302);
    let location = header(&response, "location").into_owned();
    let code = location.strip_prefix(&format!("{uri}?code=")).and_then(|rest| rest.strip_suffix("&state=s"));
    assert!(code.is_some_and(is_uuid), "{location}");
}

#[rstest]
#[case::no_response_type(&[("response_type", None)])]
#[case::no_method(&[("code_challenge_method", None)])]
#[case::plain(&[("code_challenge", Some(CHALLENGE)), ("code_challenge_method", Some("plain"))])]
#[case::lower_case(&[("code_challenge_method", Some("s256"))])]
#[case::method_alone(&[("code_challenge", None)])]
fn c02_faulty_requests_are_told_to_the_client(#[case] edits: &[(&str, Option<&str>)]) {
    assert_eq!(tail(&profile(ID), WEB, edits), "?error=invalid_request");
}

#[test]
fn c03_tokens_from_the_front_are_not_for_every_client() {
    assert_eq!(tail(&profile(ID), WEB, &[("response_type", Some("token"))]), "?error=unauthorized_client");
}

#[test]
fn c04_a_bad_scope_as_documented_and_as_observed() {
    let edits = [("scope", Some("api/unknown"))];
    assert_eq!(tail(&profile(ID), WEB, &edits), "?error=invalid_scope");
    let observed = profile("cognito");
    let web = "3n4b5urk1ft4fl3mg5e62d9ado";
    assert_eq!(tail(&observed, web, &edits), "?error_description=invalid_scope&state=s+t&error=invalid_request");
    let stateless = [("scope", Some("api/unknown")), ("state", None)];
    assert_eq!(tail(&observed, web, &stateless), "?error_description=invalid_scope&error=invalid_request");
    let front = [("scope", Some("api/unknown")), ("state", None), ("response_type", Some("token"))];
    let spa = "1p5o9i3u7y1t5r9e3w7q1a5s9d";
    assert_eq!(tail(&observed, spa, &front), "#error_description=invalid_scope&error=invalid_request");
    // The same by settings, on this profile.
    let settings = [
        ("authorize.state_on_error", json!(true)),
        ("errors.authorize.unknown_scope.error", json!("invalid_request")),
        ("errors.authorize.unknown_scope.description", json!("invalid_scope")),
        ("errors.authorize.unknown_scope.order", json!("error-last")),
    ];
    let realm = patched(ID, &settings);
    assert_eq!(tail(&realm, WEB, &edits), "?error_description=invalid_scope&state=s+t&error=invalid_request");
}

#[test]
fn c05_failures_are_redirects_and_never_a_500() {
    let realm = patched(ID, &[("authorize.failing", json!("server-error"))]);
    assert_eq!(tail(&realm, WEB, &[]), "?error=server_error");
    let response = Browser::new(&realm).go(&Browser::new(&realm).request(WEB), "approve");
    assert_eq!(response.status, 302);
}

#[test]
fn c06_an_unregistered_redirect_uri_ends_on_the_error_page() {
    let realm = profile(ID);
    let location = ends(&realm, WEB, &[("redirect_uri", Some("https://evil.example/"))]);
    assert_eq!(location, format!("https://as.example/r/error?error=redirect_mismatch&client_id={WEB}"));
    let page = realm.handle(&Request::get(location));
    assert_eq!((page.status, page.headers.has("location")), (400, false));
    assert!(
        page.text().contains("An error was encountered with the requested page.") && page.text().contains("redirect_mismatch")
    );
}

#[test]
fn c07_an_id_token_only_with_openid() {
    let realm = profile(ID);
    let plain = tokens(&realm, WEB, "api/pets");
    assert_eq!(names(&plain), ["access_token", "refresh_token", "expires_in", "token_type"]);
    let openid = tokens(&realm, WEB, "openid api/pets");
    assert_eq!(names(&openid), ["id_token", "access_token", "refresh_token", "expires_in", "token_type"]);
    assert_eq!((&openid["expires_in"], text(&openid["token_type"])), (&json!(3600), "Bearer"));
}

#[test]
fn c08_refreshing_keeps_the_refresh_token() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "api/pets");
    for _ in 0..2 {
        let next = refreshed(&realm, WEB, &issued).json().unwrap();
        assert_eq!(names(&next), ["access_token", "expires_in", "token_type"]);
        assert_ne!(next["access_token"], issued["access_token"]);
    }
}

#[test]
fn c09_heads_of_the_tokens() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "api/pets");
    let kid = head(&issued["access_token"])["kid"].clone();
    assert_eq!(part(&issued["access_token"], 0), format!(r#"{{"kid":{kid},"alg":"RS256"}}"#));
    assert!(text(&kid).len() == 44 && text(&kid).ends_with('='), "{kid}");
    let refresh = text(&issued["refresh_token"]);
    let lengths: Vec<_> = refresh.split('.').map(|part| from_base64url(part).unwrap().len()).collect();
    assert_eq!(lengths, [46, 256, 12, 860, 16]);
    assert_eq!(part(&issued["refresh_token"], 0), r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#);
}

#[test]
fn c10_other_grants_missing_parameters_and_methods() {
    let realm = profile(ID);
    for other in ["password", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"] {
        assert_eq!(error(&with_basic(&realm, WEB, &[("grant_type", other)])), refused(400, "unsupported_grant_type"), "{other}");
    }
    assert_eq!(error(&with_basic(&realm, WEB, &[("grant_type", "refresh_token")])), refused(400, "invalid_request"));
    let get = realm.handle(&Request::get(place(&realm, "token")));
    assert_eq!((get.status, get.body.len(), get.headers.has("allow")), (405, 0, false));
}
