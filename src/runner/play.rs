//! Plays one scenario: case by case, round by round, step by step. Keeps what came of each step and the transcript.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::chance::Chance;
use super::context::Names;
use super::ground::Ground;
use super::judging::Judging;
use super::needs;
use super::pace::Pace;
use super::record::Record;
use super::result::{SkipCode, Verdict};
use super::subject::Driven;
use super::tally::Tally;
use crate::catalog::Catalogue;
use crate::oauth::{Channel, Exchange};
use crate::scenario::{Action, Case, Cases, Scenario, Step, Value};
use crate::wire::{Browser, Vault, Wire};

/// What a scenario is played with.
#[derive(Debug, Clone)]
pub struct Stage {
    /// All outgoing HTTP.
    pub wire: Wire,
    /// The requirements.
    pub catalogue: &'static Catalogue,
    /// What random values are made of.
    pub seed: u64,
    /// No step waits longer than this in real time.
    pub max_wait: Duration,
    /// How the command line names the target, for commands that repeat a check.
    pub repeat: Arc<str>,
    /// What is kept of a scenario beside its verdicts.
    pub keep: Keep,
    /// Keeps a distance between grants.
    pub pace: Arc<Pace>,
    /// Places for scenarios that are busy; one that waits gives its place away.
    pub places: Arc<tokio::sync::Semaphore>,
}

/// How much is told of a body that the mock sent to a client, in bytes: some are as large as can be on purpose.
const LONGEST_BODY: usize = 64 * 1024;

/// What is kept of a scenario beside its verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Verdicts,
    /// Its exchanges, redacted.
    Transcripts,
    /// Its exchanges, and once more with every volatile value named.
    Snapshots,
}

/// Why a case ended early.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// It makes no sense to go on.
    Skip(SkipCode, String),
    /// Something stood in the way.
    Error(String),
}

/// One exchange of the transcript.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The step it belongs to.
    pub(super) step: String,
    /// The exchange.
    pub(super) exchange: Exchange,
    /// Exchanges of one race share a number; their order means nothing.
    pub(super) race: Option<usize>,
}

/// A scenario that is being played.
pub(super) struct Play<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) ground: &'a Ground,
    pub(super) stage: &'a Stage,
    pub(super) vault: Vault,
    pub(super) names: Names<'a>,
    pub(super) chance: Chance,
    pub(super) sessions: HashMap<String, Browser>,
    pub(super) lines: Vec<Line>,
    pub(super) judging: Judging,
    pub(super) tally: Tally,
    /// Requests without edits that worked, by what they are: the controls.
    pub(super) held: HashSet<String>,
    /// Controls that were tried and did not work, with the reason.
    pub(super) broken: HashMap<String, String>,
    /// Which witness saw a token alive.
    pub(super) witnesses: HashMap<String, super::witness::Witness>,
    /// Whether the secrets of the exchanges are learnt: where no transcript is kept only comparisons need them.
    observes: bool,
    pub(super) case: Option<String>,
    pub(super) races: usize,
    pub(super) place: Option<tokio::sync::OwnedSemaphorePermit>,
    /// A program under test that waits for its authorization response.
    pub(super) waiting: super::drive::Waiting,
    /// The sessions in which the client has signed somebody in.
    pub(super) signed_in: HashSet<String>,
    /// How much stood in the journals of both issuers when the steps began.
    pub(super) began: (u64, u64),
    /// Whether the client does not work even where nothing is wrong: only what it sends can be judged.
    pub(super) crippled: bool,
    /// How much of both journals is in the transcript.
    overheard: (u64, u64),
}

