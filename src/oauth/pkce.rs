//! Proof Key for Code Exchange (RFC 7636).

use aws_lc_rs::digest;

use super::encoding::base64url;
use super::is_unreserved;

/// How a challenge is made of a verifier (RFC 7636 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeMethod {
    /// The challenge is the verifier.
    Plain,
    /// The challenge is the base64url of the verifier's SHA-256, without padding.
    S256,
}

impl ChallengeMethod {
    /// The method of that name; names are case-sensitive.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "plain" => Some(Self::Plain),
            "S256" => Some(Self::S256),
            _ => None,
        }
    }

    /// The value of `code_challenge_method`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::S256 => "S256",
        }
    }

    /// The challenge for a verifier.
    #[must_use]
    pub fn challenge(self, verifier: &str) -> String {
        match self {
            Self::Plain => verifier.to_owned(),
            Self::S256 => base64url(digest::digest(&digest::SHA256, verifier.as_bytes())),
        }
    }
}

/// A verifier and the challenge that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkce {
    /// 43 to 128 unreserved characters (RFC 7636 section 4.1).
    pub verifier: String,
    /// What is sent to the authorization endpoint.
    pub challenge: String,
    /// How the one is made of the other.
    pub method: ChallengeMethod,
}

impl Pkce {
    /// From 32 random octets, as RFC 7636 section 4.1 recommends.
    #[must_use]
    pub fn from_octets(octets: [u8; 32], method: ChallengeMethod) -> Self {
        let verifier = base64url(octets);
        Self { challenge: method.challenge(&verifier), verifier, method }
    }

    /// Whether a string has the form of a code verifier or a code challenge: 43 to 128 unreserved characters.
    #[must_use]
    pub fn well_formed(text: &[u8]) -> bool {
        (43..=128).contains(&text.len()) && text.iter().all(|&byte| is_unreserved(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_appendix_b() {
        let challenge = ChallengeMethod::S256.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn lengths_and_characters_have_bounds() {
        assert!(Pkce::well_formed(&[b'a'; 43]));
        assert!(Pkce::well_formed(&[b'~'; 128]));
        assert!(!Pkce::well_formed(&[b'a'; 42]));
        assert!(!Pkce::well_formed(&[b'a'; 129]));
        assert!(!Pkce::well_formed(&[b'+'; 43]));
    }
}
