//! What every verb that reaches out needs: the target or the mock, the wire, the vault, the waivers.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::args::{EmbeddedArgs, ReachArgs, TargetArgs};
use super::data;
use super::error::Error;
use crate::catalog::{Catalogue, Plan};
use crate::mock::MockServer;
use crate::policy::{Library, Patch, PolicySet, UnknownPatch};
use crate::runner::{Keep, MockSource, Pace, Provider, RemoteSource, Stage, TargetInfo, Waiver, Waivers};
use crate::target::config::{Config, ConfigError, ServerConfig};
use crate::target::{AuthMethod, Client, ClientKind, Target, TargetError, User, connect};
use crate::wire::{Show, Vault, Wire, WireError, WireOptions};

/// A target that is ready.
pub(super) struct Session {
    /// Where scenarios find it.
    pub(super) provider: Provider,
    /// All outgoing HTTP.
    pub(super) wire: Wire,
    /// Knows its secrets.
    pub(super) vault: Vault,
    /// For reports.
    pub(super) info: TargetInfo,
    /// How the command line names it.
    pub(super) repeat: String,
    /// What is excused.
    pub(super) waivers: Waivers,
    /// What is odd, and no obstacle.
    pub(super) notes: Vec<String>,
    /// How many scenarios it stands at once, where the configuration says so.
    pub(super) concurrency: Option<usize>,
    /// The least time between two grants, where the configuration says so.
    pub(super) min_interval: Option<Duration>,
}

impl Session {
    /// What scenarios are played with.
    pub(super) fn stage(&self, seed: u64, max_wait: Duration, jobs: usize) -> Stage {
        Stage {
            wire: self.wire.clone(),
            catalogue: Catalogue::embedded(),
            seed,
            max_wait,
            repeat: Arc::from(self.repeat.as_str()),
            keep: Keep::Verdicts,
            pace: Arc::new(Pace::new(self.min_interval)),
            places: Arc::new(tokio::sync::Semaphore::new(jobs.max(1))),
        }
    }
}

/// Makes the target ready: the embedded mock, ISSUER, or `[server]` of the configuration.
pub(super) async fn prepare(
    target: &TargetArgs,
    embedded: &EmbeddedArgs,
    reach: &ReachArgs,
    plan: &Plan,
    show_secrets: bool,
) -> Result<Session, Error> {
    let config = configuration(reach)?;
    let vault = Vault::new(if show_secrets { Show::Secrets } else { Show::Redacted });
    let waivers = waivers(config.as_ref())?;
    match &embedded.mock {
        Some(profile) => mock(profile.as_deref(), embedded, reach, plan, vault, waivers).await,
        None => remote(target, reach, config, vault, waivers).await,
    }
}

/// A runtime for everything that reaches out: two threads, for one run is mostly waiting.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Error::Output)
}

/// A seed that nobody chose.
pub(super) fn fresh_seed() -> u64 {
    // It only has to differ from run to run; the generator for keys takes longer to start than the whole of this. Results hold it as a
    // JSON number: 52 bits survive every reader.
    RandomState::new().hash_one(std::process::id()) >> 12
}

/// Now, RFC 3339 in UTC, to the second.
pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

/// The patches that arguments name, in the order in which they apply.
pub(super) fn patches(profile: Option<&str>, variants: &[String], faults: &[String]) -> Result<Vec<Patch>, Error> {
    let library = Library::embedded();
    let mut out = Vec::new();
    if let Some(id) = profile.filter(|id| *id != "strict") {
        out.push(library.profile(id).map_err(|error| unknown("profile", error))?.clone());
    }
    for id in variants {
        out.push(library.variant(id).map_err(|error| unknown("variant", error))?.clone());
    }
    for id in faults {
        out.push(library.fault(id).map_err(|error| unknown("fault", error))?.clone());
    }
    Ok(out)
}

/// The policy that follows from patches.
pub(super) fn policy_set(patches: &[Patch]) -> Result<PolicySet, Error> {
    PolicySet::new(patches).map_err(|error| Error::Usage { message: error.to_string(), help: None })
}

