//! Metadata and key set.

use serde_json::{Value, json};

use super::{strict, url, with};
use crate::mock::Realm;
use crate::oauth::Request;
use crate::oauth::encoding::from_base64url;

fn metadata(realm: &Realm) -> Value {
    realm.handle(&Request::get("https://as.example/.well-known/oauth-authorization-server/r")).json().unwrap()
}

#[test]
fn metadata_follow_from_the_policy() {
    // A signature is another one each time.
    let unsigned = with(&[("metadata.signed", json!(false))]);
    insta::assert_json_snapshot!(metadata(&unsigned));
    let openid = unsigned.handle(&Request::get(url(".well-known/openid-configuration"))).json().unwrap();
    assert_eq!(openid, metadata(&unsigned));
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
