//! Clients under test: what is known of one, and the ground that a scenario about it stands on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard, oneshot};
use tokio::task::JoinHandle;

use super::ground::{Clock, Ground, MockSource, NoGround, mock_target};
use super::result::SkipCode;
use crate::mock::{Entry, Mint, MintKind, MockClient, MockServer, Realm, RealmSpec};
use crate::policy::PolicySet;
use crate::reference::{ClientPolicy, Grant, NativeEnd, Settings, WebApp, native, script, unhurried};
use crate::scenario::Scenario;
use crate::target::config::{DrivenKind, Restart, Serve, Success};
use crate::target::driver::{PATIENCE, Program, ProgramEnd, Reaction, Running, Served};
use crate::target::{Client, Home};
use crate::wire::Wire;

/// A client as a target.
#[derive(Debug)]
pub struct ClientSource {
    /// The mock that it trusts.
    pub server: Arc<MockServer>,
    /// The mock of the attacker, on an origin of its own.
    pub attacker: Arc<MockServer>,
    /// How it is registered there.
    pub client: MockClient,
    /// How it is registered at the attacker's, for clients that use several issuers.
    pub elsewhere: MockClient,
    /// What it is.
    pub kind: DrivenKind,
    /// How it is reached.
    pub subject: Subject,
    /// What it claims.
    pub features: BTreeMap<String, Value>,
    /// Its name in reports.
    pub name: String,
    /// How long the harness waits for a sign that may never come, where the client gives no answer.
    pub quiet: Duration,
    /// How long the client may take for each thing that is waited for.
    pub patience: Duration,
    /// A web application has one realm and runs one scenario at a time.
    pub turn: Arc<Mutex<()>>,
    /// Whether a plain run works: of a program, seen once in a run.
    pub control: OnceCell<Result<(), String>>,
    /// What it sent to the issuer that it trusts in all scenarios that are over, for checks over the whole run.
    pub remembered: Arc<std::sync::Mutex<Vec<Arc<Entry>>>>,
}

/// How a client is reached.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a run")]
pub enum Subject {
    /// A web application that runs already, or is started by the harness.
    Web {
        /// Where it is.
        site: Site,
        /// How it is started.
        serve: Option<Serve>,
        /// Its environment, with `{issuer}` and the like still in it.
        env: Vec<(String, String)>,
        /// Where commands run.
        folder: PathBuf,
        /// The application, once it is started.
        running: Mutex<Option<Served>>,
    },
    /// A program.
    Program {
        /// The program and its arguments.
        command: Vec<String>,
        /// Its environment, with `{issuer}` and the like still in it.
        env: Vec<(String, String)>,
        /// Where it runs.
        folder: PathBuf,
    },
    /// The reference client, in this process: a new one for each scenario.
    Reference(Box<ClientPolicy>),
}

/// Where a web application is.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Where a login starts; further issuers behind the first.
    pub start_urls: Vec<String>,
    /// What makes it use its token.
    pub api_url: Option<String>,
    /// What ends its session.
    pub logout_url: Option<String>,
    /// How success looks.
    pub success: Success,
}

/// A client on its ground.
#[derive(Debug)]
pub struct Driven {
    /// What it is.
    pub kind: DrivenKind,
    /// The issuer that it trusts.
    pub realm: Realm,
    /// The attacker's issuer.
    pub attacker: Realm,
    /// Where it is, for a web application.
    pub site: Option<Site>,
    /// How it is run, for a program.
    pub program: Option<Starter>,
    /// The reference client as a web application: it ends with this.
    _app: Option<WebApp>,
    /// The origins of both issuers.
    pub servers: Home,
    /// Where the client may be: this machine, and the hosts of its pages. The browser goes nowhere else.
    pub home: Home,
    /// How long to wait for a sign that may never come.
    pub quiet: Duration,
    /// Where it comes from.
    pub source: Arc<ClientSource>,
    /// Up to which exchange its requests are remembered.
    remembered_to: AtomicU64,
    /// What is over when the scenario is.
    _turn: Option<OwnedMutexGuard<()>>,
}

