//! All scenarios by id: those that are built in, the user's, and the selection among them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use globset::{GlobBuilder, GlobMatcher};

use super::load::{Names, load_built_in, load_one};
use super::{Cases, Scenario};
use crate::embedded;
use crate::problem::{Problem, Source, nearest};

/// Scenarios by id.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    scenarios: BTreeMap<String, Arc<Scenario>>,
}

/// A scenario that was selected.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The names of its cases that are run; `None` means all.
    pub cases: Option<Vec<String>>,
}

/// Why a folder of scenarios could not be added.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There are mistakes in the files.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Problem>),
}

/// Why a pattern selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// It fits no id.
    #[error("no scenario fits `{pattern}`{}", .near.as_ref().map_or_else(String::new, |near| format!(" (did you mean `{near}`?)")))]
    Nothing {
        /// The pattern.
        pattern: String,
        /// The nearest id.
        near: Option<String>,
    },
    /// It is no pattern.
    #[error("`{pattern}` is no pattern: {reason}")]
    Invalid {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// It excludes one of cases that are known only at run time.
    #[error("the cases of `{id}` are known only at run time: exclude all of it, or none")]
    UnknownCases {
        /// The scenario.
        id: String,
    },
}

impl Suite {
    /// The suite that is built in.
    ///
    /// # Errors
    /// Never in a released binary: a test loads it.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        Self::built_in(&embedded::scenarios(), Names::Checked)
    }

    /// The part of it below a folder (`server`, `client`), as fast as can be: names of faults are taken to be right.
    ///
    /// # Errors
    /// Never in a released binary: a test loads it.
    pub fn embedded_below(folder: &str) -> Result<Self, Vec<Problem>> {
        let mut files = embedded::scenarios();
        files.retain(|(path, _)| Path::new(path).starts_with(folder));
        Self::built_in(&files, Names::Trusted)
    }

    fn built_in(files: &[(String, &'static str)], names: Names) -> Result<Self, Vec<Problem>> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // Reading them is the longest part of a start.
        let read: Vec<_> = thread::scope(|scope| {
            let part = |files| scope.spawn(move || read_built_in(files, names));
            let parts: Vec<_> = files.chunks(files.len().div_ceil(threads).max(1)).map(part).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let mut suite = Self::default();
        let mut problems = Vec::new();
        for one in read {
            match one {
                Ok(scenario) => drop(suite.scenarios.insert(scenario.id.clone(), Arc::new(scenario))),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(suite) } else { Err(problems) }
    }

    /// Adds the scenarios of a user's folder; ids are the paths below it.
    ///
    /// # Errors
    /// Where the folder cannot be read, and with every mistake in its files; an id that is there already is one.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), LoadError> {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        let mut problems = Vec::new();
        for path in files {
            let text = fs::read_to_string(&path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
            let below = path.strip_prefix(folder).unwrap_or(&path).with_extension("");
            let id = below.to_string_lossy().replace('\\', "/");
            let source = Source::new(path.to_string_lossy(), text);
            if self.scenarios.contains_key(&id) {
                problems.push(
                    Problem::new(&source, 0..0, format!("there is a scenario `{id}` already"))
                        .help("move the file to another name"),
                );
                continue;
            }
            match load_one(&source, &id) {
                Ok(scenario) => drop(self.scenarios.insert(id, Arc::new(scenario))),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(LoadError::Mistakes(problems)) }
    }

    /// The scenario of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.get(id)
    }

    /// All scenarios, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Scenario>> {
        self.scenarios.values()
    }

    /// The scenarios and cases that fit one of the patterns (none given: all) and none of the excludes, ordered by id. Patterns are
    /// globs on `id` and `id[case]`, in which `*` crosses slashes and brackets stand for themselves.
    ///
    /// # Errors
    /// Where a pattern or an exclude fits nothing.
    pub fn select<P: AsRef<str>>(&self, patterns: &[P], excludes: &[P]) -> Result<Vec<Selected>, SelectError> {
        let wanted = patterns.iter().map(|text| self.pattern(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let unwanted = excludes.iter().map(|text| self.pattern(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let mut selected = Vec::new();
        for scenario in self.iter() {
            let mut choice = if wanted.is_empty() { Choice::All } else { Choice::None };
            for pattern in &wanted {
                choice = choice.and(pattern.choice(scenario));
            }
            for pattern in &unwanted {
                choice = choice.without(pattern.choice(scenario), scenario)?;
            }
            match choice {
                Choice::None => {}
                Choice::All => selected.push(Selected { scenario: Arc::clone(scenario), cases: None }),
                Choice::Cases(cases) => selected.push(Selected { scenario: Arc::clone(scenario), cases: Some(cases) }),
            }
        }
        Ok(selected)
    }

    /// A pattern that fits something.
    fn pattern(&self, text: &str) -> Result<Pattern, SelectError> {
        let pattern = Pattern::new(text)?;
        if self.iter().any(|scenario| pattern.choice(scenario) != Choice::None) {
            return Ok(pattern);
        }
        let cases = self.iter().flat_map(|scenario| case_ids(scenario));
        let ids: Vec<String> = self.scenarios.keys().cloned().chain(cases).collect();
        let near = nearest(text, ids.iter().map(String::as_str)).map(str::to_owned);
        Err(SelectError::Nothing { pattern: text.to_owned(), near })
    }
}

/// What of a scenario is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    None,
    Cases(Vec<String>),
    All,
}

impl Choice {
    fn and(self, more: Self) -> Self {
        match (self, more) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, other) | (other, Self::None) => other,
            (Self::Cases(mut cases), Self::Cases(more)) => {
                cases.extend(more.into_iter().filter(|case| !cases.contains(case)).collect::<Vec<_>>());
                Self::Cases(cases)
            }
        }
    }

    fn without(self, less: Self, scenario: &Scenario) -> Result<Self, SelectError> {
        let less = match less {
            Self::None => return Ok(self),
            Self::All => return Ok(Self::None),
            Self::Cases(cases) => cases,
        };
        let all = match (self, &scenario.cases) {
            (Self::None, _) => return Ok(Self::None),
            (Self::Cases(cases), _) => cases,
            (Self::All, Cases::Fixed(cases)) => cases.iter().map(|case| case.name.clone()).collect(),
            (Self::All, Cases::None | Cases::From { .. }) => return Err(SelectError::UnknownCases { id: scenario.id.clone() }),
        };
        let rest: Vec<String> = all.into_iter().filter(|case| !less.contains(case)).collect();
        Ok(if rest.is_empty() { Self::None } else { Self::Cases(rest) })
    }
}

/// A glob on `id` and `id[case]`.
struct Pattern {
    whole: GlobMatcher,
    /// Of `ID[CASE]`: the glob on the id, and the case if no glob is in it; for cases that are known only at run time.
    parts: Option<(GlobMatcher, String)>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, SelectError> {
        let parts = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((id, case)) => Some((glob(id)?, case.to_owned())),
            None => None,
        };
        Ok(Self { whole: glob(text)?, parts })
    }

    fn choice(&self, scenario: &Scenario) -> Choice {
        if self.whole.is_match(&scenario.id) {
            return Choice::All;
        }
        match &scenario.cases {
            Cases::None => Choice::None,
            Cases::Fixed(cases) => {
                let fits = |name: &&str| self.whole.is_match(format!("{}[{name}]", scenario.id));
                let names: Vec<String> = cases.iter().map(|case| case.name.as_str()).filter(fits).map(str::to_owned).collect();
                if names.is_empty() { Choice::None } else { Choice::Cases(names) }
            }
            Cases::From { .. } => match &self.parts {
                Some((id, case)) if id.is_match(&scenario.id) && case.contains(['*', '?', '{']) => Choice::All,
                Some((id, case)) if id.is_match(&scenario.id) => Choice::Cases(vec![case.clone()]),
                _ => Choice::None,
            },
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, SelectError> {
    // A glob takes brackets for a class of characters; here they name a case.
    let escaped = text.replace('[', "\\[").replace(']', "\\]");
    let glob = GlobBuilder::new(&escaped).literal_separator(false).backslash_escape(true).build();
    let invalid = |error: globset::Error| SelectError::Invalid { pattern: text.to_owned(), reason: error.kind().to_string() };
    glob.map(|glob| glob.compile_matcher()).map_err(invalid)
}

fn case_ids(scenario: &Scenario) -> Vec<String> {
    match &scenario.cases {
        Cases::Fixed(cases) => cases.iter().map(|case| format!("{}[{}]", scenario.id, case.name)).collect(),
        Cases::None | Cases::From { .. } => Vec::new(),
    }
}

fn read_built_in(files: &[(String, &'static str)], names: Names) -> Vec<Result<Scenario, Vec<Problem>>> {
    let read = |(path, text): &(String, &'static str)| {
        load_built_in(&Source::new(format!("scenarios/{path}"), *text), path.trim_end_matches(".toml"), names)
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "title = \"T\"\nseverity = \"low\"\nwhy = \"W\"\nfix = \"F\"\n";
    const PLAIN: &str = "[[steps]]\nmetadata = {}\nexpect = { name = \"ok\", status = 200 }\n";
    const CASE: &str = "[[steps]]\nmetadata = { headers = { X = \"{case.x}\" } }\nexpect = { name = \"ok\", status = 200 }\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{HEAD}{text}")).unwrap();
        };
        write("my/plain.toml", PLAIN);
        write(
            "my/deep/fixed.toml",
            &format!("[[cases]]\nname = \"one\"\nx = \"1\"\n[[cases]]\nname = \"two\"\nx = \"2\"\n{CASE}"),
        );
        write("my/open.toml", &format!("cases = {{ from = \"{{metadata.m}}\", as = \"x\" }}\n{CASE}"));
        folder
    }

    fn suite() -> Suite {
        let mut suite = Suite::default();
        suite.add_folder(folder().path()).unwrap_or_else(|error| panic!("{error}"));
        suite
    }

    fn selected(patterns: &[&str], excludes: &[&str]) -> Result<Vec<String>, String> {
        let word = |one: Selected| match one.cases {
            None => one.scenario.id.clone(),
            Some(cases) => format!("{}[{}]", one.scenario.id, cases.join(",")),
        };
        let found = suite().select(patterns, excludes).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(word).collect())
    }

    #[test]
    fn patterns_select_scenarios_and_cases() {
        let all = ["my/deep/fixed", "my/open", "my/plain"];
        assert_eq!(selected(&[], &[]).unwrap(), all);
        assert_eq!(selected(&["my/*"], &[]).unwrap(), all);
        assert_eq!(selected(&["my/deep/*", "my/plain"], &[]).unwrap(), ["my/deep/fixed", "my/plain"]);
        assert_eq!(selected(&["my/deep/fixed[two]"], &[]).unwrap(), ["my/deep/fixed[two]"]);
        assert_eq!(selected(&["*[t*]", "*[one]"], &["my/open"]).unwrap(), ["my/deep/fixed[two,one]"]);
        assert_eq!(selected(&["my/open[client_secret_basic]"], &[]).unwrap(), ["my/open[client_secret_basic]"]);
        assert_eq!(selected(&["my/{plain,open}"], &[]).unwrap(), ["my/open", "my/plain"]);
    }

    #[test]
    fn excludes_take_away() {
        assert_eq!(selected(&[], &["my/deep/fixed[one]"]).unwrap(), ["my/deep/fixed[two]", "my/open", "my/plain"]);
        assert_eq!(selected(&["my/deep/*"], &["*[one]", "*[two]"]).unwrap(), Vec::<String>::new());
        assert_eq!(
            selected(&[], &["*[one]"]).unwrap_err(),
            "the cases of `my/open` are known only at run time: exclude all of it, or none"
        );
        assert_eq!(selected(&["my/deep/*"], &["my/deep/fixed[*]"]).unwrap(), Vec::<String>::new());
        assert_eq!(selected(&[], &["my/*"]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_an_error() {
        assert_eq!(selected(&["my/plane"], &[]).unwrap_err(), "no scenario fits `my/plane` (did you mean `my/plain`?)");
        assert_eq!(
            selected(&["my/deep/fixed[tow]"], &[]).unwrap_err(),
            "no scenario fits `my/deep/fixed[tow]` (did you mean `my/deep/fixed[two]`?)"
        );
        assert_eq!(selected(&[], &["x"]).unwrap_err(), "no scenario fits `x`");
        assert!(selected(&["{a"], &[]).unwrap_err().starts_with("`{a` is no pattern: "));
    }

    #[test]
    fn an_id_that_is_there_already_is_an_error() {
        let mut suite = suite();
        let folder = folder();
        let error = suite.add_folder(folder.path()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 3);
        assert!(
            error.contains("plain.toml:1:1: there is a scenario `my/plain` already (move the file to another name)"),
            "{error}"
        );
        assert!(matches!(suite.add_folder(Path::new("/does/not/exist")), Err(LoadError::Read { .. })));
    }
}
