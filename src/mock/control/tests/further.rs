//! Names of any length, scripts that stay, issuers that are fixed, times that begin, tokens that are broken in one way.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{call, get, object, post, refusal, send, send_to, start};
use crate::mock::realms::Awaited;
use crate::mock::{Mint, MintKind, MockServer, RealmSpec};
use crate::oauth::Compact;
use crate::oauth::encoding::{base64, from_base64url};

#[test]
fn long_names_cost_nothing() {
    let server = start();
    let long = "x".repeat(200_000);
    let begun = Instant::now();
    let told = refusal(&call(&server, "POST", "/realms", &json!({ "faults": [long] })));
    assert!(told.0 == 400 && told.1.len() < 3_000 && told.1.contains("bytes)"), "{}", told.1.len());
    let many: serde_json::Map<String, Value> = (0..20_000).map(|number| (format!("k{number}"), json!(1))).collect();
    let body = json!({ "scripts": { "s": { "patch": [{ "set": many }] } } });
    let refused = call(&server, "POST", "/realms", &body).json();
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!((errors.len(), errors[100]["detail"].as_str()), (101, Some("and 19900 more mistakes")));
    assert_eq!(call(&server, "GET", &format!("/{}", &long[..50_000]), &Value::Null).status, 404);
    assert_eq!(refusal(&call(&server, "POST", "/realms", &json!({ "name": &long[..129] }))).0, 400);
    let rules: Vec<Value> = (0..5_000).map(|number| json!({ "fault": format!("code-reuseable{number}") })).collect();
    let refused = call(&server, "POST", "/realms", &json!({ "scripts": { "s": { "patch": rules } } })).json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 101);
    // A debug build on a busy machine; looking for what was meant took minutes.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn nobody_learns_what_paths_there_are_without_the_token() {
    let server = MockServer::builder().control_token("secret").start_blocking().unwrap();
    assert_eq!(send(&server, "GET", "/no-such-path", &[], "").status, 401);
    assert_eq!(send(&server, "GET", "/health", &[], "").status, 200);
}

#[test]
fn scripts_stay_when_a_realm_begins_anew() {
    let server = start();
    let script = json!({ "busy": { "patch": [{ "when": { "endpoint": "jwks", "once": true }, "respond": { "status": 503 } }] } });
    post(&server, "/realms", &json!({ "name": "r", "scripts": script }));
    let jwks = || send_to(&server, "GET", "/r/jwks", &[], "").status;
    assert_eq!((jwks(), jwks()), (503, 200));
    for body in [object(), json!({ "faults": [] }), json!({ "faults": ["code-reusable.accept"] })] {
        let reset = post(&server, "/realms/r/reset", &body);
        assert_eq!(reset["policy"]["scripts"], json!(["busy"]), "{body}");
        assert_eq!((jwks(), jwks()), (503, 200), "{body}");
    }
}

#[test]
fn the_issuer_of_a_realm_is_fixed() {
    let server = start();
    for path in ["/realms/default/policy", "/realms/default/reset"] {
        let method = if path.ends_with("policy") { "PUT" } else { "POST" };
        let (status, told) = refusal(&call(&server, method, path, &json!({ "profile": "cognito" })));
        assert_eq!(status, 409);
        assert!(told.starts_with("/profile: this gives the issuer another host or path"), "{told}");
        assert_eq!(call(&server, method, path, &json!({ "profile": "guide" })).status, 200);
    }
    let path = json!({ "s": { "patch": [{ "set": { "issuer.path": "x" } }] } });
    assert_eq!(call(&server, "POST", "/realms/default/scripts", &path).status, 409);
    post(&server, "/realms", &json!({ "name": "pool", "profile": "cognito" }));
    assert_eq!(call(&server, "PUT", "/realms/pool/policy", &json!({ "profile": "cognito", "faults": [] })).status, 200);
}

#[test]
fn a_fault_that_is_named_twice_is_in_force_once() {
    let server = start();
    let realm = post(
        &server,
        "/realms",
        &json!({ "faults": ["code-reusable.accept", "code-reuse-keeps-tokens", "code-reusable.accept"] }),
    );
    assert_eq!(realm["policy"]["faults"], json!(["code-reusable.accept", "code-reuse-keeps-tokens"]));
}

#[test]
fn times_of_rules_begin_after_the_clock_was_set() {
    let server = start();
    let script = json!({ "s": { "patch": [{ "when": { "endpoint": "jwks", "after": "1m" }, "respond": { "status": 503 } }] } });
    for (name, clock) in [
        ("a", json!({ "time": "2050-01-01T00:00:00Z", "frozen": true })),
        ("b", json!({ "time": "2000-01-01T00:00:00Z" })),
        ("c", json!({ "advance": "1h" })),
    ] {
        post(&server, "/realms", &json!({ "name": name, "clock": clock, "scripts": script }));
        let jwks = || send_to(&server, "GET", &format!("/{name}/jwks"), &[], "").status;
        assert_eq!(jwks(), 200, "{name}");
        post(&server, &format!("/realms/{name}/clock"), &json!({ "advance": "61s" }));
        assert_eq!(jwks(), 503, "{name}");
    }
}

