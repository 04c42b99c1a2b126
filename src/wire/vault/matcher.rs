//! Finds every spelling of every known value in one pass, the longest first.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Entry;
use super::encodings::{Rule, Spelling};

/// What is left of a torn secret is taken off from this length on.
const SHORTEST_TORN: usize = 4;
/// How many bytes of a spelling are looked up.
const PREFIX: usize = 4;
/// By how many bits of their fingerprints beginnings are told apart.
const BITS: u32 = 13;

/// All spellings, by how they begin. It is built anew for each scenario and used on a few hundred kilobytes, so that building has to be
/// cheap: an automaton over the same spellings takes longer to build than all searching.
pub(super) struct Matcher {
    /// Longest first; of the same text that first which was known first.
    patterns: Vec<Pattern>,
    /// The first pattern that begins with this fingerprint, counted from 1; 0 where there is none.
    heads: Vec<u32>,
    /// Positions of the patterns that are shorter than a prefix, longest first.
    short: Vec<usize>,
}

struct Pattern {
    spellings: Arc<[Spelling]>,
    /// Which of them.
    which: usize,
    name: Arc<str>,
    /// The next pattern with the same fingerprint, counted as in `heads`.
    next: u32,
}

impl Pattern {
    fn text(&self) -> &str {
        &self.spellings[self.which].text
    }

    fn rule(&self) -> Rule {
        self.spellings[self.which].rule
    }
}

impl Matcher {
    pub(super) fn new<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let every = |entry: &'a Entry| {
            let pattern =
                move |which| Pattern { spellings: Arc::clone(&entry.spellings), which, name: Arc::clone(&entry.name), next: 0 };
            (0..entry.spellings.len()).map(pattern)
        };
        let mut patterns: Vec<Pattern> = entries.flat_map(every).collect();
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.text().len()));
        let mut heads = vec![0; 1 << BITS];
        let mut short = Vec::new();
        // From the last on, so that each chain begins with its longest.
        for position in (0..patterns.len()).rev() {
            match patterns[position].text().as_bytes().first_chunk::<PREFIX>() {
                Some(prefix) => {
                    let head = &mut heads[fingerprint(*prefix)];
                    patterns[position].next = std::mem::replace(head, u32::try_from(position + 1).unwrap_or(0));
                }
                None => short.insert(0, position),
            }
        }
        Self { patterns, heads, short }
    }

    /// The leftmost place of a spelling, and of several there the longest.
    fn find(&self, text: &[u8], from: usize) -> Option<(&Pattern, Range<usize>)> {
        (from..text.len()).find_map(|start| {
            let rest = &text[start..];
            let pattern = self.long_at(rest).or_else(|| self.short_at(rest))?;
            Some((pattern, start..start + pattern.text().len()))
        })
    }

    /// The longest spelling with which a text begins.
    fn long_at(&self, text: &[u8]) -> Option<&Pattern> {
        let mut next = self.heads[fingerprint(*text.first_chunk::<PREFIX>()?)];
        while let Some(position) = next.checked_sub(1) {
            let pattern = &self.patterns[position as usize];
            if text.starts_with(pattern.text().as_bytes()) {
                return Some(pattern);
            }
            next = pattern.next;
        }
        None
    }

    fn short_at(&self, text: &[u8]) -> Option<&Pattern> {
        let mut patterns = self.short.iter().map(|position| &self.patterns[*position]);
        patterns.find(|pattern| text.starts_with(pattern.text().as_bytes()))
    }

    /// The text with names in place of values.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut kept = 0;
        let mut from = 0;
        while let Some((pattern, found)) = self.find(text.as_bytes(), from) {
            let place = match pattern.rule() {
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
            let text = pattern.text().as_bytes();
            let longest = text.len().saturating_sub(1).min(bytes.len());
            (SHORTEST_TORN..=longest).rev().find(|&length| bytes.ends_with(&text[..length])).unwrap_or(0)
        };
        self.patterns.iter().filter(|pattern| pattern.rule() != Rule::AsValue).map(torn).max().unwrap_or(0)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("patterns", &self.patterns.len()).finish()
    }
}

fn fingerprint(prefix: [u8; PREFIX]) -> usize {
    (u32::from_le_bytes(prefix).wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
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
