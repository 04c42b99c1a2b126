//! Makes a response of a decision: signs tokens, writes JSON and pages, sets header fields. Runs outside the realm's lock.

use std::sync::Arc;

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use super::authorization_response;
use super::call::{Endpoint, Identity};
use super::decision::{Access, AccessForm, Cache, Decision, IdToken, Outcome, Page, Tokens};
use super::jwt::{self, Making, Memo};
use super::keys::Alg;
use super::pages;
use crate::oauth::encoding::base64url;
use crate::oauth::{Params, Response};
use crate::policy::{AuthorizeCause, BearerCause, Policy, RegistrationCause, Rewrite, ShownErrors, TokenCause, Tokens as Kind};

/// A response, and what has to be remembered of it.
pub(super) struct Rendered {
    pub(super) response: Response,
    /// Access tokens as they were signed, by their numbers.
    pub(super) signed: Vec<(u64, String)>,
}

/// What rendering needs to know beside the decision.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) realm: &'a Identity,
    pub(super) endpoint: &'a Endpoint,
    pub(super) policy: &'a Policy,
    /// Those that change claims and signatures are applied here; those of the message later.
    pub(super) rewrites: &'a [Arc<Rewrite>],
    /// What was signed for the same answer before.
    pub(super) memo: Option<&'a Memo>,
}

/// Renders a decision.
pub(super) fn render(decision: &Decision, setting: Setting<'_>) -> Rendered {
    let Setting { realm, policy, .. } = setting;
    let mut signed = Vec::new();
    let mut response = match &decision.outcome {
        Outcome::Literal(respond) => respond.response(),
        Outcome::Page(Page::Login(form)) => html(200, pages::login(form, realm, policy), policy),
        Outcome::Page(Page::Consent(form)) => html(200, pages::consent(form, realm, policy), policy),
        Outcome::Page(Page::Device(page)) => html(200, pages::device(page, realm, policy), policy),
        Outcome::Page(Page::Notice { title, text }) => html(200, pages::notice(title, text), policy),
        Outcome::Page(page @ Page::Error { .. }) => error_page(page, decision.client.as_deref(), setting),
        Outcome::Continue { url, status } => {
            let mut response = Response::new(*status);
            response.headers.push("Location", url.as_str());
            response.headers.push("Cache-Control", "no-store");
            response
        }
        Outcome::Authorization(answer) => authorization_response::render(answer, setting, &mut signed),
        Outcome::Tokens(tokens) => token_response(tokens, setting, &mut signed),
        Outcome::TokenError { cause, header_used, allow } => token_error(*cause, *header_used, allow, policy),
        Outcome::PushRefused(cause) => push_refused(*cause, policy),
        Outcome::RegistrationError { cause, detail } => registration_error(*cause, detail, policy),
        Outcome::BearerError { cause, scope } => bearer_error(*cause, scope.as_deref(), setting),
        Outcome::Json { body, cache, .. } if describes_the_server(setting) => {
            json_response(200, &signed_metadata(body, setting), *cache, policy)
        }
        Outcome::Json { status, body, cache } => json_response(*status, body, *cache, policy),
        Outcome::Empty(status) => {
            let mut response = Response::new(*status);
            response.headers.push("Cache-Control", "no-store");
            response
        }
        Outcome::Problem { status, error, description, allow } => {
            let body = [("error", json!(error)), ("error_description", json!(description))];
            allowing(json_response(*status, &object(body), Cache::NoStore, policy), *allow, policy)
        }
        Outcome::NotFound => not_found(),
    };
    if *setting.endpoint == Endpoint::Authorize && policy.authorize.cors {
        response.headers.push("Access-Control-Allow-Origin", "*");
    }
    for cookie in &decision.cookies {
        response.headers.push("Set-Cookie", cookie.as_str());
    }
    Rendered { response, signed }
}

fn describes_the_server(setting: Setting<'_>) -> bool {
    matches!(setting.endpoint, Endpoint::OauthMetadata | Endpoint::OpenidMetadata)
}

