//! What else is known of user pools, beyond the acceptance checks of the two tenants.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::super::browser::title;
use super::super::{error, params, refused, resource};
use super::*;

const ID: &str = "cognito";
const WEB: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
const SPA: &str = "1p5o9i3u7y1t5r9e3w7q1a5s9d";
const MACHINE: &str = "4d9f2g7h1j6k3l8z5x0c4v9b2n";
const HOUR: Duration = Duration::from_secs(3600);

fn revoke(realm: &Realm, id: &str, token: &Value) -> Response {
    post(realm, "revoke", id, &[("token", text(token))])
}

#[test]
fn tokens_from_the_front_stand_in_the_fragment() {
    let realm = profile(ID);
    let answer =
        tail(&realm, SPA, &[("response_type", Some("token")), ("code_challenge", None), ("code_challenge_method", None)]);
    let parts = Params::parse(answer.strip_prefix('#').unwrap().as_bytes()).unwrap();
    let order: Vec<_> = parts.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    assert_eq!(order, ["id_token", "access_token", "token_type", "expires_in", "state"]);
    assert_eq!(parts.get("token_type").unwrap(), "bearer");
}

#[rstest]
#[case::unknown_client(&[("client_id", Some("nobody"))], "Client+does+not+exist")]
#[case::no_client(&[("client_id", None)], "Required+parameters+missing")]
#[case::no_redirect_uri(&[("redirect_uri", None)], "Required+parameters+missing")]
fn what_is_not_redirected_is_on_the_error_page(#[case] edits: &[(&str, Option<&str>)], #[case] error: &str) {
    let realm = profile(ID);
    assert_eq!(ends(&realm, WEB, edits), format!("https://as.example/r/error?error={error}"));
    let page = realm.handle(&Request::get(place(&realm, "oauth2/idpresponse")));
    assert_eq!((page.status, title(&page).as_str()), (400, "Error"));
}

#[rstest]
#[case::response_type(&[("response_type", Some("token id_token"))], "error=invalid_request&state=s+t")]
#[case::silent(&[("prompt", Some("none"))], "error=login_required&state=s+t")]
#[case::email_alone(&[("scope", Some("email"))], "error_description=invalid_scope&state=s+t&error=invalid_request")]
fn other_errors_are_redirected_at_once(#[case] edits: &[(&str, Option<&str>)], #[case] answer: &str) {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let response = browser.authorize(&edited(browser.request(WEB), edits));
    let location = header(&response, "location").into_owned();
    assert_eq!(location.split(['?', '#']).nth(1), Some(answer));
}

#[test]
fn other_methods_are_405_and_empty() {
    let realm = profile(ID);
    let request = Request::post_form(place(&realm, "authorize"), &Browser::new(&realm).request(WEB));
    for request in
        [request, Request::post_form(place(&realm, "logout"), &params(&[])), Request::new("PUT", place(&realm, "token"))]
    {
        let response = realm.handle(&request);
        assert_eq!((response.status, response.headers.has("allow")), (405, false), "{}", request.url);
    }
    let json = Request::new("POST", place(&realm, "token")).with("Content-Type", "application/json");
    assert_eq!(realm.handle(&json).status, 405);
}

#[test]
fn the_login_page_is_the_classic_one() {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let page = browser.authorize(&browser.request(WEB));
    let html = page.text().into_owned();
    for part in
        ["name=\"cognitoSignInForm\"", "name=\"_csrf\"", "name=\"cognitoAsfData\"", "name=\"signInSubmitButton\"", "/r/login?"]
    {
        assert!(html.contains(part), "{part}");
    }
    let cookie = header(&page, "set-cookie").into_owned();
    let csrf = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(is_uuid(csrf) && html.contains(csrf));
    let wrong = browser.fill(&page, &[("username", "alice"), ("password", "x")]);
    assert_eq!((wrong.status, title(&wrong).as_str()), (200, "Sign in"));
    let forged = Browser::new(&realm).fill(&page, &[("username", "alice"), ("password", "wonderland")]);
    assert_eq!(forged.headers.get("location").as_deref(), Some("https://as.example/r/error?error=invalid_request"));
    let done = browser.fill(&wrong, &[("username", "alice"), ("password", "wonderland")]);
    assert!(header(&done, "location").starts_with("https://app.example.com/callback?code="));
    assert!(browser.cookie_names().contains(&"cognito"));
}

