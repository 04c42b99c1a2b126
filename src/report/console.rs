//! The console: one line per finished scenario, then a block for each that needs attention, then the summary.
//!
//! Results go to standard output, progress to standard error. Colour is always written; the streams of `anstream` take it out where it
//! is not wanted. Whoever reads may go away: a broken pipe silences the console and ends nothing.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};

use super::block::{block, check_name, clause};
use super::text::{duration, one_line, visible};
use super::{Drift, Line, Progress, Span, Tone};
use crate::runner::{Event, Notice, RunInfo, ScenarioResult, Sink, SkipCode, Summary, Verdict};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Only what needs attention, and the summary.
    Quiet,
    /// A line per scenario, blocks, the summary.
    #[default]
    Normal,
    /// A line per check as well.
    Verbose,
}

/// Prints what happens.
pub struct Console {
    out: Box<dyn Write + Send>,
    detail: Detail,
    progress: Option<Progress>,
    selected: usize,
    finished: usize,
    /// Scenarios whose blocks come at the end.
    attention: Vec<ScenarioResult>,
    /// What puts the worth of the run in doubt.
    grave: Vec<String>,
}

impl Console {
    /// A console on standard output; progress on standard error, if that is a terminal and something is to be said.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        let progress = (detail != Detail::Quiet && io::stderr().is_terminal()).then(Progress::new);
        Self::to(Box::new(anstream::stdout()), detail, progress)
    }

    /// A console that writes elsewhere. ANSI colours are always written: the writer takes them out where they are not wanted.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, detail: Detail, progress: Option<Progress>) -> Self {
        Self { out, detail, progress, selected: 0, finished: 0, attention: Vec::new(), grave: Vec::new() }
    }

    /// Shows the snapshots that differ. Called after the run.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn drift(&mut self, drifts: &[Drift]) -> io::Result<()> {
        let mut text = String::new();
        for drift in drifts {
            text.push('\n');
            for line in drift.diff.lines() {
                text.push_str(&painted(diff_tone(line), line));
                text.push('\n');
            }
        }
        if !drifts.is_empty() {
            let count = counted(drifts.len(), "snapshot differs", "snapshots differ");
            text.push_str(&format!("\n{count}; look at the .snap.new files, accept them with --snapshots update\n"));
        }
        self.print(&text)
    }

    fn start(&mut self, info: &RunInfo) -> io::Result<()> {
        self.selected = info.selected;
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        let name = one_line(&info.target.name);
        let issuer = one_line(&info.target.issuer);
        let target = if issuer.is_empty() || issuer == name { name.into_owned() } else { format!("{name} ({issuer})") };
        let what = counted(info.selected, "scenario", "scenarios");
        let plan = one_line(&info.plan);
        self.print(&format!("{what} against {}, plan {plan}, seed {}\n", painted(Tone::Strong, &target), info.seed))
    }

    fn notice(&mut self, notice: &Notice) -> io::Result<()> {
        let text = one_line(notice.text.as_str()).into_owned();
        let line = if notice.grave { grave_line(&text) } else { format!("{} {text}\n", painted(Tone::Faint, "note:")) };
        let wanted = notice.grave || self.detail != Detail::Quiet;
        if notice.grave {
            self.grave.push(text);
        }
        if wanted { self.print(&line) } else { Ok(()) }
    }

    fn scenario(&mut self, result: &ScenarioResult) -> io::Result<()> {
        self.finished += 1;
        let needs_attention = matches!(result.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error);
        if needs_attention {
            self.attention.push(result.clone());
        }
        // What preflight found in the way was said once; it does not need a line for each scenario that depends on it.
        let said = result.skip_code == Some(SkipCode::Preflight) && self.detail != Detail::Verbose;
        if said || (!needs_attention && self.detail == Detail::Quiet) {
            return Ok(());
        }
        let mut text = status_line(result);
        if self.detail == Detail::Verbose {
            text.extend(result.checks.iter().map(check_line));
        }
        self.print(&text)
    }

    fn finish(&mut self, summary: Summary, complete: bool, took: std::time::Duration) -> io::Result<()> {
        let mut attention = std::mem::take(&mut self.attention);
        attention.sort_by(|a, b| (rank(a.verdict), &a.id).cmp(&(rank(b.verdict), &b.id)));
        for result in &attention {
            // One write per scenario: a block is there as a whole or not at all.
            let text = format!("\n{}\n{}", painted(Tone::Faint, &"─".repeat(72)), coloured(&block(result)));
            self.print(&text)?;
        }
        let mut text = format!("\n{}\n", summary_line(summary, took));
        if !complete {
            let left = self.selected.saturating_sub(self.finished);
            let what = counted(left, "selected scenario has", "selected scenarios have");
            text.push_str(&grave_line(&format!("the run is incomplete: {what} no verdict")));
        }
        for grave in std::mem::take(&mut self.grave) {
            text.push_str(&grave_line(&grave));
        }
        self.print(&text)
    }

    /// Writes and flushes. The live line is taken away first and comes back with the next event.
    fn print(&mut self, text: &str) -> io::Result<()> {
        if let Some(progress) = &mut self.progress {
            progress.clear();
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.out = Box::new(io::sink());
                Ok(())
            }
            result => result,
        }
    }
}

