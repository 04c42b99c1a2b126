//! Makes the checks of a scenario, and keeps their verdicts: one for each check and case, the worst over all rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::guess::{self, Guess};
use super::play::{Play, Stage, Stop, stop_verdict};
use super::record::Record;
use super::result::{CheckResult, SkipCode, Verdict};
use super::verdict::{
    Control, Judgement, breach, expectation, expects_refusal, judge, judge_coping, judge_defence, judge_journal, judge_seen,
    judge_working,
};
use crate::catalog::Level;
use crate::scenario::{Action, Among, Check, Scenario, Step, Template};
use crate::wire::{Sealed, Vault};

/// A check that was made. It is sealed when the scenario is over: only then are all its secrets known, and sealing once is cheap.
#[derive(Debug)]
struct Made {
    result: CheckResult,
    expected: String,
    actual: String,
}

/// The checks made so far.
#[derive(Debug, Default)]
pub(super) struct Judging {
    /// In the order in which they were first made.
    checks: Vec<Made>,
    /// Why cases ended early.
    pub(super) stops: Vec<(Option<String>, Stop)>,
    /// Values for checks over several results, by the check's place in the file.
    samples: BTreeMap<usize, Vec<String>>,
    /// Whether a race had a winner, by the check's place in the file.
    winners: BTreeMap<usize, usize>,
}

impl Judging {
    /// Notes that a case ended early.
    pub(super) fn stop(&mut self, case: Option<String>, stop: Stop) {
        self.stops.push((case, stop));
    }

    /// The worst stop, for the scenario's reason.
    pub(super) fn worst_stop(&self) -> Option<&(Option<String>, Stop)> {
        self.stops.iter().rev().max_by_key(|(_, stop)| stop_verdict(stop))
    }

    /// Every check, sealed.
    pub(super) fn seal(&mut self, vault: &Vault) -> Vec<CheckResult> {
        let seal =
            |made: Made| CheckResult { expected: vault.seal(&made.expected), actual: vault.seal(&made.actual), ..made.result };
        self.checks.drain(..).map(seal).collect()
    }

    /// Adds a verdict; a check that was made before in this case keeps the worse one.
    fn add(&mut self, made: Made) {
        let same = |other: &&mut Made| other.result.name == made.result.name && other.result.case == made.result.case;
        match self.checks.iter_mut().find(same) {
            Some(before) if made.result.verdict > before.result.verdict => *before = made,
            Some(_) => {}
            None => self.checks.push(made),
        }
    }

    /// Judges the checks over several results, once all rounds of a case are done.
    pub(super) fn settle_samples(&mut self, scenario: &Scenario, case: Option<&str>, stage: &Stage) {
        for check in scenario.steps.iter().flat_map(|step| &step.expect) {
            let level = check.level(stage.catalogue);
            if let Some(values) = self.samples.remove(&check.span.start) {
                let judgement = judge_samples(check, level, &values);
                let result = assemble(check, level, &judgement, None, "", Place { scenario, case, stage });
                self.add(result);
            }
            if self.winners.remove(&check.span.start) == Some(0) {
                let judgement = Judgement::new(Verdict::Error, "no request of any round won: the race proves nothing");
                let result = assemble(check, level, &judgement, None, "", Place { scenario, case, stage });
                self.add(result);
            }
        }
    }
}

