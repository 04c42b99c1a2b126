//! How hard values are to guess, estimated from a sample.
//!
//! The estimate is alphabet × varying positions: the number of positions at which the sample varies, times the bits of the
//! alphabet that the varying positions use. It finds values that are short, mostly constant, counted or repeated; it cannot
//! see a weak generator behind varied output.

use std::collections::{BTreeSet, HashSet};

/// What the sample shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Guess {
    /// The same value came twice.
    Repeated,
    /// The values follow one another.
    Sequence,
    /// At most so many bits.
    Bits(f64),
}

/// Fewer bits than this are a breach (RFC 6749 section 10.10 asks for 128; the estimate has a margin).
pub const BREACH: f64 = 112.0;
/// Fewer bits than this warn.
pub const DOUBT: f64 = 128.0;

/// Estimates from at least two values.
#[must_use]
pub fn estimate(values: &[String]) -> Guess {
    let distinct: HashSet<&str> = values.iter().map(String::as_str).collect();
    if distinct.len() < values.len() {
        return Guess::Repeated;
    }
    if is_sequence(values) {
        return Guess::Sequence;
    }
    Guess::Bits(bits(values))
}

/// The part of a token that is not known to everybody: of a JWT the signature alone (its header and claims are readable).
#[must_use]
pub fn secret_part(token: &str) -> &str {
    let parts: Vec<&str> = token.split('.').collect();
    match parts.as_slice() {
        [header, _, signature] if header.starts_with("eyJ") => signature,
        _ => token,
    }
}

fn bits(values: &[String]) -> f64 {
    let shortest = values.iter().map(String::len).min().unwrap_or(0);
    let mut alphabet = BTreeSet::new();
    let mut varying = 0_u32;
    for position in 0..shortest {
        let seen: BTreeSet<u8> = values.iter().map(|value| value.as_bytes()[position]).collect();
        if seen.len() > 1 {
            varying += 1;
            alphabet.extend(seen);
        }
    }
    f64::from(varying) * f64::from(alphabet_size(&alphabet)).log2()
}

/// The size of the usual alphabet that holds what was seen: a small sample does not show every character.
fn alphabet_size(seen: &BTreeSet<u8>) -> u32 {
    let all = |test: fn(&u8) -> bool| seen.iter().all(test);
    if all(u8::is_ascii_digit) {
        10
    } else if all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f' | b'-'))
        || all(|b| b.is_ascii_digit() || matches!(b, b'A'..=b'F' | b'-'))
    {
        16
    } else if all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) || all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        36
    } else if all(u8::is_ascii_alphanumeric) {
        62
    } else {
        64
    }
}

fn is_sequence(values: &[String]) -> bool {
    let shared = shared_prefix(values);
    let numbers: Option<Vec<i128>> = values.iter().map(|value| value[shared..].parse::<i128>().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() > 2) else { return false };
    let steps: HashSet<i128> = numbers.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    steps.iter().all(|step| *step < 1_000_000)
}

fn shared_prefix(values: &[String]) -> usize {
    let Some(first) = values.first() else { return 0 };
    let shared = |at: usize| values.iter().all(|value| value.is_char_boundary(at) && value.get(..at) == first.get(..at));
    let longest = (0..=first.len()).rev().find(|&at| first.is_char_boundary(at) && shared(at)).unwrap_or(0);
    // A shared digit belongs to the number, not to the prefix.
    first[..longest].trim_end_matches(|c: char| c.is_ascii_digit()).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::chance::Chance;

    fn owned(values: &[&str]) -> Vec<String> {
        values.iter().map(|&value| value.to_owned()).collect()
    }

    #[test]
    fn random_values_are_hard_to_guess() {
        let mut chance = Chance::new(1, "test");
        let values: Vec<String> = (0..8).map(|_| crate::oauth::encoding::base64url(chance.octets())).collect();
        assert!(matches!(estimate(&values), Guess::Bits(bits) if bits > DOUBT));
    }

    #[test]
    fn counters_repeats_and_short_values_are_found() {
        assert_eq!(estimate(&owned(&["code-0009", "code-0010", "code-0011"])), Guess::Sequence);
        assert_eq!(estimate(&owned(&["x1", "y7", "x1"])), Guess::Repeated);
        assert!(matches!(estimate(&owned(&["482913", "991204", "118830"])), Guess::Sequence | Guess::Bits(..=BREACH)));
        assert!(
            matches!(estimate(&owned(&["aaaaaaaaaaaaaaaaaaQ3", "aaaaaaaaaaaaaaaaaa7x"])), Guess::Bits(bits) if bits < BREACH)
        );
    }
}
