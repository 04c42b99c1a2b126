//! Reads conditions: those of rules (`when`), and matchers of exchanges. One grammar, in files and in JSON.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;

use super::matcher::Pattern;
use super::{Answer, Matcher, Test, When};
use crate::problem::{Problem, Source};
use crate::reader::{Data, Entry, Fields, Node, Sink};

/// The members that look at the answer.
const OF_ANSWERS: [&str; 4] = ["status", "error", "cause", "applied"];

impl Matcher {
    /// Reads a matcher from JSON: an object of the same members as `when` of a rule, and `status`, `error`, `cause`, `applied` and
    /// `answer` beside them.
    ///
    /// ```
    /// use oauthspec::policy::Matcher;
    ///
    /// let matcher = Matcher::from_json(&serde_json::json!({
    ///     "endpoint": "token", "grant": "refresh_token", "form": { "scope": { "absent": true } }, "status": "4xx"
    /// }));
    /// assert!(matcher.is_ok());
    /// let problems = Matcher::from_json(&serde_json::json!({ "endpoint": "tokens" })).unwrap_err();
    /// assert_eq!(problems[0].to_string(), "matcher#/endpoint: unknown endpoint `tokens` (did you mean `token`?)");
    /// ```
    ///
    /// # Errors
    /// Every mistake in it, with its JSON pointer.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        from_json("matcher", value, matcher)
    }
}

