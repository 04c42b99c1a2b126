//! The selftest of client scenarios: every one on the reference client as it is, with every fault that it must catch, and as every
//! variant; as a web application, as a native client and as a script.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;

use super::ground::Provider;
use super::play::Stage;
use super::result::{ScenarioResult, Verdict};
use super::run::{length, play_one};
use super::selftest::{Catches, Cell, Matrix, Part, Ruled, case, glob, rulings};
use super::subject::{ClientSource, REFERENCE_PATIENCE, Subject};
use crate::catalog::Plan;
use crate::mock::{ClientKind, MockClient, MockServer};
use crate::reference::{ClientPatch, ClientPolicy, Library};
use crate::scenario::{Cases, Scenario, Selected};
use crate::target::config::{CLIENT_FEATURES, DrivenKind, QUIET};
use crate::target::driver::PATIENCE;
use crate::wire::{Show, Vault, Wire, WireOptions};

/// What the reference client is.
const KINDS: [DrivenKind; 3] = [DrivenKind::Web, DrivenKind::Native, DrivenKind::Script];

/// Runs the matrix of client scenarios.
///
/// # Errors
/// Where the mock cannot be started.
pub async fn selftest_clients(
    scenarios: &[Arc<Scenario>],
    plans: &[&'static Plan],
    library: &Library,
    stage: &Stage,
    parts: &[Part],
) -> Result<Matrix, String> {
    let stage = &waiting(stage)?;
    let mut tasks = JoinSet::new();
    let waiters = Arc::new(Semaphore::new(WAITERS));
    let servers = [start().await?, start().await?];
    let attacker = start().await?;
    let mut uncaught: Vec<String> = library.faults().iter().map(|fault| fault.id.clone()).collect();
    let mut count = 0_usize;
    // Those that wait begin to wait at once, and the others are played meanwhile.
    let mut longest_first: Vec<&Arc<Scenario>> = scenarios.iter().collect();
    longest_first.sort_by_key(|scenario| Reverse(length(scenario)));
    for scenario in longest_first {
        let catches = Catches::of(scenario);
        let rulings = rulings(scenario, plans, stage.catalogue);
        let Some(ruled) = rulings.first() else { continue };
        let mut jobs: Vec<(&'static str, Option<&ClientPatch>)> = Vec::new();
        if parts.contains(&Part::Strict) {
            jobs.push(("strict", None));
        }
        if parts.contains(&Part::Faults) {
            jobs.push(("strict", None));
            let caught = library.faults().iter().filter(|fault| catches.fault(&fault.id));
            jobs.extend(caught.map(|fault| ("fault", Some(fault))));
            uncaught.retain(|id| !catches.fault(id));
        }
        if parts.contains(&Part::Variants) {
            let holds = |variant: &&ClientPatch| {
                let kinds = KINDS.into_iter().any(|kind| is_about(scenario, Some(variant), kind));
                kinds && (variant.plans.is_empty() || variant.plans.contains(&ruled.plan.id))
            };
            jobs.extend(library.variants().iter().filter(holds).map(|variant| ("variant", Some(variant))));
        }
        for (kind, patch) in jobs {
            count += 1;
            let job = Job {
                ruled: ruled.clone(),
                kind,
                patch: patch.cloned(),
                server: Arc::clone(&servers[count % servers.len()]),
                attacker: Arc::clone(&attacker),
                stage: stage.clone(),
                waiters: Arc::clone(&waiters),
                tag: format!("c{count}"),
            };
            tasks.spawn(job.run());
        }
    }
    if !parts.contains(&Part::Faults) {
        uncaught.clear();
    }
    let mut cells = tasks.join_all().await;
    cells.sort_by(|a, b| (&a.scenario, a.kind, &a.patch).cmp(&(&b.scenario, b.kind, &b.patch)));
    let toothless: Vec<String> = scenarios.iter().filter(|s| s.catches.is_empty()).map(|s| s.id.clone()).collect();
    let complete = uncaught.is_empty() && toothless.is_empty() && cells.iter().all(|cell| cell.green);
    Ok(Matrix { cells, uncaught, toothless, complete })
}

/// A stage for cells that mostly wait: clients that hang, and time-outs of clients.
fn waiting(stage: &Stage) -> Result<Stage, String> {
    let options = WireOptions { timeout: REFERENCE_PATIENCE, ..WireOptions::default() };
    let wire = Wire::new(options).map_err(|error| error.to_string())?;
    Ok(Stage { wire, places: Arc::new(Semaphore::new(stage.places.available_permits() * 2)), ..stage.clone() })
}

/// How long a cell is busy, at most, without a wait.
const BUSY: Duration = Duration::from_secs(2);
/// How many cells may wait beside those that are busy.
const WAITERS: usize = 64;

struct Job {
    ruled: Ruled,
    kind: &'static str,
    patch: Option<ClientPatch>,
    server: Arc<MockServer>,
    attacker: Arc<MockServer>,
    stage: Stage,
    /// Room for those that mostly wait.
    waiters: Arc<Semaphore>,
    tag: String,
}

impl Job {
    async fn run(self) -> Cell {
        let Ok(place) = Arc::clone(&self.stage.places).acquire_owned().await else {
            return self.cell(Verdict::Error, Some("the run has ended".into()));
        };
        let waiters = Arc::clone(&self.waiters);
        let mut played = Box::pin(self.played());
        if let Ok(cell) = tokio::time::timeout(BUSY, &mut played).await {
            return cell;
        }
        // By now it waits for a client that hangs, or that itself waits: others can be busy meanwhile.
        let waiting = waiters.try_acquire_owned();
        let _kept = waiting.is_err().then_some(place);
        played.await
    }

    async fn played(self) -> Cell {
        let policy = match ClientPolicy::with(&self.patch) {
            Ok(policy) => policy,
            Err(problem) => return self.cell(Verdict::Error, Some(problem.to_string())),
        };
        let (results, reason) = match &self.patch {
            Some(fault) if self.kind == "fault" => {
                let results = self.until_caught(&policy, fault).await;
                let reason = not_caught(&results, fault);
                (results, reason)
            }
            variant => {
                let results = self.as_every_kind(&policy).await;
                let reason = not_passed(&results, variant.as_ref());
                (results, reason)
            }
        };
        let verdict = results.iter().map(|(_, result)| result.verdict).max().unwrap_or(Verdict::Skip);
        self.cell(verdict, reason)
    }

    /// Kind by kind and case by case until the fault shows: as one kind, and in one case, is enough, and a client that hangs hangs in
    /// each.
    async fn until_caught(&self, policy: &ClientPolicy, fault: &ClientPatch) -> Vec<(DrivenKind, ScenarioResult)> {
        let portions: Vec<Option<Vec<String>>> = match &self.ruled.scenario.cases {
            Cases::Fixed(cases) => cases.iter().map(|case| Some(vec![case.name.clone()])).collect(),
            Cases::None | Cases::From { .. } => vec![None],
        };
        let mut results = Vec::new();
        for kind in KINDS.into_iter().filter(|kind| self.is_about(*kind)) {
            for cases in &portions {
                let result = self.play(kind, policy, cases.clone()).await;
                let enough = uncaught(&result, fault).is_none();
                results.push((kind, result));
                if enough {
                    return results;
                }
            }
        }
        results
    }

    /// As every kind at once: where one waits, so do the others.
    async fn as_every_kind(&self, policy: &ClientPolicy) -> Vec<(DrivenKind, ScenarioResult)> {
        let play = async |kind| if self.is_about(kind) { Some((kind, self.play(kind, policy, None).await)) } else { None };
        let [web, native, script] = KINDS;
        let (web, native, script) = tokio::join!(play(web), play(native), play(script));
        [web, native, script].into_iter().flatten().collect()
    }

    fn is_about(&self, kind: DrivenKind) -> bool {
        is_about(&self.ruled.scenario, self.patch.as_ref(), kind)
    }

    async fn play(&self, kind: DrivenKind, policy: &ClientPolicy, cases: Option<Vec<String>>) -> ScenarioResult {
        let source = source(&self.server, &self.attacker, kind, policy, self.patch.as_ref());
        let selected = Selected { scenario: Arc::clone(&self.ruled.scenario), cases };
        let tag = format!("{}{}", self.tag, super::subject::kind_word(kind));
        let provider = Provider::Client(Arc::new(source));
        Box::pin(play_one(&selected, &provider, &self.stage, &Vault::new(Show::Redacted), &tag)).await.result
    }

    fn cell(&self, verdict: Verdict, reason: Option<String>) -> Cell {
        Cell {
            scenario: self.ruled.scenario.id.clone(),
            plan: self.ruled.plan.name(),
            kind: self.kind,
            patch: self.patch.as_ref().map(|patch| patch.id.clone()).unwrap_or_default(),
            green: reason.is_none(),
            verdict,
            reason,
        }
    }
}

/// The reference client as that kind, under a patch.
fn source(
    server: &Arc<MockServer>,
    attacker: &Arc<MockServer>,
    kind: DrivenKind,
    policy: &ClientPolicy,
    variant: Option<&ClientPatch>,
) -> ClientSource {
    let native = kind == DrivenKind::Native;
    let lacks = |name: &str| variant.is_some_and(|variant| variant.lacks.iter().any(|lacking| lacking == name));
    let claims = CLIENT_FEATURES.iter().filter(|name| offers(kind, name) && !lacks(name));
    let mut client = registered(native);
    if let Some(method) = variant.and_then(|variant| variant.registered_as.clone()).filter(|_| !native) {
        client.auth_method = method;
    }
    ClientSource {
        server: Arc::clone(server),
        attacker: Arc::clone(attacker),
        elsewhere: client.clone(),
        client,
        kind,
        subject: Subject::Reference(Box::new(policy.clone())),
        features: claims.map(|name| ((*name).to_owned(), true.into())).collect(),
        name: "reference client".into(),
        quiet: QUIET,
        patience: PATIENCE,
        turn: Arc::default(),
        control: OnceCell::new(),
        remembered: Arc::default(),
    }
}

/// Whether a scenario, under a patch, is about a kind of client.
fn is_about(scenario: &Scenario, patch: Option<&ClientPatch>, kind: DrivenKind) -> bool {
    let (wanted, word) = (&scenario.needs.kind, super::subject::kind_word(kind));
    let fits = if wanted.is_empty() { kind != DrivenKind::Script } else { wanted.iter().any(|one| one == word) };
    fits && patch.is_none_or(|patch| patch.kinds.is_empty() || patch.kinds.iter().any(|one| one == word))
}

/// Whether the reference client has something as that kind: a native one has no pages, one issuer, and no secret.
fn offers(kind: DrivenKind, name: &str) -> bool {
    match kind {
        DrivenKind::Web => true,
        DrivenKind::Native => !matches!(name, "api" | "logout" | "issuers" | "confidential" | "client_secret_basic"),
        DrivenKind::Script => !matches!(name, "api" | "logout" | "issuers"),
    }
}

async fn start() -> Result<Arc<MockServer>, String> {
    MockServer::start().await.map(Arc::new).map_err(|error| error.to_string())
}

/// How the reference client is registered: with no more scope than it asks for, and with a secret that form-encoding changes (RFC 6749
/// section 2.3.1).
fn registered(native: bool) -> MockClient {
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    MockClient {
        client_id: "app".into(),
        client_secret: (!native).then(|| "app secret/3c1f+9a77%d0e24b58:é".into()),
        auth_method: if native { "none" } else { "client_secret_basic" }.into(),
        grant_types: strings(&["authorization_code", "refresh_token", "client_credentials"]),
        scopes: strings(&["openid", "offline_access", "api:read"]),
        kind: if native { ClientKind::Native } else { ClientKind::Web },
        ..MockClient::default()
    }
}

/// A fault is caught when a check with a requirement that it breaks turns `fail` or `warn`; one that breaks none, by a check without.
fn uncaught(result: &ScenarioResult, fault: &ClientPatch) -> Option<String> {
    let caught = result.checks.iter().any(|check| {
        let mut cited = check.requirement.iter().chain(&check.also);
        let breaks = cited.any(|id| fault.breaks.iter().any(|broken| broken.get_ref() == id));
        let fits = breaks || fault.robustness && check.requirement.is_none();
        fits && matches!(check.verdict, Verdict::Fail | Verdict::Warn)
    });
    (!caught).then(|| seen(result))
}

fn not_caught(results: &[(DrivenKind, ScenarioResult)], fault: &ClientPatch) -> Option<String> {
    let reasons: Vec<String> = results
        .iter()
        .map(|(kind, result)| Some(format!("{}: {}", super::subject::kind_word(*kind), uncaught(result, fault)?)))
        .collect::<Option<_>>()?;
    Some(format!("not caught ({})", reasons.join(" | ")))
}

/// Whether it passes as every kind that it is about, and is not skipped as all of them.
fn not_passed(results: &[(DrivenKind, ScenarioResult)], variant: Option<&ClientPatch>) -> Option<String> {
    let mut bad = Vec::new();
    for (kind, result) in results {
        let excused = |check: &str| variant.is_some_and(|variant| declines(variant, &result.id, check));
        let wrong = result.checks.iter().any(|check| match check.verdict {
            Verdict::Fail | Verdict::Error => true,
            Verdict::Warn => !excused(&check.name),
            Verdict::Pass | Verdict::Skip | Verdict::Waived => false,
        });
        if wrong || matches!(result.verdict, Verdict::Fail | Verdict::Error) {
            bad.push(format!("{}: {}", super::subject::kind_word(*kind), seen(result)));
        }
    }
    let may_skip =
        variant.is_some_and(|variant| variant.skips.iter().any(|pattern| results.iter().any(|(_, r)| glob(pattern, &r.id))));
    if bad.is_empty() && !may_skip && results.iter().all(|(_, result)| result.verdict == Verdict::Skip) {
        bad.extend(results.iter().map(|(_, result)| seen(result)));
    }
    (!bad.is_empty()).then(|| bad.join(" | "))
}

fn seen(result: &ScenarioResult) -> String {
    let checks = result.checks.iter().filter(|check| check.verdict != Verdict::Pass);
    let seen: Vec<String> = checks
        .map(|check| format!("{}{} {}: {}", check.name, case(check.case.as_ref()), check.verdict.word(), check.actual))
        .collect();
    let reason = result.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {reason} {}", result.verdict.word(), seen.join("; "))
}

fn declines(variant: &ClientPatch, id: &str, check: &str) -> bool {
    variant.declines.iter().any(|pattern| match pattern.split_once('#') {
        Some((scenario, name)) => glob(scenario, id) && glob(name, check),
        None => glob(pattern, id),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::play::Keep;
    use super::super::preflight::preflight;
    use super::super::subject::kind_word;
    use super::*;
    use crate::catalog::Catalogue;
    use crate::reference::Method;
    use crate::scenario::Suite;

    /// A cell that waits and begins late is what everybody waits for.
    #[test]
    fn what_waits_for_the_mock_is_longer_than_anything_that_does_not() {
        let suite = Suite::embedded().unwrap();
        let longest = suite.iter().max_by_key(|scenario| length(scenario)).unwrap();
        assert_eq!(longest.id, "client/token-response/never-answered");
        for scenario in suite.iter() {
            assert_eq!(length(scenario).0.is_zero(), !writes_delay(scenario), "{}", scenario.id);
        }
    }

    /// A flaw for which the client does not work at all is judged all the same: preflight leaves some scenario that catches it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_fault_hides_behind_the_preflight_that_it_breaks() {
        let suite = Suite::embedded().unwrap();
        let places = Arc::new(Semaphore::new(8));
        let mut tasks = JoinSet::new();
        // What a client may ask for is the configuration's to say: that is what preflight tells.
        for fault in Library::embedded().faults().iter().filter(|fault| fault.id != "request-wide-scope") {
            let of = |id: &str| -> Vec<Arc<Scenario>> {
                let catches = |scenario: &&Arc<Scenario>| scenario.is_about_clients() && Catches::of(scenario).fault(id);
                suite.iter().filter(catches).cloned().collect()
            };
            let catching = of(&fault.id);
            for kind in KINDS {
                let about: Vec<_> = catching.iter().filter(|scenario| is_about(scenario, Some(fault), kind)).cloned().collect();
                if about.is_empty() {
                    continue;
                }
                let policy = ClientPolicy::with(Some(fault)).unwrap();
                // A native client without PKCE has one flaw before all others.
                let bare = kind == DrivenKind::Native && policy.pkce.method == Method::None;
                let about = if bare { of("pkce-none") } else { about };
                let (server, attacker) = (start().await.unwrap(), start().await.unwrap());
                let source = source(&server, &attacker, kind, &policy, None);
                let (id, places, stage) = (format!("{} as {}", fault.id, kind_word(kind)), Arc::clone(&places), stage());
                tasks.spawn(async move {
                    let _place = places.acquire().await;
                    let provider = Provider::Client(Arc::new(source));
                    let findings = preflight(&provider, &stage, &Vault::new(Show::Redacted)).await;
                    let hidden = about.iter().all(|scenario| findings.blocks.of(scenario).is_some());
                    hidden.then(|| format!("{id}: {:?}", findings.blocks.client))
                });
            }
        }
        let mut hidden: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
        hidden.sort();
        assert_eq!(hidden, Vec::<String>::new());
    }

    /// What a client sends to the mock is the evidence, and what it is sent there is secret.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_clients_own_requests_are_told_without_their_secrets() {
        let suite = Suite::embedded().unwrap();
        let scenario = suite.iter().find(|scenario| scenario.id == "client/token-response/redirect").unwrap();
        let fault = Library::embedded().faults().iter().find(|fault| fault.id == "transport-redirects-followed").unwrap();
        let (server, attacker) = (start().await.unwrap(), start().await.unwrap());
        let policy = ClientPolicy::with(Some(fault)).unwrap();
        let source = Arc::new(source(&server, &attacker, DrivenKind::Web, &policy, None));
        let stage = Stage { keep: Keep::Transcripts, ..stage() };
        let selected = Selected { scenario: Arc::clone(scenario), cases: None };
        let vault = Vault::new(Show::Redacted);
        let result = play_one(&selected, &Provider::Client(source), &stage, &vault, "told").await.result;

        let failed = result.checks.iter().find(|check| check.verdict == Verdict::Fail).unwrap();
        let told = &result.exchanges[failed.exchange.unwrap()];
        assert_eq!((told.channel.as_str(), told.party.as_str()), ("back", "client"));
        assert!(told.request.url.to_string().starts_with(attacker.base_url()), "{}", told.request.url);
        let text = serde_json::to_string(&result).unwrap();
        for name in ["code_verifier=<code_verifier#", "Authorization", "<code#"] {
            assert!(text.contains(name), "{name}");
        }
        let secrets = regex::Regex::new(r"[A-Za-z0-9_-]{43}").unwrap();
        let shown: Vec<&str> = secrets.find_iter(&text).map(|found| found.as_str()).collect();
        // Names of members are as long, and in small letters.
        assert!(shown.iter().all(|text| !text.contains(|c: char| c.is_ascii_uppercase())), "{shown:?}");
    }

    fn stage() -> Stage {
        Stage {
            wire: Wire::new(WireOptions { timeout: REFERENCE_PATIENCE, ..WireOptions::default() }).unwrap(),
            catalogue: Catalogue::embedded(),
            seed: 1,
            max_wait: Duration::ZERO,
            repeat: Arc::from(""),
            keep: Keep::Verdicts,
            pace: Arc::default(),
            places: Arc::new(Semaphore::new(8)),
        }
    }

    /// A clause that no check cites is one that the matrix cannot prove.
    #[test]
    fn every_clause_that_a_fault_breaks_is_cited_by_a_client_scenario() {
        let suite = Suite::embedded().unwrap();
        let cited: BTreeSet<String> =
            suite.iter().filter(|scenario| scenario.is_about_clients()).flat_map(|scenario| scenario.requirements()).collect();
        let strays: Vec<String> = Library::embedded()
            .faults()
            .iter()
            .flat_map(|fault| fault.breaks.iter().map(move |id| (fault, id.get_ref())))
            .filter(|(_, id)| !cited.contains(*id))
            .map(|(fault, id)| format!("{} breaks {id}", fault.id))
            .collect();
        assert_eq!(strays, Vec::<String>::new());
    }

    fn writes_delay(scenario: &Scenario) -> bool {
        scenario.mock.iter().flat_map(|setup| &setup.rules).any(|rule| rule.to_string().contains("\"delay\""))
    }
}
