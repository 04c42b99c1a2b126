//! The ten acceptance checks of `cognito-custom-domain`.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{CHALLENGE, VERIFIER};
use super::*;

const ID: &str = "cognito-custom-domain";
const WEB: &str = "2k7aworldweb4n9c1x5v8m3q6z";
const MACHINE: &str = "7e2aworldm2m9u4i8o3p6a1s5d";
const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn c01_the_issuer_is_another_host_than_the_endpoints() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "openid");
    let iss = claims(&issued["access_token"])["iss"].clone();
    assert_eq!(
        (text(&iss), realm.issuer()),
        ("https://localhost/r/eu-west-1_aWr1dQ7xN", "https://localhost/r/eu-west-1_aWr1dQ7xN")
    );
    let discovery = |base: &str| realm.handle(&Request::get(format!("{base}/.well-known/openid-configuration")));
    assert_eq!(discovery("https://as.example/r").status, 404);
    assert_eq!(discovery("https://as.example/r/eu-west-1_aWr1dQ7xN").status, 404);
    let document = discovery(realm.issuer());
    assert_eq!(document.status, 200);
    let document = document.json().unwrap();
    for member in ["authorization", "token", "userinfo", "revocation", "end_session"] {
        let url = document[format!("{member}_endpoint")].clone();
        assert!(text(&url).starts_with("https://as.example/r/"), "{url}");
    }
    assert_eq!(
        (&document["issuer"], text(&document["jwks_uri"])),
        (&iss, "https://localhost/r/eu-west-1_aWr1dQ7xN/.well-known/jwks.json")
    );
    // Under the host of the issuer there is nothing else.
    assert_eq!(realm.handle(&Request::get("https://localhost/r/oauth2/authorize")).status, 404);
}

#[test]
fn c02_pkce_is_optional_and_s256_alone() {
    let realm = profile(ID);
    assert!(tail(&realm, WEB, &[("code_challenge", None), ("code_challenge_method", None)]).starts_with("?code="));
    let code = tail(&realm, WEB, &[]).split(['=', '&']).nth(1).unwrap().to_owned();
    assert_eq!(redeem(&realm, WEB, &code, &[("code_verifier", VERIFIER)]).status, 200);
    let plain = tail(&realm, WEB, &[("code_challenge", Some(CHALLENGE)), ("code_challenge_method", Some("plain"))]);
    assert!(plain.starts_with("?error=invalid_request"), "{plain}");
}

