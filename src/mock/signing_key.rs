//! One signing key: its identifier, its signatures, and how it is published.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

use super::MockError;
use super::der;
use super::keys::Alg;
use crate::oauth::encoding::{base64, base64url};
use crate::policy::JwksPolicy;

/// A key with its identifier.
pub(super) struct SigningKey {
    /// What stands behind `ec-` or `rsa-` in its identifier.
    suffix: String,
    alg: Alg,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(Rsa),
}

/// A key from a file is parsed when it is first needed: that takes longer than all else a server does when it starts.
struct Rsa {
    pkcs8: &'static [u8],
    pair: OnceLock<RsaKeyPair>,
}

impl SigningKey {
    /// A P-256 key of the fixtures.
    pub(super) fn fixed_ec(pkcs8: &'static [u8], suffix: &str) -> Self {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        let pair = Pair::Ec(pair.expect("the EC fixtures are valid PKCS#8 keys"));
        Self { suffix: suffix.to_owned(), alg: Alg::Es256, pair }
    }

    /// An RSA key of the fixtures, the first or the second one.
    pub(super) fn fixed_rsa(alg: Alg, pkcs8: &'static [u8], suffix: &str) -> Self {
        Self { suffix: suffix.to_owned(), alg, pair: Pair::Rsa(Rsa { pkcs8, pair: OnceLock::new() }) }
    }

    /// A key that nobody has seen; one for RS256 takes a while.
    pub(super) fn fresh(alg: Alg, suffix: impl Into<String>) -> Result<Self, MockError> {
        let pair = match alg {
            Alg::Es256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| MockError::Keys)?),
            Alg::Rs256 | Alg::Rs256Second => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| MockError::Keys)?;
                Pair::Rsa(Rsa { pkcs8: &[], pair: OnceLock::from(pair) })
            }
        };
        Ok(Self { suffix: suffix.into(), alg, pair })
    }

    /// The same key under another identifier.
    pub(super) fn renamed(self, suffix: String) -> Self {
        Self { suffix, ..self }
    }

    /// What it signs with; of an RSA key also which one it is.
    pub(super) fn alg(&self) -> Alg {
        self.alg
    }

    /// Its identifier, whatever the policy publishes.
    pub(super) fn name(&self) -> String {
        match self.pair {
            Pair::Ec(_) => format!("ec-{}", self.suffix),
            Pair::Rsa(_) => format!("rsa-{}", self.suffix),
        }
    }

    /// Its identifier as the policy publishes it.
    pub(super) fn kid(&self, policy: &JwksPolicy) -> Option<String> {
        let kid = || match policy.kid_form.as_str() {
            _ if policy.same_kid => format!("key-{}", self.suffix),
            "digest" => base64(digest::digest(&digest::SHA256, &self.public_der())),
            _ => self.name(),
        };
        policy.kid.then(kid)
    }

    /// Its identifier for whoever drives the mock: the published one, or its own where that is missing or not unique.
    pub(super) fn id(&self, policy: &JwksPolicy) -> String {
        self.kid(policy).filter(|_| !policy.same_kid).unwrap_or_else(|| self.name())
    }

    /// The signature of a message (RFC 7518 sections 3.3, 3.4).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), message).expect("an EC key signs any message").as_ref().to_vec(),
            Pair::Rsa(rsa) => {
                let pair = rsa.pair();
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("an RSA key signs any message when the buffer has the length of its modulus");
                signature
            }
        }
    }

    /// Whether a signature is this key's.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::Ec(pair) => verifies_on_p256(pair.public_key().as_ref(), message, signature),
            Pair::Rsa(rsa) => {
                let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.pair().public_key().as_ref());
                key.verify(message, signature).is_ok()
            }
        }
    }

    /// The public key as SubjectPublicKeyInfo (RFC 5280 section 4.1).
    pub(super) fn public_der(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_der().expect("a public key has a DER form").as_ref().to_vec(),
            Pair::Rsa(rsa) => rsa.pair().public_key().as_der().expect("a public key has a DER form").as_ref().to_vec(),
        }
    }

    /// As a JSON Web Key (RFC 7517 section 4); with its private part where the policy leaks it.
    pub(super) fn jwk(&self, policy: &JwksPolicy) -> Map<String, Value> {
        let kty = match self.pair {
            Pair::Ec(_) => "EC",
            Pair::Rsa(_) => "RSA",
        };
        let mut jwk = Map::from_iter([("kty".to_owned(), json!(kty)), ("use".to_owned(), json!("sig"))]);
        jwk.insert("alg".into(), json!(self.alg().name()));
        if let Some(kid) = self.kid(policy) {
            jwk.insert("kid".into(), json!(kid));
        }
        match &self.pair {
            Pair::Ec(pair) => ec_members(pair, policy, &mut jwk),
            Pair::Rsa(rsa) => rsa_members(rsa.pair(), policy, &mut jwk),
        }
        jwk
    }
}

impl Rsa {
    fn pair(&self) -> &RsaKeyPair {
        self.pair.get_or_init(|| RsaKeyPair::from_pkcs8(self.pkcs8).expect("the RSA fixtures are valid PKCS#8 keys"))
    }
}

/// Whether an ES256 signature is that of a public key, an uncompressed point.
pub(super) fn verifies_on_p256(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
}

fn ec_members(pair: &EcdsaKeyPair, policy: &JwksPolicy, jwk: &mut Map<String, Value>) {
    // The public key is an uncompressed point: 04, then 32 octets of x and 32 of y.
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    jwk.insert("crv".into(), json!("P-256"));
    jwk.insert("x".into(), json!(base64url(x)));
    jwk.insert("y".into(), json!(base64url(y)));
    if policy.private {
        let private = pair.private_key().as_be_bytes().expect("an EC key holds its private part");
        jwk.insert("d".into(), json!(base64url(private.as_ref())));
    }
}

fn rsa_members(pair: &RsaKeyPair, policy: &JwksPolicy, jwk: &mut Map<String, Value>) {
    let numbers = der::integers(pair.public_key().as_ref());
    for (name, number) in ["n", "e"].into_iter().zip(&numbers) {
        jwk.insert(name.into(), json!(base64url(number)));
    }
    if policy.private {
        let pkcs8 = pair.as_der().expect("an RSA key has a PKCS#8 form");
        // RSAPrivateKey (RFC 8017 A.1.2): version, then n, e and what follows.
        let private = der::rsa_private_key(pkcs8.as_ref()).map(der::integers).unwrap_or_default();
        for (name, number) in ["d", "p", "q", "dp", "dq", "qi"].into_iter().zip(private.iter().skip(3)) {
            jwk.insert(name.into(), json!(base64url(number)));
        }
    }
}
