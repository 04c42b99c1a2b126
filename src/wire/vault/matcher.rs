//! Finds every spelling of every known value in one pass, the longest first.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::Entry;
use super::encodings::Rule;

/// What is left of a torn secret is taken off from this length on.
const SHORTEST_TORN: usize = 4;

/// An automaton over all spellings.
pub(super) struct Matcher {
    automaton: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
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
                if seen.insert(&spelling.text, ()).is_none() {
                    let name = Arc::clone(&entry.name);
                    patterns.push(Pattern { text: spelling.text.clone(), name, rule: spelling.rule });
                }
            }
        }
        let texts = patterns.iter().map(|pattern| pattern.text.as_str());
        // Building fails only beyond two thousand million states; then nothing may leave at all, which `replace` sees to.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok();
        Self { automaton, patterns }
    }

    /// The text with names in place of values.
    pub(super) fn replace(&self, text: &str) -> String {
        let Some(automaton) = &self.automaton else { return "<withheld>".to_owned() };
        let mut out = String::with_capacity(text.len());
        let mut kept = 0;
        let mut from = 0;
        while let Some(found) = automaton.find(Input::new(text).range(from..)) {
            let pattern = &self.patterns[found.pattern().as_usize()];
            let place = match pattern.rule {
                Rule::Anywhere => found.range(),
                Rule::AsValue if stands_as_value(text, found.range()) => found.range(),
                Rule::AsValue => {
                    from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
                    continue;
                }
                Rule::InsideBase64 => widen(text, found.range(), kept),
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
