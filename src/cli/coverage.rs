//! `oauthspec coverage`: requirement by requirement, which checks verify it, or the written reason why none can.

use serde::Serialize;

use super::args::CoverageArgs;
use super::error::Error;
use super::exit::Exit;
use super::output::{self, print, print_json};
use super::values::TextFormat;
use crate::catalog::{Catalogue, Covered, Level, Standing, Totals, totals};
use crate::problem::nearest;
use crate::scenario::Suite;

pub(super) fn coverage(args: &CoverageArgs) -> Result<Exit, Error> {
    let catalogue = Catalogue::embedded();
    let suite = Suite::embedded().map_err(Error::Problems)?;
    let all = catalogue.coverage(citations(&suite));
    let known: Vec<String> = totals(&all).into_iter().map(|document| document.id).collect();
    if let Some(id) = args.documents.iter().find(|id| !known.contains(id)) {
        let nearest = nearest(id, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(Error::Unknown { kind: "document", id: id.clone(), nearest });
    }
    let wanted =
        |row: &Covered<'_>| args.documents.is_empty() || args.documents.iter().any(|id| id == row.requirement.document());
    let rows: Vec<Covered<'_>> = all.into_iter().filter(wanted).collect();
    match args.format.unwrap_or_default() {
        TextFormat::Table => print(&table(&rows, output::width().unwrap_or(100).clamp(60, 120)))?,
        TextFormat::Json => print_json(&json(&rows))?,
        TextFormat::Markdown => print(&markdown(&rows))?,
    }
    let complete = rows.iter().all(|row| row.standing != Standing::Missing);
    Ok(if complete { Exit::Ok } else { Exit::Failed })
}

/// What every check of the suite cites, whichever plan judges it.
fn citations(suite: &Suite) -> impl Iterator<Item = (String, String)> + '_ {
    suite.iter().flat_map(|scenario| {
        scenario
            .checks()
            .flat_map(move |check| check.citations().map(move |id| (id.to_owned(), format!("{}#{}", scenario.id, check.name))))
    })
}

/// The scenarios of a row, each once, in order.
fn scenarios<'a>(row: &'a Covered<'_>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = row.checks.iter().map(|check| check.split('#').next().unwrap_or(check)).collect();
    ids.dedup();
    ids
}

/// What verifies a row, or why nothing does; or what is missing.
fn evidence(row: &Covered<'_>) -> Vec<String> {
    let checks = row.checks.iter().cloned();
    let reason =
        Some(&row.requirement.unverified).filter(|reason| !reason.is_empty()).map(|reason| format!("unverified: {reason}"));
    let gap = row.gap().map(|gap| format!("MISSING: {gap}"));
    checks.chain(reason).chain(gap).collect()
}

