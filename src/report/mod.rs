//! Consumers of the runner's events: console, `results.json`, `junit.xml`, snapshots.
//!
//! Floor 5. Renders, and decides nothing.

mod block;
mod console;
mod fanout;
mod files;
pub mod json;
pub mod junit;
mod progress;
mod snapshot;
pub mod text;

pub use block::{Line, Span, Tone, block, plain};
pub use console::{Console, Detail};
pub use fanout::Fanout;
pub use files::{Files, Render};
pub use progress::Progress;
pub use snapshot::{Drift, Mode, SnapshotSink};

#[cfg(test)]
mod samples;
