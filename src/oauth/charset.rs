//! The character classes of RFC 6749 Appendix A and RFC 7636 section 4.1.

/// VSCHAR, `%x20-7E`: what `client_id`, `state`, `code` and tokens may consist of (RFC 6749 A.1, A.5, A.11, A.12).
#[must_use]
pub fn is_vschar(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}

/// NQCHAR, `%x21 / %x23-5B / %x5D-7E`: scope tokens and `error_uri` (RFC 6749 A.4, A.9).
#[must_use]
pub fn is_nqchar(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

/// NQSCHAR, `%x20-21 / %x23-5B / %x5D-7E`: `error` and `error_description` (RFC 6749 A.7, A.8).
#[must_use]
pub fn is_nqschar(byte: u8) -> bool {
    byte == 0x20 || is_nqchar(byte)
}

/// The unreserved characters of a code verifier (RFC 7636 section 4.1).
#[must_use]
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
