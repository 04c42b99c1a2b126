//! The table: one row for each server and load, with ratios to the first row's server.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Measured;

/// What was measured of one server.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub name: String,
    /// From the start of the process to its first token.
    pub first_token: Duration,
    /// After that token, in KiB.
    pub memory: u64,
    /// By algorithm.
    pub tokens: Vec<(String, Measured)>,
    /// Whole code flows.
    pub flows: Measured,
    /// How many requests a flow takes there.
    pub requests: usize,
}

/// As Markdown.
pub fn render(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut out = String::new();
    let starts = |row: &Row| {
        [
            row.name.clone(),
            with_ratio(millis(row.first_token), millis(first.first_token), 1),
            with_ratio(mebibytes(row.memory), mebibytes(first.memory), 1),
        ]
    };
    table(&mut out, ["server", "first token, ms", "memory at rest, MiB"], rows.iter().map(starts));
    for algorithm in ["RS256", "ES256"] {
        let of = |row: &Row| row.tokens.iter().find(|(name, _)| name == algorithm).map(|(_, measured)| *measured);
        let Some(own) = of(first) else { continue };
        let lines = rows.iter().filter_map(|row| Some(line(row.name.clone(), of(row)?, own)));
        table(&mut out, heads(&format!("client credentials, {algorithm}")), lines);
    }
    let flows = |row: &Row| line(format!("{} ({} requests)", row.name, row.requests), row.flows, first.flows);
    table(&mut out, heads("whole code flows"), rows.iter().map(flows));
    out
}

fn heads(load: &str) -> [&str; 6] {
    [load, "count", "CPU each, ms", "each second", "p99, ms", "growth of memory for 100,000, MiB"]
}

fn line(name: String, measured: Measured, own: Measured) -> [String; 6] {
    [
        name,
        measured.count.to_string(),
        with_ratio(millis(measured.cpu), millis(own.cpu), 3),
        format!("{:.0}", measured.rate),
        format!("{:.1}", millis(measured.p99)),
        format!("{:.1}", measured.growth * 100_000.0 / 1024.0 / 1024.0),
    ]
}

fn with_ratio(value: f64, own: f64, digits: usize) -> String {
    format!("{value:.digits$} ({:.1} ×)", value / own)
}

/// Milliseconds, with fractions.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

fn table<const N: usize>(out: &mut String, heads: [&str; N], lines: impl Iterator<Item = [String; N]>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n| {} |\n|{}", heads.join(" | "), " --- |".repeat(N));
    for line in lines {
        let _ = writeln!(out, "| {} |", line.join(" | "));
    }
}
