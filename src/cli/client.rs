//! `oauthspec client`: the client under test, the mock that it trusts, and the run.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::args::ClientArgs;
use super::error::Error;
use super::exit::Exit;
use super::plan;
use super::rows::Role;
use super::server;
use super::session::{self, Session};
use crate::mock::{ClientKind, MockClient, MockServer};
use crate::runner::{ClientSource, Provider, REFRESH_TOKEN, Site, Subject, TargetInfo};
use crate::target::AuthMethod;
use crate::target::config::{ClientConfig, DrivenKind, QUIET, Success};
use crate::target::driver::PATIENCE;
use crate::wire::{Show, Vault, WireOptions};

pub(super) fn client(args: ClientArgs) -> Result<Exit, Error> {
    let plan = plan::of(args.selection.plan.as_deref())?;
    let selected = server::planned(server::select(&args.selection, Role::Client)?, plan)?;
    session::runtime()?.block_on(async move { server::run(prepare(&args), &args.run, &args.report, plan, selected).await })
}

/// Starts the mock, and makes the client ready.
async fn prepare(args: &ClientArgs) -> Result<Session, Error> {
    let file = session::configuration(&args.reach)?;
    let waivers = session::waivers(file.as_ref())?;
    let config = configured(args, file.and_then(|file| file.client))?;
    let vault = Vault::new(if args.report.show_secrets { Show::Secrets } else { Show::Redacted });
    if let Some(secret) = &config.client_secret {
        vault.learn("client_secret", secret.as_bytes());
    }
    let listen = args.listen.or(config.listen).unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let cannot = |error: crate::mock::MockError| Error::Usage { message: error.to_string(), help: None };
    let server = Arc::new(MockServer::builder().listen(listen).start().await.map_err(cannot)?);
    let attacker = Arc::new(MockServer::start().await.map_err(cannot)?);
    let name = config.client_id.clone().unwrap_or_else(|| "client".into());
    let info = TargetInfo { name: name.clone(), issuer: format!("{}/client", server.base_url()) };
    let repeat = repeat(args);
    // It may itself be waiting for a mock that is slow on purpose.
    let patience = args.reach.timeout.unwrap_or(PATIENCE);
    let options = WireOptions { timeout: patience, ..WireOptions::default() };
    let concurrency = (config.kind == DrivenKind::Web).then_some(1);
    let source = source(config, name, patience, server, attacker);
    Ok(Session {
        provider: Provider::Client(Arc::new(source)),
        wire: session::wire(options)?,
        vault,
        info,
        repeat,
        waivers,
        notes: Vec::new(),
        concurrency,
        min_interval: None,
    })
}

/// The client of the arguments, else of the configuration.
fn configured(args: &ClientArgs, file: Option<ClientConfig>) -> Result<ClientConfig, Error> {
    let mut config = match (args.start_url.as_ref(), args.command.is_empty(), file) {
        (Some(url), ..) => ClientConfig { start_url: Some(url.clone()), ..bare(DrivenKind::Web) },
        (None, false, _) => ClientConfig { command: args.command.clone(), ..bare(DrivenKind::Native) },
        (None, true, Some(config)) => config,
        (None, true, None) => return Err(Error::NoClient),
    };
    if let Some(url) = &args.api_url {
        config.api_url = Some(url.clone());
    }
    if let Some(id) = &args.client_id {
        config.client_id = Some(id.clone());
    }
    if let Some(secret) = &args.client_secret {
        config.client_secret = Some(secret.clone());
    }
    Ok(config)
}

/// A client of which nothing but its kind is known.
fn bare(kind: DrivenKind) -> ClientConfig {
    let env = [("OAUTH_ISSUER", "{issuer}"), ("CLIENT_ID", "{client_id}"), ("CLIENT_SECRET", "{client_secret}")];
    ClientConfig {
        kind,
        client_id: None,
        client_secret: None,
        auth_method: None,
        redirect_uris: Vec::new(),
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        scopes: Vec::new(),
        start_url: None,
        api_url: None,
        logout_url: None,
        success: Success::default(),
        command: Vec::new(),
        serve: None,
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        listen: None,
        features: BTreeMap::new(),
        issuers: Vec::new(),
        quiet: QUIET,
        folder: PathBuf::from("."),
    }
}

