//! Token endpoint: client authentication and the grants.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::browser::Browser;
use super::{VERIFIER, basic, error, params, post, redeem, refresh, refused, resource, strict, tokens, url, with};
use crate::oauth::encoding::from_base64url;
use crate::oauth::{Params, Request, Response};

#[rstest]
fn a_code_is_worth_tokens(#[values("web", "web2", "post", "public", "native", "code-only")] id: &str) {
    let realm = strict();
    let code = Browser::new(&realm).code(id);
    let response = redeem(&realm, id, &code);
    assert_eq!((response.status, response.media_type().as_str()), (200, "application/json"));
    assert_eq!(response.headers.get("cache-control").unwrap(), "no-store");
    assert_eq!(response.headers.get("pragma").unwrap(), "no-cache");
    let body = response.json().unwrap();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert_eq!(body["refresh_token"].is_string(), id != "code-only");
    assert_eq!(body["scope"].as_str().unwrap().split(' ').count(), 6);
    let id_token = claims(&body["id_token"]);
    assert_eq!((id_token["aud"].as_str(), id_token["nonce"].as_str()), (Some(id), Some("n")));
    let access = claims(&body["access_token"]);
    assert_eq!((access["client_id"].as_str(), access["sub"].as_str()), (Some(id), Some("alice")));
    assert_eq!(access["aud"], json!("https://as.example/r/resource"));
    assert_eq!(resource(&realm, &body["access_token"]), 200);
}

#[test]
fn the_same_seed_gives_the_same_codes() {
    let code = || Browser::new(&strict()).code("web");
    assert_eq!(code(), code());
}

#[test]
fn a_code_works_once_and_its_reuse_ends_its_tokens() {
    let realm = strict();
    let code = Browser::new(&realm).code("web");
    let first = redeem(&realm, "web", &code).json().unwrap();
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    assert_eq!(error(&redeem(&realm, "web", &code)), refused(400, "invalid_grant"));
    assert_eq!(resource(&realm, &first["access_token"]), 401);
    assert_eq!(error(&refresh(&realm, "web", &first["refresh_token"])), refused(400, "invalid_grant"));
}

#[test]
fn code_reuse_as_policies_say() {
    let twice = |settings: &[(&str, Value)], seconds: u64| {
        let realm = with(settings);
        let code = Browser::new(&realm).code("web");
        let first = redeem(&realm, "web", &code).json().unwrap();
        realm.advance(Duration::from_secs(seconds));
        let second = redeem(&realm, "web", &code);
        let refreshed = refresh(&realm, "web", &first["refresh_token"]).status;
        (second.status, resource(&realm, &first["access_token"]), refreshed)
    };
    assert_eq!(twice(&[("code.reuse", json!("accept"))], 0), (200, 200, 200));
    assert_eq!(twice(&[("code.reuse", json!("within-grace"))], 5), (200, 200, 200));
    assert_eq!(twice(&[("code.reuse", json!("within-grace"))], 11), (400, 401, 400));
    assert_eq!(twice(&[("code.reuse_revokes", json!(false))], 0), (400, 200, 200));
    assert_eq!(twice(&[("code.reuse_spares_refresh", json!(true))], 0), (400, 401, 200));
}

#[test]
fn a_code_is_bound_to_client_time_redirect_uri_and_verifier() {
    let realm = strict();
    let code = |browser: &mut Browser<'_>| browser.code("web");
    let mut browser = Browser::new(&realm);
    let right =
        [("grant_type", "authorization_code"), ("redirect_uri", "https://client.example/callback"), ("code_verifier", VERIFIER)];
    let mut attempt = |client: &str, edit: &dyn Fn(&mut Params)| {
        let code = code(&mut browser);
        let mut params = params(&right);
        params.push("code", code.as_str());
        edit(&mut params);
        let request = Request::post_form(url("token"), &params).with("Authorization", basic(&realm, client));
        let first = realm.handle(&request);
        // A refused attempt leaves the code to its owner.
        assert_eq!(redeem(&realm, "web", &code).status, if first.status == 200 { 400 } else { 200 });
        first
    };
    assert_eq!(attempt("web", &|_| ()).status, 200);
    assert_eq!(error(&attempt("web2", &|_| ())), refused(400, "invalid_grant"));
    let second = "https://client.example/callback/second";
    assert_eq!(error(&attempt("web", &|p| p.set("redirect_uri", second))), refused(400, "invalid_grant"));
    assert_eq!(error(&attempt("web", &|p| p.remove("redirect_uri"))), refused(400, "invalid_request"));
    assert_eq!(error(&attempt("web", &|p| p.remove("code_verifier"))), refused(400, "invalid_grant"));
    let wrong = VERIFIER.replace('d', "e");
    assert_eq!(error(&attempt("web", &|p| p.set("code_verifier", wrong.as_str()))), refused(400, "invalid_grant"));
    assert_eq!(error(&attempt("web", &|p| p.set("code_verifier", "x"))), refused(400, "invalid_grant"));
    let late = code(&mut browser);
    realm.advance(Duration::from_secs(60));
    assert_eq!(error(&redeem(&realm, "web", &late)), refused(400, "invalid_grant"));
    assert_eq!(realm.journal().last().unwrap().cause, Some("expired_code"));
}

