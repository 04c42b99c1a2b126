//! One isolated issuer: policy, clients, users, tokens, clock and journal. Decide under the lock, render outside, then journal.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::call::{Call, Endpoint, Identity};
use super::client;
use super::client_auth::Method;
use super::clock::{Clock, Hands};
use super::decision::{Decision, Outcome};
use super::journal::{Entry, Journal, JournalLimits};
use super::jwt::Memo;
use super::keys::{Alg, KeyInfo, KeyRing, Keychain, uses_second};
use super::moment::Sketch;
use super::random::Random;
use super::render::{self, Rendered, Setting};
use super::rewrite::{self, Delivery};
use super::state::{Commit, State};
use super::surface::{self, Stamp};
use super::{Keys, MockClient, MockError, MockUser};
use super::{
    authorize, bearer, device, direct_login, end_session, error_page, grade, interaction, introspect, metadata, par, register,
    revoke, strange, token, verification,
};
use crate::oauth::{Channel, Exchange, Party, Request, Response};
use crate::policy::{Effective, Policy, PolicySet, Remembered, is_realm_name};

/// What a realm is made of.
#[derive(Debug, Clone)]
pub struct RealmSpec {
    /// Its name, and its path: up to 128 letters, digits, `-`, `_`, `.`, `~`, the first of them a letter or digit.
    pub name: String,
    /// What it decides.
    pub policies: PolicySet,
    /// What its random values are made of, together with its name.
    pub seed: u64,
    /// Its clients; none: those of the policy (`realm.clients`), and if that has none either, the usual ones.
    pub clients: Vec<MockClient>,
    /// Its users; none: as for clients.
    pub users: Vec<MockUser>,
    /// What it signs with.
    pub keys: Keys,
    /// What its clock shows.
    pub clock: Clock,
    /// Whether its login page lets a person pick a user, deny, or choose an error.
    pub login_help: bool,
    /// How much of its past it remembers.
    pub journal: JournalLimits,
}

impl RealmSpec {
    /// A strictly conformant realm with the usual clients and users.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            policies: PolicySet::strict(),
            seed: 0,
            clients: Vec::new(),
            users: Vec::new(),
            keys: Keys::Fixture,
            clock: Clock::System,
            login_help: false,
            journal: JournalLimits::default(),
        }
    }
}

/// A handle to a realm; clones are the same realm.
#[derive(Clone)]
pub struct Realm(Arc<Inner>);

struct Inner {
    identity: Identity,
    clock: Hands,
    /// From when the times of rules are counted, on its clock.
    began: Mutex<Duration>,
    policies: RwLock<PolicySet>,
    state: Mutex<State>,
    journal: Journal,
    /// Whether it was verified since something was last expected of it.
    verified: AtomicBool,
}

/// An answer on its way to the wire.
pub(super) struct Answer {
    /// As it was recorded: with the response, and nowhere else, for nothing is copied on this way.
    pub(super) entry: Arc<Entry>,
    pub(super) delivery: Delivery,
    pub(super) commits: Vec<Commit>,
}

impl Answer {
    /// What goes out.
    pub(super) fn response(&self) -> &Response {
        self.entry.exchange.response().expect("a realm answers every request")
    }
}

impl Realm {
    /// A realm below that base URL (without a slash at its end). It answers by [`Realm::handle`], without any socket.
    ///
    /// # Errors
    /// [`MockError::Name`] for a name that cannot stand in a path, [`MockError::Keys`] where no keys can be made.
    pub fn new(base_url: &str, spec: RealmSpec) -> Result<Self, MockError> {
        if !is_realm_name(&spec.name) {
            return Err(MockError::Name(spec.name));
        }
        let keys = Keychain::new(spec.keys.load()?);
        let random = Random::new(spec.seed, &spec.name);
        let clock = Hands::new(spec.clock);
        let began = clock.time();
        spec.policies.begin(Duration::ZERO);
        let policy = Arc::clone(spec.policies.base());
        let clients = if spec.clients.is_empty() { client::clients_of(&policy.realm) } else { spec.clients };
        let users = if spec.users.is_empty() { client::users_of(&policy.realm) } else { spec.users };
        Ok(Self(Arc::new(Inner {
            identity: Identity::new(base_url, spec.name, &policy.issuer, users, keys, spec.login_help),
            clock,
            began: Mutex::new(began),
            policies: RwLock::new(spec.policies.with_seed(spec.seed)),
            state: Mutex::new(State::new(random, clients, began)),
            journal: Journal::new(spec.journal),
            verified: AtomicBool::new(false),
        })))
    }