#[test]
fn a_login_lasts_an_hour_and_may_begin_at_its_page() {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    let request = browser.request(WEB);
    let direct = browser.open(&format!("{}?{}", place(&realm, "login"), request.encode()));
    assert_eq!(title(&direct), "Sign in");
    browser.fill(&direct, &[("username", "alice"), ("password", "wonderland")]);
    let silent = |browser: &mut Browser<'_>| browser.authorize(&request).status;
    realm.advance(HOUR / 2);
    assert_eq!(silent(&mut browser), 302);
    realm.advance(HOUR / 2);
    assert_eq!(silent(&mut browser), 200);
    let again = edited(request.clone(), &[("prompt", Some("login"))]);
    browser.go(&request, "approve");
    assert_eq!(title(&browser.authorize(&again)), "Sign in");
}

#[test]
fn signing_out_leads_to_where_the_client_registered_or_to_the_login() {
    let realm = profile(ID);
    let mut browser = Browser::new(&realm);
    browser.code(WEB);
    let out = |further: &str| format!("{}?client_id={WEB}&{further}", place(&realm, "logout"));
    let left = browser.open(&out("logout_uri=https://app.example.com/signed-out&redirect_uri=x&response_type=code"));
    assert_eq!((left.status, header(&left, "location").as_ref()), (302, "https://app.example.com/signed-out"));
    assert!(!browser.cookie_names().contains(&"cognito"));
    let other = browser.open(&out("logout_uri=https://app.example.com/signed-out/"));
    assert_eq!(header(&other, "location"), "https://as.example/r/error?error=Required+parameters+missing");
    let again = browser.open(&out("redirect_uri=https://app.example.com/callback&response_type=code&state=s"));
    assert_eq!(title(&again), "Sign in");
    let hinted = browser.open(&out("post_logout_redirect_uri=https://app.example.com/signed-out"));
    assert!(header(&hinted, "location").contains("/error?"));
}

