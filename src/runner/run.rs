//! A run: schedules scenarios, orders what happens into events, applies waivers. One dispatcher owns the truth; tasks talk to it
//! by a channel.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::event::{Event, Notice, RunInfo, Sink};
use super::ground::{Ground, NoGround, Provider};
use super::judging;
use super::pace::Pace;
use super::play::{Keep, Play, Stage, Stop, stop_verdict};
use super::preflight::Blocks;
use super::result::{CheckResult, ScenarioResult, SkipCode, Summary, TargetInfo, Verdict};
use super::tally::Tally;
use super::transcript;
use super::verdict::aggregate;
use super::waiver::Waivers;
use crate::catalog::Catalogue;
use crate::scenario::{Action, Cases, MockSetup, Scenario, Selected, Step};
use crate::wire::{Sealed, Vault, Wire};

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many scenarios at once.
    pub jobs: usize,
    /// The time limit of a scenario, without its waits.
    pub scenario_timeout: Duration,
    /// No step waits longer than this in real time.
    pub max_wait: Duration,
    /// How often a scenario is started again after a transport error.
    pub retries: u32,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// What random values are made of.
    pub seed: u64,
    /// How the command line names the target.
    pub repeat: String,
    /// The plan by which verdicts are given, with its date.
    pub plan: String,
    /// What is kept of each scenario beside its verdicts.
    pub keep: Keep,
    /// The least time between two grants.
    pub min_interval: Option<Duration>,
}

/// What is run, against what.
#[derive(Debug)]
pub struct Run {
    /// The scenarios.
    pub selected: Vec<Selected>,
    /// Where they find their target.
    pub provider: Provider,
    /// All outgoing HTTP.
    pub wire: Wire,
    /// Knows the secrets of the run.
    pub vault: Vault,
    /// What is excused.
    pub waivers: Waivers,
    /// What preflight found in the way.
    pub blocks: Blocks,
    /// The target, for reports.
    pub target: TargetInfo,
    /// RFC 3339, UTC.
    pub started: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// How many of each verdict.
    pub summary: Summary,
    /// Whether every selected scenario has its verdict.
    pub complete: bool,
    /// Waivers that excused nothing although all that they match was run.
    pub stale: Vec<String>,
    /// Clients that were registered and could not be deleted.
    pub left: Vec<String>,
    /// Verdicts by scenario.
    pub results: BTreeMap<String, ScenarioResult>,
}

/// Runs everything. `interrupted` turns true when the user wants it to end.
///
/// # Errors
/// Where a sink cannot take an event.
pub async fn run(run: Run, options: &Options, interrupted: watch::Receiver<bool>, sink: &mut dyn Sink) -> io::Result<Outcome> {
    let begun = Instant::now();
    sink.take(&Event::Started(info(&run, options)))?;
    let selected = run.selected.len();
    let (wire, before) = (run.wire.clone(), run.wire.in_flight());
    let dispatcher = Dispatcher::new(&run, options, interrupted);
    let mut outcome = dispatcher.dispatch(run.selected, sink).await?;
    outcome.complete = outcome.results.len() == selected;
    outcome.stale = run.waivers.stale(&outcome.results);
    let in_flight = wire.in_flight().saturating_sub(before);
    let (summary, complete) = (outcome.summary, outcome.complete);
    sink.take(&Event::Finished { summary, complete, duration: begun.elapsed(), in_flight })?;
    Ok(outcome)
}

/// Plays one scenario on a fresh ground.
pub async fn play_one(selected: &Selected, provider: &Provider, stage: &Stage, vault: &Vault, tag: &str) -> Finished {
    let begun = Instant::now();
    let scenario = &selected.scenario;
    let vault = vault.child();
    match provider.ground(scenario, &stage.wire, tag).await {
        Ok(mut ground) => {
            let mut finished = on_ground(selected, &ground, stage, vault, begun, Ready::default()).await;
            finished.left = ground.leave(&stage.wire).await;
            finished
        }
        Err(no) => Finished::bare(without_ground(scenario, &no, &vault, begun)),
    }
}

/// What came of one scenario.
#[derive(Debug)]
pub struct Finished {
    /// Its result.
    pub result: ScenarioResult,
    /// What was counted.
    pub tally: Tally,
    /// Clients that could not be deleted.
    pub left: Vec<String>,
    /// Whether a transport error may be behind it.
    pub shaky: bool,
}