impl<'a> Play<'a> {
    /// Sets a scenario up.
    pub(super) fn new(
        scenario: &'a Scenario,
        ground: &'a Ground,
        stage: &'a Stage,
        vault: Vault,
        place: Option<tokio::sync::OwnedSemaphorePermit>,
    ) -> Self {
        for client in ground.clients.values().chain(&ground.target.clients) {
            if let Some(secret) = &client.client_secret {
                vault.learn("client_secret", secret.as_bytes());
            }
        }
        for user in &ground.target.users {
            vault.learn("password", user.password.as_bytes());
        }
        let mut chance = Chance::new(stage.seed, &scenario.id);
        let random = chance.text();
        let attacker = ground.driven.as_ref().map(|driven| driven.attacker.issuer().to_owned());
        let names = Names {
            target: &ground.target,
            clients: &ground.clients,
            registered: BTreeMap::new(),
            records: BTreeMap::new(),
            case: BTreeMap::new(),
            random,
            attacker,
            clock: &ground.clock,
            keys: None,
        };
        Self {
            scenario,
            ground,
            stage,
            vault,
            names,
            chance,
            sessions: HashMap::new(),
            lines: Vec::new(),
            judging: Judging::default(),
            tally: Tally::default(),
            held: HashSet::new(),
            broken: HashMap::new(),
            witnesses: HashMap::new(),
            observes: stage.keep != Keep::Verdicts || scenario.steps.iter().any(|step| matches!(step.action, Action::Same(_))),
            case: None,
            races: 0,
            place,
            waiting: None,
            signed_in: HashSet::new(),
            began: (0, 0),
            crippled: false,
            overheard: ground.driven.as_ref().map_or((0, 0), |driven| driven.recorded()),
        }
    }

    /// Plays all of it, or the named cases.
    pub(super) async fn play(&mut self, only: Option<&[String]>) {
        let cases = match self.cases(only) {
            Ok(cases) => cases,
            Err(stop) => return self.judging.stop(None, stop),
        };
        for case in cases {
            self.case = case.as_ref().map(|case| case.name.clone());
            let ended = self.play_case(case.as_ref()).await;
            if let Err(stop) = ended {
                self.judging.stop(self.case.clone(), stop);
            }
        }
        self.case = None;
    }

    /// Exchanges that went over the wire from now on get this label.
    pub(super) fn keep(&mut self, step: &str, exchange: Exchange) -> usize {
        if self.observes {
            self.vault.observe(&exchange);
        }
        self.tally.exchange(&exchange, self.names.target.endpoints.token.as_deref());
        self.lines.push(Line { step: step.to_owned(), exchange, race: None });
        self.lines.len() - 1
    }

    /// What the client itself sent to the mock since this was last asked, and what it got: secrets that pass by here are in no
    /// exchange of the harness, but in what the client shows.
    pub(super) fn overhear(&mut self, step: &str, driven: &Driven) {
        if !self.observes {
            return;
        }
        let from = std::mem::replace(&mut self.overheard, driven.recorded());
        let mut entries = driven.realm.journal_since(from.0);
        entries.extend(driven.attacker.journal_since(from.1));
        for entry in entries.into_iter().filter(|entry| entry.exchange.channel == Channel::Back) {
            let mut exchange = entry.exchange;
            self.vault.observe(&exchange);
            if let Ok(response) = &mut exchange.outcome
                && response.body.len() > LONGEST_BODY
            {
                response.body.truncate(LONGEST_BODY);
                response.truncated = true;
            }
            self.lines.push(Line { step: step.to_owned(), exchange, race: None });
        }
    }

    fn cases(&self, only: Option<&[String]>) -> Result<Vec<Option<Case>>, Stop> {
        let cases = match &self.scenario.cases {
            Cases::None => return Ok(vec![None]),
            Cases::Fixed(cases) => cases.clone(),
            Cases::From { list, name } => {
                let values = self.names.list(list);
                if values.is_empty() {
                    return Err(Stop::Skip(SkipCode::NotOffered, format!("{list} is not there or empty")));
                }
                values.into_iter().map(|value| dynamic_case(name, value)).collect()
            }
        };
        let chosen = |case: &Case| only.is_none_or(|names| names.contains(&case.name));
        Ok(cases.into_iter().filter(chosen).map(Some).collect())
    }

    async fn play_case(&mut self, case: Option<&Case>) -> Result<(), Stop> {
        self.names.case.clear();
        if let Some(case) = case {
            needs::of_scenario(&case.needs, &self.ground.target).map_err(|(code, reason)| Stop::Skip(code, reason))?;
            for (name, value) in &case.values {
                self.names.case.insert(name.clone(), value.clone());
            }
        }
        self.names.random = self.chance.text();
        self.prepare_client().await?;
        let played = self.play_rounds().await;
        // A client is left as the next scenario needs it, however this one ended.
        let left = self.leave_client().await;
        played.and(left)?;
        let case = self.case.clone();
        self.judging.settle_samples(self.scenario, case.as_deref(), self.stage);
        Ok(())
    }