/// Reads a JSON document with a function that collects mistakes.
pub(crate) fn from_json<T>(name: &str, value: &Value, read: impl FnOnce(&Node, &Sink) -> T) -> Result<T, Vec<Problem>> {
    let mut pointers = Vec::new();
    let node = Node::from_json(value, &mut pointers);
    let sink = Sink::of_json(&Source::new(name, ""), pointers);
    let read = read(&node, &sink);
    let problems = sink.into_problems();
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// A matcher of exchanges.
pub(crate) fn matcher(node: &Node, sink: &Sink) -> Matcher {
    let Some(mut fields) = Fields::of(node, sink) else { return Matcher::default() };
    let mut matcher = of_request(&mut fields, sink);
    matcher.status = fields.take("status").map_or_else(Vec::new, |node| statuses(node, sink));
    matcher.error = plain(names(&mut fields, "error", sink));
    matcher.cause = plain(names(&mut fields, "cause", sink));
    matcher.applied = plain(names(&mut fields, "applied", sink));
    matcher.answer = answer(&mut fields, sink).map_or(Answer::Any, |(answer, _)| answer);
    fields.finish();
    matcher
}

/// The condition of a rule, and the kind of answers for which its rewrite is, with its place.
pub(super) fn when(node: &Node, sink: &Sink) -> (When, Option<(Answer, Range<usize>)>) {
    let Some(mut fields) = Fields::of(node, sink) else { return Default::default() };
    let before = sink.count();
    let when = When {
        matching: of_request(&mut fields, sink),
        after: fields.duration("after"),
        until: fields.duration("until"),
        nth: fields.whole("nth", 1),
        first: fields.whole("first", 1),
        skip: fields.whole("skip", 0),
        once: fields.flag("once"),
        probability: fields.take("probability").and_then(|node| probability(node, sink)),
    };
    if let Some((name, reason)) = when.never()
        && let Some(entry) = fields.entry(name)
        && sink.count() == before
    {
        sink.add(&entry.value.span, format!("this can never hold: {reason}"));
    }
    let answer = answer(&mut fields, sink);
    for name in OF_ANSWERS {
        if let Some(entry) = fields.entry(name) {
            let help = "choose by what the request is like; `answer` says for which answers a rewrite is";
            sink.add_with_help(&entry.span, format!("`{name}` is of the answer, and a rule is chosen before there is one"), help);
        }
    }
    fields.finish();
    (when, answer)
}

fn of_request(fields: &mut Fields<'_>, sink: &Sink) -> Matcher {
    let closed = |what: &str, names: Vec<Spanned<String>>, known: &[&str]| {
        for name in names.iter().filter(|name| !known.contains(&name.get_ref().as_str())) {
            sink.unknown(&name.span(), what, name.get_ref(), known);
        }
        plain(names)
    };
    Matcher {
        endpoint: closed("endpoint", names(fields, "endpoint", sink), &When::ENDPOINTS),
        method: plain(names(fields, "method", sink)),
        path: plain(names(fields, "path", sink)),
        grant: plain(names(fields, "grant", sink)),
        client: plain(names(fields, "client", sink)),
        auth: closed("client authentication", names(fields, "auth", sink), &When::AUTH),
        user: plain(names(fields, "user", sink)),
        parameters: tests(fields, "parameter", sink),
        form: tests(fields, "form", sink),
        query: tests(fields, "query", sink),
        headers: tests(fields, "header", sink),
        json: tests(fields, "json", sink),
        ..Matcher::default()
    }
}

/// One or more names: of none it would not be clear whether any will do or nothing does.
fn names(fields: &mut Fields<'_>, name: &'static str, sink: &Sink) -> Vec<Spanned<String>> {
    if let Some(entry) = fields.entry(name) {
        refuse_none(&entry.value, sink);
    }
    fields.strings(name)
}

fn refuse_none(node: &Node, sink: &Sink) {
    if matches!(&node.data, Data::Array(items) if items.is_empty()) {
        sink.add_with_help(&node.span, "an empty list names nothing", "leave the member out where anything will do");
    }
}

fn answer(fields: &mut Fields<'_>, sink: &Sink) -> Option<(Answer, Range<usize>)> {
    let choices = [("success", Answer::Success), ("error", Answer::Error)];
    fields.entry("answer").and_then(|entry| Some((sink.choice(&entry.value, &choices)?, entry.span.clone())))
}

fn tests(fields: &mut Fields<'_>, name: &'static str, sink: &Sink) -> Vec<(String, Test)> {
    let entries = fields.take(name).map_or(&[][..], |node| sink.entries(node));
    entries.iter().filter_map(|entry: &Entry| Some((entry.key.clone(), test(&entry.value, sink)?))).collect()
}

fn test(node: &Node, sink: &Sink) -> Option<Test> {
    match &node.data {
        Data::String(text) => return Some(Test::Is(text.clone())),
        Data::Array(_) => {
            refuse_none(node, sink);
            return Some(Test::OneOf(plain(sink.strings(node))));
        }
        Data::Table(_) => {}
        _ => {
            sink.add(&node.span, EXPECTED);
            return None;
        }
    }
    let before = sink.count();
    let mut fields = Fields::of(node, sink)?;
    let pattern = fields.take("matches");
    let (present, absent) = (fields.flag("present"), fields.flag("absent"));
    fields.finish();
    match (pattern, present, absent) {
        (Some(pattern), None, None) => match Pattern::new(sink.string(pattern)?) {
            Ok(pattern) => Some(Test::Matches(pattern)),
            Err(error) => {
                let message = error.to_string();
                let last = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
                sink.add(&pattern.span, format!("this is no regular expression: {last}"));
                None
            }
        },
        (None, Some(true), None) | (None, None, Some(false)) => Some(Test::Present),
        (None, None, Some(true)) | (None, Some(false), None) => Some(Test::Absent),
        _ => {
            if sink.count() == before {
                sink.add(&node.span, EXPECTED);
            }
            None
        }
    }
}

const EXPECTED: &str = "expected a string, a list of strings, { matches = \"…\" }, { present = true } or { absent = true }";

/// `400`, `"4xx"`, or a list of such.
fn statuses(node: &Node, sink: &Sink) -> Vec<String> {
    refuse_none(node, sink);
    let status = |node: &Node| {
        let text = match &node.data {
            Data::Integer(number) => number.to_string(),
            Data::String(text) => text.clone(),
            _ => String::new(),
        };
        let digits = text.strip_suffix("xx").unwrap_or(&text);
        let fits = text.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !fits {
            sink.add(&node.span, format!("expected a status such as 400 or \"4xx\", found {}", node.describe()));
        }
        fits.then_some(text)
    };
    sink.one_or_many(node).iter().filter_map(status).collect()
}

fn probability(node: &Node, sink: &Sink) -> Option<f64> {
    let number = sink.number(node)?;
    if !(0.0..=1.0).contains(&number) {
        sink.add(&node.span, format!("a probability is from 0 to 1, not {number}"));
    }
    Some(number)
}

fn plain(names: Vec<Spanned<String>>) -> Vec<String> {
    names.into_iter().map(Spanned::into_inner).collect()
}