impl Finished {
    fn bare(result: ScenarioResult) -> Self {
        Self { result, tally: Tally::default(), left: Vec::new(), shaky: false }
    }
}

struct Dispatcher {
    provider: Provider,
    stage: Stage,
    vault: Vault,
    blocks: Arc<Blocks>,
    waivers: Waivers,
    options: Options,
    interrupted: watch::Receiver<bool>,
}

enum Message {
    Started(String),
    Finished(Box<Finished>),
}

impl Dispatcher {
    fn new(run: &Run, options: &Options, interrupted: watch::Receiver<bool>) -> Self {
        let stage = Stage {
            wire: run.wire.clone(),
            catalogue: Catalogue::embedded(),
            seed: options.seed,
            max_wait: options.max_wait,
            repeat: Arc::from(options.repeat.as_str()),
            keep: options.keep,
            pace: Arc::new(Pace::new(options.min_interval)),
            places: Arc::new(Semaphore::new(options.jobs.max(1))),
        };
        Self {
            provider: run.provider.clone(),
            stage,
            vault: run.vault.clone(),
            blocks: Arc::new(run.blocks.clone()),
            waivers: run.waivers.clone(),
            options: options.clone(),
            interrupted,
        }
    }

    async fn dispatch(mut self, selected: Vec<Selected>, sink: &mut dyn Sink) -> io::Result<Outcome> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        // Passive scenarios look at what all others have seen: they begin when every other one is over.
        let (passive, mut active): (Vec<_>, Vec<_>) = selected.into_iter().partition(|one| one.scenario.passive);
        if self.options.jobs > 1 {
            // The longest first: none of them is left at the end, when there is nothing else to do meanwhile.
            active.sort_by_key(|one| Reverse(length(&one.scenario)));
        }
        let (under_way, mut over) = mpsc::channel::<()>(1);
        for one in active {
            let (task, mark) = (self.task(one, sender.clone()), under_way.clone());
            tasks.spawn(async move {
                task.await;
                drop(mark);
            });
        }
        drop(under_way);
        let last: Vec<_> = passive.into_iter().map(|one| self.task(one, sender.clone())).collect();
        tasks.spawn(async move {
            let _all_over = over.recv().await;
            for task in last {
                task.await;
            }
        });
        drop(sender);
        let mut outcome = Outcome {
            summary: Summary::default(),
            complete: false,
            stale: Vec::new(),
            left: Vec::new(),
            results: BTreeMap::new(),
        };
        let mut tally = Tally::default();
        loop {
            let message = tokio::select! {
                message = receiver.recv() => message,
                () = stopped(&mut self.interrupted) => None,
            };
            match message {
                None => break,
                Some(Message::Started(id)) => sink.take(&Event::ScenarioStarted { id })?,
                Some(Message::Finished(finished)) => {
                    tally.add(&finished.tally);
                    let failed = self.finish(*finished, &mut outcome, sink)?;
                    if failed && self.options.fail_fast {
                        break;
                    }
                }
            }
        }
        // What still runs is dropped: connections close, and nothing more is sent.
        tasks.abort_all();
        for text in tally.hollow() {
            sink.take(&Event::Noticed(Notice { grave: true, text: Sealed::fixed(text) }))?;
        }
        if let Some(text) = mostly_skipped(&outcome) {
            sink.take(&Event::Noticed(Notice { grave: false, text: self.vault.seal(&text) }))?;
        }
        if !outcome.left.is_empty() {
            let text = format!("{} registered clients could not be deleted: {}", outcome.left.len(), outcome.left.join(", "));
            sink.take(&Event::Noticed(Notice { grave: false, text: self.vault.seal(&text) }))?;
        }
        Ok(outcome)
    }

    fn finish(&self, finished: Finished, outcome: &mut Outcome, sink: &mut dyn Sink) -> io::Result<bool> {
        let mut result = finished.result;
        self.waivers.apply(&mut result);
        outcome.left.extend(finished.left);
        outcome.summary.count(result.verdict);
        let failed = result.verdict == Verdict::Fail;
        let (exchanges, snapshot) = (std::mem::take(&mut result.exchanges), result.snapshot.take());
        outcome.results.insert(result.id.clone(), result.clone());
        sink.take(&Event::ScenarioFinished(Arc::new(ScenarioResult { exchanges, snapshot, ..result })))?;
        Ok(failed)
    }

    fn task(&self, selected: Selected, sender: mpsc::UnboundedSender<Message>) -> impl Future<Output = ()> + Send + 'static {
        let (provider, stage, vault) = (self.provider.clone(), self.stage.clone(), self.vault.clone());
        let (blocks, options) = (Arc::clone(&self.blocks), self.options.clone());
        async move {
            let Ok(place) = Arc::clone(&stage.places).acquire_owned().await else { return };
            // The receiver is gone only when the run has been ended.
            let _ = sender.send(Message::Started(selected.scenario.id.clone()));
            // On the heap, and only now: all tasks exist from the start, and this is by far the most of one.
            let finished = Box::pin(attempt(&selected, &provider, &stage, &vault, &blocks, &options, place)).await;
            let _ = sender.send(Message::Finished(Box::new(finished)));
        }
    }
}

