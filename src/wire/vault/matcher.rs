//! Finds every spelling of every known value in one pass, the longest first.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Entry;
use super::encodings::Rule;

/// What is left of a torn secret is taken off from this length on.
const SHORTEST_TORN: usize = 4;
/// How many bytes of a spelling are looked up.
const PREFIX: usize = 4;

/// All spellings, by how they begin. It is built anew for each scenario and used on a few hundred kilobytes, so that building has to be
/// cheap: an automaton over the same spellings takes longer to build than all searching.
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    /// Positions in `patterns`, longest first, by the first bytes.
    by_prefix: HashMap<[u8; PREFIX], Vec<usize>>,
    /// Positions of the patterns that are shorter than a prefix, longest first.
    short: Vec<usize>,
    /// Whether a prefix with this fingerprint is there at all.
    fingerprints: Vec<bool>,
}

struct Pattern {
    text: String,
    name: Arc<str>,
    rule: Rule,
}

impl Matcher {
    pub(super) fn new<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut seen: HashMap<&str, ()> = HashMap::new();
        let mut patterns = Vec::new();
        for entry in entries {
            for spelling in entry.spellings.iter() {
                if !spelling.text.is_empty() && seen.insert(&spelling.text, ()).is_none() {
                    let name = Arc::clone(&entry.name);
                    patterns.push(Pattern { text: spelling.text.clone(), name, rule: spelling.rule });
                }
            }
        }
        patterns.sort_by_key(|pattern: &Pattern| std::cmp::Reverse(pattern.text.len()));
        let mut matcher =
            Self { patterns: Vec::new(), by_prefix: HashMap::new(), short: Vec::new(), fingerprints: vec![false; 1 << 16] };
        for (position, pattern) in patterns.iter().enumerate() {
            match pattern.text.as_bytes().first_chunk::<PREFIX>() {
                Some(prefix) => {
                    matcher.fingerprints[fingerprint(*prefix)] = true;
                    matcher.by_prefix.entry(*prefix).or_default().push(position);
                }
                None => matcher.short.push(position),
            }
        }
        matcher.patterns = patterns;
        matcher
    }

    /// The leftmost place of a spelling, and of several there the longest.
    fn find(&self, text: &[u8], from: usize) -> Option<(&Pattern, Range<usize>)> {
        let at = |position: usize, start: usize| {
            let pattern = &self.patterns[position];
            text[start..].starts_with(pattern.text.as_bytes()).then(|| (pattern, start..start + pattern.text.len()))
        };
        (from..text.len()).find_map(|start| {
            let prefix = text[start..].first_chunk::<PREFIX>().filter(|prefix| self.fingerprints[fingerprint(**prefix)]);
            let long = prefix.and_then(|prefix| self.by_prefix.get(prefix)).into_iter().flatten();
            long.chain(&self.short).find_map(|position| at(*position, start))
        })
    }

    /// The text with names in place of values.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut kept = 0;
        let mut from = 0;
        while let Some((pattern, found)) = self.find(text.as_bytes(), from) {
            let place = match pattern.rule {
                Rule::Anywhere => found,
                Rule::AsValue if stands_as_value(text, found.clone()) => found,
                Rule::AsValue => {
                    from = found.start + text[found.start..].chars().next().map_or(1, char::len_utf8);
                    continue;
                }
                Rule::InsideBase64 => widen(text, found, kept),
            };
            out.push_str(&text[kept..place.start]);
            out.push_str(&pattern.name);
            kept = place.end;
            from = place.end;
        }
        out.push_str(&text[kept..]);
        out
    }

    /// How many bytes at the end are the beginning of a known value.
    pub(super) fn torn_at_end(&self, bytes: &[u8]) -> usize {
        let torn = |pattern: &Pattern| {
            let text = pattern.text.as_bytes();
            let longest = text.len().saturating_sub(1).min(bytes.len());
            (SHORTEST_TORN..=longest).rev().find(|&length| bytes.ends_with(&text[..length])).unwrap_or(0)
        };
        self.patterns.iter().filter(|pattern| pattern.rule != Rule::AsValue).map(torn).max().unwrap_or(0)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("patterns", &self.patterns.len()).finish()
    }
}

fn fingerprint(prefix: [u8; PREFIX]) -> usize {
    (u32::from_le_bytes(prefix).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// Whether a word stands there as a value: alone, or behind `=`, `:` or a quotation mark, and not as a name itself.
fn stands_as_value(text: &str, place: Range<usize>) -> bool {
    let before = &text[..place.start];
    let after = &text[place.end..];
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if after.starts_with(part_of_word) || after.starts_with('=') || is_member_name(after) {
        return false;
    }
    let names_something = ["name=", "type=", "id=", "for=", "rel=", "autocomplete="];
    let unquoted = before.trim_end_matches(['"', '\'']);
    if names_something.iter().any(|attribute| unquoted.ends_with(attribute)) {
        return false;
    }
    let encoded = ["%3D", "%3d", "%22", "%3A", "%3a"].iter().any(|mark| before.ends_with(mark));
    let trimmed = before.trim_end();
    let announced = trimmed.is_empty() || trimmed.ends_with(['=', ':', '"', '\'', '>']) || encoded;
    announced || ends_with_scheme(trimmed)
}

fn is_member_name(after: &str) -> bool {
    after.strip_prefix('"').is_some_and(|rest| rest.trim_start().starts_with(':'))
}

fn ends_with_scheme(before: &str) -> bool {
    let tail: String = before.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
    tail.eq_ignore_ascii_case("bearer")
}

/// The whole run of base64 around a match, but not back beyond what is written already.
fn widen(text: &str, place: Range<usize>, not_before: usize) -> Range<usize> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let before = &text[not_before..place.start];
    let start = place.start - (before.len() - before.trim_end_matches(is_base64).len());
    let after = text[place.end..].trim_start_matches(is_base64).trim_start_matches('=');
    start..text.len() - after.len()
}
