//! `[mock]`: the mock authorization server, where it runs on its own.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use toml::Spanned;

use super::check::Checks;
use super::mock_file;
use crate::oauth::is_vschar;
use crate::policy::{ClientEntry, Library, PatchKind, Script};
use crate::problem::Source;
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
    pub clients: Option<Vec<RealmClient>>,
    /// Its users with their claims; `None`: those that every realm has.
    pub users: Option<Vec<(User, Map<String, Value>)>>,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

/// A client of a realm.
#[derive(Debug, Clone)]
pub struct RealmClient {
    /// As at any server.
    pub client: Client,
    /// Whether its authorization requests must be pushed.
    pub require_par: bool,
    /// Further metadata as of a registration.
    pub metadata: Map<String, Value>,
}

impl From<Client> for RealmClient {
    fn from(client: Client) -> Self {
        Self { client, require_par: false, metadata: Map::new() }
    }
}

impl Checks<'_> {
    pub(super) fn mock(&mut self, mock: mock_file::Mock) -> MockConfig {
        let access_log = mock.access_log.as_ref().and_then(|form| self.one_of(form, &["lines", "json"])).map(str::to_owned);
        let realm = MockRealm {
            profile: mock.profile.map(|id| self.patch(PatchKind::Profile, id)),
            variants: Some(self.patches(PatchKind::Variant, mock.variants)).filter(|ids| !ids.is_empty()),
            faults: Some(self.patches(PatchKind::Fault, mock.faults)).filter(|ids| !ids.is_empty()),
            script: mock.script.map(|path| self.script(&path)),
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
            realm_idle: self.idle(mock.realm_idle),
            realm_limit: mock.realm_limit.map(|limit| self.limit(&limit)),
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
            name: self.realm_name(realm.name),
            profile: realm.profile.map(|id| self.patch(PatchKind::Profile, id)),
            variants: realm.variants.map(|ids| self.patches(PatchKind::Variant, ids)),
            faults: realm.faults.map(|ids| self.patches(PatchKind::Fault, ids)),
            script: realm.script.map(|path| self.script(&path)),
            seed: realm.seed,
            clients: realm.clients.map(|clients| self.mock_clients(clients)),
            users: realm.users.map(|users| self.mock_users(users)),
            span,
        }
    }

    /// An id of the embedded library.
    fn patch(&mut self, kind: PatchKind, id: Spanned<String>) -> String {
        let none = kind == PatchKind::Profile && id.get_ref() == "strict";
        if let (Err(unknown), false) = (Library::embedded().of_kind(kind, id.get_ref()), none) {
            let help = unknown.help.unwrap_or_else(|| format!("`oauthspec list {kind}s` shows them"));
            self.problem(id.span(), format!("unknown {kind} `{}`", id.get_ref()), help);
        }
        id.into_inner()
    }

    fn patches(&mut self, kind: PatchKind, ids: Vec<Spanned<String>>) -> Vec<String> {
        ids.into_iter().map(|id| self.patch(kind, id)).collect()
    }

    /// A file of scripts without mistakes.
    fn script(&mut self, path: &Spanned<String>) -> PathBuf {
        let file = self.readable(path);
        // What cannot be read was told.
        let text = std::fs::read(&file).unwrap_or_default();
        let source = Source::new(file.display().to_string(), String::from_utf8_lossy(&text).into_owned());
        if let Err(problems) = Script::parse(&source) {
            self.problems.extend(problems);
        }
        file
    }

    /// The path of a file that can be read.
    fn readable(&mut self, path: &Spanned<String>) -> PathBuf {
        let file = self.path(path.get_ref());
        if let Err(error) = std::fs::File::open(&file) {
            self.problem(path.span(), format!("cannot read {}: {error}", file.display()), "paths are relative to this file");
        }
        file
    }

    fn realm_name(&mut self, name: Spanned<String>) -> String {
        if !crate::policy::is_realm_name(name.get_ref()) {
            let help = "use up to 128 letters, digits, `-`, `_`, `.`, `~`, beginning with a letter or digit";
            self.problem(name.span(), format!("`{}` cannot name a realm", name.get_ref()), help);
        }
        name.into_inner()
    }

    fn limit(&mut self, limit: &Spanned<usize>) -> usize {
        if *limit.get_ref() == 0 {
            self.problem(limit.span(), "`realm_limit` is at least 1", "the default realm is one");
        }
        *limit.get_ref()
    }

    fn idle(&mut self, text: Option<Spanned<String>>) -> Option<Duration> {
        let span = text.as_ref().map(Spanned::span);
        let idle = self.duration(text);
        if let (Some(Duration::ZERO), Some(span)) = (idle, span) {
            self.problem(span, "`realm_idle` is longer than nothing", "leave it out to keep realms for ever");
        }
        idle
    }

    fn mock_clients(&mut self, clients: Vec<Spanned<mock_file::Client>>) -> Vec<RealmClient> {
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        for client in clients {
            let table = client.span();
            let (mut known, require_par, metadata) = client.into_inner().parts();
            let grants = || ClientEntry::usual_grants(known.client_secret.as_ref());
            known.grant_types = Some(known.grant_types.take().unwrap_or_else(grants));
            let scopes = || ClientEntry::usual_scopes().into_iter().map(|scope| Spanned::new(table.clone(), scope)).collect();
            known.scopes = Some(known.scopes.take().unwrap_or_else(scopes));
            let (client, place) = self.registered(Spanned::new(table, known));
            if !client.client_id.bytes().all(is_vschar) {
                let help = "RFC 6749 appendix A.1 allows no others";
                self.problem(place.clone(), "a client identifier has printable ASCII characters only", help);
            }
            if !seen.insert(client.client_id.clone()) {
                let message = format!("two clients have the client_id `{}`", client.client_id);
                self.problem(place, message, "give each an identifier of its own");
            }
            out.push(RealmClient { client, require_par, metadata });
        }
        out
    }

    fn mock_users(&mut self, users: Vec<mock_file::MockUser>) -> Vec<(User, Map<String, Value>)> {
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        for user in users {
            let place = user.username.span();
            let username = self.secret(user.username);
            let password = user.password.map_or_else(|| username.clone(), |password| self.secret(password));
            if username.is_empty() {
                self.problem(place.clone(), "a user name has at least one character", "username = \"alice\"");
            }
            if !seen.insert(username.clone()) {
                self.problem(place, format!("two users are named `{username}`"), "give each a `username` of its own");
            }
            out.push((User { username, password }, user.claims));
        }
        out
    }

    fn mock_tls(&mut self, tls: Spanned<mock_file::Tls>) -> MockTls {
        let span = tls.span();
        let tls = tls.into_inner();
        let files = match (tls.cert, tls.key) {
            (Some(cert), Some(key)) => Some((self.readable(&cert), self.readable(&key))),
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
