//! Transcripts as reports and snapshots hold them: redacted, and for snapshots with every volatile value named by kind and order.

use std::collections::HashMap;

use super::play::Line;
use super::result::{ExchangeReport, RequestReport, ResponseReport};
use crate::oauth::{Channel, Exchange, Party};
use crate::wire::Vault;

/// The exchanges of a scenario, redacted.
pub(super) fn report(lines: &[Line], vault: &Vault) -> Vec<ExchangeReport> {
    lines.iter().map(|line| one(line, vault)).collect()
}

/// The exchanges of a scenario as a snapshot: what a server decides, and nothing that differs from run to run.
pub(super) fn snapshot(lines: &[Line], vault: &Vault) -> String {
    let volatile = |text: &str| vault.volatile(text).to_string();
    let together = |a: &Line, b: &Line| a.race.is_some() && a.race == b.race;
    let blocks: Vec<String> = lines.chunk_by(together).map(|lines| block(lines, &volatile)).collect();
    renumber(&blocks.join("\n"))
}

fn one(line: &Line, vault: &Vault) -> ExchangeReport {
    let sealed = vault.exchange(&line.exchange, &line.step);
    let request = sealed.request;
    let response = sealed.response.map(|response| ResponseReport {
        status: response.status,
        headers: response.headers,
        body: response.body,
        body_base64: response.body_base64,
        truncated: response.truncated,
    });
    ExchangeReport {
        channel: if sealed.channel == Channel::Front { "front" } else { "back" }.to_owned(),
        party: if sealed.party == Party::Harness { "harness" } else { "client" }.to_owned(),
        step: sealed.step,
        request: RequestReport {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            body_base64: request.body_base64,
        },
        response,
        failure: sealed.failure.map(str::to_owned),
        duration_ms: u64::try_from(sealed.duration.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Header fields in which a server's decisions show.
const TELLING: [&str; 6] = ["Content-Type", "Cache-Control", "Pragma", "Location", "WWW-Authenticate", "Retry-After"];

/// An exchange, or a race. Who wins a race, how the others lose, and whether a faulty server lets several win, is chance: the
/// checks judge the answers, and a snapshot leaves them out.
fn block(lines: &[Line], volatile: &dyn Fn(&str) -> String) -> String {
    match lines {
        [line] => format!("{}{}", question(line, volatile), answer(&line.exchange, volatile)),
        [line, ..] => format!("{}\n-> {} answers in a race\n", question(line, volatile), lines.len()),
        [] => String::new(),
    }
}

fn question(line: &Line, volatile: &dyn Fn(&str) -> String) -> String {
    let request = &line.exchange.request;
    let mut out = format!("# {}\n{} {}\n", line.step, request.method, volatile(&request.url));
    for name in ["Authorization", "Content-Type"] {
        if let Some(value) = request.headers.get(name) {
            out.push_str(&format!("{name}: {}\n", volatile(&value)));
        }
    }
    if !request.body.is_empty() {
        let body = String::from_utf8_lossy(&request.body);
        out.push_str(&format!("\n{}\n", volatile(&body).replace('&', "\n&")));
    }
    out
}

fn answer(exchange: &Exchange, volatile: &dyn Fn(&str) -> String) -> String {
    let response = match &exchange.outcome {
        Ok(response) => response,
        Err(failure) => return format!("\n-> {}\n", failure.word()),
    };
    let mut out = format!("\n-> {}\n", response.status);
    for name in TELLING {
        if let Some(value) = response.headers.joined(name) {
            out.push_str(&format!("{name}: {}\n", volatile(&value)));
        }
    }
    match response.json() {
        Some(json) => {
            let pretty = serde_json::to_string_pretty(&json).unwrap_or_default();
            out.push_str(&format!("\n{}\n", volatile(&pretty)));
        }
        None if response.body.is_empty() => {}
        None => out.push_str(&format!("\n{}\n", title(&response.text()))),
    }
    out
}

/// Of a page only the title: the rest is design.
fn title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let inside = lower.find("<title").and_then(|at| lower[at..].find('>').map(|end| at + end + 1));
    let title = inside.and_then(|start| lower[start..].find("</title").map(|end| html[start..start + end].trim()));
    title.map_or_else(
        || format!("({} bytes)", if html.is_empty() { "no" } else { "some" }),
        |title| format!("<title>{title}</title>"),
    )
}

/// Names of JSON Web Tokens get no number: two of one second may be the same token or not, as the clock has it.
const UNNUMBERED: [&str; 2] = ["id_token", "jwt"];

/// Numbers names such as `<code#7>` anew by first appearance, for each kind.
fn renumber(text: &str) -> String {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut known: HashMap<String, String> = HashMap::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(name) = name_at(rest) else {
            out.push('<');
            rest = &rest[1..];
            continue;
        };
        let kind = name[1..].split('#').next().unwrap_or_default().to_owned();
        let replacement = known.entry(name.to_owned()).or_insert_with(|| {
            if UNNUMBERED.contains(&kind.as_str()) {
                return format!("<{kind}>");
            }
            let count = counts.entry(kind.clone()).or_default();
            *count += 1;
            format!("<{kind}#{count}>")
        });
        out.push_str(replacement);
        rest = &rest[name.len()..];
    }
    out.push_str(rest);
    out
}

fn name_at(text: &str) -> Option<&str> {
    let end = text.find('>')?;
    let (kind, number) = text[1..end].split_once('#')?;
    let kind_ok = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (kind_ok && number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty()).then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::renumber;

    #[test]
    fn names_are_numbered_by_first_appearance() {
        assert_eq!(renumber("<code#7> <x> <token#3> <code#2> <code#7>"), "<code#1> <x> <token#1> <code#2> <code#1>");
    }

    #[test]
    fn signed_tokens_are_not_told_apart() {
        assert_eq!(renumber("<id_token#3> <code#7> <id_token#4>"), "<id_token> <code#1> <id_token>");
    }
}
