//! The arguments: one small struct per concern. `Option` means "not given", so that the configuration can decide; doc comments are the
//! help texts. What a version does not implement is parsed, hidden from the help, and refused.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::mock_args::MockArgs;
use super::values::{
    Color, Format, Listed, MatrixPart, Schema, Snapshots, TextFormat, document, issuer, level, pattern, severity,
};
use crate::catalog::{Level, Severity};

/// Conformance tests for OAuth 2.0 authorization servers, with a mock authorization server that misbehaves on purpose.
#[derive(Debug, Parser)]
#[command(name = "oauthspec", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXIT_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// When to use colour. Without this, NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Color>,
}

const EXIT_HELP: &str = "Exit status: 0 nothing failed; 1 something failed; 2 wrong usage, configuration or file; \
3 target not reachable or a scenario in error; 4 nothing was selected or nothing ran; 130 interrupted.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Test an authorization server.
    Server(Box<ServerArgs>),
    /// Run the mock authorization server.
    Mock(Box<MockArgs>),
    /// Reach the target, read its metadata, log in once, and say what can be tested; sends nothing wrong.
    Probe(Box<ProbeArgs>),
    /// List scenarios, faults, variants, profiles, requirements or plans.
    List(ListArgs),
    /// Tell what a scenario, fault, variant, profile or requirement means, why it matters, how to mend it.
    Explain(ExplainArgs),
    /// Prove the suite: every scenario catches its faults and passes every variant.
    Selftest(Box<SelftestArgs>),
    /// Tell requirement by requirement which scenarios verify it, or why none can.
    Coverage(CoverageArgs),
    /// Write a commented oauthspec.toml.
    Init(InitArgs),
    /// Validate scenario, patch and configuration files without running anything.
    Check(CheckArgs),
    /// Print the JSON Schema of a file format.
    Schema(SchemaArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Test a client: it is run against the misbehaving mock, and judged by what it does.
    Client(Box<ClientArgs>),
    /// Merge, compare and render results.
    #[command(hide = true, disable_help_flag = true)]
    Report(LaterArgs),
    /// Print the manual page.
    #[command(hide = true, disable_help_flag = true)]
    Man(LaterArgs),
}

impl Verb {
    /// What of the arguments this version does not implement.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        match self {
            Self::Report(_) => Some("oauthspec report"),
            Self::Man(_) => Some("oauthspec man"),
            Self::Server(args) => args.selection.refused().or(args.report.refused()),
            Self::Client(args) => args.selection.refused().or(args.report.refused()),
            Self::Selftest(args) => args.selection.refused(),
            Self::Mock(_)
            | Self::Probe(_)
            | Self::List(_)
            | Self::Explain(_)
            | Self::Coverage(_)
            | Self::Init(_)
            | Self::Check(_)
            | Self::Schema(_)
            | Self::Completions(_) => None,
        }
    }
}

/// `oauthspec server`
#[derive(Debug, Args)]
#[command(
    after_help = "Without ISSUER the target is [server] of the configuration. To try it without one: oauthspec server --mock"
)]
pub struct ServerArgs {
    /// What is tested.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The embedded mock as target.
    #[command(flatten)]
    pub embedded: EmbeddedArgs,
    /// Which scenarios.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// How they run.
    #[command(flatten)]
    pub run: RunArgs,
    /// How the target is reached.
    #[command(flatten)]
    pub reach: ReachArgs,
    /// What comes out.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `oauthspec client`
#[derive(Debug, Args)]
#[command(
    after_help = "Without COMMAND and --start-url the client is [client] of the configuration. A command is run once per scenario, \
                  with OAUTH_ISSUER, CLIENT_ID and CLIENT_SECRET in its environment and BROWSER set to the harness's own browser"
)]
pub struct ClientArgs {
    /// A native client or a script, with its arguments.
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "start_url")]
    pub command: Vec<String>,
    /// Where a login of a web application starts.
    #[arg(long, value_name = "URL")]
    pub start_url: Option<String>,
    /// What makes the web application use its token.
    #[arg(long, value_name = "URL", requires = "start_url", conflicts_with = "command")]
    pub api_url: Option<String>,
    /// The client identifier that it uses [default: client].
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Its secret; leave it out for a public client.
    #[arg(long, value_name = "SECRET")]
    pub client_secret: Option<String>,
    /// Where the mock stands, for clients that are configured in advance [default: a free port of 127.0.0.1].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Which scenarios.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// How they run.
    #[command(flatten)]
    pub run: RunArgs,
    /// How the client is reached.
    #[command(flatten)]
    pub reach: ReachArgs,
    /// What comes out.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `oauthspec probe`
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// What is probed.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The embedded mock as target.
    #[command(flatten)]
    pub embedded: EmbeddedArgs,
    /// How the target is reached.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// The target on the command line.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// The issuer identifier: a URL without query and fragment (RFC 8414 section 2).
    #[arg(value_name = "ISSUER", value_parser = issuer)]
    pub issuer: Option<String>,
    /// The client to test with. With an open registration endpoint and no client, one is registered.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Its secret; leave it out for a public client. In the configuration it can come from the environment or a file.
    #[arg(long, value_name = "SECRET", requires = "client_id")]
    pub client_secret: Option<String>,
    /// A redirect URI registered for it; it need not exist. Repeat for more.
    #[arg(long, value_name = "URI", requires = "client_id")]
    pub redirect_uri: Vec<String>,
    /// The scope that it may ask for, tokens separated by blanks.
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// Who logs in.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// The password.
    #[arg(long, value_name = "PASSWORD", requires = "username")]
    pub password: Option<String>,
    /// Trust the certificates in this PEM file too.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Do not verify certificates.
    #[arg(long)]
    pub insecure_tls: bool,
}

