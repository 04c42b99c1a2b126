//! `oauthspec probe`: reaches the target, reads its metadata, logs in once, and says what can be tested. Sends nothing wrong.

use std::time::Duration;

use super::args::ProbeArgs;
use super::error::Error;
use super::exit::Exit;
use super::output::print;
use super::session;
use crate::catalog::Plan;
use crate::runner::{Provider, inventory, preflight};

pub(super) fn probe(args: ProbeArgs) -> Result<Exit, Error> {
    session::runtime()?.block_on(run(args))
}

async fn run(args: ProbeArgs) -> Result<Exit, Error> {
    let session = session::prepare(&args.target, &args.embedded, &args.reach, &Plan::all()[0], false).await?;
    if let Provider::Remote(source) = &session.provider {
        for line in inventory(&source.target) {
            print(&format!("{}\n", crate::report::text::one_line(session.vault.seal(&line).as_str())))?;
        }
    }
    for note in &session.notes {
        print(&format!("note: {}\n", crate::report::text::one_line(session.vault.seal(note).as_str())))?;
    }
    let stage = session.stage(session::fresh_seed(), Duration::ZERO, 1);
    let findings = preflight(&session.provider, &stage, &session.vault).await;
    for (good, line) in &findings.lines {
        print(&format!("{} {}\n", if *good { "ok:" } else { "in the way:" }, crate::report::text::one_line(line.as_str())))?;
    }
    if findings.unreachable {
        return Ok(Exit::Error);
    }
    Ok(if findings.blocks.is_empty() { Exit::Ok } else { Exit::Usage })
}
