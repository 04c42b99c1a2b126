//! A conformance test harness for OAuth 2.0, and a mock authorization server that misbehaves on purpose.

#[cfg(feature = "cli")]
pub mod catalog;
#[cfg(feature = "cli")]
pub mod cli;
pub mod embedded;
pub mod mock;
pub mod oauth;
pub mod policy;
pub mod problem;
mod reader;
#[cfg(feature = "cli")]
pub mod reference;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod runner;
#[cfg(feature = "cli")]
pub mod scenario;
#[cfg(feature = "cli")]
pub mod target;
#[cfg(feature = "cli")]
pub mod wire;
