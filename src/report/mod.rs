//! Consumers of the runner's events: console, `results.json`, `junit.xml`, snapshots.
//!
//! Floor 5. Renders, and decides nothing.
