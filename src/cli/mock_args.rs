//! The arguments of `oauthspec mock`. Every one can come from the environment, for containers, and those that say what the mock is from
//! `[mock]` of the configuration too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::values::{AccessLog, ReadyFormat, Switch, issuer};

/// `oauthspec mock`
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Every option can be given as environment variable too, for containers: OAUTHSPEC_MOCK_LISTEN, OAUTHSPEC_MOCK_PROFILE…; \
lists are separated by commas. What is given here wins over [mock] of the configuration."
)]
pub struct MockArgs {
    /// Where it listens [default: 127.0.0.1:0]; only loopback unless you name another address.
    #[arg(long, value_name = "ADDRESS", env = "OAUTHSPEC_MOCK_LISTEN", hide_env = true)]
    pub listen: Option<SocketAddr>,
    /// The URL under which others reach it, where that is another one.
    #[arg(long, value_name = "URL", value_parser = issuer, env = "OAUTHSPEC_MOCK_PUBLIC_URL", hide_env = true)]
    pub public_url: Option<String>,
    /// What the control API asks for as Bearer token; needed off the loopback interface.
    #[arg(long, value_name = "TOKEN", env = "OAUTHSPEC_MOCK_CONTROL_TOKEN", hide_env = true)]
    pub control_token: Option<String>,
    /// Settings, realms, clients and users as in [mock] of this configuration; else clients and users of its [server].
    #[arg(short, long, value_name = "FILE", env = "OAUTHSPEC_MOCK_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// How the ready line looks [default: text].
    #[arg(long, value_name = "FORMAT", env = "OAUTHSPEC_MOCK_FORMAT", hide_env = true)]
    pub format: Option<ReadyFormat>,
    /// Write a line for each request to standard error; secrets are left out.
    #[arg(long, value_name = "FORM", env = "OAUTHSPEC_MOCK_ACCESS_LOG", hide_env = true)]
    pub access_log: Option<AccessLog>,
    /// How long requests that are under way may take when it is stopped [default: 10s].
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, env = "OAUTHSPEC_MOCK_GRACE", hide_env = true)]
    pub grace: Option<Duration>,
    /// End when the standard input does, so that a test run that holds it leaves nothing behind, however it ends.
    #[arg(long, value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", env = "OAUTHSPEC_MOCK_UNTIL_STDIN_ENDS", hide_env = true)]
    pub until_stdin_ends: Option<bool>,
    /// How the default realm behaves.
    #[command(flatten)]
    pub behaviour: BehaviourArgs,
    /// What realms there are.
    #[command(flatten)]
    pub realms: RealmArgs,
    /// How it is reached by TLS.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// How the default realm behaves.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Behaviour")]
pub struct BehaviourArgs {
    /// Behave like this provider.
    #[arg(long, value_name = "ID", env = "OAUTHSPEC_MOCK_PROFILE", hide_env = true)]
    pub profile: Option<String>,
    /// A fault that it shall have. Repeat for more.
    #[arg(long, value_name = "ID", value_delimiter = ',', env = "OAUTHSPEC_MOCK_FAULT", hide_env = true)]
    pub fault: Vec<String>,
    /// A variant that it shall be. Repeat for more.
    #[arg(long, value_name = "ID", value_delimiter = ',', env = "OAUTHSPEC_MOCK_VARIANT", hide_env = true)]
    pub variant: Vec<String>,
    /// Patches that apply at a moment.
    #[arg(long, value_name = "FILE", env = "OAUTHSPEC_MOCK_SCRIPT", hide_env = true)]
    pub script: Option<PathBuf>,
    /// What codes and tokens are made of.
    #[arg(long, value_name = "N", env = "OAUTHSPEC_MOCK_SEED", hide_env = true)]
    pub seed: Option<u64>,
    /// Whether the login page lets a person pick a user, deny, or choose an error [default: on, but off with --format json].
    #[arg(long, value_name = "SWITCH", env = "OAUTHSPEC_MOCK_LOGIN_HELP", hide_env = true)]
    pub login_help: Option<Switch>,
}

/// What realms there are.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Realms")]
pub struct RealmArgs {
    /// Let the first request to a path make its realm.
    #[arg(long, value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", env = "OAUTHSPEC_MOCK_REALMS_ON_FIRST_USE", hide_env = true)]
    pub realms_on_first_use: Option<bool>,
    /// Forget realms that nobody used for so long (`10m`).
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, env = "OAUTHSPEC_MOCK_REALM_IDLE", hide_env = true)]
    pub realm_idle: Option<Duration>,
    /// How many realms there may be [default: 10000].
    #[arg(long, value_name = "N", env = "OAUTHSPEC_MOCK_REALM_LIMIT", hide_env = true)]
    pub realm_limit: Option<usize>,
    /// How many exchanges each realm remembers [default: 10000].
    #[arg(long, value_name = "N", env = "OAUTHSPEC_MOCK_JOURNAL_ENTRIES", hide_env = true)]
    pub journal_entries: Option<usize>,
}

/// How the mock is reached by TLS.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Serve by TLS, with a certificate made for the occasion, for this machine and the host of the public URL.
    #[arg(long, value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", env = "OAUTHSPEC_MOCK_TLS", hide_env = true)]
    pub tls: Option<bool>,
    /// Write the authority of that certificate to this file, for clients to trust (PEM).
    #[arg(long, value_name = "FILE", env = "OAUTHSPEC_MOCK_TLS_CA_OUT", hide_env = true, conflicts_with = "tls_cert")]
    pub tls_ca_out: Option<PathBuf>,
    /// Serve by TLS with the certificate in this file (PEM).
    #[arg(long, value_name = "FILE", env = "OAUTHSPEC_MOCK_TLS_CERT", hide_env = true, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM).
    #[arg(long, value_name = "FILE", env = "OAUTHSPEC_MOCK_TLS_KEY", hide_env = true, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}
