//! `junit.xml`: a suite per scenario folder, a case per scenario.
//!
//! The crate that writes it lets characters through that XML forbids and does not split `]]>`: everything is made harmless here first.

use std::collections::BTreeMap;
use std::io::{self, Write};

use junit_report::{Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuite};
use time::format_description::well_known::Rfc3339;

use super::block::{block, check_name, clause, is_problem, plain};
use super::text::{one_line, visible};
use crate::runner::{CheckResult, Results, ScenarioResult, SkipCode, Verdict};

/// Writes the file's bytes.
///
/// # Errors
/// Where the writer fails.
pub fn render<W: Write>(results: &Results, out: &mut W) -> io::Result<()> {
    let started = OffsetDateTime::parse(&results.started, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut suites: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    for scenario in &results.scenarios {
        let (folder, name) = scenario.id.rsplit_once('/').unwrap_or(("scenarios", &scenario.id));
        suites.entry(folder).or_default().push(case(folder, name, scenario));
    }
    let mut report = ReportBuilder::new();
    for (folder, cases) in suites {
        report.add_testsuite(suite(folder, started, cases));
    }
    if !results.complete {
        report.add_testsuite(suite("oauthspec", started, vec![incomplete(results)]));
    }
    report.build().write_xml(&mut *out).map_err(io::Error::other)?;
    out.write_all(b"\n")
}

fn suite(folder: &str, started: OffsetDateTime, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(&one_line(folder));
    suite.set_timestamp(started);
    suite.add_testcases(cases);
    suite
}

/// A case that no report of a whole run has: readers that only count must not take a part for the whole.
fn incomplete(results: &Results) -> TestCase {
    let message = format!("the run did not end: only {} scenarios have a verdict so far", results.scenarios.len());
    let mut case = TestCase::error("complete", Duration::ZERO, "incomplete", &message);
    case.set_classname("oauthspec");
    case
}

fn case(folder: &str, name: &str, scenario: &ScenarioResult) -> TestCase {
    let name = one_line(name);
    let time = Duration::milliseconds(i64::try_from(scenario.duration_ms).unwrap_or(i64::MAX));
    let mut case = match scenario.verdict {
        Verdict::Pass => TestCase::success(&name, time),
        Verdict::Warn => {
            let mut case = TestCase::success(&name, time);
            case.set_system_out(&cdata(&evidence(scenario)));
            case
        }
        Verdict::Fail => {
            let (kind, message) = worst(scenario, Verdict::Fail);
            TestCaseBuilder::failure(&name, time, &kind, &message).set_trace(&cdata(&evidence(scenario))).build()
        }
        Verdict::Error => {
            let (kind, message) = worst(scenario, Verdict::Error);
            TestCaseBuilder::error(&name, time, &kind, &message).set_trace(&cdata(&evidence(scenario))).build()
        }
        Verdict::Skip => TestCase::skipped_with_cause(&name, skip_code(scenario.skip_code), &reason(scenario)),
        Verdict::Waived => TestCase::skipped_with_cause(&name, "waived", &reason(scenario)),
    };
    case.time = time;
    case.set_classname(&one_line(folder).replace('/', "."));
    case
}

/// Type and message: the clause and first line of the first check with that verdict, or the scenario's reason.
fn worst(scenario: &ScenarioResult, verdict: Verdict) -> (String, String) {
    match scenario.checks.iter().find(|check| is_problem(check) && check.verdict == verdict) {
        Some(check) => (clause(check), first_line(check)),
        None => (verdict.word().to_owned(), reason(scenario)),
    }
}

fn first_line(check: &CheckResult) -> String {
    let line = |text: &str| one_line(text.lines().next().unwrap_or_default()).into_owned();
    format!("{}: expected {}, got {}", check_name(check), line(check.expected.as_str()), line(check.actual.as_str()))
}

fn reason(scenario: &ScenarioResult) -> String {
    let reason = scenario.waiver.as_deref().or(scenario.reason.as_ref().map(crate::wire::Sealed::as_str));
    one_line(reason.unwrap_or("no reason is known")).into_owned()
}

fn skip_code(code: Option<SkipCode>) -> &'static str {
    match code {
        Some(SkipCode::NotOffered) => "not_offered",
        Some(SkipCode::NoClient) => "no_client",
        Some(SkipCode::NotConfigured) => "not_configured",
        Some(SkipCode::Assumption) => "assumption",
        Some(SkipCode::Wait) => "wait",
        Some(SkipCode::NoWitness) => "no_witness",
        Some(SkipCode::Preflight) => "preflight",
        Some(SkipCode::Plan) => "plan",
        Some(SkipCode::Loopback) => "loopback",
        Some(SkipCode::Kind) => "kind",
        None => "skip",
    }
}

fn evidence(scenario: &ScenarioResult) -> String {
    plain(&block(scenario))
}

/// Text for a CDATA section, which it cannot end.
fn cdata(text: &str) -> String {
    visible(text).replace("]]>", "]]]]><![CDATA[>")
}

#[cfg(test)]
mod tests {
    use super::super::{Files, samples};
    use super::*;
    use crate::runner::Sink;

    fn junit(scenarios: &[ScenarioResult], complete: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path());
        for event in samples::run(scenarios, complete) {
            files.take(&event).unwrap();
        }
        let mut bytes = Vec::new();
        render(files.results().unwrap(), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_verdict_has_its_element() {
        let scenarios = [samples::failing(), samples::passing(), samples::warning(), samples::erroring(), samples::skipped()];
        insta::assert_snapshot!(junit(&scenarios, true));
    }

    #[test]
    fn hostile_bodies_forge_nothing() {
        let xml = junit(&[samples::hostile(), samples::waived()], true);
        assert_eq!(xml.matches("<testcase ").count() - cdata_text(&xml).matches("<testcase ").count(), 2, "{xml}");
        assert!(!xml.contains(['\u{1b}', '\0', '\r']));
        insta::assert_snapshot!(xml);
    }

    #[test]
    fn a_part_is_no_green_whole() {
        let xml = junit(&[samples::passing()], false);
        assert!(xml.contains("<error type=\"incomplete\""), "{xml}");
    }

    /// Everything that stands inside of CDATA sections, as a parser reads them.
    fn cdata_text(xml: &str) -> String {
        let mut out = String::new();
        let mut rest = xml;
        while let Some((_, after)) = rest.split_once("<![CDATA[") {
            let (inside, after) = after.split_once("]]>").unwrap();
            out.push_str(inside);
            rest = after;
        }
        out
    }
}