/// Says so where more than half of the scenarios were skipped, with the reason that stands most often.
fn mostly_skipped(outcome: &Outcome) -> Option<String> {
    let all = outcome.results.len();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let skipped = outcome.results.values().filter(|result| result.verdict == Verdict::Skip);
    for reason in skipped.filter_map(|result| result.reason.as_ref()) {
        *reasons.entry(reason.to_string()).or_default() += 1;
    }
    let (most, times) = reasons.iter().max_by_key(|(_, times)| **times)?;
    let skipped = outcome.summary.skip;
    (all > 1 && skipped * 2 > all).then(|| format!("{skipped} of {all} scenarios were skipped, {times} of them since: {most}"))
}

async fn attempt(
    selected: &Selected,
    provider: &Provider,
    stage: &Stage,
    vault: &Vault,
    blocks: &Blocks,
    options: &Options,
    place: tokio::sync::OwnedSemaphorePermit,
) -> Finished {
    let scenario = &selected.scenario;
    let begun = Instant::now();
    if let Some(reason) = blocks.of(scenario) {
        let no = NoGround::Skip(SkipCode::Preflight, reason);
        return Finished::bare(without_ground(scenario, &no, vault, begun));
    }
    let mut place = Some(place);
    let mut tries = 0;
    loop {
        let vault = vault.child();
        let mut ground = match provider.ground(scenario, &stage.wire, &scenario.id).await {
            Ok(ground) => ground,
            Err(no) => return Finished::bare(without_ground(scenario, &no, &vault, begun)),
        };
        let limit = options.scenario_timeout + waits(scenario, &ground, options.max_wait);
        let crippled = blocks.client.is_some();
        let playing = on_ground(selected, &ground, stage, vault.clone(), begun, Ready { place: place.take(), crippled });
        let mut finished = match tokio::time::timeout(limit, playing).await {
            Ok(finished) => finished,
            Err(_) => {
                let reason = format!("not done within {} s (--scenario-timeout)", options.scenario_timeout.as_secs_f64());
                Finished::bare(without_ground(scenario, &NoGround::Error(reason), &vault, begun))
            }
        };
        finished.left = ground.leave(&stage.wire).await;
        if !finished.shaky || tries >= options.retries {
            return finished;
        }
        tries += 1;
    }
}

/// What a scenario begins with.
#[derive(Default)]
struct Ready {
    /// Its place among those that are busy.
    place: Option<tokio::sync::OwnedSemaphorePermit>,
    /// Whether the client does not work even where nothing is wrong.
    crippled: bool,
}

async fn on_ground(selected: &Selected, ground: &Ground, stage: &Stage, vault: Vault, begun: Instant, ready: Ready) -> Finished {
    let scenario = &selected.scenario;
    let mut play = Play::new(scenario, ground, stage, vault, ready.place);
    play.crippled = ready.crippled;
    play.play(selected.cases.as_deref()).await;
    let checks = play.judging.seal(&play.vault);
    let verdict = verdict_of(&checks, &play.judging.stops.iter().map(|(_, stop)| stop).collect::<Vec<_>>());
    let (reason, skip_code) = judging::reason(&checks, &play.judging, &play.vault);
    let shaky = verdict == Verdict::Error && play.lines.iter().any(|line| line.exchange.outcome.is_err());
    let snapshot = stage.keep == Keep::Snapshots && matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail);
    let result = ScenarioResult {
        verdict,
        reason: reason.filter(|_| verdict != Verdict::Pass),
        skip_code: skip_code.filter(|_| verdict == Verdict::Skip),
        snapshot: snapshot.then(|| transcript::snapshot(&play.lines, &play.vault)),
        checks,
        exchanges: if stage.keep == Keep::Verdicts { Vec::new() } else { transcript::report(&play.lines, &play.vault) },
        ..blank(scenario, begun)
    };
    Finished { result, tally: play.tally, left: Vec::new(), shaky }
}

