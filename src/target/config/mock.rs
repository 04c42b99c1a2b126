//! `[mock]`: the mock authorization server, where it runs on its own.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use toml::Spanned;

use super::check::Checks;
use super::file;
use super::mock_file;
use crate::policy::ClientEntry;
use crate::target::{Client, User};

/// `[mock]`
#[derive(Debug, Clone, Default)]
pub struct MockConfig {
    /// Where it listens.
    pub listen: Option<SocketAddr>,
    /// The URL under which others reach it.
    pub public_url: Option<String>,
    /// What the control API asks for.
    pub control_token: Option<String>,
    /// Whether the login page lets a person pick a user, deny, or choose an error.
    pub login_help: Option<bool>,
    /// `lines` or `json`.
    pub access_log: Option<String>,
    /// How long requests that are under way may take when it is stopped.
    pub grace: Option<Duration>,
    /// After what time without use a realm is forgotten.
    pub realm_idle: Option<Duration>,
    /// How many realms there may be.
    pub realm_limit: Option<usize>,
    /// Whether the first request to a path makes its realm.
    pub realms_on_first_use: bool,
    /// How many exchanges a realm remembers.
    pub journal_entries: Option<usize>,
    /// How many bytes of exchanges a realm remembers.
    pub journal_bytes: Option<usize>,
    /// How it is reached by TLS.
    pub tls: Option<MockTls>,
    /// The default realm; its name does not count.
    pub realm: MockRealm,
    /// Further realms.
    pub realms: Vec<MockRealm>,
}

/// `[mock.tls]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MockTls {
    /// Files of a certificate and its key; without them one is made.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Names for a certificate that is made.
    pub names: Vec<String>,
    /// Where the authority of a certificate that is made is written.
    pub ca_out: Option<PathBuf>,
}

/// A realm.
#[derive(Debug, Clone, Default)]
pub struct MockRealm {
    /// Its name, and its path.
    pub name: String,
    /// The provider that it behaves like.
    pub profile: Option<String>,
    /// Its variants.
    pub variants: Option<Vec<String>>,
    /// Its faults.
    pub faults: Option<Vec<String>>,
    /// A file of patches that apply at a moment.
    pub script: Option<PathBuf>,
    /// What its codes and tokens are made of.
    pub seed: Option<u64>,
    /// Its clients; `None`: those that every realm has.
    pub clients: Option<Vec<Client>>,
    /// Its users with their claims; `None`: those that every realm has.
    pub users: Option<Vec<(User, Map<String, Value>)>>,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

impl Checks<'_> {
    pub(super) fn mock(&mut self, mock: mock_file::Mock) -> MockConfig {
        let access_log = mock.access_log.as_ref().and_then(|form| self.one_of(form, &["lines", "json"])).map(str::to_owned);
        let realm = MockRealm {
            profile: mock.profile,
            variants: Some(mock.variants).filter(|ids| !ids.is_empty()),
            faults: Some(mock.faults).filter(|ids| !ids.is_empty()),
            script: mock.script.map(|path| self.path(&path)),
            seed: mock.seed,
            clients: Some(self.mock_clients(mock.clients)).filter(|clients| !clients.is_empty()),
            users: Some(self.mock_users(mock.users)).filter(|users| !users.is_empty()),
            ..MockRealm::default()
        };
        let realms: Vec<MockRealm> = mock.realms.into_iter().map(|realm| self.mock_realm(realm)).collect();
        self.realm_names_differ(&realms);
        MockConfig {
            listen: self.address(mock.listen),
            public_url: self.url(mock.public_url),
            control_token: mock.control_token.map(|token| self.secret(token)),
            login_help: mock.login_help,
            access_log,
            grace: self.duration(mock.grace),
            realm_idle: self.duration(mock.realm_idle),
            realm_limit: mock.realm_limit,
            realms_on_first_use: mock.realms_on_first_use,
            journal_entries: mock.journal.entries,
            journal_bytes: mock.journal.bytes,
            tls: mock.tls.map(|tls| self.mock_tls(tls)),
            realm,
            realms,
        }
    }

    fn mock_realm(&mut self, realm: Spanned<mock_file::Realm>) -> MockRealm {
        let span = realm.span();
        let realm = realm.into_inner();
        MockRealm {
            name: realm.name,
            profile: realm.profile,
            variants: realm.variants,
            faults: realm.faults,
            script: realm.script.map(|path| self.path(&path)),
            seed: realm.seed,
            clients: realm.clients.map(|clients| self.mock_clients(clients)),
            users: realm.users.map(|users| self.mock_users(users)),
            span,
        }
    }

    fn mock_clients(&mut self, clients: Vec<Spanned<file::Client>>) -> Vec<Client> {
        let usual = |mut client: Spanned<file::Client>| {
            let place = client.span();
            let known = client.get_mut();
            let grants = || ClientEntry::usual_grants(known.client_secret.as_ref());
            known.grant_types = Some(known.grant_types.take().unwrap_or_else(grants));
            let scopes = || ClientEntry::usual_scopes().into_iter().map(|scope| Spanned::new(place.clone(), scope)).collect();
            known.scopes = Some(known.scopes.take().unwrap_or_else(scopes));
            client
        };
        clients.into_iter().map(usual).map(|client| self.registered(client).0).collect()
    }

    fn mock_users(&mut self, users: Vec<mock_file::MockUser>) -> Vec<(User, Map<String, Value>)> {
        let user = |user: mock_file::MockUser| {
            let (user, claims) = user.parts();
            (self.user(user), claims)
        };
        users.into_iter().map(user).collect()
    }

    fn mock_tls(&mut self, tls: Spanned<mock_file::Tls>) -> MockTls {
        let span = tls.span();
        let tls = tls.into_inner();
        let files = match (tls.cert, tls.key) {
            (Some(cert), Some(key)) => Some((self.path(&cert), self.path(&key))),
            (None, None) => None,
            (Some(_), None) => {
                self.problem(span.clone(), "a certificate needs its key", "add key = \"key.pem\"");
                None
            }
            (None, Some(_)) => {
                self.problem(span.clone(), "a key needs its certificate", "add cert = \"cert.pem\"");
                None
            }
        };
        let ca_out = tls.ca_out.map(|path| self.path(&path));
        if files.is_some() && (ca_out.is_some() || !tls.names.is_empty()) {
            self.problem(span, "`names` and `ca_out` are for a certificate that is made", "remove them, or `cert` and `key`");
        }
        MockTls { files, names: tls.names, ca_out }
    }

    fn realm_names_differ(&mut self, realms: &[MockRealm]) {
        let mut seen = HashSet::from(["default"]);
        for realm in realms.iter().filter(|realm| !seen.insert(&realm.name)) {
            let help = "give each a `name` of its own; what stands in [mock] itself is `default`";
            self.problems.push(
                crate::problem::Problem::new(self.source, realm.span.clone(), format!("two realms are named `{}`", realm.name))
                    .help(help),
            );
        }
    }
}
