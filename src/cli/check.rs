//! `oauthspec check`: validates files without running anything. What a file is shows in its members.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::CheckArgs;
use super::data::{self, FileKind};
use super::error::Error;
use super::exit::Exit;
use super::output;
use crate::policy::PatchKind;
use crate::problem::{Problem, Source, nearest};
use crate::reference::ClientPatchKind;

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
    let config = ["server", "client", "mock", "waivers"];
    // A name that is nearly one of them is a slip.
    let near = |name: &str| config.contains(&name) || nearest(name, config).is_some();
    let configures =
        |(name, value): (&String, &toml::Value)| near(name) && !["patch", "set"].iter().any(|member| value.get(member).is_some());
    if table.iter().any(configures) && !table.contains_key("steps") {
        return FileKind::Config;
    }
    let patches = !table.is_empty() && table.values().all(toml::Value::is_table);
    if patches { kind_of_patches(table) } else { FileKind::Scenario }
}

/// Patches of the mock have rules below `patch`, those of the reference client have none. What they are for is told by the members
/// that only one kind has; a file without any of them is a script, of which nothing more is asked.
fn kind_of_patches(table: &toml::Table) -> FileKind {
    let has = |names: &[&str]| table.values().any(|patch| names.iter().any(|name| patch.get(*name).is_some()));
    if has(&["set"]) && !has(&["patch"]) {
        let fault = has(&["breaks", "robustness"]);
        return FileKind::ClientPatch(if fault { ClientPatchKind::Fault } else { ClientPatchKind::Variant });
    }
    FileKind::Patch(if has(&["breaks"]) {
        PatchKind::Fault
    } else if has(&["plans", "declines", "skips"]) {
        PatchKind::Variant
    } else if has(&["base"]) {
        PatchKind::Profile
    } else {
        PatchKind::Script
    })
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
    #[case("[mock]\nprofile = 'x'", FileKind::Config)]
    #[case("[mok]\nprofile = 'x'", FileKind::Config)]
    #[case("[busy]\ntitle = 'x'\n[[busy.patch]]", FileKind::Patch(PatchKind::Script))]
    #[case("[mock]\n[[mock.patch]]\nset = {}", FileKind::Patch(PatchKind::Script))]
    #[case("[code-reusable]\nbreaks = ['x']\n[[code-reusable.patch]]", FileKind::Patch(PatchKind::Fault))]
    #[case("[a]\n[[a.patch]]\n[b]\nplans = ['bcp']\n[[b.patch]]", FileKind::Patch(PatchKind::Variant))]
    #[case("[mine]\nbase = 'cognito'", FileKind::Patch(PatchKind::Profile))]
    #[case("[weak]\nbreaks = ['x']\nset = {}", FileKind::ClientPatch(ClientPatchKind::Fault))]
    #[case("[weak]\nrobustness = true\nset = {}", FileKind::ClientPatch(ClientPatchKind::Fault))]
    #[case("[other]\nkinds = ['web']\nset = {}", FileKind::ClientPatch(ClientPatchKind::Variant))]
    fn what_a_file_is_shows_in_its_members(#[case] text: &str, #[case] expected: FileKind) {
        assert_eq!(kind(&toml::from_str(text).unwrap()), expected);
    }

    #[rstest]
    #[case("faults")]
    #[case("variants")]
    #[case("profiles")]
    #[case("client-faults")]
    #[case("client-variants")]
    fn patches_of_each_kind_are_valid(#[case] folder: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        let mut files = Vec::new();
        collect(&folder, &mut files).unwrap();
        // What was ruled about a profile stands beside it, and is no patch.
        files.retain(|file| !file.to_string_lossy().ends_with(".deviations.toml"));
        assert!(!files.is_empty());
        for file in files {
            assert_eq!(mistakes(&Source::new(file.display().to_string(), fs::read_to_string(&file).unwrap())), [], "{file:?}");
        }
    }

    #[rstest]
    #[case("fixtures/scripts/README.md", include_str!("../../fixtures/scripts/README.md"))]
    #[case("docs/mock.md", include_str!("../../docs/mock.md"))]
    fn examples_in_documents_are_valid(#[case] document: &str, #[case] text: &str) {
        let blocks: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!blocks.is_empty());
        // Files that an example names are the reader's.
        let theirs = |problem: &Problem| problem.message.starts_with("cannot read docs/");
        for block in blocks {
            let mut found = mistakes(&Source::new(document, block));
            found.retain(|problem| !theirs(problem));
            assert_eq!(found, [], "{block}");
        }
    }

    #[test]
    fn a_profile_of_ones_own_may_begin_with_a_built_in_one() {
        let profile = |base| Source::new("mine.toml", format!("[mine]\ntitle = 'Mine'\nbase = '{base}'\n"));
        assert_eq!(mistakes(&profile("cognito")), []);
        assert_eq!(mistakes(&profile("cogito")).len(), 1);
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
