//! Lists in JSON bodies, element by element: what each has to have, what must differ, how many there are.

use serde_json::{Map, Value};

use super::context::Names;
use super::matching::{Mismatch, fits, phrase};
use super::record::{Record, text_of};
use crate::scenario::{Elements, Matcher};

/// What is not as wanted. A member that is no list is another check's business.
pub(super) fn differences(want: &Elements, record: &Record, names: &Names<'_>) -> Vec<Mismatch> {
    let Some(list) = record.json.as_ref().and_then(|json| json.get(&want.of)).and_then(Value::as_array) else {
        return Vec::new();
    };
    let chosen: Vec<(usize, &Map<String, Value>)> = list
        .iter()
        .enumerate()
        .filter_map(|(at, element)| Some((at, element.as_object()?)))
        .filter(|(_, element)| want.filter.iter().all(|(name, matcher)| fits(matcher, element.get(name), names)))
        .collect();
    let mut out = Vec::new();
    for (at, element) in &chosen {
        for (name, matcher) in &want.have {
            if !fits(matcher, element.get(name), names) {
                out.push(of_member(&want.of, *at, name, matcher, element.get(name), names));
            }
        }
    }
    if let Some(name) = &want.distinct {
        out.extend(repeated(&want.of, name, &chosen));
    }
    let count = Value::from(chosen.len());
    if let Some(matcher) = want.count.as_ref().filter(|matcher| !fits(matcher, Some(&count), names)) {
        out.push(mismatch(phrase("number", matcher, names), format!("{count} such in {}", want.of)));
    }
    out
}

/// What is wanted, in words.
pub(super) fn describe(want: &Elements, names: &Names<'_>) -> String {
    let list = |members: &[(String, Matcher)]| {
        members.iter().map(|(name, matcher)| phrase(name, matcher, names)).collect::<Vec<_>>().join(", ")
    };
    let which = if want.filter.is_empty() { String::new() } else { format!(" ({})", list(&want.filter)) };
    let mut parts = Vec::new();
    if !want.have.is_empty() {
        parts.push(format!("each of {}{which}: {}", want.of, list(&want.have)));
    }
    if let Some(name) = &want.distinct {
        parts.push(format!("a different {name} in each of {}{which}", want.of));
    }
    if let Some(matcher) = &want.count {
        parts.push(phrase(&format!("number of {}{which}", want.of), matcher, names));
    }
    parts.join(", ")
}

fn of_member(list: &str, at: usize, name: &str, matcher: &Matcher, value: Option<&Value>, names: &Names<'_>) -> Mismatch {
    let what = format!("{name} of {list}[{at}]");
    let seen = value.map_or_else(|| "absent".to_owned(), text_of);
    mismatch(phrase(&what, matcher, names), format!("{what} is {seen}"))
}

fn repeated(list: &str, name: &str, chosen: &[(usize, &Map<String, Value>)]) -> Option<Mismatch> {
    let mut seen: Vec<&Value> = Vec::new();
    for value in chosen.iter().filter_map(|(_, element)| element.get(name)) {
        if seen.contains(&value) {
            let wanted = format!("a different {name} in each of {list}");
            return Some(mismatch(wanted, format!("{name} {} stands twice in {list}", text_of(value))));
        }
        seen.push(value);
    }
    None
}

fn mismatch(wanted: String, seen: String) -> Mismatch {
    Mismatch { line: "body".into(), wanted, seen, soft: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_stands_twice_is_named() {
        let keys = json!([{ "kid": "a" }, {}, { "kid": "b" }, {}, { "kid": "a" }]);
        let chosen: Vec<_> =
            keys.as_array().unwrap().iter().enumerate().filter_map(|(at, key)| Some((at, key.as_object()?))).collect();
        assert_eq!(repeated("keys", "kid", &chosen).unwrap().seen, "kid a stands twice in keys");
        assert_eq!(repeated("keys", "kid", &chosen[..4]), None);
    }
}
