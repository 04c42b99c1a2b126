//! A flow that a person starts from the page, the page at which it ends, and the redeeming of its code.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use maud::{Markup, html};

use super::super::exchange;
use super::super::trouble::Trouble;
use super::exchanges;
use super::layout::{at, onward, page};
use crate::mock::control::PREFIX;
use crate::mock::realms::Realms;
use crate::mock::{MockClient, Realm};
use crate::oauth::encoding::{base64, base64url, form};
use crate::oauth::{Params, Request, Response};
use crate::policy::Matcher;

/// How many flows are remembered.
const REMEMBERED: usize = 200;

/// What the page, as a client, has to remember of a flow.
#[derive(Debug, Clone)]
struct Flow {
    state: String,
    realm: String,
    client: String,
    nonce: String,
    verifier: Option<String>,
}

/// The flows that were started, the latest last.
#[derive(Debug, Default)]
pub(in crate::mock) struct Flows(Mutex<VecDeque<Flow>>);

impl Flows {
    fn keep(&self, flow: Flow) {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.push_back(flow);
        if flows.len() > REMEMBERED {
            flows.pop_front();
        }
    }

    fn find(&self, state: &str, realm: &str) -> Option<Flow> {
        let flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.iter().find(|flow| flow.state == state && flow.realm == realm).cloned()
    }
}

/// Sends the browser to the authorization endpoint.
pub(super) fn start(realms: &Realms, realm: &Realm, fields: &Params) -> Result<Response, Trouble> {
    let text = |name: &str| fields.get(name).unwrap_or_default().into_owned();
    let mut client = client(realm, &text("client"))?;
    let callback = callback_of(realms, realm);
    if !client.redirect_uris.contains(&callback) {
        client.redirect_uris.push(callback.clone());
        realm.register(client.clone());
    }
    let asked = text("scope");
    let scope = if asked.trim().is_empty() { client.scopes.join(" ") } else { asked };
    let verifier = (text("pkce") != "none").then(|| made_up(32));
    let flow =
        Flow { state: made_up(16), realm: realm.name().to_owned(), client: client.client_id, nonce: made_up(16), verifier };
    let mut params = Params::new();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", &flow.client),
        ("redirect_uri", &callback),
        ("scope", &scope),
        ("state", &flow.state),
        ("nonce", &flow.nonce),
        ("prompt", &text("prompt")),
    ] {
        if !value.is_empty() {
            params.push(name, value);
        }
    }
    if let Some(verifier) = &flow.verifier {
        params.push("code_challenge", base64url(digest::digest(&digest::SHA256, verifier.as_bytes())));
        params.push("code_challenge_method", "S256");
    }
    realms.flows().keep(flow);
    Ok(onward(&format!("{}?{}", realm.authorization_endpoint(), params.encode())))
}

/// Shows the authorization response.
pub(super) fn callback(realms: &Realms, realm: &Realm, params: &Params) -> Response {
    let text = |name: &str| params.get(name).map(std::borrow::Cow::into_owned);
    let flow = text("state").and_then(|state| realms.flows().find(&state, realm.name()));
    let body = html! {
        section {
            h2 { "Authorization response" }
            table {
                @for (name, value) in params.iter() {
                    tr { th { (String::from_utf8_lossy(name)) } td.mono { (String::from_utf8_lossy(value)) } }
                }
            }
            @if params.is_empty() { p.soft { "No parameters came. What stands behind # in the URL does not reach a server." } }
            (verdict(&flow, text("iss"), realm))
        }
        @if let (Some(flow), Some(code)) = (&flow, text("code")) {
            section {
                h2 { "Redeem the code" }
                form method="post" action=(at(realms, &format!("/page/realms/{}/redeem", realm.name()))) {
                    input type="hidden" name="state" value=(flow.state);
                    input type="hidden" name="code" value=(code);
                    button.main type="submit" { "Ask for tokens as " (flow.client) }
                }
            }
        }
        (back(realms, realm))
    };
    page(200, realms, "The flow came back", &body)
}

/// Redeems a code, as the client that asked for it, and shows what comes.
pub(super) fn redeem(realms: &Realms, realm: &Realm, fields: &Params) -> Result<Response, Trouble> {
    let text = |name: &str| fields.get(name).unwrap_or_default().into_owned();
    let flow = realms.flows().find(&text("state"), realm.name());
    let flow = flow.ok_or_else(|| Trouble::new(404, "Not found", "no flow of this page has that state; start another one"))?;
    let client = client(realm, &flow.client)?;
    let mut params = Params::new();
    params.push("grant_type", "authorization_code");
    params.push("code", text("code"));
    params.push("redirect_uri", callback_of(realms, realm));
    if let Some(verifier) = &flow.verifier {
        params.push("code_verifier", verifier.as_str());
    }
    let answer_from = realm.journal().recorded();
    let _answer = realm.handle(&authenticated(&client, &realm.token_endpoint(), params));
    let entry = realm.journal().since(answer_from).filter(&Matcher::at("token")).into_iter().next();
    let entry = entry.ok_or_else(|| Trouble::new(500, "Internal error", "the token request left no trace in the journal"))?;
    let view = exchange::view(&entry);
    let body = html! {
        section {
            h2 { "Token response" }
            (exchanges::response(&view.response))
            (exchanges::tokens(&view.tokens))
        }
        (back(realms, realm))
    };
    Ok(page(200, realms, if view.response.status == 200 { "Tokens" } else { "No tokens" }, &body))
}

fn verdict(flow: &Option<Flow>, iss: Option<String>, realm: &Realm) -> Markup {
    html! {
        @match flow {
            Some(flow) => p.good { "The state is that of a flow that was started here, for " (flow.client) "." },
            None => p.bad { "The state is none of a flow that was started here." },
        }
        @match iss {
            Some(iss) if iss == realm.issuer() => p.good { "iss is the issuer (RFC 9207)." },
            Some(_) => p.bad { "iss is not the issuer (RFC 9207)." },
            None => p.soft { "There is no iss (RFC 9207)." },
        }
    }
}

fn back(realms: &Realms, realm: &Realm) -> Markup {
    html! { p { a href=(at(realms, &format!("/realms/{}", realm.name()))) { "Back to the realm" } } }
}

/// Where flows of the page end.
fn callback_of(realms: &Realms, realm: &Realm) -> String {
    format!("{}{PREFIX}/callback/{}", realms.base_url(), realm.name())
}

fn client(realm: &Realm, id: &str) -> Result<MockClient, Trouble> {
    let clients = realm.clients();
    let found = clients.iter().find(|client| client.client_id == id).cloned();
    found.ok_or_else(|| Trouble::missing("client", id, clients.iter().map(|client| client.client_id.as_str())))
}

/// A token request with the client's registered authentication.
fn authenticated(client: &MockClient, url: &str, mut params: Params) -> Request {
    match (client.auth_method.as_str(), &client.client_secret) {
        ("client_secret_basic", Some(secret)) => {
            let credentials = base64(format!("{}:{}", form(&client.client_id), form(secret)));
            Request::post_form(url, &params).with("Authorization", format!("Basic {credentials}"))
        }
        (_, secret) => {
            params.push("client_id", client.client_id.as_str());
            if let Some(secret) = secret {
                params.push("client_secret", secret.as_str());
            }
            Request::post_form(url, &params)
        }
    }
}

/// A value that nobody can guess.
fn made_up(bytes: usize) -> String {
    let mut value = vec![0; bytes];
    SystemRandom::new().fill(&mut value).expect("the system gives random bytes");
    base64url(value)
}
