//! The failure block: what was expected, what came, the exchange with the offending line marked, how to mend it, how to repeat it.
//!
//! The same lines for console, JUnit and page. Colours are only named here ([`Tone`]); whoever prints chooses them.

use super::text::{one_line, visible};
use crate::runner::{CheckResult, ExchangeReport, RequestReport, ResponseReport, ScenarioResult, Verdict};
use crate::wire::Sealed;

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Names and headings.
    Strong,
    /// Labels and what matters less.
    Faint,
    /// The colour of a verdict.
    Verdict(Verdict),
    /// The line that offends.
    Mark,
}

/// A piece of a line. Its text is harmless for terminals and XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// One line, without its end.
pub type Line = Vec<Span>;

/// As many characters of a body are shown.
const BODY_CHARS: usize = 2_000;
/// As many lines of a body are shown.
const BODY_LINES: usize = 40;

/// The block of a scenario: its checks that fail, warn or are errors, worst last, each group with the exchange that it is about.
#[must_use]
pub fn block(scenario: &ScenarioResult) -> Vec<Line> {
    let mut lines = vec![heading(scenario), vec![span(Tone::Plain, one_line(&scenario.title))]];
    let groups = groups(scenario);
    if groups.is_empty() {
        unchecked(scenario, &mut lines);
    }
    for group in &groups {
        for check in &group.checks {
            lines.push(Line::new());
            about(check, &mut lines);
        }
        if let Some(number) = group.exchange
            && let Some(exchange) = scenario.exchanges.get(number)
        {
            let marks: Vec<&str> = group.checks.iter().filter_map(|check| check.line.as_deref()).collect();
            lines.push(Line::new());
            show_exchange(number, exchange, &marks, &mut lines);
        }
    }
    closing(scenario, &groups, &mut lines);
    lines
}

/// The lines as text, without colour, each with its end.
#[must_use]
pub fn plain(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        for span in line {
            out.push_str(&span.text);
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

/// A check's name as people repeat it: with its case in brackets.
pub(super) fn check_name(check: &CheckResult) -> String {
    let name = one_line(&check.name);
    check.case.as_ref().map_or_else(|| name.to_string(), |case| format!("{name}[{}]", one_line(case)))
}

/// A check's clause, for people and machines: `RFC 6749 section 4.1.2 (RFC6749-4.1.2-05)`.
pub(super) fn clause(check: &CheckResult) -> String {
    match (&check.clause, &check.requirement) {
        (Some(clause), Some(id)) => format!("{} ({})", one_line(clause), one_line(id)),
        (Some(only), None) | (None, Some(only)) => one_line(only).into_owned(),
        (None, None) => "robustness, which no clause demands".to_owned(),
    }
}

/// Whether a check belongs into a block.
pub(super) fn is_problem(check: &CheckResult) -> bool {
    matches!(check.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error)
}

/// The checks that are about one exchange.
struct Group<'a> {
    exchange: Option<usize>,
    checks: Vec<&'a CheckResult>,
}

/// Groups by exchange; in a group and among groups the worst comes last, otherwise the order stays.
fn groups(scenario: &ScenarioResult) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for check in scenario.checks.iter().filter(|check| is_problem(check)) {
        match groups.iter_mut().find(|group| group.exchange == check.exchange) {
            Some(group) => group.checks.push(check),
            None => groups.push(Group { exchange: check.exchange, checks: vec![check] }),
        }
    }
    for group in &mut groups {
        group.checks.sort_by_key(|check| check.verdict);
    }
    groups.sort_by_key(|group| group.checks.last().map(|check| check.verdict));
    groups
}

fn heading(scenario: &ScenarioResult) -> Line {
    vec![
        span(Tone::Verdict(scenario.verdict), scenario.verdict.word().to_uppercase()),
        span(Tone::Plain, " "),
        span(Tone::Strong, one_line(&scenario.id)),
    ]
}

/// A scenario that ended before any check could tell: the reason, and the last thing that happened.
fn unchecked(scenario: &ScenarioResult, lines: &mut Vec<Line>) {
    if let Some(reason) = &scenario.reason {
        lines.push(Line::new());
        field("reason", reason.as_str(), lines);
    }
    if let Some((number, exchange)) = scenario.exchanges.iter().enumerate().next_back() {
        lines.push(Line::new());
        show_exchange(number, exchange, &[], lines);
    }
}

fn about(check: &CheckResult, lines: &mut Vec<Line>) {
    lines.push(vec![
        span(Tone::Plain, "  "),
        span(Tone::Verdict(check.verdict), check.verdict.word()),
        span(Tone::Plain, " "),
        span(Tone::Strong, check_name(check)),
    ]);
    let rank = format!("{}, {}", check.level, check.severity);
    field("requirement", &format!("{}, {rank}\n{}", clause(check), check.text), lines);
    field("expected", check.expected.as_str(), lines);
    field("actual", check.actual.as_str(), lines);
}

