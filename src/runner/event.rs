//! What happens in a run, in order. Every consumer matches the whole enumeration, so that a new event asks each of them for a decision.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{ScenarioResult, Summary, TargetInfo};
use crate::wire::Sealed;

/// What is known when a run starts.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// `server` or `client`.
    pub role: &'static str,
    /// The plan by which verdicts are given: `bcp@2026-11`.
    pub plan: String,
    /// What random values are made of.
    pub seed: u64,
    /// The target.
    pub target: TargetInfo,
    /// How many scenarios were selected.
    pub selected: usize,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
}

/// Something that the user should know, beside verdicts: what preflight saw, or a sign of a hollow run with its cure.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Whether it puts the worth of the run in doubt.
    pub grave: bool,
    /// One line.
    pub text: Sealed,
}

/// What happens in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run starts.
    Started(RunInfo),
    /// Something that the user should know.
    Noticed(Notice),
    /// A scenario starts.
    ScenarioStarted {
        /// Its id.
        id: String,
    },
    /// A scenario has its verdict.
    ScenarioFinished(Arc<ScenarioResult>),
    /// The run has ended.
    Finished {
        /// How many of each verdict.
        summary: Summary,
        /// Whether every selected scenario has its verdict.
        complete: bool,
        /// How long it took.
        duration: Duration,
        /// For how long of it at least one exchange was under way.
        in_flight: Duration,
    },
}

/// A consumer of events.
pub trait Sink {
    /// Takes one event.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn take(&mut self, event: &Event) -> io::Result<()>;
}
