//! The `oauthspec` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    oauthspec::cli::main()
}
