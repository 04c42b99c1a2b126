//! Runs scenarios: scheduling, steps, checks, answer classes, verdicts, transcripts. What happens leaves it as events, in order.
//!
//! Floor 4. Knows no sink: it neither prints nor writes files.

mod event;
mod result;

pub use event::{Event, Notice, RunInfo, Sink};
pub use result::{
    CheckResult, ExchangeReport, RequestReport, ResponseReport, Results, ScenarioResult, SkipCode, Summary, TargetInfo, ToolInfo,
    Verdict,
};
