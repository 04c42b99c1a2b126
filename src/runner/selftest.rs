//! The selftest: every scenario against every fault that it must catch, against the strict mock, and against every variant.
//! A check that cannot fail is no check; a check that fails on conformant software is worse.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Serialize;
use tokio::task::JoinSet;

use super::chance::Chance;
use super::ground::{MockSource, Provider};
use super::play::Stage;
use super::result::{ScenarioResult, Verdict};
use super::run::play_one;
use crate::catalog::{Catalogue, Level, Plan};
use crate::mock::MockServer;
use crate::policy::{Library, Patch, PolicySet};
use crate::scenario::{Scenario, Selected};
use crate::wire::{Show, Vault};

/// One cell of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The scenario.
    pub scenario: String,
    /// The plan by which it was judged.
    pub plan: String,
    /// `strict`, `fault`, `variant` or `pair`.
    pub kind: &'static str,
    /// The fault's or variant's id, both of a pair with ` + ` between; empty for the strict mock.
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

impl Matrix {
    /// Adds another matrix.
    pub fn add(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.uncaught.extend(other.uncaught);
        self.toothless.extend(other.toothless);
        self.complete &= other.complete;
    }
}

/// What of the matrix is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The strict mock, or the strict reference client.
    Strict,
    /// The same, and the faults.
    Faults,
    /// The variants, each alone.
    Variants,
    /// So many pairs of variants, chosen by the stage's seed.
    Pairs(usize),
}

/// A scenario as one plan judges it.
#[derive(Clone)]
pub(super) struct Ruled {
    pub(super) scenario: Arc<Scenario>,
    pub(super) plan: &'static Plan,
    /// Whether it judges something that no plan before it does, or judges it harder.
    adds: bool,
}

