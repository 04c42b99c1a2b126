//! `oauthspec completions`: a script that completes verbs and flags.

use clap::CommandFactory as _;

use super::args::{Cli, CompletionsArgs};
use super::error::Error;
use super::exit::Exit;
use super::output;

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Error> {
    let mut script = Vec::new();
    // Into memory first: the generator panics when its reader goes away.
    clap_complete::generate(args.shell, &mut Cli::command(), "oauthspec", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_a_script() {
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "oauthspec", &mut script);
            assert!(String::from_utf8(script).unwrap().contains("selftest"));
        }
    }
}
