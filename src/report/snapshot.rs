//! Snapshots: the normalised transcript of each scenario in a file of its own, to see drift between releases of a target.
//!
//! The files are in insta's format, so that `cargo insta review` works on them. What is volatile was named before it came here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::files::replace;
use super::text::visible;
use crate::runner::{Event, ScenarioResult, Sink, Verdict};

/// What is done with a transcript that differs from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The new one is written beside it (`.snap.new`), and counts as drift.
    Check,
    /// It is replaced.
    Update,
}

/// A transcript that differs from its file, or has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The scenario.
    pub id: String,
    /// The file that was written: `.snap.new` when checking, `.snap` when updating.
    pub path: PathBuf,
    /// The difference as a unified diff; harmless for terminals.
    pub diff: String,
}

/// Compares or writes snapshots as scenarios finish.
#[derive(Debug)]
pub struct SnapshotSink {
    mode: Mode,
    folder: PathBuf,
    drifts: Vec<Drift>,
}

impl SnapshotSink {
    /// Snapshots in that folder.
    #[must_use]
    pub fn new(mode: Mode, folder: impl Into<PathBuf>) -> Self {
        Self { mode, folder: folder.into(), drifts: Vec::new() }
    }

    /// How many scenarios differ from their files or have none: none of them when updating.
    #[must_use]
    pub fn drifted(&self) -> usize {
        match self.mode {
            Mode::Check => self.drifts.len(),
            Mode::Update => 0,
        }
    }

    /// What differs (and when updating: what was written).
    #[must_use]
    pub fn drifts(&self) -> &[Drift] {
        &self.drifts
    }

    fn compare(&mut self, id: &str, transcript: &str) -> io::Result<()> {
        let path = self.folder.join(format!("{}.snap", file_name(id)));
        let new_path = path.with_extension("snap.new");
        let body = body_of(transcript);
        let old = match read(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(named("read", &path, &error)),
        };
        if old.as_deref() == Some(&body) {
            return remove_stale(&new_path);
        }
        let written = match self.mode {
            Mode::Check => new_path,
            Mode::Update => {
                remove_stale(&new_path)?;
                path
            }
        };
        let diff = unified(id, old.as_deref().unwrap_or_default(), &body);
        let file = format!("---\nsource: scenarios/{}.toml\nexpression: transcript\n---\n{body}\n", file_line(id));
        replace(&written, |out| out.write_all(file.as_bytes())).map_err(|error| named("write", &written, &error))?;
        self.drifts.push(Drift { id: id.to_owned(), path: written, diff });
        Ok(())
    }
}

impl Sink for SnapshotSink {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::ScenarioFinished(result) => match transcript(result) {
                Some(transcript) => self.compare(&result.id, transcript),
                None => Ok(()),
            },
            Event::Finished { .. } => {
                self.drifts.sort_by(|a, b| a.id.cmp(&b.id));
                Ok(())
            }
            Event::Started(_) | Event::Noticed(_) | Event::ScenarioStarted { .. } => Ok(()),
        }
    }
}

/// The transcript that can be compared: a scenario that was skipped or is an error has only a part of one.
fn transcript(result: &ScenarioResult) -> Option<&str> {
    match result.verdict {
        Verdict::Skip | Verdict::Error => None,
        Verdict::Pass | Verdict::Warn | Verdict::Fail | Verdict::Waived => result.snapshot.as_deref(),
    }
}

/// A body without what editors and version control change: line ends, and blank lines at the end.
fn body_of(text: &str) -> String {
    visible(&text.replace("\r\n", "\n")).trim_end().to_owned()
}

/// The body of a snapshot file: what comes after its second `---`; `None` where there is no such line.
fn read(path: &Path) -> io::Result<Option<String>> {
    let text = fs::read_to_string(path)?.replace("\r\n", "\n");
    let after = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    Ok(after.map(|(_, body)| body.trim_end().to_owned()))
}

fn unified(id: &str, old: &str, new: &str) -> String {
    let (old, new) = (format!("{old}\n"), format!("{new}\n"));
    let name = file_line(id);
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    visible(&diff.unified_diff().context_radius(3).header(&format!("{name} (snapshot)"), &format!("{name} (now)")).to_string())
        .into_owned()
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named("remove", path, &error)),
        _ => Ok(()),
    }
}

fn named(doing: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {doing} {}: {error}", path.display()))
}

/// An id as the name of one file.
fn file_name(id: &str) -> String {
    let safe = |c: char| if c.is_control() || r#"\:*?"<>|"#.contains(c) { '_' } else { c };
    id.chars().map(safe).collect::<String>().replace('/', "__")
}

fn file_line(id: &str) -> String {
    super::text::one_line(id).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn take(mode: Mode, folder: &Path, transcript: &str) -> SnapshotSink {
        let mut sink = SnapshotSink::new(mode, folder);
        let mut result = samples::passing();
        result.snapshot = Some(transcript.to_owned());
        sink.take(&Event::ScenarioFinished(std::sync::Arc::new(result))).unwrap();
        sink
    }

    const NAME: &str = "server__token__right-verifier.snap";

    #[test]
    fn a_new_transcript_is_drift_until_it_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let snap = folder.path().join(NAME);
        let new = folder.path().join(format!("{NAME}.new"));

        assert_eq!(take(Mode::Check, folder.path(), "a\nb\n").drifted(), 1);
        assert!(!snap.exists() && new.exists());

        let update = take(Mode::Update, folder.path(), "a\nb\n");
        assert_eq!((update.drifted(), update.drifts().len()), (0, 1));
        assert!(snap.exists() && !new.exists());
        let text = fs::read_to_string(&snap).unwrap();
        assert_eq!(text, "---\nsource: scenarios/server/token/right-verifier.toml\nexpression: transcript\n---\na\nb\n");

        assert_eq!(take(Mode::Check, folder.path(), "a\nb").drifted(), 0);
    }

    #[test]
    fn drift_is_shown_as_a_diff_and_its_file_goes_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        take(Mode::Update, folder.path(), "POST /token\n200\ncache-control: no-store\n");
        let sink = take(Mode::Check, folder.path(), "POST /token\n200\nx: \u{1b}[2J\n");
        assert_eq!(sink.drifts()[0].path, folder.path().join(format!("{NAME}.new")));
        insta::assert_snapshot!(sink.drifts()[0].diff);

        assert_eq!(take(Mode::Check, folder.path(), "POST /token\r\n200\r\ncache-control: no-store").drifted(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the stale .snap.new is removed");
    }

    #[test]
    fn what_was_not_judged_is_not_compared() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = SnapshotSink::new(Mode::Update, folder.path());
        for mut result in [samples::skipped(), samples::erroring()] {
            result.snapshot = Some("half".to_owned());
            sink.take(&Event::ScenarioFinished(std::sync::Arc::new(result))).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
