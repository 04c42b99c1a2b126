//! What a realm remembers: clients, sessions, transactions, codes and tokens. Holds facts and decides nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;

use super::MockClient;
use super::authorize::Transaction;
use super::call::Fields;
use super::random::Random;
use super::store::Store;
use super::token_store::TokenStore;
use crate::oauth::Scope;

/// How many codes, sessions and transactions a realm keeps, each.
const FRONT_CAPACITY: usize = 20_000;
/// How many clients a realm keeps that registered themselves.
const REGISTERED_CAPACITY: usize = 10_000;
/// How many wrong user codes are remembered of a user.
const WRONG_CAPACITY: usize = 1_000;

/// The memory of a realm.
pub(super) struct State {
    pub(super) random: Random,
    clients: BTreeMap<String, Registered>,
    registered: u64,
    pub(super) sessions: Store<String, Session>,
    pub(super) transactions: Store<String, Transaction>,
    /// When the login pages were shown that remember nothing themselves, by the secrets of their forms.
    pub(super) forms: Store<String, Duration>,
    pub(super) codes: Store<String, Code>,
    pub(super) pushed: Store<String, Pushed>,
    /// Pushed requests, by client.
    pub(super) pushes: PerMinute,
    /// Token requests, by client.
    pub(super) token_requests: PerMinute,
    devices: Store<String, Device>,
    /// Device codes by their user codes without punctuation.
    user_codes: Store<String, String>,
    pub(super) verifications: Store<String, VerificationVisit>,
    /// When each user entered a wrong user code.
    wrong_user_codes: Store<String, Vec<Duration>>,
    tokens: TokenStore,
    grants: u64,
    /// The scope tokens to which a user once agreed, by user and client.
    pub(super) consents: HashMap<(String, String), HashSet<String>>,
    /// The challenge of each client's latest authorization request.
    pub(super) latest_challenge: HashMap<String, Option<Challenge>>,
    /// What was asked of ID tokens, by authorization.
    pub(super) openid: Store<u64, OpenidAsked>,
    /// What was seen before, for notes on freshness: `state`, `nonce` and challenges.
    pub(super) seen: Store<String, ()>,
}

/// How many requests each client sent in its latest minute.
#[derive(Default)]
pub(super) struct PerMinute(HashMap<String, (Duration, u64)>);

impl PerMinute {
    /// Counts a request, and says whether it is one too many; 0 is no limit, and then nothing is counted.
    pub(super) fn is_beyond(&mut self, client: &str, now: Duration, limit: u64) -> bool {
        if limit == 0 {
            return false;
        }
        let minute = self.0.entry(client.to_owned()).or_insert((now, 0));
        if now.saturating_sub(minute.0) >= Duration::from_secs(60) {
            *minute = (now, 0);
        }
        minute.1 += 1;
        minute.1 > limit
    }
}

/// A client with what goes with its registration.
struct Registered {
    client: Arc<MockClient>,
    order: u64,
    management_token: Option<String>,
    issued_at: Duration,
}

/// A browser that has logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) auth_time: Duration,
}

/// The challenge of an authorization request (RFC 7636 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) value: String,
    pub(super) method: String,
}

/// When and by whom something that works once was used.
#[derive(Debug, Clone)]
pub(super) struct Used {
    pub(super) at: Duration,
    pub(super) client: String,
}

/// What an authorization request asked of ID tokens (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Default)]
pub(super) struct OpenidAsked {
    pub(super) nonce: Option<String>,
    /// Whether there was a `max_age`.
    pub(super) max_age: bool,
}

/// An authorization code with all that it is bound to.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) grant: u64,
    pub(super) client: String,
    pub(super) user: String,
    pub(super) auth_time: Duration,
    pub(super) redirect_uri: String,
    /// Whether the authorization request named the redirect URI.
    pub(super) redirect_uri_sent: bool,
    pub(super) scope: Scope,
    pub(super) asked_scope: Option<String>,
    /// The API that the request named (RFC 8707).
    pub(super) resource: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) openid: OpenidAsked,
    pub(super) expires: Duration,
    pub(super) used: Option<Used>,
}