#[test]
fn c03_used_codes_and_expired_refresh_tokens_are_invalid_grants() {
    let realm = profile(ID);
    let code = code(&realm, WEB, "openid");
    let first = redeem(&realm, WEB, &code, &[]).json().unwrap();
    let again = redeem(&realm, WEB, &code, &[]);
    assert_eq!((again.status, again.text().as_ref()), (400, r#"{"error":"invalid_grant"}"#));
    realm.advance(31 * DAY);
    let late = refreshed(&realm, WEB, &first);
    assert_eq!((late.status, late.text().as_ref()), (400, r#"{"error":"invalid_grant"}"#));
}

#[test]
fn c04_machines_get_an_access_token_and_nothing_else() {
    let realm = profile(ID);
    let issued = post(&realm, "token", MACHINE, &[("grant_type", "client_credentials")]).json().unwrap();
    assert_eq!(names(&issued), ["access_token", "expires_in", "token_type"]);
    let claims = claims(&issued["access_token"]);
    assert_eq!((text(&claims["sub"]), text(&claims["client_id"])), (MACHINE, MACHINE));
    for absent in ["username", "aud", "origin_jti", "event_id", "cognito:groups"] {
        assert_eq!(claims[absent], Value::Null, "{absent}");
    }
    assert_eq!((text(&claims["token_use"]), &claims["version"]), ("access", &json!(2)));
}

#[test]
fn c05_a_wrong_secret_is_a_400_without_a_challenge() {
    let realm = profile(ID);
    let wrong = format!("Basic {}", crate::oauth::encoding::base64(format!("{MACHINE}:wrong")));
    let form: Params = [("grant_type", "client_credentials")].into_iter().collect();
    let response = realm.handle(&Request::post_form(place(&realm, "token"), &form).with("Authorization", wrong));
    assert_eq!((response.status, response.headers.has("www-authenticate")), (400, false));
    assert_eq!(response.text(), r#"{"error":"invalid_client","error_description":"invalid_client_secret"}"#);
}

#[test]
fn c06_id_and_access_token_differ_in_audience_use_and_key() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "openid");
    let (id, access) = (claims(&issued["id_token"]), claims(&issued["access_token"]));
    assert_eq!((text(&id["aud"]), text(&id["token_use"])), (WEB, "id"));
    assert_eq!((&access["aud"], text(&access["token_use"])), (&Value::Null, "access"));
    let kids = [&issued["id_token"], &issued["access_token"]].map(|token| head(token)["kid"].clone());
    assert_ne!(kids[0], kids[1]);
    let published = jwks(&realm);
    let published: Vec<_> = published["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(published.len(), 2);
    assert!(kids.iter().all(|kid| published.contains(kid)), "{kids:?} {published:?}");
}

#[test]
fn c07_an_hour_for_access_and_thirty_days_for_refreshing() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "openid");
    let claims = claims(&issued["access_token"]);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    realm.advance(29 * DAY);
    assert_eq!(refreshed(&realm, WEB, &issued).status, 200);
    realm.advance(2 * DAY);
    assert_eq!(super::super::error(&refreshed(&realm, WEB, &issued)), (400, "invalid_grant".into()));
}

#[rstest]
#[case::machine(MACHINE, "authorization_code")]
#[case::machine_refreshing(MACHINE, "refresh_token")]
#[case::web(WEB, "client_credentials")]
fn c08_a_grant_that_is_not_enabled(#[case] client: &str, #[case] grant: &str) {
    let realm = profile(ID);
    let response = post(&realm, "token", client, &[("grant_type", grant), ("code", "x"), ("refresh_token", "x")]);
    assert_eq!((response.status, response.text().as_ref()), (400, r#"{"error":"unauthorized_client"}"#));
}

#[test]
fn c09_userinfo_speaks_in_strings_and_takes_access_tokens_alone() {
    let realm = profile(ID);
    let issued = tokens(&realm, WEB, "openid email");
    let told = userinfo(&realm, &issued["access_token"]).json().unwrap();
    assert_eq!((&told["email_verified"], text(&told["username"])), (&json!("true"), "alice"));
    for other in ["id_token", "refresh_token"] {
        let refusal = userinfo(&realm, &issued[other]);
        assert_eq!((refusal.status, refusal.body.len()), (401, 0), "{other}");
        assert!(header(&refusal, "www-authenticate").starts_with(r#"error="invalid_token""#));
    }
}

#[test]
fn c10_header_fields_of_every_answer() {
    let realm = profile(ID);
    let authorize = || realm.handle(&Request::get(place(&realm, "authorize")));
    let token = || realm.handle(&Request::new("POST", place(&realm, "token")));
    let answers = [authorize(), authorize(), token(), userinfo(&realm, &json!("x"))];
    let mut ids: Vec<String> = answers.iter().map(|answer| header(answer, "x-amz-cognito-request-id").into_owned()).collect();
    assert!(ids.iter().all(|id| is_uuid(id)), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
    for answer in &answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-xss-protection", "1; mode=block"),
            ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
            ("pragma", "no-cache"),
            ("expires", "0"),
            ("strict-transport-security", "max-age=31536000 ; includeSubDomains"),
            ("x-frame-options", "DENY"),
            ("server", "Server"),
        ] {
            let found: Vec<_> = answer.headers.all(name).collect();
            assert_eq!(found, [value.as_bytes()], "{name}");
        }
        assert!(header(answer, "set-cookie").starts_with("XSRF-TOKEN="));
    }
    let document = realm.handle(&Request::get(format!("{}/.well-known/jwks.json", realm.issuer())));
    assert!(!document.headers.has("x-amz-cognito-request-id") && !document.headers.has("set-cookie"));
}
