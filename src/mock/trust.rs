//! Tokens that nobody issued, and that careless servers take nevertheless (RFC 8725 section 2). Strictly none is taken.

use serde_json::Value;

use super::keys::{self, KeyRing};
use crate::oauth::Compact;
use crate::oauth::encoding::from_base64url;
use crate::policy::Trust;

/// Whether a token that is not among the issued ones is taken for a good one.
pub(super) fn takes(token: &str, trust: Trust, keys: &KeyRing) -> bool {
    let Some(parts) = Compact::parse(token) else { return false };
    let signature = || from_base64url(&parts.signature).unwrap_or_default();
    // As it was signed: taking a token apart and putting it together may change it.
    let message = token.rsplit_once('.').map_or("", |(message, _)| message).as_bytes();
    match trust {
        Trust::Issued => false,
        Trust::AnySignature => !parts.signature.is_empty() && parts.alg() != Some("none"),
        Trust::NoSignature => parts.signature.is_empty() && parts.alg() != Some("none"),
        Trust::AlgNone => parts.signature.is_empty() && parts.alg() == Some("none"),
        Trust::PublicKeyAsSecret => parts.alg() == Some("HS256") && keys.mac_fits(message, &signature()),
        Trust::EmbeddedKey => parts.header.get("jwk").is_some_and(|key| brought_along(key, message, &signature())),
        Trust::IdTokens => {
            is_ours(&parts, message, &signature(), keys) && parts.header.get("typ").and_then(Value::as_str) == Some("JWT")
        }
    }
}

/// Whether a token is a JSON Web Token of this server, issued or not.
pub(super) fn is_own(token: &str, keys: &KeyRing) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let signature = from_base64url(signature).unwrap_or_default();
    Compact::parse(token).is_some_and(|parts| is_ours(&parts, message.as_bytes(), &signature, keys))
}

fn is_ours(parts: &Compact, message: &[u8], signature: &[u8], keys: &KeyRing) -> bool {
    parts.alg().and_then(keys::Alg::named).is_some_and(|alg| keys.verifies(alg, message, signature))
}

/// Whether the signature is that of the key in the header.
fn brought_along(key: &Value, message: &[u8], signature: &[u8]) -> bool {
    let octets = |name: &str| key.get(name).and_then(Value::as_str).and_then(from_base64url);
    match (octets("x"), octets("y")) {
        (Some(x), Some(y)) => keys::verifies_on_p256(&[&[4], &x[..], &y[..]].concat(), message, signature),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::mock::{Keys, jwt};
    use crate::policy::{Policy, Rewrite, Tokens};

    /// An access token, with a defect of its signature or header, or an ID token.
    fn token(jws: &Value, typ: &str) -> (String, std::sync::Arc<KeyRing>) {
        let keys = Keys::Fixture.load().unwrap();
        let claims = Map::from_iter([("sub".to_owned(), json!("alice"))]);
        let rewrite = Rewrite { jws: jws.as_object().cloned().unwrap(), ..Rewrite::default() };
        let policy = Policy::default();
        (
            jwt::sign(
                &claims,
                keys::Alg::Es256,
                typ,
                &keys,
                &policy,
                jwt::Making { rewrites: &[rewrite.into()], kind: Tokens::Access, memo: None },
            ),
            keys,
        )
    }

    #[test]
    fn each_careless_server_takes_its_own_kind() {
        for (jws, typ, trust) in [
            (json!({"signature": "other-key"}), "at+jwt", Trust::AnySignature),
            (json!({"signature": "none"}), "at+jwt", Trust::NoSignature),
            (json!({"alg": "none"}), "at+jwt", Trust::AlgNone),
            (json!({"alg": "HS256"}), "at+jwt", Trust::PublicKeyAsSecret),
            (json!({}), "JWT", Trust::IdTokens),
        ] {
            let (token, keys) = token(&jws, typ);
            assert!(takes(&token, trust, &keys), "{trust:?}");
            assert!(!takes(&token, Trust::Issued, &keys), "{trust:?}");
            assert!(!takes(&token, Trust::EmbeddedKey, &keys), "{trust:?}");
        }
    }
}
