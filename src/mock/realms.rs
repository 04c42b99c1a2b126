//! The realms of a server: made, found by their names, made by first use where that is allowed, forgotten when they are idle.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::call::Endpoint;
use super::control::Flows;
use super::realm::Place;
use super::{MockError, Realm, RealmSpec};
use crate::oauth::Request;

/// How many realms a server holds unless it is told otherwise.
pub(super) const LIMIT: usize = 10_000;

/// What a server allows to those who use its realms.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// What requests to the control paths have to carry as Bearer token.
    pub(super) control_token: Option<Arc<str>>,
    /// Whether the control paths may be used without a token.
    pub(super) open_control: bool,
    /// Whether the first request to a path makes its realm.
    pub(super) on_first_use: bool,
    /// After what time without any request a realm is forgotten; `None`: never.
    pub(super) idle: Option<Duration>,
    /// How many realms there may be.
    pub(super) limit: usize,
}

/// The realms of a server, by name.
#[derive(Debug)]
pub(super) struct Realms {
    base_url: String,
    /// The path of the base URL, for proxies that leave it in front.
    base_path: String,
    rules: Rules,
    /// What a realm is made of where nothing else is said.
    model: RealmSpec,
    began: Instant,
    generated: AtomicU64,
    by_name: RwLock<HashMap<String, Arc<Held>>>,
    flows: Flows,
    /// Whether the server is about to stop.
    stopping: watch::Sender<bool>,
    /// Told whenever realms were removed.
    removals: watch::Sender<()>,
}

/// A realm with what the server knows about it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) realm: Realm,
    pub(super) created: SystemTime,
    /// Whether it stays however idle it is.
    permanent: bool,
    /// When it was last used, in milliseconds since the server began.
    used: AtomicU64,
    /// How many wait for something to happen in it.
    waiting: AtomicUsize,
}

/// Keeps a realm from being forgotten while somebody waits for something to happen in it.
pub(super) struct Awaited(Arc<Held>);

