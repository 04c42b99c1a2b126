//! The values that the client makes up, as unguessable as the policy wants them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use super::Source;
use crate::oauth::encoding::base64url;

/// Makes values up.
#[derive(Debug, Default)]
pub(super) struct Random {
    count: AtomicU64,
}

impl Random {
    /// A value of that many random bytes, as base64url; poor sources give a value of the same length.
    pub(super) fn value(&self, source: Source, bytes: usize) -> String {
        let characters = (bytes * 4).div_ceil(3);
        self.characters(source, characters)
    }

    /// A value of that many characters, all of them unreserved.
    pub(super) fn characters(&self, source: Source, characters: usize) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        match source {
            Source::Random => {
                let mut text = base64url(random(characters));
                text.truncate(characters);
                text
            }
            Source::Counter => format!("{number:0>characters$}"),
            Source::Time => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                format!("{:0>characters$}", now.as_millis())
            }
            Source::Constant => "c".repeat(characters),
            Source::Short => {
                let number = random(4).iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)) % 1_000_000;
                format!("{number:0>characters$}")
            }
        }
    }
}

fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_kept_and_sources_differ() {
        let random = Random::default();
        for source in [Source::Random, Source::Counter, Source::Time, Source::Constant, Source::Short] {
            assert_eq!(random.value(source, 32).len(), 43, "{source:?}");
        }
        assert_ne!(random.value(Source::Random, 32), random.value(Source::Random, 32));
        assert_ne!(random.value(Source::Counter, 32), random.value(Source::Counter, 32));
        assert_eq!(random.value(Source::Constant, 32), random.value(Source::Constant, 32));
    }
}
