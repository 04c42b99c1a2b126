//! The reference client against the real mock: whole logins, and a handful of faults that do what they say.

mod faults;
mod once;
mod web;

use std::time::Duration;

use serde_json::Value;

use super::{ClientPolicy, Library, Settings, WebApp};
use crate::mock::{ClientKind, Entry, MockClient, MockServer};
use crate::oauth::{Exchange, Params, Request, Response};
use crate::policy::{Patch, PolicySet};
use crate::target::login::{Action, End, Journey, Login, PAGE_LIMIT, Visit, authorize};
use crate::target::{Home, User};
use crate::wire::{Browser, Wire, WireOptions};

/// A secret of which every character changes under the form encoding.
const SECRET: &str = "s:c%41+r&t =/2b7d90";

/// A mock with a web application at it.
struct Ground {
    mock: MockServer,
    app: WebApp,
}

impl Ground {
    /// Everything strict.
    async fn strict() -> Self {
        Self::new(&[], ClientPolicy::default()).await
    }

    /// A strict mock and a client with this fault.
    async fn fault(id: &str) -> Self {
        Self::new(&[], policy(id)).await
    }

    /// A mock with these settings and a client with that policy.
    async fn new(mock: &[(&str, Value)], policy: ClientPolicy) -> Self {
        let mock = MockServer::builder().policies(policies(mock)).start().await.unwrap();
        let app = WebApp::start(settings(&mock), policy).await.unwrap();
        mock.realm().register(MockClient { redirect_uris: vec![app.callback_url()], ..client() });
        Self { mock, app }
    }

    /// A browser without cookies.
    fn user(&self) -> Person<'_> {
        Person { ground: self, browser: Browser::new(Wire::new(WireOptions::default()).unwrap()), name: "alice" }
    }

    /// Ends every access token, under a mock with these settings. ID tokens of the server's future would be refused: there are none.
    fn expire(&self, mock: &[(&str, Value)]) {
        let settings = [mock, &[("id_token.issue", Value::Bool(false))]].concat();
        self.mock.realm().set_policies(policies(&settings));
        self.mock.advance(Duration::from_secs(4000));
    }

    /// What the mock saw at an endpoint.
    fn seen(&self, endpoint: &str) -> Vec<Entry> {
        self.mock.realm().journal_since(0).into_iter().filter(|entry| entry.endpoint == endpoint).collect()
    }

    /// Token requests of that grant.
    fn asked(&self, grant: &str) -> usize {
        let is = |entry: &&Entry| form(&entry.exchange).get("grant_type").as_deref() == Some(grant);
        self.seen("token").iter().filter(is).count()
    }
}

/// Somebody with a browser.
struct Person<'a> {
    ground: &'a Ground,
    browser: Browser,
    name: &'static str,
}

impl Person<'_> {
    /// The answer at a URL, after redirects within the application.
    async fn get(&mut self, url: &str) -> Response {
        let mut url = url.to_owned();
        loop {
            let response = self.step(&url).await;
            match response.headers.get("location").filter(|to| to.starts_with('/')) {
                Some(to) => url = format!("{}{to}", self.ground.app.origin()),
                None => return response,
            }
        }
    }

    /// One answer.
    async fn step(&mut self, url: &str) -> Response {
        self.browser.send(Request::get(url)).await.outcome.unwrap()
    }

    /// Begins a login and goes as far as the response: the URL of the callback.
    async fn until_callback(&mut self) -> String {
        self.begin(&self.ground.app.start_url()).await.unwrap_or_else(|page| panic!("{}", page.text()))
    }

    /// The same from another URL; the page where no login begins there.
    async fn begin(&mut self, start: &str) -> Result<String, Response> {
        let begun = self.step(start).await;
        let Some(url) = begun.headers.get("location") else { return Err(begun) };
        let user = self.name;
        let journey = journey(&mut self.browser, &url, &self.ground.mock, user, self.ground.app.callback_url()).await;
        match journey.end {
            End::Delivered { url, .. } => Ok(url),
            _ => Err(journey.exchanges.last().and_then(Exchange::response).cloned().unwrap_or_else(|| Response::new(0))),
        }
    }

    /// A whole login: the page at its end.
    async fn sign_in(&mut self) -> Response {
        match self.begin(&self.ground.app.start_url()).await {
            Ok(callback) => self.get(&callback).await,
            Err(page) => page,
        }
    }

    async fn home(&mut self) -> String {
        self.get(&format!("{}/", self.ground.app.origin())).await.text().into_owned()
    }

    async fn api(&mut self) -> (u16, Value) {
        let response = self.get(&self.ground.app.api_url()).await;
        (response.status, response.json().unwrap_or_default())
    }
}

/// Walks through the pages of the mock: the URL to which the browser is sent in the end.
async fn walk(browser: &mut Browser, url: &str, mock: &MockServer, name: &str, redirect_uri: String) -> String {
    match journey(browser, url, mock, name, redirect_uri).await.end {
        End::Delivered { url, .. } => url,
        other => panic!("{other:?}"),
    }
}

async fn journey(browser: &mut Browser, url: &str, mock: &MockServer, name: &str, redirect_uri: String) -> Journey {
    let password = if name == "alice" { "wonderland" } else { "builder" };
    let user = User { username: name.into(), password: password.into() };
    let (login, home) = (Login::default(), Home::new([mock.base_url()], []));
    let redirect_uris = vec![redirect_uri];
    let visit = Visit {
        user: &user,
        action: Action::Approve,
        redirect_uris,
        login: &login,
        home: &home,
        page_limit: PAGE_LIMIT,
        user_code: None,
    };
    authorize(browser, Request::get(url), &visit).await
}

fn policies(settings: &[(&str, Value)]) -> PolicySet {
    let patch = settings.iter().fold(Patch::new("test"), |patch, (path, value)| patch.set(*path, value.clone()));
    PolicySet::new([&patch]).unwrap()
}

/// The policy of a fault.
fn policy(id: &str) -> ClientPolicy {
    ClientPolicy::with([Library::embedded().fault(id).unwrap()]).unwrap()
}

fn client() -> MockClient {
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    MockClient {
        client_id: "app".into(),
        client_secret: Some(SECRET.into()),
        auth_method: "client_secret_basic".into(),
        redirect_uris: Vec::new(),
        grant_types: strings(&["authorization_code", "refresh_token", "client_credentials"]),
        scopes: strings(&["openid", "profile", "email", "offline_access", "api:read", "api:write"]),
        kind: ClientKind::Web,
        may_introspect: false,
        ..MockClient::default()
    }
}

fn settings(mock: &MockServer) -> Settings {
    Settings {
        client_secret: Some(SECRET.into()),
        auth_method: "client_secret_basic".into(),
        scopes: vec!["openid".into(), "api:read".into()],
        ..Settings::new(mock.issuer(), "app")
    }
}

/// The form of a request.
fn form(exchange: &Exchange) -> Params {
    Params::parse_lossy(&exchange.request.body)
}

/// The query of a URL.
fn query(url: &str) -> Params {
    Params::parse_lossy(url.split_once('?').unwrap().1.as_bytes())
}