/// What stands for a refresh token in the environment of a program.
pub const REFRESH_TOKEN: &str = "{refresh_token}";

/// How long the reference client may take: it has time-outs of its own.
pub(super) const REFERENCE_PATIENCE: Duration = unhurried(Duration::from_secs(4));

/// The realm of a web application, and of the attacker.
const REALM: &str = "client";

impl ClientSource {
    /// The ground for a scenario.
    ///
    /// # Errors
    /// Where the client does not offer what the scenario needs, or does not start.
    pub(super) async fn ground(self: &Arc<Self>, scenario: &Scenario, wire: &Wire, tag: &str) -> Result<Ground, NoGround> {
        self.fits(scenario)?;
        let (driven, name) = match &self.subject {
            Subject::Web { site, .. } => {
                let turn = Arc::clone(&self.turn).lock_owned().await;
                let realm = self.realm(&self.server, &self.client, REALM)?;
                let attacker = self.realm(&self.attacker, &self.elsewhere, REALM)?;
                let driven = self.driven(realm, attacker, Some(site.clone()), None, Some(turn));
                if !scenario.needs.fresh {
                    if self.restarts() {
                        driven.stop(wire).await;
                    }
                    self.started(&driven, wire).await?;
                }
                (driven, None)
            }
            Subject::Program { command, env, folder } => {
                let name = super::ground::realm_name(tag);
                let (realm, attacker) =
                    (self.realm(&self.server, &self.client, &name)?, self.realm(&self.attacker, &self.elsewhere, &name)?);
                let env = self.environment(env, &realm, &attacker);
                let program = Program { command: command.clone(), folder: folder.clone(), env, patience: self.patience };
                (self.driven(realm, attacker, None, Some(Starter::Program(program)), None), Some(name))
            }
            Subject::Reference(policy) => {
                let name = super::ground::realm_name(tag);
                let (realm, attacker) =
                    (self.realm(&self.server, &self.client, &name)?, self.realm(&self.attacker, &self.elsewhere, &name)?);
                (self.reference(policy, scenario, realm, attacker).await?, Some(name))
            }
        };
        let source = MockSource {
            server: Arc::clone(&self.server),
            policies: PolicySet::strict(),
            claims: PolicySet::strict(),
            name: self.name.clone(),
        };
        let mut target = mock_target(&source, &driven.realm, wire).await;
        target.claims_only = true;
        target.features = self.features.clone();
        target.features.insert("kind".into(), Value::from(kind_word(self.kind)));
        let known = self.known(driven.site.as_ref());
        target.clients = vec![known.clone()];
        let clients = BTreeMap::from([("client".to_owned(), known)]);
        Ok(Ground {
            target,
            clock: Clock::Realm(driven.realm.clone()),
            clients,
            registered: std::sync::Mutex::default(),
            realm: None,
            driven: Some(Box::new(driven)),
            dropped: name.map(|name| (Arc::clone(self), name)),
        })
    }

    /// The reference client on its ground.
    async fn reference(
        self: &Arc<Self>,
        policy: &ClientPolicy,
        scenario: &Scenario,
        realm: Realm,
        attacker: Realm,
    ) -> Result<Driven, NoGround> {
        let settings = Settings {
            second_issuer: Some(attacker.issuer().to_owned()),
            client_secret: self.client.client_secret.clone(),
            auth_method: self.client.auth_method.clone(),
            scopes: vec!["openid".into(), "offline_access".into(), "api:read".into()],
            ..Settings::new(realm.issuer(), &self.client.client_id)
        };
        if self.kind != DrivenKind::Web {
            let renews = self.kind == DrivenKind::Script && scenario.needs.feature.iter().any(|feature| feature == "refresh");
            let starter = Starter::Reference(Box::new(Reference { settings, policy: policy.clone(), kind: self.kind, renews }));
            return Ok(self.driven(realm, attacker, None, Some(starter), None));
        }
        let app = WebApp::start(settings, policy.clone()).await.map_err(|error| NoGround::Error(error.to_string()))?;
        for realm in [&realm, &attacker] {
            realm.register(MockClient { redirect_uris: vec![app.callback_url()], ..self.client.clone() });
        }
        let site = Site {
            start_urls: vec![app.start_url(), app.second_start_url()],
            api_url: Some(app.api_url()),
            logout_url: Some(app.logout_url()),
            success: Success { status: None, contains: Some("signed in as ".into()) },
        };
        let mut driven = self.driven(realm, attacker, Some(site), None, None);
        driven._app = Some(app);
        Ok(driven)
    }

