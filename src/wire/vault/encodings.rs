//! Every way in which a value may be written in a URL, a header field, a form, JSON or HTML.

use crate::oauth::{encoding, is_unreserved};

/// How a value may be written, and where it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) text: String,
    pub(super) rule: Rule,
}

/// Where a spelling counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Wherever it stands.
    Anywhere,
    /// Only where a value stands, by itself: `secret` is a word of the protocol's own, and `client_secret_basic` holds none.
    AsValue,
    /// Wherever it stands; the base64 around it goes with it.
    InsideBase64,
}

/// Every spelling of a value, each once, the value itself first.
pub(super) fn spellings(value: &[u8]) -> Vec<Spelling> {
    let plain_rule = if is_wordlike(value) { Rule::AsValue } else { Rule::Anywhere };
    let mut out = Collector::default();
    let text = String::from_utf8_lossy(value);
    out.add(text.clone().into_owned(), plain_rule);
    if value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        // Nothing in it ever needs escaping: that goes for nearly every code and token.
        for digits in DIGITS {
            out.add(escape(value, |_| false, None, digits), plain_rule);
        }
        out.add_base64(value);
        return out.list;
    }
    for escaped in percent_spellings(value) {
        out.add(escaped, plain_rule);
    }
    for escaped in json_spellings(&text).into_iter().chain(html_spellings(&text)) {
        out.add(escaped, plain_rule);
    }
    for bytes in [value, encoding::form(value).as_bytes(), encoding::percent(value).as_bytes()] {
        out.add_base64(bytes);
    }
    out.list
}

/// Hexadecimal digits, as servers of either habit write them.
const DIGITS: [&[u8; 16]; 2] = [b"0123456789ABCDEF", b"0123456789abcdef"];

#[derive(Default)]
struct Collector {
    list: Vec<Spelling>,
}

impl Collector {
    /// There are a few dozen at most, so that looking through them is cheaper than keeping a set.
    fn add(&mut self, text: String, rule: Rule) {
        if !text.is_empty() && self.list.iter().all(|known| known.text != text) {
            self.list.push(Spelling { text, rule });
        }
    }

    fn add_base64(&mut self, bytes: &[u8]) {
        // Base64 of fewer octets is too short to tell it from other text.
        if bytes.len() < 6 {
            return;
        }
        for core in base64_cores(bytes) {
            if core.contains(['+', '/']) {
                self.add(core.replace('+', "-").replace('/', "_"), Rule::InsideBase64);
                self.add(core.replace('+', "%2B").replace('/', "%2F"), Rule::InsideBase64);
            }
            self.add(core, Rule::InsideBase64);
        }
    }
}

/// Short values, and those that could be a word: they occur in texts without being the secret.
fn is_wordlike(value: &[u8]) -> bool {
    value.len() < 6 || (value.len() < 16 && value.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-')))
}

fn percent_spellings(value: &[u8]) -> Vec<String> {
    let component = |byte: u8| is_unreserved(byte) || matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*');
    let form = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_');
    // What a lenient URL serialiser leaves as it is inside a query.
    let query = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\'' | b'&' | b'+' | b'%');
    let mut out = Vec::new();
    for digits in DIGITS {
        let strict = escape(value, is_unreserved, None, digits);
        out.push(escape(strict.as_bytes(), is_unreserved, None, digits));
        out.push(strict);
        out.push(escape(value, component, None, digits));
        out.push(escape(value, query, None, digits));
        out.push(escape(value, query, Some('+'), digits));
        let form_encoded = escape(value, form, Some('+'), digits);
        out.push(escape(form_encoded.as_bytes(), is_unreserved, None, digits));
        out.push(form_encoded);
        out.push(escape(value, |_| false, None, digits));
    }
    out
}

fn escape(bytes: &[u8], plain: impl Fn(u8) -> bool, blank: Option<char>, digits: &[u8; 16]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        match blank {
            Some(blank) if byte == b' ' => out.push(blank),
            _ if plain(byte) => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push(char::from(digits[usize::from(byte >> 4)]));
                out.push(char::from(digits[usize::from(byte & 15)]));
            }
        }
    }
    out
}

