//! `oauthspec mock`: the mock on its own, until it is stopped.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as _;
use url::Url;

use super::error::Error;
use super::exit::Exit;
use super::mock_args::{MockArgs, TlsArgs};
use super::session;
use super::values::{AccessLog, ReadyFormat, Switch};
use crate::mock::{
    Access, ClientKind as MockKind, JournalLimits, MockBuilder, MockClient, MockServer, MockUser, RealmSpec, Tls, TlsError,
    is_loopback,
};
use crate::policy::{Patch, PatchKind, PolicySet, Script};
use crate::problem::{Source, nearest};
use crate::target::config::{Config, MockConfig, MockRealm, MockTls, RealmClient};
use crate::target::{ClientKind, User};

/// How long requests that are under way may take, where nothing is said.
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn mock(args: &MockArgs) -> Result<Exit, Error> {
    no_slips(std::env::vars_os().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.into_string().ok()))?;
    let config = settings(args)?;
    session::runtime()?.block_on(serve(args, config))
}

async fn serve(args: &MockArgs, config: MockConfig) -> Result<Exit, Error> {
    let grace = config.grace.unwrap_or(GRACE);
    let public_url = config.public_url.clone();
    // Before anybody is told that it is ready: a signal that comes then finds it listening.
    let mut signals = Signals::new()?;
    let server = start(args, config).await?;
    warn_of_issuers(&server, public_url.as_deref());
    ready(args.format.unwrap_or_default(), &server)?;
    tokio::select! {
        () = signals.next() => {}
        () = input_ended(), if args.until_stdin_ends.unwrap_or_default() => {}
    }
    report_unmatched(&server);
    let (tell, stopped) = tokio::sync::oneshot::channel::<()>();
    // It blocks until the last request is done, or the time is up: on a thread that nobody has to wait for.
    std::thread::spawn(move || {
        server.stop(grace);
        drop(tell);
    });
    tokio::select! {
        // What computes and does not listen is not waited for.
        _ = tokio::time::timeout(grace.saturating_add(Duration::from_secs(1)), stopped) => Ok(Exit::Ok),
        // Whoever asks twice does not want to wait.
        () = signals.next() => Ok(Exit::Interrupted),
    }
}

/// Refuses variables of the environment that are meant for the mock and that nobody reads.
fn no_slips(names: impl Iterator<Item = String>) -> Result<(), Error> {
    let command = MockArgs::augment_args(clap::Command::new("mock"));
    let known: Vec<&str> = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).collect();
    let mut slips = names.filter(|name| name.starts_with("OAUTHSPEC_MOCK_") && !known.contains(&name.as_str()));
    if let Some(name) = slips.next() {
        let help = nearest(&name, known.iter().copied()).map(|near| format!("did you mean {near}?"));
        let message = format!("the environment variable {name} is no option of the mock");
        return Err(Error::Usage {
            message,
            help: help.or_else(|| Some("`oauthspec mock --help` names the options".to_owned())),
        });
    }
    Ok(())
}

/// `[mock]` of the configuration, with what is given on the command line or in the environment in its place.
fn settings(args: &MockArgs) -> Result<MockConfig, Error> {
    let mut config = match &args.config {
        Some(path) => configured(path)?,
        None => MockConfig::default(),
    };
    let MockArgs { behaviour, realms, .. } = args;
    config.listen = args.listen.or(config.listen);
    config.public_url = args.public_url.clone().or(config.public_url);
    config.control_token = args.control_token.clone().or(config.control_token);
    config.access_log = args.access_log.map(|form| form.name().to_owned()).or(config.access_log);
    config.grace = args.grace.or(config.grace);
    config.login_help = behaviour.login_help.map(Switch::is_on).or(config.login_help);
    config.realm_idle = realms.realm_idle.or(config.realm_idle);
    config.realm_limit = realms.realm_limit.or(config.realm_limit);
    config.realms_on_first_use = realms.realms_on_first_use.unwrap_or(config.realms_on_first_use);
    config.journal_entries = realms.journal_entries.or(config.journal_entries);
    config.tls = tls_settings(&args.tls, config.tls);
    let realm = &mut config.realm;
    realm.profile = behaviour.profile.clone().or(realm.profile.take());
    realm.script = behaviour.script.clone().or(realm.script.take());
    realm.seed = behaviour.seed.or(realm.seed);
    for (given, known) in [(&behaviour.variant, &mut realm.variants), (&behaviour.fault, &mut realm.faults)] {
        if !given.is_empty() {
            *known = Some(given.clone());
        }
    }
    for (option, wrong) in
        [("--realm-limit", config.realm_limit == Some(0)), ("--realm-idle", config.realm_idle == Some(Duration::ZERO))]
    {
        if wrong {
            let help = Some("leave it out for the default".to_owned());
            return Err(Error::Usage { message: format!("{option} is more than 0"), help });
        }
    }
    Ok(config)
}