/// The embedded mock as target.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct EmbeddedArgs {
    /// Test the embedded mock, strictly conformant or behaving like PROFILE.
    // Not given, given without a profile, given with one.
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, require_equals = true, conflicts_with = "issuer")]
    pub mock: Option<Option<String>>,
    /// A fault that the mock shall have. Repeat for more.
    #[arg(long, value_name = "ID", requires = "mock")]
    pub fault: Vec<String>,
    /// A variant that the mock shall be. Repeat for more.
    #[arg(long, value_name = "ID", requires = "mock")]
    pub variant: Vec<String>,
}

/// Which scenarios run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectionArgs {
    /// Only scenarios whose id matches (`server/code/*`, `id[case]`). Repeat for more.
    #[arg(short, long, value_name = "GLOB", value_parser = pattern)]
    pub scenario: Vec<String>,
    /// Without those whose id matches. Repeat for more.
    #[arg(short = 'x', long, value_name = "GLOB", value_parser = pattern)]
    pub exclude: Vec<String>,
    /// Add the scenarios in this folder. Repeat for more.
    #[arg(long, value_name = "DIR")]
    pub scenarios: Vec<PathBuf>,
    /// The plan by which verdicts are given.
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<String>,
    /// Only scenarios of at least this level.
    #[arg(long, value_name = "LEVEL", ignore_case = true, value_parser = level())]
    pub level: Option<Level>,
    /// Only scenarios of at least this severity.
    #[arg(long, value_name = "SEVERITY", ignore_case = true, value_parser = severity())]
    pub severity: Option<Severity>,
    /// Only a part of the scenarios.
    #[arg(long, value_name = "slice:M/N|hash:M/N", hide = true)]
    pub partition: Option<String>,
}

impl SelectionArgs {
    fn refused(&self) -> Option<&'static str> {
        self.partition.as_ref().map(|_| "--partition")
    }
}

/// How scenarios run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Running")]
pub struct RunArgs {
    /// How many scenarios run at once [default: 8].
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// How long one scenario may take (`30s`, `2m`).
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub scenario_timeout: Option<Duration>,
    /// How long a scenario may wait for real time to pass; what needs longer is skipped [default: 15s].
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub max_wait: Option<Duration>,
    /// How often a scenario is started again after a transport error. A request is never sent twice.
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,
    /// Stop at the first failure.
    #[arg(long)]
    pub fail_fast: bool,
    /// What random values are made of.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// How the target is reached.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Running")]
pub struct ReachArgs {
    /// The configuration [default: oauthspec.toml, here or in a folder above].
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How long one exchange may take (`10s`).
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
    /// A host other than the issuer's to which metadata may point. Repeat for more.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
}

/// What comes out of a run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results")]
pub struct ReportArgs {
    /// Where the report files go [default: reports].
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Compare transcripts with snapshots, or update them [default: off].
    #[arg(long, value_name = "MODE")]
    pub snapshots: Option<Snapshots>,
    /// Where the snapshots are [default: snapshots].
    #[arg(long, value_name = "DIR")]
    pub snapshot_dir: Option<PathBuf>,
    /// Leave secrets in reports as they are.
    #[arg(long)]
    pub show_secrets: bool,
    /// Print only what needs attention, and the summary.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every check.
    #[arg(short, long)]
    pub verbose: bool,
    /// Let warnings fail the run.
    #[arg(long, value_name = "warnings", hide = true)]
    pub deny: Option<String>,
    /// Fail only what got worse.
    #[arg(long, value_name = "RESULTS.json", hide = true)]
    pub baseline: Option<PathBuf>,
}

impl ReportArgs {
    fn refused(&self) -> Option<&'static str> {
        let deny = self.deny.as_ref().map(|_| "--deny");
        deny.or(self.baseline.as_ref().map(|_| "--baseline"))
    }
}

