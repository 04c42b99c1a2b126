//! `oauthspec check`: validates files without running anything. What a file is shows in its members.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::CheckArgs;
use super::data::{self, FileKind};
use super::error::Error;
use super::exit::Exit;
use super::output;
use crate::problem::{Problem, Source};

pub(super) fn check(args: &CheckArgs) -> Result<Exit, Error> {
    let mut files = Vec::new();
    for path in &args.files {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        let message = "there is no .toml file in the folders that were given".to_owned();
        return Err(Error::Usage { message, help: None });
    }
    let mut problems = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).map_err(|source| Error::File { doing: "read", path: path.clone(), source })?;
        problems.extend(mistakes(&Source::new(path.display().to_string(), text)));
    }
    if !problems.is_empty() {
        return Err(Error::Problems(problems));
    }
    let count = files.len();
    output::print(&format!("{count} {}, no mistakes\n", if count == 1 { "file" } else { "files" }))?;
    Ok(Exit::Ok)
}

/// The file itself, or every `.toml` file below a folder, in order.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |source| Error::File { doing: "read", path: path.to_owned(), source };
    let entries = fs::read_dir(path).map_err(unreadable)?;
    let mut inside = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    inside.sort();
    for path in inside {
        // A link to a folder is not followed: it may lead back up.
        let folder = path.is_dir() && !path.is_symlink();
        if folder || path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            collect(&path, files)?;
        }
    }
    Ok(())
}

fn mistakes(source: &Arc<Source>) -> Vec<Problem> {
    match toml::from_str::<toml::Table>(&source.text) {
        Ok(table) => data::mistakes(kind(&table), source),
        Err(error) => vec![Problem::from_toml(source, &error)],
    }
}

/// A configuration has none but its own tables; a file of patches has only tables; a scenario has a title or steps of its own.
fn kind(table: &toml::Table) -> FileKind {
    let config = ["server", "client", "waivers"];
    if table.keys().any(|key| config.contains(&key.as_str())) && !table.contains_key("steps") {
        return FileKind::Config;
    }
    let patch = !table.is_empty() && table.values().all(toml::Value::is_table);
    if patch { FileKind::Patch } else { FileKind::Scenario }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("title = 'x'\n[[steps]]\ntoken = {}", FileKind::Scenario)]
    #[case("", FileKind::Scenario)]
    #[case("[[steps]]\ntoken = {}\n[server]", FileKind::Scenario)]
    #[case("[server]\nissuer = 'x'", FileKind::Config)]
    #[case("[[waivers]]\nscenario = 'x'", FileKind::Config)]
    #[case("[code-reusable]\ntitle = 'x'\n[[code-reusable.patch]]", FileKind::Patch)]
    fn what_a_file_is_shows_in_its_members(#[case] text: &str, #[case] expected: FileKind) {
        assert_eq!(kind(&toml::from_str(text).unwrap()), expected);
    }

    #[test]
    fn folders_are_searched_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["b/2.toml", "a.toml", "b/1.toml", "b/readme.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), &mut files).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.toml", "b/1.toml", "b/2.toml"]);
    }

    #[test]
    fn broken_toml_has_a_place() {
        let problems = mistakes(&Source::new("x.toml", "title = \n"));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("x.toml:1:"), "{}", problems[0]);
    }

    #[test]
    fn files_that_are_not_there_are_an_error() {
        let args = CheckArgs { files: vec![PathBuf::from("/nonexistent/x.toml")] };
        assert_eq!(check(&args).unwrap_err().exit(), Exit::Usage);
    }
}
