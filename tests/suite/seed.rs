//! Every statement from which the profiles were made has its proof: tests, settings and scenarios that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use oauthspec::policy::{Patch, PolicySet};
use oauthspec::scenario::Suite;
use serde::Deserialize;

/// How many rows each family has, numbered from 1.
const FAMILIES: [(&str, usize); 6] = [("A-", 45), ("O-", 57), ("G-", 85), ("G-E", 19), ("G-F", 17), ("X-", 12)];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    says: String,
    mock: Proof,
    server: Proof,
    client: Proof,
}

/// What shows that something is so, or why nothing has to.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Proof {
    By(Vec<String>),
    Needless(String),
}

#[test]
fn every_row_is_there() {
    let rows = rows();
    let mut wanted = BTreeSet::new();
    for (family, count) in FAMILIES {
        let width = if matches!(family, "A-" | "O-" | "G-") { 2 } else { 1 };
        wanted.extend((1..=count).map(|number| format!("{family}{number:0width$}")));
    }
    let found: BTreeSet<String> = rows.keys().cloned().collect();
    assert_eq!(found, wanted);
    for (id, row) in &rows {
        assert!(row.says.len() > 3, "{id} says nothing");
    }
}

#[test]
fn what_the_mock_must_do_is_shown_by_tests_and_settings() {
    let tests = tests();
    let exists = |proof: &str| match proof.strip_prefix("setting:") {
        Some(path) => is_setting(path.rsplit(':').next().unwrap()),
        None => tests.contains(proof),
    };
    assert_proven(|row| &row.mock, exists);
}

#[test]
fn what_a_server_must_do_is_checked_by_scenarios() {
    let suite = Suite::embedded().unwrap();
    let ids: BTreeSet<&str> = suite.iter().map(|scenario| scenario.id.as_str()).collect();
    let exists = |proof: &str| match proof.strip_prefix("deviations:") {
        Some(profile) => fixture(&format!("profiles/{profile}.deviations.toml")).exists(),
        None => proof.starts_with("server/") && ids.contains(proof),
    };
    assert_proven(|row| &row.server, exists);
}

#[test]
fn what_a_client_must_do_is_checked_by_client_scenarios() {
    let suite = Suite::embedded().unwrap();
    let ids: BTreeSet<&str> = suite.iter().map(|scenario| scenario.id.as_str()).collect();
    assert_proven(|row| &row.client, |proof| proof.starts_with("client/") && ids.contains(proof));
}

#[track_caller]
fn assert_proven(column: impl Fn(&Row) -> &Proof, exists: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (id, row) in &rows() {
        match column(row) {
            Proof::Needless(reason) if reason.trim().is_empty() => wrong.push(format!("{id} has neither proof nor reason")),
            Proof::Needless(_) => {}
            Proof::By(proofs) if proofs.is_empty() => wrong.push(format!("{id} has no proof")),
            Proof::By(proofs) => {
                wrong.extend(proofs.iter().filter(|proof| !exists(proof)).map(|proof| format!("{id}: there is no `{proof}`")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn rows() -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(fixture("seed")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).unwrap();
            let more: BTreeMap<String, Row> = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for (id, row) in more {
                assert!(rows.insert(id.clone(), row).is_none(), "{id} stands twice");
            }
        }
    }
    rows
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn is_setting(path: &str) -> bool {
    // No setting takes that, but one that is not there is told otherwise.
    let tried = PolicySet::new([&Patch::new("seed").set(path, serde_json::Value::Null)]);
    tried.err().is_none_or(|error| !error.to_string().contains("unknown setting"))
}

/// The paths of all tests, by their modules.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = BTreeSet::new();
    collect(&root.join("src"), "", &mut out);
    collect(&root.join("tests"), "", &mut out);
    out
}

fn collect(folder: &Path, module: &str, out: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let inner = if stem == "mod" || stem == "main" { module.to_owned() } else { format!("{module}{stem}::") };
        if path.is_dir() {
            collect(&path, &inner, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let inner = if text.contains("mod tests {") { format!("{inner}tests::") } else { inner };
            out.extend(names(&text).into_iter().map(|name| format!("{inner}{name}")));
        }
    }
}

/// The functions of a file that are tests: an attribute for tests stands above them.
fn names(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[rstest]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "))
            && std::mem::take(&mut marked)
        {
            out.push(rest.split('(').next().unwrap_or(rest).to_owned());
        }
    }
    out
}
