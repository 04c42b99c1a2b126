//! Signing keys: the fixed test keys, parsed once per process, or fresh ones; signatures, and the key set as it is published.

use std::sync::{Arc, LazyLock, OnceLock};

use aws_lc_rs::encoding::{AsBigEndian, AsDer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use aws_lc_rs::{digest, hmac};
use serde_json::{Map, Value, json};

use super::MockError;
use super::der;
use crate::oauth::encoding::{base64, base64url};
use crate::policy::JwksPolicy;

const RSA: &[u8] = include_bytes!("../../fixtures/keys/rsa.pk8");
const EC: &[u8] = include_bytes!("../../fixtures/keys/ec.pk8");
const OTHER_EC: &[u8] = include_bytes!("../../fixtures/keys/other-ec.pk8");

/// Which keys a realm signs with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keys {
    /// The fixed test keys, shared by all realms: they cost nothing.
    #[default]
    Fixture,
    /// Keys of its own, made when the realm is created; the RSA key takes a while.
    Fresh,
}

impl Keys {
    pub(super) fn load(self) -> Result<Arc<KeyRing>, MockError> {
        match self {
            Self::Fixture => Ok(Arc::clone(&FIXTURE)),
            Self::Fresh => KeyRing::fresh().map(Arc::new),
        }
    }
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alg {
    Es256,
    Rs256,
}

impl Alg {
    /// The algorithm of that name; anything but `RS256` is ES256.
    pub(super) fn parse(name: &str) -> Self {
        if name == "RS256" { Self::Rs256 } else { Self::Es256 }
    }

    /// The algorithm of exactly that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Es256, Self::Rs256].into_iter().find(|alg| alg.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// The keys of a realm. The RSA key of the fixtures is parsed when it is first needed.
pub(super) struct KeyRing {
    rsa: OnceLock<RsaKeyPair>,
    ec: EcdsaKeyPair,
    suffix: String,
}

static FIXTURE: LazyLock<Arc<KeyRing>> =
    LazyLock::new(|| Arc::new(KeyRing { rsa: OnceLock::new(), ec: fixture_ec(EC), suffix: "1".into() }));

static OTHER: LazyLock<EcdsaKeyPair> = LazyLock::new(|| fixture_ec(OTHER_EC));

impl KeyRing {
    fn fresh() -> Result<Self, MockError> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| MockError::Keys)?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| MockError::Keys)?;
        let suffix = base64url(digest::digest(&digest::SHA256, ec.public_key().as_ref()))[..8].to_owned();
        Ok(Self { rsa: OnceLock::from(rsa), ec, suffix })
    }

    fn rsa(&self) -> &RsaKeyPair {
        self.rsa.get_or_init(|| RsaKeyPair::from_pkcs8(RSA).expect("the RSA fixture is a valid PKCS#8 key"))
    }

    /// The key identifier for an algorithm, as the policy publishes it.
    pub(super) fn kid(&self, alg: Alg, policy: &JwksPolicy) -> Option<String> {
        let kind = match alg {
            _ if policy.same_kid => "key",
            Alg::Es256 => "ec",
            Alg::Rs256 => "rsa",
        };
        policy.kid.then(|| format!("{kind}-{}", self.suffix))
    }

    /// The signature of a message (RFC 7518 sections 3.3, 3.4).
    pub(super) fn sign(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        match alg {
            Alg::Es256 => sign_ec(&self.ec, message),
            Alg::Rs256 => {
                let key = self.rsa();
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("an RSA key signs any message when the buffer has the length of its modulus");
                signature
            }
        }
    }

    /// An HMAC keyed with the published RSA key in PEM: the token that confuses verifiers which let the header choose the algorithm.
    pub(super) fn sign_with_public_key(&self, message: &[u8]) -> Vec<u8> {
        let der = self.rsa().public_key().as_der().expect("a public key has a DER form");
        hmac::sign(&pem_as_secret(der.as_ref()), message).as_ref().to_vec()
    }

    /// Whether a MAC is keyed with one of the published keys in PEM.
    pub(super) fn mac_fits(&self, message: &[u8], mac: &[u8]) -> bool {
        let ec = self.ec.public_key().as_der().expect("a public key has a DER form");
        let rsa = self.rsa().public_key().as_der().expect("a public key has a DER form");
        [ec.as_ref(), rsa.as_ref()].into_iter().any(|der| hmac::verify(&pem_as_secret(der), message, mac).is_ok())
    }

    /// Whether a signature is this server's.
    pub(super) fn verifies(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        match alg {
            Alg::Es256 => verifies_on_p256(self.ec.public_key().as_ref(), message, signature),
            Alg::Rs256 => {
                let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.rsa().public_key().as_ref());
                key.verify(message, signature).is_ok()
            }
        }
    }

    /// The key set (RFC 7517).
    pub(super) fn jwks(&self, policy: &JwksPolicy) -> Map<String, Value> {
        let published = |alg: Alg| policy.published.iter().any(|name| name == alg.name());
        let ec = published(Alg::Es256).then(|| self.ec_jwk(policy));
        let rsa = published(Alg::Rs256).then(|| self.rsa_jwk(policy));
        let own = ec.into_iter().chain(rsa).map(|mut key| {
            key.extend(policy.set.clone());
            policy.omit.iter().for_each(|name| drop(key.shift_remove(name)));
            Value::Object(key)
        });
        let keys: Vec<Value> = own.chain(policy.more.clone()).collect();
        Map::from_iter([("keys".to_owned(), Value::from(keys))])
    }

    fn ec_jwk(&self, policy: &JwksPolicy) -> Map<String, Value> {
        // The public key is an uncompressed point: 04, then 32 octets of x and 32 of y.
        let (x, y) = self.ec.public_key().as_ref()[1..].split_at(32);
        let mut jwk = self.jwk("EC", Alg::Es256, policy);
        jwk.insert("crv".into(), json!("P-256"));
        jwk.insert("x".into(), json!(base64url(x)));
        jwk.insert("y".into(), json!(base64url(y)));
        if policy.private {
            let private = self.ec.private_key().as_be_bytes().expect("an EC key holds its private part");
            jwk.insert("d".into(), json!(base64url(private.as_ref())));
        }
        jwk
    }

    fn rsa_jwk(&self, policy: &JwksPolicy) -> Map<String, Value> {
        let numbers = der::integers(self.rsa().public_key().as_ref());
        let mut jwk = self.jwk("RSA", Alg::Rs256, policy);
        for (name, number) in ["n", "e"].into_iter().zip(&numbers) {
            jwk.insert(name.into(), json!(base64url(number)));
        }
        if policy.private {
            let pkcs8 = self.rsa().as_der().expect("an RSA key has a PKCS#8 form");
            // RSAPrivateKey (RFC 8017 A.1.2): version, then n, e and what follows.
            let private = der::rsa_private_key(pkcs8.as_ref()).map(der::integers).unwrap_or_default();
            for (name, number) in ["d", "p", "q", "dp", "dq", "qi"].into_iter().zip(private.iter().skip(3)) {
                jwk.insert(name.into(), json!(base64url(number)));
            }
        }
        jwk
    }

    fn jwk(&self, kty: &str, alg: Alg, policy: &JwksPolicy) -> Map<String, Value> {
        let mut jwk = Map::from_iter([("kty".to_owned(), json!(kty)), ("use".to_owned(), json!("sig"))]);
        jwk.insert("alg".into(), json!(alg.name()));
        if let Some(kid) = self.kid(alg, policy) {
            jwk.insert("kid".into(), json!(kid));
        }
        jwk
    }
}