async fn start(args: &MockArgs, config: MockConfig) -> Result<MockServer, Error> {
    let address = config.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    if !address.ip().is_loopback() && config.control_token.as_deref().is_none_or(str::is_empty) {
        let message = format!("{address} is reached from other machines, and nothing guards the control API there");
        let help = "give --control-token TOKEN (or OAUTHSPEC_MOCK_CONTROL_TOKEN), or listen on 127.0.0.1";
        return Err(Error::Usage { message, help: Some(help.to_owned()) });
    }
    let seed = config.realm.seed.unwrap_or_else(session::fresh_seed);
    let limits = JournalLimits::default();
    let journal = JournalLimits {
        entries: config.journal_entries.unwrap_or(limits.entries),
        bytes: config.journal_bytes.unwrap_or(limits.bytes),
    };
    let mut builder =
        MockServer::builder().policies(over(&PolicySet::strict(), &config.realm)?).seed(seed).listen(address).journal(journal);
    // What a test expects over the control API it asks for there; nobody reads a panic of this process.
    builder = builder.without_verification();
    if let Some(url) = &config.public_url {
        builder = builder.public_url(url);
    }
    if let Some(token) = &config.control_token {
        builder = builder.control_token(token);
    }
    if let Some(idle) = config.realm_idle {
        builder = builder.realm_idle(idle);
    }
    if let Some(limit) = config.realm_limit {
        builder = builder.realm_limit(limit);
    }
    if config.realms_on_first_use {
        builder = builder.realms_on_first_use();
    }
    if config.login_help.unwrap_or(args.format != Some(ReadyFormat::Json)) {
        builder = builder.login_help();
    }
    if let Some(form) = config.access_log.as_deref().and_then(AccessLog::named) {
        builder = builder.on_access(move |access| log(form, access));
    }
    if let Some(tls) = &config.tls {
        builder = builder.tls(certificate(tls, address, config.public_url.as_deref())?);
    }
    builder = with_people(builder, &config.realm);
    let server = builder.start().await.map_err(|error| usage(&error))?;
    for realm in &config.realms {
        // Whoever wrote it down wants it to stay, however idle it is.
        server.establish(specified(&server, realm)?).map_err(|error| usage(&error))?;
    }
    Ok(server)
}

/// Comes back when the standard input has ended.
async fn input_ended() {
    let (tell, ended) = tokio::sync::oneshot::channel::<()>();
    // A thread that nobody waits for: reading cannot be called off.
    std::thread::spawn(move || {
        // An input that cannot be read has ended.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(tell);
    });
    let _ended = ended.await;
}

/// Issuers that clients elsewhere cannot reach, though they are meant to: the address or the public URL says so.
fn warn_of_issuers(server: &MockServer, public_url: Option<&str>) {
    let mut warnings = Vec::new();
    match public_url {
        None if server.address().ip().is_unspecified() => warnings.push(format!(
            "the issuer is {}, which clients on other machines cannot reach; give --public-url with the name by which they know this one",
            server.issuer()
        )),
        Some(url) if !is_of_this_machine(url) => {
            let local = server.realms().into_iter().filter(|realm| is_of_this_machine(realm.issuer()));
            warnings.extend(local.map(|realm| {
                format!(
                    "the issuer of realm {} is {}, beside the public URL {url}; set `issuer.host` by a script (docs/mock.md, Two hosts)",
                    realm.name(),
                    realm.issuer()
                )
            }));
        }
        _ => {}
    }
    for warning in warnings {
        // Nobody may be listening any more.
        let _ = writeln!(anstream::stderr(), "warning: {warning}");
    }
}