/// The verdict of a scenario from its checks and from what ended its cases early. A skipped case does not outweigh judged ones.
fn verdict_of(checks: &[CheckResult], stops: &[&Stop]) -> Verdict {
    let judged = aggregate(checks);
    let stopped = stops.iter().map(|stop| stop_verdict(stop)).max();
    match (checks.is_empty(), stopped) {
        (true, Some(verdict)) => verdict,
        (true, None) => Verdict::Skip,
        (false, Some(Verdict::Error)) => judged.max(Verdict::Error),
        (false, _) => judged,
    }
}

fn without_ground(scenario: &Scenario, no: &NoGround, vault: &Vault, begun: Instant) -> ScenarioResult {
    let (verdict, code, reason) = match no {
        NoGround::Skip(code, reason) => (Verdict::Skip, Some(*code), reason),
        NoGround::Error(reason) => (Verdict::Error, None, reason),
    };
    ScenarioResult { verdict, reason: Some(vault.seal(reason)), skip_code: code, ..blank(scenario, begun) }
}

fn blank(scenario: &Scenario, begun: Instant) -> ScenarioResult {
    ScenarioResult {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        level: scenario.level(Catalogue::embedded()),
        severity: scenario.severity,
        requirements: scenario.requirements(),
        verdict: Verdict::Skip,
        reason: None,
        skip_code: None,
        waiver: None,
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        checks: Vec::new(),
        exchanges: Vec::new(),
        fix: scenario.fix.clone(),
        snapshot: None,
    }
}

/// What tells which of two scenarios takes longer: how long the mock makes a client wait, then about how many requests it makes.
pub(super) fn length(scenario: &Scenario) -> (Duration, u32) {
    /// With the pages and redirects of a login.
    const LOGIN: u32 = 5;
    let of_step = |step: &Step| {
        let once = if matches!(step.action, Action::Authorize(_) | Action::Verify(_) | Action::Drive(_)) { LOGIN } else { 1 };
        step.times.max(1).saturating_mul(step.parallel.max(1)).saturating_mul(once)
    };
    let once = scenario.steps.iter().map(of_step).fold(0, u32::saturating_add);
    let delay = scenario.mock.iter().map(MockSetup::delay).max().unwrap_or_default();
    (delay, once.saturating_mul(cases(scenario)).saturating_mul(scenario.rounds.max(1)))
}

/// How many cases a scenario has, where that is known.
fn cases(scenario: &Scenario) -> u32 {
    match &scenario.cases {
        Cases::Fixed(cases) => u32::try_from(cases.len()).unwrap_or(u32::MAX).max(1),
        Cases::None | Cases::From { .. } => 1,
    }
}

/// How long a scenario may wait in real time.
fn waits(scenario: &Scenario, ground: &Ground, most: Duration) -> Duration {
    if matches!(ground.clock, super::ground::Clock::Realm(_)) {
        return Duration::ZERO;
    }
    let steps = scenario.steps.iter().filter(|step| matches!(step.action, Action::Wait(_))).count();
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    most.saturating_mul(steps.saturating_mul(cases(scenario)).saturating_mul(scenario.rounds))
}

fn info(run: &Run, options: &Options) -> RunInfo {
    RunInfo {
        role: if matches!(run.provider, Provider::Client(_)) { "client" } else { "server" },
        plan: options.plan.clone(),
        seed: options.seed,
        target: run.target.clone(),
        selected: run.selected.len(),
        started: run.started.clone(),
    }
}

async fn stopped(interrupted: &mut watch::Receiver<bool>) {
    if interrupted.wait_for(|stop| *stop).await.is_err() {
        // Nobody can interrupt any more.
        std::future::pending::<()>().await;
    }
}