/// The scenario by each plan of those given that judges any of it.
pub(super) fn rulings(scenario: &Arc<Scenario>, plans: &[&'static Plan], catalogue: &Catalogue) -> Vec<Ruled> {
    let mut seen: BTreeMap<String, Level> = BTreeMap::new();
    let mut out = Vec::new();
    for plan in plans {
        let Some(ruled) = Arc::clone(scenario).under(plan) else { continue };
        let mut adds = false;
        for check in ruled.checks() {
            let level = check.level(catalogue);
            let known = seen.insert(check.name.clone(), level);
            adds |= known.is_none_or(|before| before < level);
        }
        out.push(Ruled { scenario: ruled, plan, adds });
    }
    out
}

/// Runs the matrix, each scenario by the first of the plans that holds it, and by the others where they judge more.
///
/// # Errors
/// Where the mock cannot be started.
pub async fn selftest(
    scenarios: &[Arc<Scenario>],
    plans: &[&'static Plan],
    library: &Library,
    stage: &Stage,
    parts: &[Part],
) -> Result<Matrix, String> {
    let mut tasks = JoinSet::new();
    // A server answers on one thread: two of them use two cores.
    let servers = [start().await?, start().await?];
    let mut count = 0_usize;
    let mut uncaught: Vec<String> = library.faults().map(|fault| fault.id.clone()).collect();
    let pairs =
        parts.iter().flat_map(|part| if let Part::Pairs(count) = part { pairs(library, *count, stage.seed) } else { vec![] });
    let pairs: Vec<[&Patch; 2]> = pairs.collect();
    for scenario in scenarios {
        let catches = Catches::of(scenario);
        let rulings = rulings(scenario, plans, stage.catalogue);
        let mut jobs: Vec<(&Ruled, &'static str, Vec<&Patch>)> = Vec::new();
        if parts.contains(&Part::Strict) {
            jobs.extend(rulings.iter().filter(|ruled| ruled.adds).map(|ruled| (ruled, "strict", vec![])));
        }
        if parts.contains(&Part::Faults) {
            let caught: Vec<&Patch> = library.faults().filter(|fault| catches.fault(&fault.id)).collect();
            for ruled in rulings.iter().filter(|ruled| ruled.adds) {
                jobs.push((ruled, "strict", vec![]));
                jobs.extend(caught.iter().map(|fault| (ruled, "fault", vec![*fault])));
            }
            uncaught.retain(|id| rulings.is_empty() || !caught.iter().any(|fault| fault.id == *id));
        }
        if parts.contains(&Part::Variants) {
            for variant in library.variants() {
                jobs.extend(conformant(&[variant], &rulings).into_iter().map(|ruled| (ruled, "variant", vec![variant])));
            }
        }
        for pair in &pairs {
            jobs.extend(conformant(pair, &rulings).into_iter().map(|ruled| (ruled, "pair", pair.to_vec())));
        }
        for (ruled, kind, tested) in jobs {
            count += 1;
            let job = Job {
                ruled: ruled.clone(),
                kind,
                of_plan: beside(plan_mock(ruled.plan, library)?, &tested),
                tested: tested.into_iter().cloned().collect(),
                server: servers[count % servers.len()].clone(),
                stage: stage.clone(),
                tag: format!("t{count}"),
            };
            tasks.spawn(job.run());
        }
    }
    if !parts.contains(&Part::Faults) {
        uncaught.clear();
    }
    let mut cells = tasks.join_all().await;
    cells.sort_by(|a, b| {
        (&a.scenario, a.kind, &a.patch, !a.green, &a.plan).cmp(&(&b.scenario, b.kind, &b.patch, !b.green, &b.plan))
    });
    // A fault has to be caught by one plan that judges the scenario: what it breaks may be right by another.
    cells.dedup_by(|b, a| a.kind == "fault" && a.scenario == b.scenario && a.patch == b.patch && b.kind == "fault");
    let toothless: Vec<String> = scenarios.iter().filter(|s| s.catches.is_empty()).map(|s| s.id.clone()).collect();
    let complete = uncaught.is_empty() && toothless.is_empty() && cells.iter().all(|cell| cell.green);
    Ok(Matrix { cells, uncaught, toothless, complete })
}

struct Job {
    ruled: Ruled,
    kind: &'static str,
    /// What makes the strict mock conformant to the plan.
    of_plan: Vec<Patch>,
    /// What the cell is about: nothing, a fault, or one or two variants.
    tested: Vec<Patch>,
    server: Arc<MockServer>,
    stage: Stage,
    tag: String,
}

impl Job {
    async fn run(self) -> Cell {
        let Ok(_place) = Arc::clone(&self.stage.places).acquire_owned().await else {
            return self.cell(Verdict::Error, Some("the run has ended".into()));
        };
        let policies = match PolicySet::new(self.of_plan.iter().chain(&self.tested)) {
            Ok(policies) => policies,
            Err(error) => return self.cell(Verdict::Error, Some(error.to_string())),
        };
        let claims = match PolicySet::new(&self.of_plan) {
            Ok(strict) if self.kind == "fault" => strict,
            _ => policies.clone(),
        };
        let source = MockSource { server: Arc::clone(&self.server), policies, claims, name: "mock".into() };
        let selected = Selected { scenario: Arc::clone(&self.ruled.scenario), cases: None };
        let vault = Vault::new(Show::Redacted);
        let finished = Box::pin(play_one(&selected, &Provider::Mock(Arc::new(source)), &self.stage, &vault, &self.tag)).await;
        let reason = match self.tested.as_slice() {
            [fault] if self.kind == "fault" => uncaught(&finished.result, fault),
            [] => not_passed(&finished.result),
            variants => refused(&finished.result, variants),
        };
        self.cell(finished.result.verdict, reason)
    }

    fn cell(&self, verdict: Verdict, reason: Option<String>) -> Cell {
        Cell {
            scenario: self.ruled.scenario.id.clone(),
            plan: self.ruled.plan.name(),
            kind: self.kind,
            patch: self.tested.iter().map(|patch| patch.id.as_str()).collect::<Vec<_>>().join(" + "),
            green: reason.is_none(),
            verdict,
            reason,
        }
    }
}

async fn start() -> Result<Arc<MockServer>, String> {
    MockServer::start().await.map(Arc::new).map_err(|error| error.to_string())
}

/// Pairs of variants that change different settings and are conformant by a common plan, as the seed has it.
fn pairs(library: &Library, count: usize, seed: u64) -> Vec<[&Patch; 2]> {
    let variants: Vec<&Patch> = library.variants().collect();
    let mut all: Vec<[&Patch; 2]> = Vec::new();
    for (index, first) in variants.iter().enumerate() {
        let fitting = variants[index + 1..].iter().filter(|second| combine(first, second));
        all.extend(fitting.map(|second| [*first, *second]));
    }
    let lot = |pair: &[&Patch; 2]| Chance::new(seed, &format!("{} + {}", pair[0].id, pair[1].id)).octets();
    all.sort_by_cached_key(lot);
    all.truncate(count);
    all
}

/// Whether two variants can be had at once: no setting stands in both, nothing that one needs is taken away by the other, and a plan
/// holds both.
fn combine(first: &Patch, second: &Patch) -> bool {
    let overlap = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}.")) || b.starts_with(&format!("{a}."));
    let apart = first.settings().all(|a| second.settings().all(|b| !overlap(a, b)));
    let together = PolicySet::new([first, second]).is_ok() && PolicySet::new([second, first]).is_ok();
    let common = |plan: &String| second.plans.is_empty() || second.plans.contains(plan);
    apart && together && (first.plans.is_empty() || first.plans.iter().any(common))
}

/// The rulings by which variants are conformant: by the others they may well fail. Those that add something; the first, where none does.
fn conformant<'a>(variants: &[&Patch], rulings: &'a [Ruled]) -> Vec<&'a Ruled> {
    let holds = |variant: &Patch, plan: &Plan| variant.plans.is_empty() || variant.plans.contains(&plan.id);
    let applies = |ruled: &&Ruled| variants.iter().all(|variant| holds(variant, ruled.plan));
    let adding: Vec<&Ruled> = rulings.iter().filter(applies).filter(|ruled| ruled.adds).collect();
    if adding.is_empty() { rulings.iter().find(applies).into_iter().collect() } else { adding }
}

