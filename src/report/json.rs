//! `results.json`: the results as they are. The one file from which every other report can be made again.

use std::io;

use crate::runner::Results;

/// The file's bytes: indented JSON with a line feed at its end.
///
/// # Errors
/// None in practice; the type is that of every renderer.
pub fn render(results: &Results) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(results)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{Files, samples};
    use super::*;
    use crate::runner::Sink;

    #[test]
    fn the_file_has_the_documented_members() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path());
        for event in samples::run(&[samples::failing()], true) {
            files.take(&event).unwrap();
        }
        let mut results = files.results().unwrap().clone();
        results.tool.version = "VERSION".to_owned();
        insta::assert_snapshot!(String::from_utf8(render(&results).unwrap()).unwrap());
    }

    #[test]
    fn hostile_bodies_stay_in_their_strings() {
        let mut scenario = samples::hostile();
        scenario.exchanges.swap(0, 1);
        let text = serde_json::to_string(&scenario).unwrap();
        assert!(text.contains("\\u001b[2J\\u0000\\r\\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