    /// Forgets the realms of a scenario.
    pub(super) fn forget(&self, name: &str) {
        self.server.remove(name);
        self.attacker.remove(name);
    }

    fn fits(&self, scenario: &Scenario) -> Result<(), NoGround> {
        let skip = |code, reason: String| Err(NoGround::Skip(code, reason));
        let (own, wanted) = (kind_word(self.kind), &scenario.needs.kind);
        let usual = self.kind != DrivenKind::Script;
        if !(wanted.is_empty() && usual || wanted.iter().any(|kind| kind == own)) {
            let about = if wanted.is_empty() { "web or native".to_owned() } else { wanted.join(" or ") };
            return skip(SkipCode::Kind, format!("it is about {about} clients, and this is a {own} one"));
        }
        if let Subject::Web { serve: None, .. } = &self.subject
            && scenario.needs.fresh
        {
            let reason = "needs a client that knows nothing of the issuer yet: give it `serve`, so that it can be restarted";
            return skip(SkipCode::NotConfigured, reason.into());
        }
        Ok(())
    }

    /// A realm with the client in it, as if it had just been made.
    fn realm(&self, server: &MockServer, client: &MockClient, name: &str) -> Result<Realm, NoGround> {
        let mut spec = RealmSpec::new(name);
        spec.clients = vec![client.clone()];
        if let Some(realm) = server.realm_named(name) {
            realm.reset(PolicySet::strict());
            return Ok(realm);
        }
        server.create(spec).map_err(|error| NoGround::Error(error.to_string()))
    }