#[test]
fn the_journal_says_how_an_answer_went_out() {
    let server = start();
    let rewrite = json!({ "s": { "patch": [{ "when": { "endpoint": "jwks" }, "rewrite": { "bytes": { "delay": "1ms" } } }] } });
    post(&server, "/realms", &json!({ "name": "r", "scripts": rewrite }));
    assert_eq!(send_to(&server, "GET", "/r/jwks", &[], "").status, 200);
    assert_eq!(get(&server, "/realms/r/journal")["entries"][0]["delivery"], json!(["delayed by 1ms"]));
    let unknown = send_to(&server, "GET", "/r/nowhere", &[], "");
    assert_eq!(unknown.status, 404);
    assert_eq!(get(&server, "/realms/r/journal?endpoint=unknown")["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn a_realm_that_somebody_waits_for_is_not_idle() {
    let server = MockServer::builder().realm_idle(Duration::ZERO).start_blocking().unwrap();
    server.create(RealmSpec::new("a")).unwrap();
    server.establish(RealmSpec::new("b")).unwrap();
    let awaited = Awaited::new(server.realms.peek("a").unwrap());
    server.realms.forget_idle();
    assert!(server.realms.peek("a").is_some());
    drop(awaited);
    server.realms.forget_idle();
    assert!(server.realms.peek("a").is_none() && server.realms.peek("b").is_some());
}

#[test]
fn a_foreign_key_changes_the_signature_and_nothing_else() {
    let server = start();
    let ask = |kind: &str, alg: &str, broken: &str| {
        let body = json!({ "kind": kind, "client": "web", "user": "alice", "alg": alg, "broken": [broken] });
        post(&server, "/realms/default/tokens", &body)
    };
    for (alg, kid) in [("RS256", "rsa-1"), ("ES256", "ec-1")] {
        let header = &ask("id_token", alg, "foreign-key")["header"];
        assert_eq!((&header["alg"], &header["kid"]), (&json!(alg), &json!(kid)));
        let embedded = &ask("id_token", alg, "embedded-key")["header"];
        let kty = if alg == "RS256" { "RSA" } else { "EC" };
        assert_eq!((&embedded["alg"], &embedded["jwk"]["kty"]), (&json!(alg), &json!(kty)));
    }
}

#[test]
fn an_hmac_is_keyed_with_the_key_that_the_token_names() {
    let server = start();
    let realm = server.realm();
    for (alg, kid) in [("RS256", "rsa-1"), ("ES256", "ec-1")] {
        let minted =
            realm.mint(&Mint::new(MintKind::AccessToken, "web").user("alice").alg(alg).broken("hmac-with-public-key")).unwrap();
        let header = &minted.jwt.as_ref().unwrap().header;
        assert_eq!((&header["alg"], &header["kid"]), (&json!("HS256"), &json!(kid)));
        let key = realm.keys().into_iter().find(|key| key.kid == kid).unwrap();
        let (message, mac) = minted.value.rsplit_once('.').unwrap();
        let pem = pem_of(&key.jwk);
        let hmac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, pem.as_bytes());
        assert!(aws_lc_rs::hmac::verify(&hmac, message.as_bytes(), &from_base64url(mac).unwrap()).is_ok(), "{alg}");
    }
}

/// A public key as others write it: SubjectPublicKeyInfo in PEM.
fn pem_of(jwk: &serde_json::Map<String, Value>) -> String {
    let part = |name: &str| from_base64url(jwk[name].as_str().unwrap()).unwrap();
    let der = if jwk["kty"] == "EC" {
        // The prefix of every key on P-256 (RFC 5480): algorithm, curve, and a bit string with an uncompressed point.
        let mut der = vec![0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08];
        der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04]);
        der.extend(part("x"));
        der.extend(part("y"));
        der
    } else {
        // The prefix of every RSA key of 2048 bits with the exponent 65537 (RFC 8017 A.1).
        let mut der = vec![0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        der.extend([0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00]);
        der.extend(part("n"));
        der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
        der
    };
    let text = base64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

#[test]
fn what_would_not_be_broken_is_refused() {
    let server = start();
    post(&server, "/realms", &json!({ "name": "pool", "profile": "cognito" }));
    let web = "3n4b5urk1ft4fl3mg5e62d9ado";
    let body = json!({ "kind": "access_token", "client": web, "user": "alice", "broken": ["expired", "no-audience"] });
    let (status, told) = refusal(&call(&server, "POST", "/realms/pool/tokens", &body));
    assert_eq!(status, 400);
    assert!(told.starts_with("/broken/1: `no-audience` cannot befall an access token; what can: alg-none, "), "{told}");
    let body = json!({ "kind": "access_token", "client": "web", "broken": ["wrong-nonce"] });
    assert_eq!(call(&server, "POST", "/realms/default/tokens", &body).status, 400);
    let whole =
        post(&server, "/realms/default/tokens", &json!({ "kind": "access_token", "client": "web", "broken": ["no-audience"] }));
    assert!(Compact::parse(whole["token"].as_str().unwrap()).unwrap().claims.get("aud").is_none());
}
