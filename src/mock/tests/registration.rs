//! Dynamic client registration (RFC 7591, RFC 7592).

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::{error, redeem, refused, strict, url, with};
use crate::mock::Realm;
use crate::oauth::{Request, Response};

fn register(realm: &Realm, document: &Value) -> Response {
    let mut request = Request::new("POST", url("register")).with("Content-Type", "application/json");
    request.body = document.to_string().into_bytes();
    realm.handle(&request)
}

/// A request about a registration, with a token.
fn manage(realm: &Realm, registration: &Value, method: &str, token: &str) -> Response {
    let uri = registration["registration_client_uri"].as_str().unwrap();
    realm.handle(&Request::new(method, uri).with("Authorization", format!("Bearer {token}")))
}

fn token(registration: &Value) -> String {
    registration["registration_access_token"].as_str().unwrap().to_owned()
}

#[test]
fn registered_clients_work_until_they_are_deleted() {
    let realm = strict();
    let document = json!({"redirect_uris": ["https://new.example/cb"], "client_name": "New", "scope": "openid api:read"});
    let response = register(&realm, &document);
    assert_eq!((response.status, response.headers.get("cache-control").unwrap().as_ref()), (201, "no-store"));
    let body = response.json().unwrap();
    assert_eq!(body["token_endpoint_auth_method"], json!("client_secret_basic"));
    assert_eq!((body["client_secret_expires_at"].as_u64(), body["scope"].as_str()), (Some(0), Some("openid api:read")));
    let id = body["client_id"].as_str().unwrap().to_owned();
    let code = Browser::new(&realm).code(&id);
    assert_eq!(redeem(&realm, &id, &code).status, 200);
    let token = token(&body);
    assert_eq!(manage(&realm, &body, "GET", &token).json().unwrap(), body);
    assert_eq!(manage(&realm, &body, "GET", "wrong").status, 401);
    assert_eq!(manage(&realm, &body, "PUT", &token).status, 405);
    assert_eq!(manage(&realm, &body, "DELETE", &token).status, 204);
    assert_eq!(manage(&realm, &body, "GET", &token).status, 401);
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

#[test]
fn metadata_are_kept_and_told() {
    let document = json!({
        "redirect_uris": ["https://a.example/"], "client_name": "A", "client_name#de": "Ä", "logo_uri": "https://a.example/logo",
        "contacts": ["a@a.example"], "unheard_of": 1, "require_pushed_authorization_requests": true,
    });
    let body = register(&strict(), &document).json().unwrap();
    for name in ["client_name", "client_name#de", "logo_uri", "contacts", "require_pushed_authorization_requests"] {
        assert_eq!(body[name], document[name], "{name}");
    }
    assert!(body["unheard_of"].is_null());
    for (name, value) in [("logo_uri", json!("javascript:1")), ("client_name", json!(1)), ("jwks", json!({}))] {
        let mut wrong = document.clone();
        wrong[name] = value;
        assert_eq!(error(&register(&strict(), &wrong)), refused(400, "invalid_client_metadata"), "{name}");
    }
    let both = json!({"redirect_uris": ["https://a.example/"], "jwks": {"keys": []}, "jwks_uri": "https://a.example/jwks"});
    assert_eq!(error(&register(&strict(), &both)), refused(400, "invalid_client_metadata"));
}

#[test]
fn what_cannot_be_registered_is_refused_replaced_or_taken() {
    let document = json!({
        "redirect_uris": ["https://a.example/"], "grant_types": ["client_credentials", "unheard_of"], "response_types": ["code"],
        "scope": "openid unheard_of", "token_endpoint_auth_method": "private_key_jwt",
    });
    assert_eq!(error(&register(&strict(), &document)), refused(400, "invalid_client_metadata"));
    let mending = with(&[("registration.unsupported", json!("replace")), ("registration.inconsistent", json!("replace"))]);
    let body = register(&mending, &document).json().unwrap();
    assert_eq!(body["grant_types"], json!(["client_credentials", "authorization_code"]));
    assert_eq!(
        (body["scope"].as_str(), body["token_endpoint_auth_method"].as_str()),
        (Some("openid"), Some("client_secret_basic"))
    );
}

#[test]
fn secrets_may_expire() {
    let realm = with(&[("registration.secret_lifetime", json!(100))]);
    let body = register(&realm, &json!({"redirect_uris": ["https://a.example/"]})).json().unwrap();
    assert_eq!(body["client_secret_expires_at"], json!(1_800_000_100));
    let id = body["client_id"].as_str().unwrap();
    let code = Browser::new(&realm).code(id);
    assert_eq!(redeem(&realm, id, &code).status, 200);
    let code = Browser::new(&realm).code(id);
    realm.advance(Duration::from_secs(100));
    assert_eq!(error(&redeem(&realm, id, &code)), refused(401, "invalid_client"));
}

#[test]
fn tokens_of_management_and_of_registration() {
    let document = json!({"redirect_uris": ["https://a.example/"]});
    let closed = with(&[("registration.initial_token", json!("t"))]);
    assert_eq!(register(&closed, &document).status, 401);
    let realm = strict();
    let (one, two) = (register(&realm, &document).json().unwrap(), register(&realm, &document).json().unwrap());
    assert_eq!(manage(&realm, &one, "GET", &token(&two)).status, 401);
    let open = with(&[("registration.bound_to_client", json!(false))]);
    let (one, two) = (register(&open, &document).json().unwrap(), register(&open, &document).json().unwrap());
    assert_eq!(manage(&open, &one, "GET", &token(&two)).status, 200);
}