/// Whether a URL leads to whichever machine it is used on.
fn is_of_this_machine(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

/// Rules of scripts that never applied, each with its nearest miss: most likely they say something else than was meant.
fn report_unmatched(server: &MockServer) {
    let mut err = anstream::stderr();
    for realm in server.realms() {
        for rule in realm.unmatched() {
            // Nobody may be listening any more.
            let _ = writeln!(err, "realm {}: {rule}", realm.name());
        }
    }
}

/// What the process is asked to stop by.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Comes back when it is asked, each time.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What the process is asked to stop by.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn new() -> Result<Self, Error> {
        Ok(Self)
    }

    /// Comes back when it is asked, each time.
    async fn next(&mut self) {
        // Without a way to hear of Ctrl-C the process ends by the signal itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// One line, flushed, so that whoever started it can read it and go on.
fn ready(format: ReadyFormat, server: &MockServer) -> Result<(), Error> {
    let mut out = anstream::stdout();
    let control = format!("{}/_oauthspec/", server.base_url());
    match format {
        ReadyFormat::Json => writeln!(out, "{}", serde_json::json!({ "issuer": server.issuer(), "control": control }))?,
        ReadyFormat::Text => {
            let realm = server.realm();
            writeln!(out, "issuer {}", server.issuer())?;
            writeln!(out, "control {control}")?;
            for client in realm.clients() {
                let secret = client.client_secret.as_deref().unwrap_or("-");
                writeln!(out, "client {} secret {secret} ({})", client.client_id, client.auth_method)?;
            }
            for user in realm.users() {
                writeln!(out, "user {} password {}", user.username, user.password)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// A line to standard error. Nobody can be told that it cannot be written.
fn log(form: AccessLog, access: &Access) {
    let at = time::OffsetDateTime::from(access.at).format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    let micros = access.took.as_micros();
    let line = match form {
        AccessLog::Lines => {
            let status = access.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            format!("{at} {} {} {} {status} {micros}us", access.peer, access.method, access.target)
        }
        AccessLog::Json => serde_json::json!({
            "at": at, "peer": access.peer.to_string(), "method": access.method, "target": access.target,
            "status": access.status, "took_us": u64::try_from(micros).unwrap_or(u64::MAX),
        })
        .to_string(),
    };
    let _unheard = writeln!(anstream::stderr(), "{}", crate::report::text::visible(&line));
}

/// `[mock]`, or the clients and users of `[server]`, so that the mock can stand in for the server that it describes.
fn configured(path: &Path) -> Result<MockConfig, Error> {
    let config: Config = session::load(path)?;
    if let Some(mock) = config.mock {
        return Ok(mock);
    }
    let Some(server) = config.server else {
        let message = format!("{} has neither [mock] nor a [server] with clients and users", path.display());
        return Err(Error::Usage { message, help: None });
    };
    let realm = MockRealm {
        clients: Some(server.clients.into_iter().map(RealmClient::from).collect::<Vec<_>>())
            .filter(|clients| !clients.is_empty()),
        users: Some(server.users.into_iter().map(|user| (user, serde_json::Map::new())).collect::<Vec<_>>())
            .filter(|users| !users.is_empty()),
        ..MockRealm::default()
    };
    Ok(MockConfig { realm, ..MockConfig::default() })
}

fn tls_settings(args: &TlsArgs, config: Option<MockTls>) -> Option<MockTls> {
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    match (args.tls, files) {
        (_, Some(files)) => Some(MockTls { files: Some(files), ..MockTls::default() }),
        (Some(false), None) => None,
        (asked, None) => {
            let known = config.or_else(|| (asked.is_some() || args.tls_ca_out.is_some()).then(MockTls::default))?;
            Some(MockTls { ca_out: args.tls_ca_out.clone().or(known.ca_out.clone()), ..known })
        }
    }
}

fn certificate(settings: &MockTls, address: SocketAddr, public_url: Option<&str>) -> Result<Tls, Error> {
    let unusable = |error: &dyn std::error::Error| Error::Usage { message: error.to_string(), help: None };
    if let Some((certificate, key)) = &settings.files {
        return Tls::from_pem(&read(certificate)?, &read(key)?).map_err(|error| {
            let file = match &error {
                TlsError::Certificate(_) => certificate.display().to_string(),
                TlsError::Key(_) => key.display().to_string(),
                _ => format!("{} and {}", certificate.display(), key.display()),
            };
            Error::Usage { message: format!("{file}: {error}"), help: None }
        });
    }
    let mut names = settings.names.clone();
    names.extend((!address.ip().is_unspecified()).then(|| address.ip().to_string()));
    let public = public_url.and_then(|url| Url::parse(url).ok()).and_then(|url| url.host_str().map(str::to_owned));
    names.extend(public.map(|host| host.trim_matches(['[', ']']).to_owned()));
    let tls = Tls::generate(names).map_err(|error| unusable(&error))?;
    if let (Some(path), Some(authority)) = (&settings.ca_out, tls.authority()) {
        fs::write(path, authority).map_err(|source| Error::File { doing: "write", path: path.clone(), source })?;
    }
    Ok(tls)
}

/// What a realm decides by: what is said of it in place of what these policies have of the same kind, its script over it.
fn over(policies: &PolicySet, realm: &MockRealm) -> Result<PolicySet, Error> {
    let ids = |ids: &Option<Vec<String>>| ids.clone().unwrap_or_default();
    let patches = session::patches(realm.profile.as_deref(), &ids(&realm.variants), &ids(&realm.faults))?;
    let said = [
        (PatchKind::Profile, realm.profile.is_some()),
        (PatchKind::Variant, realm.variants.is_some()),
        (PatchKind::Fault, realm.faults.is_some()),
    ];
    let of = |kind: PatchKind| patches.iter().filter(|patch| patch.kind == kind).cloned().collect();
    let chosen: Vec<_> = said.into_iter().filter(|(_, said)| *said).map(|(kind, _)| (kind, of(kind))).collect();
    let set = policies.with_kinds(&chosen).map_err(|error| usage(&error))?;
    let Some(path) = &realm.script else { return Ok(set) };
    set.without_scripts(None).with_scripts(&script(path)?).map_err(|error| usage(&error))
}

/// A further realm, like the default one where nothing is said.
fn specified(server: &MockServer, realm: &MockRealm) -> Result<RealmSpec, Error> {
    let mut spec = server.like_default(&realm.name);
    spec.policies = over(&spec.policies, realm)?;
    spec.seed = realm.seed.unwrap_or(spec.seed);
    if let Some(clients) = &realm.clients {
        spec.clients = clients.iter().map(client).collect();
    }
    if let Some(users) = &realm.users {
        spec.users = users.iter().map(user).collect();
    }
    Ok(spec)
}

fn with_people(mut builder: MockBuilder, realm: &MockRealm) -> MockBuilder {
    if let Some(clients) = &realm.clients {
        builder = builder.clients(clients.iter().map(client).collect());
    }
    if let Some(users) = &realm.users {
        builder = builder.users(users.iter().map(user).collect());
    }
    builder
}

fn user((user, claims): &(User, serde_json::Map<String, serde_json::Value>)) -> MockUser {
    MockUser { username: user.username.clone(), password: user.password.clone(), claims: claims.clone() }
}

fn client(of_realm: &RealmClient) -> MockClient {
    let client = &of_realm.client;
    MockClient {
        client_id: client.client_id.clone(),
        client_secret: client.client_secret.clone(),
        auth_method: client.auth_method.name().to_owned(),
        redirect_uris: client.redirect_uris.clone(),
        grant_types: client.grant_types.clone(),
        scopes: client.scopes.clone(),
        kind: match client.kind {
            ClientKind::Web => MockKind::Web,
            ClientKind::Native => MockKind::Native,
        },
        may_introspect: client.may_introspect,
        require_par: of_realm.require_par,
        metadata: of_realm.metadata.clone(),
        ..MockClient::default()
    }
}

fn script(path: &Path) -> Result<Vec<Patch>, Error> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let source = Source::new(path.display().to_string(), text);
    Ok(Script::parse(&source).map_err(Error::Problems)?.patches().to_vec())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { doing: "read", path: PathBuf::from(path), source })
}

fn usage(error: &dyn std::error::Error) -> Error {
    let source = error.source().map_or_else(String::new, |source| format!(": {source}"));
    Error::Usage { message: format!("{error}{source}"), help: None }
}
