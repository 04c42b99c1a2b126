//! `oauthspec server`: selects scenarios, prepares the target, runs, writes reports, and says how it ended.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use super::args::{ReportArgs, RunArgs, SelectionArgs, ServerArgs};
use super::error::Error;
use super::exit::{Exit, Outcome as Counted};
use super::plan;
use super::rows::Role;
use super::session::{self, Session};
use super::values::Snapshots;
use crate::catalog::{Catalogue, Plan};
use crate::problem::Problem;
use crate::report::text::visible;
use crate::report::{Console, Detail, Fanout, Files, Mode, SnapshotSink};
use crate::runner::{self, Event, Keep, Notice, Options, Outcome, Run, Sink, Stage};
use crate::scenario::{SelectError, Selected, Suite};

/// How many scenarios run at once where nothing else is said.
pub(super) const JOBS: usize = 8;

pub(super) fn server(args: ServerArgs) -> Result<Exit, Error> {
    let plan = plan::of(args.selection.plan.as_deref())?;
    let selected = planned(select(&args.selection, Role::Server)?, plan)?;
    session::runtime()?.block_on(async move {
        let session = session::prepare(&args.target, &args.embedded, &args.reach, plan, args.report.show_secrets);
        run(session, &args.run, &args.report, plan, selected).await
    })
}

/// The selected scenarios as the plan judges them.
pub(super) fn planned(selected: Vec<Selected>, plan: &Plan) -> Result<Vec<Selected>, Error> {
    let under = |one: Selected| Some(Selected { scenario: one.scenario.under(plan)?, cases: one.cases });
    let planned: Vec<Selected> = selected.into_iter().filter_map(under).collect();
    if planned.is_empty() { Err(Error::NothingSelected) } else { Ok(planned) }
}

/// The scenarios that the arguments select, of those that are built in and of the user's.
pub(super) fn select(args: &SelectionArgs, role: Role) -> Result<Vec<Selected>, Error> {
    // Those about the other party are read only where a pattern fits nothing, to say what may have been meant.
    let mut selected = match choose(args, Suite::embedded_below(role.word()))? {
        Ok(selected) => selected,
        Err(_) => choose(args, Suite::embedded())??,
    };
    let catalogue = Catalogue::embedded();
    selected.retain(|one| {
        let scenario = &one.scenario;
        let level = args.level.is_none_or(|least| scenario.level(catalogue) >= least);
        let severity = args.severity.is_none_or(|least| scenario.severity >= least);
        level && severity && scenario.is_about_clients() == (role == Role::Client)
    });
    Ok(selected)
}

/// What the patterns choose, of a suite and the user's scenarios.
fn choose(args: &SelectionArgs, suite: Result<Suite, Vec<Problem>>) -> Result<Result<Vec<Selected>, SelectError>, Error> {
    let mut suite = suite.map_err(Error::Problems)?;
    for folder in &args.scenarios {
        suite.add_folder(folder)?;
    }
    Ok(suite.select(&args.scenario, &args.exclude))
}

/// Makes the target ready and runs the scenarios.
pub(super) async fn run(
    session: impl Future<Output = Result<Session, Error>>,
    running: &RunArgs,
    report: &ReportArgs,
    plan: &Plan,
    selected: Vec<Selected>,
) -> Result<Exit, Error> {
    let interrupted = interruption();
    let session = tokio::select! {
        session = session => session?,
        () = until(interrupted.clone()) => return Err(Error::Interrupted),
    };
    let off = report.snapshots.unwrap_or_default() == Snapshots::Off;
    let keep = if off { Keep::Transcripts } else { Keep::Snapshots };
    let options = options(running, &session, plan, keep);
    let stage = session.stage(options.seed, options.max_wait, options.jobs);
    let mut console = Console::new(detail(report));
    let mut files = Files::new(report.report_dir.clone().unwrap_or_else(|| PathBuf::from("reports")));
    let mut snapshots = snapshot_sink(report);
    let blocks = tokio::select! {
        blocks = preflight(&session, &stage) => blocks?,
        () = until(interrupted.clone()) => return Err(Error::Interrupted),
    };
    // A client that does not work, and is seen to break a rule, has its verdict: that is no mistake of the configuration.
    let (blocked, judged) = (!blocks.is_empty(), blocks.client_spoke);
    let run = Run {
        selected,
        provider: session.provider.clone(),
        wire: session.wire.clone(),
        vault: session.vault.clone(),
        waivers: session.waivers.clone(),
        blocks,
        target: session.info.clone(),
        started: session::now(),
    };
    let (outcome, unwritten) = {
        let mut sinks = Fanout::new().with(&mut console).with(&mut files);
        if let Some(snapshots) = &mut snapshots {
            sinks = sinks.with(snapshots);
        }
        for note in &session.notes {
            sinks.take(&Event::Noticed(Notice { grave: false, text: session.vault.seal(note) }))?;
        }
        let outcome = runner::run(run, &options, interrupted.clone(), &mut sinks).await?;
        let unwritten: Vec<String> = sinks.errors().map(str::to_owned).collect();
        (outcome, unwritten)
    };
    let drifted = finish(&mut console, snapshots.as_ref(), &outcome, &unwritten)?;
    let counted = Counted {
        summary: outcome.summary,
        interrupted: *interrupted.borrow(),
        drifted,
        stale_waivers: outcome.stale.len(),
        unwritten: unwritten.len(),
    };
    let exit = counted.exit();
    Ok(if blocked && !(judged && exit == Exit::Failed) { Exit::of([Exit::Usage, exit]) } else { exit })
}

