//! The report files of a run: collects what happened into [`Results`], and has each file rendered from that while the run goes on.
//!
//! A file is written beside its place and renamed, so that a reader never sees half of one; at most once a second, and at the end. How a
//! file looks is its renderer's matter.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{json, junit};
use crate::runner::{Event, Results, RunInfo, ScenarioResult, Sink, Summary, ToolInfo};

/// Writes results as a file's bytes.
pub type Render = fn(&Results, &mut BufWriter<File>) -> io::Result<()>;

/// How much is rendered before it is written, in bytes: the results of a long run are never there as one text.
const BUFFER: usize = 64 * 1024;

/// Writes report files into a folder.
pub struct Files {
    folder: PathBuf,
    renderers: Vec<(&'static str, Render)>,
    every: Duration,
    run: Option<Run>,
}

/// What is known so far.
struct Run {
    results: Results,
    since: Instant,
    written: Instant,
    /// Whether something happened that is in no file yet.
    dirty: bool,
}

impl Files {
    /// `results.json` and `junit.xml` in that folder, which is made with the first event.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let renderers: Vec<(&'static str, Render)> = vec![("results.json", json::render), ("junit.xml", junit::render)];
        Self { folder: folder.into(), renderers, every: Duration::from_secs(1), run: None }
    }

    /// One file more.
    #[must_use]
    pub fn with(mut self, name: &'static str, render: Render) -> Self {
        self.renderers.push((name, render));
        self
    }

    /// Where the files are.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.renderers.iter().map(|(name, _)| self.folder.join(name)).collect()
    }

    /// What is known so far; `None` before the run started.
    #[must_use]
    pub fn results(&self) -> Option<&Results> {
        self.run.as_ref().map(|run| &run.results)
    }

    /// Writes every file, also after one could not be written; the error names each that could not.
    fn write(&mut self) -> io::Result<()> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let mut failed: Option<io::Error> = None;
        for (name, render) in &self.renderers {
            let path = self.folder.join(name);
            let Err(error) = replace(&path, |out| render(&run.results, out)) else { continue };
            let kind = error.kind();
            let message = format!("cannot write {}: {error}", path.display());
            failed = Some(match failed {
                Some(before) => io::Error::new(before.kind(), format!("{before}; {message}")),
                None => io::Error::new(kind, message),
            });
        }
        run.written = Instant::now();
        run.dirty = false;
        failed.map_or(Ok(()), Err)
    }
}

impl Sink for Files {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(info) => {
                let now = Instant::now();
                self.run = Some(Run { results: begin(info), since: now, written: now, dirty: true });
                return self.write();
            }
            Event::Noticed(_) | Event::ScenarioStarted { .. } => {}
            Event::ScenarioFinished(result) => self.add(result),
            Event::Finished { summary, complete, duration, in_flight } => {
                self.end(*summary, *complete, *duration, *in_flight);
                return self.write();
            }
        }
        match &self.run {
            Some(run) if run.dirty && run.written.elapsed() >= self.every => self.write(),
            _ => Ok(()),
        }
    }
}

impl Files {
    fn add(&mut self, result: &Arc<ScenarioResult>) {
        let Some(run) = &mut self.run else { return };
        run.results.summary.count(result.verdict);
        run.results.scenarios.push(Arc::clone(result));
        run.results.duration_ms = millis(run.since.elapsed());
        run.dirty = true;
    }

    fn end(&mut self, summary: Summary, complete: bool, duration: Duration, in_flight: Duration) {
        let Some(run) = &mut self.run else { return };
        run.results.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
        run.results.summary = summary;
        run.results.complete = complete;
        run.results.duration_ms = millis(duration);
        run.results.in_flight_ms = millis(in_flight);
    }
}

impl Drop for Files {
    /// A run that is torn down without its last event still leaves everything that it found.
    fn drop(&mut self) {
        if self.run.as_ref().is_some_and(|run| run.dirty) {
            // There is nobody left who could be told.
            let _ = self.write();
        }
    }
}

fn begin(info: &RunInfo) -> Results {
    Results {
        schema: 1,
        tool: ToolInfo { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        role: info.role.to_owned(),
        plan: info.plan.clone(),
        seed: info.seed,
        target: info.target.clone(),
        started: info.started.clone(),
        duration_ms: 0,
        in_flight_ms: 0,
        complete: false,
        summary: Summary::default(),
        scenarios: Vec::with_capacity(info.selected),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Puts a file in place at once: written beside it under another name, then renamed. Its folder is made if need be.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&beside).and_then(|file| {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        write(&mut out)?;
        out.flush()
    });
    let moved = written.and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn read(folder: &Path) -> Results {
        serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap()
    }

    #[test]
    fn files_are_there_from_the_start_and_complete_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().join("deep/reports"));
        let place = folder.path().join("deep/reports");
        for event in samples::run(&samples::all(), true) {
            files.take(&event).unwrap();
            assert_eq!(read(&place).complete, matches!(event, Event::Finished { .. }));
        }
        let results = read(&place);
        assert_eq!((results.summary.total(), results.scenarios.len()), (7, 7));
        assert!(results.scenarios.is_sorted_by(|a, b| a.id <= b.id));
        assert_eq!(fs::read_dir(&place).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_run_that_is_torn_down_leaves_what_it_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path());
        files.take(&samples::started(2)).unwrap();
        files.take(&Event::ScenarioFinished(Arc::new(samples::failing()))).unwrap();
        assert!(read(folder.path()).scenarios.is_empty(), "the second is not over");
        drop(files);
        let results = read(folder.path());
        assert_eq!((results.summary.fail, results.complete), (1, false));
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("junit.xml")).unwrap();
        let mut files = Files::new(folder.path());
        let error = files.take(&samples::started(0)).unwrap_err().to_string();
        assert!(error.contains("junit.xml") && !error.contains("results.json"), "{error}");
        assert!(folder.path().join("results.json").exists());
    }
}