impl Play<'_> {
    /// Makes one check of a step.
    pub(super) async fn check(&mut self, step: &Step, check: &Check, records: &[Record]) -> Result<(), Stop> {
        let level = check.level(self.stage.catalogue);
        if let Some(template) = check.want.distinct.as_ref().or(check.want.guessable.as_ref().map(|guessable| &guessable.value)) {
            self.sample(check, template, records);
            return Ok(());
        }
        let (judgement, exchange) = match (&check.want.among, &check.want.jwt) {
            (Some(among), _) => {
                (self.judge_among(check, level, among, records), records.first().and_then(|record| record.exchange))
            }
            (None, Some(_)) => {
                let judgement = super::jwt::judge(self, check, level).await;
                (judgement, records.last().and_then(|record| record.exchange))
            }
            (None, None) => self.judge_each(step, check, level, records).await,
        };
        let expected = expectation(check, &self.names);
        let case = self.case.clone();
        let place = Place { scenario: self.scenario, case: case.as_deref(), stage: self.stage };
        let result = assemble(check, level, &judgement, exchange, &expected, place);
        self.judging.add(result);
        Ok(())
    }

    /// The worst judgement over all results of the step.
    async fn judge_each(&mut self, step: &Step, check: &Check, level: Level, records: &[Record]) -> (Judgement, Option<usize>) {
        let mut worst: Option<(Judgement, Option<usize>)> = None;
        for record in records {
            let judgement = self.judge_one(step, check, level, record).await;
            if worst.as_ref().is_none_or(|(before, _)| judgement.verdict > before.verdict) {
                let offence = check.want.client.journal.as_ref().filter(|_| judgement.verdict >= Verdict::Warn);
                let exchange = offence.and_then(|journal| self.offence(journal)).or(record.exchange);
                worst = Some((judgement, exchange));
            }
        }
        worst.unwrap_or_else(|| (Judgement::new(Verdict::Error, "nothing came of the step"), None))
    }

    async fn judge_one(&mut self, step: &Step, check: &Check, level: Level, record: &Record) -> Judgement {
        if check.want.alive.is_some() {
            return self.judge_alive(check, level, record, &step.action);
        }
        if matches!(step.action, Action::Drive(_)) {
            return self.judge_driven(check, level, record);
        }
        let refused = !record.outcome.is_success() && !record.outcome.proves_nothing();
        let needs_control = refused && (record.edited || expects_refusal(&check.want));
        let control = if needs_control { self.control(step, record).await } else { Control::Held };
        judge(check, level, record, &control, &self.names)
    }

    /// What a client did: by the evidence, then by what the check says of its last page.
    pub(super) fn judge_driven(&self, check: &Check, level: Level, record: &Record) -> Judgement {
        let want = &check.want.client;
        if let Some(journal) = &want.journal {
            let (such, all) = self.journal_count(journal);
            if all == 0 && journal.distinct.is_some() {
                return Judgement::new(Verdict::Skip, "nothing of that name was sent");
            }
            if all == 0 && journal.count.is_none() && self.crippled {
                return Judgement::new(Verdict::Skip, "the client did not get as far");
            }
            if self.crippled && journal.status.is_some() {
                // A wrong secret in the configuration is refused like one that is written wrongly.
                return Judgement::new(Verdict::Skip, "why the server refused it may be the configuration");
            }
            let count = serde_json::Value::from(such);
            let fits = match &journal.count {
                Some(matcher) => super::matching::fits(matcher, Some(&count), &self.names),
                None if journal.each || journal.distinct.is_some() => such == all && all > 0,
                None => such > 0,
            };
            let what = if journal.distinct.is_some() { "values in" } else { "of" };
            return judge_journal(level, fits, &format!("{such} {what} {all} such requests"));
        }
        if self.crippled {
            return Judgement::new(Verdict::Skip, "the client does not work where nothing is wrong either");
        }
        if record.evidence.is_none() && (want.defended || want.works || want.copes || check.want.outcome.is_some()) {
            return Judgement::new(Verdict::Error, format!("the client did not get as far: {}", record.summary()));
        }
        let Some(evidence) = &record.evidence else {
            // Before its callback a client has sent something, and shown nothing.
            return judge(check, level, record, &Control::Held, &self.names);
        };
        if want.defended {
            return judge_defence(level, evidence);
        }
        if want.works {
            return judge_working(level, evidence);
        }
        if want.copes {
            return judge_coping(level, evidence);
        }
        if want.page.as_ref().is_some_and(|page| page.redirects.is_none()) && record.page_url.is_none() {
            return Judgement::new(Verdict::Skip, "it has no page");
        }
        judge_seen(check, level, record, &self.names)
    }

    /// A token's death counts only after it was seen alive.
    fn judge_alive(&self, check: &Check, level: Level, record: &Record, action: &Action) -> Judgement {
        let Some(_) = record.alive else {
            return Judgement::new(
                Verdict::Skip,
                "nothing can tell whether the token works (no userinfo, introspection or resource)",
            );
        };
        let seen = match action {
            Action::Alive(alive) => self.names.fill(&alive.token).is_ok_and(|token| self.witnesses.contains_key(&token)),
            _ => true,
        };
        if check.want.alive == Some(false) && !seen {
            return Judgement::new(Verdict::Error, "control failed: the token was never seen alive");
        }
        judge(check, level, record, &Control::Held, &self.names)
    }

    fn judge_among(&mut self, check: &Check, level: Level, among: &Among, records: &[Record]) -> Judgement {
        let fits = |record: &&Record| super::matching::differences(&among.filter, record, &self.names).is_empty();
        let count = records.iter().filter(fits).count();
        let winners = records.iter().filter(|record| record.outcome.is_success()).count();
        *self.judging.winners.entry(check.span.start).or_default() += winners;
        let lost: Vec<&Record> = records.iter().filter(|record| record.outcome.proves_nothing()).collect();
        let seen = format!("{count} of {} such", records.len());
        let value = serde_json::Value::from(count);
        if super::matching::fits(&among.count, Some(&value), &self.names) {
            return match lost.first() {
                Some(record) => Judgement::new(Verdict::Error, format!("{seen}, but {}; that proves nothing", record.summary())),
                None => Judgement::new(Verdict::Pass, seen),
            };
        }
        Judgement { verdict: breach(level), actual: seen, line: Some("status".into()) }
    }

    fn sample(&mut self, check: &Check, template: &Template, records: &[Record]) {
        let named = self.names.every(template);
        let values = if named.is_empty() { values_of(template, records) } else { named };
        // Without rounds the list is complete each time; with rounds each brings its own.
        self.judging.samples.entry(check.span.start).or_default().extend(values);
    }
}

