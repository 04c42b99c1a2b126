//! Behaviour through the public surface, by topic.

mod bad_input;
mod command_line;
mod embedded;
mod interrupted;
mod mock_server;
mod oauthspec;
mod snapshots;
mod users_files;