#[test]
fn a_code_is_burnt_by_a_failed_try_and_its_replay_revokes_nothing() {
    let realm = profile(ID);
    let burnt = code(&realm, WEB, "openid");
    let wrong = redeem(&realm, WEB, &burnt, &[("redirect_uri", "https://app.example.com/callback/second")]);
    assert_eq!(wrong.text(), r#"{"error":"unauthorized_client","error_description":"invalid_redirect"}"#);
    assert_eq!(error(&redeem(&realm, WEB, &burnt, &[])), refused(400, "invalid_grant"));
    let used = code(&realm, WEB, "openid");
    let first = redeem(&realm, WEB, &used, &[("code_verifier", super::super::VERIFIER)]).json().unwrap();
    assert_eq!(error(&redeem(&realm, WEB, &used, &[])), refused(400, "invalid_grant"));
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    let late = code(&realm, WEB, "openid");
    realm.advance(Duration::from_secs(300));
    assert_eq!(error(&redeem(&realm, WEB, &late, &[])), refused(400, "invalid_grant"));
}

#[test]
fn a_wrong_verifier_is_an_invalid_request_at_first() {
    let realm = profile(ID);
    let code = tail(&realm, WEB, &[]).split(['=', '&']).nth(1).unwrap().to_owned();
    assert_eq!(error(&redeem(&realm, WEB, &code, &[("code_verifier", CHALLENGE_AS_VERIFIER)])), refused(400, "invalid_request"));
    assert_eq!(error(&redeem(&realm, WEB, &code, &[("code_verifier", super::super::VERIFIER)])), refused(400, "invalid_grant"));
}

const CHALLENGE_AS_VERIFIER: &str = super::super::CHALLENGE;

#[test]
fn machines_get_the_scopes_that_they_may_have() {
    let realm = profile(ID);
    let ask = |scope: &str| post(&realm, "token", MACHINE, &[("grant_type", "client_credentials"), ("scope", scope)]);
    let some = ask("pets/read pets/eat").json().unwrap();
    assert_eq!(text(&claims(&some["access_token"])["scope"]), "pets/read");
    assert_eq!(error(&ask("pets/eat")), refused(400, "invalid_scope"));
    let public = post(&realm, "token", SPA, &[("grant_type", "client_credentials")]);
    assert_eq!(error(&public), refused(400, "invalid_client"));
}

#[test]
fn claims_of_a_sign_in_stay_together() {
    let realm = profile(ID);
    let first = tokens(&realm, WEB, "openid email");
    realm.advance(HOUR);
    let second = refreshed(&realm, WEB, &first).json().unwrap();
    assert_eq!(names(&second), ["id_token", "access_token", "expires_in", "token_type"]);
    let (before, after) = (claims(&first["access_token"]), claims(&second["access_token"]));
    for kept in ["sub", "origin_jti", "auth_time", "username", "client_id", "scope", "cognito:groups"] {
        assert_eq!(before[kept], after[kept], "{kept}");
    }
    for fresh in ["jti", "event_id", "iat", "exp"] {
        assert_ne!(before[fresh], after[fresh], "{fresh}");
    }
    assert!(["sub", "jti", "origin_jti", "event_id"].iter().all(|name| is_uuid(text(&before[name]))));
    let id = claims(&first["id_token"]);
    assert_eq!((&id["email_verified"], text(&id["cognito:username"]), text(&id["nonce"])), (&json!(true), "alice", "n"));
    assert_eq!(id["origin_jti"], before["origin_jti"]);
    assert!(id["at_hash"].is_string());
}

#[test]
fn the_api_of_a_resource_is_the_audience() {
    let realm = profile(ID);
    let edits = [("resource", Some("https://api.example.com")), ("code_challenge", None), ("code_challenge_method", None)];
    let code = tail(&realm, WEB, &edits).split(['=', '&']).nth(1).unwrap().to_owned();
    let issued = redeem(&realm, WEB, &code, &[]).json().unwrap();
    assert_eq!(text(&claims(&issued["access_token"])["aud"]), "https://api.example.com");
}

#[test]
fn userinfo_has_challenges_of_its_own() {
    let realm = profile(ID);
    let bare = realm.handle(&Request::get(place(&realm, "userinfo")));
    let wanted = r#"error="invalid_request", error_description="Bad OAuth2 request at UserInfo Endpoint""#;
    assert_eq!((bare.status, header(&bare, "www-authenticate").as_ref(), bare.body.len()), (400, wanted, 0));
    let plain = tokens(&realm, WEB, "pets/read");
    let lacking = userinfo(&realm, &plain["access_token"]);
    let wanted = r#"error="invalid_token", error_description="Access token does not contain openid scope""#;
    assert!(lacking.status == 401 && header(&lacking, "www-authenticate").starts_with(wanted));
    let all = tokens(&realm, WEB, "openid");
    let told = userinfo(&realm, &all["access_token"]).json().unwrap();
    assert_eq!((text(&told["email"]), text(&told["phone_number_verified"])), ("alice@example.com", "false"));
    assert_eq!((text(&told["username"]), &told["cognito:groups"]), ("alice", &Value::Null));
    let some = tokens(&realm, WEB, "openid email");
    assert_eq!(userinfo(&realm, &some["access_token"]).json().unwrap()["name"], Value::Null);
    assert_eq!(bearer(&realm, &super::super::url("oauth2/userinfo"), "GET", text(&all["access_token"])).status, 404);
}

#[test]
fn revocation_is_for_refresh_tokens() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "openid");
    for other in ["access_token", "id_token"] {
        assert_eq!(error(&revoke(&realm, WEB, &issued[other])), refused(400, "unsupported_token_type"), "{other}");
    }
    assert_eq!(error(&post(&realm, "revoke", WEB, &[])), refused(400, "invalid_request"));
    let done = revoke(&realm, WEB, &issued["refresh_token"]);
    assert_eq!((done.status, done.body.len()), (200, 0));
    assert_eq!(revoke(&realm, WEB, &issued["refresh_token"]).status, 200);
    assert_eq!(userinfo(&realm, &issued["access_token"]).status, 401);
    assert_eq!(error(&refreshed(&realm, WEB, &issued)), refused(400, "invalid_grant"));
    let form = params(&[("token", "x"), ("client_id", WEB), ("client_secret", "wrong")]);
    let wrong = realm.handle(&Request::post_form(place(&realm, "revoke"), &form));
    assert_eq!((error(&wrong), wrong.headers.has("www-authenticate")), (refused(401, "invalid_client"), false));
}

#[test]
fn origins_are_echoed_at_the_token_endpoint_alone() {
    let realm = profile(ID);
    let origin = "https://app.example.com";
    let asked = |url: String, method: &str| {
        let request = Request::new(method, url).with("Origin", origin).with("Access-Control-Request-Method", "POST");
        realm.handle(&request)
    };
    let response = asked(place(&realm, "token"), "POST");
    assert_eq!(header(&response, "access-control-allow-origin"), origin);
    assert_eq!(header(&response, "access-control-allow-credentials"), "true");
    assert_eq!(asked(place(&realm, "token"), "OPTIONS").status, 204);
    assert!(!asked(place(&realm, "authorize"), "GET").headers.has("access-control-allow-origin"));
}