impl Sink for Console {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        let printed = match event {
            Event::Started(info) => self.start(info),
            Event::Noticed(notice) => self.notice(notice),
            Event::ScenarioStarted { .. } => Ok(()),
            Event::ScenarioFinished(result) => self.scenario(result),
            Event::Finished { summary, complete, duration, .. } => self.finish(*summary, *complete, *duration),
        };
        if let Some(progress) = &mut self.progress {
            progress.take(event, self.finished, self.selected);
        }
        printed
    }
}

/// `PASS [   0.012s] server/code/reused-code`, with the reason where it is no pass.
fn status_line(result: &ScenarioResult) -> String {
    let word = format!("{:>6}", result.verdict.word().to_uppercase());
    let seconds = std::time::Duration::from_millis(result.duration_ms).as_secs_f64();
    let reason = match (result.verdict, &result.waiver, &result.reason) {
        (Verdict::Waived, Some(waiver), _) => format!(": {}", one_line(waiver)),
        (Verdict::Pass, ..) | (_, _, None) => String::new(),
        (_, _, Some(reason)) => format!(": {}", one_line(reason.as_str())),
    };
    let id = one_line(&result.id);
    format!("{} [{seconds:>8.3}s] {id}{}\n", painted(Tone::Verdict(result.verdict), &word), painted(Tone::Faint, &reason))
}

/// One check below its scenario.
fn check_line(check: &crate::runner::CheckResult) -> String {
    let word = format!("{:>8}", check.verdict.word());
    let actual = one_line(check.actual.as_str());
    format!("{} {}: {actual}, {}\n", painted(Tone::Verdict(check.verdict), &word), check_name(check), clause(check))
}

/// `70 scenarios: 60 pass, 2 fail, 8 skip, in 3.214s`.
fn summary_line(summary: Summary, took: std::time::Duration) -> String {
    let counts = [
        (summary.pass, Verdict::Pass),
        (summary.fail, Verdict::Fail),
        (summary.error, Verdict::Error),
        (summary.warn, Verdict::Warn),
        (summary.skip, Verdict::Skip),
        (summary.waived, Verdict::Waived),
    ];
    let shown = counts.into_iter().filter(|(count, verdict)| *count > 0 || *verdict == Verdict::Pass);
    let words: Vec<String> =
        shown.map(|(count, verdict)| painted(Tone::Verdict(verdict), &format!("{count} {}", verdict.word()))).collect();
    let total = painted(Tone::Strong, &counted(summary.total(), "scenario", "scenarios"));
    format!("{total}: {}, in {}", words.join(", "), duration(took))
}

fn grave_line(text: &str) -> String {
    format!("{} {text}\n", painted(Tone::Verdict(Verdict::Warn), "warning:"))
}

/// Warnings first, then errors, failures last, where they are seen.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Skip | Verdict::Waived => 0,
        Verdict::Warn => 1,
        Verdict::Error => 2,
        Verdict::Fail => 3,
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn diff_tone(line: &str) -> Tone {
    match line.as_bytes().first() {
        _ if line.starts_with("---") || line.starts_with("+++") => Tone::Strong,
        Some(b'+') => Tone::Verdict(Verdict::Pass),
        Some(b'-') => Tone::Verdict(Verdict::Fail),
        Some(b'@') => Tone::Faint,
        _ => Tone::Plain,
    }
}