/// An authorization request that was pushed (RFC 9126), under its `request_uri`.
#[derive(Clone)]
pub(super) struct Pushed {
    pub(super) client: String,
    /// The authorization request, without what authenticated the client.
    pub(super) fields: Fields,
    /// Whether its redirect URI is allowed though it is not registered.
    pub(super) new_redirect_uri: bool,
    pub(super) expires: Duration,
    pub(super) used: bool,
}

/// A device authorization (RFC 8628 section 3.2).
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) grant: u64,
    pub(super) client: String,
    pub(super) scope: Scope,
    pub(super) asked_scope: Option<String>,
    /// As it is shown.
    pub(super) user_code: String,
    /// What the user said, if anything.
    pub(super) said: Option<Said>,
    pub(super) expires: Duration,
    /// From when the interval counts.
    pub(super) polled: Option<Duration>,
    pub(super) interval: Duration,
    pub(super) used: Option<Used>,
}

/// What a user said about a device.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Approved { user: String, auth_time: Duration },
    Denied { user: String },
}

/// A user's way through the verification page (RFC 8628 section 3.3).
#[derive(Debug, Clone)]
pub(super) struct VerificationVisit {
    pub(super) csrf: String,
    pub(super) browser: String,
    pub(super) session: Option<Session>,
    /// The user code that came with the link.
    pub(super) linked: Option<String>,
    /// The device code that a right user code led to.
    pub(super) device: Option<String>,
}

/// Access or refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Refresh,
}

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) id: u64,
    pub(super) kind: TokenKind,
    /// The authorization from which it comes; shared by all tokens of it.
    pub(super) grant: u64,
    pub(super) client: String,
    pub(super) user: Option<String>,
    pub(super) auth_time: Option<Duration>,
    pub(super) resource: Option<String>,
    pub(super) scope: Scope,
    pub(super) issued: Duration,
    pub(super) expires: Duration,
    pub(super) revoked: bool,
    pub(super) used: Option<Used>,
    /// Of its value as it was issued; `None` until it is signed.
    pub(super) print: Option<Print>,
}

/// By what a token is known again. The value itself would be most of what a realm that lives long has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Print([u8; 16]);

impl Print {
    pub(super) fn of(value: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, value.as_bytes());
        let mut print = [0; 16];
        print.copy_from_slice(&hash.as_ref()[..16]);
        Self(print)
    }
}

/// A use that is noted later than it happened, so that races are lost on purpose.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    /// Real time until it is noted.
    pub(super) after: Duration,
    pub(super) noted: Noted,
    pub(super) used: Used,
}

/// What was used.
#[derive(Debug, Clone)]
pub(super) enum Noted {
    Code(String),
    Device(String),
    Refresh(u64),
}

impl State {
    pub(super) fn new(random: Random, clients: Vec<MockClient>, now: Duration) -> Self {
        let mut state = Self {
            random,
            clients: BTreeMap::new(),
            registered: 0,
            sessions: Store::new(FRONT_CAPACITY),
            transactions: Store::new(FRONT_CAPACITY),
            forms: Store::new(FRONT_CAPACITY),
            codes: Store::new(FRONT_CAPACITY),
            pushed: Store::new(FRONT_CAPACITY),
            pushes: PerMinute::default(),
            token_requests: PerMinute::default(),
            devices: Store::new(FRONT_CAPACITY),
            user_codes: Store::new(FRONT_CAPACITY),
            verifications: Store::new(FRONT_CAPACITY),
            wrong_user_codes: Store::new(FRONT_CAPACITY),
            tokens: TokenStore::default(),
            grants: 0,
            consents: HashMap::new(),
            latest_challenge: HashMap::new(),
            openid: Store::new(FRONT_CAPACITY),
            seen: Store::new(FRONT_CAPACITY),
        };
        for client in clients {
            state.register(client, None, now);
        }
        state
    }

