//! Runs scenarios: scheduling, steps, checks, answer classes, verdicts, transcripts. What happens leaves it as events, in order.
//!
//! Floor 4. Knows no sink: it neither prints nor writes files.

mod answer;
mod build;
mod challenge;
mod chance;
mod context;
mod control;
mod drive;
mod elements;
mod event;
mod evidence;
mod forge;
mod forged;
mod ground;
mod guess;
mod journaled;
mod judging;
mod jwt;
mod matching;
mod mock_claims;
mod needs;
mod pace;
mod play;
mod preflight;
mod record;
mod registering;
mod result;
mod run;
mod selftest;
mod selftest_client;
mod steps;
mod subject;
mod tally;
mod transcript;
mod verdict;
mod verify;
mod waiver;
mod way;
mod witness;

pub use answer::Outcome as AnswerClass;
pub use event::{Event, Notice, RunInfo, Sink};
pub use ground::{MockSource, Provider, RemoteSource};
pub use pace::Pace;
pub use play::{Keep, Stage};
pub use preflight::{Blocks, Findings, inventory, preflight};
pub use result::{
    CheckResult, ExchangeReport, RequestReport, ResponseReport, Results, ScenarioResult, SkipCode, Summary, TargetInfo, ToolInfo,
    Verdict,
};
pub use run::{Finished, Options, Outcome, Run, play_one, run};
pub use selftest::{Cell, Matrix, Part, selftest};
pub use selftest_client::selftest_clients;
pub use subject::{ClientSource, REFRESH_TOKEN, Site, Subject};
pub use tally::Tally;
pub use waiver::{Waiver, Waivers};
