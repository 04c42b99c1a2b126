//! JSON Web Tokens in compact form (RFC 7515), right ones and, by rewrites, broken ones.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::keys::{self, Alg, KeyRing};
use crate::oauth::encoding;
use crate::policy::{Answer, JwksPolicy, JwsPolicy, Policy, Rewrite, Slashes, Tokens};

/// The signatures that were made for one answer, by what is signed: where it is rendered twice, with and without rewrites, what is the
/// same in both is signed once.
pub(super) type Memo = RefCell<HashMap<String, Vec<u8>>>;

/// What stands for the key that is published nowhere in a header that brings it along.
const OTHER_KEY: &str = "{other-key}";

/// What a token is made for.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    /// Those for this kind of token are applied.
    pub(super) rewrites: &'a [Arc<Rewrite>],
    pub(super) kind: Tokens,
    /// What was signed for the same answer before.
    pub(super) memo: Option<&'a Memo>,
}

/// A token that is signed as the policy wants it, then changed as the rewrites say.
pub(super) fn sign(
    claims: &Map<String, Value>,
    alg: Alg,
    typ: &str,
    keys: &KeyRing,
    policy: &Policy,
    making: Making<'_>,
) -> String {
    let Making { rewrites, kind, memo } = making;
    let mut claims = Cow::Borrowed(claims);
    let mut jws = Map::new();
    // Tokens are only ever part of a success.
    for rewrite in rewrites.iter().filter(|rewrite| rewrite.on != Answer::Error && rewrite.of.cover(kind)) {
        if !rewrite.claims.is_empty() {
            merge(claims.to_mut(), &rewrite.claims);
        }
        jws.extend(rewrite.jws.clone());
    }
    let named = jws.get("alg").and_then(Value::as_str);
    let alg = match named {
        Some("RS256") => Alg::Rs256,
        Some("ES256") => Alg::Es256,
        _ => alg,
    };
    let header = header(&jws, alg, typ, keys.kid(alg, &policy.jwks), &policy.jws);
    let claims = slashed(written(&claims, jws.get("again")), policy.jws.slashes);
    let header = json_of(&header);
    let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 360);
    encoding::append_base64url(&mut token, header);
    token.push('.');
    encoding::append_base64url(&mut token, claims);
    let signature = match memo {
        Some(memo) if jws.is_empty() => {
            memo.borrow_mut().entry(token.clone()).or_insert_with(|| keys.sign(alg, token.as_bytes())).clone()
        }
        _ => signature(&jws, named, alg, keys, token.as_bytes()),
    };
    token.push('.');
    encoding::append_base64url(&mut token, signature);
    token
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

fn header(jws: &Map<String, Value>, alg: Alg, typ: &str, kid: Option<String>, policy: &JwsPolicy) -> Map<String, Value> {
    let typ = Some(typ).filter(|typ| !typ.is_empty()).map(|typ| json!(typ));
    let members = [("typ", typ), ("alg", Some(json!(alg.name()))), ("kid", kid.map(Value::from))];
    let mut header: Map<String, Value> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if !policy.header.is_empty() {
        let first: Vec<_> = policy.header.iter().filter_map(|name| header.shift_remove_entry(name)).collect();
        header = first.into_iter().chain(header).collect();
    }
    if jws.is_empty() {
        return header;
    }
    let direct = ["alg", "kid", "typ"].into_iter().filter_map(|name| jws.get(name).map(|value| (name.to_owned(), value.clone())));
    merge(&mut header, &direct.collect());
    if let Some(Value::Object(members)) = jws.get("header") {
        merge(&mut header, members);
    }
    // A key of its own that the token brings along is the one with which it is signed.
    if let Some(key) = header.get_mut("jwk").filter(|key| key.as_str() == Some(OTHER_KEY)) {
        let mut jwk = keys::other_key(alg).jwk(&JwksPolicy { kid: false, ..JwksPolicy::default() });
        jwk.retain(|name, _| !matches!(name.as_str(), "use" | "alg"));
        *key = Value::Object(jwk);
    }
    header
}

fn signature(jws: &Map<String, Value>, named: Option<&str>, alg: Alg, keys: &KeyRing, message: &[u8]) -> Vec<u8> {
    match (jws.get("signature").and_then(Value::as_str), named) {
        (Some("none"), _) | (None, Some("none")) => Vec::new(),
        // Under an algorithm that is named it is an EC key, whichever that is.
        (Some("other-key"), named) => keys::other_key(named.map_or(alg, |_| Alg::Es256)).sign(message),
        (Some("flip"), _) => {
            let mut signature = keys.sign(alg, message);
            let middle = signature.len() / 2;
            signature[middle] ^= 1;
            signature
        }
        (Some("empty-key"), _) => keys::sign_with_empty_key(message),
        (_, Some("HS256")) => keys.sign_with_public_key(alg, message),
        _ => keys.sign(alg, message),
    }
}

fn json_of(members: &Map<String, Value>) -> String {
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, members).expect("a map with text keys is always JSON");
    String::from_utf8(text).expect("JSON is text")
}

/// Claims as text, some of them a second time behind the others: a JSON object with duplicate members (RFC 7519 section 4).
fn written(claims: &Map<String, Value>, again: Option<&Value>) -> String {
    let text = json_of(claims);
    match again {
        Some(Value::Object(again)) if !again.is_empty() && !claims.is_empty() => {
            format!("{},{}", &text[..text.len() - 1], &json_of(again)[1..])
        }
        _ => text,
    }
}

fn slashed(json: String, slashes: Slashes) -> String {
    match slashes {
        Slashes::Plain => json,
        // Nothing but the text of strings can hold one.
        Slashes::Escaped => json.replace('/', "\\/"),
    }
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
        parts(&sign(
            &right,
            Alg::Rs256,
            "JWT",
            &keys,
            &Policy::default(),
            Making { rewrites: &[Arc::new(rewrite)], kind: Tokens::Id, memo: None },
        ))
    }

    #[test]
    fn rewrites_change_claims_header_and_signature() {
        let (header, claims, length) = signed(json!({}), json!({"sub": null, "aud": "other"}));
        assert_eq!(header, json!({"typ": "JWT", "alg": "RS256", "kid": "rsa-1"}));
        assert_eq!((claims, length), (json!({"aud": "other"}), 256));
        let (header, _, length) = signed(json!({"alg": "none"}), json!({}));
        assert_eq!((header["alg"].as_str(), length), (Some("none"), 0));
        let (header, _, length) = signed(json!({"signature": "other-key"}), json!({}));
        assert_eq!((header["alg"].as_str(), header["kid"].as_str(), length), (Some("RS256"), Some("rsa-1"), 256));
        let (header, _, length) = signed(json!({"alg": "RS256", "signature": "other-key"}), json!({}));
        assert_eq!((header["alg"].as_str(), length), (Some("RS256"), 64));
        let (header, _, _) = signed(json!({"signature": "other-key", "header": {"jwk": "{other-key}"}}), json!({}));
        assert_eq!(
            (&header["alg"], &header["jwk"]["kty"], &header["jwk"]["kid"]),
            (&json!("RS256"), &json!("RSA"), &Value::Null)
        );
        let (header, _, length) = signed(json!({"alg": "HS256", "header": {"kid": null, "jku": "x"}}), json!({}));
        assert_eq!((header, length), (json!({"typ": "JWT", "alg": "HS256", "jku": "x"}), 32));
    }
}
