//! From the text of a file to a scenario that makes sense, or to everything that is wrong with it.

use std::sync::{Arc, LazyLock};

use super::Scenario;
use super::reading::{Faults, Known, Origin, Reading};
use super::validate::validate;
use crate::catalog::Catalogue;
use crate::policy::Library;
use crate::problem::{Problem, Source};
use crate::reader::{Node, Sink};

/// Reads one scenario of a user's, which need not say what it catches.
///
/// # Errors
/// Every mistake in it, in file order.
pub fn load_one(source: &Arc<Source>, id: &str) -> Result<Scenario, Vec<Problem>> {
    load(source, id, Known { catalogue: Catalogue::embedded(), faults: Some(faults()), origin: Origin::User })
}

/// Reads a scenario of the suite that is built in.
pub(super) fn load_built_in(source: &Arc<Source>, id: &str, names: Names) -> Result<Scenario, Vec<Problem>> {
    let faults = (names == Names::Checked).then(faults);
    load(source, id, Known { catalogue: Catalogue::embedded(), faults, origin: Origin::BuiltIn })
}

/// What is done about the names of faults in a file that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// They are looked up.
    Checked,
    /// They are right: a test has looked them up. Reading all faults takes as long as reading all scenarios.
    Trusted,
}

fn faults() -> Faults<'static> {
    Faults { library: Library::embedded(), of_clients: client_faults() }
}

pub(super) fn load(source: &Arc<Source>, id: &str, known: Known<'_>) -> Result<Scenario, Vec<Problem>> {
    let root = Node::parse(source, 0..source.text.len())?;
    let sink = Sink::new(source);
    let scenario = {
        let reading = Reading::new(&sink, known);
        let scenario = reading.scenario(id, &root);
        if let Some(scenario) = &scenario {
            validate(scenario, &reading, &root.span);
        }
        scenario
    };
    let problems = sink.into_problems();
    // Without a problem there is a scenario: the root of a TOML file is a table.
    scenario.filter(|_| problems.is_empty()).ok_or(problems)
}

/// The ids of the faults of the reference client.
fn client_faults() -> &'static [String] {
    static IDS: LazyLock<Vec<String>> =
        LazyLock::new(|| crate::reference::Library::embedded().faults().iter().map(|fault| fault.id.clone()).collect());
    &IDS
}
