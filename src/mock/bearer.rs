//! What takes an access token: the UserInfo endpoint and a protected resource (RFC 6750, OpenID Connect Core section 5.3).

use serde_json::{Map, Value, json};

use super::call::{Call, Endpoint, Identity};
use super::decision::{Cache, Decision, Outcome};
use super::state::{State, Token, TokenKind};
use super::trust;
use crate::oauth::encoding::from_base64url;
use crate::oauth::{Params, Request, Scope};
use crate::policy::{BearerCause, Booleans, OpenidAlone, Policy, ResourcePolicy};

/// Whom a token speaks for.
struct Bearer {
    client: Option<String>,
    user: Option<String>,
    subject: String,
    scope: Scope,
}

/// Decides about a request to the UserInfo endpoint.
pub(super) fn userinfo(call: &Call<'_>, policy: &Policy, state: &State) -> Decision {
    if !policy.resource.userinfo {
        return Decision::new(Outcome::NotFound);
    }
    answer(call, policy, state, Some("openid"), |bearer| {
        let mut body = Map::from_iter([("sub".to_owned(), json!(bearer.subject))]);
        let user = bearer.user.as_deref().unwrap_or("");
        let everything = policy.userinfo.openid_alone == OpenidAlone::Everything && bearer.scope.len() == 1;
        if everything {
            body.extend(call.realm.user(user).map(|user| user.claims.clone()).unwrap_or_default());
        } else {
            body.extend(claims(call.realm, user, &bearer.scope));
        }
        let further = policy.userinfo.claims.iter().filter_map(|(name, value)| {
            let value = if value == "{user}" { json!(user) } else { value.clone() };
            (!value.is_null()).then(|| (name.clone(), value))
        });
        body.extend(further);
        body.retain(|name, _| !policy.userinfo.omit.contains(name));
        if policy.userinfo.booleans == Booleans::String {
            body.values_mut().filter(|value| value.is_boolean()).for_each(|value| *value = json!(value.to_string()));
        }
        body
    })
}

/// The claims of a user that a scope lets its client see.
pub(super) fn claims(realm: &Identity, user: &str, scope: &Scope) -> Map<String, Value> {
    let Some(user) = realm.user(user) else { return Map::new() };
    let seen = user.claims.iter().filter(|(name, _)| name.as_str() != "sub" && scope.contains(scope_of_claim(name)));
    seen.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Decides about a request to the protected resource. `?scope=` in its URL names a scope that it needs.
pub(super) fn resource(call: &Call<'_>, policy: &Policy, state: &State) -> Decision {
    let query = Params::parse_lossy(call.request.query().unwrap_or("").as_bytes());
    let needed = query.get("scope").map(std::borrow::Cow::into_owned).or_else(|| scope_of_place(call, policy));
    answer(call, policy, state, needed.as_deref(), |bearer| {
        let mut body = Map::from_iter([("sub".to_owned(), json!(bearer.subject))]);
        if let Some(client) = &bearer.client {
            body.insert("client_id".into(), json!(client));
        }
        body.insert("scope".into(), json!(bearer.scope.to_string()));
        body
    })
}

/// The scope that the resource needs for a method at a path below it, where the policy says so.
fn scope_of_place(call: &Call<'_>, policy: &Policy) -> Option<String> {
    let path = call.request.path().strip_prefix(&format!("{}/{}", call.realm.path, policy.paths.resource))?;
    let place = format!("{} {path}", call.request.method);
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => place.starts_with(start),
        None => place == pattern,
    };
    policy.resource.scopes.iter().find(|(pattern, _)| fits(pattern)).map(|(_, scope)| scope.clone())
}

/// The token of a request, wherever it stands; for looking, without judging.
pub(super) fn presented(request: &Request) -> Option<String> {
    let header = request.headers.get("authorization");
    let header = header.as_deref().and_then(|value| value.trim().split_once(' '));
    let header = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim().to_owned());
    header.or_else(|| in_form(&request.body)).or_else(|| in_form(request.query().unwrap_or("").as_bytes()))
}

