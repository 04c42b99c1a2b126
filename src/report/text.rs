//! Makes text from outside harmless: what a terminal would obey and what XML forbids is written out visibly.
//!
//! Every report passes its strings through here. It does not redact: that happened before.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// The text with every character written out (`\x1b`, `\u{202e}`) that a terminal would obey or that XML 1.0 cannot hold. Line feeds and
/// tabs stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| harmless(c) || c == '\n' || c == '\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if harmless(c) || c == '\n' || c == '\t' { out.push(c) } else { escape(c, &mut out) }
    }
    Cow::Owned(out)
}

/// The text as [`visible`] gives it, on one line: line feeds and tabs are written out too.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if harmless(c) { out.push(c) } else { escape(c, &mut out) }
    }
    Cow::Owned(out)
}

/// The first `limit` characters, with an ellipsis in place of the last where something is left off.
#[must_use]
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.chars().count() <= limit {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    Cow::Owned(kept + "…")
}

/// A duration for people: `0.012s`, `2m 03s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(60) {
        return format!("{:.3}s", duration.as_secs_f64());
    }
    let seconds = duration.as_secs();
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

/// Neither a control character, nor one that turns the direction of text, nor one that XML forbids.
fn harmless(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn escape(c: char, out: &mut String) {
    let written = match c {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(visible("a\u{1b}[31m\0\r\nb\tc\u{9b}\u{202e}\u{ffff}"), "a\\x1b[31m\\x00\\r\nb\tc\\x9b\\u{202e}\\u{ffff}");
        assert_eq!(one_line("a\nb\tc"), "a\\nb\\tc");
        assert!(matches!(visible("grüße 🎉"), Cow::Borrowed(_)));
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn durations_are_readable() {
        assert_eq!(duration(Duration::from_millis(1234)), "1.234s");
        assert_eq!(duration(Duration::from_secs(123)), "2m 03s");
    }
}