    /// Forgets everything but the clients and the counters of made-up values.
    pub(super) fn forget(&mut self) {
        self.sessions = Store::new(FRONT_CAPACITY);
        self.transactions = Store::new(FRONT_CAPACITY);
        self.forms = Store::new(FRONT_CAPACITY);
        self.codes = Store::new(FRONT_CAPACITY);
        self.openid = Store::new(FRONT_CAPACITY);
        self.pushed = Store::new(FRONT_CAPACITY);
        self.pushes = PerMinute::default();
        self.token_requests = PerMinute::default();
        self.devices = Store::new(FRONT_CAPACITY);
        self.user_codes = Store::new(FRONT_CAPACITY);
        self.verifications = Store::new(FRONT_CAPACITY);
        self.wrong_user_codes = Store::new(FRONT_CAPACITY);
        self.seen = Store::new(FRONT_CAPACITY);
        self.tokens.clear();
        self.consents.clear();
        self.latest_challenge.clear();
    }

    // Clients.

    pub(super) fn register(&mut self, client: MockClient, management_token: Option<String>, now: Duration) {
        let order = self.clients.get(&client.client_id).map_or(self.registered, |known| known.order);
        self.registered += 1;
        let id = client.client_id.clone();
        if management_token.is_some() {
            self.make_room_for_a_client();
        }
        self.clients.insert(id, Registered { client: Arc::new(client), order, management_token, issued_at: now });
    }

    /// Of those that registered themselves the oldest one goes where there are too many.
    fn make_room_for_a_client(&mut self) {
        if self.clients.len() < REGISTERED_CAPACITY {
            return;
        }
        let own = self.clients.iter().filter(|(_, known)| known.management_token.is_some());
        if let Some(oldest) = own.min_by_key(|(_, known)| known.order).map(|(id, _)| id.clone()) {
            self.unregister(&oldest);
        }
    }

    pub(super) fn client(&self, id: &str) -> Option<Arc<MockClient>> {
        self.clients.get(id).map(|known| Arc::clone(&known.client))
    }

    /// Every client, in the order of registration.
    pub(super) fn clients(&self) -> Vec<Arc<MockClient>> {
        let mut all: Vec<_> = self.clients.values().collect();
        all.sort_by_key(|known| known.order);
        all.into_iter().map(|known| Arc::clone(&known.client)).collect()
    }

    /// The token by which a registered client is managed (RFC 7592), and when it was registered.
    pub(super) fn management(&self, id: &str) -> Option<(&str, Duration)> {
        let known = self.clients.get(id)?;
        known.management_token.as_deref().map(|token| (token, known.issued_at))
    }

    /// Whether a token manages any registered client.
    pub(super) fn manages_any(&self, token: &str) -> bool {
        self.clients.values().any(|known| known.management_token.as_deref() == Some(token))
    }

    /// Removes a client (RFC 7592 section 2.3).
    pub(super) fn unregister(&mut self, id: &str) {
        self.clients.remove(id);
        self.latest_challenge.remove(id);
    }

    /// Ends all that was issued to a client.
    pub(super) fn revoke_client(&mut self, id: &str) {
        self.codes.retain(|code| code.client != id);
        self.pushed.retain(|pushed| pushed.client != id);
        self.devices.retain(|device| device.client != id);
        self.tokens.revoke_client(id);
    }

    /// Ends the sessions of a user, and all that was issued in their name.
    pub(super) fn revoke_user(&mut self, username: &str) {
        let own = |session: &Option<Session>| session.as_ref().is_some_and(|session| session.user == username);
        self.sessions.retain(|session| session.user != username);
        self.transactions.retain(|transaction| !own(&transaction.session));
        self.verifications.retain(|visit| !own(&visit.session));
        self.consents.retain(|(user, _), _| user != username);
        self.codes.retain(|code| code.user != username);
        let approved = |device: &Device| matches!(&device.said, Some(Said::Approved { user, .. }) if user == username);
        self.devices.retain(|device| !approved(device));
        self.tokens.revoke_user(username);
    }

