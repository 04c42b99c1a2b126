//! Hand-made results for the tests of reports.

use std::time::Duration;

use serde_json::{Value, json};

use crate::runner::{Event, Notice, RunInfo, ScenarioResult, Summary, TargetInfo};
use crate::wire::Sealed;

pub(super) fn sealed(text: &str) -> Sealed {
    serde_json::from_value(Value::from(text)).unwrap()
}

fn scenario(value: Value) -> ScenarioResult {
    serde_json::from_value(value).unwrap()
}

pub(super) fn passing() -> ScenarioResult {
    let mut passing = scenario(json!({
        "id": "server/token/right-verifier", "title": "A right verifier is accepted", "level": "MUST", "severity": "high",
        "requirements": ["RFC7636-4.6-01"], "verdict": "pass", "reason": null, "skip_code": null, "waiver": null, "duration_ms": 7,
        "checks": [{
            "name": "accepted", "case": null, "text": "The server compares the verifier.", "level": "MUST", "severity": "high",
            "requirement": "RFC7636-4.6-01", "clause": "RFC 7636 section 4.6", "verdict": "pass", "expected": "accepted",
            "actual": "accepted with status 200", "exchange": 0, "line": null, "repeat": ""
        }],
        "exchanges": [token_exchange("login", 200, "{\"access_token\":\"<access_token#1>\"}")], "fix": ""
    }));
    passing.snapshot = Some("POST /token\n200\n".to_owned());
    passing
}

pub(super) fn failing() -> ScenarioResult {
    let check = |name: &str, verdict: &str, exchange: Value, line: Value| {
        json!({
            "name": name, "case": null, "text": "The client MUST NOT use the authorization code more than once.",
            "level": "MUST", "severity": "critical", "requirement": "RFC6749-4.1.2-05", "clause": "RFC 6749 section 4.1.2",
            "verdict": verdict, "expected": "refused\nor (warn): throttled", "actual": "accepted with status 200",
            "exchange": exchange, "line": line, "repeat": "oauthspec server --mock -s 'server/code/reused-code'"
        })
    };
    scenario(json!({
        "id": "server/code/reused-code", "title": "An authorization code works only once", "level": "MUST", "severity": "critical",
        "requirements": ["RFC6749-4.1.2-05"], "verdict": "fail", "reason": "refused: accepted with status 200", "skip_code": null,
        "waiver": null, "duration_ms": 1034,
        "checks": [
            check("first", "pass", json!(0), Value::Null),
            check("refused", "fail", json!(1), json!("status")),
            check("no-token", "warn", json!(1), json!("body")),
        ],
        "exchanges": [
            token_exchange("first", 200, "{}"),
            token_exchange("again", 200, "{\n  \"access_token\": \"<access_token#2>\"\n}")
        ],
        "fix": "Delete the code in the same transaction that issues the tokens."
    }))
}

pub(super) fn warning() -> ScenarioResult {
    let mut warning = failing();
    warning.id = "server/code/slow-death".to_owned();
    warning.verdict = crate::runner::Verdict::Warn;
    warning.reason = Some(sealed("no-token: accepted with status 200"));
    warning.checks.remove(1);
    warning
}

pub(super) fn erroring() -> ScenarioResult {
    scenario(json!({
        "id": "server/token/wrong-secret", "title": "A wrong secret is refused", "level": "MUST", "severity": "critical",
        "requirements": [], "verdict": "error", "reason": "set-up: the token endpoint did not answer (timeout)", "skip_code": null,
        "waiver": null, "duration_ms": 10_000, "checks": [],
        "exchanges": [{
            "channel": "back", "party": "harness", "step": "token",
            "request": {"method": "POST", "url": "http://127.0.0.1:3000/token", "headers": [], "body": "grant_type=client_credentials"},
            "response": null, "failure": "timeout", "duration_ms": 10_000
        }],
        "fix": "Compare the secret."
    }))
}

pub(super) fn skipped() -> ScenarioResult {
    scenario(json!({
        "id": "server/revoke/refresh-token", "title": "A revoked refresh token is dead", "level": "MUST", "severity": "high",
        "requirements": [], "verdict": "skip", "reason": "the target has no revocation endpoint", "skip_code": "not_offered",
        "waiver": null, "duration_ms": 0, "checks": [], "exchanges": [], "fix": ""
    }))
}

pub(super) fn waived() -> ScenarioResult {
    let mut waived = failing();
    waived.id = "server/code/known".to_owned();
    waived.verdict = crate::runner::Verdict::Waived;
    waived.reason = None;
    waived.waiver = Some("tracked in #12 <until spring>".to_owned());
    waived
}

/// What a hostile target would send to forge reports.
pub(super) fn hostile() -> ScenarioResult {
    let body = "]]><testcase name=\"forged\"/>\u{1b}[2J\u{0}\r\n]]>";
    let mut hostile = failing();
    hostile.id = "server/code/hostile".to_owned();
    hostile.title = "Survives \u{1b}]0;title\u{7} and ]]>".to_owned();
    hostile.checks.truncate(2);
    hostile.checks[1].actual = sealed(&format!("a body that says \"{body}\""));
    hostile.checks[1].case = Some("a\nb".to_owned());
    hostile.checks[1].line = Some("body".to_owned());
    let response = hostile.exchanges[1].response.as_mut().unwrap();
    response.body = sealed(body);
    response.headers.push((sealed("x-evil\u{1b}"), sealed("a\r\nb: c")));
    hostile
}

fn token_exchange(step: &str, status: u16, body: &str) -> Value {
    json!({
        "channel": "back", "party": "harness", "step": step,
        "request": {
            "method": "POST", "url": "http://127.0.0.1:3000/token",
            "headers": [["authorization", "Basic <client_secret#1>"], ["content-type", "application/x-www-form-urlencoded"]],
            "body": "grant_type=authorization_code&code=<code#1>"
        },
        "response": {
            "status": status, "headers": [["content-type", "application/json"]], "body": body, "truncated": false
        },
        "failure": null, "duration_ms": 3
    })
}

pub(super) fn started(selected: usize) -> Event {
    Event::Started(RunInfo {
        role: "server",
        plan: "bcp@2026-11".to_owned(),
        seed: 1,
        target: TargetInfo { name: "my-as".to_owned(), issuer: "http://127.0.0.1:3000".to_owned() },
        selected,
        started: "2026-11-22T07:00:00Z".to_owned(),
    })
}

pub(super) fn noticed(grave: bool, text: &str) -> Event {
    Event::Noticed(Notice { grave, text: sealed(text) })
}

pub(super) fn finished(results: &[ScenarioResult], complete: bool) -> Event {
    let mut summary = Summary::default();
    for result in results {
        summary.count(result.verdict);
    }
    Event::Finished { summary, complete, duration: Duration::from_millis(11_054), in_flight: Duration::from_millis(10_500) }
}

/// A whole run of these scenarios.
pub(super) fn run(results: &[ScenarioResult], complete: bool) -> Vec<Event> {
    let mut events =
        vec![started(results.len()), noticed(true, "every token request was answered invalid_client: check the secret")];
    events.push(noticed(false, "metadata: http://127.0.0.1:3000/.well-known/oauth-authorization-server"));
    for result in results {
        events.push(Event::ScenarioStarted { id: result.id.clone() });
        events.push(Event::ScenarioFinished(std::sync::Arc::new(result.clone())));
    }
    events.push(finished(results, complete));
    events
}

pub(super) fn all() -> Vec<ScenarioResult> {
    vec![failing(), passing(), warning(), erroring(), skipped(), waived(), hostile()]
}
