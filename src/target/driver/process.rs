//! Programs of a client under test: started in a process group of their own, and ended whole, with everything that they started.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::oauth::{Channel, Request};
use crate::wire::Wire;

/// How much of the output of a program is kept, in bytes; the rest is read and dropped.
const OUTPUT_LIMIT: usize = 256 * 1024;

/// How much of one line of it is told, in characters.
const LINE_LIMIT: usize = 300;

/// How long processes that an application started may take to let go of its port, once they were ended.
const RELEASE: Duration = Duration::from_secs(5);

/// Why a program of the client cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be started.
    #[error("`{program}` does not start: {reason}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        reason: String,
    },
    /// It ended before it was ready.
    #[error("`{program}` ended ({status}) before {url} answered: {output}")]
    Ended {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// Where it was waited for.
        url: String,
        /// The end of what it printed.
        output: String,
    },
    /// It did not get ready in time.
    #[error("{url} gave no answer within {} s after `{program}` was started: {output}", .limit.as_secs())]
    NotReady {
        /// The program.
        program: String,
        /// Where it was waited for.
        url: String,
        /// How long.
        limit: Duration,
        /// The end of what it printed.
        output: String,
    },
    /// Something else stands where it should.
    #[error("something answers at {url} already, before `{program}` was started: stop it, or choose another port")]
    Occupied {
        /// The program.
        program: String,
        /// Where.
        url: String,
    },
    /// The harness has no place for what it needs.
    #[error("cannot prepare for the client's browser: {0}")]
    Prepare(String),
}

/// A program that runs. Its whole process group ends when this is dropped.
#[derive(Debug)]
pub struct Process {
    program: String,
    child: Child,
    /// Its process group, until that has been ended: it may outlive the program itself.
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
    output: Arc<Mutex<Vec<u8>>>,
    grown: watch::Receiver<usize>,
}

impl Process {
    /// Starts a program in a folder.
    ///
    /// # Errors
    /// [`ProcessError::Start`].
    pub fn start(command: &[String], folder: &Path, env: &[(String, String)]) -> Result<Self, ProcessError> {
        let program = command.first().cloned().unwrap_or_default();
        let mut building = Command::new(&program);
        building.args(command.get(1..).unwrap_or_default()).current_dir(folder).envs(env.iter().cloned());
        building.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        building.process_group(0);
        let mut child =
            building.spawn().map_err(|error| ProcessError::Start { program: program.clone(), reason: error.to_string() })?;
        let output = Arc::new(Mutex::new(Vec::new()));
        let (told, grown) = watch::channel(0);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(drain(stdout, Arc::clone(&output), told.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(drain(stderr, Arc::clone(&output), told));
        }
        Ok(Self {
            #[cfg(unix)]
            group: child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw),
            program,
            child,
            output,
            grown,
        })
    }

    /// What it printed so far, on both streams.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until it prints more; `false` once it prints no more.
    pub async fn prints(&mut self) -> bool {
        self.grown.changed().await.is_ok()
    }

    /// Waits for its end. What it started and left behind in its process group ends then too.
    ///
    /// # Errors
    /// Where the system cannot tell.
    pub async fn end(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.kill();
        status
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.kill();
        }
        status
    }

    fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<String> = output.lines().rev().take(5).map(short).collect();
        if lines.is_empty() { "it printed nothing".to_owned() } else { lines.into_iter().rev().collect::<Vec<_>>().join(" / ") }
    }
}

/// The beginning of a line that a program printed.
pub(super) fn short(line: &str) -> String {
    match line.char_indices().nth(LINE_LIMIT) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

impl Process {
    /// Ends the whole process group, once: its number may be another's afterwards.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.group.take() {
            // A group that is gone already is what is wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A web application that the harness started.
#[derive(Debug)]
pub struct Served {
    process: Process,
}

impl Served {
    /// Starts it, and waits until its URL answers, whatever it answers.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub async fn start(
        command: &[String],
        folder: &Path,
        env: &[(String, String)],
        ready_url: &str,
        wire: &Wire,
        limit: Duration,
    ) -> Result<Self, ProcessError> {
        let program = command.first().cloned().unwrap_or_default();
        if answers(wire, ready_url).await {
            return Err(ProcessError::Occupied { program, url: ready_url.to_owned() });
        }
        let mut process = Process::start(command, folder, env)?;
        let begun = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(10);
        while !answers(wire, ready_url).await {
            if let Some(status) = process.ended() {
                let (url, output) = (ready_url.to_owned(), process.tail());
                return Err(ProcessError::Ended { program, status: status.to_string(), url, output });
            }
            if begun.elapsed() >= limit {
                return Err(ProcessError::NotReady { program, url: ready_url.to_owned(), limit, output: process.tail() });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
        Ok(Self { process })
    }

    /// Ends it, with everything that it started, and waits until nothing answers in its place any more.
    pub async fn stop(self, wire: &Wire, ready_url: &str) {
        let Self { mut process } = self;
        process.kill();
        let _reaped = process.end().await;
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < RELEASE && answers(wire, ready_url).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether it has ended, and what it printed last.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.process.ended()?;
        Some(format!("`{}` ended ({status}): {}", self.process.program, self.process.tail()))
    }
}

async fn answers(wire: &Wire, url: &str) -> bool {
    wire.send(Channel::Front, Request::get(url)).await.outcome.is_ok()
}

async fn drain(mut stream: impl AsyncRead + Unpin, output: Arc<Mutex<Vec<u8>>>, told: watch::Sender<usize>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let length = {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            let room = OUTPUT_LIMIT.saturating_sub(output.len());
            output.extend_from_slice(&buffer[..count.min(room)]);
            output.len()
        };
        told.send_replace(length);
    }
}
