//! `oauthspec list`: what there is, as a table or as JSON.

use super::args::ListArgs;
use super::error::Error;
use super::exit::Exit;
use super::values::{Format, Listed};
use super::{data, output};
use crate::mock::Mint;
use crate::policy::Setting;

pub(super) fn list(args: &ListArgs) -> Result<Exit, Error> {
    let format = args.format.unwrap_or_default();
    match args.what {
        Listed::Scenarios => show(format, &data::scenarios()?, &["id", "level", "severity", "title"], |row| {
            vec![row.id.clone(), row.level.to_string(), row.severity.to_string(), row.title.clone()]
        }),
        Listed::Faults => show(format, &data::faults(), &["id", "role", "title", "breaks"], |row| {
            vec![row.id.clone(), row.role.word().to_owned(), row.title.clone(), row.breaks.join(", ")]
        }),
        Listed::Variants => show(format, &data::variants(), &["id", "role", "title", "declines", "skips", "plans"], |row| {
            let plans = if row.plans.is_empty() { "all".to_owned() } else { row.plans.join(", ") };
            let (role, title) = (row.role.word().to_owned(), row.title.clone());
            vec![row.id.clone(), role, title, row.declines.join(", "), row.skips.join(", "), plans]
        }),
        Listed::Profiles => show(format, &data::profiles(), &["id", "title"], |row| vec![row.id.clone(), row.title.clone()]),
        Listed::Requirements => show(format, &data::requirements(), &["id", "keyword", "binds", "severity", "text"], |row| {
            vec![row.id.clone(), row.keyword.clone(), row.binds.clone(), row.severity.to_string(), row.text.clone()]
        }),
        Listed::Plans => show(format, &data::plans(), &["id", "date", "title"], |row| {
            vec![row.id.clone(), row.date.clone(), row.title.clone()]
        }),
        // What each may be is in the JSON, and `explain` tells it: in a table it would be wider than any terminal.
        Listed::Settings => show(format, &Setting::all(), &["path", "default", "what"], |row| {
            let default = row.default.to_string();
            let short = default.char_indices().nth(40).map(|(cut, _)| format!("{}…", &default[..cut]));
            vec![row.path.clone(), short.unwrap_or(default), row.what.clone()]
        }),
        Listed::BrokenTokens => {
            let ways: Vec<Way> = Mint::ways().map(|(name, title)| Way { name, title }).collect();
            show(format, &ways, &["name", "title"], |row| vec![row.name.to_owned(), row.title.to_owned()])
        }
    }?;
    Ok(Exit::Ok)
}

/// A way in which a token can be broken.
#[derive(serde::Serialize)]
struct Way {
    name: &'static str,
    title: &'static str,
}

fn show<R: serde::Serialize>(
    format: Format,
    rows: &[R],
    header: &[&str],
    cells: impl Fn(&R) -> Vec<String>,
) -> std::io::Result<()> {
    match format {
        Format::Json => output::print_json(&rows),
        Format::Table => output::print_table(header, rows.iter().map(cells).collect()),
    }
}
