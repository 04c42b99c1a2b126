//! The files that travel inside the binary: `scenarios/` and `fixtures/`. Hands out names and texts, and understands none of them.
//!
//! A debug build reads them from the source folder instead, so that a change to a scenario or a fault needs no compiler.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, File, include_dir};

static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
static REQUIREMENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/requirements");
static FAULTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/faults");
static VARIANTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/variants");
#[cfg(feature = "cli")]
static CLIENT_FAULTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/client-faults");
#[cfg(feature = "cli")]
static CLIENT_VARIANTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/client-variants");
static PROFILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/profiles");

/// The file of plans.
pub const PLANS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans.toml"));

/// The ways in which tokens that are made on demand can be broken.
pub const BROKEN_TOKENS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/broken-tokens.toml"));

/// Every scenario file: its path below `scenarios/` and its text, ordered by path.
#[must_use]
pub fn scenarios() -> Vec<(String, &'static str)> {
    files(&SCENARIOS, "scenarios")
}

/// Every file of the requirement catalogue.
#[must_use]
pub fn requirements() -> Vec<(String, &'static str)> {
    files(&REQUIREMENTS, "fixtures/requirements")
}

/// Every file of faults.
#[must_use]
pub fn faults() -> Vec<(String, &'static str)> {
    files(&FAULTS, "fixtures/faults")
}

/// Every file of variants.
#[must_use]
pub fn variants() -> Vec<(String, &'static str)> {
    files(&VARIANTS, "fixtures/variants")
}

/// Every file of faults of the reference client.
#[cfg(feature = "cli")]
#[must_use]
pub fn client_faults() -> Vec<(String, &'static str)> {
    files(&CLIENT_FAULTS, "fixtures/client-faults")
}

/// Every file of variants of the reference client.
#[cfg(feature = "cli")]
#[must_use]
pub fn client_variants() -> Vec<(String, &'static str)> {
    files(&CLIENT_VARIANTS, "fixtures/client-variants")
}

/// Every file of profiles; what the suite is to find on them stands beside them, in files of another kind.
#[must_use]
pub fn profiles() -> Vec<(String, &'static str)> {
    let mut files = files(&PROFILES, "fixtures/profiles");
    files.retain(|(name, _)| !name.ends_with(".deviations.toml"));
    files
}

fn files(dir: &'static Dir<'static>, place: &str) -> Vec<(String, &'static str)> {
    let mut out = Vec::new();
    if !(cfg!(debug_assertions) && read(&source_folder(place), "", &mut out)) {
        collect(dir, &mut out);
    }
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out
}

fn source_folder(place: &str) -> PathBuf {
    Path::new(if cfg!(debug_assertions) { env!("CARGO_MANIFEST_DIR") } else { "" }).join(place)
}

/// Reads a folder of the sources; false where there is none.
fn read(folder: &Path, prefix: &str, out: &mut Vec<(String, &'static str)>) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), out);
        } else if name.ends_with(".toml")
            && let Ok(text) = fs::read_to_string(&path)
        {
            // Read once in a process and used to its end, as what is embedded is.
            out.push((name, Box::leak(text.into_boxed_str())));
        }
    }
    true
}

fn collect(dir: &'static Dir<'static>, out: &mut Vec<(String, &'static str)>) {
    let toml = |file: &&File<'_>| file.path().extension().is_some_and(|extension| extension == "toml");
    for file in dir.files().filter(toml) {
        if let Some(text) = file.contents_utf8() {
            out.push((file.path().to_string_lossy().replace('\\', "/"), text));
        }
    }
    for inner in dir.dirs() {
        collect(inner, out);
    }
}