async fn mock(
    profile: Option<&str>,
    embedded: &EmbeddedArgs,
    reach: &ReachArgs,
    plan: &Plan,
    vault: Vault,
    waivers: Waivers,
) -> Result<Session, Error> {
    // A profile is what it is; the strict mock is conformant to the plan.
    let of_plan: &[String] = if profile.is_none_or(|id| id == "strict") { &plan.mock } else { &[] };
    let variants = [of_plan, &embedded.variant].concat();
    let all = patches(profile, &variants, &embedded.fault)?;
    let claims = policy_set(&patches(profile, &variants, &[])?)?;
    let policies = policy_set(&all)?;
    let server = MockServer::start().await.map_err(|error| Error::Usage { message: error.to_string(), help: None })?;
    // Every realm has the same: known from the start, their spellings are worked out once and not for each scenario.
    server.realm().clients().iter().filter_map(|client| client.client_secret.as_ref()).for_each(|secret| {
        vault.learn("client_secret", secret.as_bytes());
    });
    server.realm().users().iter().for_each(|user| vault.learn("password", user.password.as_bytes()));
    let name = profile.map_or_else(|| "mock".to_owned(), |profile| format!("mock ({profile})"));
    let info = TargetInfo { name: name.clone(), issuer: server.base_url().to_owned() };
    let mut repeat = profile.map_or_else(|| "--mock".to_owned(), |profile| format!("--mock={profile}"));
    embedded.variant.iter().for_each(|id| repeat.push_str(&format!(" --variant {id}")));
    embedded.fault.iter().for_each(|id| repeat.push_str(&format!(" --fault {id}")));
    let options = WireOptions { timeout: reach.timeout.unwrap_or(WireOptions::default().timeout), ..WireOptions::default() };
    Ok(Session {
        provider: Provider::Mock(Arc::new(MockSource { server: Arc::new(server), policies, claims, name })),
        wire: wire(options)?,
        vault,
        info,
        repeat,
        waivers,
        notes: Vec::new(),
        concurrency: None,
        min_interval: None,
    })
}

async fn remote(
    args: &TargetArgs,
    reach: &ReachArgs,
    config: Option<Config>,
    vault: Vault,
    waivers: Waivers,
) -> Result<Session, Error> {
    let mut notes = Vec::new();
    let mut server = server_config(args, reach, config, &mut notes)?;
    if server.issuer.is_none() && server.endpoints.token.is_none() {
        return Err(Error::NoTarget);
    }
    add_arguments(args, &mut server)?;
    learn(&server, &vault);
    let options = WireOptions {
        timeout: reach.timeout.or(server.limits.timeout).unwrap_or(WireOptions::default().timeout),
        ca_file: args.ca_file.clone().or_else(|| server.ca_file.clone()),
        insecure_tls: args.insecure_tls,
        ..WireOptions::default()
    };
    let wire = wire(options)?;
    let connection = connect(&wire, &server, &reach.allow_host).await.map_err(|error| target_error(&error))?;
    let mut target = connection.target;
    notes.extend(connection.notes);
    settle_client(args, &mut target);
    let registration = registration(args, &target)?;
    if registration.is_some() {
        notes.push("no client is configured: each scenario registers its own (RFC 7591)".into());
    }
    let info = TargetInfo { name: target.name.clone(), issuer: target.issuer.clone() };
    let (concurrency, min_interval) = (target.limits.concurrency, target.limits.min_interval);
    Ok(Session {
        provider: Provider::Remote(Arc::new(RemoteSource { target, registration })),
        wire,
        vault,
        info,
        repeat: repeat(args, reach),
        waivers,
        notes,
        concurrency,
        min_interval,
    })
}

/// `[server]` where it is meant: with ISSUER only if it is the same, or if the file was named.
fn server_config(
    args: &TargetArgs,
    reach: &ReachArgs,
    config: Option<Config>,
    notes: &mut Vec<String>,
) -> Result<ServerConfig, Error> {
    let found = config.and_then(|config| config.server.map(|server| (server, config.source)));
    match (&args.issuer, found) {
        (None, Some((server, _))) => Ok(server),
        (None, None) => Err(Error::NoTarget),
        (Some(issuer), None) => Ok(ServerConfig { issuer: Some(issuer.clone()), ..ServerConfig::default() }),
        (Some(issuer), Some((server, source))) => {
            if reach.config.is_some() || server.issuer.as_ref() == Some(issuer) {
                return Ok(ServerConfig { issuer: Some(issuer.clone()), ..server });
            }
            notes.push(format!("{} is about another issuer and not used; name it with --config to use it", source.name));
            Ok(ServerConfig { issuer: Some(issuer.clone()), ..ServerConfig::default() })
        }
    }
}

fn add_arguments(args: &TargetArgs, server: &mut ServerConfig) -> Result<(), Error> {
    if let Some(username) = &args.username {
        let password = args.password.clone().unwrap_or_default();
        server.users.insert(0, User { username: username.clone(), password });
    }
    let Some(client_id) = &args.client_id else { return Ok(()) };
    if args.redirect_uri.is_empty() {
        let help = "add --redirect-uri with one that is registered for it; it need not exist".to_owned();
        return Err(Error::Usage { message: format!("client {client_id} has no redirect URI"), help: Some(help) });
    }
    let client = Client {
        name: client_id.clone(),
        client_id: client_id.clone(),
        client_secret: args.client_secret.clone(),
        auth_method: if args.client_secret.is_some() { AuthMethod::Basic } else { AuthMethod::None },
        redirect_uris: args.redirect_uri.clone(),
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        scopes: args.scope.as_deref().unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        kind: ClientKind::Web,
        may_introspect: args.client_secret.is_some(),
        extra_authorize: Vec::new(),
        extra_token: Vec::new(),
        management: None,
        start_url: None,
    };
    server.clients = vec![client];
    Ok(())
}