    fn driven(
        self: &Arc<Self>,
        realm: Realm,
        attacker: Realm,
        site: Option<Site>,
        program: Option<Starter>,
        turn: Option<OwnedMutexGuard<()>>,
    ) -> Driven {
        let servers = Home::new([realm.issuer(), attacker.issuer()], []);
        let pages = site.iter().flat_map(|site| site.start_urls.iter().chain(&site.api_url).chain(&site.logout_url));
        let redirects = &self.client.redirect_uris;
        let hosts: Vec<String> =
            pages.chain(redirects).filter_map(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned)).collect();
        let home = Home::new([], hosts.iter().map(String::as_str).chain(["127.0.0.1", "127.0.0.2", "::1", "localhost"]));
        let (source, quiet) = (Arc::clone(self), self.quiet);
        Driven {
            kind: self.kind,
            realm,
            attacker,
            site,
            program,
            servers,
            home,
            quiet,
            source,
            remembered_to: AtomicU64::new(0),
            _app: None,
            _turn: turn,
        }
    }

    /// Whether the application is started anew for each scenario.
    fn restarts(&self) -> bool {
        matches!(&self.subject, Subject::Web { serve: Some(serve), .. } if serve.restart == Restart::PerScenario)
    }

    /// Sees to it that a served application runs.
    async fn started(&self, driven: &Driven, wire: &Wire) -> Result<(), NoGround> {
        let Subject::Web { serve: Some(_), running, .. } = &self.subject else { return Ok(()) };
        let mut running = running.lock().await;
        let ended = running.as_mut().and_then(Served::ended);
        if running.is_none() || ended.is_some() {
            self.start(driven, wire, &mut running).await.map_err(NoGround::Error)?;
        }
        Ok(())
    }

    async fn start(&self, driven: &Driven, wire: &Wire, running: &mut Option<Served>) -> Result<(), String> {
        let Subject::Web { serve: Some(serve), env, folder, .. } = &self.subject else { return Ok(()) };
        if let Some(served) = running.take() {
            served.stop(wire, &serve.ready_url).await;
        }
        let env = self.environment(env, &driven.realm, &driven.attacker);
        let served = Served::start(&serve.command, folder, &env, &serve.ready_url, wire, self.patience).await;
        *running = Some(served.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn environment(&self, env: &[(String, String)], realm: &Realm, attacker: &Realm) -> Vec<(String, String)> {
        let secret = self.client.client_secret.clone().unwrap_or_default();
        let redirect_uri = self.client.redirect_uris.first().cloned().unwrap_or_default();
        let resource = format!("{}/resource", realm.issuer());
        let known = [
            ("{issuer}", realm.issuer()),
            ("{issuer_2}", attacker.issuer()),
            ("{client_id}", &self.client.client_id),
            ("{client_secret}", &secret),
            ("{redirect_uri}", &redirect_uri),
            ("{resource}", &resource),
        ];
        let fill = |text: &String| known.iter().fold(text.clone(), |text, (name, value)| text.replace(name, value));
        env.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
    }

    /// The client as variables know it.
    fn known(&self, site: Option<&Site>) -> Client {
        let known = super::mock_claims::client(&self.client, PolicySet::strict().base());
        let start_url = site.and_then(|site| site.start_urls.first().cloned());
        Client { name: "client".into(), start_url, ..known.unwrap_or_default() }
    }
}

/// How a program is started.
#[derive(Debug)]
pub enum Starter {
    /// A program of the user's.
    Program(Program),
    /// The reference client.
    Reference(Box<Reference>),
}

/// The reference client as a program.
#[derive(Debug)]
pub struct Reference {
    settings: Settings,
    policy: ClientPolicy,
    kind: DrivenKind,
    /// Whether it renews a token that it was given, as a script.
    renews: bool,
}

/// A program that runs.
#[derive(Debug)]
pub enum Launched {
    /// A program of the user's.
    Program(Box<Running>),
    /// The reference client.
    Reference {
        /// The URL that it opens.
        opened: Option<oneshot::Receiver<String>>,
        /// What comes of it.
        task: JoinHandle<NativeEnd>,
    },
}

impl Starter {
    /// A refresh token for a program that renews one, fresh for each run: with rotation it is worth nothing afterwards.
    ///
    /// # Errors
    /// Why there can be none.
    pub(super) fn refresh_token(&self, realm: &Realm) -> Result<Option<String>, String> {
        let client = match self {
            Self::Program(program) if !program.env.iter().any(|(_, value)| value.contains(REFRESH_TOKEN)) => return Ok(None),
            Self::Reference(reference) if !reference.renews => return Ok(None),
            Self::Program(_) | Self::Reference(_) => realm.clients().into_iter().next(),
        };
        let mut mint = Mint::new(MintKind::RefreshToken, client.map(|client| client.client_id).unwrap_or_default());
        if let Some(user) = realm.users().first() {
            mint = mint.user(&user.username);
        }
        realm.mint(&mint).map(|minted| Some(minted.value)).map_err(|error| error.to_string())
    }

    /// Starts it.
    ///
    /// # Errors
    /// Why it does not start.
    pub(super) fn start(&self, given: Option<&str>) -> Result<Launched, String> {
        match self {
            Self::Program(program) => {
                let fill = |text: &String| given.map_or_else(|| text.clone(), |token| text.replace(REFRESH_TOKEN, token));
                let env = program.env.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
                let running = Program { env, ..program.clone() }.start().map_err(|error| error.to_string())?;
                Ok(Launched::Program(Box::new(running)))
            }
            Self::Reference(reference) => {
                let Reference { settings, policy, kind, .. } = &**reference;
                let (settings, policy, kind) = (settings.clone(), policy.clone(), *kind);
                let grant = given.map_or(Grant::ClientCredentials, |token| Grant::RefreshToken(token.to_owned()));
                let (open, opened) = oneshot::channel();
                let task = tokio::spawn(async move {
                    if kind == DrivenKind::Script {
                        return script(settings, policy, grant).await;
                    }
                    // Nobody reads the URL of a run that has been given up.
                    native(settings, policy, async move |url| drop(open.send(url))).await
                });
                Ok(Launched::Reference { opened: Some(opened), task })
            }
        }
    }
}

impl Launched {
    /// The next URL that it opens in a browser, or prints.
    pub(super) async fn opens(&mut self, servers: &Home) -> Option<String> {
        match self {
            Self::Program(running) => running.opens(servers).await,
            Self::Reference { opened, .. } => tokio::time::timeout(PATIENCE, opened.take()?).await.ok()?.ok(),
        }
    }

    /// Whether it ends within a span.
    pub(super) async fn ends_within(&mut self, span: Duration) -> bool {
        match self {
            Self::Program(running) => running.ends_within(span).await,
            Self::Reference { task, .. } => {
                let begun = tokio::time::Instant::now();
                while !task.is_finished() && begun.elapsed() < span {
                    tokio::time::sleep(span / 20).await;
                }
                task.is_finished()
            }
        }
    }

    /// What it printed so far.
    pub(super) fn output(&self) -> String {
        match self {
            Self::Program(running) => running.output(),
            Self::Reference { .. } => String::new(),
        }
    }

    /// Waits for its end.
    pub(super) async fn end(self) -> ProgramEnd {
        match self {
            Self::Program(running) => running.end().await,
            Self::Reference { task, .. } => {
                let stop = task.abort_handle();
                let ended = tokio::time::timeout(REFERENCE_PATIENCE, task).await;
                stop.abort();
                let (reaction, words, output) = match ended {
                    Ok(Ok(NativeEnd { status: 0, output })) => (Reaction::Accepted, "ended with 0".to_owned(), output),
                    Ok(Ok(NativeEnd { status: 101, output })) => (Reaction::Crashed, "ended with 101".to_owned(), output),
                    Ok(Ok(NativeEnd { status, output })) => (Reaction::Rejected, format!("ended with {status}"), output),
                    Ok(Err(error)) => (Reaction::Crashed, error.to_string(), String::new()),
                    Err(_) => (Reaction::Hung, "did not end".to_owned(), String::new()),
                };
                ProgramEnd { reaction, words, output }
            }
        }
    }
}

/// How many requests of a client are remembered for checks over the whole run.
const REMEMBERED: usize = 20_000;

impl Driven {
    /// How much stands in the journals of both issuers.
    pub(super) fn recorded(&self) -> (u64, u64) {
        (self.realm.recorded(), self.attacker.recorded())
    }

    /// Keeps what the client sent for checks over the whole run.
    pub(super) fn remember(&self) {
        let mut remembered = self.source.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let room = REMEMBERED.saturating_sub(remembered.len());
        let from = self.remembered_to.swap(self.realm.recorded(), Ordering::Relaxed);
        remembered.extend(self.realm.journal().since(from).into_iter().take(room));
    }

    /// Sees to it that a served application runs: it may have ended in an earlier case.
    pub(super) async fn revive(&self, wire: &Wire) -> Result<(), String> {
        match self.source.started(self, wire).await {
            Ok(()) => Ok(()),
            Err(NoGround::Skip(_, reason) | NoGround::Error(reason)) => Err(reason),
        }
    }

    /// How a served application ended, if it has.
    pub(super) async fn ended(&self) -> Option<String> {
        let Subject::Web { running, .. } = &self.source.subject else { return None };
        running.lock().await.as_mut().and_then(Served::ended)
    }

    /// Ends the application, so that the next one knows nothing of what it learned.
    pub(super) async fn stop(&self, wire: &Wire) {
        let Subject::Web { running, serve: Some(serve), .. } = &self.source.subject else { return };
        if let Some(served) = running.lock().await.take() {
            served.stop(wire, &serve.ready_url).await;
        }
    }

    /// Starts the application anew, so that it knows nothing of its issuer.
    ///
    /// # Errors
    /// Why it does not start.
    pub(super) async fn restart(&self, wire: &Wire) -> Result<(), String> {
        let Subject::Web { running, .. } = &self.source.subject else { return Ok(()) };
        let mut running = running.lock().await;
        self.source.start(self, wire, &mut running).await
    }
}

pub(super) fn kind_word(kind: DrivenKind) -> &'static str {
    match kind {
        DrivenKind::Web => "web",
        DrivenKind::Native => "native",
        DrivenKind::Script => "script",
    }
}
