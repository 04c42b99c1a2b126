//! The ground a scenario stands on: its target, its clock, its clients. On the mock every scenario has a realm of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

use super::needs;
use super::result::SkipCode;
use super::subject::{ClientSource, Driven};
use crate::mock::{MockServer, Realm, RealmSpec};
use crate::oauth::Response;
use crate::policy::PolicySet;
use crate::scenario::Scenario;
use crate::target::{Client, Home, Target, Unregistered, User};
use crate::wire::Wire;

/// Where scenarios find their target.
#[derive(Debug, Clone)]
pub enum Provider {
    /// The embedded mock: a fresh realm for each scenario.
    Mock(Arc<MockSource>),
    /// A real server.
    Remote(Arc<RemoteSource>),
    /// A client.
    Client(Arc<ClientSource>),
}

/// The embedded mock as a target.
#[derive(Debug)]
pub struct MockSource {
    /// The running server.
    pub server: Arc<MockServer>,
    /// What it does: profile, variants and faults.
    pub policies: PolicySet,
    /// What it claims: profile and variants, without the faults.
    pub claims: PolicySet,
    /// The name of the target in reports.
    pub name: String,
}

/// A real server as a target.
#[derive(Debug)]
pub struct RemoteSource {
    /// What is known of it.
    pub target: Target,
    /// Whether each scenario registers clients of its own, and with which scopes (none: the usual ones that the server announces).
    pub registration: Option<Vec<String>>,
}

/// How time passes.
#[derive(Debug, Clone)]
pub enum Clock {
    /// By waiting.
    Real,
    /// By advancing a realm's clock.
    Realm(Realm),
}

impl Clock {
    /// The time on it, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        let now = match self {
            Self::Real => SystemTime::now(),
            Self::Realm(realm) => realm.now(),
        };
        now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

/// What one scenario stands on.
#[derive(Debug)]
pub struct Ground {
    /// The target.
    pub target: Target,
    /// How time passes.
    pub clock: Clock,
    /// The clients by their names in the scenario.
    pub clients: BTreeMap<String, Client>,
    /// Clients that were registered for this scenario, to be deleted.
    pub registered: Mutex<Vec<Client>>,
    /// The realm to drop afterwards.
    pub(super) realm: Option<(Arc<MockSource>, String)>,
    /// The client under test.
    pub driven: Option<Box<Driven>>,
    /// The realms of a client to drop afterwards.
    pub(super) dropped: Option<(Arc<ClientSource>, String)>,
}

/// Why a scenario has no ground.
#[derive(Debug, Clone)]
pub enum NoGround {
    /// It cannot be run here.
    Skip(SkipCode, String),
    /// Something stood in the way.
    Error(String),
}

impl Provider {
    /// The ground for a scenario.
    ///
    /// # Errors
    /// Where the target does not offer what the scenario needs, or could not be reached.
    pub async fn ground(&self, scenario: &Scenario, wire: &Wire, tag: &str) -> Result<Ground, NoGround> {
        let mut ground = match self {
            Self::Mock(source) => on_mock(source, wire, tag).await?,
            Self::Remote(source) => on_remote(source),
            Self::Client(source) => source.ground(scenario, wire, tag).await?,
        };
        if let Err((code, reason)) = needs::of_scenario(&scenario.needs, &ground.target) {
            ground.leave(wire).await;
            return Err(NoGround::Skip(code, reason));
        }
        let registration = match self {
            Self::Remote(source) => source.registration.as_deref(),
            Self::Mock(_) => None,
            // It plays itself.
            Self::Client(_) => return Ok(ground),
        };
        let chosen = match registration {
            Some(scopes) => needs::register_clients(scenario, &ground, wire, scopes).await,
            None => needs::choose_clients(scenario, &ground.target),
        };
        match chosen {
            Ok(clients) => {
                ground.clients = clients;
                Ok(ground)
            }
            Err(no) => {
                ground.leave(wire).await;
                Err(no)
            }
        }
    }
}

