//! The command line: arguments in, exit status out; one file per verb.
//!
//! Floor 6. The only place that knows every other one.

pub mod args;
mod check;
mod client;
mod completions;
mod coverage;
pub mod data;
pub mod error;
pub mod exit;
mod explain;
mod init;
mod list;
mod mock;
mod mock_args;
pub mod output;
pub mod plan;
mod probe;
pub mod rows;
mod schema;
mod selftest;
mod server;
mod session;
pub mod values;

use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, CommandFactory as _, FromArgMatches as _};

use args::{Cli, Verb};
use error::Error;
use exit::Exit;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    // A variable that is there and empty says nothing: environments have many that nobody filled in.
    let unfilled = |argument: &Arg| argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let heard = |argument: Arg| if unfilled(&argument) { argument.env(Resettable::Reset) } else { argument };
    let command = Cli::command().mut_subcommand("mock", |mock| mock.mut_args(heard));
    let parsed = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let exit = match parsed {
        Ok(cli) => run(cli),
        Err(error) => {
            // If the message cannot be written there is nobody left to be told.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Ok }
        }
    };
    exit.into()
}

fn run(cli: Cli) -> Exit {
    cli.color.unwrap_or_default().apply();
    dispatch(cli).unwrap_or_else(|error| {
        error.print();
        error.exit()
    })
}

fn dispatch(cli: Cli) -> Result<Exit, Error> {
    if let Some(what) = cli.verb.refused() {
        return Err(Error::NotImplemented { what });
    }
    match cli.verb {
        Verb::Server(args) => server::server(*args),
        Verb::Client(args) => client::client(*args),
        Verb::Mock(args) => mock::mock(&args),
        Verb::Probe(args) => probe::probe(*args),
        Verb::Selftest(args) => selftest::selftest(&args),
        Verb::List(args) => list::list(&args),
        Verb::Explain(args) => explain::explain(&args),
        Verb::Coverage(args) => coverage::coverage(&args),
        Verb::Init(args) => init::init(&args),
        Verb::Check(args) => check::check(&args),
        Verb::Schema(args) => schema::schema(&args),
        Verb::Completions(args) => completions::completions(&args),
        Verb::Report(_) | Verb::Man(_) => {
            unreachable!("these verbs are refused above")
        }
    }
}
