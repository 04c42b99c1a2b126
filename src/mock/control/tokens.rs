//! Tokens on demand: any token or code, right or broken in a named way.

use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::Ask;
use super::shapes::{duration, in_range, rfc3339};
use super::trouble::Trouble;
use crate::mock::{Mint, MintError, MintKind};

/// A token that is to be made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRequest {
    /// What is made.
    kind: Kind,
    /// The client that it is for.
    client: String,
    /// In whose name; without it, access and refresh tokens are the client's own, and the rest is the first user's.
    user: Option<String>,
    /// Scope tokens, separated by blanks; without it all that the client may ask for.
    scope: Option<String>,
    /// How long it is valid: `90s`, `1h 30m`; without it as long as the policy says.
    lifetime: Option<String>,
    /// The ways in which it is broken; `GET /catalog` lists them.
    #[serde(default)]
    broken: Vec<String>,
    /// Claims that are added or replaced; `null` takes one away. With `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `client_id` or `scope` among
    /// them it is a token that the mock does not know.
    #[serde(default)]
    claims: Map<String, Value>,
    /// Members of the header that are added or replaced; `null` takes one away. With one that RFC 7515 defines it is a token that the
    /// mock does not know.
    #[serde(default)]
    header: Map<String, Value>,
    /// `ES256` or `RS256`.
    alg: Option<String>,
    /// Whether an access token is a JWT whatever the policy says.
    #[serde(default)]
    jwt: bool,
    /// The nonce of an ID token.
    nonce: Option<String>,
    /// The redirect URI that a code is bound to; without it the client's first one.
    redirect_uri: Option<String>,
    /// The challenge that a code is bound to (RFC 7636 section 4.3).
    code_challenge: Option<String>,
    /// How the challenge was made; `S256` where nothing is said.
    code_challenge_method: Option<String>,
}

/// What can be made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TokenKind")]
enum Kind {
    AccessToken,
    RefreshToken,
    IdToken,
    Code,
}

/// A token that was made.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    kind: Kind,
    /// As it goes over the wire.
    token: String,
    /// Its header, where it is a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Map<String, Value>>,
    /// Its claims, where it is a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<Map<String, Value>>,
    /// When the mock takes it for expired, on the realm's clock, RFC 3339.
    expires: String,
    /// Whether the mock's own endpoints treat it as one that was issued.
    known: bool,
}

pub(super) fn mint(ask: &Ask, asked: &TokenRequest) -> Result<Token, Trouble> {
    let realm = ask.realm()?;
    let kind = asked.kind;
    let minted = realm.mint(&wanted(asked.clone(), realm.now())?).map_err(|error| refused(&error, &asked.broken))?;
    let (header, claims) = minted.jwt.map(|jwt| (jwt.header, jwt.claims)).unzip();
    Ok(Token { kind, token: minted.value, header, claims, expires: rfc3339(minted.expires), known: minted.known })
}

fn wanted(asked: TokenRequest, now: SystemTime) -> Result<Mint, Trouble> {
    let kind = match asked.kind {
        Kind::AccessToken => MintKind::AccessToken,
        Kind::RefreshToken => MintKind::RefreshToken,
        Kind::IdToken => MintKind::IdToken,
        Kind::Code => MintKind::Code,
    };
    let mut mint = Mint::new(kind, asked.client);
    if let Some(text) = asked.lifetime {
        let lifetime = duration(&text).map_err(|wrong| Trouble::at("/lifetime", wrong))?;
        in_range(now, lifetime, "/lifetime")?;
        mint = mint.lifetime(lifetime);
    }
    if asked.jwt {
        mint = mint.jwt();
    }
    for (value, with) in [
        (asked.user, Mint::user as fn(Mint, String) -> Mint),
        (asked.scope, Mint::scope),
        (asked.alg, Mint::alg),
        (asked.nonce, Mint::nonce),
        (asked.redirect_uri, Mint::redirect_uri),
    ] {
        if let Some(value) = value {
            mint = with(mint, value);
        }
    }
    mint = match (asked.code_challenge, asked.code_challenge_method) {
        (Some(challenge), method) => mint.challenge(challenge, method.unwrap_or_else(|| "S256".into())),
        (None, Some(_)) => return Err(Trouble::at("/code_challenge", "a method of a challenge needs the challenge")),
        (None, None) => mint,
    };
    mint = asked.claims.into_iter().fold(mint, |mint, (name, value)| mint.claim(name, value));
    mint = asked.header.into_iter().fold(mint, |mint, (name, value)| mint.header(name, value));
    Ok(asked.broken.into_iter().fold(mint, Mint::broken))
}

/// The member at fault; `broken` are the ways that were asked for.
fn refused(error: &MintError, broken: &[String]) -> Trouble {
    let pointer = match error {
        MintError::Client { .. } => "/client",
        MintError::User { .. } => "/user",
        MintError::Scope(_) => "/scope",
        MintError::Broken { name, .. } | MintError::Unfit { name, .. } => {
            let at = broken.iter().position(|asked| asked == name).unwrap_or_default();
            return Trouble::at(format!("/broken/{at}"), error.to_string());
        }
        MintError::NoJwt { member, .. } => {
            return Trouble::at(format!("/{member}"), error.to_string()).help("`jwt = true` makes access tokens JWTs");
        }
        MintError::Alg(_) => "/alg",
    };
    Trouble::at(pointer, error.to_string())
}
