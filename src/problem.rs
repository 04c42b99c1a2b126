//! Mistakes in files, with the place where they stand: what is wrong, where, and how to mend it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

/// A file as it was read, kept for messages that point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// How the user names it: a path, or `embedded:…`.
    pub name: String,
    /// Its whole text.
    pub text: String,
}

impl Source {
    /// A source of that name and text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// Line and column of a byte offset, both counted from 1, columns in characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// One mistake in a file. `Display` gives `file:line:column: message (help)`; in JSON, which has no lines, `name#pointer: message (help)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes that are wrong.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Where in a JSON document it is, as a JSON pointer (RFC 6901); `None` in files.
    pub pointer: Option<String>,
}

impl Problem {
    /// A mistake at that place.
    #[must_use]
    pub fn new(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { source: Arc::clone(source), span, message: message.into(), help: None, pointer: None }
    }

    /// With a word on how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// From what the TOML parser says.
    #[must_use]
    pub fn from_toml(source: &Arc<Source>, error: &toml::de::Error) -> Self {
        Self::new(source, error.span().unwrap_or(0..0), error.message().trim_end())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pointer {
            Some(pointer) => write!(f, "{}#{pointer}: {}", self.source.name, self.message)?,
            None => {
                let (line, column) = self.source.position(self.span.start);
                write!(f, "{}:{line}:{column}: {}", self.source.name, self.message)?;
            }
        }
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// The requirements of that file that are not among those known, each with what was probably meant.
#[must_use]
pub fn unknown_requirements(source: &Arc<Source>, named: &[Spanned<String>], known: &[&str]) -> Vec<Problem> {
    let unknown = named.iter().filter(|id| !known.contains(&id.get_ref().as_str()));
    let problem = |id: &Spanned<String>| {
        let problem = Problem::new(source, id.span(), format!("unknown requirement `{}`", id.get_ref()));
        match nearest(id.get_ref(), known.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
    };
    unknown.map(problem).collect()
}

/// The longest name for which another one is looked for: no name here is as long.
const LONGEST: usize = 80;

/// The candidate that was probably meant, if one is near enough.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Whoever sends a megabyte for a name did not mistype one.
    if wrong.len() > LONGEST {
        return None;
    }
    let limit = (wrong.len() / 3).max(2);
    let candidates = candidates.into_iter().filter(|candidate| candidate.len().abs_diff(wrong.len()) <= limit);
    let scored = candidates.map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate));
    scored.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
