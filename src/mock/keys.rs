//! The keys of a realm: the fixed test keys, parsed once per process, or fresh ones; which of them signs, and which are in the key set.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use serde_json::{Map, Value};

use super::MockError;
use super::signing_key::SigningKey;
pub(super) use super::signing_key::verifies_on_p256;
use crate::oauth::encoding::{base64, base64url};
use crate::policy::{JwksPolicy, Policy};

/// The keys that sign, in their order: those at the start, and what they are replaced by the first time and the second.
const FIXTURES: [[&[u8]; 3]; 3] = [
    [
        include_bytes!("../../fixtures/keys/ec.pk8"),
        include_bytes!("../../fixtures/keys/rsa.pk8"),
        include_bytes!("../../fixtures/keys/rsa-second.pk8"),
    ],
    [
        include_bytes!("../../fixtures/keys/ec-2.pk8"),
        include_bytes!("../../fixtures/keys/rsa-2.pk8"),
        include_bytes!("../../fixtures/keys/rsa-second-2.pk8"),
    ],
    [
        include_bytes!("../../fixtures/keys/ec-3.pk8"),
        include_bytes!("../../fixtures/keys/rsa-3.pk8"),
        include_bytes!("../../fixtures/keys/rsa-second-3.pk8"),
    ],
];
const OTHER_EC: &[u8] = include_bytes!("../../fixtures/keys/other-ec.pk8");
const OTHER_RSA: &[u8] = include_bytes!("../../fixtures/keys/other-rsa.pk8");

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
    /// RS256 with the second RSA key, for policies that sign ID and access tokens with different ones.
    Rs256Second,
}

impl Alg {
    /// Both, with the keys that they mostly have.
    pub(super) const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    /// The algorithm of that name; anything but `RS256` is ES256.
    pub(super) fn parse(name: &str) -> Self {
        if name == "RS256" { Self::Rs256 } else { Self::Es256 }
    }

    /// The algorithm of that name, with the second RSA key where that is meant.
    pub(super) fn with_key(name: &str, second: bool) -> Self {
        match Self::parse(name) {
            Self::Rs256 if second => Self::Rs256Second,
            alg => alg,
        }
    }

    /// The algorithm of exactly that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 | Self::Rs256Second => "RS256",
        }
    }

    /// Its key in the setting `jwks.published`.
    fn published_as(self) -> &'static str {
        match self {
            Self::Rs256Second => "RS256-second",
            alg => alg.name(),
        }
    }

    /// Where its key stands among those that sign.
    fn place(self) -> usize {
        match self {
            Self::Es256 => 0,
            Self::Rs256 => 1,
            Self::Rs256Second => 2,
        }
    }
}

/// A key as whoever drives the mock sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyInfo {
    /// Its identifier.
    pub kid: String,
    /// `ES256` or `RS256`.
    pub alg: &'static str,
    /// Whether it signs; else it was replaced.
    pub signs: bool,
    /// Whether it is in the key set.
    pub published: bool,
    /// Its public part as a JSON Web Key.
    pub jwk: Map<String, Value>,
}

/// The keys of a realm at a moment: one that signs for each algorithm, and those that signed before.
#[derive(Clone)]
pub(super) struct KeyRing {
    /// Those that sign now, ES256 first.
    signing: [Arc<SigningKey>; 2],
    /// The second RSA key, made when it is first needed: few policies do.
    second: Arc<OnceLock<Arc<SigningKey>>>,
    /// Whether no key is of the fixtures.
    fresh: bool,
    /// Those that were replaced, the latest first, and when that was.
    retired: Vec<(Arc<SigningKey>, Duration)>,
    /// The identifiers of keys that are not in the key set, whatever the policy says.
    hidden: BTreeSet<String>,
    /// How often keys were replaced.
    rotations: usize,
}

static FIXTURE: LazyLock<Arc<KeyRing>> =
    LazyLock::new(|| Arc::new(KeyRing::of(fixture(Alg::Es256, 0, "1"), fixture(Alg::Rs256, 0, "1"))));

static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::fixed_ec(OTHER_EC, "other"));
static OTHER_OF_RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::fixed_rsa(Alg::Rs256, OTHER_RSA, "other"));

fn fixture(alg: Alg, rotations: usize, suffix: &str) -> SigningKey {
    let pkcs8 = FIXTURES[rotations][alg.place()];
    match alg {
        Alg::Es256 => SigningKey::fixed_ec(pkcs8, suffix),
        Alg::Rs256 | Alg::Rs256Second => SigningKey::fixed_rsa(alg, pkcs8, suffix),
    }
}

impl KeyRing {
    fn of(ec: SigningKey, rsa: SigningKey) -> Self {
        let second = Arc::default();
        let (retired, hidden) = (Vec::new(), BTreeSet::new());
        Self { signing: [Arc::new(ec), Arc::new(rsa)], second, fresh: false, retired, hidden, rotations: 0 }
    }

