//! Errors that are expected: the user's, or the outside world's. Each knows its exit status and how it is mended.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::exit::Exit;
use super::output;
use crate::problem::Problem;
use crate::report::text::visible;
use crate::scenario::{LoadError, SelectError};

/// Why a verb could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A verb or flag that this version refuses.
    #[error("{what} is not implemented in oauthspec {}", env!("CARGO_PKG_VERSION"))]
    NotImplemented {
        /// The verb or flag.
        what: &'static str,
    },
    /// Nothing says what is to be tested.
    #[error("no target: neither an ISSUER, nor [server] of a configuration, nor --mock was given")]
    NoTarget,
    /// There is no client.
    #[error("no client to test")]
    NoClient,
    /// A pattern that matches no scenario.
    #[error("no scenario matches `{pattern}`")]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// The id that was probably meant.
        nearest: Option<String>,
    },
    /// Valid filters that leave nothing.
    #[error("nothing was selected: no scenario fits all filters")]
    NothingSelected,
    /// An id that names nothing.
    #[error("there is no {kind} `{id}`")]
    Unknown {
        /// What it should have been: `fault`, `scenario, fault, variant, profile or requirement`.
        kind: &'static str,
        /// The id.
        id: String,
        /// The id that was probably meant.
        nearest: Option<String>,
    },
    /// Arguments that do not go together in a way that the parser cannot see.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// Mistakes in files.
    #[error("{}", summary(.0))]
    Problems(Vec<Problem>),
    /// A file that cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// `read`, `write`.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The target does not answer, or not as an authorization server.
    #[error("cannot reach the target: {reason}")]
    Unreachable {
        /// What was tried, and what came of it.
        reason: String,
        /// What to look at.
        help: Option<String>,
    },
    /// The user stopped it before there was a result.
    #[error("interrupted")]
    Interrupted,
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Read { path, source } => Self::File { doing: "read", path, source },
            LoadError::Mistakes(problems) => Self::Problems(problems),
        }
    }
}

impl From<SelectError> for Error {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Nothing { pattern, near } => Self::NoMatch { pattern, nearest: near },
            SelectError::Invalid { .. } | SelectError::UnknownCases { .. } => {
                Self::Usage { message: error.to_string(), help: None }
            }
        }
    }
}

impl From<Box<Problem>> for Error {
    fn from(problem: Box<Problem>) -> Self {
        Self::Problems(vec![*problem])
    }
}

impl Error {
    /// The exit status of the process.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotImplemented { .. }
            | Self::NoTarget
            | Self::NoClient
            | Self::NoMatch { .. }
            | Self::Unknown { .. }
            | Self::Usage { .. }
            | Self::Problems(_)
            | Self::File { .. }
            | Self::Exists { .. }
            | Self::Output(_) => Exit::Usage,
            Self::NothingSelected => Exit::Nothing,
            Self::Unreachable { .. } => Exit::Error,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let meant = |nearest: &Option<String>| nearest.as_ref().map(|id| format!("did you mean `{id}`?"));
        match self {
            Self::NotImplemented { what } if what.starts_with("--") => Some("leave it out".to_owned()),
            Self::NotImplemented { .. } => Some("`oauthspec --help` lists what this version does".to_owned()),
            Self::NoClient => Some(
                "name a program after `--`, a web application with --start-url, or write [client] into oauthspec.toml".to_owned(),
            ),
            Self::NoTarget => Some(
                "name an issuer, write a configuration with `oauthspec init`, or try it out: oauthspec server --mock".to_owned(),
            ),
            Self::NoMatch { nearest, .. } => {
                meant(nearest).or_else(|| Some("`oauthspec list scenarios` shows every id".to_owned()))
            }
            Self::Unknown { nearest, .. } => meant(nearest).or_else(|| Some("`oauthspec list` shows every id".to_owned())),
            Self::NothingSelected => Some("loosen --level, --severity, --exclude or --plan".to_owned()),
            Self::Exists { .. } => Some("overwrite it with --force".to_owned()),
            Self::Usage { help, .. } | Self::Unreachable { help, .. } => help.clone(),
            Self::Problems(_) | Self::File { .. } | Self::Interrupted | Self::Output(_) => None,
        }
    }

    /// Prints it on standard error, with help; mistakes in files with the line they stand in.
    pub fn print(&self) {
        let text = self.render(output::width().unwrap_or(100));
        // If standard error is gone there is nobody left to be told.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }

    /// The text, with ANSI colours.
    fn render(&self, width: usize) -> String {
        let mut text = String::new();
        if let Self::Problems(problems) = self {
            text.extend(problems.iter().map(|problem| render_problem(problem, width)));
        }
        let bold_red = anstyle::AnsiColor::Red.on_default().bold();
        let written = writeln!(text, "{bold_red}error:{bold_red:#} {}", visible(&self.to_string()));
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
        if let Some(help) = self.help() {
            text.push_str(&format!("  help: {}\n", visible(&help)));
        }
        text
    }
}

fn summary(problems: &[Problem]) -> String {
    match problems {
        [problem] => {
            let (line, column) = problem.source.position(problem.span.start);
            format!("a mistake in {}, line {line}, column {column}", problem.source.name)
        }
        _ => format!("{} mistakes in files", problems.len()),
    }
}

fn render_problem(problem: &Problem, width: usize) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(width).with_links(false);
    let shown = Shown { problem, source: NamedSource::new(visible(&problem.source.name), problem.source.text.clone()) };
    match handler.render_report(&mut text, &shown) {
        Ok(()) => text,
        Err(_) => format!("{problem}\n"),
    }
}

/// A problem as miette shows it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let end = self.problem.span.end.min(self.problem.source.text.len());
        let start = self.problem.span.start.min(end);
        Some(Box::new(std::iter::once(LabeledSpan::new(None, start, end - start))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    fn shown(error: &Error) -> String {
        anstream::adapter::strip_str(&error.render(100)).to_string()
    }

    #[test]
    fn mistakes_show_their_line() {
        let source = Source::new("my/reused.toml", "title = \"x\"\n[[steps]]\ntokn = { from = \"login\" }\n");
        let problem = Problem::new(&source, 22..26, "unknown step `tokn`").help("did you mean `token`?");
        let error = Error::from(problem);
        assert_eq!(error.exit(), Exit::Usage);
        insta::assert_snapshot!(shown(&error));
    }

    #[test]
    fn spans_beyond_the_file_do_no_harm() {
        let source = Source::new("empty.toml", "");
        let text = shown(&Error::Problems(vec![Problem::new(&source, 5..9, "a"), Problem::new(&source, 0..0, "b")]));
        assert!(text.contains("2 mistakes in files"), "{text}");
    }

    #[test]
    fn errors_have_help_and_a_status() {
        let text = shown(&Error::NoTarget);
        assert!(text.starts_with("error: no target") && text.contains("help: ") && text.contains("--mock"), "{text}");
        assert_eq!(Error::NothingSelected.exit(), Exit::Nothing);
        assert_eq!(Error::Unreachable { reason: String::new(), help: None }.exit(), Exit::Error);
        let text = shown(&Error::NotImplemented { what: "--deny" });
        assert!(text.starts_with("error: --deny is not implemented in oauthspec"), "{text}");
    }
}