/// The metadata with themselves as a signed token (RFC 8414 section 2.1), where the policy wants one.
fn signed_metadata(document: &Map<String, Value>, setting: Setting<'_>) -> Map<String, Value> {
    const NAME: &str = "signed_metadata";
    let Setting { realm, policy, rewrites, .. } = setting;
    let mut out = document.clone();
    let replaced = policy.metadata.set.contains_key(NAME) || policy.metadata.omit.iter().any(|name| name == NAME);
    if policy.metadata.signed && !replaced {
        let mut claims = document.clone();
        claims.insert("iss".into(), document.get("issuer").cloned().unwrap_or_else(|| json!(realm.issuer)));
        let alg = Alg::parse(&policy.metadata.signed_alg);
        let token = jwt::sign(
            &claims,
            alg,
            "JWT",
            &realm.keys.current(),
            policy,
            Making { rewrites, kind: Kind::All, memo: setting.memo },
        );
        out.insert(NAME.into(), json!(token));
    }
    out
}

/// What is answered where nothing is (RFC 9457).
pub(super) fn not_found() -> Response {
    problem(404, "Not Found", "no realm or endpoint is at this path")
}

/// An answer that is no business of OAuth (RFC 9457).
pub(super) fn problem(status: u16, title: &str, detail: &str) -> Response {
    let body = object([("title", json!(title)), ("status", json!(status)), ("detail", json!(detail))]);
    json_of(status, &body, Cache::NoStore, "application/problem+json")
}

/// A page with the header fields that the policy wants (RFC 9700 sections 4.2.4, 4.16).
pub(super) fn html(status: u16, text: String, policy: &Policy) -> Response {
    let pages = &policy.pages;
    let mut response = Response::new(status);
    response.headers.push("Content-Type", "text/html; charset=utf-8");
    response.headers.push("Cache-Control", "no-store");
    response.headers.push("X-Content-Type-Options", "nosniff");
    for (name, value) in [
        ("X-Frame-Options", &pages.frame_options),
        ("Content-Security-Policy", &pages.content_security_policy),
        ("Referrer-Policy", &pages.referrer_policy),
    ] {
        if !value.is_empty() {
            response.headers.push(name, value.as_str());
        }
    }
    response.body = text.into_bytes();
    response
}

/// What may not be redirected to a client is shown to the user (RFC 6749 section 4.1.2.1), here or on a page of its own.
fn error_page(page: &Page, client: Option<&str>, setting: Setting<'_>) -> Response {
    let Setting { realm, endpoint, policy, .. } = setting;
    let Page::Error { status, error, description, allow, tell_client, .. } = page else { return not_found() };
    if error.is_empty() && description.is_empty() {
        return allowing(Response::new(*status), *allow, policy);
    }
    let place = policy.paths.error.first().filter(|_| policy.pages.shown_errors == ShownErrors::OnErrorPage);
    let Some(place) = place.filter(|_| *endpoint != Endpoint::ErrorPage && *status != 405) else {
        return allowing(html(*status, pages::error(error, description, &policy.pages.error_text), policy), *allow, policy);
    };
    let mut query: Params = [("error", error.as_str())].into_iter().collect();
    if let Some(client) = client.filter(|_| *tell_client) {
        query.push("client_id", client);
    }
    let mut response = Response::new(302);
    response.headers.push("Location", format!("{}/{place}?{}", realm.base, query.encode()));
    response.headers.push("Cache-Control", "no-store");
    response
}

/// The access token as it goes out; signed where it is a JWT.
pub(super) fn access_token(access: &Access, setting: Setting<'_>, signed: &mut Vec<(u64, String)>) -> String {
    match &access.form {
        AccessForm::Opaque(value) => value.clone(),
        AccessForm::Jwt { alg, claims } => {
            let Setting { realm, policy, rewrites, .. } = setting;
            let value = jwt::sign(
                claims,
                *alg,
                &policy.access_token.typ,
                &realm.keys.current(),
                policy,
                Making { rewrites, kind: Kind::Access, memo: setting.memo },
            );
            signed.push((access.id, value.clone()));
            value
        }
    }
}