/// Rows that follow one another and agree in something.
fn groups<'a, 'c>(rows: &'a [Covered<'c>], key: fn(&Covered<'c>) -> String) -> Vec<(String, &'a [Covered<'c>])> {
    rows.chunk_by(|one, other| key(one) == key(other)).map(|group| (key(&group[0]), group)).collect()
}

fn document(row: &Covered<'_>) -> String {
    row.requirement.document().to_owned()
}

fn section(row: &Covered<'_>) -> String {
    row.requirement.clause()
}

fn counts(total: &Totals) -> String {
    format!(
        "{} requirements, {} verified, {} with a reason, {} missing",
        total.rows, total.verified, total.excused, total.missing
    )
}

/// The totals of all documents together.
fn sum(all: &[Totals]) -> Totals {
    let sum = |field: fn(&Totals) -> usize| all.iter().map(field).sum();
    Totals {
        id: "total".to_owned(),
        rows: sum(|one| one.rows),
        verified: sum(|one| one.verified),
        excused: sum(|one| one.excused),
        missing: sum(|one| one.missing),
    }
}

/// Section by section, then the totals.
fn table(rows: &[Covered<'_>], width: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let mut out = String::new();
    for (clause, group) in groups(rows, section) {
        out.push_str(&format!("{bold}{clause}{bold:#}\n"));
        for row in group {
            let requirement = row.requirement;
            out.push_str(&format!("  {:<20}  {}, {}\n", requirement.id, requirement.keyword, requirement.binds));
            for line in output::wrap(&requirement.text, width - 24) {
                out.push_str(&format!("{:24}{line}\n", ""));
            }
            for line in evidence(row) {
                let mut mark = '→';
                for line in output::wrap(&line, width - 26) {
                    out.push_str(&format!("{:24}{mark} {line}\n", ""));
                    mark = ' ';
                }
            }
        }
        out.push('\n');
    }
    let documents = totals(rows);
    let widest = documents.iter().map(|total| total.id.len()).max().unwrap_or(0);
    let sum = (documents.len() > 1).then(|| sum(&documents));
    for total in documents.iter().chain(&sum) {
        out.push_str(&format!("{:widest$}  {}\n", total.id, counts(total)));
    }
    out
}

/// The same for documents: a section is a table.
fn markdown(rows: &[Covered<'_>]) -> String {
    let mut out =
        String::from("# Coverage\n\n| document | requirements | verified | with a reason | missing |\n|---|---|---|---|---|\n");
    let documents = totals(rows);
    let sum = (documents.len() > 1).then(|| sum(&documents));
    for total in documents.iter().chain(&sum) {
        let Totals { id, rows, verified, excused, missing } = total;
        out.push_str(&format!("| {id} | {rows} | {verified} | {excused} | {missing} |\n"));
    }
    for (id, group) in groups(rows, document) {
        out.push_str(&format!("\n## {id}\n"));
        for (clause, group) in groups(group, section) {
            out.push_str(&format!(
                "\n### {clause}\n\n| id | keyword | binds | what holds | verified by |\n|---|---|---|---|---|\n"
            ));
            for row in group {
                let requirement = row.requirement;
                let text = requirement.text.replace('|', "\\|");
                let evidence = evidence(row).join("<br>").replace('|', "\\|");
                let (id, keyword, binds) = (&requirement.id, &requirement.keyword, &requirement.binds);
                out.push_str(&format!("| {id} | {keyword} | {binds} | {text} | {evidence} |\n"));
            }
        }
    }
    out
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    documents: Vec<Totals>,
    requirements: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    keyword: &'a str,
    binds: &'a str,
    level: Level,
    section: &'a str,
    text: &'a str,
    scenarios: Vec<&'a str>,
    checks: Vec<&'a str>,
    reason: Option<&'a str>,
}

fn json<'a>(rows: &'a [Covered<'_>]) -> Document<'a> {
    let row = |row: &'a Covered<'_>| Row {
        id: &row.requirement.id,
        keyword: &row.requirement.keyword,
        binds: &row.requirement.binds,
        level: row.requirement.level(),
        section: row.requirement.section(),
        text: &row.requirement.text,
        scenarios: scenarios(row),
        checks: row.checks.iter().map(String::as_str).collect(),
        reason: Some(row.requirement.unverified.as_str()).filter(|reason| !reason.is_empty()),
    };
    Document { documents: totals(rows), requirements: rows.iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(all: &'a [Covered<'a>], document: &str) -> Vec<Covered<'a>> {
        all.iter().filter(|row| row.requirement.document() == document).cloned().collect()
    }

    #[test]
    fn the_table_tells_section_by_section() {
        let suite = Suite::embedded().unwrap();
        let all = Catalogue::embedded().coverage(citations(&suite));
        let text = table(&of(&all, "RFC9207"), 100);
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
    }

    #[test]
    fn the_other_forms_tell_the_same() {
        let suite = Suite::embedded().unwrap();
        let all = Catalogue::embedded().coverage(citations(&suite));
        let rows = of(&all, "RFC9207");
        let text = markdown(&rows);
        assert!(text.contains("| RFC9207-2-02 | MUST | server |") && text.contains("server/iss/in-success#plain-url"), "{text}");
        let document = serde_json::to_value(json(&rows)).unwrap();
        assert_eq!(document["documents"][0]["rows"], 26);
        let row = &document["requirements"][1];
        assert_eq!((&row["id"], &row["section"], &row["level"]), (&"RFC9207-2-02".into(), &"2".into(), &"MUST".into()));
        assert!(
            row["reason"].is_null() && row["scenarios"].as_array().unwrap().contains(&"server/iss/in-success".into()),
            "{row}"
        );
    }

    /// The promise of the catalogue: nothing in it is left without a check or a reason, and nothing has both.
    #[test]
    fn every_requirement_has_a_check_or_a_reason() {
        let suite = Suite::embedded().unwrap();
        let all = Catalogue::embedded().coverage(citations(&suite));
        let gaps: Vec<String> = all.iter().filter_map(|row| Some(format!("{}: {}", row.requirement.id, row.gap()?))).collect();
        assert!(gaps.is_empty(), "{} requirements are missing:\n{}", gaps.len(), gaps.join("\n"));
    }
}
