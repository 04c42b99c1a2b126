//! The verbs that reach out: `server`, `mock`, `probe`, `selftest`. Puts target, mock, runner and reports together.

use super::args::{MockArgs, ProbeArgs, SelftestArgs, ServerArgs};
use super::error::Error;
use super::exit::Exit;

pub(super) fn server(_args: ServerArgs) -> Result<Exit, Error> {
    Err(Error::NotImplemented { what: "oauthspec server" })
}

pub(super) fn mock(_args: MockArgs) -> Result<Exit, Error> {
    Err(Error::NotImplemented { what: "oauthspec mock" })
}

pub(super) fn probe(_args: ProbeArgs) -> Result<Exit, Error> {
    Err(Error::NotImplemented { what: "oauthspec probe" })
}

pub(super) fn selftest(_args: SelftestArgs) -> Result<Exit, Error> {
    Err(Error::NotImplemented { what: "oauthspec selftest" })
}