    /// Whether that is a handle to the same realm.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.identity.name
    }

    /// Its issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.identity.issuer
    }

    /// Where its endpoints are: its issuer identifier, unless the policy puts that elsewhere.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.identity.base
    }

    /// Moves its clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Makes its clock show a time, earlier or later; it goes on as before.
    pub fn set_time(&self, time: SystemTime) {
        self.0.clock.set(time);
    }

    /// Stops its clock at what it shows.
    pub fn freeze(&self) {
        self.0.clock.freeze();
    }

    /// Lets its clock run on from what it shows.
    pub fn unfreeze(&self) {
        self.0.clock.unfreeze();
    }

    /// Whether its clock stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.0.clock.stands()
    }

    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.time()
    }

    /// What it recorded, as far as its journal's limits go back.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.0.journal.clone()
    }

    /// What it recorded from an index on.
    #[must_use]
    pub fn journal_since(&self, index: u64) -> Vec<Entry> {
        self.0.journal.since(index).iter().map(|entry| Entry::clone(&entry)).collect()
    }

    /// How many exchanges it has recorded in its life: the index of the next one.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.0.journal.recorded()
    }

    /// Its clients, in the order of registration.
    #[must_use]
    pub fn clients(&self) -> Vec<MockClient> {
        lock(&self.0.state).clients().iter().map(|client| MockClient::clone(client)).collect()
    }

    /// Its users.
    #[must_use]
    pub fn users(&self) -> Vec<MockUser> {
        self.0.identity.users().iter().map(|user| MockUser::clone(user)).collect()
    }

    /// Adds a client, or replaces the one of that identifier.
    pub fn register(&self, client: MockClient) {
        let now = self.time();
        lock(&self.0.state).register(client, None, now);
    }

    /// Removes a client, and ends all that was issued to it. An unknown identifier is no error.
    pub fn unregister(&self, client_id: &str) {
        let mut state = lock(&self.0.state);
        state.unregister(client_id);
        state.revoke_client(client_id);
    }

    /// Adds a user, or replaces the one of that name.
    pub fn put_user(&self, user: MockUser) {
        self.0.identity.change_users(|users| match users.iter_mut().find(|known| known.username == user.username) {
            Some(known) => *known = Arc::new(user),
            None => users.push(Arc::new(user)),
        });
    }

    /// Removes a user, and ends all that was issued in their name. An unknown name is no error.
    pub fn remove_user(&self, username: &str) {
        self.0.identity.change_users(|users| users.retain(|user| user.username != username));
        lock(&self.0.state).revoke_user(username);
    }

    /// Where its authorization endpoint is.
    #[must_use]
    pub fn authorization_endpoint(&self) -> String {
        format!("{}/{}", self.0.identity.base, self.policies().base().paths.authorize)
    }

    /// Where its token endpoint is.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}/{}", self.0.identity.base, self.policies().base().paths.token)
    }

    /// Its keys, those that sign first.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyInfo> {
        self.0.identity.keys.current().list(self.policies().base(), self.time())
    }

    /// Puts new keys in place of those that sign with this algorithm (`ES256`, `RS256`), or with any; the old ones stay in the key set.
    /// Where the policy has two RSA keys, both are replaced.
    ///
    /// From the third time on keys are generated, which takes a while for RS256.
    ///
    /// # Errors
    /// [`MockError::Algorithm`] for an algorithm that the mock does not know, [`MockError::Keys`] where no keys can be made.
    pub fn rotate_keys(&self, alg: Option<&str>) -> Result<(), MockError> {
        let mut algs = match alg {
            Some(name) => vec![Alg::named(name).ok_or_else(|| MockError::Algorithm(name.to_owned()))?],
            None => Alg::ALL.to_vec(),
        };
        if algs.contains(&Alg::Rs256) && uses_second(self.policies().base()) {
            algs.push(Alg::Rs256Second);
        }
        self.0.identity.keys.change(|ring| ring.rotated(&algs, self.time()))
    }

    /// Puts a key in the key set, or takes it out; it signs as before.
    ///
    /// # Errors
    /// [`MockError::Key`] where no key has that identifier.
    pub fn publish_key(&self, kid: &str, published: bool) -> Result<(), MockError> {
        let policies = self.policies();
        let shown = |ring: &KeyRing| ring.showing(kid, published, policies.base()).ok_or_else(|| MockError::Key(kid.to_owned()));
        self.0.identity.keys.change(shown)
    }

    /// The patches in force.
    #[must_use]
    pub fn policies(&self) -> PolicySet {
        self.0.policies.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other patches in force; nothing else changes. The times of their rules are counted from now.
    pub fn set_policies(&self, policies: PolicySet) {
        policies.begin(self.elapsed());
        *self.0.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
    }

    /// Counts the times of rules from now, as if it had just been made.
    pub(super) fn begin_anew(&self) {
        *lock(&self.0.began) = self.time();
    }

    /// How much time has passed since it began, on its clock.
    fn elapsed(&self) -> Duration {
        self.time().saturating_sub(*lock(&self.0.began))
    }

    /// Puts patches in force that follow from those that are.
    ///
    /// # Errors
    /// Those of the change, and then nothing changes.
    pub(super) fn change_policies<E>(&self, change: impl FnOnce(&PolicySet) -> Result<PolicySet, E>) -> Result<(), E> {
        let mut policies = self.0.policies.write().unwrap_or_else(PoisonError::into_inner);
        *policies = change(&policies)?;
        policies.begin(self.elapsed());
        Ok(())
    }

    /// Whether it was verified since something was last expected of it.
    pub(super) fn verified(&self) -> &AtomicBool {
        &self.0.verified
    }

    /// Begins anew with other patches: sessions, codes, tokens, journal, scripts and expectations are forgotten; clients, keys and clock
    /// stay.
    pub fn reset(&self, policies: PolicySet) {
        policies.reset();
        self.begin_anew();
        self.set_policies(policies);
        lock(&self.0.state).forget();
        self.0.journal.clear();
    }

    /// Answers a request as the server does, but at once: no delay, no cut body, and every use is noted immediately.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response {
        let path = request.path();
        let path = path.strip_prefix(self.prefix()).unwrap_or(path);
        let named = Place::of(path).filter(|place| place.names().any(|name| name == self.name()));
        let Some(place) = named else { return render::not_found() };
        let endpoint = self.endpoint(&place, host_of(&request.url));
        let answer = self.answer(request.clone(), &endpoint);
        answer.commits.iter().for_each(|commit| self.commit(commit));
        answer.response().clone()
    }

    /// Answers a request; delivery and delayed uses are left to the caller.
    pub(super) fn answer(&self, request: Request, endpoint: &Endpoint) -> Answer {
        let started = Instant::now();
        let now = self.time();
        let call = Call { request: &request, endpoint, realm: &self.0.identity, now, stamp: &Stamp::default() };
        let policies = self.policies();
        let sketch = Sketch::of(&call, policies.base(), &lock(&self.0.state));
        let elapsed = now.saturating_sub(*lock(&self.0.began));
        let mut effective = Arc::new(policies.at(&sketch.moment(&call, elapsed)));
        let (stamp, decision, notes) = {
            let mut state = lock(&self.0.state);
            let stamp = Stamp::of(&effective.policy, &mut state);
            let call = Call { stamp: &stamp, ..call };
            let notes = grade::notes(&call, &sketch.params, &mut state);
            let decision = decide(&call, &effective, &mut state);
            (stamp, decision, notes)
        };
        let call = Call { stamp: &stamp, ..call };
        if PolicySet::waits(&effective) {
            let answer = rewrite::answer_of(
                &decision,
                Setting { realm: &self.0.identity, endpoint, policy: &effective.policy, rewrites: &[], memo: None },
            );
            policies.settle(Arc::make_mut(&mut effective), &sketch.moment(&call, elapsed), answer);
        }
        let rewrites = rewrite::concerning(&decision, &effective.rewrites);
        let memo = (!rewrites.is_empty()).then(Memo::default);
        let setting =
            Setting { realm: &self.0.identity, endpoint, policy: &effective.policy, rewrites: &rewrites, memo: memo.as_ref() };
        let Rendered { mut response, signed } = render::render(&decision, setting);
        if !signed.is_empty() {
            let mut state = lock(&self.0.state);
            signed.iter().for_each(|(id, value)| state.bind(*id, value));
        }
        surface::dress(&mut response, &decision, &call, &effective.policy);
        let original = (!rewrites.is_empty()).then(|| {
            let mut plain = render::render(&decision, Setting { rewrites: &[], ..setting }).response;
            surface::dress(&mut plain, &decision, &call, &effective.policy);
            plain
        });
        let mut delivery = rewrite::apply(&mut response, &rewrites);
        delivery.chunked = effective.policy.headers.chunked;
        if let Some(respond) = &effective.respond {
            delivery.add(&respond.delivery);
        }
        let exchange = Exchange {
            channel: if endpoint.is_front() { Channel::Front } else { Channel::Back },
            party: Party::Client,
            request,
            outcome: Ok(response),
            duration: started.elapsed(),
        };
        let entry = Entry {
            index: 0,
            at: UNIX_EPOCH + now,
            endpoint: endpoint.name(),
            delivery: delivery.in_words(exchange.response().map_or(0, |response| response.body.len())),
            original: original.filter(|original| Some(original) != exchange.response()),
            exchange,
            grant: sketch.grant,
            client: decision.client.clone().or(sketch.client),
            auth: sketch.auth.map(Method::name),
            user: decision.user.clone().or(sketch.user),
            applied: applied(&decision, &effective),
            rules: effective.rules.clone(),
            cause: decision.cause(),
            notes,
        };
        Answer { entry: self.0.journal.push(entry), delivery, commits: decision.commits }
    }

    /// Does something with what never changes about it, its memory, and what its clock shows.
    pub(super) fn with_state<T>(&self, does: impl FnOnce(&Identity, &mut State, Duration) -> T) -> T {
        does(&self.0.identity, &mut lock(&self.0.state), self.time())
    }

    /// Notes a use that was held back.
    pub(super) fn commit(&self, commit: &Commit) {
        lock(&self.0.state).note(&commit.noted, &commit.used);
    }

    /// The endpoint at a place of this realm, asked for under that host.
    pub(super) fn endpoint(&self, place: &Place<'_>, host: &str) -> Endpoint {
        let identity = &self.0.identity;
        let elsewhere = identity.issuer_host.as_deref().map(|own| !host.eq_ignore_ascii_case(own));
        let below = match place {
            Place::Metadata { issuer_path } => {
                let own = identity.issuer.ends_with(&format!("/{issuer_path}"));
                return if own && elsewhere != Some(true) { Endpoint::OauthMetadata } else { Endpoint::Unknown };
            }
            Place::Below { path, .. } => *path,
        };
        let policies = self.policies();
        let paths = &policies.base().paths;
        let of_issuer = match identity.issuer_path.as_str() {
            "" => Some(below),
            path => below.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')),
        };
        if elsewhere != Some(true)
            && let Some(document) = of_issuer.and_then(|path| Endpoint::document(path, paths))
        {
            return document;
        }
        // Under the host of the issuer there are the documents and nothing else.
        if elsewhere == Some(false) { Endpoint::Unknown } else { Endpoint::at(below, paths) }
    }

    /// Makes the URL of a request say under which of the two hosts it came, where the issuer has one of its own.
    pub(super) fn localise(&self, request: &mut Request, host: &str) {
        let issuer_host = self.0.identity.issuer_host.as_deref();
        if let Some(own) = issuer_host.filter(|own| host.eq_ignore_ascii_case(own)) {
            request.url = request.url.replacen(host_of(&self.0.identity.base), own, 1);
        }
    }

    /// What stands in front of its name in the path of its issuer.
    fn prefix(&self) -> &str {
        let identity = &self.0.identity;
        identity.path.strip_suffix(&identity.name).and_then(|path| path.strip_suffix('/')).unwrap_or("")
    }

    fn time(&self) -> Duration {
        self.0.clock.time()
    }
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

