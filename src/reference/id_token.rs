//! Validates ID tokens (OpenID Connect Core section 3.1.3.7).

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::account::Person;
use super::client::Client;
use super::jws::{Jws, pem};
use super::provider::{Provider, same_issuer};
use super::trouble::Trouble;
use super::{
    AudienceCheck, HmacKey, IdentityClaim, KeyChoice, NonceCheck, SignatureCheck, Strictness, SubjectCheck, TimeCheck, json,
};
use crate::oauth::encoding::base64url;

impl Client {
    /// Who a token says has signed in.
    pub(super) async fn validate(
        &self,
        provider: &Provider,
        token: &str,
        nonce: Option<&str>,
        access_token: &str,
    ) -> Result<Person, Trouble> {
        let policy = &self.policy.id_token;
        let jws = Jws::parse(token).ok_or_else(|| Trouble::id_token("the ID token is no signed token"))?;
        if policy.signature == SignatureCheck::Verify {
            self.verify(provider, &jws).await?;
        }
        let claims = json::object(&jws.payload, policy.duplicates)
            .map_err(|_| Trouble::id_token("the claims of the ID token cannot be read"))?;
        let issuer = text(&claims, "iss");
        if !same_issuer(&provider.issuer, issuer, policy.issuer) {
            return Err(Trouble::id_token("the ID token is from another issuer"));
        }
        self.judge_audience(&claims)?;
        self.judge_times(&claims)?;
        self.judge_nonce(&claims, nonce)?;
        let hash = claims.get("at_hash").filter(|_| policy.at_hash == Strictness::Refuse);
        if hash.is_some_and(|hash| hash.as_str() != Some(&half_hash(access_token))) {
            return Err(Trouble::id_token("the ID token belongs to another access token"));
        }
        Ok(Person { subject: self.identity(&claims)?, name: Person::name_in(&claims) })
    }

    async fn verify(&self, provider: &Provider, jws: &Jws) -> Result<(), Trouble> {
        let policy = &self.policy.id_token;
        let alg = jws.field("alg");
        let refused = || Trouble::id_token("the signature of the ID token does not verify");
        if alg.eq_ignore_ascii_case("none") {
            return if policy.none == Strictness::Accept { Ok(()) } else { Err(refused()) };
        }
        if alg == "HS256" {
            return if self.verify_hmac(provider, jws).await? { Ok(()) } else { Err(refused()) };
        }
        if policy.unadvertised_alg == Strictness::Refuse && !provider.algorithms.iter().any(|known| known == alg) {
            return Err(Trouble::id_token("the ID token is signed in a way that the server does not announce"));
        }
        if let (KeyChoice::Embedded, Some(key)) = (policy.key, jws.header.get("jwk")) {
            return if jws.verifies(key) { Ok(()) } else { Err(refused()) };
        }
        let kid = jws.field("kid");
        let keys = self.keys(provider, kid).await?;
        let fits = |key: &&Value| kid.is_empty() || key["kid"] == kid;
        let verifies = match policy.key {
            KeyChoice::Any => keys.iter().any(|key| jws.verifies(key)),
            KeyChoice::First => {
                keys.iter().find(|key| key["alg"].is_null() || key["alg"] == alg).is_some_and(|key| jws.verifies(key))
            }
            KeyChoice::Kid | KeyChoice::Embedded => {
                // A key that says what it is for is used for nothing else (RFC 8725 section 3.1).
                let signs = |key: &&Value| key["use"] != "enc" && (key["alg"].is_null() || key["alg"] == alg);
                keys.iter().filter(fits).filter(signs).any(|key| jws.verifies(key))
            }
        };
        if verifies { Ok(()) } else { Err(refused()) }
    }

    async fn verify_hmac(&self, provider: &Provider, jws: &Jws) -> Result<bool, Trouble> {
        Ok(match self.policy.id_token.hmac {
            HmacKey::None => false,
            HmacKey::Empty => jws.verifies_with_secret(b""),
            HmacKey::Secret => {
                self.settings.client_secret.as_ref().is_some_and(|secret| jws.verifies_with_secret(secret.as_bytes()))
            }
            HmacKey::PublicKey => {
                let keys = self.keys(provider, "").await?;
                keys.iter().filter_map(pem).any(|pem| jws.verifies_with_secret(pem.as_bytes()))
            }
        })
    }