/// What a check result is made with.
#[derive(Clone, Copy)]
struct Place<'a> {
    scenario: &'a Scenario,
    case: Option<&'a str>,
    stage: &'a Stage,
}

fn assemble(
    check: &Check,
    level: Level,
    judgement: &Judgement,
    exchange: Option<usize>,
    expected: &str,
    place: Place<'_>,
) -> Made {
    let requirement = check.requirement.as_deref().and_then(|id| place.stage.catalogue.get(id));
    let expected = if expected.is_empty() { over_results(check) } else { expected.to_owned() };
    let result = CheckResult {
        name: check.name.clone(),
        case: place.case.map(str::to_owned),
        text: requirement.map_or_else(|| place.scenario.title.clone(), |requirement| requirement.text.clone()),
        level,
        severity: check.severity.unwrap_or(place.scenario.severity),
        requirement: check.requirement.clone(),
        also: check.also.clone(),
        clause: requirement.map(crate::catalog::Requirement::clause),
        verdict: judgement.verdict,
        expected: Sealed::default(),
        actual: Sealed::default(),
        exchange,
        line: judgement.line.clone(),
        repeat: repeat(place),
    };
    Made { result, expected, actual: judgement.actual.clone() }
}

fn repeat(place: Place<'_>) -> String {
    let id = &place.scenario.id;
    let which = place.case.map_or_else(|| id.clone(), |case| format!("{id}[{case}]"));
    let target: &Arc<str> = &place.stage.repeat;
    let role = if place.scenario.is_about_clients() { "client" } else { "server" };
    let which = which.replace('\'', r"'\''");
    // Behind `--` stands the command of a client, and nothing else.
    let (options, command) = match target.find("-- ") {
        Some(at) => target.split_at(at),
        None => (&**target, ""),
    };
    format!("oauthspec {role} {} -s '{which}' {command}", options.trim_end()).replace("  ", " ").trim_end().to_owned()
}

