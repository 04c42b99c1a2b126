//! Signed tokens in compact form (RFC 7515): taking them apart and verifying their signatures.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::Duplicates;
use super::json;
use crate::oauth::encoding::{base64, from_base64url};

/// A token taken apart; nothing of it is verified.
#[derive(Debug, Clone)]
pub(super) struct Jws {
    pub(super) header: Map<String, Value>,
    pub(super) payload: Vec<u8>,
    message: String,
    signature: Vec<u8>,
}

impl Jws {
    /// `None` where it is no such token.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        Some(Self {
            header: json::object(&from_base64url(header)?, Duplicates::Refuse).ok()?,
            payload: from_base64url(payload)?,
            message: message.to_owned(),
            signature: from_base64url(signature)?,
        })
    }

    /// A member of the header that is a string; empty where it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// Whether the signature was made with the private part of that key (RFC 7517), by the algorithm in the header: `RS256`, `ES256`.
    pub(super) fn verifies(&self, key: &Value) -> bool {
        let part = |name: &str| key[name].as_str().and_then(from_base64url);
        let message = self.message.as_bytes();
        match (self.field("alg"), key["kty"].as_str()) {
            ("RS256", Some("RSA")) => part("n").zip(part("e")).is_some_and(|(n, e)| {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, &self.signature).is_ok()
            }),
            ("ES256", Some("EC")) => part("x").zip(part("y")).is_some_and(|(x, y)| {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &self.signature).is_ok()
            }),
            _ => false,
        }
    }

    /// Whether the signature is the HMAC with that key (`HS256`).
    pub(super) fn verifies_with_secret(&self, secret: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.field("alg") == "HS256" && hmac::verify(&key, self.message.as_bytes(), &self.signature).is_ok()
    }
}

/// A public RSA key of a key set in PEM (`BEGIN PUBLIC KEY`).
pub(super) fn pem(key: &Value) -> Option<String> {
    let part = |name: &str| key[name].as_str().and_then(from_base64url);
    let numbers = [integer(&part("n")?), integer(&part("e")?)].concat();
    let bits = [vec![0], element(0x30, &numbers)].concat();
    // AlgorithmIdentifier: rsaEncryption, NULL (RFC 3279 section 2.3.1).
    let algorithm = element(0x30, &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]);
    let text = base64(element(0x30, &[algorithm, element(0x03, &bits)].concat()));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    Some(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
}

fn integer(number: &[u8]) -> Vec<u8> {
    let positive = if number.first().is_some_and(|first| *first >= 0x80) { vec![0] } else { Vec::new() };
    element(0x02, &[positive, number.to_vec()].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    if content.len() >= 0x80 {
        // At most eight octets of length.
        out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
    }
    out.extend_from_slice(significant);
    out.extend_from_slice(content);
    out
}