/// Logs in once, before anything wrong is sent. On the mock nothing can stand in the way but a fault, and that is what is tested.
async fn preflight(session: &Session, stage: &Stage) -> Result<runner::Blocks, Error> {
    let probed = match &session.provider {
        runner::Provider::Mock(_) => return Ok(runner::Blocks::default()),
        runner::Provider::Remote(_) => " (oauthspec probe says more)",
        runner::Provider::Client(_) => "",
    };
    let findings = runner::preflight(&session.provider, stage, &session.vault).await;
    let wrong: Vec<String> = findings.lines.iter().filter(|(good, _)| !good).map(|(_, line)| line.to_string()).collect();
    if findings.unreachable {
        let help = match &session.provider {
            runner::Provider::Client(_) => {
                "start the application first, or let `serve` start it; `start_url` and `ready_url` have to answer"
            }
            _ => "oauthspec probe says what it sees",
        };
        return Err(Error::Unreachable { reason: wrong.join("; "), help: Some(help.into()) });
    }
    for line in wrong {
        // If standard error is gone there is nobody left to be told.
        let _ = writeln!(anstream::stderr(), "preflight: {}; what depends on it is skipped{probed}", visible(&line));
    }
    Ok(findings.blocks)
}

fn finish(
    console: &mut Console,
    snapshots: Option<&SnapshotSink>,
    outcome: &Outcome,
    unwritten: &[String],
) -> Result<usize, Error> {
    let mut drifted = 0;
    if let Some(sink) = snapshots {
        console.drift(sink.drifts())?;
        drifted = sink.drifted();
    }
    for pattern in &outcome.stale {
        super::output::print(&format!("stale waiver: {pattern} excuses nothing any more; take it out\n"))?;
    }
    for error in unwritten {
        let _ = writeln!(anstream::stderr(), "error: {error}");
    }
    Ok(drifted)
}

fn options(args: &RunArgs, session: &Session, plan: &Plan, keep: Keep) -> Options {
    let jobs = args.jobs.map_or(JOBS, std::num::NonZeroUsize::get);
    Options {
        jobs: session.concurrency.map_or(jobs, |most| jobs.min(most)),
        scenario_timeout: args.scenario_timeout.unwrap_or(Duration::from_secs(120)),
        max_wait: args.max_wait.unwrap_or(Duration::from_secs(15)),
        retries: args.retries.unwrap_or(0),
        fail_fast: args.fail_fast,
        seed: args.seed.unwrap_or_else(session::fresh_seed),
        repeat: session.repeat.clone(),
        plan: plan.name(),
        keep,
        min_interval: session.min_interval,
    }
}

fn detail(args: &ReportArgs) -> Detail {
    match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Normal,
    }
}

fn snapshot_sink(args: &ReportArgs) -> Option<SnapshotSink> {
    let mode = match args.snapshots.unwrap_or_default() {
        Snapshots::Off => return None,
        Snapshots::Check => Mode::Check,
        Snapshots::Update => Mode::Update,
    };
    Some(SnapshotSink::new(mode, args.snapshot_dir.clone().unwrap_or_else(|| PathBuf::from("snapshots"))))
}

/// Turns true at Ctrl-C, and when the process is told to end, so that nothing that it started stays behind. A second time ends the process
/// at once.
fn interruption() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if told_to_stop().await {
            // The receiver lives as long as the run.
            let _ = sender.send(true);
            if told_to_stop().await {
                std::process::exit(i32::from(Exit::Interrupted.status()));
            }
        }
        std::future::pending::<()>().await;
    });
    receiver
}

/// Waits for a signal to stop; `false` where none can be heard.
async fn told_to_stop() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminated), Ok(mut hung_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            return tokio::select! {
                heard = tokio::signal::ctrl_c() => heard.is_ok(),
                heard = terminated.recv() => heard.is_some(),
                heard = hung_up.recv() => heard.is_some(),
            };
        }
    }
    tokio::signal::ctrl_c().await.is_ok()
}

async fn until(mut interrupted: watch::Receiver<bool>) {
    if interrupted.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
