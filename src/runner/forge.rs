//! Forged JSON Web Tokens, each made of a right one by a single deviation: what a resource server must not take.
//!
//! Every forgery that keeps the claims is as good as the original for a server that forgets the check that it is about.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::oauth::Compact;
use crate::oauth::encoding::{base64, base64url, from_base64url};

/// The forgery of that name (`scenario::FORGERIES`); `None` where the token is no JWT, or a key that is needed is not known.
///
/// - `tampered`: one more claim, under the old signature.
/// - `signature_removed`: the same header and claims, and an empty signature.
/// - `unsigned`: `alg` is `none` and the signature empty (RFC 8725 section 3.2).
/// - `hmac`: HS256 with the published key in PEM as the secret (RFC 8725 section 2.1).
/// - `other_key`: signed with a key that nobody has published.
/// - `embedded_key`: the same, and that key stands in the header (RFC 7515 section 4.1.3).
#[must_use]
pub(super) fn forge(token: &str, how: &str, keys: Option<&Value>) -> Option<String> {
    let mut forged = Compact::parse(token)?;
    match how {
        "tampered" => {
            forged.claims.insert("oauthspec".into(), json!(true));
        }
        "signature_removed" => forged.signature.clear(),
        "unsigned" => {
            forged.header.insert("alg".into(), json!("none"));
            forged.signature.clear();
        }
        "hmac" => {
            let secret = published_pem(keys?, forged.header.get("kid"))?;
            forged.header.insert("alg".into(), json!("HS256"));
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            forged.signature = base64url(hmac::sign(&key, forged.message().as_bytes()));
        }
        "other_key" if forged.alg() == Some("RS256") => forged.signature = base64url(sign_rsa(forged.message().as_bytes())?),
        "other_key" => {
            forged.header.insert("alg".into(), json!("ES256"));
            forged.signature = base64url(sign_ec(forged.message().as_bytes())?);
        }
        "embedded_key" => {
            forged.header.insert("alg".into(), json!("ES256"));
            forged.header.shift_remove("kid");
            forged.header.insert("jwk".into(), own_jwk()?);
            forged.signature = base64url(sign_ec(forged.message().as_bytes())?);
        }
        _ => return None,
    }
    Some(forged.to_string())
}

/// The key that verifies the token, or the first one that can be written so, as a SubjectPublicKeyInfo in PEM (RFC 7468).
fn published_pem(keys: &Value, kid: Option<&Value>) -> Option<String> {
    let all = keys.get("keys")?.as_array()?;
    let own = all.iter().filter(|key| kid.is_some() && key.get("kid") == kid);
    let der = own.chain(all).find_map(public_key_info)?;
    let text = base64(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    Some(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
}

/// DER of an RSA key or of one on P-256 (RFC 8017 A.1.1, RFC 5480 section 2).
fn public_key_info(jwk: &Value) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    const P256: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
        0x07,
    ];
    let octets = |name: &str| from_base64url(jwk.get(name)?.as_str()?);
    match (jwk.get("kty")?.as_str()?, jwk.get("crv").and_then(Value::as_str)) {
        ("RSA", _) => {
            let numbers = element(0x30, &[integer(&octets("n")?), integer(&octets("e")?)].concat());
            Some(element(0x30, &[RSA.to_vec(), bit_string(&numbers)].concat()))
        }
        ("EC", Some("P-256")) => {
            let point = [vec![4], octets("x")?, octets("y")?].concat();
            Some(element(0x30, &[P256.to_vec(), bit_string(&point)].concat()))
        }
        _ => None,
    }
}

fn bit_string(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content].concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let digits = &number[zeros..];
    // A leading one bit would make the number negative.
    let pad: &[u8] = if digits.first().is_none_or(|&first| first >= 0x80) { &[0] } else { &[] };
    element(0x02, &[pad, digits].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    let mut out = vec![tag];
    match digits {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight digits, as many as a length in memory has.
            out.push(0x80 | long.len().to_le_bytes()[0]);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

static OWN_EC: LazyLock<Option<EcdsaKeyPair>> = LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok());
static OWN_RSA: LazyLock<Option<RsaKeyPair>> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).ok());

fn sign_ec(message: &[u8]) -> Option<Vec<u8>> {
    let signature = OWN_EC.as_ref()?.sign(&SystemRandom::new(), message).ok()?;
    Some(signature.as_ref().to_vec())
}

fn sign_rsa(message: &[u8]) -> Option<Vec<u8>> {
    let key = OWN_RSA.as_ref()?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
    Some(signature)
}

fn own_jwk() -> Option<Value> {
    // The public key is an uncompressed point: 04, then 32 octets of x and 32 of y.
    let (x, y) = OWN_EC.as_ref()?.public_key().as_ref()[1..].split_at(32);
    Some(json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "x": base64url(x), "y": base64url(y) }))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;

    use super::*;
    use crate::scenario::FORGERIES;

    fn token() -> (String, Value) {
        let message = format!("{}.{}", base64url(r#"{"alg":"ES256","kid":"k"}"#), base64url(r#"{"sub":"a"}"#));
        let signature = base64url(sign_ec(message.as_bytes()).unwrap());
        let mut key = own_jwk().unwrap();
        key["kid"] = json!("k");
        (format!("{message}.{signature}"), json!({ "keys": [key] }))
    }

    #[test]
    fn every_forgery_can_be_made_and_differs() {
        let (token, keys) = token();
        for how in FORGERIES {
            let forged = forge(&token, how, Some(&keys)).unwrap();
            assert_ne!(forged, token, "{how}");
            assert_eq!(Compact::parse(&forged).unwrap().claims["sub"], "a", "{how}");
        }
        assert_eq!(forge("opaque", "unsigned", None), None);
        assert_eq!(forge(&token, "hmac", None), None);
    }

    #[test]
    fn published_keys_are_written_as_everybody_writes_them() {
        let ec = OWN_EC.as_ref().unwrap();
        assert_eq!(public_key_info(&own_jwk().unwrap()).unwrap(), ec.public_key().as_der().unwrap().as_ref());
        let numbers = |public: &RsaKeyPair| {
            let key = public.public_key();
            let octets = |number: &[u8]| base64url(number);
            json!({ "kty": "RSA", "n": octets(key.modulus().big_endian_without_leading_zero()),
                    "e": octets(key.exponent().big_endian_without_leading_zero()) })
        };
        let rsa = OWN_RSA.as_ref().unwrap();
        assert_eq!(public_key_info(&numbers(rsa)).unwrap(), rsa.public_key().as_der().unwrap().as_ref());
    }
}
