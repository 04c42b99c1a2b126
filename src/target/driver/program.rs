//! A native client or a script: run once, with the harness as its browser.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe;

use super::Reaction;
use super::process::{Process, ProcessError, short};

/// How long nothing more may come of a line before it counts as whole.
const UNENDED: Duration = Duration::from_millis(300);

/// How a program is run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// What its environment has beside that of the harness.
    pub env: Vec<(String, String)>,
    /// How long it may take for each thing that is waited for.
    pub patience: Duration,
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    process: Process,
    /// The folder of its browser: gone when this is.
    _folder: TempDir,
    opened: tokio::io::Lines<BufReader<pipe::Receiver>>,
    /// How much of its output was looked through for a URL.
    read: usize,
    patience: Duration,
}

/// How a program ended.
#[derive(Debug, Clone)]
pub struct ProgramEnd {
    /// What that means.
    pub reaction: Reaction,
    /// In words: the status, and the last line that it printed.
    pub words: String,
    /// What it printed.
    pub output: String,
}

impl Program {
    /// Starts it. `BROWSER` is a program that hands the URL to the harness.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn start(&self) -> Result<Running, ProcessError> {
        let prepare = |error: &dyn std::fmt::Display| ProcessError::Prepare(error.to_string());
        let folder = tempfile::Builder::new().prefix("oauthspec-browser-").tempdir().map_err(|error| prepare(&error))?;
        let (fifo, browser) = (folder.path().join("urls"), folder.path().join("browser"));
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).map_err(|error| prepare(&error))?;
        // Opened for both, so that it does not end when the first program that wrote to it does.
        let receiver = pipe::OpenOptions::new().read_write(true).open_receiver(&fifo).map_err(|error| prepare(&error))?;
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" > '{}'\n", fifo.display());
        std::fs::write(&browser, script).map_err(|error| prepare(&error))?;
        executable(&browser).map_err(|error| prepare(&error))?;
        let mut env = self.env.clone();
        env.push(("BROWSER".into(), browser.display().to_string()));
        let process = Process::start(&self.command, &self.folder, &env)?;
        let opened = BufReader::new(receiver).lines();
        Ok(Running { process, _folder: folder, opened, read: 0, patience: self.patience })
    }
}

impl Running {
    /// The next URL that it opens in a browser, or prints; none where it ends before, or takes too long.
    pub async fn opens(&mut self, servers: &crate::target::Home) -> Option<String> {
        let patience = self.patience;
        tokio::time::timeout(patience, self.opens_at_last(servers)).await.ok().flatten()
    }

    async fn opens_at_last(&mut self, servers: &crate::target::Home) -> Option<String> {
        loop {
            if let Some(url) = self.printed(servers, false) {
                return Some(url);
            }
            tokio::select! {
                // Nothing tells that a line without an end is whole but that no more comes of it for a while.
                () = tokio::time::sleep(UNENDED) => {
                    if let Some(url) = self.printed(servers, true) {
                        return Some(url);
                    }
                }
                line = self.opened.next_line() => match line {
                    Ok(Some(url)) => return Some(url),
                    Ok(None) | Err(_) => return None,
                },
                more = self.process.prints() => {
                    if !more {
                        return self.printed(servers, true);
                    }
                }
            }
        }
    }

    /// A whole URL of one of the servers in what it printed since it was last looked at; with what stands behind the last blank, where
    /// that is all.
    fn printed(&mut self, servers: &crate::target::Home, all: bool) -> Option<String> {
        let output = self.process.output();
        let fresh = output.get(self.read..)?;
        let ended = if all { fresh.len() } else { fresh.rfind(char::is_whitespace).map_or(0, |at| at + 1) };
        let end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
        let found =
            fresh[..ended].split(end).find(|word| word.starts_with("http") && word.contains('?') && servers.contains(word));
        if !all || found.is_some() {
            self.read += ended;
        }
        found.map(str::to_owned)
    }

    /// Whether it ends within a span.
    pub async fn ends_within(&mut self, span: Duration) -> bool {
        tokio::time::timeout(span, self.process.end()).await.is_ok()
    }

    /// What it printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Waits for its end.
    pub async fn end(mut self) -> ProgramEnd {
        let ended = tokio::time::timeout(self.patience, self.process.end()).await;
        // What it printed last is on its way still.
        let _ = tokio::time::timeout(Duration::from_secs(1), async { while self.process.prints().await {} }).await;
        let output = self.process.output();
        let last = short(output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing").trim());
        let (reaction, words) = match ended {
            Err(_) => (Reaction::Hung, format!("did not end within {} s", self.patience.as_secs())),
            Ok(Err(error)) => (Reaction::Unknown, error.to_string()),
            Ok(Ok(status)) => (reaction(status, &output), status.to_string()),
        };
        ProgramEnd { reaction, words: format!("{words}; {last}"), output }
    }
}

/// What an exit status and what was printed mean.
fn reaction(status: ExitStatus, output: &str) -> Reaction {
    /// How the common languages say that nobody caught an exception.
    const TRACES: [&str; 6] = [
        "panicked at",
        "Traceback (most recent call last)",
        "Exception in thread",
        "goroutine 1 [",
        "\n    at ",
        "Segmentation fault",
    ];
    if status.success() {
        return Reaction::Accepted;
    }
    if status.code().is_none() || TRACES.iter().any(|trace| output.contains(trace)) {
        Reaction::Crashed
    } else {
        Reaction::Rejected
    }
}

fn executable(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}
