//! The profiles: what each says its provider does, shown on the mock. The ten acceptance checks of a tenant stand in its file, in
//! order; what else its provider does, in the file named after it.

mod cognito;
mod custom_domain;
mod guide;
mod guide_more;
mod hosted;
mod settled;

use serde_json::Value;

use super::browser::Browser;
use super::{basic, client, place, post, under};
use crate::mock::Realm;
use crate::oauth::encoding::from_base64url;
use crate::oauth::{Params, Request, Response};
use crate::policy::{Library, Patch, PolicySet};

/// A realm under a profile.
fn profile(id: &str) -> Realm {
    patched(id, &[])
}

/// A realm under a profile with further settings.
fn patched(id: &str, settings: &[(&str, Value)]) -> Realm {
    let patch = settings.iter().fold(Patch::new("test"), |patch, (path, value)| patch.set(*path, value.clone()));
    under(PolicySet::new([Library::embedded().profile(id).unwrap(), &patch]).unwrap())
}

/// A right authorization request with other parameters: `None` takes one away.
fn edited(mut request: Params, edits: &[(&str, Option<&str>)]) -> Params {
    for (name, value) in edits {
        match value {
            Some(value) => request.set(name, *value),
            None => request.remove(name),
        }
    }
    request
}

/// Where an authorization request ends, after login where one is asked for.
fn ends(realm: &Realm, id: &str, edits: &[(&str, Option<&str>)]) -> String {
    let mut browser = Browser::new(realm);
    let request = edited(browser.request(id), edits);
    let response = browser.go(&request, "approve");
    response.headers.get("location").unwrap_or_else(|| panic!("{} {}", response.status, response.text())).into_owned()
}

/// What stands behind the redirect URI where a request ends.
fn tail(realm: &Realm, id: &str, edits: &[(&str, Option<&str>)]) -> String {
    let uri = client(realm, id).redirect_uris[0].clone();
    let location = ends(realm, id, edits);
    location.strip_prefix(&uri).unwrap_or_else(|| panic!("{location}")).to_owned()
}

/// Tokens for a scope by the whole flow, without PKCE.
fn tokens(realm: &Realm, id: &str, scope: &str) -> Value {
    let response = redeem(realm, id, &code(realm, id, scope), &[]);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()
}

/// A code for a scope, without PKCE.
fn code(realm: &Realm, id: &str, scope: &str) -> String {
    let edits = [("scope", Some(scope)), ("code_challenge", None), ("code_challenge_method", None)];
    let tail = tail(realm, id, &edits);
    let params = Params::parse(tail.trim_start_matches('?').as_bytes()).unwrap();
    params.get("code").unwrap_or_else(|| panic!("{tail}")).into_owned()
}

/// Redeems a code, with further parameters.
fn redeem(realm: &Realm, id: &str, code: &str, further: &[(&str, &str)]) -> Response {
    let uri = client(realm, id).redirect_uris[0].clone();
    let right = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri.as_str()), ("client_id", id)];
    let known = |name: &str| further.iter().any(|(other, _)| *other == name);
    let mut pairs: Vec<_> = right.into_iter().filter(|(name, _)| !known(name)).collect();
    pairs.extend(further);
    // Clients with a secret in the body, and public ones, are named by `post` itself.
    let by_header = client(realm, id).auth_method == "client_secret_basic";
    pairs.retain(|(name, _)| by_header || *name != "client_id");
    post(realm, "token", id, &pairs)
}

fn refreshed(realm: &Realm, id: &str, tokens: &Value) -> Response {
    post(realm, "token", id, &[("grant_type", "refresh_token"), ("refresh_token", text(&tokens["refresh_token"]))])
}

fn userinfo(realm: &Realm, token: &Value) -> Response {
    bearer(realm, &place(realm, "userinfo"), "GET", text(token))
}

/// A request for something with a token in its header.
fn bearer(realm: &Realm, url: &str, method: &str, token: &str) -> Response {
    realm.handle(&Request::new(method, url).with("Authorization", format!("Bearer {token}")))
}

/// A token request as it stands, with the header credentials of a client.
fn with_basic(realm: &Realm, id: &str, pairs: &[(&str, &str)]) -> Response {
    let form: Params = pairs.iter().copied().collect();
    realm.handle(&Request::post_form(place(realm, "token"), &form).with("Authorization", basic(realm, id)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The names of the members, in order.
fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn part(token: &Value, number: usize) -> String {
    let part = text(token).split('.').nth(number).unwrap();
    String::from_utf8(from_base64url(part).unwrap()).unwrap()
}

fn head(token: &Value) -> Value {
    serde_json::from_str(&part(token, 0)).unwrap()
}

fn claims(token: &Value) -> Value {
    serde_json::from_str(&part(token, 1)).unwrap()
}

/// The key set, from where the metadata, or the issuer, says.
fn jwks(realm: &Realm) -> Value {
    let policies = realm.policies();
    realm.handle(&Request::get(format!("{}/{}", realm.issuer(), policies.base().paths.jwks))).json().unwrap()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn header<'a>(response: &'a Response, name: &str) -> std::borrow::Cow<'a, str> {
    response.headers.get(name).unwrap_or_else(|| panic!("no {name}"))
}