#[test]
fn discovery_as_published() {
    let realm = profile(ID);
    let document = realm.handle(&Request::get(format!("{}/.well-known/openid-configuration", realm.issuer())));
    assert_eq!(header(&document, "content-type"), "application/json");
    let document = document.json().unwrap();
    let document = Value::Object(document.as_object().unwrap().clone());
    assert_eq!(
        names(&document),
        [
            "authorization_endpoint",
            "end_session_endpoint",
            "id_token_signing_alg_values_supported",
            "issuer",
            "jwks_uri",
            "response_types_supported",
            "revocation_endpoint",
            "scopes_supported",
            "subject_types_supported",
            "token_endpoint",
            "token_endpoint_auth_methods_supported",
            "userinfo_endpoint",
        ]
    );
    assert_eq!(document["response_types_supported"], json!(["code", "token"]));
    let error = post(&realm, "token", WEB, &[]);
    assert_eq!(header(&error, "content-type"), "application/json;charset=UTF-8");
}

#[test]
fn rotation_keeps_the_remaining_life_and_a_grace_period() {
    let settings =
        [("refresh.rotation", json!("always")), ("refresh.reuse", json!("within-grace")), ("refresh.grace", json!(60))];
    let realm = patched(ID, &settings);
    let first = tokens(&realm, WEB, "openid");
    realm.advance(HOUR * 24 * 29);
    let second = refreshed(&realm, WEB, &first).json().unwrap();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    realm.advance(HOUR / 60);
    assert_eq!(refreshed(&realm, WEB, &first).status, 200);
    realm.advance(HOUR / 60);
    assert_eq!(error(&refreshed(&realm, WEB, &first)), refused(400, "invalid_grant"));
    realm.advance(HOUR * 24);
    assert_eq!(error(&refreshed(&realm, WEB, &second)), refused(400, "invalid_grant"));
}

#[rstest]
#[case::throttled(&[("token.max_per_minute", json!(1))], 429)]
#[case::client_id_wanted(&[("client_auth.require_client_id", json!(true))], 400)]
#[case::no_secret_in_the_body(&[("client_auth.methods", json!(["client_secret_basic", "none"]))], 200)]
fn further_settings(#[case] settings: &[(&str, Value)], #[case] status: u16) {
    let realm = patched(ID, settings);
    let form = [("grant_type", "client_credentials")];
    with_basic(&realm, MACHINE, &form);
    let response = with_basic(&realm, MACHINE, &form);
    assert_eq!((response.status, response.headers.has("retry-after")), (status, false));
}

#[test]
fn the_api_takes_access_tokens_by_header_alone() {
    let realm = profile("cognito-custom-domain");
    let web = "2k7aworldweb4n9c1x5v8m3q6z";
    let issued = tokens(&realm, web, "openid");
    assert_eq!(resource(&realm, &issued["access_token"]), 200);
    for other in ["id_token", "refresh_token"] {
        assert_eq!(resource(&realm, &issued[other]), 401, "{other}");
    }
    let token = text(&issued["access_token"]);
    let in_query = Request::get(format!("{}?access_token={token}", place(&realm, "resource")));
    let in_body = Request::post_form(place(&realm, "resource"), &params(&[("access_token", token)]));
    assert_eq!([realm.handle(&in_query).status, realm.handle(&in_body).status], [401, 401]);
    realm.advance(HOUR);
    let late = bearer(&realm, &place(&realm, "resource"), "GET", token);
    assert!(
        late.status == 401
            && header(&late, "www-authenticate").starts_with("Bearer ")
            && header(&late, "www-authenticate").contains("invalid_token")
    );
    let groups =
        |user: &str| realm.users().into_iter().find(|known| known.username == user).unwrap().claims["cognito:groups"].clone();
    assert_eq!((groups("alice"), groups("bob")), (json!(["principal"]), json!(["user"])));
}

#[test]
fn the_hosted_tenant_has_the_claims_of_2017() {
    let realm = profile("cognito-hosted");
    let web = "5urjcisbfnu82jhd8f9jicl2bi";
    let issued = tokens(&realm, web, "api/pets");
    assert!(part(&issued["access_token"], 1).contains(r"api\/pets"));
    let told = claims(&issued["access_token"]);
    let mut found = names(&told);
    found.sort_unstable();
    assert_eq!(found, ["client_id", "exp", "iat", "iss", "jti", "scope", "sub", "token_use", "username", "version"]);
    assert_eq!((text(&told["username"]), text(&told["scope"])), ("a", "api/pets"));
    let strict = patched(
        "cognito-hosted",
        &[("client_auth.methods", json!(["client_secret_basic", "none"])), ("client_auth.require_client_id", json!(true))],
    );
    assert_eq!(
        error(&with_basic(&strict, web, &[("grant_type", "refresh_token"), ("refresh_token", "x")])),
        refused(400, "invalid_request")
    );
    let secret = client(&strict, web).client_secret.unwrap();
    let form = params(&[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", web), ("client_secret", &secret)]);
    assert_eq!(error(&strict.handle(&Request::post_form(place(&strict, "token"), &form))), refused(400, "invalid_client"));
}
