//! Proof Key for Code Exchange at both endpoints (RFC 7636 sections 4.4 and 4.6).

use super::MockClient;
use super::call::Fields;
use super::state::Challenge;
use crate::oauth::{ChallengeMethod, Pkce, encoding, is_unreserved};
use crate::policy::{AuthorizeCause, PkcePolicy, PkceRequired, TokenCause, UnknownMethod, VerifierCheck, VerifierReading};

/// How many characters count where only the first ones do.
const PREFIX: usize = 8;

/// The challenge of an authorization request.
pub(super) fn challenge(fields: &Fields, client: &MockClient, policy: &PkcePolicy) -> Result<Option<Challenge>, AuthorizeCause> {
    if !concerns(client, policy) {
        return Ok(None);
    }
    let Some(value) = fields.get("code_challenge") else {
        // A method without a challenge is no use of PKCE that anything could be checked against.
        let half = fields.get("code_challenge_method").is_some();
        return if half || required(client, policy) { Err(AuthorizeCause::MissingChallenge) } else { Ok(None) };
    };
    let named = fields.get("code_challenge_method").unwrap_or(&policy.default_method);
    let Some(method) = offered(named, policy)? else { return Ok(None) };
    if policy.check_challenge && !Pkce::well_formed(value.as_bytes()) {
        return Err(AuthorizeCause::MalformedChallenge);
    }
    if policy.exact_s256 && method == "S256" && !is_s256(value) {
        return Err(AuthorizeCause::MalformedChallenge);
    }
    Ok(Some(Challenge { value: value.to_owned(), method }))
}

