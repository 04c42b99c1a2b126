//! Looks into JSON Web Tokens, and verifies them with the target's keys.

use std::str::FromStr as _;

use aws_lc_rs::digest;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use super::matching::{fits, phrase};
use super::play::Play;
use super::result::Verdict;
use super::verdict::{Judgement, breach};
use crate::catalog::Level;
use crate::oauth::encoding::base64url;
use crate::oauth::{Channel, Compact, Request};
use crate::scenario::{Check, JwtWant};

/// Judges a check on a token.
pub(super) async fn judge(play: &mut Play<'_>, check: &Check, level: Level) -> Judgement {
    let Some(want) = check.want.jwt.clone() else { return Judgement::new(Verdict::Error, "no token to look into") };
    let token = match play.names.fill(&want.token) {
        Ok(token) => token,
        Err(unset) => return Judgement { verdict: Verdict::Skip, actual: unset.to_string(), line: None },
    };
    let Some(parts) = Compact::parse(&token) else {
        return Judgement { verdict: breach(level), actual: "not a JWT in compact form".into(), line: Some("body".into()) };
    };
    let wrong = differences(&want, &parts, play);
    if !wrong.is_empty() {
        return Judgement { verdict: breach(level), actual: wrong.join(", "), line: Some("body".into()) };
    }
    if !want.verify {
        return Judgement::new(Verdict::Pass, "as expected");
    }
    match verify(play, &token, &parts).await {
        Ok(()) => Judgement::new(Verdict::Pass, "as expected, and the signature is right"),
        Err(Unverified::NoKeys(reason)) => Judgement::new(Verdict::Skip, reason),
        Err(Unverified::Wrong(reason)) => Judgement { verdict: breach(level), actual: reason, line: Some("body".into()) },
    }
}

enum Unverified {
    NoKeys(String),
    Wrong(String),
}

fn differences(want: &JwtWant, token: &Compact, play: &Play<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for (part, wanted) in [(&token.header, &want.header), (&token.claims, &want.claims)] {
        for (name, matcher) in wanted {
            let value = part.get(name);
            if !fits(matcher, value, &play.names) {
                let seen = value.map_or_else(|| "absent".to_owned(), super::record::text_of);
                out.push(format!("{name} is {seen}, not {}", phrase("", matcher, &play.names)));
            }
        }
    }
    let hashed = want.at_hash.as_ref().and_then(|of| play.names.fill(of).ok());
    if let (Some(hashed), Some(found)) = (hashed, token.claims.get("at_hash"))
        && let Some(right) = left_half(token.alg(), &hashed)
        && found.as_str() != Some(&right)
    {
        out.push(format!("at_hash is {}, not {right}", super::record::text_of(found)));
    }
    out
}

/// The left half of the hash of a token, by the hash of the signature's algorithm (OpenID Connect Core section 3.1.3.6); `None` for an
/// algorithm whose hash is not known.
fn left_half(alg: Option<&str>, token: &str) -> Option<String> {
    let algorithm = match alg? {
        alg if alg.ends_with("256") => &digest::SHA256,
        alg if alg.ends_with("384") => &digest::SHA384,
        alg if alg.ends_with("512") => &digest::SHA512,
        _ => return None,
    };
    let hash = digest::digest(algorithm, token.as_bytes());
    Some(base64url(&hash.as_ref()[..hash.as_ref().len() / 2]))
}

async fn verify(play: &mut Play<'_>, token: &str, parts: &Compact) -> Result<(), Unverified> {
    let alg = match parts.alg() {
        None => return Err(Unverified::Wrong("the header names no algorithm".into())),
        Some(name) if name.eq_ignore_ascii_case("none") => return Err(Unverified::Wrong("the token is not signed".into())),
        // A MAC is verified with the client's secret, not with published keys.
        Some(name) => match Algorithm::from_str(name) {
            Ok(alg) if !name.starts_with("HS") => alg,
            _ => return Err(Unverified::NoKeys(format!("{name} cannot be verified with published keys here"))),
        },
    };
    let url =
        play.ground.target.endpoints.jwks.clone().ok_or_else(|| Unverified::NoKeys("the server publishes no keys".into()))?;
    let exchange = play.stage.wire.send(Channel::Back, Request::get(url)).await;
    let document = exchange.response().and_then(crate::oauth::Response::json);
    play.keep("jwks", exchange);
    let document = document.ok_or_else(|| Unverified::Wrong("the key set is no JSON".into()))?;
    let listed = document.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    play.names.keys = Some(document);
    // Keys that are not understood are passed over (RFC 7517 section 5).
    let keys = listed.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let kid = parts.header.get("kid").and_then(Value::as_str);
    let mut reason = "no published key fits the token's kid".to_owned();
    for key in keys.filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid) {
        let mut validation = Validation::new(alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let outcome = DecodingKey::from_jwk(&key).and_then(|key| decode::<Value>(token, &key, &validation));
        match outcome {
            Ok(_) => return Ok(()),
            Err(error) => reason = format!("the signature is not right: {error}"),
        }
    }
    Err(Unverified::Wrong(reason))
}

#[cfg(test)]
mod tests {
    use super::left_half;

    /// The example of OpenID Connect Core appendix A.3.
    #[test]
    fn hashes_are_left_halves() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half(Some("RS256"), token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        assert_eq!(left_half(Some("EdDSA"), token), None);
    }
}