impl Awaited {
    pub(super) fn new(held: Arc<Held>) -> Self {
        held.waiting.fetch_add(1, Ordering::Relaxed);
        Self(held)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Realms {
    /// No realms yet; `model` is what they are made of where nothing else is said.
    pub(super) fn new(base_url: String, model: RealmSpec, rules: Rules) -> Self {
        let base_path = Request::get(base_url.as_str()).path().to_owned();
        let (began, generated, by_name) = (Instant::now(), AtomicU64::new(0), RwLock::default());
        let (stopping, removals) = (watch::Sender::new(false), watch::Sender::new(()));
        Self { base_url, base_path, rules, model, began, generated, by_name, flows: Flows::default(), stopping, removals }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Tells those who wait for something that the server is about to stop.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Comes back when the server is about to stop.
    pub(super) async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives as long as this does.
        let _value = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Comes back when that realm is one of these no more.
    pub(super) async fn gone(&self, realm: &Realm) {
        let mut removals = self.removals.subscribe();
        while self.peek(realm.name()).is_some_and(|held| held.realm.is(realm)) {
            // The sender lives as long as this does.
            let _told = removals.changed().await;
        }
    }

    /// The URL by which others reach the server, without a slash at its end.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The path of the base URL, without a slash at its end.
    pub(super) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// What the page remembers of the flows that it started.
    pub(super) fn flows(&self) -> &Flows {
        &self.flows
    }

    /// The scheme, host and port by which others reach the server.
    pub(super) fn origin(&self) -> &str {
        &self.base_url[..self.base_url.len() - self.base_path.len()]
    }

    /// A path as realms know it: without the path of the base URL, if it is there.
    pub(super) fn local<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.base_path).unwrap_or(path)
    }

    /// What a realm is made of where nothing else is said.
    pub(super) fn model(&self, name: impl Into<String>) -> RealmSpec {
        RealmSpec { name: name.into(), policies: self.model.policies.fresh(), ..self.model.clone() }
    }

    /// A name that no realm has.
    pub(super) fn free_name(&self) -> String {
        loop {
            let name = format!("realm-{}", self.generated.fetch_add(1, Ordering::Relaxed) + 1);
            if self.peek(&name).is_none() {
                return name;
            }
        }
    }

    /// The realm of that name, which counts as used now.
    pub(super) fn get(&self, name: &str) -> Option<Realm> {
        let held = self.peek(name)?;
        held.used.store(self.now(), Ordering::Relaxed);
        Some(held.realm.clone())
    }

    /// The realm and the endpoint that a path leads to under a host; the realm is made now where first use makes realms.
    ///
    /// # Errors
    /// Where a realm would be made, and cannot: there is no room for it.
    pub(super) fn find(&self, path: &str, host: &str) -> Result<Option<(Realm, Endpoint)>, MockError> {
        let Some(place) = Place::of(self.local(path)) else { return Ok(None) };
        let known = place.names().find_map(|name| self.get(name));
        let realm = known.map_or_else(|| self.on_first_use(&place), |realm| Ok(Some(realm)))?;
        Ok(realm.map(|realm| {
            let endpoint = realm.endpoint(&place, host);
            (realm, endpoint)
        }))
    }

    /// The realm that the first request to its path makes.
    fn on_first_use(&self, place: &Place<'_>) -> Result<Option<Realm>, MockError> {
        // What is nobody's endpoint makes no realm.
        let meant = self.rules.on_first_use && place.is_endpoint(self.model.policies.base());
        let Some(name) = place.names().next().filter(|_| meant) else { return Ok(None) };
        match self.create(self.model(name)) {
            Ok(realm) => Ok(Some(realm)),
            // Whoever came second in a race finds what the first one made.
            Err(MockError::Exists(_)) => Ok(self.get(name)),
            Err(MockError::Name(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A realm that a look at does not use.
    pub(super) fn peek(&self, name: &str) -> Option<Arc<Held>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Held>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = by_name.values().cloned().collect();
        drop(by_name);
        all.sort_by(|a, b| (a.created, a.realm.name()).cmp(&(b.created, b.realm.name())));
        all
    }

    /// How long it is that a realm was used.
    pub(super) fn idle(&self, held: &Held) -> Duration {
        Duration::from_millis(self.now().saturating_sub(held.used.load(Ordering::Relaxed)))
    }

    /// Makes a realm that goes when it is idle for long.
    pub(super) fn create(&self, spec: RealmSpec) -> Result<Realm, MockError> {
        self.insert(spec, false)
    }

    /// Makes a realm that stays.
    pub(super) fn establish(&self, spec: RealmSpec) -> Result<Realm, MockError> {
        self.insert(spec, true)
    }

    /// Removes a realm; whether there was one.
    pub(super) fn remove(&self, name: &str) -> bool {
        let removed = self.by_name.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.removals.send_replace(());
        removed.is_some()
    }

    /// Forgets the realms that were idle for too long.
    pub(super) fn forget_idle(&self) {
        let Some(limit) = self.rules.idle else { return };
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let stays = |held: &Held| held.permanent || held.waiting.load(Ordering::Relaxed) > 0 || self.idle(held) < limit;
        by_name.retain(|_, held| stays(held));
        drop(by_name);
        self.removals.send_replace(());
    }

    fn insert(&self, spec: RealmSpec, permanent: bool) -> Result<Realm, MockError> {
        let realm = Realm::new(&self.base_url, spec)?;
        let used = AtomicU64::new(self.now());
        let held = Held { realm: realm.clone(), created: SystemTime::now(), permanent, used, waiting: AtomicUsize::new(0) };
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if by_name.contains_key(realm.name()) {
            return Err(MockError::Exists(realm.name().to_owned()));
        }
        if by_name.len() >= self.rules.limit {
            return Err(MockError::Full(self.rules.limit));
        }
        by_name.insert(realm.name().to_owned(), Arc::new(held));
        Ok(realm)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
