//! Looks into JSON Web Tokens, and verifies them with the target's keys.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

use super::matching::{fits, phrase};
use super::play::Play;
use super::result::Verdict;
use super::verdict::{Judgement, breach};
use crate::catalog::Level;
use crate::oauth::{Channel, Request, encoding};
use crate::scenario::{Check, JwtWant};

/// Judges a check on a token.
pub(super) async fn judge(play: &mut Play<'_>, check: &Check, level: Level) -> Judgement {
    let Some(want) = check.want.jwt.clone() else { return Judgement::new(Verdict::Error, "no token to look into") };
    let token = match play.names.fill(&want.token) {
        Ok(token) => token,
        Err(unset) => return Judgement { verdict: Verdict::Skip, actual: unset.to_string(), line: None },
    };
    let Some((header, claims)) = parts(&token) else {
        return Judgement { verdict: breach(level), actual: "not a JWT in compact form".into(), line: Some("body".into()) };
    };
    let wrong = differences(&want, &header, &claims, play);
    if !wrong.is_empty() {
        return Judgement { verdict: breach(level), actual: wrong.join(", "), line: Some("body".into()) };
    }
    if !want.verify {
        return Judgement::new(Verdict::Pass, "as expected");
    }
    match verify(play, &token).await {
        Ok(()) => Judgement::new(Verdict::Pass, "as expected, and the signature is right"),
        Err(Unverified::NoKeys(reason)) => Judgement::new(Verdict::Skip, reason),
        Err(Unverified::Wrong(reason)) => Judgement { verdict: breach(level), actual: reason, line: Some("body".into()) },
    }
}

enum Unverified {
    NoKeys(String),
    Wrong(String),
}

fn differences(want: &JwtWant, header: &Value, claims: &Value, play: &Play<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for (part, wanted) in [(header, &want.header), (claims, &want.claims)] {
        for (name, matcher) in wanted {
            let value = part.get(name);
            if !fits(matcher, value, &play.names) {
                let seen = value.map_or_else(|| "absent".to_owned(), super::record::text_of);
                out.push(format!("{name} is {seen}, not {}", phrase("", matcher, &play.names)));
            }
        }
    }
    out
}

async fn verify(play: &mut Play<'_>, token: &str) -> Result<(), Unverified> {
    let url =
        play.ground.target.endpoints.jwks.clone().ok_or_else(|| Unverified::NoKeys("the server publishes no keys".into()))?;
    let exchange = play.stage.wire.send(Channel::Back, Request::get(url)).await;
    let body = exchange.response().map(|response| response.body.clone()).unwrap_or_default();
    play.keep("jwks", exchange);
    let keys: JwkSet =
        serde_json::from_slice(&body).map_err(|error| Unverified::Wrong(format!("the key set cannot be read: {error}")))?;
    let header = decode_header(token).map_err(|error| Unverified::Wrong(format!("the header cannot be read: {error}")))?;
    if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Err(Unverified::NoKeys(format!(
            "{:?} is verified with the client's secret, not with published keys",
            header.alg
        )));
    }
    let fitting = keys.keys.iter().filter(|key| header.kid.is_none() || key.common.key_id == header.kid);
    let mut reason = "no published key fits the token's kid".to_owned();
    for key in fitting {
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let outcome = DecodingKey::from_jwk(key).and_then(|key| decode::<Value>(token, &key, &validation));
        match outcome {
            Ok(_) => return Ok(()),
            Err(error) => reason = format!("the signature is not right: {error}"),
        }
    }
    Err(Unverified::Wrong(reason))
}

fn parts(token: &str) -> Option<(Value, Value)> {
    let mut pieces = token.split('.');
    let header = serde_json::from_slice(&encoding::from_base64url(pieces.next()?)?).ok()?;
    let claims = serde_json::from_slice(&encoding::from_base64url(pieces.next()?)?).ok()?;
    pieces.next()?;
    Some((header, claims))
}
