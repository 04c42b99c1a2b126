//! Families: a patch with `each` stands for several that differ in a value. Their members are made here, before anything is read.

use std::ops::Range;

use crate::reader::{Data, Entry, Node, Sink};

/// The patches that a table stands for: itself, or the members of its family (`family.member`).
pub(crate) fn expand(entry: &Entry, sink: &Sink) -> Vec<Entry> {
    let Data::Table(fields) = &entry.value.data else { return vec![entry.clone()] };
    let Some(each) = fields.iter().find(|field| field.key == "each") else { return vec![entry.clone()] };
    let lists = lists(each, sink);
    let Some((first, count)) = lists.first().map(|(key, values)| (key, values.len())) else { return Vec::new() };
    // The first of several keys may serve as nothing but the members' names.
    for (key, _) in lists.iter().skip(usize::from(lists.len() > 1)) {
        let used = fields.iter().filter(|field| field.key != "each").any(|field| uses(&field.value, &format!("{{{}}}", key.key)));
        if !used {
            sink.add(&key.span, format!("`{}` is never used: write {{{}}} where its value belongs", key.key, key.key));
        }
    }
    let mut members: Vec<Entry> = Vec::new();
    for index in 0..count {
        let values: Vec<(String, &Node)> =
            lists.iter().map(|(key, values)| (format!("{{{}}}", key.key), &values[index])).collect();
        let Some(name) = slug(values[0].1) else {
            sink.add_with_help(
                &values[0].1.span,
                "no name can be made of this",
                "put a key with names first: each = { name = […], … }",
            );
            continue;
        };
        let id = format!("{}.{name}", entry.key);
        if members.iter().any(|member| member.key == id) {
            let help = format!("the names come from `{}`, the first key of `each`", first.key);
            sink.add_with_help(&values[0].1.span, format!("two members are called `{id}`"), help);
            continue;
        }
        members.push(Entry { key: id, span: entry.span.clone(), value: filled(&entry.value, &values) });
    }
    members
}

/// The keys of `each` with their lists, which are of one length.
fn lists<'n>(each: &'n Entry, sink: &Sink) -> Vec<(&'n Entry, &'n [Node])> {
    let mut out: Vec<(&Entry, &[Node])> = Vec::new();
    let entries = sink.entries(&each.value);
    for key in entries {
        match &key.value.data {
            Data::Array(values) if values.is_empty() => sink.add(&key.value.span, "a family has at least one member"),
            Data::Array(values) => out.push((key, values)),
            _ => sink.add(&key.value.span, format!("expected a list, found {}", key.value.describe())),
        }
    }
    if entries.is_empty() {
        sink.add(&each.span, "`each` is empty: give it a list of values");
    }
    let Some((first, length)) = out.first().map(|(key, values)| (*key, values.len())) else { return out };
    if let Some((other, values)) = out.iter().find(|(_, values)| values.len() != length) {
        let span: Range<usize> = other.span.clone();
        sink.add(
            &span,
            format!("`{}` has {} elements and `{}` has {length}: they are taken in pairs", other.key, values.len(), first.key),
        );
        return Vec::new();
    }
    out
}

fn uses(node: &Node, placeholder: &str) -> bool {
    match &node.data {
        Data::String(text) => text.contains(placeholder),
        Data::Array(items) => items.iter().any(|item| uses(item, placeholder)),
        Data::Table(entries) => entries.iter().any(|entry| entry.key.contains(placeholder) || uses(&entry.value, placeholder)),
        _ => false,
    }
}

/// The tree with the values in it. A string that is nothing but the placeholder becomes the value itself, of its own type.
fn filled(node: &Node, values: &[(String, &Node)]) -> Node {
    let data = match &node.data {
        Data::String(text) => match values.iter().find(|(placeholder, _)| placeholder == text) {
            Some((_, value)) => value.data.clone(),
            None => Data::String(in_text(text, values)),
        },
        Data::Array(items) => Data::Array(items.iter().map(|item| filled(item, values)).collect()),
        Data::Table(entries) => Data::Table(entries.iter().map(|entry| filled_entry(entry, values)).collect()),
        other => other.clone(),
    };
    Node { span: node.span.clone(), data }
}

fn filled_entry(entry: &Entry, values: &[(String, &Node)]) -> Entry {
    if entry.key == "each" {
        return entry.clone();
    }
    Entry { key: in_text(&entry.key, values), span: entry.span.clone(), value: filled(&entry.value, values) }
}

fn in_text(text: &str, values: &[(String, &Node)]) -> String {
    values.iter().fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder.as_str(), &plain(value)))
}

fn plain(value: &Node) -> String {
    match &value.data {
        Data::String(text) => text.clone(),
        _ => value.to_json().to_string(),
    }
}

/// The name of a member: lower-case letters and digits, hyphens for everything else. `None` where nothing is left.
fn slug(value: &Node) -> Option<String> {
    if matches!(value.data, Data::Array(_) | Data::Table(_)) {
        return None;
    }
    let text = plain(value).to_ascii_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { None } else { Some(words.join("-")) }
}