    fn judge_audience(&self, claims: &Map<String, Value>) -> Result<(), Trouble> {
        let policy = &self.policy.id_token;
        let own = self.settings.client_id.as_str();
        let audience: Vec<&str> = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
            Some(one) => vec![one.as_str().unwrap_or_default()],
            None => Vec::new(),
        };
        let fits = match policy.audience {
            AudienceCheck::Strict => audience == [own],
            AudienceCheck::Contains => audience.contains(&own),
            AudienceCheck::IfPresent => audience.is_empty() || audience.contains(&own),
            AudienceCheck::Ignore => true,
        };
        if !fits {
            return Err(Trouble::id_token("the ID token is for somebody else"));
        }
        let foreign = claims.get("azp").is_some_and(|party| party.as_str() != Some(own));
        if foreign && policy.azp == Strictness::Refuse {
            return Err(Trouble::id_token("the ID token was issued to somebody else"));
        }
        Ok(())
    }

    fn judge_times(&self, claims: &Map<String, Value>) -> Result<(), Trouble> {
        let policy = &self.policy.id_token;
        let (now, leeway) = (self.now(), policy.leeway);
        let time = |name: &str, check: TimeCheck, right: &dyn Fn(i64) -> bool| {
            // Times may have fractions (RFC 7519 section 2).
            #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates, and no time is that far away")]
            let seconds = |value: &Value| value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
            let fits = match (check, claims.get(name)) {
                (TimeCheck::Ignore, _) | (TimeCheck::IfPresent, None) => true,
                (TimeCheck::Required, None) => false,
                (_, Some(value)) => seconds(value).is_some_and(right),
            };
            if fits { Ok(()) } else { Err(Trouble::id_token(format!("the {name} of the ID token is not right"))) }
        };
        time("exp", policy.exp, &|exp| now < exp.saturating_add(leeway))?;
        time("iat", policy.iat, &|iat| iat <= now.saturating_add(leeway))?;
        time("nbf", policy.nbf, &|nbf| nbf <= now.saturating_add(leeway))
    }

    fn judge_nonce(&self, claims: &Map<String, Value>, sent: Option<&str>) -> Result<(), Trouble> {
        let seen = claims.get("nonce").and_then(Value::as_str);
        let fits = match (self.policy.nonce.check, sent) {
            (NonceCheck::None, _) | (_, None) => true,
            (NonceCheck::IfPresent, Some(sent)) => seen.is_none_or(|seen| seen == sent),
            (NonceCheck::Compare, Some(sent)) => seen == Some(sent),
        };
        if fits { Ok(()) } else { Err(Trouble::id_token("the ID token belongs to another login")) }
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<String, Trouble> {
        let policy = &self.policy.id_token;
        let sub = match (claims.get("sub"), policy.subject) {
            (Some(Value::String(sub)), _) if !sub.is_empty() => sub.clone(),
            (None, SubjectCheck::Optional) => String::new(),
            (Some(other), SubjectCheck::Lenient) => {
                let first = other.as_array().and_then(|several| several.first()).unwrap_or(other);
                first.as_str().map_or_else(|| first.to_string(), str::to_owned)
            }
            _ => return Err(Trouble::id_token("the ID token does not say who the user is")),
        };
        let name = match policy.identity {
            IdentityClaim::Sub => return Ok(sub),
            IdentityClaim::Email => "email",
            IdentityClaim::PreferredUsername => "preferred_username",
            IdentityClaim::Name => "name",
        };
        Ok(claims.get(name).and_then(Value::as_str).map_or(sub, str::to_owned))
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The left half of the hash of a token (OpenID Connect Core section 3.1.3.6), for algorithms with SHA-256.
fn half_hash(token: &str) -> String {
    base64url(&digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16])
}
