//! `oauthspec.toml`, read and checked: what leaves here makes sense and needs no further look at the file.

mod check;
mod client;
mod file;
mod mock;
mod mock_file;
mod server;
mod template;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use client::CLIENT_FEATURES;
pub use mock::{MockConfig, MockRealm, MockTls, RealmClient};
use serde_json::Value;
pub use template::template;
use time::Date;

use super::login::Login;
use super::{AuthMethod, Client, Endpoints, Lifetimes, User};
use crate::problem::{Problem, Source};

/// The name of the file.
pub const FILE_NAME: &str = "oauthspec.toml";

/// A configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub source: Arc<Source>,
    /// `[server]`
    pub server: Option<ServerConfig>,
    /// `[client]`
    pub client: Option<ClientConfig>,
    /// `[mock]`
    pub mock: Option<MockConfig>,
    /// `[[waivers]]`
    pub waivers: Vec<Waiver>,
}

/// `[server]`: the authorization server under test.
#[derive(Debug, Clone, Default)]
pub struct ServerConfig {
    /// For reports.
    pub name: Option<String>,
    /// Where its metadata is looked for.
    pub issuer: Option<String>,
    /// What wins over metadata.
    pub endpoints: Endpoints,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// For targets that need care.
    pub limits: Limits,
    /// What discovery cannot tell.
    pub features: BTreeMap<String, Value>,
    /// Certificates that are trusted beside those of the platform.
    pub ca_file: Option<PathBuf>,
    /// Its clients.
    pub clients: Vec<Client>,
    /// Its users; the first is the default.
    pub users: Vec<User>,
    /// How to log in.
    pub login: Login,
}

/// `[server.limits]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many scenarios run at once.
    pub concurrency: Option<usize>,
    /// The least time between two grants.
    pub min_interval: Option<Duration>,
    /// The limit of one exchange.
    pub timeout: Option<Duration>,
}

/// `[client]`: the client under test.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// What it is.
    pub kind: DrivenKind,
    /// How the mock registers it.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// How it authenticates, where it is said.
    pub auth_method: Option<AuthMethod>,
    /// Its redirect URIs; empty: the first loopback one it sends is pinned.
    pub redirect_uris: Vec<String>,
    /// The grants it may use.
    pub grant_types: Vec<String>,
    /// The scope tokens it may ask for.
    pub scopes: Vec<String>,
    /// Where a login starts.
    pub start_url: Option<String>,
    /// What makes it use its token.
    pub api_url: Option<String>,
    /// What ends its session.
    pub logout_url: Option<String>,
    /// How success looks.
    pub success: Success,
    /// Run once per scenario.
    pub command: Vec<String>,
    /// Starts the web application.
    pub serve: Option<Serve>,
    /// Its environment, with `{issuer}`, `{client_id}`, `{client_secret}` still in it.
    pub env: Vec<(String, String)>,
    /// Where the mock stands.
    pub listen: Option<SocketAddr>,
    /// What it claims.
    pub features: BTreeMap<String, Value>,
    /// Further issuers that it can use.
    pub issuers: Vec<FurtherIssuer>,
    /// How long a request that may never come is waited for, where the client gave no answer.
    pub quiet: Duration,
    /// The folder of the file: commands run here.
    pub folder: PathBuf,
}

/// How long a request that may never come is waited for, where a client gives no answer and nothing else is configured.
pub const QUIET: Duration = Duration::from_millis(300);

/// A further issuer of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherIssuer {
    /// Where a login with it starts.
    pub start_url: String,
    /// Redirect URIs that belong to it alone (RFC 9700 section 4.4.2.2); empty: the client has the same ones everywhere.
    pub redirect_uris: Vec<String>,
}

/// What a client under test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrivenKind {
    /// A web application; the harness is the browser.
    Web,
    /// A program that opens a browser.
    Native,
    /// A script around a library.
    Script,
}

/// How success of a client looks. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Success {
    /// The status of the last page.
    pub status: Option<u16>,
    /// What stands on it.
    pub contains: Option<String>,
}

/// How the web application is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Answers once it is ready.
    pub ready_url: String,
    /// Whether it is started anew for every scenario (`per-scenario`), else once (`per-run`).
    pub restart: Restart,
}

/// When a served application is started anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Restart {
    /// Once in a run.
    #[default]
    PerRun,
    /// For every scenario.
    PerScenario,
}

/// An excuse for known failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// A glob on ids, or `id#check`.
    pub scenario: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, UTC.
    pub expires: Option<Date>,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There are mistakes in it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Problem>),
}

impl Config {
    /// The nearest `oauthspec.toml`, from that folder upward.
    #[must_use]
    pub fn find(start: &Path) -> Option<PathBuf> {
        let start = start.canonicalize().unwrap_or_else(|_| start.to_owned());
        start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
    }

    /// Reads a file. Secrets come from the environment and from files beside it.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let source = Source::new(path.display().to_string(), text);
        // Absolute, since programs are started in it: what is relative to it must not be so once more.
        let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = folder.parent().unwrap_or(Path::new("."));
        Self::parse(&source, folder, &|name| std::env::var(name).ok()).map_err(ConfigError::Invalid)
    }

    /// Reads a text. Relative paths start at `folder`; `env` gives environment variables.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn parse(source: &Arc<Source>, folder: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let file: file::File = toml::from_str(&source.text).map_err(|error| vec![check::unknown_key(source, &error)])?;
        let mut checks = check::Checks { source, folder, env, problems: Vec::new() };
        let server = file.server.map(|server| checks.server(server));
        let client = file.client.map(|client| checks.client(client));
        let mock = file.mock.map(|mock| checks.mock(mock));
        let waivers = file.waivers.into_iter().filter_map(|waiver| checks.waiver(waiver)).collect();
        if checks.problems.is_empty() {
            Ok(Self { source: Arc::clone(source), server, client, mock, waivers })
        } else {
            Err(checks.problems)
        }
    }
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(file::File).to_value()
}

#[cfg(test)]
mod tests;
