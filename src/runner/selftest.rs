//! The selftest: every scenario against every fault that it must catch, against the strict mock, and against every variant.
//! A check that cannot fail is no check; a check that fails on conformant software is worse.

use std::sync::Arc;

use globset::Glob;
use serde::Serialize;
use tokio::task::JoinSet;

use super::ground::{MockSource, Provider};
use super::play::Stage;
use super::result::{ScenarioResult, Verdict};
use super::run::play_one;
use crate::mock::MockServer;
use crate::policy::{Library, Patch, PolicySet};
use crate::scenario::{Scenario, Selected};
use crate::wire::{Show, Vault};

/// One cell of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The scenario.
    pub scenario: String,
    /// `strict`, `fault` or `variant`.
    pub kind: &'static str,
    /// The fault's or variant's id; empty for the strict mock.
    pub patch: String,
    /// Whether it is as it must be.
    pub green: bool,
    /// The verdict that the scenario gave.
    pub verdict: Verdict,
    /// Why it is not green.
    pub reason: Option<String>,
}

/// The whole matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// Every cell.
    pub cells: Vec<Cell>,
    /// Faults that no scenario names.
    pub uncaught: Vec<String>,
    /// Scenarios that name no fault.
    pub toothless: Vec<String>,
    /// Whether everything is as it must be.
    pub complete: bool,
}

/// What of the matrix is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The strict mock and the faults.
    StrictAndFaults,
    /// The variants.
    Variants,
}

/// Runs the matrix.
pub async fn selftest(scenarios: &[Arc<Scenario>], library: &Library, stage: &Stage, part: Part) -> Result<Matrix, String> {
    let mut tasks = JoinSet::new();
    // A server answers on one thread: two of them use two cores.
    let servers = [start().await?, start().await?];
    let mut count = 0_usize;
    let mut uncaught: Vec<String> = library.faults().map(|fault| fault.id.clone()).collect();
    for scenario in scenarios {
        let mut jobs: Vec<(&'static str, Option<&Patch>)> = Vec::new();
        if part != Part::Variants {
            jobs.push(("strict", None));
            let caught: Vec<&Patch> = library.faults().filter(|fault| names(scenario, &fault.id)).collect();
            uncaught.retain(|id| !caught.iter().any(|fault| fault.id == *id));
            jobs.extend(caught.into_iter().map(|fault| ("fault", Some(fault))));
        }
        if part != Part::StrictAndFaults {
            let conformant = library.variants().filter(|variant| applies(variant, scenario));
            jobs.extend(conformant.map(|variant| ("variant", Some(variant))));
        }
        for (kind, patch) in jobs {
            count += 1;
            let job = Job {
                scenario: Arc::clone(scenario),
                kind,
                patch: patch.cloned(),
                server: servers[count % servers.len()].clone(),
                stage: stage.clone(),
                tag: format!("t{count}"),
            };
            tasks.spawn(job.run());
        }
    }
    if part == Part::Variants {
        uncaught.clear();
    }
    let mut cells = tasks.join_all().await;
    cells.sort_by(|a, b| (&a.scenario, a.kind, &a.patch).cmp(&(&b.scenario, b.kind, &b.patch)));
    let toothless: Vec<String> = scenarios.iter().filter(|s| s.catches.is_empty()).map(|s| s.id.clone()).collect();
    let complete = uncaught.is_empty() && toothless.is_empty() && cells.iter().all(|cell| cell.green);
    Ok(Matrix { cells, uncaught, toothless, complete })
}

struct Job {
    scenario: Arc<Scenario>,
    kind: &'static str,
    patch: Option<Patch>,
    server: Arc<MockServer>,
    stage: Stage,
    tag: String,
}

impl Job {
    async fn run(self) -> Cell {
        let Ok(_place) = Arc::clone(&self.stage.places).acquire_owned().await else {
            return self.cell(Verdict::Error, Some("the run has ended".into()));
        };
        let policies = match PolicySet::new(self.patch.iter()) {
            Ok(policies) => policies,
            Err(error) => return self.cell(Verdict::Error, Some(error.to_string())),
        };
        let claims = if self.kind == "fault" { PolicySet::strict() } else { policies.clone() };
        let source = MockSource { server: Arc::clone(&self.server), policies, claims, name: "mock".into() };
        let selected = Selected { scenario: Arc::clone(&self.scenario), cases: None };
        let vault = Vault::new(Show::Redacted);
        let finished = play_one(&selected, &Provider::Mock(Arc::new(source)), &self.stage, &vault, &self.tag).await;
        let reason = match (self.kind, &self.patch) {
            ("fault", Some(fault)) => uncaught(&finished.result, fault),
            ("variant", Some(variant)) => refused(&finished.result, variant),
            _ => not_passed(&finished.result),
        };
        self.cell(finished.result.verdict, reason)
    }

    fn cell(&self, verdict: Verdict, reason: Option<String>) -> Cell {
        Cell {
            scenario: self.scenario.id.clone(),
            kind: self.kind,
            patch: self.patch.as_ref().map(|patch| patch.id.clone()).unwrap_or_default(),
            green: reason.is_none(),
            verdict,
            reason,
        }
    }
}

async fn start() -> Result<Arc<MockServer>, String> {
    MockServer::start().await.map(Arc::new).map_err(|error| error.to_string())
}

/// Whether a scenario runs in a plan under which the variant is conformant: by the others the variant may well fail.
fn applies(variant: &Patch, scenario: &Scenario) -> bool {
    let plans = &scenario.needs.plan;
    plans.is_empty() || variant.plans.is_empty() || plans.iter().any(|plan| variant.plans.contains(plan))
}

fn names(scenario: &Scenario, fault: &str) -> bool {
    scenario.catches.iter().any(|pattern| glob(pattern.get_ref(), fault))
}

fn glob(pattern: &str, id: &str) -> bool {
    Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(id))
}

