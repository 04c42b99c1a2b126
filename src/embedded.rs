//! The files that travel inside the binary: `scenarios/` and `fixtures/`. Hands out names and texts, and understands none of them.

use include_dir::{Dir, File, include_dir};

static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
static REQUIREMENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/requirements");
static FAULTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/faults");
static VARIANTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/variants");
static PROFILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/profiles");

/// Every scenario file: its path below `scenarios/` and its text, ordered by path.
#[must_use]
pub fn scenarios() -> Vec<(String, &'static str)> {
    files(&SCENARIOS)
}

/// Every file of the requirement catalogue.
#[must_use]
pub fn requirements() -> Vec<(String, &'static str)> {
    files(&REQUIREMENTS)
}

/// Every file of faults.
#[must_use]
pub fn faults() -> Vec<(String, &'static str)> {
    files(&FAULTS)
}

/// Every file of variants.
#[must_use]
pub fn variants() -> Vec<(String, &'static str)> {
    files(&VARIANTS)
}

/// Every file of profiles.
#[must_use]
pub fn profiles() -> Vec<(String, &'static str)> {
    files(&PROFILES)
}

fn files(dir: &'static Dir<'static>) -> Vec<(String, &'static str)> {
    let mut out = Vec::new();
    collect(dir, &mut out);
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out
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
