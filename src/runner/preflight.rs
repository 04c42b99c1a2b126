//! Preflight: reaches the target, logs in once, redeems one code. Sends nothing wrong. What it finds in the way is reported once,
//! and the scenarios that depend on it are skipped with that reason.

use super::answer::Outcome;
use super::ground::{NoGround, Provider};
use super::play::{Play, Stage};
use super::record::Record;
use super::subject::Driven;
use crate::scenario::{Action, Authorize, Check, Direct, DriveWhat, Edits, Login, RequestStep, Scenario, Verb};
use crate::target::{Client, Target};
use crate::wire::{Sealed, Vault};

/// What stands in the way.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    /// Scenarios that log in.
    pub login: Option<String>,
    /// Scenarios that ask for tokens.
    pub token: Option<String>,
    /// Scenarios about clients.
    pub client: Option<String>,
    /// Whether the client sent something to the mock all the same: that can be judged.
    pub client_spoke: bool,
}

impl Blocks {
    /// Why that scenario cannot be run.
    #[must_use]
    pub fn of(&self, scenario: &Scenario) -> Option<String> {
        let logs_in = scenario.steps.iter().any(|step| matches!(&step.action, Action::Authorize(a) if a.login != Login::Stop));
        let asks = scenario.steps.iter().any(|step| matches!(&step.action, Action::Request(r) if r.verb == Verb::Token));
        let login = self.login.as_ref().filter(|_| logs_in);
        let judged = self.client_spoke && is_judged_by_requests(scenario);
        let client = self.client.as_ref().filter(|_| scenario.is_about_clients() && !judged);
        login.or_else(|| self.token.as_ref().filter(|_| asks)).or(client).cloned()
    }

    /// Whether nothing stands in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.login.is_none() && self.token.is_none() && self.client.is_none()
    }
}

/// Whether a scenario logs in, and looks at what the client sent: that may be the very reason for which no login works.
fn is_judged_by_requests(scenario: &Scenario) -> bool {
    let logs_in = |action: &Action| matches!(action, Action::Drive(drive) if matches!(drive.what, DriveWhat::Login(_)));
    let sent = |check: &Check| check.want.client.journal.is_some();
    // An attack is judged beside a login that works.
    let attacks = scenario.checks().any(|check| check.want.client.defended);
    scenario.steps.iter().all(|step| logs_in(&step.action)) && scenario.mock.is_empty() && !attacks && scenario.checks().any(sent)
}

/// What preflight saw, for people.
#[derive(Debug, Clone)]
pub struct Findings {
    /// What stands in the way.
    pub blocks: Blocks,
    /// One line for each thing that was tried: whether it worked, what was seen.
    pub lines: Vec<(bool, Sealed)>,
    /// Whether the target could not be reached at all.
    pub unreachable: bool,
}

/// Tries the first client that can log in, and a client of its own where the target registers.
pub async fn preflight(provider: &Provider, stage: &Stage, vault: &Vault) -> Findings {
    let scenario = trial();
    let mut findings = Findings { blocks: Blocks::default(), lines: Vec::new(), unreachable: false };
    let mut ground = match provider.ground(&scenario, &stage.wire, "preflight").await {
        Ok(ground) => ground,
        Err(NoGround::Skip(_, reason)) => {
            findings.lines.push((true, vault.seal(&format!("no login tried: {reason}"))));
            return findings;
        }
        Err(NoGround::Error(reason)) => {
            findings.lines.push((false, vault.seal(&reason)));
            match provider {
                Provider::Client(_) => {
                    findings.unreachable = true;
                    findings.blocks.client = Some(reason);
                }
                _ => findings.blocks.login = Some(reason),
            }
            return findings;
        }
    };
    let mut play = Play::new(&scenario, &ground, stage, vault.child(), None);
    match ground.driven.as_deref() {
        Some(driven) => try_client(&mut play, driven, &mut findings).await,
        None => try_flow(&mut play, &mut findings).await,
    }
    drop(play);
    ground.leave(&stage.wire).await;
    findings
}

