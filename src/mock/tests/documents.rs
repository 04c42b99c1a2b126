//! Metadata, key set, registration.

use serde_json::{Value, json};

use super::browser::Browser;
use super::{error, redeem, refused, strict, url, with};
use crate::mock::Realm;
use crate::oauth::encoding::from_base64url;
use crate::oauth::{Request, Response};

fn metadata(realm: &Realm) -> Value {
    realm.handle(&Request::get("https://as.example/.well-known/oauth-authorization-server/r")).json().unwrap()
}

fn register(realm: &Realm, document: &Value) -> Response {
    let mut request = Request::new("POST", url("register")).with("Content-Type", "application/json");
    request.body = document.to_string().into_bytes();
    realm.handle(&request)
}

#[test]
fn metadata_follow_from_the_policy() {
    insta::assert_json_snapshot!(metadata(&with(&[("metadata.signed", json!(false))])));
    let openid = strict().handle(&Request::get(url(".well-known/openid-configuration"))).json().unwrap();
    assert_eq!(openid, metadata(&strict()));
    let settings = [
        ("pkce.supported", json!(false)),
        ("revocation.enabled", json!(false)),
        ("metadata.omit", json!(["scopes_supported"])),
        ("metadata.set.issuer", json!("https://other.example")),
    ];
    let changed = metadata(&with(&settings));
    for name in ["code_challenge_methods_supported", "revocation_endpoint", "scopes_supported"] {
        assert!(changed[name].is_null(), "{name}");
    }
    assert_eq!(changed["issuer"], json!("https://other.example"));
    let hidden = with(&[("metadata.oauth", json!(false))]);
    assert_eq!(hidden.handle(&Request::get("https://as.example/.well-known/oauth-authorization-server/r")).status, 404);
}

#[test]
fn metadata_are_repeated_as_a_signed_token() {
    let claims = |document: &Value| {
        let token = document["signed_metadata"].as_str().unwrap().to_owned();
        let payload = from_base64url(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()
    };
    let strict = metadata(&strict());
    let signed = claims(&strict);
    assert_eq!((&signed["iss"], &signed["token_endpoint"]), (&strict["issuer"], &strict["token_endpoint"]));
    assert!(signed["signed_metadata"].is_null());
    let omitted = metadata(&with(&[("metadata.omit", json!(["signed_metadata"]))]));
    assert!(omitted["signed_metadata"].is_null());
}

#[test]
fn key_sets() {
    let keys = |realm: &Realm| realm.handle(&Request::get(url("jwks"))).json().unwrap()["keys"].clone();
    let strict = keys(&strict());
    assert_eq!((strict[0]["kid"].as_str(), strict[1]["kid"].as_str()), (Some("ec-1"), Some("rsa-1")));
    assert_eq!(keys(&with(&[("jwks.same_kid", json!(true))]))[1]["kid"], json!("key-1"));
    assert!(keys(&with(&[("jwks.kid", json!(false))]))[1]["kid"].is_null());
}

#[test]
fn nothing_else_is_there() {
    let realm = strict();
    for path in ["/r", "/r/", "/r/nothing", "/other/token", "/r/register/", "/.well-known/openid-configuration/r"] {
        let response = realm.handle(&Request::get(format!("https://as.example{path}")));
        assert_eq!((response.status, response.media_type().as_str()), (404, "application/problem+json"), "{path}");
    }
}

#[test]
fn registered_clients_work_until_they_are_deleted() {
    let realm = strict();
    let document = json!({"redirect_uris": ["https://new.example/cb"], "client_name": "New", "scope": "openid api:read"});
    let response = register(&realm, &document);
    assert_eq!((response.status, response.headers.get("cache-control").unwrap().as_ref()), (201, "no-store"));
    let body = response.json().unwrap();
    assert_eq!(body["token_endpoint_auth_method"], json!("client_secret_basic"));
    assert_eq!((body["client_secret_expires_at"].as_u64(), body["scope"].as_str()), (Some(0), Some("api:read openid")));
    let id = body["client_id"].as_str().unwrap().to_owned();
    let code = Browser::new(&realm).code(&id);
    assert_eq!(redeem(&realm, &id, &code).status, 200);
    let manage = |method: &str, token: &str| {
        let uri = body["registration_client_uri"].as_str().unwrap();
        realm.handle(&Request::new(method, uri).with("Authorization", format!("Bearer {token}")))
    };
    let token = body["registration_access_token"].as_str().unwrap();
    assert_eq!(manage("GET", token).json().unwrap(), body);
    assert_eq!(manage("GET", "wrong").status, 401);
    assert_eq!(manage("DELETE", token).status, 204);
    assert_eq!(manage("GET", token).status, 401);
    assert!(!realm.clients().iter().any(|client| client.client_id == id));
}

#[test]
fn registrations_that_are_refused() {
    let realm = strict();
    for uri in ["/cb", "https://new.example/cb#f", "javascript:alert(1)", "http://new.example/cb", "new.example:/cb"] {
        let response = register(&realm, &json!({"redirect_uris": [uri]}));
        assert_eq!(error(&response), refused(400, "invalid_redirect_uri"), "{uri}");
    }
    assert_eq!(error(&register(&realm, &json!({}))), refused(400, "invalid_redirect_uri"));
    for document in [
        json!({"redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "private_key_jwt"}),
        json!({"redirect_uris": ["https://a.example/"], "grant_types": ["password"]}),
        json!({"redirect_uris": "https://a.example/"}),
        json!([]),
    ] {
        assert_eq!(error(&register(&realm, &document)), refused(400, "invalid_client_metadata"), "{document}");
    }
    let native =
        json!({"redirect_uris": ["com.example.app:/cb"], "application_type": "native", "token_endpoint_auth_method": "none"});
    assert_eq!(register(&realm, &native).status, 201);
    assert_eq!(register(&with(&[("registration.open", json!(false))]), &native).status, 404);
}
