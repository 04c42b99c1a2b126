//! `oauthspec mock`: the mock on its own, until it is stopped.

use std::io::Write as _;
use std::path::Path;

use super::args::MockArgs;
use super::error::Error;
use super::exit::Exit;
use super::session;
use super::values::ReadyFormat;
use crate::mock::{ClientKind as MockKind, MockBuilder, MockClient, MockServer, MockUser};
use crate::policy::{PolicySet, Script};
use crate::problem::Source;
use crate::target::{Client, ClientKind, User};

pub(super) fn mock(args: &MockArgs) -> Result<Exit, Error> {
    let set = session::policy_set(&session::patches(args.profile.as_deref(), &args.variant, &args.fault)?)?;
    let script = args.script.as_deref().map(script).transpose()?;
    session::runtime()?.block_on(serve(args, set, script))
}

async fn serve(args: &MockArgs, policies: PolicySet, script: Option<Script>) -> Result<Exit, Error> {
    let seed = args.seed.unwrap_or_else(session::fresh_seed);
    let mut builder = MockServer::builder().policies(policies).seed(seed).without_verification();
    if let Some(script) = script {
        builder = builder.script(script);
    }
    if let Some(address) = args.listen {
        builder = builder.listen(address);
    }
    if let Some(url) = &args.public_url {
        builder = builder.public_url(url);
    }
    if let Some(token) = &args.control_token {
        builder = builder.control_token(token);
    }
    if let Some(path) = &args.config {
        builder = configured(builder, path)?;
    }
    let server = builder.start().await.map_err(|error| Error::Usage { message: error.to_string(), help: None })?;
    ready(args.format.unwrap_or_default(), &server)?;
    stopped(args).await;
    report_unmatched(&server);
    Ok(Exit::Ok)
}

/// Waits for Ctrl-C, and for the end of the standard input where that counts.
async fn stopped(args: &MockArgs) {
    let (tell, ended) = tokio::sync::oneshot::channel::<()>();
    let held = if args.until_stdin_ends {
        // A thread that nobody waits for: reading cannot be called off.
        std::thread::spawn(move || {
            // An input that cannot be read has ended.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            drop(tell);
        });
        None
    } else {
        Some(tell)
    };
    tokio::select! {
        // Without a way to hear of Ctrl-C the process ends by the signal itself.
        _ = tokio::signal::ctrl_c() => {}
        _ = ended => {}
    }
    drop(held);
}

/// Rules of the script that never applied, each with its nearest miss: most likely they say something else than was meant.
fn report_unmatched(server: &MockServer) {
    let mut err = anstream::stderr();
    for rule in server.unmatched() {
        // Nobody may be listening any more.
        let _ = writeln!(err, "{rule}");
    }
}

/// One line, flushed, so that whoever started it can read it and go on.
fn ready(format: ReadyFormat, server: &MockServer) -> Result<(), Error> {
    let mut out = anstream::stdout();
    match format {
        ReadyFormat::Json => {
            let line = serde_json::json!({ "issuer": server.issuer(), "control": format!("{}/_oauthspec/", server.base_url()) });
            writeln!(out, "{line}")?;
        }
        ReadyFormat::Text => {
            let realm = server.realm();
            writeln!(out, "issuer {}", server.issuer())?;
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

/// Clients and users as under `[server]` of a configuration, so that the mock can stand in for the server that it describes.
fn configured(mut builder: MockBuilder, path: &Path) -> Result<MockBuilder, Error> {
    let Some(server) = session::load(path)?.server else {
        let message = format!("{} has no [server] with clients and users", path.display());
        return Err(Error::Usage { message, help: None });
    };
    if !server.clients.is_empty() {
        builder = builder.clients(server.clients.into_iter().map(client).collect());
    }
    if !server.users.is_empty() {
        let user = |user: User| MockUser { username: user.username, password: user.password, ..MockUser::default() };
        builder = builder.users(server.users.into_iter().map(user).collect());
    }
    Ok(builder)
}

fn client(client: Client) -> MockClient {
    MockClient {
        client_id: client.client_id,
        client_secret: client.client_secret,
        auth_method: client.auth_method.name().to_owned(),
        redirect_uris: client.redirect_uris,
        grant_types: client.grant_types,
        scopes: client.scopes,
        kind: match client.kind {
            ClientKind::Web => MockKind::Web,
            ClientKind::Native => MockKind::Native,
        },
        may_introspect: client.may_introspect,
        ..MockClient::default()
    }
}

fn script(path: &Path) -> Result<Script, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { doing: "read", path: path.to_owned(), source })?;
    Script::parse(&Source::new(path.display().to_string(), text)).map_err(Error::Problems)
}
