//! The facade: starts the server on a thread of its own, and makes and removes realms.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

#[cfg(feature = "tls")]
use super::Tls;
use super::access::{Access, Listener};
use super::edge::{self, Serving};
use super::realms::{self, Realms, Rules};
use super::{Expectations, Journal, JournalLimits, MockClient, MockUser, Realm, RealmSpec, Unmet};
use crate::policy::{PatchError, PatchKind, PolicySet, Script, UnknownPatch, Unmatched};

/// The name of the realm that every server begins with.
const DEFAULT: &str = "default";

/// Why the mock cannot do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The address cannot be listened on.
    #[error("failed to listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The thread or its runtime cannot be made.
    #[error("failed to start the server's thread")]
    Thread(#[source] io::Error),
    /// A realm of that name is there already.
    #[error("a realm named `{0}` exists already")]
    Exists(String),
    /// The name cannot stand in a path.
    #[error("`{0}` cannot name a realm: use up to 128 letters, digits, `-`, `_`, `.`, `~`, beginning with a letter or digit")]
    Name(String),
    /// No keys can be made.
    #[error("failed to make signing keys")]
    Keys,
    /// No profile, variant or fault has that id.
    #[error(transparent)]
    Unknown(#[from] UnknownPatch),
    /// Not an algorithm that the mock signs with.
    #[error("`{0}` is no algorithm of the mock: ES256 or RS256")]
    Algorithm(String),
    /// No key of the realm.
    #[error("there is no key `{0}`")]
    Key(String),
    /// There is no room for another realm.
    #[error("as many realms as are allowed are there already: {0}")]
    Full(usize),
    /// Patches that cannot be in force together, or a script that cannot apply.
    #[error(transparent)]
    Patch(#[from] PatchError),
}

/// A mock authorization server. It stops when it is dropped.
///
/// It runs on a thread of its own, so that tests may block. Every server has a realm named `default`; more realms, each an issuer of
/// its own, are made by [`MockServer::create`] in microseconds.
///
/// ```
/// use oauthspec::mock::{MockServer, RealmSpec};
///
/// let server = MockServer::builder().seed(7).start_blocking()?;
/// assert!(server.issuer().ends_with("/default"));
/// let second = server.create(RealmSpec::new("attacker"))?;
/// assert_eq!(second.issuer(), format!("{}/attacker", server.base_url()));
/// # Ok::<(), oauthspec::mock::MockError>(())
/// ```
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    pub(super) realms: Arc<Realms>,
    realm: Realm,
    on_drop: OnDrop,
    stop: Option<oneshot::Sender<Duration>>,
    thread: Option<JoinHandle<()>>,
}

/// What happens when a server is dropped of which something is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDrop {
    /// It panics if that did not happen, unless the thread panics already.
    Verify,
    Nothing,
}

/// Settings of a server before it starts.
#[derive(Debug, Clone)]
pub struct MockBuilder {
    pub(super) policies: PolicySet,
    seed: u64,
    listen: SocketAddr,
    public_url: Option<String>,
    control_token: Option<String>,
    /// Profile, variants and faults by their ids.
    pub(super) named: Vec<(PatchKind, String)>,
    pub(super) scripts: Vec<Script>,
    pub(super) journal: JournalLimits,
    pub(super) on_drop: OnDrop,
    pub(super) clients: Option<Vec<MockClient>>,
    pub(super) users: Option<Vec<MockUser>>,
    pub(super) on_first_use: bool,
    pub(super) realm_idle: Option<Duration>,
    pub(super) realm_limit: usize,
    pub(super) login_help: bool,
    pub(super) access: Option<Listener>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
}

impl MockServer {
    /// A server with settings other than the default ones.
    #[must_use]
    pub fn builder() -> MockBuilder {
        MockBuilder {
            policies: PolicySet::strict(),
            seed: 0,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            control_token: None,
            named: Vec::new(),
            on_first_use: false,
            realm_idle: None,
            realm_limit: realms::LIMIT,
            login_help: false,
            access: None,
            #[cfg(feature = "tls")]
            tls: None,
            scripts: Vec::new(),
            journal: JournalLimits::default(),
            on_drop: OnDrop::Verify,
            clients: None,
            users: None,
        }
    }