fn answer(
    call: &Call<'_>,
    policy: &Policy,
    state: &State,
    needed: Option<&str>,
    body: impl FnOnce(&Bearer) -> Map<String, Value>,
) -> Decision {
    if !policy.resource.methods.contains(&call.request.method) {
        let offered = if policy.resource.methods.iter().any(|method| method == "POST") { "GET, POST" } else { "GET" };
        return Decision::method(offered);
    }
    let bearer = match bearer(call, policy, state) {
        Ok(bearer) => bearer,
        Err(cause) => {
            let known = presented(call.request).and_then(|value| state.token(&value).cloned());
            let (client, user) = known.map_or((None, None), |token| (Some(token.client), token.user));
            return Decision::new(Outcome::BearerError { cause, scope: None }).client(client).user(user);
        }
    };
    let lacking = match needed {
        Some(scope) => !bearer.scope.contains(scope),
        None => bearer.scope.is_empty(),
    };
    let nobody = *call.endpoint == Endpoint::Userinfo && policy.userinfo.users_only && bearer.user.is_none();
    let decision = if (policy.resource.check_scope && lacking) || nobody {
        let scope = needed.map(str::to_owned).filter(|_| policy.resource.challenge_scope);
        Decision::new(Outcome::BearerError { cause: BearerCause::InsufficientScope, scope })
    } else {
        let cache = if policy.resource.no_store { Cache::NoStore } else { Cache::Public };
        Decision::json(200, body(&bearer), cache)
    };
    decision.client(bearer.client).user(bearer.user)
}

fn bearer(call: &Call<'_>, policy: &Policy, state: &State) -> Result<Bearer, BearerCause> {
    let settings = &policy.resource;
    let value = read(call, settings)?;
    let Some(token) = state.token(&value).filter(|token| token.kind == TokenKind::Access) else {
        if settings.codes && state.codes.get(&value).is_some() {
            return Ok(believed(&value));
        }
        let taken = !settings.check_token || trust::takes(&value, policy.access_token.trust, &call.realm.keys.current());
        return if taken { Ok(believed(&value)) } else { Err(BearerCause::UnknownToken) };
    };
    stands(token, call, settings)?;
    Ok(Bearer {
        client: Some(token.client.clone()),
        user: token.user.clone(),
        subject: call.realm.subject(token.user.as_deref(), &token.client),
        scope: token.scope.clone(),
    })
}

fn stands(token: &Token, call: &Call<'_>, settings: &ResourcePolicy) -> Result<(), BearerCause> {
    if settings.check_revoked && token.revoked {
        return Err(BearerCause::RevokedToken);
    }
    if settings.check_expiry && call.now >= token.expires {
        return Err(BearerCause::ExpiredToken);
    }
    Ok(())
}

/// The token, from the one place where it stands (RFC 6750 section 2).
fn read(call: &Call<'_>, settings: &ResourcePolicy) -> Result<String, BearerCause> {
    let mut found = Vec::new();
    for field in call.request.headers.all("authorization") {
        found.extend(in_header(&String::from_utf8_lossy(field), settings)?);
    }
    let by_post = !settings.body_needs_post || call.request.method == "POST";
    let is_form = !settings.body_needs_form || call.media_type() == "application/x-www-form-urlencoded";
    if settings.body && by_post && is_form {
        found.extend(in_form(&call.request.body));
    }
    if settings.query || settings.refuse_several {
        let in_query = in_form(call.request.query().unwrap_or("").as_bytes());
        // A token in the URL does not count unless the policy says so, but beside another one it is still one too many.
        if settings.query || !found.is_empty() {
            found.extend(in_query);
        }
    }
    if found.len() > 1 && settings.refuse_several {
        return Err(BearerCause::Malformed);
    }
    found.into_iter().next().ok_or(BearerCause::MissingToken)
}

/// The token of an Authorization field; `None` for another scheme.
fn in_header(value: &str, settings: &ResourcePolicy) -> Result<Option<String>, BearerCause> {
    let (scheme, token) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let ours = if settings.scheme_case_sensitive { scheme == "Bearer" } else { scheme.eq_ignore_ascii_case("Bearer") };
    if !ours && !settings.any_scheme {
        return Ok(None);
    }
    let token = token.trim();
    if is_b64token(token) { Ok(Some(token.to_owned())) } else { Err(BearerCause::Malformed) }
}

/// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(text: &str) -> bool {
    let stem = text.trim_end_matches('=');
    !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

fn in_form(encoded: &[u8]) -> Option<String> {
    Params::parse_lossy(encoded).get("access_token").map(std::borrow::Cow::into_owned)
}

/// For policies that look at no token: what an unknown one says of itself.
fn believed(value: &str) -> Bearer {
    let payload = value.split('.').nth(1).and_then(from_base64url);
    let claims: Value = payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    Bearer {
        client: text("client_id"),
        user: None,
        subject: text("sub").unwrap_or_else(|| "anybody".into()),
        scope: Scope::parse_lossy(text("scope").as_deref().unwrap_or("openid")),
    }
}

/// OpenID Connect Core section 5.4.
fn scope_of_claim(name: &str) -> &'static str {
    match name {
        "email" | "email_verified" => "email",
        "phone_number" | "phone_number_verified" => "phone",
        "address" => "address",
        _ => "profile",
    }
}
