//! Whether an answer is what a check wants, and if not, what differs.

use std::time::Duration;

use serde_json::Value as Json;

use super::context::Names;
use super::record::{Record, text_of};
use crate::oauth::{Scope, encoding};
use crate::scenario::{Matcher, Template, Want};

/// One thing that is not as it was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The line of the exchange: `status`, `header NAME`, `body`, `location`, `request`.
    pub line: String,
    /// What was wanted, of this thing.
    pub wanted: String,
    /// What was seen.
    pub seen: String,
    /// Whether it warns at most, whatever the level.
    pub soft: bool,
}

impl Mismatch {
    fn new(line: impl Into<String>, wanted: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { line: line.into(), wanted: wanted.into(), seen: seen.into(), soft: false }
    }
}

/// Everything that differs; empty where the answer is as wanted.
#[must_use]
pub fn differences(want: &Want, record: &Record, names: &Names<'_>) -> Vec<Mismatch> {
    let mut out = Vec::new();
    let word = match &record.evidence {
        Some(evidence) => evidence.reaction.word(),
        None => record.outcome.word(),
    };
    let word = Json::String(word.into());
    one(&mut out, "status", "outcome", want.outcome.as_ref(), Some(&word), names);
    let status = record.status.map(Json::from);
    one(&mut out, "status", "status", want.status.as_ref(), status.as_ref(), names);
    let error_line = if record.delivered.is_empty() { "body" } else { "location" };
    one(&mut out, error_line, "error", want.error.as_ref(), record.error().as_ref(), names);
    for (name, matcher) in &want.headers {
        let value = record.headers.joined(name).map(Json::String);
        one(&mut out, &format!("header {name}"), &format!("header {name}"), Some(matcher), value.as_ref(), names);
    }
    let media = record.headers.get("content-type").map(|v| v.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    one(&mut out, "header Content-Type", "content type", want.content_type.as_ref(), media.map(Json::String).as_ref(), names);
    for (name, matcher) in &want.json {
        let value = record.json.as_ref().and_then(|json| json.get(name));
        one(&mut out, "body", &format!("member {name}"), Some(matcher), value, names);
    }
    for (name, matcher) in &want.got {
        one(&mut out, error_line, name, Some(matcher), record.got(name).as_ref(), names);
    }
    if !want.challenge.is_empty() {
        let challenge = record.challenge().unwrap_or_default();
        for (name, matcher) in &want.challenge {
            let what = format!("challenge attribute {name}");
            one(&mut out, "header WWW-Authenticate", &what, Some(matcher), challenge.get(name), names);
        }
    }
    one(&mut out, "body", "body", want.body.as_ref(), Some(&Json::String(record.body.clone())), names);
    let via = record.via.map(Json::from);
    one(&mut out, "location", "delivered by", want.via.as_ref(), via.as_ref(), names);
    for (what, matcher, seen) in [
        ("cookies", &want.cookies, &record.way.cookies),
        ("third parties", &want.third_parties, &record.way.third_parties),
        ("password sent on", &want.password_sent_on, &record.way.password_sent_on),
    ] {
        let value = (!seen.is_empty()).then(|| Json::from(seen.clone()));
        one(&mut out, "body", what, matcher.as_ref(), value.as_ref(), names);
    }
    if let Some(wanted) = want.alive {
        alive(&mut out, wanted, record);
    }
    if let Some(matcher) = &want.scope {
        let value = record.granted.as_ref().map(|scope| Json::String(scope.to_string()));
        one(&mut out, "body", "granted scope", Some(matcher), value.as_ref(), names);
    }
    if let Some(wanted) = want.same {
        same(&mut out, wanted, record);
    }
    if let Some(page) = &want.client.page {
        page_differences(&mut out, page, record, names);
    }
    if let Some(uri) = &want.not_sent_to {
        not_sent_to(&mut out, uri, record, names);
    }
    if let Some(elements) = &want.elements {
        out.extend(super::elements::differences(elements, record, names));
    }
    out
}

/// What a check wants, in words.
#[must_use]
pub fn describe(want: &Want, names: &Names<'_>) -> String {
    let mut parts = Vec::new();
    let mut say = |what: &str, matcher: Option<&Matcher>| {
        if let Some(matcher) = matcher {
            parts.push(phrase(what, matcher, names));
        }
    };
    say("", want.outcome.as_ref());
    say("status", want.status.as_ref());
    say("error", want.error.as_ref());
    want.headers.iter().for_each(|(name, matcher)| say(&format!("header {name}"), Some(matcher)));
    say("content type", want.content_type.as_ref());
    want.challenge.iter().for_each(|(name, matcher)| say(&format!("challenge attribute {name}"), Some(matcher)));
    want.json.iter().chain(&want.got).for_each(|(name, matcher)| say(name, Some(matcher)));
    say("body", want.body.as_ref());
    say("delivered by", want.via.as_ref());
    say("granted scope", want.scope.as_ref());
    say("cookies", want.cookies.as_ref());
    say("third parties", want.third_parties.as_ref());
    say("password sent on", want.password_sent_on.as_ref());
    if let Some(alive) = want.alive {
        parts.push(if alive { "the token works".into() } else { "the token no longer works".into() });
    }
    if let Some(same) = want.same {
        parts.push(if same { "the same answer".into() } else { "different answers".into() });
    }
    if let Some(among) = &want.among {
        parts.push(format!("{} such: {}", phrase("number", &among.count, names), describe(&among.filter, names)));
    }
    if want.distinct.is_some() {
        parts.push("a different value each time".into());
    }
    if let Some(guessable) = &want.guessable {
        parts.push(format!("values that cannot be guessed (at least {} bits)", guessable.bits.unwrap_or(128)));
    }
    if let Some(jwt) = &want.jwt {
        let members = jwt.header.iter().chain(&jwt.claims).map(|(name, matcher)| phrase(name, matcher, names));
        let hash = jwt.at_hash.iter().map(|of| format!("at_hash of {of}, if there is one"));
        let key = jwt.verify.then(|| "the signature of a published key".to_owned());
        parts.push(format!("a JWT with {}", members.chain(hash).chain(key).collect::<Vec<_>>().join(", ")));
    }
    parts.extend(of_client(&want.client, names));
    if let Some(uri) = &want.not_sent_to {
        parts.push(format!("nothing delivered to {}", names.fill(uri).unwrap_or_else(|_| uri.to_string())));
    }
    if let Some(elements) = &want.elements {
        parts.push(super::elements::describe(elements, names));
    }
    parts.join(", ")
}

/// What a check wants of a client, in words.
fn of_client(want: &crate::scenario::ClientWant, names: &Names<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    if want.defended {
        parts.push("no session and no token by it".to_owned());
    }
    if want.works {
        parts.push("the client goes on as if nothing had happened".to_owned());
    }
    if want.copes {
        parts.push("an end, without a crash or a hang".to_owned());
    }
    if let Some(page) = &want.page {
        parts.extend(page.answered.map(|wanted| if wanted { "an answer" } else { "nobody there" }.to_owned()));
        parts.extend(page.raw_html_absent.iter().map(|raw| format!("no {raw} in the page as it is")));
        parts.extend(page.url.iter().map(|matcher| phrase("the address of the page", matcher, names)));
        parts.extend(page.redirects.iter().map(|matcher| phrase("the way of the browser", matcher, names)));
        parts.extend(page.set_cookie.iter().map(|matcher| phrase("Set-Cookie", matcher, names)));
    }
    if let Some(journal) = &want.journal {
        let named = |kind: &str, list: &[(String, Matcher)]| -> Vec<String> {
            list.iter().map(|(name, matcher)| phrase(&format!("{kind} {name}"), matcher, names)).collect()
        };
        let mut said = named("parameter", &journal.form);
        said.extend(named("query parameter", &journal.query));
        said.extend(journal.distinct.iter().map(|name| format!("parameter {name} of a value of its own")));
        said.extend(named("header", &journal.headers));
        said.extend(journal.method.iter().map(|matcher| phrase("method", matcher, names)));
        said.extend(journal.status.iter().map(|matcher| phrase("answered", matcher, names)));
        let count = match &journal.count {
            Some(matcher) => phrase("number", matcher, names),
            None if journal.each => "all".to_owned(),
            None => "at least one".to_owned(),
        };
        let what = if journal.endpoint.is_empty() { "any".to_owned() } else { journal.endpoint.join(" or ") };
        let such = if said.is_empty() { String::new() } else { format!(" with {}", said.join(", ")) };
        parts.push(format!("requests to {what}{such}: {count}"));
    }
    parts
}

/// Whether a value fits.
#[must_use]
pub fn fits(matcher: &Matcher, value: Option<&Json>, names: &Names<'_>) -> bool {
    let Some(value) = value else {
        return matches!(matcher, Matcher::Absent | Matcher::Optional(_));
    };
    match matcher {
        Matcher::Present => true,
        Matcher::Absent => false,
        Matcher::Equals(template) => names.fill(template).is_ok_and(|wanted| wanted == text_of(value)),
        Matcher::OneOf(templates) => templates.iter().any(|t| names.fill(t).is_ok_and(|wanted| wanted == text_of(value))),
        Matcher::Matches(regex) => regex.is_match(&text_of(value)),
        Matcher::Contains(template) => names.fill(template).is_ok_and(|wanted| contains(value, &wanted)),
        Matcher::Lacks(template) => names.fill(template).is_ok_and(|wanted| !contains(value, &wanted)),
        Matcher::Type(kind) => kind.fits(value),
        Matcher::Scopes(template) => {
            names.fill(template).is_ok_and(|wanted| Scope::parse_lossy(&wanted) == Scope::parse_lossy(&text_of(value)))
        }
        Matcher::Includes(template) => names.fill(template).is_ok_and(|wanted| includes(value, &wanted)),
        Matcher::Excludes(template) => names.fill(template).is_ok_and(|wanted| !includes(value, &wanted)),
        Matcher::Dates { after, before, leeway } => between(value, after.as_ref(), before.as_ref(), *leeway, names),
        Matcher::Octets(count) => octets(value).is_some_and(|octets| octets.len() == *count),
        Matcher::Bits(least) => octets(value).is_some_and(|octets| bits(&octets) >= *least),
        Matcher::Unique => unique(value),
        Matcher::Optional(inner) => fits(inner, Some(value), names),
        Matcher::Range { gte, lte } => {
            let number = value.as_f64().or_else(|| text_of(value).parse().ok());
            number.is_some_and(|n| gte.is_none_or(|low| n >= low) && lte.is_none_or(|high| n <= high))
        }
    }
}

/// What a matcher wants of a thing, in words.
#[must_use]
pub fn phrase(what: &str, matcher: &Matcher, names: &Names<'_>) -> String {
    let fill = |template: &Template| names.fill(template).unwrap_or_else(|_| template.to_string());
    let text = match matcher {
        Matcher::Equals(template) => fill(template),
        Matcher::Present => "present".into(),
        Matcher::Absent => "absent".into(),
        Matcher::Matches(regex) => format!("matching /{regex}/"),
        Matcher::OneOf(templates) => templates.iter().map(fill).collect::<Vec<_>>().join(" or "),
        Matcher::Contains(template) => format!("containing {}", fill(template)),
        Matcher::Lacks(template) => format!("without {}", fill(template)),
        Matcher::Type(kind) => format!("of type {}", kind.name()),
        Matcher::Scopes(template) => format!("the scopes {}", fill(template)),
        Matcher::Includes(template) => format!("including {}", fill(template)),
        Matcher::Excludes(template) => format!("other than {}", fill(template)),
        Matcher::Dates { after, before, leeway } => {
            let bound = |word: &str, bound: &Option<Template>| bound.as_ref().map(|bound| format!("{word} {}", fill(bound)));
            let slack = (!leeway.is_zero()).then(|| format!("give or take {leeway:?}"));
            let bounds = bound("after", after).into_iter().chain(bound("before", before)).collect::<Vec<_>>();
            std::iter::once(bounds.join(" and ")).chain(slack).collect::<Vec<_>>().join(", ")
        }
        Matcher::Octets(count) => format!("of {count} octets in base64url"),
        Matcher::Bits(least) => format!("of at least {least} bits"),
        Matcher::Unique => "without repetition".into(),
        Matcher::Optional(inner) => format!("absent or {}", phrase("", inner, names)),
        Matcher::Range { gte: Some(low), lte: Some(high) } => format!("from {low} to {high}"),
        Matcher::Range { gte: Some(low), lte: None } => format!("at least {low}"),
        Matcher::Range { gte: None, lte: Some(high) } => format!("at most {high}"),
        Matcher::Range { gte: None, lte: None } => "any number".into(),
    };
    if what.is_empty() { text } else { format!("{what} {text}") }
}

fn contains(value: &Json, wanted: &str) -> bool {
    match value {
        Json::Array(items) => items.iter().any(|item| text_of(item) == wanted),
        Json::Object(members) => members.contains_key(wanted),
        other => text_of(other).to_lowercase().contains(&wanted.to_lowercase()),
    }
}

/// Whether it is this text, or a list with it as an element.
fn includes(value: &Json, wanted: &str) -> bool {
    match value {
        Json::Array(items) => items.iter().any(|item| text_of(item) == wanted),
        other => text_of(other) == wanted,
    }
}

/// Whether a NumericDate lies between two others. Only numbers are dates.
fn between(value: &Json, after: Option<&Template>, before: Option<&Template>, leeway: Duration, names: &Names<'_>) -> bool {
    let seconds = |template: &Template| names.fill(template).ok().and_then(|text| text.parse::<f64>().ok());
    let Some(date) = value.as_f64() else { return false };
    let slack = leeway.as_secs_f64();
    let late = after.is_none_or(|bound| seconds(bound).is_some_and(|bound| date + slack > bound));
    late && before.is_none_or(|bound| seconds(bound).is_some_and(|bound| date - slack < bound))
}

fn octets(value: &Json) -> Option<Vec<u8>> {
    encoding::from_base64url(value.as_str()?)
}

/// The length of a number, without leading zeros.
fn bits(octets: &[u8]) -> usize {
    let digits = &octets[octets.iter().take_while(|&&byte| byte == 0).count()..];
    digits.first().map_or(0, |first| digits.len() * 8 - first.leading_zeros() as usize)
}

fn unique(value: &Json) -> bool {
    let items: Vec<String> = match value {
        Json::Array(items) => items.iter().map(text_of).collect(),
        other => text_of(other).split_whitespace().map(str::to_owned).collect(),
    };
    items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
}

fn one(out: &mut Vec<Mismatch>, line: &str, what: &str, matcher: Option<&Matcher>, value: Option<&Json>, names: &Names<'_>) {
    let Some(matcher) = matcher else { return };
    if !fits(matcher, value, names) {
        let seen = value.map_or_else(|| "absent".to_owned(), |value| clip(&text_of(value)));
        out.push(Mismatch::new(line, phrase(what, matcher, names), format!("{what} {seen}")));
    }
}

fn clip(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

fn alive(out: &mut Vec<Mismatch>, wanted: bool, record: &Record) {
    if record.alive == Some(wanted) {
        return;
    }
    let witness = record.note.clone().unwrap_or_default();
    let seen = if wanted { "the token does not work" } else { "the token still works" };
    let mut mismatch =
        Mismatch::new("status", if wanted { "a working token" } else { "a dead token" }, format!("{seen} ({witness})"));
    // A foreign resource server is another party: a dead token that still works there is no breach of the server's own rule.
    mismatch.soft = !wanted && witness.starts_with("resource");
    out.push(mismatch);
}

fn same(out: &mut Vec<Mismatch>, wanted: bool, record: &Record) {
    match (&record.difference, wanted) {
        (Some(difference), true) => out.push(Mismatch::new("status", "the same answer", difference)),
        (None, false) => out.push(Mismatch::new("status", "different answers", "the same answer")),
        _ => {}
    }
}

/// What is wrong with the last page of a client.
fn page_differences(out: &mut Vec<Mismatch>, want: &crate::scenario::PageWant, record: &Record, names: &Names<'_>) {
    if want.answered.is_some_and(|wanted| wanted != record.page.is_some()) {
        let seen = if record.page.is_some() { "somebody answers" } else { "nobody answers" };
        let wanted = if record.page.is_some() { "nobody there" } else { "an answer" };
        out.push(Mismatch::new("status", wanted, format!("{seen} at {}", record.page_url.as_deref().unwrap_or("the client"))));
    }
    let url = record.page_url.clone().map(Json::String);
    one(out, "page", "its address", want.url.as_ref(), url.as_ref(), names);
    let redirects = Json::String(record.sent_to.join("\n"));
    one(out, "page", "the way of the browser", want.redirects.as_ref(), Some(&redirects), names);
    let cookies = Json::String(record.set_cookie.clone());
    one(out, "page", "Set-Cookie", want.set_cookie.as_ref(), Some(&cookies), names);
    let Some(raw) = want.raw_html_absent.as_ref().and_then(|raw| names.fill(raw).ok()) else { return };
    let plain = record.headers.get("content-type").is_some_and(|kind| !kind.to_ascii_lowercase().contains("html"));
    if !plain && record.page.as_ref().is_some_and(|page| page.contains(&raw)) {
        out.push(Mismatch::new("body", format!("no {raw} in the page as it is"), "it stands there unescaped"));
    }
}

fn not_sent_to(out: &mut Vec<Mismatch>, uri: &Template, record: &Record, names: &Names<'_>) {
    let Ok(uri) = names.fill(uri) else { return };
    // Of the client that asked: another client's registered URI is as wrong as any.
    let asked = |name: &String| record.client.as_ref().is_none_or(|client| client == name);
    let clients = names.clients.iter().chain(&names.registered).filter(|(name, _)| asked(name));
    let registered: Vec<&String> = clients.flat_map(|(_, client)| &client.redirect_uris).collect();
    let wanted = format!("nothing delivered to {uri}");
    let mut from = names.target.endpoints.authorization.as_deref();
    for url in &record.sent_to {
        let meant = meant_from(from.replace(url), &uri);
        let to_registered = registered.iter().any(|known| base(known) == base(url));
        let foreign_origin = origin(&meant).is_some_and(|bad| {
            let own = meant != uri && names.target.endpoints.authorization.as_deref().and_then(origin).as_ref() == Some(&bad);
            origin(url).as_ref() == Some(&bad) && !own && !registered.iter().any(|known| origin(known).as_ref() == Some(&bad))
        });
        let hit = decoded(url) == decoded(&meant) || normal(url).is_some_and(|a| normal(&meant) == Some(a)) || foreign_origin;
        if (hit && !to_registered) || carries_tail(url, &uri) {
            out.push(Mismatch::new("location", &wanted, format!("sent to {url}")));
            return;
        }
    }
    let delivered = record.sent_to.iter().find(|url| registered.iter().any(|known| base(known) == base(url)));
    if let Some(url) = delivered.filter(|_| !record.delivered.is_empty()) {
        let mut mismatch = Mismatch::new("location", wanted, format!("delivered to the registered {url} instead"));
        mismatch.soft = true;
        out.push(mismatch);
    }
}

/// Where a URI leads from a page: itself, or, where it is a relative reference, what browsers make of it there.
fn meant_from(page: Option<&str>, uri: &str) -> String {
    // An empty reference means the page itself, where every journey stays for a while.
    if uri.is_empty() || url::Url::parse(uri).is_ok() {
        return uri.to_owned();
    }
    let joined = page.and_then(|page| url::Url::parse(page).ok()).and_then(|page| page.join(uri).ok());
    joined.map_or_else(|| uri.to_owned(), String::from)
}

/// Whether a query or fragment that the URI under test has beyond the registered one was taken over.
fn carries_tail(url: &str, uri: &str) -> bool {
    let fragment = uri.split_once('#').map(|(_, fragment)| fragment);
    match (uri.contains('?'), fragment) {
        (true, None) => url.starts_with(uri),
        (_, Some(fragment)) => base(url) == base(uri) && url.split_once('#').is_some_and(|(_, f)| f.starts_with(fragment)),
        (false, None) => false,
    }
}

fn base(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Without query and fragment, and percent-decoded: servers encode what may not stand in a header field.
fn decoded(url: &str) -> Vec<u8> {
    let bytes = base(url).as_bytes();
    encoding::from_percent(bytes).unwrap_or_else(|| bytes.to_vec())
}

fn normal(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|parsed| base(parsed.as_str()).to_owned())
}

fn origin(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    parsed.host_str().map(|host| format!("{}://{host}:{:?}", parsed.scheme(), parsed.port_or_known_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_address_means_what_browsers_make_of_it() {
        let page = Some("https://as.example/t1/authorize");
        for (uri, meant) in [
            ("/callback", "https://as.example/callback"),
            ("//attacker.example/callback", "https://attacker.example/callback"),
            (r"\\attacker.example\callback", "https://attacker.example/callback"),
            ("attacker.example/callback", "https://as.example/t1/attacker.example/callback"),
            ("https://attacker.example/x", "https://attacker.example/x"),
            ("com.example:/x", "com.example:/x"),
            ("", ""),
        ] {
            assert_eq!(meant_from(page, uri), meant);
        }
        assert_eq!(meant_from(None, "/callback"), "/callback");
    }
}