/// The ID token as it goes out; with the hashes of what goes out beside it (OpenID Connect Core section 3.3.2.11).
pub(super) fn id_token(token: &IdToken, access: Option<&str>, code: Option<&str>, setting: Setting<'_>) -> String {
    let mut claims = token.claims.clone();
    let access = access.filter(|_| setting.policy.id_token.at_hash != "none");
    for (name, value) in [("at_hash", access), ("c_hash", code)] {
        if let Some(value) = value {
            let hash = digest::digest(&digest::SHA256, value.as_bytes());
            let length = if setting.policy.id_token.at_hash == "whole" { 32 } else { 16 };
            claims.entry(name).or_insert_with(|| json!(base64url(&hash.as_ref()[..length])));
        }
    }
    let Setting { realm, policy, rewrites, .. } = setting;
    jwt::sign(
        &claims,
        token.alg,
        &policy.id_token.typ,
        &realm.keys.current(),
        policy,
        Making { rewrites, kind: Kind::Id, memo: setting.memo },
    )
}

/// RFC 6749 section 5.1.
fn token_response(tokens: &Tokens, setting: Setting<'_>, signed: &mut Vec<(u64, String)>) -> Response {
    let settings = &setting.policy.response;
    let access = access_token(&tokens.access, setting, signed);
    let mut body = Map::new();
    body.insert("access_token".into(), json!(access));
    if !settings.token_type.is_empty() {
        body.insert("token_type".into(), json!(settings.token_type));
    }
    if settings.expires_in {
        body.insert("expires_in".into(), json!(tokens.access.lifetime));
    }
    if let Some(refresh) = &tokens.refresh {
        body.insert("refresh_token".into(), json!(refresh));
    }
    if let Some(scope) = &tokens.scope {
        body.insert("scope".into(), json!(scope));
    }
    if let Some(token) = &tokens.id_token {
        body.insert("id_token".into(), json!(id_token(token, Some(&access), None, setting)));
    }
    if !settings.extra.is_empty() {
        body.extend(settings.extra.clone());
    }
    let mut response = json_response(200, &in_order(body, &settings.order), Cache::Public, setting.policy);
    caching(&mut response, settings.no_store, settings.pragma);
    response
}

/// RFC 6749 section 5.2.
fn token_error(cause: TokenCause, header_used: bool, allow: &'static str, policy: &Policy) -> Response {
    let settings = &policy.response;
    let rendered = policy.errors.token.of(cause);
    let told = cause == TokenCause::UnknownClient && policy.client_auth.tell_unknown;
    let description = if told { "there is no such client" } else { &rendered.description };
    let mut response = if rendered.error.is_empty() {
        Response::new(rendered.status)
    } else {
        let mut body = object([("error", json!(rendered.error))]);
        if settings.description && !description.is_empty() {
            body.insert("error_description".into(), json!(description));
        }
        if !settings.error_uri.is_empty() {
            body.insert("error_uri".into(), json!(settings.error_uri));
        }
        body.extend(settings.error_extra.clone());
        json_response(rendered.status, &body, Cache::Public, policy)
    };
    if rendered.status == 429 && policy.token.retry_after > 0 {
        response.headers.push("Retry-After", policy.token.retry_after.to_string());
    }
    caching(&mut response, settings.no_store && settings.no_store_on_error, settings.pragma && settings.no_store_on_error);
    let challenged = match rendered.challenge.as_str() {
        "always" => true,
        "when-header-used" => header_used,
        _ => false,
    };
    if challenged {
        let auth = &policy.client_auth;
        let realm = if auth.realm.is_empty() { String::new() } else { format!(" realm={}", quoted(&auth.realm)) };
        response.headers.push("WWW-Authenticate", format!("{}{realm}", auth.challenge_scheme));
    }
    allowing(response, (rendered.status == 405).then_some(allow), policy)
}

