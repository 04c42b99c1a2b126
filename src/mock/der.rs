//! The little DER that is needed to publish an RSA key: the integers of a sequence. Reads our own keys only.

/// The numbers of `SEQUENCE { INTEGER, INTEGER, … }`, big-endian and without leading zeros; stops at whatever else comes.
pub(super) fn integers(der: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let Some((SEQUENCE, mut rest, _)) = element(der) else { return out };
    while let Some((INTEGER, number, tail)) = element(rest) {
        let zeros = number.iter().take_while(|&&byte| byte == 0).count();
        out.push(&number[zeros..]);
        rest = tail;
    }
    out
}

/// The RSAPrivateKey inside a PKCS#8 PrivateKeyInfo: version, algorithm, then the key in an octet string (RFC 5208 section 5).
pub(super) fn rsa_private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (_, info, _) = element(pkcs8)?;
    let (_, _, rest) = element(info)?;
    let (_, _, rest) = element(rest)?;
    let (tag, key, _) = element(rest)?;
    (tag == OCTET_STRING).then_some(key)
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        (digits.iter().fold(0, |sum, &digit| (sum << 8) | usize::from(digit)), rest)
    };
    let (content, tail) = rest.split_at_checked(length)?;
    Some((tag, content, tail))
}
