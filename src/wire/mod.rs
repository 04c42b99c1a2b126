//! All outgoing HTTP: right requests, raw bytes, limits, cookie sessions, races; and the vault that redacts and normalises.
//!
//! Floor 2. Knows HTTP and secrets; nothing of OAuth's rules, scenarios or verdicts. Follows no redirect by itself.

mod vault;

pub use vault::{Sealed, Vault};
