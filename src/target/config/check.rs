//! What the parts of a configuration have in common when they are checked: secrets, durations, URLs, names out of a list.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use time::{Date, Month};
use toml::Spanned;
use url::Url;

use super::Waiver;
use super::file::{self, EnvSecret, FileSecret, Secret};
use crate::problem::{Problem, Source, nearest};
use crate::target::AuthMethod;

/// Checks a file and collects every mistake, so that all are told at once.
pub(super) struct Checks<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) folder: &'a Path,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<Problem>,
}

impl Checks<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.source, span, message).help(help));
    }

    /// A secret's value; empty after a problem.
    pub(super) fn secret(&mut self, secret: Spanned<Secret>) -> String {
        let span = secret.span();
        match secret.into_inner() {
            Secret::Literal(text) => text,
            Secret::Env(EnvSecret { env }) => (self.env)(&env).unwrap_or_else(|| {
                self.problem(span, format!("the environment variable {env} is not set"), format!("set it: export {env}=…"));
                String::new()
            }),
            Secret::File(FileSecret { file }) => {
                let path = self.path(&file);
                match std::fs::read_to_string(&path) {
                    Ok(text) => text.trim_end().to_owned(),
                    Err(error) => {
                        let message = format!("cannot read the secret from {}: {error}", path.display());
                        self.problem(span, message, "paths are relative to this file");
                        String::new()
                    }
                }
            }
        }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub(super) fn duration(&mut self, text: Option<Spanned<String>>) -> Option<Duration> {
        let text = text?;
        match humantime::parse_duration(text.get_ref()) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.problem(text.span(), format!("not a duration: {error}"), "write `90s`, `10m` or `1h 30m`");
                None
            }
        }
    }

    /// An absolute http URL, as it is written.
    pub(super) fn url(&mut self, text: Option<Spanned<String>>) -> Option<String> {
        let text = text?;
        let parsed = Url::parse(text.get_ref()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if parsed.is_none() {
            self.problem(
                text.span(),
                "not an absolute http or https URL",
                "write it with its scheme: `https://as.example/token`",
            );
        }
        Some(text.into_inner())
    }

    /// An absolute URI without a fragment (RFC 6749 section 3.1.2).
    pub(super) fn redirect_uri(&mut self, text: Spanned<String>) -> String {
        match Url::parse(text.get_ref()) {
            Err(error) => self.problem(text.span(), format!("not an absolute URI: {error}"), "RFC 6749 section 3.1.2"),
            Ok(url) if url.fragment().is_some() => {
                self.problem(text.span(), "a redirect URI has no fragment", "RFC 6749 section 3.1.2: leave out what follows `#`");
            }
            Ok(_) => {}
        }
        text.into_inner()
    }

    pub(super) fn auth_method(&mut self, name: Option<Spanned<String>>) -> Option<AuthMethod> {
        let name = name?;
        let names = [AuthMethod::Basic, AuthMethod::Post, AuthMethod::None].map(AuthMethod::name);
        self.one_of(&name, &names).and_then(AuthMethod::parse)
    }

    /// One of these names; the nearest is suggested.
    pub(super) fn one_of<'n>(&mut self, text: &Spanned<String>, names: &[&'n str]) -> Option<&'n str> {
        let found = names.iter().find(|name| *name == text.get_ref()).copied();
        if found.is_none() {
            let help = match nearest(text.get_ref(), names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", listed(names)),
            };
            self.problem(text.span(), format!("`{}` is not known here", text.get_ref()), help);
        }
        found
    }

    pub(super) fn address(&mut self, text: Option<Spanned<String>>) -> Option<SocketAddr> {
        let text = text?;
        let address = text.get_ref().parse().ok();
        if address.is_none() {
            self.problem(text.span(), "not an address and port", "write `127.0.0.1:9400`");
        }
        address
    }

    pub(super) fn waiver(&mut self, waiver: Spanned<file::Waiver>) -> Option<Waiver> {
        let span = waiver.span();
        let waiver = waiver.into_inner();
        if waiver.reason.get_ref().trim().is_empty() {
            self.problem(waiver.reason.span(), "a waiver needs a reason", "say where the failure is tracked");
        }
        if waiver.scenario.get_ref().trim().is_empty() {
            self.problem(waiver.scenario.span(), "a waiver needs a scenario", "a glob on ids: `server/token/*`");
        }
        let expires = waiver.expires.and_then(|expires| self.date(&expires));
        Some(Waiver { scenario: waiver.scenario.into_inner(), reason: waiver.reason.into_inner(), expires, span })
    }

    fn date(&mut self, value: &Spanned<toml::Value>) -> Option<Date> {
        let date = match value.get_ref() {
            toml::Value::Datetime(datetime) if datetime.time.is_none() => datetime
                .date
                .and_then(|date| Date::from_calendar_date(date.year.into(), Month::try_from(date.month).ok()?, date.day).ok()),
            _ => None,
        };
        if date.is_none() {
            self.problem(
                value.span(),
                "`expires` is a date, the last day on which the waiver counts",
                "without quotes: expires = 2027-03-01",
            );
        }
        date
    }
}

/// Values of a table as text; numbers and booleans by their JSON text.
pub(super) fn texts(table: Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    table.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// The parser's message; for an unknown key with the one that was probably meant.
pub(super) fn unknown_key(source: &Arc<Source>, error: &toml::de::Error) -> Problem {
    let problem = Problem::from_toml(source, error);
    let quoted: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((wrong, known)) if error.message().starts_with("unknown field") => {
            let help = match nearest(wrong, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            Problem { message: format!("unknown key `{wrong}`"), ..problem }.help(help)
        }
        Some((missing, _)) if error.message().starts_with("missing field") => {
            let help = format!("add `{missing} = …` to this table");
            Problem { message: format!("`{missing}` is missing"), ..problem }.help(help)
        }
        _ => problem,
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