fn over_results(check: &Check) -> String {
    if check.want.distinct.is_some() {
        "a different value each time".into()
    } else {
        let bits = check.want.guessable.as_ref().and_then(|guessable| guessable.bits).unwrap_or(128);
        format!("at least {bits} bits that cannot be guessed")
    }
}

fn judge_samples(check: &Check, level: Level, values: &[String]) -> Judgement {
    if values.len() < 2 {
        return Judgement::new(Verdict::Error, format!("{} values are too few to judge", values.len()));
    }
    if check.want.distinct.is_some() {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let seen = format!("{} different values among {}", sorted.len(), values.len());
        let verdict = if sorted.len() == values.len() { Verdict::Pass } else { breach(level) };
        return Judgement { verdict, actual: seen, line: None };
    }
    // What people type can only have so many bits: where a check says how many, nothing more is doubted.
    let own = check.want.guessable.as_ref().and_then(|guessable| guessable.bits).map(f64::from);
    let (least, doubt) = own.map_or((guess::BREACH, guess::DOUBT), |bits| (bits, bits));
    let secret: Vec<String> = values.iter().map(|value| guess::secret_part(value).to_owned()).collect();
    match guess::estimate(&secret) {
        Guess::Repeated => Judgement::new(breach(level), "the same value came twice"),
        Guess::Sequence => Judgement::new(breach(level), "the values follow one another"),
        Guess::Bits(bits) if bits < least => {
            Judgement::new(breach(level), format!("about {bits:.0} bits, by {} values", values.len()))
        }
        Guess::Bits(bits) if bits < doubt => {
            Judgement::new(Verdict::Warn, format!("about {bits:.0} bits, by {} values", values.len()))
        }
        Guess::Bits(bits) => Judgement::new(Verdict::Pass, format!("about {bits:.0} bits, by {} values", values.len())),
    }
}

/// The values of a template whose step has no name, or is this very one.
fn values_of(template: &Template, records: &[Record]) -> Vec<String> {
    let Some(member) = template.variables().next().and_then(|path| path.last().cloned()) else { return Vec::new() };
    records.iter().filter_map(|record| record.got(&member).as_ref().map(super::record::text_of)).collect()
}

/// The reason of a scenario that is no pass, in one sentence.
pub(super) fn reason(checks: &[CheckResult], judging: &Judging, vault: &Vault) -> (Option<Sealed>, Option<SkipCode>) {
    // Of several equally bad the first: it is the one that the others follow from.
    let worst = checks.iter().rev().filter(|check| check.verdict != Verdict::Pass).max_by_key(|check| check.verdict);
    match (worst, judging.worst_stop()) {
        (Some(check), stop) if stop.is_none_or(|(_, stop)| stop_verdict(stop) <= check.verdict) => {
            let case = check.case.as_ref().map(|case| format!("[{case}]")).unwrap_or_default();
            (Some(vault.seal(&format!("{}{case}: {}", check.name, check.actual))), skip_code(check.verdict))
        }
        (_, Some((case, stop))) => {
            let case = case.as_ref().map(|case| format!("[{case}] ")).unwrap_or_default();
            match stop {
                Stop::Skip(code, reason) => (Some(vault.seal(&format!("{case}{reason}"))), Some(*code)),
                Stop::Error(reason) => (Some(vault.seal(&format!("{case}{reason}"))), None),
            }
        }
        _ => (None, None),
    }
}

fn skip_code(verdict: Verdict) -> Option<SkipCode> {
    (verdict == Verdict::Skip).then_some(SkipCode::NoWitness)
}
