//! The login driver `command`: a program of the user's own that takes the authorization URL and prints where it ended.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::landing::{delivered, ends_at};
use super::{Action, End, Journey, Visit};
use crate::oauth::{Channel, Exchange, Failure, Party, Request};

/// How much of its output is read.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// Runs the program with the URL as its last argument; the last line that it prints is the URL. User name, password and action
/// (`approve`, `deny`) stand in `OAUTHSPEC_USERNAME`, `OAUTHSPEC_PASSWORD` and `OAUTHSPEC_ACTION`.
pub(super) async fn run(command: &[String], timeout: Duration, request: Request, visit: &Visit<'_>) -> Journey {
    let stuck = |reason: String| End::Stuck { exchange: None, reason };
    let mut journey = Journey::new(Vec::new(), Vec::new(), stuck(String::new()));
    if request.method != "GET" {
        journey.end = stuck("the login driver `command` takes a URL, and this authorization request is none".into());
        return journey;
    }
    let output = match tokio::time::timeout(timeout, output_of(command, &request.url, visit)).await {
        Ok(Ok(output)) => output,
        Ok(Err(reason)) => {
            journey.end = stuck(reason);
            return journey;
        }
        Err(_) => {
            journey.end = stuck(format!("the login command took longer than {} s", timeout.as_secs_f64()));
            return journey;
        }
    };
    journey.exchanges.push(Exchange {
        channel: Channel::Front,
        party: Party::Harness,
        request,
        outcome: Err(Failure::NotSent("the login command took this URL".into())),
        duration: Duration::ZERO,
    });
    let Some(url) = output.lines().map(str::trim).rfind(|line| !line.is_empty()) else {
        journey.end = stuck("the login command printed no URL".into());
        return journey;
    };
    journey.sent_to.push(url.to_owned());
    journey.end = if ends_at(url, visit) { delivered(url, 0) } else { stuck(format!("the login command ended at {url}")) };
    journey
}

async fn output_of(command: &[String], url: &str, visit: &Visit<'_>) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("the login command is empty")?;
    let action = match visit.action {
        Action::Approve => "approve",
        Action::Deny => "deny",
        Action::Stop => "stop",
    };
    let mut child = Command::new(program)
        .args(arguments)
        .arg(url)
        .env("OAUTHSPEC_USERNAME", &visit.user.username)
        .env("OAUTHSPEC_PASSWORD", &visit.user.password)
        .env("OAUTHSPEC_ACTION", action)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the login command {program:?} does not start: {error}"))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(OUTPUT_LIMIT).read_to_end(&mut output).await.map_err(|error| format!("the login command: {error}"))?;
    }
    let status = child.wait().await.map_err(|error| format!("the login command: {error}"))?;
    if status.success() {
        Ok(String::from_utf8_lossy(&output).into_owned())
    } else {
        Err(format!("the login command failed: {status}"))
    }
}