    // Devices.

    /// Keeps a device authorization; `plain` is its user code without punctuation.
    pub(super) fn add_device(&mut self, device_code: String, plain: String, device: Device) {
        self.user_codes.insert(plain, device_code.clone());
        self.devices.insert(device_code, device);
    }

    pub(super) fn device(&self, device_code: &str) -> Option<&Device> {
        self.devices.get(device_code)
    }

    pub(super) fn device_mut(&mut self, device_code: &str) -> Option<&mut Device> {
        self.devices.get_mut(device_code)
    }

    pub(super) fn drop_device(&mut self, device_code: &str) {
        self.devices.remove(device_code);
    }

    /// The device code of a user code without punctuation.
    pub(super) fn device_of(&self, plain: &str) -> Option<&str> {
        self.user_codes.get(plain).map(String::as_str).filter(|device_code| self.devices.get(*device_code).is_some())
    }

    /// How many wrong user codes a user entered of late.
    pub(super) fn wrong_user_codes(&self, user: &str, now: Duration, window: Duration) -> u64 {
        let late = |at: &&Duration| now.saturating_sub(**at) < window;
        self.wrong_user_codes.get(user).map_or(0, |times| times.iter().filter(late).count() as u64)
    }

    pub(super) fn note_wrong_user_code(&mut self, user: &str, now: Duration) {
        let mut times = self.wrong_user_codes.get(user).cloned().unwrap_or_default();
        times.push(now);
        if times.len() > WRONG_CAPACITY {
            times.remove(0);
        }
        self.wrong_user_codes.insert(user.to_owned(), times);
    }

    // Tokens.

    /// A number for a new authorization.
    pub(super) fn new_grant(&mut self) -> u64 {
        self.grants += 1;
        self.grants
    }

    /// Keeps a token; its identifier is set here.
    pub(super) fn keep(&mut self, token: Token) -> u64 {
        self.tokens.keep(token)
    }

    /// Says how a token looks, once it is signed.
    pub(super) fn bind(&mut self, id: u64, value: &str) {
        self.tokens.bind(id, value);
    }

    /// Forgets that a value was issued.
    pub(super) fn disown(&mut self, value: &str) {
        self.tokens.disown(value);
    }

    pub(super) fn token(&self, value: &str) -> Option<&Token> {
        self.tokens.get(value)
    }

    pub(super) fn token_by_id_mut(&mut self, id: u64) -> Option<&mut Token> {
        self.tokens.by_id_mut(id)
    }

    /// Revokes tokens of an authorization: all, or those of one kind.
    pub(super) fn revoke_grant(&mut self, grant: u64, kind: Option<TokenKind>) {
        self.tokens.revoke_grant(grant, kind);
    }

    // Uses.

    /// Notes a use. What was used before keeps its first use.
    pub(super) fn note(&mut self, noted: &Noted, used: &Used) {
        let place = match noted {
            Noted::Code(value) => self.codes.get_mut(value.as_str()).map(|code| &mut code.used),
            Noted::Device(value) => self.devices.get_mut(value.as_str()).map(|device| &mut device.used),
            Noted::Refresh(id) => self.token_by_id_mut(*id).map(|token| &mut token.used),
        };
        if let Some(place) = place {
            place.get_or_insert_with(|| used.clone());
        }
    }

    /// Whether a value was seen before; now it has been.
    pub(super) fn seen_before(&mut self, kind: &str, value: &str) -> bool {
        let key = format!("{kind} {value}");
        let known = self.seen.get(&key).is_some();
        self.seen.insert(key, ());
        known
    }
}