/// `oauthspec selftest`
#[derive(Debug, Default, Args)]
pub struct SelftestArgs {
    /// Which scenarios.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// How many scenarios run at once [default: 8].
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// What random values are made of.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What of the matrix is run: the strict mock and the faults; each variant alone; pairs of variants. Repeat for more
    /// [default: faults].
    #[arg(long, value_name = "PART")]
    pub part: Vec<MatrixPart>,
    /// How the matrix looks [default: table].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// `oauthspec list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What is listed.
    #[arg(value_name = "WHAT")]
    pub what: Listed,
    /// How it looks [default: table].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// `oauthspec explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The id of a scenario, fault, variant, profile or requirement.
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `oauthspec coverage`
#[derive(Debug, Args)]
pub struct CoverageArgs {
    /// Only these documents (`RFC9207`, or `9207`).
    #[arg(value_name = "RFC", value_parser = document)]
    pub documents: Vec<String>,
    /// How it looks [default: table].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TextFormat>,
}

/// `oauthspec init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The issuer identifier of your authorization server.
    #[arg(value_name = "ISSUER", value_parser = issuer)]
    pub issuer: Option<String>,
    /// Overwrite a file that exists.
    #[arg(long)]
    pub force: bool,
}

/// `oauthspec check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files, or folders with files that end in .toml.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// `oauthspec schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what.
    #[arg(value_name = "WHAT")]
    pub what: Schema,
}

/// `oauthspec completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The arguments of a verb that this version does not implement.
#[derive(Debug, Args)]
pub struct LaterArgs {
    /// Whatever was given.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;
    use rstest::rstest;

    use super::*;

    fn parse(line: &str) -> Result<Verb, clap::Error> {
        let words = line.split(' ').filter(|word| !word.is_empty());
        Cli::try_parse_from(std::iter::once("oauthspec").chain(words)).map(|cli| cli.verb)
    }