#[test]
fn a_failed_attempt_burns_the_code_where_the_policy_says_so() {
    let realm = with(&[("code.burnt_by_failure", json!(true))]);
    let code = Browser::new(&realm).code("web");
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!(post(&realm, "token", "web", &pairs).status, 400);
    assert_eq!(error(&redeem(&realm, "web", &code)), refused(400, "invalid_grant"));
}

#[test]
fn client_credentials() {
    let realm = strict();
    let body = post(&realm, "token", "service", &[("grant_type", "client_credentials")]).json().unwrap();
    assert_eq!(claims(&body["access_token"])["sub"], json!("service"));
    assert!(body["refresh_token"].is_null() && body["id_token"].is_null());
    assert_eq!(resource(&realm, &body["access_token"]), 200);
    let narrow = [("grant_type", "client_credentials"), ("scope", "api:read")];
    assert_eq!(post(&realm, "token", "service", &narrow).json().unwrap()["scope"], json!("api:read"));
    let wide = [("grant_type", "client_credentials"), ("scope", "openid")];
    assert_eq!(error(&post(&realm, "token", "service", &wide)), refused(400, "invalid_scope"));
    let public = post(&realm, "token", "public", &[("grant_type", "client_credentials")]);
    assert_eq!(error(&public), refused(400, "unauthorized_client"));
}

#[test]
fn rotation_and_the_end_of_a_family() {
    let realm = strict();
    let first = tokens(&realm, "public");
    let second = refresh(&realm, "public", &first["refresh_token"]).json().unwrap();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["scope"], first["scope"]);
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    assert_eq!(error(&refresh(&realm, "public", &first["refresh_token"])), refused(400, "invalid_grant"));
    assert_eq!(error(&refresh(&realm, "public", &second["refresh_token"])), refused(400, "invalid_grant"));
    assert_eq!(realm.journal().last().unwrap().cause, Some("revoked_refresh_token"));
    assert_eq!(resource(&realm, &second["access_token"]), 401);
}

#[test]
fn rotation_as_policies_say() {
    let never = with(&[("refresh.rotation", json!("never"))]);
    let first = tokens(&never, "web");
    assert!(refresh(&never, "web", &first["refresh_token"]).json().unwrap()["refresh_token"].is_null());
    assert_eq!(refresh(&never, "web", &first["refresh_token"]).status, 200);
    let grace = with(&[("refresh.reuse", json!("within-grace"))]);
    let first = tokens(&grace, "web");
    refresh(&grace, "web", &first["refresh_token"]);
    assert_eq!(refresh(&grace, "web", &first["refresh_token"]).status, 200);
    grace.advance(Duration::from_secs(11));
    assert_eq!(refresh(&grace, "web", &first["refresh_token"]).status, 400);
}

#[test]
fn refresh_tokens_are_bound_and_expire() {
    let realm = strict();
    let first = tokens(&realm, "web");
    assert_eq!(error(&refresh(&realm, "web2", &first["refresh_token"])), refused(400, "invalid_grant"));
    assert_eq!(error(&refresh(&realm, "web", &first["access_token"])), refused(400, "invalid_grant"));
    realm.advance(Duration::from_secs(1_209_600));
    assert_eq!(error(&refresh(&realm, "web", &first["refresh_token"])), refused(400, "invalid_grant"));
    assert_eq!(realm.journal().last().unwrap().cause, Some("expired_refresh_token"));
}

#[test]
fn scope_on_refresh() {
    let ask = |realm: &super::Realm, token: &Value, scope: &str| {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), ("scope", scope)];
        post(realm, "token", "web", &pairs)
    };
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.set("scope", "api:read email");
    let code = browser.complete(&request).get("code").unwrap().into_owned();
    let first = redeem(&realm, "web", &code).json().unwrap();
    assert_eq!(error(&ask(&realm, &first["refresh_token"], "api:write")), refused(400, "invalid_scope"));
    let narrow = ask(&realm, &first["refresh_token"], "email").json().unwrap();
    assert_eq!(narrow["scope"], json!("email"));
    let again = refresh(&realm, "web", &narrow["refresh_token"]).json().unwrap();
    assert_eq!(again["scope"], json!("api:read email"));
    let sticky = with(&[("refresh.narrowing_sticks", json!(true))]);
    let first = tokens(&sticky, "web");
    let narrow = ask(&sticky, &first["refresh_token"], "email").json().unwrap();
    assert_eq!(refresh(&sticky, "web", &narrow["refresh_token"]).json().unwrap()["scope"], json!("email"));
}