/// How to mend it, and how to repeat it; commands that are the same stand once.
fn closing(scenario: &ScenarioResult, groups: &[Group<'_>], lines: &mut Vec<Line>) {
    let mut commands: Vec<&str> = Vec::new();
    for check in groups.iter().flat_map(|group| &group.checks) {
        if !check.repeat.is_empty() && !commands.contains(&check.repeat.as_str()) {
            commands.push(&check.repeat);
        }
    }
    let fix = if groups.is_empty() { "" } else { scenario.fix.trim() };
    if !fix.is_empty() || !commands.is_empty() {
        lines.push(Line::new());
    }
    if !fix.is_empty() {
        field("mend", fix, lines);
    }
    if !commands.is_empty() {
        field("repeat", &commands.join("\n"), lines);
    }
}

/// A label with its text; further lines of the text stand below the first.
fn field(label: &str, text: &str, lines: &mut Vec<Line>) {
    let mut label = format!("    {label:<12} ");
    for line in visible(text.trim_end()).split('\n') {
        lines.push(vec![span(Tone::Faint, &label), span(Tone::Plain, line)]);
        label = " ".repeat(17);
    }
}

/// One exchange. `marks` names the lines that offend, as [`CheckResult::line`] does.
fn show_exchange(number: usize, exchange: &ExchangeReport, marks: &[&str], lines: &mut Vec<Line>) {
    let mut title = format!("  exchange {number}, {} channel, {}", one_line(&exchange.channel), one_line(&exchange.step));
    if exchange.party != "harness" {
        title.push_str(&format!(", by the {}", one_line(&exchange.party)));
    }
    lines.push(vec![span(Tone::Faint, title)]);
    show_request(&exchange.request, marks, lines);
    lines.push(Line::new());
    match &exchange.response {
        Some(response) => show_response(response, marks, lines),
        None => {
            let why = exchange.failure.as_deref().unwrap_or("nothing came");
            let answer_offends = marks.iter().any(|mark| *mark != "request");
            lines.push(wire(&format!("no response: {}", one_line(why)), answer_offends));
        }
    }
}

fn show_request(request: &RequestReport, marks: &[&str], lines: &mut Vec<Line>) {
    let first = format!("{} {}", one_line(request.method.as_str()), one_line(request.url.as_str()));
    lines.push(wire(&first, marks.contains(&"request")));
    for (name, value) in &request.headers {
        lines.push(wire(&header(name, value), false));
    }
    show_body(&request.body, request.body_base64.as_deref(), false, lines);
}

fn show_response(response: &ResponseReport, marks: &[&str], lines: &mut Vec<Line>) {
    lines.push(wire(&format!("HTTP {}", response.status), marks.contains(&"status")));
    let wanted: Vec<&str> = marks.iter().filter_map(|mark| marked_header(mark)).collect();
    let mut absent = wanted.clone();
    for (name, value) in &response.headers {
        let offends = wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name.as_str()));
        absent.retain(|absent| !absent.eq_ignore_ascii_case(name.as_str()));
        lines.push(wire(&header(name, value), offends));
    }
    for name in absent {
        lines.push(wire(&format!("(no {} header)", one_line(name)), true));
    }
    show_body(&response.body, response.body_base64.as_deref(), marks.contains(&"body"), lines);
    if response.truncated {
        lines.push(vec![span(Tone::Faint, "      (the body was longer; the rest was not read)")]);
    }
}

/// The header field that a mark is about.
fn marked_header(mark: &str) -> Option<&str> {
    if mark == "location" { Some("location") } else { mark.strip_prefix("header ").map(str::trim) }
}

fn header(name: &Sealed, value: &Sealed) -> String {
    format!("{}: {}", one_line(name.as_str()), one_line(value.as_str()))
}

fn show_body(body: &Sealed, base64: Option<&str>, offends: bool, lines: &mut Vec<Line>) {
    let (body, what) = match base64 {
        Some(base64) => (base64, "base64, for it is no UTF-8"),
        None => (body.as_str(), "characters"),
    };
    if body.is_empty() {
        if offends {
            lines.push(wire("(no body)", true));
        }
        return;
    }
    lines.push(Line::new());
    let kept = body.chars().take(BODY_CHARS).collect::<String>();
    let cut_short = kept.len() < body.len();
    let kept = kept.replace("\r\n", "\n");
    let shown: Vec<String> = visible(&kept).split('\n').take(BODY_LINES).map(|line| line.trim_end().to_owned()).collect();
    for line in &shown {
        lines.push(wire(line, offends));
    }
    let cut = cut_short || kept.split('\n').count() > BODY_LINES;
    if cut || base64.is_some() {
        let total = body.chars().count();
        let rest = if cut { "; the rest is in results.json" } else { "" };
        lines.push(vec![span(Tone::Faint, format!("      ({total} {what}{rest})"))]);
    }
}

/// A line of an exchange, with `>` in front if it offends.
fn wire(text: &str, offends: bool) -> Line {
    if offends {
        return vec![span(Tone::Mark, format!("    > {text}").trim_end())];
    }
    vec![span(Tone::Plain, format!("      {text}").trim_end())]
}

fn span(tone: Tone, text: impl AsRef<str>) -> Span {
    Span { tone, text: text.as_ref().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn checks_of_one_exchange_share_it() {
        insta::assert_snapshot!(plain(&block(&samples::failing())));
    }

    #[test]
    fn a_setup_error_shows_the_last_exchange() {
        insta::assert_snapshot!(plain(&block(&samples::erroring())));
    }

    #[test]
    fn hostile_answers_are_shown_harmlessly() {
        let text = plain(&block(&samples::hostile()));
        assert!(!text.contains(['\u{1b}', '\0', '\r']), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_bodies_are_cut() {
        let mut scenario = samples::failing();
        if let Some(response) = &mut scenario.exchanges[1].response {
            response.body = samples::sealed(&"0123456789".repeat(1_000));
        }
        let text = plain(&block(&scenario));
        assert!(text.contains("(10000 characters; the rest is in results.json)"), "{text}");
        assert!(text.len() < 5_000);
    }

    #[test]
    fn a_missing_header_is_named() {
        let mut scenario = samples::failing();
        scenario.checks[1].line = Some("header Cache-Control".to_owned());
        scenario.checks[2].line = Some("location".to_owned());
        let text = plain(&block(&scenario));
        assert!(text.contains("    > (no Cache-Control header)"), "{text}");
        assert!(text.contains("    > (no location header)"), "{text}");
    }
}