/// What makes the mock conformant to the plan, without what is tested anyway: no variant counts twice.
fn beside(of_plan: Vec<&Patch>, tested: &[&Patch]) -> Vec<Patch> {
    of_plan.into_iter().filter(|one| tested.iter().all(|patch| patch.id != one.id)).cloned().collect()
}

/// What makes the strict mock conformant to a plan.
fn plan_mock<'a>(plan: &Plan, library: &'a Library) -> Result<Vec<&'a Patch>, String> {
    plan.mock.iter().map(|id| library.variant(id).map_err(|error| error.to_string())).collect()
}

/// The faults that a scenario has to catch.
pub(super) struct Catches(GlobSet);

impl Catches {
    /// A pattern that is none was refused when the scenario was loaded.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut set = GlobSetBuilder::new();
        scenario.catches.iter().filter_map(|pattern| Glob::new(pattern.get_ref()).ok()).for_each(|glob| {
            set.add(glob);
        });
        Self(set.build().unwrap_or_else(|_| GlobSet::empty()))
    }

    pub(super) fn fault(&self, id: &str) -> bool {
        self.0.is_match(id)
    }
}

pub(super) fn glob(pattern: &str, id: &str) -> bool {
    Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(id))
}

/// A fault is caught when a check with a requirement that it breaks turns `fail` (or `warn`, for a SHOULD) while the controls hold.
fn uncaught(result: &ScenarioResult, fault: &Patch) -> Option<String> {
    let caught = result.checks.iter().any(|check| {
        let mut cited = check.requirement.iter().chain(&check.also);
        let breaks = cited.any(|id| fault.breaks.iter().any(|broken| broken.get_ref() == id));
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

/// Under a variant everything passes, but for the warnings and skips that it declares. Of two at once each may take away what stands in
/// for what the other took away: there every skip is right.
fn refused(result: &ScenarioResult, variants: &[Patch]) -> Option<String> {
    let may_skip = variants.len() > 1 || variants.iter().any(|variant| skips(variant, &result.id));

    let bad: Vec<String> = result
        .checks
        .iter()
        .filter(|check| match check.verdict {
            Verdict::Pass | Verdict::Waived => false,
            Verdict::Skip => !may_skip,
            Verdict::Warn => !variants.iter().any(|variant| declines(variant, &result.id, &check.name)),
            Verdict::Fail | Verdict::Error => true,
        })
        .map(|check| format!("{}{} {}: {}", check.name, case(check.case.as_ref()), check.verdict.word(), check.actual))
        .collect();
    if !bad.is_empty() {
        return Some(bad.join("; "));
    }
    let allowed = matches!(result.verdict, Verdict::Pass | Verdict::Warn) || (result.verdict == Verdict::Skip && may_skip);
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

pub(super) fn case(case: Option<&String>) -> String {
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
            let plans: Vec<&Plan> = Plan::all().iter().collect();
            let runs =
                |scenario: &Arc<Scenario>| !conformant(&[variant], &rulings(scenario, &plans, Catalogue::embedded())).is_empty();
            let running: Vec<&Arc<Scenario>> = suite.iter().filter(|scenario| runs(scenario)).collect();
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
