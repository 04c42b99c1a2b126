//! JSON Web Tokens in compact form (RFC 7515), right ones and, by rewrites, broken ones.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::keys::{self, Alg, KeyRing};
use crate::oauth::encoding::base64url;
use crate::policy::{Answer, JwksPolicy, Rewrite, Tokens};

/// A token that is signed as the policy wants it, then changed as the rewrites say.
pub(super) fn sign(
    claims: &Map<String, Value>,
    alg: Alg,
    typ: &str,
    keys: &KeyRing,
    policy: &JwksPolicy,
    rewrites: &[Arc<Rewrite>],
    kind: Tokens,
) -> String {
    let mut claims = claims.clone();
    let mut jws = Map::new();
    // Tokens are only ever part of a success.
    for rewrite in rewrites.iter().filter(|rewrite| rewrite.on != Answer::Error && rewrite.of.cover(kind)) {
        merge(&mut claims, &rewrite.claims);
        jws.extend(rewrite.jws.clone());
    }
    let named = jws.get("alg").and_then(Value::as_str);
    let foreign_key = jws.get("signature").and_then(Value::as_str) == Some("other-key");
    let alg = match named {
        Some("RS256") => Alg::Rs256,
        Some("ES256") => Alg::Es256,
        // The key that is published nowhere is an EC key.
        None if foreign_key => Alg::Es256,
        _ => alg,
    };
    let header = header(&jws, alg, typ, keys.kid(alg, policy));
    let message = format!("{}.{}", encode(&header), base64url(written(&claims, jws.get("again"))));
    let signature = signature(&jws, named, alg, keys, message.as_bytes());
    format!("{message}.{}", base64url(signature))
}

/// Sets members; `null` takes one away.
pub(super) fn merge(members: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

fn header(jws: &Map<String, Value>, alg: Alg, typ: &str, kid: Option<String>) -> Map<String, Value> {
    let mut header = Map::from_iter([("typ".to_owned(), json!(typ)), ("alg".to_owned(), json!(alg.name()))]);
    if let Some(kid) = kid {
        header.insert("kid".into(), json!(kid));
    }
    let direct = ["alg", "kid", "typ"].into_iter().filter_map(|name| jws.get(name).map(|value| (name.to_owned(), value.clone())));
    merge(&mut header, &direct.collect());
    if let Some(Value::Object(members)) = jws.get("header") {
        merge(&mut header, members);
    }
    header
}

fn signature(jws: &Map<String, Value>, named: Option<&str>, alg: Alg, keys: &KeyRing, message: &[u8]) -> Vec<u8> {
    match (jws.get("signature").and_then(Value::as_str), named) {
        (Some("none"), _) | (None, Some("none")) => Vec::new(),
        (Some("other-key"), _) => keys::sign_with_other_key(message),
        (Some("flip"), _) => {
            let mut signature = keys.sign(alg, message);
            let middle = signature.len() / 2;
            signature[middle] ^= 1;
            signature
        }
        (Some("empty-key"), _) => keys::sign_with_empty_key(message),
        (_, Some("HS256")) => keys.sign_with_public_key(message),
        _ => keys.sign(alg, message),
    }
}

fn encode(members: &Map<String, Value>) -> String {
    base64url(json_of(members))
}

fn json_of(members: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(members).expect("a map with text keys is always JSON")
}

/// Claims as text, some of them a second time behind the others: a JSON object with duplicate members (RFC 7519 section 4).
fn written(claims: &Map<String, Value>, again: Option<&Value>) -> Vec<u8> {
    let mut text = json_of(claims);
    let Some(Value::Object(again)) = again else { return text };
    let more = json_of(again);
    if again.is_empty() || claims.is_empty() {
        return text;
    }
    text.pop();
    text.push(b',');
    text.extend_from_slice(&more[1..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Keys;
    use crate::oauth::encoding::from_base64url;

    fn parts(token: &str) -> (Value, Value, usize) {
        let parts: Vec<_> = token.split('.').map(|part| from_base64url(part).unwrap()).collect();
        (serde_json::from_slice(&parts[0]).unwrap(), serde_json::from_slice(&parts[1]).unwrap(), parts[2].len())
    }

    fn signed(jws: Value, claims: Value) -> (Value, Value, usize) {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let rewrite = Rewrite { jws: object(jws), claims: object(claims), ..Rewrite::default() };
        let right = object(json!({"sub": "alice", "aud": "web"}));
        let keys = Keys::Fixture.load().unwrap();
        parts(&sign(&right, Alg::Rs256, "JWT", &keys, &JwksPolicy::default(), &[Arc::new(rewrite)], Tokens::Id))
    }

    #[test]
    fn rewrites_change_claims_header_and_signature() {
        let (header, claims, length) = signed(json!({}), json!({"sub": null, "aud": "other"}));
        assert_eq!(header, json!({"typ": "JWT", "alg": "RS256", "kid": "rsa-1"}));
        assert_eq!((claims, length), (json!({"aud": "other"}), 256));
        let (header, _, length) = signed(json!({"alg": "none"}), json!({}));
        assert_eq!((header["alg"].as_str(), length), (Some("none"), 0));
        let (header, _, length) = signed(json!({"signature": "other-key"}), json!({}));
        assert_eq!((header["alg"].as_str(), header["kid"].as_str(), length), (Some("ES256"), Some("ec-1"), 64));
        let (header, _, length) = signed(json!({"alg": "HS256", "header": {"kid": null, "jku": "x"}}), json!({}));
        assert_eq!((header, length), (json!({"typ": "JWT", "alg": "HS256", "jku": "x"}), 32));
    }
}