/// What a path leads to, before it is known which realms there are.
pub(super) enum Place<'a> {
    /// What is below a realm.
    Below { realm: &'a str, path: &'a str },
    /// The document of RFC 8414 about the issuer with that path.
    Metadata { issuer_path: &'a str },
}

impl<'a> Place<'a> {
    /// The place at a path of the server.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        // RFC 8414 section 3.1 inserts the well-known part before the path of the issuer.
        if let Some(issuer_path) = path.strip_prefix("/.well-known/oauth-authorization-server/") {
            return Some(Self::Metadata { issuer_path });
        }
        let (realm, path) = path.strip_prefix('/')?.split_once('/')?;
        Some(Self::Below { realm, path })
    }

    /// Whether a realm under that policy has anything there.
    pub(super) fn is_endpoint(&self, policy: &Policy) -> bool {
        let Self::Below { path, .. } = self else { return true };
        let of_issuer =
            path.strip_prefix(policy.issuer.path.trim_matches('/')).map_or(*path, |rest| rest.trim_start_matches('/'));
        Endpoint::document(of_issuer, &policy.paths).is_some() || Endpoint::at(path, &policy.paths) != Endpoint::Unknown
    }

    /// The realms that can be meant, the likeliest first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (one, many) = match self {
            Self::Below { realm, .. } => (Some(*realm), None),
            Self::Metadata { issuer_path } => (None, Some(issuer_path.rsplit('/'))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

/// The host in a URL, or in a Host field, without its port.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let port = authority.rfind(':').filter(|colon| authority[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(authority, |colon| &authority[..colon])
}