    async fn play_rounds(&mut self) -> Result<(), Stop> {
        for _ in 0..self.scenario.rounds {
            self.names.records.clear();
            self.names.registered.clear();
            self.play_round().await?;
        }
        Ok(())
    }

    async fn play_round(&mut self) -> Result<(), Stop> {
        for index in 0..self.scenario.steps.len() {
            let step = &self.scenario.steps[index];
            let records = self.perform(index, step).await?;
            if let Some(name) = &step.name {
                self.names.records.insert(name.clone(), records.clone());
                if let Some(client) = records.last().and_then(|record| record.registered.clone()) {
                    self.names.registered.insert(name.clone(), *client);
                }
            }
            self.assume(step, &records).await?;
            if step.expect.is_empty() && step.assume.is_empty() && !step.unjudged {
                must_succeed(index, step, &records)?;
            }
            for check in &step.expect {
                self.check(step, check, &records).await?;
            }
        }
        Ok(())
    }

    async fn assume(&mut self, step: &Step, records: &[Record]) -> Result<(), Stop> {
        for check in &step.assume {
            if check.want.jwt.is_some() {
                let judgement = super::jwt::judge(self, check, check.level(self.stage.catalogue)).await;
                if judgement.verdict != Verdict::Pass {
                    return Err(Stop::Skip(SkipCode::Assumption, format!("{}: {}", check.name, judgement.actual)));
                }
            }
            if matches!(step.action, Action::Drive(_)) {
                let judged = records.iter().map(|record| self.judge_driven(check, crate::catalog::Level::Must, record));
                if let Some(missed) = judged.into_iter().find(|judgement| judgement.verdict != Verdict::Pass) {
                    return Err(match missed.verdict {
                        Verdict::Error => Stop::Error(format!("{}: {}", check.name, missed.actual)),
                        _ => Stop::Skip(SkipCode::Assumption, format!("assumed {}: {}", check.name, missed.actual)),
                    });
                }
                continue;
            }
            for record in records {
                let differences = super::matching::differences(&check.want, record, &self.names);
                if let Some(first) = differences.first() {
                    if record.outcome.proves_nothing() {
                        return Err(Stop::Error(format!("{}: {}", check.name, record.summary())));
                    }
                    let wanted = super::matching::describe(&check.want, &self.names);
                    return Err(Stop::Skip(
                        SkipCode::Assumption,
                        format!("assumed {wanted}; {} ({})", first.seen, record.summary()),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn dynamic_case(name: &str, value: String) -> Case {
    let template = crate::scenario::Template::parse(&value.replace('{', "{{").replace('}', "}}")).unwrap_or_default();
    Case { name: value, needs: crate::scenario::Needs::default(), values: vec![(name.to_owned(), Value::Text(template))] }
}

/// A step that nobody judges is part of the set-up.
fn must_succeed(index: usize, step: &Step, records: &[Record]) -> Result<(), Stop> {
    use super::answer::Outcome;
    use super::verify::led_on;
    use crate::scenario::Login;
    let expected = |record: &Record| match &step.action {
        Action::Authorize(authorize) => match authorize.login {
            Login::Approve => record.outcome == Outcome::Granted,
            Login::Deny => record.outcome == Outcome::Denied,
            Login::Stop => record.outcome == Outcome::Waiting,
        },
        Action::Verify(verify) => match verify.login {
            Login::Approve => led_on(record),
            Login::Deny => record.outcome == Outcome::Denied,
            Login::Stop => record.outcome == Outcome::Waiting,
        },
        Action::Alive(_) => record.alive != Some(false),
        Action::Request(_) | Action::Http(_) => record.outcome == Outcome::Accepted,
        // Before its callback a client has not shown anything yet.
        Action::Drive(_) => record.outcome.is_success(),
        Action::Wait(_) | Action::GrantedScope { .. } | Action::Same(_) => true,
    };
    match records.iter().find(|record| !expected(record)) {
        Some(record) => {
            let name = step.name.clone().unwrap_or_else(|| format!("{}", index + 1));
            Err(Stop::Error(format!("set-up failed at step {name}: {}", record.summary())))
        }
        None => Ok(()),
    }
}

/// The verdict of a stop, where nothing else was judged.
pub(super) fn stop_verdict(stop: &Stop) -> Verdict {
    match stop {
        Stop::Skip(..) => Verdict::Skip,
        Stop::Error(_) => Verdict::Error,
    }
}
