//! The mock through its front door, without sockets: a browser and clients that talk to `Realm::handle`.

mod browser;
mod device;
mod documents;
mod expectations;
mod front;
mod grants;
mod helped;
mod par;
mod patches;
mod profiles;
mod races;
mod registration;
mod scripts;
mod tokens;
mod wire;

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::{Clock, MockClient, Realm, RealmSpec};
use crate::oauth::encoding::{base64, form};
use crate::oauth::{Params, Request, Response};
use crate::policy::{Patch, PolicySet};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A realm under the strict policy.
fn strict() -> Realm {
    with(&[])
}

/// A realm under a policy with these settings.
fn with(settings: &[(&str, Value)]) -> Realm {
    let patch = settings.iter().fold(Patch::new("test"), |patch, (path, value)| patch.set(*path, value.clone()));
    under(PolicySet::new([&patch]).unwrap())
}

/// A realm under these patches; its clock stands still.
fn under(policies: PolicySet) -> Realm {
    let clock = Clock::Fixed(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    Realm::new("https://as.example", RealmSpec { policies, clock, ..RealmSpec::new("r") }).unwrap()
}

fn url(endpoint: &str) -> String {
    format!("https://as.example/r/{endpoint}")
}

/// The address of an endpoint, wherever the policy has put it.
fn place(realm: &Realm, endpoint: &str) -> String {
    let policies = realm.policies();
    let paths = &policies.base().paths;
    url(match endpoint {
        "authorize" => &paths.authorize,
        "token" => &paths.token,
        "revoke" => &paths.revoke,
        "userinfo" => &paths.userinfo,
        "resource" => &paths.resource,
        other => other,
    })
}

fn client(realm: &Realm, id: &str) -> MockClient {
    realm.clients().into_iter().find(|client| client.client_id == id).unwrap()
}

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().copied().collect()
}

/// HTTP Basic with the credentials of a registered client.
fn basic(realm: &Realm, id: &str) -> String {
    let secret = client(realm, id).client_secret.unwrap();
    format!("Basic {}", base64(format!("{}:{}", form(id), form(secret))))
}

/// A back-channel request with the client's registered authentication.
fn post(realm: &Realm, endpoint: &str, id: &str, pairs: &[(&str, &str)]) -> Response {
    let client = client(realm, id);
    let mut params = params(pairs);
    let mut request = match client.auth_method.as_str() {
        "client_secret_basic" => Request::post_form(place(realm, endpoint), &params).with("Authorization", basic(realm, id)),
        method => {
            params.push("client_id", id);
            if method == "client_secret_post" {
                params.push("client_secret", client.client_secret.unwrap());
            }
            Request::post_form(place(realm, endpoint), &params)
        }
    };
    request.headers.push("Accept", "application/json");
    realm.handle(&request)
}

/// Redeems a code with everything right.
fn redeem(realm: &Realm, id: &str, code: &str) -> Response {
    let uri = client(realm, id).redirect_uris[0].clone();
    let pairs =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri.as_str()), ("code_verifier", VERIFIER)];
    post(realm, "token", id, &pairs)
}

/// Tokens for a client by the whole flow.
fn tokens(realm: &Realm, id: &str) -> Value {
    let code = browser::Browser::new(realm).code(id);
    let response = redeem(realm, id, &code);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()
}

fn refresh(realm: &Realm, id: &str, token: &Value) -> Response {
    post(realm, "token", id, &[("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())])
}

/// The status with which the protected resource answers to a token.
fn resource(realm: &Realm, token: &Value) -> u16 {
    let header = format!("Bearer {}", token.as_str().unwrap());
    realm.handle(&Request::get(place(realm, "resource")).with("Authorization", header)).status
}

/// Status and error code of a back-channel answer.
fn error(response: &Response) -> (u16, String) {
    (response.status, response.json().unwrap()["error"].as_str().unwrap_or("-").to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