/// A fault is caught when a check with a requirement that it breaks turns `fail` (or `warn`, for a SHOULD) while the controls hold.
fn uncaught(result: &ScenarioResult, fault: &Patch) -> Option<String> {
    let caught = result.checks.iter().any(|check| {
        let breaks = check.requirement.as_ref().is_some_and(|id| fault.breaks.iter().any(|broken| broken.get_ref() == id));
        breaks && matches!(check.verdict, Verdict::Fail | Verdict::Warn)
    });
    if caught {
        return None;
    }
    let seen: Vec<String> = result
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .map(|check| {
            format!("{} {} {}: {}", check.name, check.verdict.word(), check.requirement.as_deref().unwrap_or("-"), check.actual)
        })
        .collect();
    let reason = result.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!("not caught ({} {reason}) {}", result.verdict.word(), seen.join("; ")))
}

/// Under a variant everything passes, but for the warnings and skips that it declares.
fn refused(result: &ScenarioResult, variant: &Patch) -> Option<String> {
    let bad: Vec<String> = result
        .checks
        .iter()
        .filter(|check| match check.verdict {
            Verdict::Pass | Verdict::Waived => false,
            Verdict::Skip => !skips(variant, &result.id),
            Verdict::Warn => !declines(variant, &result.id, &check.name),
            Verdict::Fail | Verdict::Error => true,
        })
        .map(|check| format!("{}{} {}: {}", check.name, case(check.case.as_ref()), check.verdict.word(), check.actual))
        .collect();
    if !bad.is_empty() {
        return Some(bad.join("; "));
    }
    let allowed = matches!(result.verdict, Verdict::Pass | Verdict::Warn)
        || (result.verdict == Verdict::Skip && skips(variant, &result.id));
    (!allowed)
        .then(|| format!("{}: {}", result.verdict.word(), result.reason.as_ref().map(ToString::to_string).unwrap_or_default()))
}

fn not_passed(result: &ScenarioResult) -> Option<String> {
    if result.verdict == Verdict::Pass {
        return None;
    }
    let checks = result.checks.iter().filter(|check| check.verdict != Verdict::Pass);
    let seen: Vec<String> = checks
        .map(|check| format!("{}{} {}: {}", check.name, case(check.case.as_ref()), check.verdict.word(), check.actual))
        .collect();
    let reason = result.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!("{}: {reason} {}", result.verdict.word(), seen.join("; ")))
}

fn skips(variant: &Patch, id: &str) -> bool {
    variant.skips.iter().any(|pattern| glob(pattern, id))
}

fn declines(variant: &Patch, id: &str, check: &str) -> bool {
    variant.declines.iter().any(|pattern| match pattern.split_once('#') {
        Some((scenario, name)) => glob(scenario, id) && glob(name, check),
        None => glob(pattern, id),
    })
}

fn case(case: Option<&String>) -> String {
    case.map(|case| format!("[{case}]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Suite;

    /// What a variant is excused from exists, and runs under it: an excuse for nothing would hide the next one.
    #[test]
    fn every_skip_and_decline_of_a_variant_names_something_that_runs_under_it() {
        let suite = Suite::embedded().unwrap();
        let mut strays = Vec::new();
        for variant in Library::embedded().variants() {
            let running: Vec<&Arc<Scenario>> = suite.iter().filter(|scenario| applies(variant, scenario)).collect();
            let checks = |scenario: &Scenario| -> Vec<String> {
                let of_step = scenario.steps.iter().flat_map(|step| step.expect.iter());
                of_step.map(|check| check.name.clone()).collect()
            };
            for pattern in &variant.skips {
                if !running.iter().any(|scenario| glob(pattern, &scenario.id)) {
                    strays.push(format!("{} skips {pattern}", variant.id));
                }
            }
            for pattern in &variant.declines {
                let (scenarios, names) = pattern.split_once('#').unwrap_or((pattern, "*"));
                let fits = |scenario: &&Arc<Scenario>| {
                    glob(scenarios, &scenario.id) && checks(scenario).iter().any(|name| glob(names, name))
                };
                if !running.iter().any(fits) {
                    strays.push(format!("{} declines {pattern}", variant.id));
                }
            }
        }
        assert_eq!(strays, Vec::<String>::new());
    }

    /// A selftest that knows no such plan would leave the variant out in silence.
    #[test]
    fn every_plan_of_a_variant_is_known() {
        let plans = crate::scenario::PLANS;
        for variant in Library::embedded().variants() {
            assert!(variant.plans.iter().all(|plan| plans.contains(&plan.as_str())), "{}", variant.id);
        }
    }
}
