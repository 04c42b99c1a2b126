//! Percent-, form- and base64 encodings, on bytes. Decoding is lenient only where a name says so.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// base64url without padding (RFC 7515 section 2).
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends base64url without padding to a text.
pub(crate) fn append_base64url(text: &mut String, bytes: impl AsRef<[u8]>) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Decodes base64url without padding; `None` where a character or the length is wrong.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Standard base64 with padding (RFC 4648 section 4), as HTTP Basic uses it.
#[must_use]
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64 with padding.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// `application/x-www-form-urlencoded` encoding of one name or value (RFC 6749 Appendix B): blank becomes `+`.
#[must_use]
pub fn form(bytes: impl AsRef<[u8]>) -> String {
    escape(bytes.as_ref(), |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_'), true)
}

/// Percent-encoding of everything but the unreserved characters of RFC 3986.
#[must_use]
pub fn percent(bytes: impl AsRef<[u8]>) -> String {
    escape(bytes.as_ref(), super::is_unreserved, false)
}

/// Decodes one form-encoded name or value. `None` where `%` is not followed by two hexadecimal digits.
#[must_use]
pub fn from_form(text: &[u8]) -> Option<Vec<u8>> {
    unescape(text, true)
}

/// Decodes percent-encoding and leaves `+` alone. `None` where `%` is not followed by two hexadecimal digits.
#[must_use]
pub fn from_percent(text: &[u8]) -> Option<Vec<u8>> {
    unescape(text, false)
}

fn escape(bytes: &[u8], plain: impl Fn(u8) -> bool, plus: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if plain(byte) {
            out.push(char::from(byte));
        } else if plus && byte == b' ' {
            out.push('+');
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

fn unescape(text: &[u8], plus: bool) -> Option<Vec<u8>> {
    // Most of what comes is plain.
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(text.to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' if plus => out.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                let high = char::from(digits[0]).to_digit(16)?;
                let low = char::from(digits[1]).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
                rest = tail;
            }
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_encoding_follows_appendix_b() {
        assert_eq!(form(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(from_form(b"+%25%26%2B%C2%A3%E2%82%AC").unwrap(), " %&+£€".as_bytes());
    }

    #[test]
    fn a_stray_percent_sign_is_an_error() {
        for text in ["%", "%4", "%zz", "a%2"] {
            assert_eq!(from_form(text.as_bytes()), None, "{text}");
        }
    }
}
