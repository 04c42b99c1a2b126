//! Reads patch files: a table of patches by id. Every mistake gets its place; families become their members.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;

use super::patch::{Change, Patch, PatchKind, Requires, Rule};
use super::read_answer::Answers;
use super::settings::{self, Place};
use super::{Answer, Library, Rewrite, UnknownPatch, family, read_when};
use crate::problem::{Problem, Source};
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

    /// Reads the patches of a JSON object of the same shape, as the control API takes them. Problems name the
    /// place by a JSON pointer.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse_json(kind: PatchKind, name: &str, patches: &Value) -> Result<Vec<Self>, Vec<Problem>> {
        let mut pointers = Vec::new();
        let root = Node::from_json(patches, &mut pointers);
        read(kind, &root, Sink::of_json(&Source::new(name, ""), pointers), Care::Full)
    }
}

/// Reads the patches of a part of a file.
pub(super) fn parse(kind: PatchKind, source: &Arc<Source>, part: Range<usize>, care: Care) -> Result<Vec<Patch>, Vec<Problem>> {
    read(kind, &Node::parse(source, part)?, Sink::new(source), care)
}

fn read(kind: PatchKind, root: &Node, sink: Sink, care: Care) -> Result<Vec<Patch>, Vec<Problem>> {
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
        let base = self.base(&mut fields);
        let requires = fields.take("requires").map_or_else(Vec::new, |node| self.requires(node));
        let sequence = self.only_scripts(&mut fields, "sequence");
        let optional = self.only_scripts(&mut fields, "optional");
        fields.take("each");
        let rules: Vec<Rule> = match fields.take("patch") {
            Some(node) => self.sink.one_or_many(node).iter().filter_map(|node| self.rule(node)).collect(),
            None => Vec::new(),
        };
        fields.finish();
        if rules.is_empty() && base.is_none() && self.sink.count() == before {
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
            base,
            requires,
            rules,
            sequence,
            optional,
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

    fn only_scripts(&self, fields: &mut Fields<'_>, name: &'static str) -> bool {
        let Some(found) = fields.entry(name) else { return false };
        if self.kind != PatchKind::Script {
            self.sink.add(&found.span, format!("`{name}` belongs to scripts, and this is a {}", self.kind));
        }
        self.sink.flag(&found.value).unwrap_or(false)
    }

    /// What a profile begins with.
    fn base(&self, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
        let found = fields.entry("base")?;
        if self.kind != PatchKind::Profile {
            self.sink.add(&found.span, format!("`base` belongs to profiles, and this is a {}", self.kind));
        }
        let id = self.sink.string(&found.value)?;
        Some(Spanned::new(found.value.span.clone(), id.to_owned()))
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
        let (when, answer) = fields.take("when").map_or_else(Default::default, |node| read_when::when(node, self.sink));
        let (set, unset) = (fields.entry("set"), fields.entry("unset"));
        let (rewrite, respond) = (fields.entry("rewrite"), fields.entry("respond"));
        let (fault, variant) = (fields.entry("fault"), fields.entry("variant"));
        let span = fields.span();
        fields.finish();
        let given: Vec<&Entry> = [set.or(unset), rewrite, respond, fault.or(variant)].into_iter().flatten().collect();
        if let [_, second, ..] = given.as_slice() {
            let help = "a decision, a defect of one answer, a literal answer, or a fault by its id: make a rule of each";
            let message = "a rule has one of `set`, `rewrite`, `respond` and `fault`";
            self.sink.add_with_help(&second.span, message, help);
            return None;
        }
        if given.is_empty() {
            self.sink
                .add(span, "this rule does nothing: it has neither `set`, `unset`, `rewrite`, `respond`, `fault` nor `variant`");
            return None;
        }
        if let (Some((_, span)), None) = (&answer, rewrite) {
            self.sink.add(span, "`answer` is for rewrites: a decision is made before there is an answer");
        }
        let answers = Answers(self.sink);
        let change = match (rewrite, respond) {
            (Some(rewrite), _) => {
                let on = answer.map_or(Answer::Any, |(answer, _)| answer);
                Rewrite { on, ..answers.rewrite(&rewrite.value) }.into()
            }
            (None, Some(respond)) => answers.respond(&respond.value).into(),
            (None, None) if set.is_some() || unset.is_some() => {
                Change::Settings(self.settings(set.map(|entry| &entry.value), unset.map(|entry| &entry.value)))
            }
            (None, None) => Change::Patches(self.named(fault, variant)),
        };
        Some(Rule { when, change })
    }

    /// Embedded faults and variants by their ids.
    fn named(&self, fault: Option<&Entry>, variant: Option<&Entry>) -> Vec<Arc<Patch>> {
        let mut patches = Vec::new();
        for (kind, entry) in [(PatchKind::Variant, variant), (PatchKind::Fault, fault)] {
            let Some(entry) = entry else { continue };
            // Embedded files are read one patch at a time: one that named another could come to name itself.
            if self.kind != PatchKind::Script {
                self.sink.add(&entry.span, format!("`{kind}` belongs to scripts, and this is a {}", self.kind));
                continue;
            }
            let ids = self.sink.strings(&entry.value);
            if ids.is_empty() {
                self.sink.add(&entry.value.span, format!("this rule does nothing: no {kind} is named"));
            }
            for id in ids {
                // Where there are mistakes enough, nobody looks for what was meant.
                if self.sink.is_full() {
                    self.sink.add(&id.span(), format!("unknown {kind}"));
                    break;
                }
                match Library::embedded().of_kind(kind, id.get_ref()) {
                    Ok(patch) => patches.push(Arc::new(patch.clone())),
                    Err(UnknownPatch { help: Some(help), .. }) => {
                        self.sink.add_with_help(&id.span(), format!("unknown {kind} `{}`", id.get_ref()), help);
                    }
                    Err(error) => self.sink.add(&id.span(), error.to_string()),
                }
            }
        }
        patches
    }

    fn settings(&self, set: Option<&Node>, unset: Option<&Node>) -> Vec<(String, Option<Value>)> {
        let mut out = Vec::new();
        for entry in set.map_or(&[][..], |node| self.sink.entries(node)) {
            for path in self.meant(&entry.key, &entry.span) {
                self.setting(&path, entry, &mut out);
            }
        }
        for path in unset.map_or_else(Vec::new, |node| self.sink.strings(node)) {
            let span = path.span();
            for path in self.meant(path.get_ref(), &span) {
                match settings::place(&path) {
                    Some(_) => out.push((path, None)),
                    None => self.unknown_setting(&span, &path),
                }
            }
        }
        out
    }

    /// The paths that a key means: itself, or all that fit where a segment is `*`.
    fn meant(&self, key: &str, span: &Range<usize>) -> Vec<String> {
        if !key.split('.').any(|segment| segment == "*") {
            return vec![key.to_owned()];
        }
        let paths = settings::matching(key);
        if paths.is_empty() {
            self.sink.add(span, format!("no setting fits `{key}`"));
        }
        paths
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
                    settings::paths().iter().filter(|known| known.starts_with(&format!("{path}."))).take(3).cloned().collect();
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
        match self.sink.near(path, paths.iter().map(String::as_str)) {
            Some(near) => self.sink.add_with_help(span, message, format!("did you mean `{near}`?")),
            None => self.sink.add(span, message),
        }
    }
}
