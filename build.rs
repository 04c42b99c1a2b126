//! `include_dir!` does not notice new files: ask Cargo to look at the folders.

fn main() {
    for folder in ["scenarios", "fixtures/requirements", "fixtures/faults", "fixtures/variants", "fixtures/profiles"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
