//! The mock authorization server: one file per endpoint, realm state, clock, journal.
//!
//! Floor 3. Asks the policy and knows no fault, variant or profile by name. Protocol logic is pure; axum stands at the edge.
//!
//! A request goes through these hands: `edge` reads it, `realm` finds the policy of the moment and lets the endpoint's file decide
//! under the realm's lock, `render` signs and writes outside of it, `rewrite` adds the defects of one answer, `journal` keeps it all.

mod access;
mod authorization_response;
mod authorize;
mod bearer;
mod builder;
mod call;
mod client;
mod client_auth;
mod client_metadata;
mod clock;
mod code_grant;
mod control;
mod decision;
mod defect;
mod der;
mod device;
mod direct_login;
mod edge;
mod end_session;
mod error_page;
mod expectation;
mod grade;
mod interaction;
mod introspect;
mod issue;
mod journal;
mod jwt;
mod keys;
mod ledger;
mod metadata;
mod mint;
mod moment;
mod pages;
mod par;
mod pkce;
mod random;
mod realm;
mod realms;
mod redirect_uri;
mod refresh_grant;
mod register;
mod render;
mod revoke;
mod rewrite;
mod scope;
mod scripted;
mod server;
mod signing_key;
mod slow;
mod socket;
mod state;
mod store;
mod strange;
mod surface;
mod template;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod token_store;
mod trust;
mod verification;
mod visitor;

pub use access::Access;
pub use client::{ClientKind, MockClient, MockUser};
pub use clock::Clock;
#[cfg(feature = "cli")]
pub(crate) use control::is_loopback;
pub use expectation::{Expectation, Expectations, Times};
pub use journal::{Entry, Journal, JournalLimits, Unseen};
pub use keys::{KeyInfo, Keys};
pub use ledger::{Early, Unmet, UnmetExpectation};
pub use mint::{Mint, MintError, MintKind, Minted};
pub use realm::{Realm, RealmSpec};
pub use server::{MockBuilder, MockError, MockServer};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};
pub use visitor::Stuck;
