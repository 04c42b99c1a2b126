//! Standard output: text, JSON and tables that fit the terminal. A reader that goes away is no error.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Prints text.
///
/// # Errors
/// Where standard output cannot be written; a broken pipe is none.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints indented JSON.
///
/// # Errors
/// As [`print()`].
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints a table, as wide as the terminal at most; elsewhere every row stays on its line.
///
/// # Errors
/// As [`print()`].
pub fn print_table(header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    print(&table(header, rows, width()))
}

/// The width of the terminal, if standard output is one.
#[must_use]
pub fn width() -> Option<usize> {
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal.map(|(width, _)| usize::from(width.0))
}

fn table(header: &[&str], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    match width.and_then(|width| u16::try_from(width).ok()) {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// The words of a text in lines of that width.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        vec![
            vec!["server/code/reused-code".to_owned(), "An authorization code works only once, whoever presents it".to_owned()],
            vec!["server/token/x".to_owned(), "Short".to_owned()],
        ]
    }

    #[test]
    fn tables_fit_the_terminal() {
        let text = table(&["id", "title"], rows(), Some(50));
        assert!(text.lines().all(|line| line.chars().count() <= 50), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn elsewhere_a_row_is_a_line() {
        let text = table(&["id", "title"], rows(), None);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line));
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrap("one two three\nfour", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("incomprehensibilities x", 5), ["incomprehensibilities", "x"]);
    }
}
