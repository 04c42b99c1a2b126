//! Verdicts: how an answer, its control and the level of a rule become `pass`, `fail`, `warn`, `skip` or `error`. Decided here and
//! nowhere else.

use super::context::Names;
use super::evidence::Evidence;
use super::matching::{Mismatch, describe, differences};
use super::record::Record;
use super::result::{CheckResult, Verdict};
use crate::catalog::Level;
use crate::scenario::{Check, Want};
use crate::target::driver::Reaction;

/// Whether the same request without its edits worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// It worked, or none is needed.
    Held,
    /// It did not: the refusal proves nothing.
    Failed(String),
}

/// The verdict on one answer.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen.
    pub actual: String,
    /// The line that offends.
    pub line: Option<String>,
}

impl Judgement {
    /// A verdict with what was seen.
    #[must_use]
    pub fn new(verdict: Verdict, actual: impl Into<String>) -> Self {
        Self { verdict, actual: actual.into(), line: None }
    }
}

/// Whether a check expects that something is refused.
#[must_use]
pub fn expects_refusal(want: &Want) -> bool {
    const REFUSALS: [&str; 3] = ["refused", "denied", "shown"];
    let outcome = want.outcome.as_ref().is_some_and(|matcher| names_any(matcher, &REFUSALS));
    let status = want.status.as_ref().is_some_and(starts_with_four);
    outcome || status || want.error.as_ref().is_some_and(|matcher| !matches!(matcher, crate::scenario::Matcher::Absent))
}

/// Judges one answer by one check.
#[must_use]
pub fn judge(check: &Check, level: Level, record: &Record, control: &Control, names: &Names<'_>) -> Judgement {
    if record.outcome.proves_nothing() && !wants_exactly(check, record) {
        return Judgement::new(Verdict::Error, format!("{}; that proves nothing", record.summary()));
    }
    let refused = !record.outcome.is_success() && (record.edited || expects_refusal(&check.want));
    if let (Control::Failed(reason), true) = (control, refused) {
        return Judgement::new(Verdict::Error, format!("control failed: {reason}"));
    }
    judge_seen(check, level, record, names)
}

/// Judges what was seen as it is. Of a client a hang or a broken answer is something that it did, not something that is missing.
#[must_use]
pub fn judge_seen(check: &Check, level: Level, record: &Record, names: &Names<'_>) -> Judgement {
    let mismatches = differences(&check.want, record, names);
    let tolerated = check.tolerate.iter().find(|t| !mismatches.is_empty() && differences(&t.want, record, names).is_empty());
    match (mismatches.first(), tolerated) {
        (None, _) => Judgement::new(Verdict::Pass, record.summary()),
        (Some(_), Some(tolerance)) => {
            let verdict = if tolerance.warns { Verdict::Warn } else { Verdict::Pass };
            Judgement::new(verdict, format!("{}; accepted: {}", record.summary(), tolerance.note))
        }
        (Some(first), None) => broken(level, &mismatches, first, record),
    }
}

/// Whether a client fell for an attack: only use counts, and where use cannot be seen, that it got a token by it. A crash is no good
/// defence, and a hang is one.
#[must_use]
pub fn judge_defence(level: Level, evidence: &Evidence) -> Judgement {
    let seen = evidence.summary();
    match (evidence.reaction, evidence.redeemed) {
        (Reaction::Unknown, _) => Judgement::new(Verdict::Error, seen),
        (Reaction::Accepted, 0) if evidence.had_session => {
            Judgement::new(Verdict::Pass, format!("{seen}; nothing was got by it: this is the session that there was"))
        }
        (Reaction::Accepted, _) => Judgement::new(breach(level), seen),
        (_, 1..) if !evidence.use_is_visible => {
            Judgement::new(breach(level), format!("{seen}; whether it was used cannot be seen ([client.success] would tell)"))
        }
        (Reaction::Crashed, _) => Judgement::new(Verdict::Warn, seen),
        (Reaction::Hung, _) => Judgement::new(Verdict::Pass, format!("{seen}; it hung, and used nothing")),
        (Reaction::Rejected, _) => Judgement::new(Verdict::Pass, seen),
    }
}