fn json_spellings(text: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = &quoted[1..quoted.len() - 1];
    let slashes = plain.replace('/', "\\/");
    let go = replace_all(plain, &[("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")]);
    let dotnet = [("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026"), ("'", "\\u0027"), ("+", "\\u002B"), ("`", "\\u0060")];
    let dotnet = replace_all(&plain.replace("\\\"", "\\u0022"), &dotnet);
    let php = ascii_only(&slashes, |unit| format!("\\u{unit:04x}"));
    let python = ascii_only(plain, |unit| format!("\\u{unit:04x}"));
    let upper = ascii_only(&dotnet, |unit| format!("\\u{unit:04X}"));
    vec![plain.to_owned(), slashes, go, dotnet, php, python, upper]
}

fn ascii_only(text: &str, unit: impl Fn(u16) -> String) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|u| unit(*u)));
        }
    }
    out
}

fn html_spellings(text: &str) -> Vec<String> {
    let base = replace_all(text, &[("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")]);
    let quotes = base.replace('"', "&quot;");
    vec![
        replace_all(&quotes, &[("'", "&#39;")]),
        replace_all(&quotes, &[("'", "&#x27;")]),
        replace_all(&quotes, &[("'", "&#039;")]),
        replace_all(&quotes, &[("'", "&apos;")]),
        replace_all(&quotes, &[("'", "&#x27;"), ("/", "&#x2F;")]),
        replace_all(&quotes, &[("'", "&#39;"), ("/", "&#x2F;"), ("`", "&#x60;"), ("=", "&#x3D;")]),
        replace_all(&quotes, &[("'", "&#x27;"), ("`", "&#x60;"), ("=", "&#x3D;")]),
        replace_all(&base, &[("\"", "&#34;"), ("'", "&#39;"), ("+", "&#43;")]),
        replace_all(&base, &[("\"", "&#34;"), ("'", "&#39;")]),
        base,
        quotes,
    ]
}

fn replace_all(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        // An escape that is there already holds `&`, `#` or digits, and none of the characters that later pairs replace.
        text.replace(from, to)
    })
}

/// The characters that these octets alone decide, when they stand inside longer base64 at each of the three alignments.
fn base64_cores(bytes: &[u8]) -> Vec<String> {
    let core = |before: usize| {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let mut whole = encoding::base64(&padded);
        whole.truncate(padded.len() * 8 / 6);
        whole.drain(..(before * 8).div_ceil(6));
        whole
    };
    (0..3).map(core).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, spelling: &str) -> bool {
        spellings(value.as_bytes()).iter().any(|s| s.text == spelling)
    }

    #[test]
    fn escapes_of_common_software() {
        let value = "aB3/<é>+\"' =&";
        for spelling in [
            "aB3%2F%3C%C3%A9%3E%2B%22%27%20%3D%26",
            "aB3%2f%3c%c3%a9%3e%2b%22%27%20%3d%26",
            "aB3%2F%3C%C3%A9%3E%2B%22%27+%3D%26",
            "aB3%2F%3C%C3%A9%3E%2B%22'%20%3D%26",
            "aB3/<é>+\\\"' =&",
            "aB3\\/<\\u00e9>+\\\"' =&",
            "aB3/&lt;é&gt;+&quot;&#x27; =&amp;",
            "aB3/&lt;é&gt;&#43;&#34;&#39; =&amp;",
        ] {
            assert!(has(value, spelling), "{spelling}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        let value = b"s3cr3t-Value!";
        for before in ["", "a", "ab", "abc"] {
            let whole = encoding::base64([before.as_bytes(), value, b"zz"].concat());
            let found = spellings(value).iter().any(|s| s.rule == Rule::InsideBase64 && whole.contains(&s.text));
            assert!(found, "{whole}");
        }
    }
}