    fn fresh() -> Result<Self, MockError> {
        let ec = SigningKey::fresh(Alg::Es256, "")?;
        let suffix = base64url(digest::digest(&digest::SHA256, &ec.public_der()))[..8].to_owned();
        let rsa = SigningKey::fresh(Alg::Rs256, suffix.as_str())?;
        Ok(Self { fresh: true, ..Self::of(ec.renamed(suffix), rsa) })
    }

    /// With new keys for these algorithms; those that they replace stay in the key set.
    ///
    /// The first rotations take keys of the fixtures, so that they cost nothing and are the same in every run.
    pub(super) fn rotated(&self, algs: &[Alg], now: Duration) -> Result<Self, MockError> {
        let mut next = self.clone();
        next.rotations += 1;
        for alg in algs {
            let suffix = suffix(*alg, next.rotations + 1);
            let key = match next.rotations {
                at if at < FIXTURES.len() => fixture(*alg, at, &suffix),
                _ => SigningKey::fresh(*alg, suffix)?,
            };
            next.retired.insert(0, (Arc::clone(self.key(*alg)), now));
            next.put(*alg, Arc::new(key));
        }
        Ok(next)
    }

    /// With a key in the key set, or out of it; `None` where no key has that identifier.
    pub(super) fn showing(&self, id: &str, published: bool, policy: &Policy) -> Option<Self> {
        let name = self.all(uses_second(policy)).find(|key| key.id(&policy.jwks) == id)?.name();
        let mut next = self.clone();
        if published {
            next.hidden.remove(&name);
        } else {
            next.hidden.insert(name);
        }
        Some(next)
    }

    /// Every key that a realm under that policy has, those that sign first, and whether it is in the key set.
    pub(super) fn list(&self, policy: &Policy, now: Duration) -> Vec<KeyInfo> {
        let public = JwksPolicy { private: false, ..policy.jwks.clone() };
        let info = |key: &Arc<SigningKey>| KeyInfo {
            kid: key.id(&public),
            alg: key.alg().name(),
            signs: !self.retired.iter().any(|(retired, _)| Arc::ptr_eq(retired, key)),
            published: self.publishes(key, &public, now),
            jwk: key.jwk(&public),
        };
        self.all(uses_second(policy)).map(info).collect()
    }

    /// The key identifier for an algorithm, as the policy publishes it.
    pub(super) fn kid(&self, alg: Alg, policy: &JwksPolicy) -> Option<String> {
        self.key(alg).kid(policy)
    }

    /// The signature of a message (RFC 7518 sections 3.3, 3.4).
    pub(super) fn sign(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        self.key(alg).sign(message)
    }

    /// An HMAC keyed with the published key of an algorithm in PEM: the token that confuses verifiers which let the header choose the
    /// algorithm.
    pub(super) fn sign_with_public_key(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        let der = self.key(alg).public_der();
        hmac::sign(&pem_as_secret(&der), message).as_ref().to_vec()
    }

    /// Whether a MAC is keyed with one of the published keys in PEM.
    pub(super) fn mac_fits(&self, message: &[u8], mac: &[u8]) -> bool {
        self.all(false).any(|key| hmac::verify(&pem_as_secret(&key.public_der()), message, mac).is_ok())
    }

    /// Whether a signature is this server's.
    pub(super) fn verifies(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        // A second key that was never made has signed nothing.
        self.all(self.second.get().is_some()).any(|key| key.alg().name() == alg.name() && key.verifies(message, signature))
    }

    /// The key set (RFC 7517).
    pub(super) fn jwks(&self, policy: &JwksPolicy, now: Duration) -> Map<String, Value> {
        let second = policy.published.iter().any(|name| name == Alg::Rs256Second.published_as());
        let own = self.all(second).filter(|key| self.publishes(key, policy, now)).map(|key| {
            let mut key = key.jwk(policy);
            key.extend(policy.set.clone());
            policy.omit.iter().for_each(|name| drop(key.shift_remove(name)));
            Value::Object(key)
        });
        let keys: Vec<Value> = own.chain(policy.more.clone()).collect();
        Map::from_iter([("keys".to_owned(), Value::from(keys))])
    }

    fn key(&self, alg: Alg) -> &Arc<SigningKey> {
        if alg == Alg::Rs256Second { self.second() } else { &self.signing[alg.place()] }
    }

    fn second(&self) -> &Arc<SigningKey> {
        let suffix = suffix(Alg::Rs256Second, 1);
        let fixed = || fixture(Alg::Rs256Second, 0, &suffix);
        let fresh = || SigningKey::fresh(Alg::Rs256Second, suffix.as_str()).unwrap_or_else(|_| fixed());
        self.second.get_or_init(|| Arc::new(if self.fresh { fresh() } else { fixed() }))
    }

    fn put(&mut self, alg: Alg, key: Arc<SigningKey>) {
        if alg == Alg::Rs256Second {
            self.second = Arc::new(OnceLock::from(key));
        } else {
            self.signing[alg.place()] = key;
        }
    }