fn coloured(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        out.extend(line.iter().map(|Span { tone, text }| painted(*tone, text)));
        out.push('\n');
    }
    out
}

/// The text in the colour of its tone.
fn painted(tone: Tone, text: &str) -> String {
    let style = style(tone);
    if style.is_plain() || text.is_empty() {
        return visible(text).into_owned();
    }
    format!("{style}{}{style:#}", visible(text))
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Mark => AnsiColor::Red.on_default(),
        Tone::Verdict(Verdict::Pass) => AnsiColor::Green.on_default().bold(),
        Tone::Verdict(Verdict::Fail) => AnsiColor::Red.on_default().bold(),
        Tone::Verdict(Verdict::Warn) => AnsiColor::Yellow.on_default().bold(),
        Tone::Verdict(Verdict::Error) => AnsiColor::Magenta.on_default().bold(),
        Tone::Verdict(Verdict::Skip) => AnsiColor::Blue.on_default().bold(),
        Tone::Verdict(Verdict::Waived) => AnsiColor::Cyan.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::samples;
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        /// The text without colours.
        fn plain(&self) -> String {
            anstream::adapter::strip_str(&self.text()).to_string()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn show(detail: Detail, events: &[Event]) -> Shared {
        let out = Shared::default();
        let mut console = Console::to(Box::new(out.clone()), detail, None);
        for event in events {
            console.take(event).unwrap();
        }
        out
    }

    #[test]
    fn a_run_of_every_verdict() {
        insta::assert_snapshot!(show(Detail::Normal, &samples::run(&samples::all(), true)).plain());
    }

    #[test]
    fn quiet_tells_only_what_needs_attention() {
        let run = samples::run(&[samples::passing(), samples::skipped(), samples::erroring()], true);
        insta::assert_snapshot!(show(Detail::Quiet, &run).plain());
    }

    #[test]
    fn verbose_tells_checks() {
        insta::assert_snapshot!(show(Detail::Verbose, &samples::run(&[samples::passing()], true)).plain());
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let mut events = samples::run(&[samples::passing()], false);
        events[0] = samples::started(70);
        let text = show(Detail::Normal, &events).plain();
        assert!(text.contains("warning: the run is incomplete: 69 selected scenarios have no verdict"), "{text}");
    }

    #[test]
    fn colours_mark_words_only() {
        let text = show(Detail::Normal, &samples::run(&[samples::passing()], true)).text();
        insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
    }

    #[test]
    fn only_our_own_escapes_reach_the_terminal() {
        let text = show(Detail::Verbose, &samples::run(&[samples::hostile()], true)).text();
        assert!(!text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0;") && !text.contains('\u{7}'));
        assert!(text.contains("\\x1b[2J\\x00\\r"));
    }

    #[test]
    fn the_live_line_is_cut_and_cleared() {
        let line = Shared::default();
        let progress = Progress::to(Box::new(line.clone()), 40);
        let mut console = Console::to(Box::new(io::sink()), Detail::Normal, Some(progress));
        for event in samples::run(&[samples::passing(), samples::skipped()], true) {
            console.take(&event).unwrap();
        }
        let text = line.text();
        assert!(text.contains("\r\x1b[K[0/2] running server/token/right-verif…"), "{text:?}");
        assert!(text.ends_with("\r\x1b[K"), "{text:?}");
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut console = Console::to(Box::new(Gone), Detail::Normal, None);
        for event in samples::run(&samples::all(), true) {
            console.take(&event).unwrap();
        }
    }

    #[test]
    fn snapshot_drift_is_shown() {
        let out = Shared::default();
        let drift = Drift { id: "a".into(), path: "a.snap.new".into(), diff: "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n".into() };
        Console::to(Box::new(out.clone()), Detail::Normal, None).drift(&[drift]).unwrap();
        insta::assert_snapshot!(out.plain());
    }
}