impl Ground {
    /// Cleans up: deletes registered clients and drops the realm. Returns the clients that could not be deleted.
    pub async fn leave(&mut self, wire: &Wire) -> Vec<String> {
        let mut left = Vec::new();
        // With the realm everything goes that was ever registered there.
        let gone = self.realm.is_some();
        let registered = std::mem::take(&mut *self.registered.lock().unwrap_or_else(PoisonError::into_inner));
        for client in registered.into_iter().filter(|_| !gone) {
            if !matches!(crate::target::unregister(wire, &client).await, Unregistered::Deleted(_)) {
                left.push(client.client_id);
            }
        }
        if let Some((source, name)) = self.realm.take() {
            source.server.remove(&name);
        }
        if let Some((source, name)) = self.dropped.take() {
            source.forget(&name);
        }
        left
    }

    /// Keeps a client in mind that has to be deleted.
    pub fn keep(&self, client: Client) {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// Follows what a step itself does to a registration (RFC 7592): a deleted one is gone, and a new token replaces the old one.
    pub fn managed(&self, method: &str, url: &str, response: &Response) {
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let concerns = |client: &Client| client.management.as_ref().is_some_and(|(uri, _)| uri == url);
        if method == "DELETE" && (200..300).contains(&response.status) {
            registered.retain(|client| !concerns(client));
            return;
        }
        let json = response.json().unwrap_or_default();
        if let Some(token) = json.get("registration_access_token").and_then(serde_json::Value::as_str)
            && let Some((_, known)) = registered.iter_mut().find(|client| concerns(client)).and_then(|c| c.management.as_mut())
        {
            token.clone_into(known);
        }
    }

    /// Lets time pass on the mock; `None` where only waiting helps.
    #[must_use]
    pub fn advance(&self, by: Duration) -> Option<()> {
        match &self.clock {
            Clock::Realm(realm) => {
                realm.advance(by);
                Some(())
            }
            Clock::Real => None,
        }
    }
}

fn on_remote(source: &RemoteSource) -> Ground {
    Ground {
        target: source.target.clone(),
        clock: Clock::Real,
        clients: BTreeMap::new(),
        registered: Mutex::default(),
        realm: None,
        driven: None,
        dropped: None,
    }
}

async fn on_mock(source: &Arc<MockSource>, wire: &Wire, tag: &str) -> Result<Ground, NoGround> {
    let name = realm_name(tag);
    let mut spec = RealmSpec::new(&name);
    spec.policies = source.policies.clone();
    let realm = source.server.create(spec).map_err(|error| NoGround::Error(error.to_string()))?;
    let target = mock_target(source, &realm, wire).await;
    Ok(Ground {
        target,
        clock: Clock::Realm(realm),
        clients: BTreeMap::new(),
        registered: Mutex::default(),
        realm: Some((Arc::clone(source), name)),
        driven: None,
        dropped: None,
    })
}

/// What a run knows of a realm: metadata by discovery, as of any server, and what discovery cannot tell from the policy without faults.
pub(super) async fn mock_target(source: &MockSource, realm: &Realm, wire: &Wire) -> Target {
    let issuer = realm.issuer().to_owned();
    let claims = source.claims.base();
    let mut target = Target { name: source.name.clone(), issuer: issuer.clone(), ..Target::default() };
    // The mock's own two hosts are both meant.
    let hosts = [realm.base_url(), &issuer].map(|url| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)));
    let hosts: Vec<String> = hosts.into_iter().flatten().collect();
    if let Ok(found) = crate::target::discover(wire, &issuer, &hosts).await {
        target.endpoints = found.endpoints();
        target.metadata = Some(found.metadata);
        target.metadata_url = Some(found.url);
    }
    super::mock_claims::endpoints(&mut target.endpoints, realm, claims);
    super::mock_claims::lifetimes(&mut target.lifetimes, claims);
    target.features = super::mock_claims::features(claims);
    target.clients = realm.clients().iter().filter_map(|client| super::mock_claims::client(client, claims)).collect();
    target.users = realm.users().iter().map(|u| User { username: u.username.clone(), password: u.password.clone() }).collect();
    target.home = home_of(&target);
    target
}

/// The origins of the issuer and of the endpoints.
fn home_of(target: &Target) -> Home {
    let endpoints = crate::target::Endpoints::NAMES.iter().filter_map(|name| target.endpoints.get(name));
    Home::new(endpoints.chain([target.issuer.as_str()]), [])
}

/// A realm's name stands in its issuer: letters, digits and hyphens only.
pub(super) fn realm_name(tag: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    tag.chars().map(plain).collect()
}
