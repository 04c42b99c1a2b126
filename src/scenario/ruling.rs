//! A scenario as one plan judges it. The runner knows no plans: it is handed scenarios in which everything else is left out.

use std::sync::Arc;

use super::{Cases, Check, Scenario};
use crate::catalog::Plan;

impl Scenario {
    /// The scenario with the checks and cases that the plan judges, each by a requirement of the plan's documents; none where nothing
    /// is left to judge.
    #[must_use]
    pub fn under(self: Arc<Self>, plan: &Plan) -> Option<Arc<Self>> {
        if !names(&self.needs.plan, plan) {
            return None;
        }
        let cites = |scenario: &Self| scenario.checks().any(|check| check.requirement.is_some());
        let cited = cites(&self);
        let mut ruled = Arc::unwrap_or_clone(self);
        for step in &mut ruled.steps {
            let judged = !step.expect.is_empty();
            step.expect = step.expect.drain(..).filter_map(|check| ruling(check, plan)).collect();
            step.unjudged = judged && step.expect.is_empty();
        }
        if let Cases::Fixed(cases) = &mut ruled.cases {
            cases.retain(|case| names(&case.needs.plan, plan));
            if cases.is_empty() {
                return None;
            }
        }
        let left = if cited { cites(&ruled) } else { ruled.checks().next().is_some() };
        left.then(|| Arc::new(ruled))
    }
}

/// The check by the first of its citations that the plan holds. One without any is about robustness and belongs to every plan.
fn ruling(check: Check, plan: &Plan) -> Option<Check> {
    if !names(&check.plan, plan) {
        return None;
    }
    let mut held = check.citations().filter(|id| plan.holds(id)).map(str::to_owned);
    let requirement = held.next();
    if requirement.is_none() && check.requirement.is_some() {
        return None;
    }
    let also = held.collect();
    Some(Check { requirement, also, ..check })
}

fn names(plans: &[String], plan: &Plan) -> bool {
    plans.is_empty() || plans.contains(&plan.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalogue;
    use crate::problem::Source;
    use crate::scenario::{Suite, load_one};

    const TEXT: &str = r#"
title = "t"
severity = "low"
why = "w"
fix = "f"
[[steps]]
metadata = {}
expect = [
  { name = "new", status = 200, requirement = "RFC8414-3.2-01" },
  { name = "both", status = 200, requirement = "RFC9700-2.6-02", also = ["RFC6749-3.1-01"] },
  { name = "old", status = 200, requirement = "RFC6749-3.1-01", plan = "rfc6749" },
]
"#;

    fn under(text: &str, plan: &str) -> Vec<(String, String, Vec<String>)> {
        let scenario = Arc::new(load_one(&Source::new("y.toml", text), "server/x/y").unwrap());
        let ruled = scenario.under(Plan::of(plan).unwrap());
        let row = |check: &Check| (check.name.clone(), check.requirement.clone().unwrap_or_default(), check.also.clone());
        ruled.iter().flat_map(|scenario| scenario.checks().map(row).collect::<Vec<_>>()).collect()
    }

    fn row(name: &str, requirement: &str, also: &[&str]) -> (String, String, Vec<String>) {
        (name.into(), requirement.into(), also.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_plan_judges_by_its_own_documents() {
        let best = [row("new", "RFC8414-3.2-01", &[]), row("both", "RFC9700-2.6-02", &["RFC6749-3.1-01"])];
        assert_eq!(under(TEXT, "bcp"), best);
        assert_eq!(under(TEXT, "rfc6749"), [row("both", "RFC6749-3.1-01", &[]), row("old", "RFC6749-3.1-01", &[])]);
    }

    #[test]
    fn a_scenario_of_other_documents_is_not_in_the_plan() {
        let text = TEXT.lines().filter(|line| !line.contains("both") && !line.contains("old")).collect::<Vec<_>>().join("\n");
        assert_eq!(under(&text, "rfc6749"), []);
    }

    /// What a plan judges is frozen: whoever changes it moves the plan's date, and says so in the changelog.
    #[test]
    fn what_the_plans_judge_is_frozen() {
        let (suite, catalogue) = (Suite::embedded().unwrap(), Catalogue::embedded());
        for plan in Plan::all() {
            let mut lines: Vec<String> = Vec::new();
            for scenario in suite.iter().filter_map(|scenario| Arc::clone(scenario).under(plan)) {
                lines.extend(scenario.checks().map(|check| {
                    let requirement = check.requirement.as_deref().unwrap_or("-");
                    format!("{}#{} {} {requirement}", scenario.id, check.name, check.level(catalogue))
                }));
            }
            insta::assert_snapshot!(format!("{}@{}", plan.id, plan.date), lines.join("\n"));
        }
    }
}
