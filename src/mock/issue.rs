//! What is issued: codes, access tokens, refresh tokens, ID tokens. Fills the realm's memory; signs nothing.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::MockClient;
use super::authorization_response::changed;
use super::bearer;
use super::call::Call;
use super::decision::{Access, AccessForm, IdToken};
use super::keys::Alg;
use super::state::{OpenidAsked, Print, State, Token, TokenKind};
use super::template;
use crate::oauth::Scope;
use crate::policy::{IssueRefresh, Policy};

/// On whose behalf tokens are issued.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    pub(super) grant: u64,
    pub(super) client: String,
    pub(super) user: Option<String>,
    pub(super) auth_time: Option<Duration>,
    /// The API that the authorization request named (RFC 8707).
    pub(super) resource: Option<String>,
}

impl Authority {
    fn token(&self, kind: TokenKind, scope: &Scope, now: Duration, lifetime: u64) -> Token {
        Token {
            id: 0,
            kind,
            grant: self.grant,
            client: self.client.clone(),
            user: self.user.clone(),
            auth_time: self.auth_time,
            resource: self.resource.clone(),
            scope: scope.clone(),
            issued: now,
            expires: now + Duration::from_secs(lifetime),
            revoked: false,
            used: None,
            print: None,
        }
    }
}

/// A value for a code, as the policy makes them.
pub(super) fn code(policy: &Policy, state: &mut State, now: Duration) -> String {
    let code = &policy.code;
    code.prefix.clone() + &state.random.made_of(&code.source, "code", code.length, now)
}

/// An access token (RFC 9068, where it is a JWT).
pub(super) fn access(call: &Call<'_>, policy: &Policy, state: &mut State, by: &Authority, scope: &Scope) -> Access {
    let settings = &policy.access_token;
    let mut token = by.token(TokenKind::Access, scope, call.now, settings.lifetime);
    let form = if settings.format == "opaque" {
        let value = state.random.made_of(&settings.source, "access_token", settings.length, call.now);
        token.print = Some(Print::of(&value));
        AccessForm::Opaque(value)
    } else {
        let mut claims = Map::new();
        claims.insert("iss".into(), json!(call.realm.issuer));
        claims.insert("sub".into(), json!(call.realm.subject(by.user.as_deref(), &by.client)));
        let audience = match settings.aud.as_str() {
            "list" => Some(json!([audience(call, policy)])),
            "client" => Some(json!(by.client)),
            "asked" => by.resource.as_ref().map(|resource| json!(resource)),
            "none" => None,
            _ => Some(json!(audience(call, policy))),
        };
        claims.extend(audience.map(|audience| ("aud".to_owned(), audience)));
        claims.insert("client_id".into(), json!(by.client));
        claims.insert("iat".into(), json!(call.now.as_secs()));
        claims.insert("exp".into(), json!((call.now + Duration::from_secs(settings.lifetime)).as_secs()));
        claims.insert("jti".into(), json!(state.random.secret("jti", 22)));
        if !scope.is_empty() {
            claims.insert("scope".into(), json!(scope.to_string()));
        }
        template::add(&mut claims, &settings.claims, call, by, scope, state);
        AccessForm::Jwt { alg: Alg::with_key(&settings.alg, settings.second_key), claims }
    };
    Access { id: state.keep(token), form, lifetime: settings.lifetime }
}

/// The audience of access tokens: the protected resource.
pub(super) fn audience(call: &Call<'_>, policy: &Policy) -> String {
    call.url(&policy.paths.resource)
}

/// Whether a client gets a refresh token with a scope.
pub(super) fn gets_refresh(client: &MockClient, scope: &Scope, policy: &Policy) -> bool {
    let offered = policy.token.grants.iter().any(|grant| grant == "refresh_token");
    let registered = client.may_use("refresh_token") || !policy.token.check_registered_grants;
    offered
        && registered
        && match policy.refresh.issue {
            IssueRefresh::Always => true,
            IssueRefresh::OfflineAccess => scope.contains("offline_access"),
            IssueRefresh::Never => false,
        }
}

