//! Behaviour through the public surface, by topic.

#![allow(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

#[path = "../common/adjudicated.rs"]
mod adjudicated;
mod bad_input;
mod clients;
mod command_line;
mod embedded;
mod interrupted;
mod mock_process;
mod mock_server;
mod oauthspec;
mod profiles;
mod seed;
mod snapshots;
mod users_files;
