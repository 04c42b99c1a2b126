//! What is done with tokens: revocation, introspection, UserInfo, the protected resource.

use std::time::Duration;

use serde_json::{Value, json};

use super::{error, params, post, refresh, refused, resource, strict, tokens, url, with};
use crate::mock::Realm;
use crate::oauth::{Request, Response};

fn revoke(realm: &Realm, id: &str, token: &Value, hint: &str) -> Response {
    post(realm, "revoke", id, &[("token", token.as_str().unwrap()), ("token_type_hint", hint)])
}

fn introspect(realm: &Realm, token: &Value) -> Value {
    post(realm, "introspect", "web", &[("token", token.as_str().unwrap())]).json().unwrap()
}

#[test]
fn revoked_tokens_are_dead() {
    let realm = strict();
    let first = tokens(&realm, "public");
    assert_eq!(revoke(&realm, "public", &first["access_token"], "refresh_token").status, 200);
    assert_eq!(resource(&realm, &first["access_token"]), 401);
    let second = refresh(&realm, "public", &first["refresh_token"]).json().unwrap();
    assert_eq!(resource(&realm, &second["access_token"]), 200);
    assert_eq!(revoke(&realm, "public", &second["refresh_token"], "").status, 200);
    assert_eq!(resource(&realm, &second["access_token"]), 401);
    assert_eq!(refresh(&realm, "public", &second["refresh_token"]).status, 400);
}

#[test]
fn revocation_of_what_is_not_there_or_not_ones_own() {
    let realm = strict();
    assert_eq!(revoke(&realm, "web", &json!("unknown"), "").status, 200);
    let first = tokens(&realm, "web");
    assert_eq!(error(&revoke(&realm, "web2", &first["access_token"], "")), refused(400, "invalid_grant"));
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    assert_eq!(error(&post(&realm, "revoke", "web", &[])), refused(400, "invalid_request"));
    let anonymous = Request::post_form(url("revoke"), &params(&[("token", first["access_token"].as_str().unwrap())]));
    assert_eq!(error(&realm.handle(&anonymous)), refused(401, "invalid_client"));
    let refresh_only = with(&[("revocation.access", json!(false))]);
    let first = tokens(&refresh_only, "web");
    let refusal = revoke(&refresh_only, "web", &first["access_token"], "");
    assert_eq!(error(&refusal), refused(400, "unsupported_token_type"));
    assert_eq!(revoke(&refresh_only, "web", &first["refresh_token"], "").status, 200);
    let careless = with(&[("revocation.foreign", json!("revoke"))]);
    let first = tokens(&careless, "web");
    assert_eq!(revoke(&careless, "web2", &first["access_token"], "").status, 200);
    assert_eq!(resource(&careless, &first["access_token"]), 401);
}

#[test]
fn introspection_tells_what_a_token_is() {
    let realm = strict();
    let first = tokens(&realm, "public");
    let told = introspect(&realm, &first["access_token"]);
    assert_eq!((told["active"].as_bool(), told["client_id"].as_str()), (Some(true), Some("public")));
    assert_eq!((told["username"].as_str(), told["scope"].as_str()), (Some("alice"), first["scope"].as_str()));
    assert_eq!(introspect(&realm, &first["refresh_token"])["active"], json!(true));
    refresh(&realm, "public", &first["refresh_token"]);
    assert_eq!(introspect(&realm, &first["refresh_token"]), json!({"active": false}));
    assert_eq!(introspect(&realm, &json!("unknown")), json!({"active": false}));
    realm.advance(Duration::from_secs(3600));
    assert_eq!(introspect(&realm, &first["access_token"]), json!({"active": false}));
    let others = post(&realm, "introspect", "web2", &[("token", "x")]);
    assert_eq!(error(&others), refused(403, "access_denied"));
    assert_eq!(error(&post(&realm, "introspect", "public", &[("token", "x")])), refused(403, "access_denied"));
}

#[test]
fn userinfo_follows_the_scope() {
    let realm = strict();
    let ask = |token: &Value| {
        let header = format!("Bearer {}", token.as_str().unwrap());
        realm.handle(&Request::get(url("userinfo")).with("Authorization", header))
    };
    let first = tokens(&realm, "web");
    let all = ask(&first["access_token"]).json().unwrap();
    assert_eq!((all["sub"].as_str(), all["email"].as_str()), (Some("alice"), Some("alice@example.com")));
    let pairs =
        [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap()), ("scope", "openid")];
    let narrow = post(&realm, "token", "web", &pairs).json().unwrap();
    assert_eq!(ask(&narrow["access_token"]).json().unwrap(), json!({"sub": "alice"}));
    let service = post(&realm, "token", "service", &[("grant_type", "client_credentials")]).json().unwrap();
    let response = ask(&service["access_token"]);
    assert_eq!(error(&response), refused(403, "insufficient_scope"));
    assert!(response.headers.get("www-authenticate").unwrap().ends_with("scope=\"openid\""));
}

#[test]
fn resources_want_one_good_token_in_one_place() {
    let realm = strict();
    let token = tokens(&realm, "web")["access_token"].as_str().unwrap().to_owned();
    let get = |target: &str| Request::get(url(target));
    let bearer = |request: Request| request.with("Authorization", format!("bearer {token}"));
    let status = |request: Request| realm.handle(&request).status;
    assert_eq!(status(bearer(get("resource"))), 200);
    assert_eq!(status(bearer(get("resource?scope=api:read"))), 200);
    assert_eq!(status(bearer(get("resource?scope=admin"))), 403);
    let none = realm.handle(&get("resource"));
    assert_eq!((none.status, none.headers.get("www-authenticate").unwrap().as_ref()), (401, "Bearer realm=\"r\""));
    let form = || Request::post_form(url("resource"), &params(&[("access_token", &token)]));
    assert_eq!((status(form()), status(bearer(form()))), (200, 400));
    assert_eq!(status(get(&format!("resource?access_token={token}"))), 401);
    assert_eq!(status(bearer(get(&format!("resource?access_token={token}")))), 400);
    assert_eq!(status(get("resource").with("Authorization", "Bearer ")), 400);
    assert_eq!(status(get("resource").with("Authorization", format!("Bearer {token}x"))), 401);
    assert_eq!(realm.journal().entries()[realm.journal().len() - 4].notes, ["access_token stands in the URL"]);
    realm.advance(Duration::from_secs(3600));
    assert_eq!(status(bearer(get("resource"))), 401);
}

#[test]
fn opaque_tokens_and_blind_resources() {
    let realm = with(&[("access_token.format", json!("opaque"))]);
    let first = tokens(&realm, "web");
    assert_eq!(first["access_token"].as_str().unwrap().len(), 43);
    assert_eq!(resource(&realm, &first["access_token"]), 200);
    let blind = with(&[("resource.check_token", json!(false))]);
    assert_eq!(resource(&blind, &json!("anything")), 200);
    assert_eq!(resource(&realm, &json!("anything")), 401);
}