    fn server(line: &str) -> ServerArgs {
        match parse(&format!("server {line}")).unwrap() {
            Verb::Server(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_parser_is_consistent() {
        Cli::command().debug_assert();
    }

    #[rstest]
    #[case("server")]
    #[case("server https://as.example.com --client-id a --client-secret b --redirect-uri https://c.example/cb --scope openid")]
    #[case("server http://127.0.0.1:3000 --username alice --password pw --ca-file ca.pem --insecure-tls")]
    #[case("server -s server/* -s id[case] -x server/token/* --scenarios mine --plan bcp --level must --severity HIGH")]
    #[case("server -c x.toml -j 4 --timeout 5s --scenario-timeout 1m --max-wait 40s --retries 2 --fail-fast --seed 7")]
    #[case("server --allow-host as2.example --report-dir out --snapshots check --snapshot-dir snaps --show-secrets --quiet")]
    #[case("server --verbose --color never")]
    #[case("mock")]
    #[case("mock --listen 127.0.0.1:0 --profile cognito --fault a --fault b --variant c --script s.toml --seed 1")]
    #[case("mock --public-url https://as.example.com --control-token t --config oauthspec.toml --format json")]
    #[case("mock --access-log json --grace 5s --realms-on-first-use --realm-idle 10m --realm-limit 5 --journal-entries 100")]
    #[case("mock --login-help off --tls --tls-ca-out ca.pem")]
    #[case("mock --tls-cert cert.pem --tls-key key.pem --realms-on-first-use=false")]
    #[case("probe")]
    #[case("probe https://as.example.com --timeout 3s")]
    #[case("list scenarios --format json")]
    #[case("list plans")]
    #[case("explain RFC6749-4.1.2-05")]
    #[case("selftest --format json -s server/code/* -j 2 --seed 3")]
    #[case("coverage --format markdown RFC9207 7636")]
    #[case("init https://as.example.com --force")]
    #[case("check a.toml b.toml")]
    #[case("schema results")]
    #[case("completions bash")]
    fn every_verb_parses(#[case] line: &str) {
        assert_eq!(parse(line).unwrap().refused(), None);
    }

    #[rstest]
    #[case("server --partition slice:1/2", "--partition")]
    #[case("selftest --partition hash:1/2", "--partition")]
    #[case("server --deny warnings", "--deny")]
    #[case("server --baseline old.json", "--baseline")]
    #[case("report a.json b.json", "oauthspec report")]
    #[case("man", "oauthspec man")]
    fn what_is_not_implemented_is_refused(#[case] line: &str, #[case] what: &str) {
        assert_eq!(parse(line).unwrap().refused(), Some(what));
    }

    #[rstest]
    #[case("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)]
    #[case("serve", ErrorKind::InvalidSubcommand)]
    #[case("server --unknown", ErrorKind::UnknownArgument)]
    #[case("server as.example.com", ErrorKind::ValueValidation)]
    #[case("server ftp://as.example.com", ErrorKind::ValueValidation)]
    #[case("server https://as.example.com/?x=1", ErrorKind::ValueValidation)]
    #[case("server https://as.example.com --mock", ErrorKind::ArgumentConflict)]
    #[case("server --fault a", ErrorKind::MissingRequiredArgument)]
    #[case("server --client-secret b", ErrorKind::MissingRequiredArgument)]
    #[case("server --password b", ErrorKind::MissingRequiredArgument)]
    #[case("server -s {a", ErrorKind::ValueValidation)]
    #[case("server -x server/\\", ErrorKind::ValueValidation)]
    #[case("server --scenario=", ErrorKind::ValueValidation)]
    #[case("server --jobs 0", ErrorKind::ValueValidation)]
    #[case("server --timeout 5", ErrorKind::ValueValidation)]
    #[case("server --level shall", ErrorKind::InvalidValue)]
    #[case("server --quiet --verbose", ErrorKind::ArgumentConflict)]
    #[case("client --api-url http://127.0.0.1/api -- ./my-cli", ErrorKind::ArgumentConflict)]
    #[case("mock --listen 9000", ErrorKind::ValueValidation)]
    #[case("mock --tls-cert cert.pem", ErrorKind::MissingRequiredArgument)]
    #[case("mock --tls-cert c --tls-key k --tls-ca-out f", ErrorKind::ArgumentConflict)]
    #[case("list everything", ErrorKind::InvalidValue)]
    #[case("explain", ErrorKind::MissingRequiredArgument)]
    #[case("check", ErrorKind::MissingRequiredArgument)]
    #[case("schema", ErrorKind::MissingRequiredArgument)]
    #[case("completions csh", ErrorKind::InvalidValue)]
    fn wrong_usage_is_an_error(#[case] line: &str, #[case] kind: ErrorKind) {
        let error = parse(line).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn the_mock_takes_a_profile_only_behind_an_equals_sign() {
        assert_eq!(server("").embedded.mock, None);
        assert_eq!(server("--mock").embedded.mock, Some(None));
        assert_eq!(server("--mock=cognito").embedded.mock, Some(Some("cognito".to_owned())));
        let args = server("--mock --fault a --variant b");
        assert_eq!((args.embedded.mock, args.embedded.fault.len(), args.embedded.variant.len()), (Some(None), 1, 1));
        assert_eq!(parse("server --mock cognito").unwrap_err().kind(), ErrorKind::ValueValidation);
    }

    #[test]
    fn not_given_is_not_a_value() {
        let args = server("");
        assert!(args.run.jobs.is_none() && args.run.max_wait.is_none() && args.report.report_dir.is_none());
        let args = server("--level Should --severity critical -j 3");
        assert_eq!((args.selection.level, args.selection.severity), (Some(Level::Should), Some(Severity::Critical)));
        assert_eq!(args.run.jobs, NonZeroUsize::new(3));
    }

    #[test]
    fn what_is_not_implemented_is_not_in_the_help() {
        let mut command = Cli::command().term_width(100);
        let help = command.render_long_help().to_string();
        assert!(!help.contains("Merge, compare") && !help.contains("manual"), "{help}");
        let server = command.find_subcommand_mut("server").unwrap().clone().term_width(100).render_long_help().to_string();
        assert!(!server.contains("--baseline") && !server.contains("--partition") && !server.contains("--deny"), "{server}");
        insta::assert_snapshot!(server);
    }
}