    /// A strictly conformant server on a free loopback port.
    ///
    /// # Errors
    /// [`MockError::Listen`] and [`MockError::Thread`].
    pub async fn start() -> Result<Self, MockError> {
        Self::builder().start().await
    }

    /// `http://127.0.0.1:PORT`, or the public URL that was given; without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.realms.base_url()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The default realm.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.realm.clone()
    }

    /// Makes a realm.
    ///
    /// # Errors
    /// [`MockError::Exists`], [`MockError::Name`], [`MockError::Keys`].
    pub fn create(&self, spec: RealmSpec) -> Result<Realm, MockError> {
        self.realms.create(spec)
    }

    /// Makes a realm that stays, however idle it is.
    ///
    /// # Errors
    /// As [`MockServer::create`].
    pub fn establish(&self, spec: RealmSpec) -> Result<Realm, MockError> {
        self.realms.establish(spec)
    }

    /// The realm of that name.
    #[must_use]
    pub fn realm_named(&self, name: &str) -> Option<Realm> {
        self.realms.get(name)
    }

    /// All its realms, the oldest first.
    #[must_use]
    pub fn realms(&self) -> Vec<Realm> {
        self.realms.all().iter().map(|held| held.realm.clone()).collect()
    }

    /// What a realm of that name is made of that is like the default one was when the server started.
    #[must_use]
    pub fn like_default(&self, name: impl Into<String>) -> RealmSpec {
        self.realms.model(name)
    }

    /// Removes a realm; handles to it stay valid, but no request reaches it any more. An unknown name is no error.
    pub fn remove(&self, name: &str) {
        self.realms.remove(name);
    }

    /// The issuer identifier of the default realm.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.realm.issuer().to_owned()
    }

    /// Moves the clock of the default realm forward.
    pub fn advance(&self, by: Duration) {
        self.realm.advance(by);
    }

    /// Adds a script to the default realm, over everything that is in force.
    ///
    /// # Errors
    /// As [`Realm::add_script`].
    pub fn add_script(&self, script: &Script) -> Result<(), PatchError> {
        self.realm.add_script(script)
    }

    /// Expects exchanges of the default realm. A server verifies its realms when it is dropped, and panics where they are not met.
    pub fn expect(&self, expectations: impl Into<Expectations>) {
        self.realm.expect(expectations);
    }

    /// Whether everything that is expected of the default realm happened.
    ///
    /// # Errors
    /// What did not, each with its nearest miss.
    pub fn verify(&self) -> Result<(), Unmet> {
        self.realm.verify()
    }

    /// The rules of the default realm's scripts that never applied so far, each with its nearest miss.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Unmatched> {
        self.realm.unmatched()
    }

    /// The journal of the default realm.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.realm.journal()
    }
}

impl MockServer {
    /// Stops: no connection is accepted any more, and requests that are under way may finish within that time. It blocks until then.
    ///
    /// What is verified when a server is dropped is verified here too.
    pub fn stop(mut self, within: Duration) {
        self.end(within);
    }

    fn end(&mut self, within: Duration) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended already; then there is nobody to tell.
            let _nobody = stop.send(within);
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
        if self.on_drop == OnDrop::Nothing || thread::panicking() {
            return;
        }
        let unmet: Vec<String> =
            self.realms.all().iter().filter_map(|held| held.realm.verify_if_due().err()).map(|unmet| unmet.to_string()).collect();
        assert!(unmet.is_empty(), "{}", unmet.join("\n"));
    }
}

impl MockBuilder {
    /// What the default realm decides.
    #[must_use]
    pub fn policies(mut self, policies: PolicySet) -> Self {
        self.policies = policies;
        self
    }

