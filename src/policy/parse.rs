//! Reads patch files: a table of patches by id. Every mistake gets its place; families become their members.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};
use toml::Spanned;

use super::patch::{Change, Patch, PatchKind, Requires, Rule};
use super::settings::{self, Place};
use super::when::{ParameterTest, When};
use super::{Answer, Rewrite, Tokens, family};
use crate::problem::{Problem, Source, nearest};
use crate::reader::{Data, Entry, Fields, Node, Sink, quoted};

/// How much of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Every value is tried against the policy.
    Full,
    /// The values were tried before: embedded files are checked by a test.
    Trusted,
}

impl Patch {
    /// Reads the patches of a file, families expanded, in file order.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn parse(kind: PatchKind, source: &Arc<Source>) -> Result<Vec<Self>, Vec<Problem>> {
        parse(kind, source, 0..source.text.len(), Care::Full)
    }

    /// Reads the patches of a JSON object of the same shape, as the control API takes them. Problems have no positions.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse_json(kind: PatchKind, name: &str, patches: &Value) -> Result<Vec<Self>, Vec<Problem>> {
        let source = Source::new(name, "");
        read(kind, &Node::from_json(patches), &source, Care::Full)
    }
}

/// Reads the patches of a part of a file.
pub(super) fn parse(kind: PatchKind, source: &Arc<Source>, part: Range<usize>, care: Care) -> Result<Vec<Patch>, Vec<Problem>> {
    read(kind, &Node::parse(source, part)?, source, care)
}

fn read(kind: PatchKind, root: &Node, source: &Arc<Source>, care: Care) -> Result<Vec<Patch>, Vec<Problem>> {
    let sink = Sink::new(source);
    let mut patches: Vec<Patch> = Vec::new();
    for entry in sink.entries(root) {
        if !is_id(&entry.key) {
            sink.add_with_help(
                &entry.span,
                format!("`{}` is no id of a patch", entry.key),
                "use lower-case letters, digits and hyphens",
            );
            continue;
        }
        for member in family::expand(entry, &sink) {
            patches.extend(Reading { kind, sink: &sink, care }.patch(&member));
        }
    }
    let problems = sink.into_problems();
    if problems.is_empty() { Ok(patches) } else { Err(problems) }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

struct Reading<'a> {
    kind: PatchKind,
    sink: &'a Sink,
    care: Care,
}