/// Whether an ES256 signature is that of a public key, an uncompressed point.
pub(super) fn verifies_on_p256(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
}

/// A public key in PEM (RFC 7468) as the key of an HMAC.
fn pem_as_secret(der: &[u8]) -> hmac::Key {
    let text = base64(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes())
}

/// An HMAC whose key is empty: what a verifier computes that finds no key and does not mind.
pub(super) fn sign_with_empty_key(message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[]), message).as_ref().to_vec()
}

/// An ES256 signature with a key that is published nowhere.
pub(super) fn sign_with_other_key(message: &[u8]) -> Vec<u8> {
    sign_ec(&OTHER, message)
}

fn sign_ec(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    key.sign(&SystemRandom::new(), message).expect("an EC key signs any message").as_ref().to_vec()
}

fn fixture_ec(pkcs8: &[u8]) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).expect("the EC fixtures are valid PKCS#8 keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_verify_with_the_published_keys() {
        let ring = Keys::Fixture.load().unwrap();
        let rsa = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, ring.rsa().public_key().as_ref());
        rsa.verify(b"message", &ring.sign(Alg::Rs256, b"message")).unwrap();
        let ec = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, ring.ec.public_key().as_ref());
        ec.verify(b"message", &ring.sign(Alg::Es256, b"message")).unwrap();
        assert!(ec.verify(b"message", &sign_with_other_key(b"message")).is_err());
    }

    #[test]
    fn private_members_are_published_on_request_only() {
        let ring = Keys::Fixture.load().unwrap();
        let names = |policy: &JwksPolicy| {
            let set = Value::Object(ring.jwks(policy));
            let keys = set["keys"].as_array().unwrap().clone();
            keys.iter().map(|key| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(names(&JwksPolicy::default()), ["kty use alg kid crv x y", "kty use alg kid n e"]);
        let leaky = JwksPolicy { private: true, ..JwksPolicy::default() };
        assert_eq!(names(&leaky), ["kty use alg kid crv x y d", "kty use alg kid n e d p q dp dq qi"]);
    }
}
