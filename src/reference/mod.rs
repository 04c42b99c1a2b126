//! The reference client: a web application, a native client and a script that do everything right, unless their policy says otherwise.
//!
//! Floor 3. Client scenarios are proven on it: it passes them as it is and under every variant, and fails them under the faults that
//! they name. It talks to servers by `wire` alone and knows nothing of scenarios, the runner or the mock.
//!
//! A login goes through these hands: `begin` writes the authorization request, `callback` reads what comes back and finds the login
//! it belongs to, `exchange` redeems the code, `token_response` reads the answer, `id_token` and `userinfo` say who the user is.
//! `renew` and `api` use what came of it. `web`, `native` and `script` are the three kinds of client around that.

use std::time::Duration;

mod account;
mod api;
mod begin;
mod callback;
mod client;
mod exchange;
mod id_token;
mod json;
mod jws;
mod library;
mod native;
mod policy;
mod provider;
mod random;
mod renew;
mod script;
mod settings;
#[cfg(test)]
mod tests;
mod token_response;
mod trouble;
mod userinfo;
mod web;

pub use library::{Change, ClientPatch, ClientPatchKind, Library, UnknownClientPatch};
pub use native::native;
pub use policy::*;
pub use script::{Grant, script};
pub use settings::{NativeEnd, Settings};
pub use web::WebApp;

/// A limit of the reference client, and of those who wait for it: a debug build signs and verifies some twenty times as slowly.
pub(crate) const fn unhurried(limit: Duration) -> Duration {
    if cfg!(debug_assertions) { limit.saturating_mul(3) } else { limit }
}