fn source(
    config: ClientConfig,
    name: String,
    patience: Duration,
    server: Arc<MockServer>,
    attacker: Arc<MockServer>,
) -> ClientSource {
    let auth_method = match (config.auth_method, &config.client_secret) {
        (Some(AuthMethod::Post), _) => "client_secret_post",
        (Some(AuthMethod::None), _) | (None, None) => "none",
        (Some(AuthMethod::Basic), _) | (None, Some(_)) => "client_secret_basic",
    };
    let usual = ["openid", "profile", "email", "offline_access", "api:read", "api:write"];
    let scopes = if config.scopes.is_empty() { usual.map(str::to_owned).to_vec() } else { config.scopes.clone() };
    let native = config.kind == DrivenKind::Native;
    let client = MockClient {
        client_id: config.client_id.clone().unwrap_or_else(|| "client".into()),
        client_secret: config.client_secret.clone(),
        auth_method: auth_method.into(),
        redirect_uris: config.redirect_uris.clone(),
        grant_types: config.grant_types.clone(),
        scopes,
        kind: if native { ClientKind::Native } else { ClientKind::Web },
        ..MockClient::default()
    };
    let features = features(&config, &client);
    let own = config.issuers.first().map(|issuer| issuer.redirect_uris.clone()).filter(|uris| !uris.is_empty());
    let elsewhere = MockClient { redirect_uris: own.unwrap_or_else(|| client.redirect_uris.clone()), ..client.clone() };
    let subject = match config.kind {
        DrivenKind::Web => Subject::Web {
            site: Site {
                start_urls: config
                    .start_url
                    .into_iter()
                    .chain(config.issuers.into_iter().map(|issuer| issuer.start_url))
                    .collect(),
                api_url: config.api_url,
                logout_url: config.logout_url,
                success: config.success,
            },
            serve: config.serve,
            env: config.env,
            folder: config.folder,
            running: tokio::sync::Mutex::default(),
        },
        DrivenKind::Native | DrivenKind::Script => {
            Subject::Program { command: config.command, env: config.env, folder: config.folder }
        }
    };
    ClientSource {
        server,
        attacker,
        client,
        elsewhere,
        kind: config.kind,
        subject,
        features,
        name,
        quiet: config.quiet,
        patience,
        turn: Arc::default(),
        control: tokio::sync::OnceCell::new(),
        remembered: Arc::default(),
    }
}

/// What it claims, and what follows from its configuration.
fn features(config: &ClientConfig, client: &MockClient) -> BTreeMap<String, Value> {
    // A script does one thing: it renews a token where it is given one.
    let given = config.env.iter().any(|(_, value)| value.contains(REFRESH_TOKEN));
    let refreshes = if config.kind == DrivenKind::Script { given } else { client.may_use("refresh_token") };
    let follows = [
        ("api", config.api_url.is_some()),
        ("logout", config.logout_url.is_some()),
        ("issuers", !config.issuers.is_empty()),
        ("refresh", refreshes),
        ("confidential", client.client_secret.is_some()),
        ("client_secret_basic", client.auth_method == "client_secret_basic"),
        ("shared_redirect_uri", config.issuers.iter().any(|issuer| issuer.redirect_uris.is_empty())),
        ("openid", config.scopes.iter().any(|scope| scope == "openid")),
    ];
    let mut features: BTreeMap<String, Value> =
        follows.iter().filter(|(_, on)| *on).map(|(name, _)| ((*name).to_owned(), Value::from(true))).collect();
    features.extend(config.features.clone());
    features
}

/// The options that name it, and behind ` -- ` its command; secrets are left to whoever repeats it.
fn repeat(args: &ClientArgs) -> String {
    let mut parts = Vec::new();
    parts.extend(args.reach.config.as_ref().map(|path| format!("--config {}", quoted(&path.display().to_string()))));
    parts.extend(args.start_url.as_ref().map(|url| format!("--start-url {}", quoted(url))));
    parts.extend(args.api_url.as_ref().map(|url| format!("--api-url {}", quoted(url))));
    parts.extend(args.client_id.as_ref().map(|id| format!("--client-id {}", quoted(id))));
    parts.extend(args.client_secret.as_ref().map(|_| "--client-secret …".to_owned()));
    parts.extend(args.listen.map(|address| format!("--listen {address}")));
    if !args.command.is_empty() {
        parts.push(String::from("--"));
        parts.extend(args.command.iter().map(|part| quoted(part)));
    }
    parts.join(" ")
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
