//! The values that the mock makes up: codes, tokens, identifiers. Reproducible from the seed; how guessable is the policy's choice.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::hmac;

use crate::oauth::encoding::base64url;

/// A source of values: HMAC-SHA256 over kind and counter, keyed with the seed and the realm's name.
pub(super) struct Random {
    key: hmac::Key,
    counters: HashMap<&'static str, u64>,
}

impl Random {
    pub(super) fn new(seed: u64, realm: &str) -> Self {
        let mut key = seed.to_be_bytes().to_vec();
        key.extend_from_slice(realm.as_bytes());
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), counters: HashMap::new() }
    }

    /// A value that nobody can guess without the seed: `length` base64url characters.
    pub(super) fn secret(&mut self, kind: &'static str, length: usize) -> String {
        let count = self.count(kind);
        self.characters(kind, count, length)
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&mut self, kind: &'static str) -> String {
        let count = self.count(kind);
        self.uuid_of(kind, count)
    }

    /// The UUID of a numbered thing: always the same one.
    pub(super) fn uuid_of(&self, kind: &str, number: u64) -> String {
        let tag = self.block(kind, number, u64::MAX);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&tag.as_ref()[..16]);
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// A value made as the policy says: `random`, `counter`, `time`, `constant`, `short`, `half`, `uuid`, `jwe`; anything else is
    /// `random`.
    pub(super) fn made_of(&mut self, source: &str, kind: &'static str, length: usize, now: Duration) -> String {
        let count = self.count(kind);
        match source {
            "counter" => padded(count, length),
            "time" => padded(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), length),
            "constant" => "c".repeat(length),
            "short" => self.digits(kind, count),
            "uuid" => self.uuid_of(kind, count),
            "jwe" => self.sealed(kind, count),
            "half" => {
                let fixed = length.div_ceil(2);
                "h".repeat(fixed) + &self.characters(kind, count, length - fixed)
            }
            _ => self.characters(kind, count, length),
        }
    }

    /// Characters of an alphabet: `random`, `counter` (decimal digits) or `constant` (the first character).
    pub(super) fn picked(&mut self, source: &str, kind: &'static str, alphabet: &str, length: usize) -> String {
        let count = self.count(kind);
        let letters: Vec<char> = alphabet.chars().collect();
        match (source, letters.first()) {
            ("counter", _) | (_, None) => padded(count, length),
            ("constant", Some(first)) => first.to_string().repeat(length),
            _ => (0..length).map(|position| letters[self.index(kind, count, position, letters.len())]).collect(),
        }
    }

    /// A number below a bound, for one position of one value.
    fn index(&self, kind: &str, count: u64, position: usize, bound: usize) -> usize {
        let tag = self.block(kind, count, u64::try_from(position).unwrap_or(u64::MAX));
        let number = tag.as_ref().iter().take(4).fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
        number % bound
    }

    fn count(&mut self, kind: &'static str) -> u64 {
        let counter = self.counters.entry(kind).or_default();
        *counter += 1;
        *counter
    }

    fn characters(&self, kind: &str, count: u64, length: usize) -> String {
        let mut out = String::with_capacity(length + 43);
        let mut block = 0;
        while out.len() < length {
            out.push_str(&base64url(self.block(kind, count, block)));
            block += 1;
        }
        out.truncate(length);
        out
    }

    /// What looks like a JSON Web Encryption (RFC 7516 section 3.1) with a 2048-bit RSA key: nobody can open it, the server neither.
    fn sealed(&self, kind: &str, count: u64) -> String {
        const HEADER: &[u8] = br#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#;
        let mut parts = vec![base64url(HEADER)];
        let mut block = 0;
        for length in [256, 12, 860, 16] {
            let mut bytes: Vec<u8> = Vec::with_capacity(length + 32);
            while bytes.len() < length {
                bytes.extend_from_slice(self.block(kind, count, block).as_ref());
                block += 1;
            }
            parts.push(base64url(&bytes[..length]));
        }
        parts.join(".")
    }

    fn digits(&self, kind: &str, count: u64) -> String {
        let tag = self.block(kind, count, 0);
        let number = tag.as_ref().iter().take(8).fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte));
        format!("{:06}", number % 1_000_000)
    }

    fn block(&self, kind: &str, count: u64, block: u64) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(&count.to_be_bytes());
        context.update(&block.to_be_bytes());
        context.sign()
    }
}

fn padded(number: u64, length: usize) -> String {
    let digits = number.to_string();
    "0".repeat(length.saturating_sub(digits.len())) + &digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_from_seed_realm_kind_and_counter() {
        let first = |seed, realm| Random::new(seed, realm).secret("code", 43);
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        let mut random = Random::new(1, "a");
        assert_ne!(random.secret("code", 43), random.secret("code", 43));
        assert_eq!(random.secret("code", 100).len(), 100);
    }

    #[test]
    fn poor_sources_are_as_poor_as_they_say() {
        let mut random = Random::new(1, "a");
        let now = Duration::from_secs(1_000);
        assert_eq!(random.made_of("counter", "code", 8, now), "00000001");
        assert_eq!(random.made_of("counter", "code", 8, now), "00000002");
        assert_eq!(random.made_of("constant", "code", 3, now), "ccc");
        assert_eq!(random.made_of("time", "code", 4, now), "1000000000");
        assert_eq!(random.made_of("short", "code", 43, now).len(), 6);
        let uuid = random.made_of("uuid", "code", 43, now);
        assert!(
            uuid.len() == 36 && uuid.as_bytes()[14] == b'4' && matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'),
            "{uuid}"
        );
        let half = random.made_of("half", "code", 43, now);
        assert!(half.starts_with(&"h".repeat(22)) && half.len() == 43);
    }
}
