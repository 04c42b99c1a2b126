//! The suite on the mock under each profile: what it finds is what was adjudicated, and nothing else.

use std::path::Path;

use rstest::rstest;
use tempfile::tempdir;

use crate::adjudicated::Adjudicated;
use crate::oauthspec::{Ran, command, results};

#[rstest]
#[case::cognito("cognito")]
#[case::cognito_custom_domain("cognito-custom-domain")]
#[case::cognito_hosted("cognito-hosted")]
#[case::guide("guide")]
fn a_profile_is_as_adjudicated(#[case] profile: &str) {
    let folder = tempdir().unwrap();
    let ran = Ran::of(&command(folder.path(), &["server", &format!("--mock={profile}"), "--quiet"]).output().unwrap());
    // 1 is a run in which something failed, which is what some of them are for; an error would be 3.
    assert!([0, 1].contains(&ran.status), "{}\n{}", ran.out, ran.err);
    let results = results(folder.path());
    assert_eq!((&results["complete"], &results["summary"]["error"]), (&true.into(), &0.into()));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/profiles/{profile}.deviations.toml"));
    let differences = Adjudicated::read(&file).differences(&results);
    assert!(differences.is_empty(), "not as adjudicated in {}:\n{}", file.display(), differences.join("\n"));
}