/// What can be said of a target without sending anything: endpoints, clients, users.
#[must_use]
pub fn inventory(target: &Target) -> Vec<String> {
    let mut out = vec![format!("issuer {}", if target.issuer.is_empty() { "(none)" } else { &target.issuer })];
    match &target.metadata_url {
        Some(url) => out.push(format!("metadata {url}")),
        None => out.push("metadata (none)".into()),
    }
    for name in crate::target::Endpoints::NAMES {
        if let Some(url) = target.endpoints.get(name) {
            out.push(format!("{name} endpoint {url}"));
        }
    }
    out.extend(target.clients.iter().map(describe));
    out.extend(target.users.iter().map(|user| format!("user {}", user.username)));
    out
}

async fn try_flow(play: &mut Play<'_>, findings: &mut Findings) {
    let authorize = Authorize {
        client: "a".into(),
        from: None,
        direct: Direct::WhereAllowed,
        login: Login::Approve,
        session: None,
        user: 0,
        grant: "authorization_code".into(),
        pkce: "S256".into(),
        resume: None,
        edits: Edits::default(),
    };
    let record = match play.authorize(0, "preflight", &authorize, "main", None).await {
        Ok(record) => record,
        Err(super::play::Stop::Skip(_, reason) | super::play::Stop::Error(reason)) => {
            findings.lines.push((true, play.vault.seal(&format!("no login tried: {reason}"))));
            return;
        }
    };
    if record.outcome != Outcome::Granted {
        findings.unreachable = record.outcome == Outcome::None;
        let reason = format!("login did not lead to a code: {}", record.summary());
        findings.lines.push((false, play.vault.seal(&reason)));
        findings.blocks.login = Some(reason);
        return;
    }
    findings.lines.push((true, Sealed::fixed("logged in, and a code was delivered to the redirect URI")));
    redeem(play, &record, findings).await;
}

/// What the client does with a mock that makes no mistake.
async fn try_client<'a>(play: &mut Play<'a>, driven: &'a Driven, findings: &mut Findings) {
    let before = driven.recorded();
    match play.plain_run(driven).await {
        Ok(seen) => findings.lines.push((true, play.vault.seal(&format!("a plain run of the client works: {seen}")))),
        Err((reason, unreachable)) => {
            findings.unreachable = unreachable;
            findings.lines.push((false, play.vault.seal(&reason)));
            findings.blocks.client = Some(reason);
            findings.blocks.client_spoke = driven.recorded() != before;
        }
    }
}

async fn redeem(play: &mut Play<'_>, from: &Record, findings: &mut Findings) {
    let token = RequestStep::new(Verb::Token);
    let record = match play.request(0, "preflight", &token, Some(from)).await {
        Ok(record) => record,
        Err(super::play::Stop::Skip(_, reason) | super::play::Stop::Error(reason)) => {
            findings.lines.push((false, play.vault.seal(&reason)));
            return;
        }
    };
    if record.outcome == Outcome::Accepted {
        findings.lines.push((true, Sealed::fixed("the code was exchanged for a token")));
        return;
    }
    let invalid_client = record.error().as_ref().and_then(serde_json::Value::as_str) == Some("invalid_client");
    let hint = if invalid_client { "; check client_id, client_secret and token_endpoint_auth_method" } else { "" };
    let reason = format!("the code was not exchanged for a token: {}{hint}", record.summary());
    findings.lines.push((false, play.vault.seal(&reason)));
    findings.blocks.token = Some(reason);
}

/// A scenario that only names its client: any that can use the authorization code grant.
fn trial() -> Scenario {
    use crate::scenario::{Cases, ClientNeed, Needs};
    let need = ClientNeed { grant: vec!["authorization_code".into()], ..ClientNeed::default() };
    Scenario {
        id: "preflight".into(),
        source: crate::problem::Source::new("preflight", ""),
        title: "Preflight".into(),
        severity: crate::catalog::Severity::Low,
        why: String::new(),
        fix: String::new(),
        needs: Needs {
            endpoint: vec!["authorization".into(), "token".into()],
            kind: vec!["web".into(), "native".into(), "script".into()],
            ..Needs::default()
        },
        clients: vec![("a".into(), need)],
        catches: Vec::new(),
        rounds: 1,
        mock: Vec::new(),
        passive: false,
        cases: Cases::None,
        steps: Vec::new(),
    }
}

fn describe(client: &Client) -> String {
    let grants = client.grant_types.join(", ");
    format!("client {} ({}; {grants})", client.client_id, client.auth_method.name())
}