/// Whether a client took what it has to take.
#[must_use]
pub fn judge_working(level: Level, evidence: &Evidence) -> Judgement {
    let verdict = match evidence.reaction {
        Reaction::Accepted => Verdict::Pass,
        Reaction::Unknown => Verdict::Error,
        Reaction::Rejected | Reaction::Crashed | Reaction::Hung => breach(level),
    };
    Judgement::new(verdict, evidence.summary())
}

/// Whether a client came to an end by itself, whatever it made of what came.
#[must_use]
pub fn judge_coping(level: Level, evidence: &Evidence) -> Judgement {
    let verdict = match evidence.reaction {
        Reaction::Accepted | Reaction::Rejected => Verdict::Pass,
        Reaction::Unknown => Verdict::Error,
        Reaction::Crashed | Reaction::Hung => breach(level),
    };
    Judgement::new(verdict, evidence.summary())
}

/// Whether the client sent what it should have: `such` of `all` exchanges with an endpoint are as wanted.
#[must_use]
pub fn judge_journal(level: Level, fits: bool, seen: &str) -> Judgement {
    Judgement::new(if fits { Verdict::Pass } else { breach(level) }, seen)
}

/// The verdict for a breach of a rule of that level.
#[must_use]
pub fn breach(level: Level) -> Verdict {
    match level {
        Level::Must => Verdict::Fail,
        Level::Should | Level::May => Verdict::Warn,
    }
}

/// What a check expects, in words: the preferred answer, then what is tolerated.
#[must_use]
pub fn expectation(check: &Check, names: &Names<'_>) -> String {
    let mut text = describe(&check.want, names);
    for tolerance in &check.tolerate {
        text.push_str("; accepted: ");
        text.push_str(&describe(&tolerance.want, names));
    }
    text
}

/// The verdict of a scenario: the worst of its checks; `skip` only where nothing was judged.
#[must_use]
pub fn aggregate(checks: &[CheckResult]) -> Verdict {
    let standing = checks.iter().map(|check| check.verdict).filter(|verdict| *verdict != Verdict::Waived);
    let worst = standing.max();
    let waived = checks.iter().any(|check| check.verdict == Verdict::Waived);
    match worst {
        Some(Verdict::Fail | Verdict::Error | Verdict::Warn) => worst.unwrap_or(Verdict::Fail),
        _ if waived => Verdict::Waived,
        Some(verdict) => verdict,
        None => Verdict::Skip,
    }
}

fn broken(level: Level, mismatches: &[Mismatch], first: &Mismatch, record: &Record) -> Judgement {
    let soft = mismatches.iter().all(|mismatch| mismatch.soft);
    let verdict = if soft { Verdict::Warn } else { breach(level) };
    let seen: Vec<&str> = mismatches.iter().map(|mismatch| mismatch.seen.as_str()).collect();
    let actual = if seen.iter().all(|s| s.starts_with("outcome ")) {
        record.summary()
    } else {
        format!("{} ({})", seen.join(", "), record.summary())
    };
    Judgement { verdict, actual, line: Some(first.line.clone()) }
}

/// A check may want just the class that proves nothing elsewhere (a rate limit, for example).
fn wants_exactly(check: &Check, record: &Record) -> bool {
    check.want.outcome.as_ref().is_some_and(|matcher| names_any(matcher, &[record.outcome.word()]))
}

fn names_any(matcher: &crate::scenario::Matcher, words: &[&str]) -> bool {
    use crate::scenario::Matcher;
    let is_one = |template: &crate::scenario::Template| template.literal().is_some_and(|text| words.contains(&text.as_str()));
    match matcher {
        Matcher::Equals(template) => is_one(template),
        Matcher::OneOf(templates) => templates.iter().any(is_one),
        _ => false,
    }
}

fn starts_with_four(matcher: &crate::scenario::Matcher) -> bool {
    use crate::scenario::Matcher;
    let is_four = |template: &crate::scenario::Template| template.literal().is_some_and(|text| text.starts_with('4'));
    match matcher {
        Matcher::Equals(template) => is_four(template),
        Matcher::OneOf(templates) => templates.iter().all(is_four),
        Matcher::Range { gte, .. } => gte.is_some_and(|low| low >= 400.0),
        _ => false,
    }
}