    /// Every key, with or without the second RSA key that signs now.
    fn all(&self, second: bool) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.signing.iter().chain(second.then(|| self.second())).chain(self.retired.iter().map(|(key, _)| key))
    }

    fn publishes(&self, key: &Arc<SigningKey>, policy: &JwksPolicy, now: Duration) -> bool {
        let ends = |replaced: Duration| replaced.saturating_add(Duration::from_secs(policy.retired_for));
        let past = |(retired, replaced): &(Arc<SigningKey>, Duration)| Arc::ptr_eq(retired, key) && ends(*replaced) <= now;
        if policy.retired_for > 0 && self.retired.iter().any(past) {
            return false;
        }
        policy.published.iter().any(|name| name == key.alg().published_as()) && !self.hidden.contains(&key.name())
    }
}

/// What stands behind `ec-` or `rsa-` in the identifier of the so-many-eth key.
fn suffix(alg: Alg, number: usize) -> String {
    match (alg, number) {
        (Alg::Rs256Second, 1) => "second".to_owned(),
        (Alg::Rs256Second, number) => format!("second-{number}"),
        (_, number) => number.to_string(),
    }
}

/// Whether the second RSA key signs or is published.
pub(super) fn uses_second(policy: &Policy) -> bool {
    let signs = policy.access_token.second_key || policy.id_token.second_key;
    signs || policy.jwks.published.iter().any(|name| name == Alg::Rs256Second.published_as())
}

/// The keys of a realm as they change.
pub(super) struct Keychain {
    ring: RwLock<Arc<KeyRing>>,
    /// Changes come one after the other, while everybody goes on with the keys that were there.
    changing: Mutex<()>,
}

impl Keychain {
    pub(super) fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring: RwLock::new(ring), changing: Mutex::new(()) }
    }

    /// The keys as they are now.
    pub(super) fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other keys in place of those that are there.
    pub(super) fn change<E>(&self, change: impl FnOnce(&KeyRing) -> Result<KeyRing, E>) -> Result<(), E> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(change(&self.current())?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
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

/// A key for an algorithm that is published nowhere.
pub(super) fn other_key(alg: Alg) -> &'static SigningKey {
    match alg {
        Alg::Es256 => &OTHER,
        Alg::Rs256 | Alg::Rs256Second => &OTHER_OF_RSA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_verify_with_the_published_keys() {
        let ring = Keys::Fixture.load().unwrap();
        for alg in Alg::ALL {
            assert!(ring.verifies(alg, b"message", &ring.sign(alg, b"message")), "{alg:?}");
            assert!(!ring.verifies(alg, b"message", &other_key(alg).sign(b"message")), "{alg:?}");
        }
    }

    #[test]
    fn private_members_are_published_on_request_only() {
        let ring = Keys::Fixture.load().unwrap();
        let names = |policy: &JwksPolicy| {
            let set = Value::Object(ring.jwks(policy, Duration::ZERO));
            let keys = set["keys"].as_array().unwrap().clone();
            keys.iter().map(|key| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(names(&JwksPolicy::default()), ["kty use alg kid crv x y", "kty use alg kid n e"]);
        let leaky = JwksPolicy { private: true, ..JwksPolicy::default() };
        assert_eq!(names(&leaky), ["kty use alg kid crv x y d", "kty use alg kid n e d p q dp dq qi"]);
    }

    #[test]
    fn rotation_keeps_the_old_keys_in_the_set() {
        let policy = JwksPolicy::default();
        let first = Keys::Fixture.load().unwrap();
        let mut ring = KeyRing::clone(&first);
        for _ in 0..3 {
            ring = ring.rotated(&[Alg::Es256], Duration::ZERO).unwrap();
        }
        let kids: Vec<_> =
            ring.list(&Policy::default(), Duration::ZERO).into_iter().map(|key| (key.kid, key.signs, key.published)).collect();
        let expected = [("ec-4", true), ("rsa-1", true), ("ec-3", false), ("ec-2", false), ("ec-1", false)];
        assert_eq!(kids, expected.map(|(kid, signs)| (kid.to_owned(), signs, true)));
        assert_eq!(ring.kid(Alg::Es256, &policy).as_deref(), Some("ec-4"));
        assert!(ring.verifies(Alg::Es256, b"old", &first.sign(Alg::Es256, b"old")));
        assert!(!first.verifies(Alg::Es256, b"new", &ring.sign(Alg::Es256, b"new")));
        let both = first.rotated(&Alg::ALL, Duration::ZERO).unwrap();
        assert!(both.verifies(Alg::Rs256, b"new", &both.sign(Alg::Rs256, b"new")));
    }

    #[test]
    fn a_hidden_key_is_not_in_the_set() {
        let policy = JwksPolicy::default();
        let all = Policy::default();
        let ring = Keys::Fixture.load().unwrap().showing("ec-1", false, &all).unwrap();
        assert_eq!(ring.jwks(&policy, Duration::ZERO)["keys"].as_array().unwrap().len(), 1);
        assert_eq!(ring.showing("ec-1", true, &all).unwrap().jwks(&policy, Duration::ZERO)["keys"].as_array().unwrap().len(), 2);
        assert!(ring.showing("ec-9", true, &all).is_none());
    }
}