/// Whether it is as long as a SHA-256 in base64url, and written in its characters (RFC 7636 section 4.2).
fn is_s256(challenge: &str) -> bool {
    challenge.len() == 43 && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the token request proves that it comes from whoever made the challenge.
pub(super) fn verify(
    challenge: Option<&Challenge>,
    latest: Option<&Challenge>,
    fields: &Fields,
    client: &MockClient,
    policy: &PkcePolicy,
) -> Result<(), TokenCause> {
    if !concerns(client, policy) {
        return Ok(());
    }
    let read = fields.get("code_verifier").map(|verifier| reading(verifier, policy.reading));
    let verifier = read.as_deref();
    let Some(challenge) = challenge else {
        let unexpected = verifier.is_some() && policy.refuse_unexpected_verifier;
        return if unexpected { Err(TokenCause::UnexpectedVerifier) } else { Ok(()) };
    };
    let empty = verifier.is_none_or(str::is_empty);
    if empty && fields.sent("code_verifier") && policy.empty_verifier_passes {
        return Ok(());
    }
    let Some(verifier) = verifier else {
        return if policy.require_verifier { Err(TokenCause::MissingVerifier) } else { Ok(()) };
    };
    if policy.check_verifier_length && !(43..=128).contains(&verifier.len()) {
        return Err(TokenCause::MalformedVerifier);
    }
    if policy.check_verifier_characters && !verifier.bytes().all(is_unreserved) {
        return Err(TokenCause::MalformedVerifier);
    }
    let expected = if policy.verify == VerifierCheck::LatestChallenge { latest.unwrap_or(challenge) } else { challenge };
    let requested = fields.get("code_challenge_method");
    if fits(verifier, expected, requested, policy.verify) { Ok(()) } else { Err(TokenCause::VerifierMismatch) }
}

/// A verifier as a lenient server reads it.
fn reading(verifier: &str, reading: VerifierReading) -> String {
    match reading {
        VerifierReading::Exact => verifier.to_owned(),
        VerifierReading::Trim => verifier.trim().to_owned(),
        VerifierReading::Unpad => verifier.trim_end_matches('=').to_owned(),
        VerifierReading::Decode => encoding::from_percent(verifier.as_bytes())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_else(|| verifier.to_owned()),
        VerifierReading::Base64 => verifier.replace('+', "-").replace('/', "_"),
    }
}

fn fits(verifier: &str, challenge: &Challenge, requested: Option<&str>, check: VerifierCheck) -> bool {
    let made = |method: &str| ChallengeMethod::parse(method).unwrap_or(ChallengeMethod::Plain).challenge(verifier);
    let start = |text: &str| text.chars().take(PREFIX).collect::<String>();
    let known = challenge.value.as_str();
    match check {
        VerifierCheck::Skip | VerifierCheck::Presence => true,
        VerifierCheck::Compare | VerifierCheck::LatestChallenge => made(&challenge.method) == known,
        VerifierCheck::IgnoreCase => made(&challenge.method).eq_ignore_ascii_case(known),
        VerifierCheck::Prefix => start(&made(&challenge.method)) == start(known),
        VerifierCheck::EitherMethod => made("plain") == known || made("S256") == known,
        VerifierCheck::MethodOfTokenRequest => made(requested.unwrap_or(&challenge.method)) == known,
    }
}

fn concerns(client: &MockClient, policy: &PkcePolicy) -> bool {
    policy.supported && (client.is_public() || !policy.only_public)
}

fn required(client: &MockClient, policy: &PkcePolicy) -> bool {
    match policy.required {
        PkceRequired::Public => client.is_public(),
        PkceRequired::Always => true,
        PkceRequired::Never => false,
    }
}

/// The name of a method on offer; `None` where the whole challenge is to be forgotten.
fn offered(named: &str, policy: &PkcePolicy) -> Result<Option<String>, AuthorizeCause> {
    let same = |method: &&String| match policy.method_case_sensitive {
        true => *method == named,
        false => method.eq_ignore_ascii_case(named),
    };
    match (policy.methods.iter().find(same), policy.unknown_method) {
        (Some(method), _) => Ok(Some(method.clone())),
        (None, UnknownMethod::Refuse) => Err(AuthorizeCause::UnknownChallengeMethod),
        (None, UnknownMethod::Plain) => Ok(Some("plain".into())),
        (None, UnknownMethod::S256) => Ok(Some("S256".into())),
        (None, UnknownMethod::Forget) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::Params;
    use crate::policy::Repeated;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn outcome(policy: &PkcePolicy, challenge: Option<(&str, &str)>, query: &str) -> Result<(), TokenCause> {
        let fields = Fields::new(Params::parse(query.as_bytes()).unwrap(), Repeated::Refuse, true).ok().unwrap();
        let challenge = challenge.map(|(value, method)| Challenge { value: value.into(), method: method.into() });
        verify(challenge.as_ref(), None, &fields, &MockClient::default(), policy)
    }

    #[test]
    fn the_verifier_must_fit() {
        let strict = PkcePolicy::default();
        let s256 = Some((CHALLENGE, "S256"));
        assert_eq!(outcome(&strict, s256, &format!("code_verifier={VERIFIER}")), Ok(()));
        assert_eq!(outcome(&strict, s256, &format!("code_verifier={CHALLENGE}")), Err(TokenCause::VerifierMismatch));
        assert_eq!(outcome(&strict, s256, ""), Err(TokenCause::MissingVerifier));
        assert_eq!(outcome(&strict, s256, "code_verifier="), Err(TokenCause::MissingVerifier));
        assert_eq!(outcome(&strict, s256, "code_verifier=short"), Err(TokenCause::MalformedVerifier));
        assert_eq!(outcome(&strict, None, &format!("code_verifier={VERIFIER}")), Err(TokenCause::UnexpectedVerifier));
        assert_eq!(outcome(&strict, Some((VERIFIER, "plain")), &format!("code_verifier={VERIFIER}")), Ok(()));
    }

    #[test]
    fn leniencies_are_settings() {
        let lax = |change: fn(&mut PkcePolicy)| {
            let mut policy = PkcePolicy::default();
            change(&mut policy);
            policy
        };
        let s256 = Some((CHALLENGE, "S256"));
        assert_eq!(outcome(&lax(|p| p.require_verifier = false), s256, ""), Ok(()));
        assert_eq!(outcome(&lax(|p| p.empty_verifier_passes = true), s256, "code_verifier="), Ok(()));
        assert_eq!(outcome(&lax(|p| p.verify = VerifierCheck::Skip), s256, &format!("code_verifier={CHALLENGE}")), Ok(()));
        let either = lax(|p| p.verify = VerifierCheck::EitherMethod);
        assert_eq!(outcome(&either, s256, &format!("code_verifier={CHALLENGE}")), Ok(()));
        let named = lax(|p| p.verify = VerifierCheck::MethodOfTokenRequest);
        assert_eq!(outcome(&named, s256, &format!("code_verifier={CHALLENGE}&code_challenge_method=plain")), Ok(()));
    }
}