/// What only metadata can tell of a client that was given by arguments: whether Basic is on offer, whether tokens are refreshed.
fn settle_client(args: &TargetArgs, target: &mut Target) {
    if args.client_id.is_none() {
        return;
    }
    let list = |name: &str| target.metadata.as_ref().and_then(|m| m.get(name)).and_then(serde_json::Value::as_array).cloned();
    let methods = list("token_endpoint_auth_methods_supported");
    let grants = list("grant_types_supported");
    let offers =
        |list: &Option<Vec<serde_json::Value>>, name: &str| list.as_ref().is_none_or(|all| all.iter().any(|one| one == name));
    for client in &mut target.clients {
        if client.auth_method == AuthMethod::Basic
            && !offers(&methods, "client_secret_basic")
            && offers(&methods, "client_secret_post")
        {
            client.auth_method = AuthMethod::Post;
        }
        client.grant_types.retain(|grant| offers(&grants, grant));
    }
}

/// The scopes for clients that the run registers; `None` where clients are configured.
fn registration(args: &TargetArgs, target: &Target) -> Result<Option<Vec<String>>, Error> {
    if !target.clients.is_empty() {
        return Ok(None);
    }
    if target.endpoints.registration.is_none() {
        let help =
            "give --client-id, --client-secret and --redirect-uri, or write [[server.clients]] (oauthspec init)".to_owned();
        let message = "no client is configured, and the server offers no registration (RFC 7591)".to_owned();
        return Err(Error::Usage { message, help: Some(help) });
    }
    Ok(Some(args.scope.as_deref().unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()))
}

fn learn(server: &ServerConfig, vault: &Vault) {
    for secret in server.clients.iter().filter_map(|client| client.client_secret.as_ref()) {
        vault.learn("client_secret", secret.as_bytes());
    }
    for user in &server.users {
        vault.learn("password", user.password.as_bytes());
    }
}

pub(super) fn configuration(reach: &ReachArgs) -> Result<Option<Config>, Error> {
    let path = match &reach.config {
        Some(path) => Some(path.clone()),
        None => Config::find(Path::new(".")),
    };
    path.map(|path| load(&path)).transpose()
}

/// Reads a configuration.
pub(super) fn load(path: &Path) -> Result<Config, Error> {
    match Config::load(path) {
        Ok(config) => Ok(config),
        Err(ConfigError::Read { path, source }) => Err(Error::File { doing: "read", path, source }),
        Err(ConfigError::Invalid(problems)) => Err(Error::Problems(problems)),
    }
}

/// Waivers that are still in force.
pub(super) fn waivers(config: Option<&Config>) -> Result<Waivers, Error> {
    let today = OffsetDateTime::now_utc().date();
    let all = config.map(|config| config.waivers.as_slice()).unwrap_or_default();
    let standing = all.iter().filter(|waiver| waiver.expires.is_none_or(|last| last >= today));
    let standing = standing.map(|waiver| Waiver { pattern: waiver.scenario.clone(), reason: waiver.reason.clone() });
    Waivers::new(standing.collect()).map_err(|message| Error::Usage { message, help: None })
}

/// How the command line names the target, without its secrets.
fn repeat(args: &TargetArgs, reach: &ReachArgs) -> String {
    let mut parts = Vec::new();
    parts.extend(reach.config.as_ref().map(|path| format!("-c {}", path.display())));
    parts.extend(args.issuer.clone());
    parts.extend(args.client_id.as_ref().map(|id| format!("--client-id {id} --client-secret …")));
    parts.extend(args.redirect_uri.iter().map(|uri| format!("--redirect-uri {uri}")));
    parts.extend(args.scope.as_ref().map(|scope| format!("--scope '{scope}'")));
    parts.extend(args.username.as_ref().map(|name| format!("--username {name} --password …")));
    parts.join(" ")
}

fn unknown(kind: &'static str, error: UnknownPatch) -> Error {
    if data::is_of_reference_client(error.kind, &error.id) {
        let message = format!("`{}` is a {kind} of the reference client, not of the mock", error.id);
        let help = format!(
            "`oauthspec explain {}` says how it is played; `oauthspec list {kind}s` shows the mock's with the role `server`",
            error.id
        );
        return Error::Usage { message, help: Some(help) };
    }
    let nearest = error.help.as_deref().and_then(|help| help.split('`').nth(1)).map(str::to_owned);
    Error::Unknown { kind, id: error.id, nearest }
}

/// All outgoing HTTP.
pub(super) fn wire(options: WireOptions) -> Result<Wire, Error> {
    Wire::new(options).map_err(|error: WireError| Error::Usage { message: error.to_string(), help: None })
}

fn target_error(error: &TargetError) -> Error {
    match error.status() {
        3 => Error::Unreachable { reason: error.to_string(), help: Some("is the issuer right, and is the server up?".into()) },
        _ => Error::Usage { message: error.to_string(), help: None },
    }
}