impl Reading<'_> {
    fn patch(&self, entry: &Entry) -> Option<Patch> {
        let before = self.sink.count();
        let mut fields = Fields::of(&entry.value, self.sink)?;
        let title = self.title(&mut fields, entry);
        let why = fields.string("why").unwrap_or_default().to_owned();
        let breaks = self.breaks(&mut fields, entry);
        let plans = self.only_variants(&mut fields, "plans");
        let declines = self.only_variants(&mut fields, "declines");
        let skips = self.only_variants(&mut fields, "skips");
        let requires = fields.take("requires").map_or_else(Vec::new, |node| self.requires(node));
        fields.take("each");
        let rules: Vec<Rule> = match fields.take("patch") {
            Some(node) => self.sink.one_or_many(node).iter().filter_map(|node| self.rule(node)).collect(),
            None => Vec::new(),
        };
        fields.finish();
        if rules.is_empty() && self.sink.count() == before {
            self.sink.add_with_help(
                &entry.span,
                format!("`{}` changes nothing", entry.key),
                format!("add [[{}.patch]] with `set` or `rewrite`", entry.key),
            );
        }
        (self.sink.count() == before).then(|| Patch {
            id: entry.key.clone(),
            kind: self.kind,
            title,
            why,
            breaks,
            plans,
            declines,
            skips,
            requires,
            rules,
            source: Arc::clone(self.sink.source()),
            span: entry.span.clone(),
        })
    }

    fn title(&self, fields: &mut Fields<'_>, entry: &Entry) -> String {
        let title = if self.kind == PatchKind::Script { fields.take("title") } else { fields.required("title") };
        title.and_then(|node| self.sink.string(node)).unwrap_or(&entry.key).to_owned()
    }

    fn breaks(&self, fields: &mut Fields<'_>, entry: &Entry) -> Vec<Spanned<String>> {
        let found = fields.entry("breaks");
        let breaks = found.map_or_else(Vec::new, |entry| self.sink.strings(&entry.value));
        match (self.kind, found) {
            (PatchKind::Fault, None) => {
                self.sink.add_with_help(
                    &entry.span,
                    format!("`{}` does not say what it `breaks`", entry.key),
                    "name the requirements: breaks = [\"RFC6749-4.1.2-05\"]",
                );
            }
            (PatchKind::Fault, Some(found)) if breaks.is_empty() => {
                self.sink.add(&found.span, "a fault `breaks` at least one requirement");
            }
            (PatchKind::Fault, _) | (_, None) => {}
            (kind, Some(found)) => self.sink.add(&found.span, format!("`breaks` belongs to faults, and this is a {kind}")),
        }
        breaks
    }

    fn only_variants(&self, fields: &mut Fields<'_>, name: &'static str) -> Vec<String> {
        let Some(found) = fields.entry(name) else { return Vec::new() };
        if self.kind != PatchKind::Variant {
            self.sink.add(&found.span, format!("`{name}` belongs to variants, and this is a {}", self.kind));
        }
        let checked = |text: Spanned<String>| {
            if name == "declines" && !text.get_ref().contains('#') {
                self.sink.add_with_help(
                    &text.span(),
                    format!("`{}` names no check", text.get_ref()),
                    "write scenario-id#check-name; both may be patterns",
                );
            }
            text.into_inner()
        };
        self.sink.strings(&found.value).into_iter().map(checked).collect()
    }

    fn requires(&self, node: &Node) -> Vec<Requires> {
        let Some(mut fields) = Fields::of(node, self.sink) else { return Vec::new() };
        let grants = fields.strings("grants").into_iter().map(|name| Requires::Grant(name.into_inner()));
        let known = |name: &Spanned<String>| {
            let known = Requires::ENDPOINTS.contains(&name.get_ref().as_str());
            if !known {
                self.sink.unknown(&name.span(), "endpoint", name.get_ref(), &Requires::ENDPOINTS);
            }
            known
        };
        let endpoints = fields.strings("endpoint").into_iter().filter(known).map(|name| Requires::Endpoint(name.into_inner()));
        let pkce = fields.strings("pkce").into_iter().map(|name| Requires::Pkce(name.into_inner()));
        fields.finish();
        grants.chain(endpoints).chain(pkce).collect()
    }

    fn rule(&self, node: &Node) -> Option<Rule> {
        let mut fields = Fields::of(node, self.sink)?;
        let (when, answer) = fields.take("when").map_or_else(Default::default, |node| self.when(node));
        let set = fields.take("set");
        let unset = fields.take("unset");
        let rewrite = fields.entry("rewrite");
        let span = fields.span();
        fields.finish();
        let change = match (set.is_some() || unset.is_some(), rewrite) {
            (true, Some(rewrite)) => {
                self.sink.add_with_help(
                    &rewrite.span,
                    "a rule has either `set` or `rewrite`",
                    "a decision or a defect of one answer: make two rules if it is both",
                );
                return None;
            }
            (false, None) => {
                self.sink.add(span, "this rule has neither `set`, `unset` nor `rewrite`");
                return None;
            }
            (true, None) => {
                if let Some((_, span)) = answer {
                    self.sink.add(&span, "`answer` is for rewrites: a decision is made before there is an answer");
                }
                Change::Settings(self.settings(set, unset))
            }
            (false, Some(rewrite)) => {
                let on = answer.map_or(Answer::Any, |(answer, _)| answer);
                Change::Answer(Arc::new(Rewrite { on, ..self.rewrite(&rewrite.value) }))
            }
        };
        Some(Rule { when, change })
    }

    fn when(&self, node: &Node) -> (When, Option<(Answer, Range<usize>)>) {
        let Some(mut fields) = Fields::of(node, self.sink) else { return Default::default() };
        let plain = |names: Vec<Spanned<String>>| names.into_iter().map(Spanned::into_inner).collect();
        let closed = |what: &str, names: Vec<Spanned<String>>, known: &[&str]| {
            for name in names.iter().filter(|name| !known.contains(&name.get_ref().as_str())) {
                self.sink.unknown(&name.span(), what, name.get_ref(), known);
            }
            plain(names)
        };
        let when = When {
            endpoint: closed("endpoint", fields.strings("endpoint"), &When::ENDPOINTS),
            grant: plain(fields.strings("grant")),
            client: plain(fields.strings("client")),
            auth: closed("client authentication", fields.strings("auth"), &When::AUTH),
            user: plain(fields.strings("user")),
            parameters: fields.take("parameter").map_or_else(Vec::new, |node| self.parameters(node)),
            after: fields.duration("after"),
            nth: fields.whole("nth", 1),
            once: fields.flag("once").unwrap_or(false),
            probability: fields.take("probability").and_then(|node| self.probability(node)),
        };
        let choices = [("success", Answer::Success), ("error", Answer::Error)];
        let answer =
            fields.entry("answer").and_then(|entry| Some((self.sink.choice(&entry.value, &choices)?, entry.span.clone())));
        fields.finish();
        (when, answer)
    }

    fn parameters(&self, node: &Node) -> Vec<(String, ParameterTest)> {
        let test = |entry: &Entry| {
            let value = &entry.value;
            if let Data::Table(_) = value.data {
                let mut fields = Fields::of(value, self.sink)?;
                let (present, absent) = (fields.flag("present"), fields.flag("absent"));
                fields.finish();
                return match (present, absent) {
                    (Some(true), None) | (None, Some(false)) => Some((entry.key.clone(), ParameterTest::Present)),
                    (None, Some(true)) | (Some(false), None) => Some((entry.key.clone(), ParameterTest::Absent)),
                    _ => {
                        self.sink.add(&value.span, "expected a string, { present = true } or { absent = true }");
                        None
                    }
                };
            }
            self.sink.string(value).map(|text| (entry.key.clone(), ParameterTest::Is(text.to_owned())))
        };
        self.sink.entries(node).iter().filter_map(test).collect()
    }

    fn probability(&self, node: &Node) -> Option<f64> {
        let number = self.sink.number(node)?;
        if !(0.0..=1.0).contains(&number) {
            self.sink.add(&node.span, format!("a probability is from 0 to 1, not {number}"));
        }
        Some(number)
    }

    fn settings(&self, set: Option<&Node>, unset: Option<&Node>) -> Vec<(String, Option<Value>)> {
        let mut out = Vec::new();
        for entry in set.map_or(&[][..], |node| self.sink.entries(node)) {
            self.setting(&entry.key, entry, &mut out);
        }
        for path in unset.map_or_else(Vec::new, |node| self.sink.strings(node)) {
            match settings::place(path.get_ref()) {
                Some(_) => out.push((path.into_inner(), None)),
                None => self.unknown_setting(&path.span(), path.get_ref()),
            }
        }
        out
    }

    /// One setting, or a table of them: tables of settings and of map entries are merged key by key.
    fn setting(&self, path: &str, entry: &Entry, out: &mut Vec<(String, Option<Value>)>) {
        match (settings::place(path), &entry.value.data) {
            (None, _) => self.unknown_setting(&entry.span, path),
            (Some(Place::Group | Place::Map), Data::Table(entries)) => {
                for inner in entries {
                    self.setting(&format!("{path}.{}", inner.key), inner, out);
                }
            }
            (Some(Place::Group), _) => {
                let below: Vec<String> =
                    settings::paths().into_iter().filter(|known| known.starts_with(&format!("{path}."))).take(3).collect();
                let below: Vec<&str> = below.iter().map(String::as_str).collect();
                self.sink.add_with_help(
                    &entry.span,
                    format!("`{path}` is a group of settings"),
                    format!("name one of them: {}…", quoted(&below)),
                );
            }
            (Some(Place::Map), _) => {
                self.sink.add(&entry.value.span, format!("`{path}` is a table, not {}", entry.value.describe()));
            }
            (Some(_), Data::Null) => out.push((path.to_owned(), None)),
            (Some(_), _) => {
                let value = entry.value.to_json();
                if self.care == Care::Full
                    && let Err(message) = settings::check(path, &value)
                {
                    self.sink.add(&entry.value.span, message);
                }
                out.push((path.to_owned(), Some(value)));
            }
        }
    }

    fn unknown_setting(&self, span: &Range<usize>, path: &str) {
        let paths = settings::paths();
        let message = format!("unknown setting `{path}`");
        match nearest(path, paths.iter().map(String::as_str)) {
            Some(near) => self.sink.add_with_help(span, message, format!("did you mean `{near}`?")),
            None => self.sink.add(span, message),
        }
    }

    fn rewrite(&self, node: &Node) -> Rewrite {
        let before = self.sink.count();
        let mut rewrite = Rewrite::default();
        let Some(mut fields) = Fields::of(node, self.sink) else { return rewrite };
        if let Some(node) = fields.take("message") {
            self.message(node, &mut rewrite);
        }
        if let Some(node) = fields.take("claims") {
            rewrite.claims = self.claims(node);
        }
        if let Some(node) = fields.take("jws") {
            rewrite.jws = self.jws(node);
        }
        if let Some(entry) = fields.entry("of") {
            let kinds = [("access_token", Tokens::Access), ("id_token", Tokens::Id)];
            rewrite.of = self.sink.choice(&entry.value, &kinds).unwrap_or_default();
            if rewrite.claims.is_empty() && rewrite.jws.is_empty() {
                self.sink.add(&entry.span, "`of` says whose `claims` and `jws` are changed, and neither is there");
            }
        }
        if let Some(mut bytes) = fields.take("bytes").and_then(|node| Fields::of(node, self.sink)) {
            rewrite.truncate = bytes.whole("truncate", 0);
            rewrite.delay = bytes.duration("delay");
            rewrite.reset = bytes.flag("reset").unwrap_or(false);
            bytes.finish();
        }
        let span = fields.span();
        fields.finish();
        if rewrite == Rewrite::default() && self.sink.count() == before {
            self.sink.add_with_help(span, "this rewrite changes nothing", "give it `message`, `claims`, `jws` or `bytes`");
        }
        rewrite
    }

    fn message(&self, node: &Node, rewrite: &mut Rewrite) {
        let Some(mut fields) = Fields::of(node, self.sink) else { return };
        if let Some(node) = fields.take("status") {
            rewrite.status = self.sink.whole::<u16>(node, 100);
            if rewrite.status.is_some_and(|status| status > 999) {
                self.sink.add(&node.span, "a status has three digits");
            }
        }
        let set = |entry: &Entry| Some((entry.key.clone(), Some(self.sink.string(&entry.value)?.to_owned())));
        let headers = fields.take("headers").map_or(&[][..], |node| self.sink.entries(node));
        rewrite.headers = headers.iter().filter_map(set).collect();
        rewrite.headers.extend(fields.strings("unset_headers").into_iter().map(|name| (name.into_inner(), None)));
        rewrite.members = self.merged(&mut fields, "members", "unset_members");
        rewrite.body = fields.string("body").map(str::to_owned);
        fields.finish();
    }

    fn claims(&self, node: &Node) -> Map<String, Value> {
        let Some(mut fields) = Fields::of(node, self.sink) else { return Map::new() };
        let claims = self.merged(&mut fields, "set", "unset");
        fields.finish();
        claims
    }

    /// Members that are set and members that are removed, as one map in which `null` removes.
    fn merged(&self, fields: &mut Fields<'_>, set: &'static str, unset: &'static str) -> Map<String, Value> {
        let entries = fields.take(set).map_or(&[][..], |node| self.sink.entries(node));
        let mut members: Map<String, Value> = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
        for name in fields.strings(unset) {
            if members.insert(name.get_ref().clone(), Value::Null).is_some() {
                self.sink.add(&name.span(), format!("`{}` is both set and unset", name.get_ref()));
            }
        }
        members
    }

    fn jws(&self, node: &Node) -> Map<String, Value> {
        let mut out = BTreeMap::new();
        let Some(mut fields) = Fields::of(node, self.sink) else { return Map::new() };
        for name in ["alg", "kid", "typ"] {
            if let Some(text) = fields.string(name) {
                out.insert(name, Value::from(text));
            }
        }
        if let Some(node) = fields.take("header") {
            self.sink.entries(node);
            out.insert("header", node.to_json());
        }
        if let Some(node) = fields.take("again") {
            self.sink.entries(node);
            out.insert("again", node.to_json());
        }
        let signatures = [("none", "none"), ("flip", "flip"), ("other-key", "other-key"), ("empty-key", "empty-key")];
        if let Some(signature) = fields.take("signature").and_then(|node| self.sink.choice(node, &signatures)) {
            out.insert("signature", Value::from(signature));
        }
        fields.finish();
        out.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