/// The pure core: a decision from request, policy, memory and clock. It signs nothing and writes to no wire.
fn decide(call: &Call<'_>, effective: &Arc<Effective>, state: &mut State) -> Decision {
    let policy = &*effective.policy;
    if let Some(respond) = &effective.respond {
        return Decision::new(Outcome::Literal(Arc::clone(respond)));
    }
    if strange::is_any(call.request, &policy.robustness.crash_on) {
        return Decision::crash();
    }
    if let Some(answer) = surface::preflight(call, policy) {
        return answer;
    }
    match call.endpoint {
        Endpoint::Authorize => authorize::decide(call, effective, state),
        Endpoint::Login if policy.pages.remembered == Remembered::Query => direct_login::decide(call, effective, state),
        Endpoint::Login => interaction::login(call, policy, state),
        Endpoint::Consent => interaction::consent(call, policy, state),
        Endpoint::Token => token::decide(call, effective, state),
        Endpoint::Revoke => revoke::decide(call, policy, state),
        Endpoint::Introspect => introspect::decide(call, policy, state),
        Endpoint::Par => par::decide(call, policy, state),
        Endpoint::Userinfo => bearer::userinfo(call, policy, state),
        Endpoint::Resource => bearer::resource(call, policy, state),
        Endpoint::Jwks => metadata::jwks(call, policy),
        Endpoint::OauthMetadata | Endpoint::OpenidMetadata => metadata::decide(call, policy, state),
        Endpoint::Register => register::decide(call, policy, state),
        Endpoint::DeviceAuthorization => device::decide(call, policy, state),
        Endpoint::EndSession => end_session::decide(call, policy, state),
        Endpoint::ErrorPage => error_page::decide(call, policy),
        Endpoint::Verification => verification::decide(call, policy, state),
        Endpoint::Unknown => Decision::new(Outcome::NotFound),
        Endpoint::Registration(id) => register::manage(call, id, policy, state),
    }
}

/// The patches that had a say: those of the request, and of the authorization request that it completes.
fn applied(decision: &Decision, effective: &Effective) -> Vec<String> {
    let mut applied = effective.applied.clone();
    if let Outcome::Authorization(response) = &decision.outcome {
        for id in &response.effective.applied {
            if !applied.contains(id) {
                applied.push(id.clone());
            }
        }
    }
    applied
}

/// A panic while the lock was held leaves nothing half done that a later request could not live with.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
