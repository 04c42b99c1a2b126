//! Snapshots: written, compared, and stable from run to run.

use std::fs;

use tempfile::tempdir;

use crate::oauthspec::run;

#[test]
fn an_unchanged_server_does_not_drift_and_a_changed_one_does() {
    let folder = tempdir().unwrap();
    let part = ["-s", "server/code/reused*", "-s", "server/refresh/*", "-s", "server/token/*"];
    let arguments = |mode: &'static str, fault: Option<&'static str>| {
        let mut all = vec!["server", "--mock", "--snapshots", mode];
        all.extend(part);
        all.extend(fault.iter().flat_map(|fault| ["--fault", fault]));
        all
    };
    run(folder.path(), &arguments("update", None)).exits(0);
    let written = fs::read_dir(folder.path().join("snapshots")).unwrap().count();
    assert!(written > 5);
    for _ in 0..3 {
        run(folder.path(), &arguments("check", None)).exits(0);
    }
    let changed = run(folder.path(), &arguments("check", Some("code-reuse-wrong-error.invalid-request")));
    assert_eq!(changed.status, 1);
    assert!(changed.out.contains("invalid_grant") && changed.out.contains("invalid_request"), "{}", changed.out);
    let new = folder.path().join("snapshots/server__code__reused-code.snap.new");
    assert!(new.exists());
    let text = fs::read_to_string(folder.path().join("snapshots/server__code__reused-code.snap")).unwrap();
    assert!(text.contains("<code#1>") && !text.contains("127.0.0.1"), "{text}");
}
