//! Random values that can be repeated: state, nonce and verifiers follow from the run's seed and the scenario.

use aws_lc_rs::hmac;

use crate::oauth::encoding::base64url;

/// A stream of random values.
#[derive(Debug)]
pub struct Chance {
    key: hmac::Key,
    counter: u64,
}

impl Chance {
    /// The stream of that seed for that purpose.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        let derived = hmac::sign(&root, purpose.as_bytes());
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), counter: 0 }
    }

    /// 32 octets.
    pub fn octets(&mut self) -> [u8; 32] {
        self.counter += 1;
        let tag = hmac::sign(&self.key, &self.counter.to_be_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// 22 characters of base64url: 128 bits and a little more.
    pub fn text(&mut self) -> String {
        base64url(&self.octets()[..16])
    }
}