/// RFC 9126 section 2.3: the codes of the authorization endpoint in the form of the token endpoint.
fn push_refused(cause: AuthorizeCause, policy: &Policy) -> Response {
    let rendered = policy.errors.authorize.of(cause);
    let mut body = object([("error", json!(rendered.error))]);
    if policy.response.description && !rendered.description.is_empty() {
        body.insert("error_description".into(), json!(rendered.description));
    }
    let mut response = json_response(400, &body, Cache::Public, policy);
    caching(&mut response, policy.response.no_store_on_error, policy.response.pragma && policy.response.no_store_on_error);
    response
}

/// RFC 7591 section 3.2.2.
fn registration_error(cause: RegistrationCause, detail: &str, policy: &Policy) -> Response {
    let rendered = policy.errors.registration.of(cause);
    let description = if detail.is_empty() { &rendered.description } else { detail };
    let body = object([("error", json!(rendered.error)), ("error_description", json!(description))]);
    let allow = (cause == RegistrationCause::Method).then_some("POST");
    allowing(json_response(rendered.status, &body, Cache::NoStore, policy), allow, policy)
}

/// RFC 6750 section 3.
fn bearer_error(cause: BearerCause, scope: Option<&str>, setting: Setting<'_>) -> Response {
    let Setting { realm, policy, .. } = setting;
    let rendered = policy.errors.bearer.of(cause);
    let settings = &policy.resource;
    let mut attributes = Vec::new();
    if settings.challenge_realm {
        attributes.push(format!("realm={}", quoted(&realm.name)));
    }
    let mut body = Map::new();
    for (name, value) in [("error", &rendered.error), ("error_description", &rendered.description)] {
        if !value.is_empty() {
            attributes.push(format!("{name}={}", quoted(value)));
            body.insert(name.into(), json!(value));
        }
    }
    if let Some(scope) = scope {
        attributes.push(format!("scope={}", quoted(scope)));
    }
    let challenge = format!("{} {}", settings.challenge_scheme, attributes.join(", "));
    let mut response = if body.is_empty() || !settings.error_body {
        let mut response = Response::new(rendered.status);
        response.headers.push("Cache-Control", "no-store");
        response
    } else {
        json_response(rendered.status, &body, Cache::NoStore, policy)
    };
    if settings.challenge {
        response.headers.push("WWW-Authenticate", challenge.trim());
    }
    response
}

fn json_response(status: u16, body: &Map<String, Value>, cache: Cache, policy: &Policy) -> Response {
    json_of(status, body, cache, &policy.headers.json_type)
}

/// The members with those of these names in front, in this order.
fn in_order(mut body: Map<String, Value>, order: &[String]) -> Map<String, Value> {
    if order.is_empty() {
        return body;
    }
    let first: Vec<_> = order.iter().filter_map(|name| body.shift_remove_entry(name)).collect();
    first.into_iter().chain(body).collect()
}

fn json_of(status: u16, body: &Map<String, Value>, cache: Cache, media_type: &str) -> Response {
    let mut response = Response::new(status);
    response.headers.push("Content-Type", media_type);
    if cache == Cache::NoStore {
        response.headers.push("Cache-Control", "no-store");
    }
    // About as long as it will be, so that what a journal keeps of it has no slack.
    let of_value = |value: &Value| value.as_str().map_or(16, |text| text.len() + 4);
    response.body.reserve(body.iter().map(|(name, value)| name.len() + 4 + of_value(value)).sum());
    serde_json::to_writer(&mut response.body, body).expect("a map with text keys is always JSON");
    response
}

fn caching(response: &mut Response, no_store: bool, pragma: bool) {
    if no_store {
        response.headers.push("Cache-Control", "no-store");
    }
    if pragma {
        response.headers.push("Pragma", "no-cache");
    }
}

fn allowing(mut response: Response, allow: Option<&str>, policy: &Policy) -> Response {
    if let Some(allow) = allow.filter(|_| policy.headers.allow) {
        response.headers.push("Allow", allow);
    }
    response
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A quoted-string (RFC 9110 section 5.6.4); characters that cannot stand in one are left out.
fn quoted(text: &str) -> String {
    let legal = text.chars().filter(|character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\'));
    format!("\"{}\"", legal.collect::<String>())
}
