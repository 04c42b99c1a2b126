//! Names for what differs from run to run and is no secret: dates, UUIDs, random tokens, local ports.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands first in the alternation wins: names that the vault gave stay as they are.
static VOLATILE: LazyLock<Regex> = LazyLock::new(|| {
    let alternatives = [
        r"(?P<name><[A-Za-z_]+#\d+>)",
        r#"(?P<member>"(?:iat|exp|nbf|auth_time|updated_at|client_id_issued_at|client_secret_expires_at)"\s*:\s*)-?\d+(?:\.\d+)?"#,
        r"(?P<http_date>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),[ +]\d{2}[ -][A-Z][a-z]{2}[ -]\d{4} \d{2}:\d{2}:\d{2} GMT)",
        r"(?P<rfc3339>\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))",
        r"(?P<origin>https?(?:://|%3[Aa]%2[Ff]%2[Ff])(?:127\.0\.0\.1|localhost|\[::1\]|%5[Bb](?:::1|%3[Aa]%3[Aa]1)%5[Dd])(?::|%3[Aa])\d+)",
        r"(?P<id>[A-Za-z0-9_-]{16,})",
    ];
    Regex::new(&alternatives.join("|")).expect("a constant expression")
});

/// The text with `<date>`, `<time>`, `<origin>` and `<id#n>` in place of what changes; ids are numbered as they appear.
pub(super) fn normalise(text: &str, ids: &mut HashMap<String, usize>) -> String {
    VOLATILE.replace_all(text, |found: &Captures<'_>| replacement(found, ids)).into_owned()
}

fn replacement(found: &Captures<'_>, ids: &mut HashMap<String, usize>) -> String {
    if let Some(member) = found.name("member") {
        return format!("{}<time>", member.as_str());
    }
    if found.name("http_date").is_some() || found.name("rfc3339").is_some() {
        return "<date>".to_owned();
    }
    if found.name("origin").is_some() {
        return "<origin>".to_owned();
    }
    match found.name("id") {
        Some(id) if is_random(id.as_str()) => {
            let next = ids.len() + 1;
            format!("<id#{}>", ids.entry(id.as_str().to_owned()).or_insert(next))
        }
        _ => found[0].to_owned(),
    }
}

/// Letters and digits mixed, or a capital inside a word: one in forty random texts of twenty characters has no digit. A UUID
/// always counts.
fn is_random(text: &str) -> bool {
    let uuid = text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let mixed = text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_alphabetic());
    let capital_inside = text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    uuid || mixed || capital_inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_gets_a_name() {
        let mut ids = HashMap::new();
        for (text, expected) in [
            ("Sun, 22 Nov 2026 07:30:07 GMT", "<date>"),
            ("at 2026-11-22T07:30:07.123Z.", "at <date>."),
            (r#"{"iat": 1764000000,"expires_in":3600}"#, r#"{"iat": <time>,"expires_in":3600}"#),
            ("http://127.0.0.1:4711/cb http%3A%2F%2Flocalhost%3A80%2F", "<origin>/cb <origin>%2F"),
            ("7f8d0c3e-0000-4000-8000-000000000000 aaaabbbbccccdddd1", "<id#1> <id#2>"),
            ("aaaabbbbccccdddd1 authorization_code <code#1>", "<id#2> authorization_code <code#1>"),
            ("oauthspec-klFFluGyMRPHMQTnekbKvw Strict-Transport-Security", "<id#3> Strict-Transport-Security"),
        ] {
            assert_eq!(normalise(text, &mut ids), expected);
        }
    }
}
