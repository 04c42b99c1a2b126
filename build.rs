//! `include_dir!` does not notice new files: ask Cargo to look at the folders. Debug builds read them from disk instead.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("DEBUG").is_ok_and(|debug| debug != "false") {
        return;
    }
    for folder in [
        "scenarios",
        "fixtures/requirements",
        "fixtures/faults",
        "fixtures/variants",
        "fixtures/profiles",
        "fixtures/client-faults",
        "fixtures/client-variants",
    ] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