#[test]
fn requests_that_make_no_sense() {
    let realm = strict();
    let send = |request: Request| error(&realm.handle(&request.with("Authorization", basic(&realm, "web"))));
    let form = |pairs: &[(&str, &str)]| Request::post_form(url("token"), &params(pairs));
    assert_eq!(send(form(&[])), refused(400, "invalid_request"));
    assert_eq!(send(form(&[("grant_type", "x")])), refused(400, "unsupported_grant_type"));
    assert_eq!(send(form(&[("grant_type", "password")])), refused(400, "unsupported_grant_type"));
    assert_eq!(send(form(&[("grant_type", "authorization_code")])), refused(400, "invalid_request"));
    assert_eq!(send(form(&[("grant_type", "refresh_token")])), refused(400, "invalid_request"));
    let twice = form(&[("grant_type", "client_credentials"), ("grant_type", "client_credentials")]);
    assert_eq!(send(twice), refused(400, "invalid_request"));
    assert_eq!(send(Request::get(url("token?grant_type=client_credentials"))), refused(405, "invalid_request"));
    let mut json = Request::new("POST", url("token")).with("Content-Type", "application/json");
    json.body = br#"{"grant_type":"client_credentials"}"#.to_vec();
    assert_eq!(send(json.clone()), refused(400, "invalid_request"));
    let mut broken = form(&[]);
    broken.body = b"grant_type=%zz".to_vec();
    assert_eq!(send(broken), refused(400, "invalid_request"));
    let lax = with(&[("token.content_types", json!("form-and-json"))]);
    assert_eq!(lax.handle(&json.with("Authorization", basic(&lax, "web"))).status, 200);
}

#[test]
fn client_authentication() {
    let realm = strict();
    let send = |pairs: &[(&str, &str)], header: Option<String>| -> Response {
        let mut pairs = pairs.to_vec();
        pairs.push(("grant_type", "client_credentials"));
        let request = Request::post_form(url("token"), &params(&pairs));
        realm.handle(&header.into_iter().fold(request, |request, header| request.with("Authorization", header)))
    };
    let secret = |id: &str| super::client(&realm, id).client_secret.unwrap();
    let web = secret("web");
    assert_eq!(send(&[], Some(basic(&realm, "web2"))).status, 200);
    let none = send(&[("client_id", "web")], None);
    assert_eq!(error(&none), refused(401, "invalid_client"));
    assert_eq!(none.headers.get("www-authenticate").unwrap(), "Basic realm=\"token\"");
    assert_eq!(error(&send(&[], None)), refused(401, "invalid_client"));
    assert_eq!(error(&send(&[("client_id", "web"), ("client_secret", &web)], None)), refused(401, "invalid_client"));
    assert_eq!(realm.journal().last().unwrap().cause, Some("wrong_auth_method"));
    assert_eq!(send(&[("client_id", "post"), ("client_secret", &secret("post"))], None).status, 200);
    assert_eq!(error(&send(&[("client_id", "post"), ("client_secret", "x")], None)), refused(401, "invalid_client"));
    let both = send(&[("client_id", "web"), ("client_secret", &web)], Some(basic(&realm, "web")));
    assert_eq!(error(&both), refused(400, "invalid_request"));
    assert_eq!(error(&send(&[("client_id", "web2")], Some(basic(&realm, "web")))), refused(400, "invalid_request"));
    assert_eq!(error(&send(&[], Some("Basic !".into()))), refused(401, "invalid_client"));
    assert_eq!(send(&[("client_id", "web")], Some(basic(&realm, "web"))).status, 200);
}

#[test]
fn passwords_where_a_policy_takes_them() {
    let realm = with(&[("token.grants", json!(["password"])), ("token.check_registered_grants", json!(false))]);
    let ask = |password| post(&realm, "token", "web", &[("grant_type", "password"), ("username", "bob"), ("password", password)]);
    assert_eq!(claims(&ask("builder").json().unwrap()["access_token"])["sub"], json!("bob"));
    assert_eq!(error(&ask("x")), refused(400, "invalid_grant"));
}

#[test]
fn guessable_values() {
    let realm = with(&[("code.source", json!("counter")), ("code.length", json!(6)), ("code.prefix", json!("c-"))]);
    let mut browser = Browser::new(&realm);
    assert_eq!(browser.code("web"), "c-000001");
    assert_eq!(browser.code("web"), "c-000002");
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
}