    /// What the random values of the default realm are made of.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where to listen; `127.0.0.1:0` unless said.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The base URL by which others reach the server, where that is not its address.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// What requests below `/_oauthspec/` have to carry as Bearer token; only the health endpoint goes without.
    ///
    /// A server that listens beyond the loopback interface and has no token answers no other request there.
    #[must_use]
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.control_token = Some(token.into());
        self
    }

    /// Lets the first request to a realm's path make the realm, from what the default realm is made of.
    #[must_use]
    pub fn realms_on_first_use(mut self) -> Self {
        self.on_first_use = true;
        self
    }

    /// Forgets realms, but the default one, that were not used for so long.
    #[must_use]
    pub fn realm_idle(mut self, after: Duration) -> Self {
        self.realm_idle = Some(after);
        self
    }

    /// How many realms there may be; 10,000 unless said.
    #[must_use]
    pub fn realm_limit(mut self, limit: usize) -> Self {
        self.realm_limit = limit;
        self
    }

    /// Lets the login pages of all realms offer a person to pick a user, deny, or choose an error. Programs that log in by forms do
    /// better without.
    #[must_use]
    pub fn login_help(mut self) -> Self {
        self.login_help = true;
        self
    }

    /// Is told of every request once it is answered, on the server's thread.
    #[must_use]
    pub fn on_access(mut self, listen: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        self.access = Some(Listener::new(listen));
        self
    }

    /// Serves by TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The clients of the default realm, in place of those of its policy, and of those that every realm has.
    #[must_use]
    pub fn clients(mut self, clients: Vec<MockClient>) -> Self {
        self.clients = Some(clients);
        self
    }

    /// The users of the default realm, in place of those of its policy, and of those that every realm has.
    #[must_use]
    pub fn users(mut self, users: Vec<MockUser>) -> Self {
        self.users = Some(users);
        self
    }

    /// Starts the server; it accepts connections when this returns.
    ///
    /// # Errors
    /// [`MockError::Listen`], [`MockError::Thread`]; [`MockError::Unknown`] and [`MockError::Patch`] for what was asked for by name.
    // Nothing is awaited, but callers in asynchronous code need not know that.
    #[expect(clippy::unused_async, reason = "the signature leaves room for starting up asynchronously")]
    pub async fn start(self) -> Result<MockServer, MockError> {
        self.start_blocking()
    }

    /// Starts the server from code that is not asynchronous.
    ///
    /// # Errors
    /// As [`MockBuilder::start`].
    pub fn start_blocking(self) -> Result<MockServer, MockError> {
        let policies = self.resolved()?;
        let failed = |error| MockError::Listen(self.listen, error);
        let listener = TcpListener::bind(self.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        #[cfg(feature = "tls")]
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        #[cfg(not(feature = "tls"))]
        let scheme = "http";
        let base_url =
            self.public_url.map_or_else(|| format!("{scheme}://{address}"), |url| url.trim_end_matches('/').to_owned());
        let rules = Rules {
            open_control: self.control_token.is_none() && address.ip().is_loopback(),
            control_token: self.control_token.map(Arc::from),
            on_first_use: self.on_first_use,
            idle: self.realm_idle,
            limit: self.realm_limit,
        };
        let mut spec = RealmSpec {
            policies,
            seed: self.seed,
            journal: self.journal,
            login_help: self.login_help,
            ..RealmSpec::new(DEFAULT)
        };
        spec.clients = self.clients.unwrap_or_default();
        spec.users = self.users.unwrap_or_default();
        for script in &self.scripts {
            spec.policies = spec.policies.with_scripts(script.patches())?;
        }
        let realms = Arc::new(Realms::new(base_url, spec.clone(), rules));
        let realm = realms.establish(spec)?;
        let (stop, stopped) = oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(MockError::Thread)?;
        let serving = Serving {
            realms: Arc::clone(&realms),
            access: self.access,
            #[cfg(feature = "tls")]
            tls: self.tls.map(|tls| tokio_rustls::TlsAcceptor::from(tls.config())),
        };
        let run = move || runtime.block_on(edge::serve(listener, serving, stopped));
        let thread = thread::Builder::new().name("oauthspec-mock".into()).spawn(run).map_err(MockError::Thread)?;
        Ok(MockServer { address, realms, realm, on_drop: self.on_drop, stop: Some(stop), thread: Some(thread) })
    }
}
