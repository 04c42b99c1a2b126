//! The values that arguments can have: closed lists, and parsers that refuse what makes no sense.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::catalog::{Level, Severity};

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes it the choice of all streams.
    pub fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// A part of the matrix of `oauthspec selftest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatrixPart {
    /// The strict mock and reference client, which pass.
    Strict,
    /// The same, and the faults, which are caught.
    Faults,
    /// The variants, which pass, each alone.
    Variants,
    /// Pairs of variants that are chosen by the seed.
    Pairs,
}

/// What `oauthspec list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// The scenarios.
    Scenarios,
    /// The faults that the mock can have, and those of the reference client.
    Faults,
    /// The variants that the mock can be, and those of the reference client.
    Variants,
    /// The providers that the mock can behave like.
    Profiles,
    /// The requirement catalogue.
    Requirements,
    /// The plans.
    Plans,
    /// The settings of the mock: what patches set.
    Settings,
    /// The ways in which a token that is made on demand can be broken.
    BrokenTokens,
}

/// Of what `oauthspec schema` prints the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schema {
    /// `oauthspec.toml`
    Config,
    /// A scenario file.
    Scenario,
    /// A file of faults, variants, profiles or a script.
    Patch,
    /// `results.json`
    Results,
}

/// How a listing looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For machines.
    Json,
}

/// How a text for people or machines looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people.
    #[default]
    Table,
    /// For machines.
    Json,
    /// For documents.
    Markdown,
}

/// How the ready line of the mock looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReadyFormat {
    /// For people.
    #[default]
    Text,
    /// One line of JSON.
    Json,
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccessLog {
    /// For people.
    Lines,
    /// JSON, for machines.
    Json,
}

impl AccessLog {
    /// Its name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Json => "json",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Lines, Self::Json].into_iter().find(|form| form.name() == name)
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    #[value(alias = "true", alias = "1")]
    On,
    /// Off.
    #[value(alias = "false", alias = "0")]
    Off,
}

impl Switch {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What is done with snapshots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Snapshots {
    /// Nothing.
    #[default]
    Off,
    /// Compare; what differs fails the run and is written to a .snap.new beside it.
    Check,
    /// Write what differs.
    Update,
}

/// An issuer identifier (RFC 8414 section 2), kept as it was typed, for issuers are compared as strings.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("{error}; an issuer looks like https://as.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http and https URLs can be reached".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has neither query nor fragment (RFC 8414 section 2)".to_owned());
    }
    Ok(text.to_owned())
}

/// A glob on ids. Brackets are no class: they name a case.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty pattern matches nothing".to_owned());
    }
    let escaped = text.replace('[', "\\[").replace(']', "\\]");
    globset::Glob::new(&escaped).map_err(|error| error.kind().to_string())?;
    Ok(text.to_owned())
}

/// A document as requirement ids begin: `RFC9207`, also where it was typed as `9207` or `rfc9207`.
pub(super) fn document(text: &str) -> Result<String, String> {
    let name: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    match name.chars().next() {
        None => Err("a document looks like RFC9207".to_owned()),
        Some(first) if first.is_ascii_digit() => Ok(format!("RFC{name}")),
        Some(_) => Ok(name),
    }
}

pub(super) fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(["may", "should", "must"]).map(|name| Level::of_keyword(&name.to_ascii_uppercase()))
}

pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["low", "medium", "high", "critical"]).map(|name| match name.to_ascii_lowercase().as_str() {
        "low" => Severity::Low,
        "medium" => Severity::Medium,
        "high" => Severity::High,
        _ => Severity::Critical,
    })
}
