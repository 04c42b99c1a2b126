//! All outgoing HTTP: right requests, raw bytes, limits, cookie sessions, races; and the vault that redacts and normalises.
//!
//! Floor 2. Knows HTTP and secrets; nothing of OAuth's rules, scenarios or verdicts. Follows no redirect by itself.

mod answer;
mod browser;
mod client;
mod exact;
mod flight;
mod raw;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod vault;

pub use browser::Browser;
pub use client::{Wire, WireError, WireOptions};
pub use vault::{Sealed, SealedExchange, SealedRequest, SealedResponse, Show, Vault};

/// The `User-Agent` of requests that the harness sends as a client or resource server.
pub const USER_AGENT: &str = concat!("oauthspec/", env!("CARGO_PKG_VERSION"));
