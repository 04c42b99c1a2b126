//! `oauthspec selftest`: the matrix of scenarios, faults and variants.

use std::sync::Arc;
use std::time::Duration;

use super::args::SelftestArgs;
use super::error::Error;
use super::exit::Exit;
use super::output::{print, print_json};
use super::rows::Role;
use super::values::{Format, MatrixPart};
use super::{plan, server, session};
use crate::catalog::{Catalogue, Plan};
use crate::policy::Library;
use crate::reference;
use crate::runner::{Keep, Matrix, Pace, Part, Stage, selftest as run, selftest_clients as run_clients};
use crate::wire::WireOptions;

pub(super) fn selftest(args: &SelftestArgs) -> Result<Exit, Error> {
    let plans: Vec<&Plan> = match args.selection.plan.as_deref() {
        Some(id) => vec![plan::of(Some(id))?],
        None => Plan::all().iter().collect(),
    };
    let scenarios = |role| -> Result<Vec<_>, Error> {
        Ok(server::select(&args.selection, role)?.into_iter().map(|one| one.scenario).collect())
    };
    let (servers, clients) = (scenarios(Role::Server)?, scenarios(Role::Client)?);
    if servers.is_empty() && clients.is_empty() {
        return Err(Error::NothingSelected);
    }
    let whole = args.selection.scenario.is_empty() && args.selection.exclude.is_empty() && args.selection.level.is_none();
    let stage = Stage {
        wire: session::wire(WireOptions::default())?,
        catalogue: Catalogue::embedded(),
        seed: args.seed.unwrap_or(1),
        max_wait: Duration::ZERO,
        repeat: Arc::from("--mock"),
        keep: Keep::Verdicts,
        pace: Arc::new(Pace::default()),
        places: Arc::new(tokio::sync::Semaphore::new(args.jobs.map_or(server::JOBS, std::num::NonZeroUsize::get))),
    };
    let parts = parts(&args.part);
    let matrix = session::runtime()?.block_on(async {
        let mut matrix = run(&servers, &plans, Library::embedded(), &stage, &parts).await?;
        let of_clients = run_clients(&clients, &plans, reference::Library::embedded(), &stage, &parts).await?;
        matrix.add(of_clients);
        Ok(matrix)
    });
    let mut matrix: Matrix = matrix.map_err(|reason| Error::Unreachable { reason, help: None })?;
    if !whole {
        // Faults that belong to scenarios that were left out are no gap.
        matrix.uncaught.clear();
        matrix.complete = matrix.toothless.is_empty() && matrix.cells.iter().all(|cell| cell.green);
    }
    match args.format.unwrap_or_default() {
        Format::Json => print_json(&matrix)?,
        Format::Table => print(&table(&matrix))?,
    }
    Ok(if matrix.complete { Exit::Ok } else { Exit::Failed })
}

/// How many pairs of variants are run.
const PAIRS: usize = 60;

fn parts(asked: &[MatrixPart]) -> Vec<Part> {
    let part = |word: &MatrixPart| match word {
        MatrixPart::Strict => Part::Strict,
        MatrixPart::Faults => Part::Faults,
        MatrixPart::Variants => Part::Variants,
        MatrixPart::Pairs => Part::Pairs(PAIRS),
    };
    if asked.is_empty() { vec![Part::Faults] } else { asked.iter().map(part).collect() }
}

/// A line for each scenario, then what is not as it must be.
fn table(matrix: &Matrix) -> String {
    let mut out = String::new();
    let widest = matrix.cells.iter().map(|cell| cell.scenario.chars().count()).max().unwrap_or(0);
    let mut rest = matrix.cells.as_slice();
    while let Some(first) = rest.first() {
        let length = rest.iter().take_while(|cell| cell.scenario == first.scenario).count();
        let (row, tail) = rest.split_at(length);
        let count = |kind: &str| {
            let all = row.iter().filter(|cell| cell.kind == kind).count();
            let green = row.iter().filter(|cell| cell.kind == kind && cell.green).count();
            format!("{green}/{all}")
        };
        let mut line = format!("{:widest$}", first.scenario);
        let strict = row.iter().filter(|cell| cell.kind == "strict").map(|cell| cell.green).reduce(|all, green| all && green);
        if let Some(green) = strict {
            line.push_str(if green { "  strict passes" } else { "  strict NOT   " });
        }
        for (kind, word) in [("fault", "faults"), ("variant", "variants"), ("pair", "pairs")] {
            if matrix.cells.iter().any(|cell| cell.kind == kind) {
                line.push_str(&format!("  {word} {:>7}", count(kind)));
            }
        }
        out.push_str(&format!("{line}\n"));
        rest = tail;
    }
    for cell in matrix.cells.iter().filter(|cell| !cell.green) {
        let reason = cell.reason.as_deref().unwrap_or_default();
        let reason = crate::report::text::one_line(reason);
        out.push_str(&format!("\nRED {} × {} {}\n    {}\n", cell.scenario, cell.kind, cell.patch, reason));
    }
    for fault in &matrix.uncaught {
        out.push_str(&format!("\nRED fault {fault} is caught by no scenario\n"));
    }
    for scenario in &matrix.toothless {
        out.push_str(&format!("\nRED scenario {scenario} catches no fault\n"));
    }
    let red = matrix.cells.iter().filter(|cell| !cell.green).count();
    let word = if matrix.complete { "complete" } else { "INCOMPLETE" };
    out.push_str(&format!("\n{word}: {} cells, {red} red, {} faults uncaught\n", matrix.cells.len(), matrix.uncaught.len()));
    if matrix.cells.iter().all(|cell| matches!(cell.kind, "strict" | "fault")) {
        out.push_str("what conformant servers get is shown by --part variants and --part pairs\n");
    }
    out
}
