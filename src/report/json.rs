//! `results.json`: the results as they are. The one file from which every other report can be made again.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::runner::Results;

/// Writes the file's bytes: indented JSON with a line feed at its end.
///
/// # Errors
/// Where the writer fails.
pub fn render<W: Write>(results: &Results, out: &mut W) -> io::Result<()> {
    results.serialize(&mut Serializer::with_formatter(&mut *out, Layout::default()))?;
    out.write_all(b"\n")
}

/// A line for each value, but one for each header field: `scenarios[].exchanges[].request.headers[]` is a pair. The file is a quarter
/// shorter for it.
#[derive(Default)]
struct Layout {
    lines: PrettyFormatter<'static>,
    depth: usize,
}

impl Layout {
    /// At this depth stands what is written in one line.
    const PAIR: usize = 8;

    fn in_line(&self) -> bool {
        self.depth >= Self::PAIR
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.in_line() { out.write_all(b"[") } else { self.lines.begin_array(out) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let in_line = self.in_line();
        self.depth -= 1;
        if in_line { out.write_all(b"]") } else { self.lines.end_array(out) }
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match (self.in_line(), first) {
            (true, true) => Ok(()),
            (true, false) => out.write_all(b", "),
            (false, _) => self.lines.begin_array_value(out, first),
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.in_line() { Ok(()) } else { self.lines.end_array_value(out) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.lines.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        self.lines.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.lines.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.lines.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.lines.end_object_value(out)
    }
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
        let mut bytes = Vec::new();
        render(&results, &mut bytes).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
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
