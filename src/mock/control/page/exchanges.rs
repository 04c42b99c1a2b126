//! An exchange as a person sees it: a line, and behind it both messages and the tokens in them.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::super::exchange::{EntryView, ResponseView, TokenView, view};
use crate::mock::journal::Entry;

/// A line that opens.
pub(super) fn exchange(entry: &Entry) -> Markup {
    let entry = view(entry);
    let time = entry.at.get(11..19).unwrap_or(&entry.at);
    let path = entry.request.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let path = path.unwrap_or(&entry.request.url).split(['?', '#']).next().unwrap_or_default();
    html! {
        details.exchange id={ "x" (entry.index) } {
            summary {
                span.soft.mono { "#" (entry.index) " " (time) }
                span.where.mono { (entry.request.method) " " (path) }
                span.mono.(if entry.response.status < 400 { "good" } else { "bad" }) { (entry.response.status) }
                @if let Some(client) = &entry.client { span { (client) } }
                @if let Some(user) = &entry.user { span.soft { (user) } }
                @if let Some(cause) = &entry.cause { span.bad { (cause) } }
                @for id in &entry.applied { span.chip.on { (id) } }
                @for told in &entry.delivery { span.chip.on { (told) } }
                @if !entry.notes.is_empty() { span.soft { (entry.notes.len()) " notes" } }
            }
            (behind(&entry))
        }
    }
}

fn behind(entry: &EntryView) -> Markup {
    html! {
        @if !entry.rules.is_empty() {
            ul.rules { @for rule in &entry.rules { li { "rule " (rule.rule) " of " (rule.patch) ": " span.mono { (rule.does) } } } }
        }
        @if !entry.notes.is_empty() {
            ul.notes { @for note in &entry.notes { li { (note) } } }
        }
        div.columns {
            div {
                h2 { "Request" }
                pre { (entry.request.method) " " (entry.request.url) "\n" (fields(&entry.request.headers)) @if let Some(body) = &entry.request.body { "\n" (body) } }
            }
            div {
                h2 { "Response" }
                (response(&entry.response))
                @if let Some(original) = &entry.original {
                    h2 { "As it would have been" }
                    (response(original))
                }
            }
        }
        (tokens(&entry.tokens))
    }
}

/// Tokens taken apart.
pub(super) fn tokens(tokens: &[TokenView]) -> Markup {
    html! {
        @for token in tokens {
            h2 { "Token: " (token.place) }
            div.columns {
                div { span.soft { "header" } (json(&token.header)) }
                div { span.soft { "claims" } (json(&token.claims)) }
            }
        }
    }
}

/// An answer, JSON in it laid out.
pub(super) fn response(response: &ResponseView) -> Markup {
    let body = response.body.as_deref().unwrap_or_default();
    let laid_out = serde_json::from_str::<Value>(body)
        .ok()
        .filter(Value::is_object)
        .and_then(|body| serde_json::to_string_pretty(&body).ok());
    html! {
        pre { (response.status) "\n" (fields(&response.headers)) @if !body.is_empty() { "\n" (laid_out.as_deref().unwrap_or(body)) } }
    }
}

fn json(members: &Map<String, Value>) -> Markup {
    html! { pre { (serde_json::to_string_pretty(members).unwrap_or_default()) } }
}

fn fields(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
