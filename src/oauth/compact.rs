//! JSON Web Tokens in compact form (RFC 7515 section 3.1), taken apart and put together. Knows no keys and verifies nothing.

use serde_json::{Map, Value};

use super::encoding::{base64url, from_base64url};

/// The three parts of a signed token, as they were found or as they are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Compact {
    /// Members of the header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The signature in base64url, as it stands.
    pub signature: String,
}

impl Compact {
    /// Takes a token apart; `None` where it is no JWT in compact form.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { return None };
        let object = |part: &str| serde_json::from_slice(&from_base64url(part)?).ok();
        Some(Self { header: object(header)?, claims: object(claims)?, signature: signature.to_owned() })
    }

    /// What is signed: header and claims.
    #[must_use]
    pub fn message(&self) -> String {
        format!("{}.{}", encoded(&self.header), encoded(&self.claims))
    }

    /// The name of the algorithm in the header.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }
}

impl std::fmt::Display for Compact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.message(), self.signature)
    }
}

fn encoded(members: &Map<String, Value>) -> String {
    base64url(Value::Object(members.clone()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        let text = format!("{}.{}.c2ln", base64url(r#"{"alg":"ES256"}"#), base64url(r#"{"sub":"a"}"#));
        let token = Compact::parse(&text).unwrap();
        assert_eq!((token.alg(), token.claims["sub"].as_str(), token.to_string()), (Some("ES256"), Some("a"), text));
    }

    #[test]
    fn what_is_no_token() {
        for text in ["", "a.b.c", "opaque", "e30.e30", "e30.e30.a.b.c"] {
            assert_eq!(Compact::parse(text), None, "{text}");
        }
    }
}