/// A refresh token.
pub(super) fn refresh(policy: &Policy, state: &mut State, by: &Authority, scope: &Scope, now: Duration) -> String {
    refresh_until(now + Duration::from_secs(policy.refresh.lifetime), policy, state, by, scope, now)
}

/// A refresh token that lives until then.
pub(super) fn refresh_until(
    expires: Duration,
    policy: &Policy,
    state: &mut State,
    by: &Authority,
    scope: &Scope,
    now: Duration,
) -> String {
    let settings = &policy.refresh;
    let value = state.random.made_of(&settings.source, "refresh_token", settings.length, now);
    let mut token = by.token(TokenKind::Refresh, scope, now, settings.lifetime);
    token.expires = expires;
    token.print = Some(Print::of(&value));
    state.keep(token);
    value
}

/// An ID token (OpenID Connect Core section 2), where `openid` was granted to a user's client.
pub(super) fn id_token(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    by: &Authority,
    scope: &Scope,
    asked: Option<&OpenidAsked>,
) -> Option<IdToken> {
    let settings = &policy.id_token;
    let user = by.user.as_deref().filter(|_| settings.issue && scope.contains("openid"))?;
    let subject = call.realm.subject(Some(user), &by.client);
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(call.realm.issuer));
    claims.insert("sub".into(), json!(if settings.sub == "fresh" { format!("{subject}-{}", by.grant) } else { subject }));
    claims.insert("aud".into(), audience_of_client(&by.client, &settings.aud));
    claims.insert("exp".into(), json!((call.now + Duration::from_secs(settings.lifetime)).as_secs()));
    claims.insert("iat".into(), json!(call.now.as_secs()));
    let max_age = asked.is_some_and(|asked| asked.max_age);
    if settings.auth_time == "always" || (settings.auth_time == "when-asked" && max_age) {
        claims.insert("auth_time".into(), json!(by.auth_time.unwrap_or(call.now).as_secs()));
    }
    let invented = settings.nonce_invented.then(|| format!("invented-{}", by.grant));
    let sent = asked.and_then(|asked| asked.nonce.as_deref()).map(|nonce| changed(nonce, &settings.nonce_change));
    if let Some(nonce) = sent.or(invented).filter(|_| settings.nonce) {
        claims.insert("nonce".into(), json!(nonce));
    }
    if settings.azp {
        claims.insert("azp".into(), json!(by.client));
    }
    if settings.scope_claims {
        claims.extend(bearer::claims(call.realm, user, scope));
    }
    template::add(&mut claims, &settings.claims, call, by, scope, state);
    Some(IdToken { alg: Alg::with_key(&settings.alg, settings.second_key), claims })
}

/// An ID token that a refresh yields (OpenID Connect Core section 12.2).
pub(super) fn refreshed_id_token(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    by: &Authority,
    scope: &Scope,
) -> Option<IdToken> {
    let settings = &policy.id_token;
    let asked = state.openid.get(&by.grant).cloned();
    if !settings.on_refresh {
        return None;
    }
    let nonce = match settings.refreshed_nonce.as_str() {
        "kept" => asked.as_ref().and_then(|asked| asked.nonce.clone()),
        "other" => Some(format!("refreshed-{}", by.grant)),
        _ => None,
    };
    let asked = OpenidAsked { nonce, max_age: asked.is_some_and(|asked| asked.max_age) };
    let auth_time = if settings.refreshed_auth_time == "now" { Some(call.now) } else { by.auth_time };
    id_token(call, policy, state, &Authority { auth_time, ..by.clone() }, scope, Some(&asked))
}

/// The `aud` of an ID token.
fn audience_of_client(client: &str, form: &str) -> Value {
    match form {
        "list" => json!([client]),
        "others-too" => json!([client, "https://api.example"]),
        _ => json!(client),
    }
}
