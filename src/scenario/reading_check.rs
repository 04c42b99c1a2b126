//! Reading checks: what an answer has to be, by which requirement, and what is tolerated beside it.

use std::ops::Range;

use toml::Spanned;

use super::reading::Reading;
use super::vocabulary::{BACK_OUTCOMES, CLIENT_OUTCOMES, FRONT_OUTCOMES, PLANS};
use super::{Among, Check, Elements, Guessable, JwtWant, Kind, Matcher, Template, Tolerance, Want};
use crate::catalog::Level;
use crate::problem::nearest;
use crate::reader::{Data, Fields, Node, quoted};

/// The members of a check that are about something that not every step has, with the verbs that have it.
const BELONG: &[(&str, &[&str])] = &[
    ("via", &["authorize"]),
    ("not_sent_to", &["authorize", "drive"]),
    ("cookies", &["authorize"]),
    ("third_parties", &["authorize"]),
    ("password_sent_on", &["authorize"]),
    ("alive", &["alive"]),
    ("scope", &["granted_scope"]),
    ("same", &["same"]),
    ("defended", &["drive"]),
    ("works", &["drive"]),
    ("copes", &["drive"]),
    ("journal", &["drive"]),
    ("page", &["drive"]),
];

impl Reading<'_> {
    /// A check or a list of checks.
    pub(super) fn checks(&self, node: &Node, verb: &str) -> Vec<Check> {
        let nodes = self.sink.one_or_many(node);
        if verb == "wait" {
            self.sink.add(&node.span, "nothing comes of a `wait` that could be checked");
        }
        if nodes.is_empty() {
            self.sink.add(&node.span, "this list of checks is empty");
        }
        nodes.iter().filter_map(|node| self.check(node, verb)).collect()
    }

    fn check(&self, node: &Node, verb: &str) -> Option<Check> {
        let before = self.sink.count();
        let mut fields = Fields::of(node, self.sink)?;
        let name = fields.required("name").and_then(|node| self.label(node));
        let requirement = fields.strings("requirement").into_iter().next();
        let also = fields.strings("also");
        let plan = self.words("plan", fields.strings("plan"), &PLANS);
        let severity = fields.take("severity").and_then(|node| self.severity(node));
        let because = fields.string("because").map(str::to_owned);
        let level = self.level(&mut fields, requirement.as_ref(), because.is_some());
        let mut want = self.want(&mut fields, verb);
        self.special(&mut fields, verb, &mut want);
        let tolerate = fields.take("tolerate").map_or_else(Vec::new, |node| self.tolerations(node, verb, &want));
        fields.finish();
        for id in requirement.iter().chain(&also) {
            self.requirement(id);
        }
        if let (None, Some(first)) = (&requirement, also.first()) {
            self.sink.add_with_help(
                &first.span(),
                "`also` stands beside a `requirement`, and there is none",
                "make the first of them the `requirement`",
            );
        }
        if want.is_empty() && self.sink.count() == before {
            self.sink.add_with_help(
                &node.span,
                "this check has no condition",
                "say what the answer has to be: outcome, status, error, headers, json…",
            );
        }
        let requirement = requirement.map(Spanned::into_inner);
        let also = also.into_iter().map(Spanned::into_inner).collect();
        let (span, name) = (node.span.clone(), name?.into_inner());
        Some(Check { span, name, requirement, also, plan, severity, level, because, want, tolerate })
    }

    fn requirement(&self, id: &Spanned<String>) {
        let catalogue = self.known.catalogue;
        if catalogue.get(id.get_ref()).is_some() {
            return;
        }
        let message = format!("unknown requirement `{}`", id.get_ref());
        match nearest(id.get_ref(), catalogue.iter().map(|requirement| requirement.id.as_str())) {
            Some(near) => self.sink.add_with_help(&id.span(), message, format!("did you mean `{near}`?")),
            None => self.sink.add(&id.span(), message),
        }
    }

    /// A level that is lower than the requirement's, and why.
    fn level(&self, fields: &mut Fields<'_>, requirement: Option<&Spanned<String>>, explained: bool) -> Option<Level> {
        let because = fields.entry("because");
        let Some(entry) = fields.entry("level") else {
            if let Some(because) = because {
                self.sink.add(&because.span, "`because` explains a `level`, and there is none");
            }
            return None;
        };
        let choices = [("MUST", Level::Must), ("SHOULD", Level::Should), ("MAY", Level::May)];
        let level = self.sink.choice(&entry.value, &choices)?;
        let known = requirement.and_then(|id| self.known.catalogue.get(id.get_ref()));
        let own = known.map(super::super::catalog::Requirement::level);
        match (requirement, own) {
            (None, _) => self.sink.add(&entry.span, "a check without `requirement` warns at most: it has no `level` to lower"),
            (Some(id), Some(own)) if level > own => {
                self.sink.add(&entry.span, format!("`level` may lower, never raise: {} is a {own}", id.get_ref()));
            }
            _ => {}
        }
        if !explained {
            self.sink.add(&entry.span, "a lowered `level` needs a `because`");
        }
        Some(level)
    }

    /// The conditions that tolerated answers and counted results can have too.
    fn want(&self, fields: &mut Fields<'_>, verb: &str) -> Want {
        for &(name, verbs) in BELONG {
            if let Some(entry) = fields.entry(name).filter(|_| !verb.is_empty() && !verbs.contains(&verb)) {
                self.sink.add(&entry.span, format!("`{name}` is about {} steps, and this is `{verb}`", quoted(verbs)));
            }
        }
        let own = matches!(verb, "alive" | "granted_scope" | "same");
        for name in ["outcome", "status", "error", "headers", "challenge", "content_type", "json", "got", "body", "elements"] {
            if let Some(entry) = fields.entry(name).filter(|_| own) {
                let member = BELONG.iter().find(|(_, verbs)| verbs.contains(&verb)).map_or("", |(member, _)| member);
                self.sink.add(&entry.span, format!("of `{verb}` only `{member}` can be checked, not `{name}`"));
            }
        }
        Want {
            outcome: fields.take("outcome").and_then(|node| self.outcome(node, verb)),
            status: self.matcher_of(fields, "status"),
            error: self.matcher_of(fields, "error"),
            headers: self.matchers(fields, "headers"),
            challenge: self.matchers(fields, "challenge"),
            content_type: self.matcher_of(fields, "content_type"),
            json: self.matchers(fields, "json"),
            got: self.matchers(fields, "got"),
            body: self.matcher_of(fields, "body"),
            via: fields
                .take("via")
                .and_then(|node| self.words_matcher(node, "way of delivery", &["query", "fragment", "form_post"])),
            alive: fields.flag("alive"),
            scope: self.matcher_of(fields, "scope"),
            same: fields.flag("same"),
            client: self.client_want(fields),
            not_sent_to: fields.take("not_sent_to").map(|node| self.template(node)),
            elements: fields.take("elements").and_then(|node| self.elements(node)),
            cookies: self.matcher_of(fields, "cookies"),
            third_parties: self.matcher_of(fields, "third_parties"),
            password_sent_on: self.matcher_of(fields, "password_sent_on"),
            ..Want::default()
        }
    }

    /// The conditions that stand alone in a check.
    fn special(&self, fields: &mut Fields<'_>, verb: &str, want: &mut Want) {
        let others = !want.is_empty();
        let mut alone: Vec<(&str, Range<usize>)> = Vec::new();
        if let Some(entry) = fields.entry("among") {
            want.among = self.among(&entry.value, verb);
            alone.push(("among", entry.span.clone()));
        }
        if let Some(entry) = fields.entry("distinct") {
            want.distinct = Some(self.variable(&entry.value));
            alone.push(("distinct", entry.span.clone()));
        }
        if let Some(entry) = fields.entry("guessable") {
            want.guessable = self.guessable(&entry.value);
            alone.push(("guessable", entry.span.clone()));
        }
        if let Some(entry) = fields.entry("jwt") {
            want.jwt = self.jwt(&entry.value);
            alone.push(("jwt", entry.span.clone()));
        }
        if let Some((name, span)) = alone.first().filter(|_| others || alone.len() > 1) {
            self.sink.add(span, format!("`{name}` stands alone: make the other conditions checks of their own"));
        }
    }

    fn tolerations(&self, node: &Node, verb: &str, want: &Want) -> Vec<Tolerance> {
        if want.among.is_some() || want.distinct.is_some() || want.guessable.is_some() {
            self.sink.add(&node.span, "a check over several results tolerates nothing beside what it wants");
        }
        let one = |node: &Node| {
            let mut fields = Fields::of(node, self.sink)?;
            let verdicts = [("warn", true), ("pass", false)];
            let warns = fields.take("verdict").and_then(|node| self.sink.choice(node, &verdicts)).unwrap_or(false);
            let note = fields.required("note").and_then(|node| self.sink.string(node)).unwrap_or_default().to_owned();
            let before = self.sink.count();
            let want = self.want(&mut fields, verb);
            fields.finish();
            if want.is_empty() && self.sink.count() == before {
                self.sink.add(&node.span, "this tolerates any answer: say which");
            }
            Some(Tolerance { want, warns, note })
        };
        self.sink.one_or_many(node).iter().filter_map(one).collect()
    }

    fn among(&self, node: &Node, verb: &str) -> Option<Among> {
        let mut fields = Fields::of(node, self.sink)?;
        let filter = fields.required("where").and_then(|node| {
            let mut fields = Fields::of(node, self.sink)?;
            let want = self.want(&mut fields, verb);
            fields.finish();
            Some(want)
        });
        let count = fields.required("count").and_then(|node| self.matcher(node));
        fields.finish();
        Some(Among { filter: Box::new(filter?), count: count? })
    }

    fn jwt(&self, node: &Node) -> Option<JwtWant> {
        let mut fields = Fields::of(node, self.sink)?;
        let token = fields.required("token").map(|node| self.template(node));
        let verify = fields.take("verify").and_then(|node| self.sink.choice(node, &[("jwks", true)])).unwrap_or(false);
        let header = self.matchers(&mut fields, "header");
        let claims = self.matchers(&mut fields, "claims");
        let at_hash = fields.take("at_hash").map(|node| self.template(node));
        fields.finish();
        if !verify && header.is_empty() && claims.is_empty() && at_hash.is_none() {
            self.sink.add(&node.span, "say what the token has to be: verify = \"jwks\", header, claims or at_hash");
        }
        Some(JwtWant { token: token?, verify, header, claims, at_hash })
    }

    /// What the elements of a list have to be.
    fn elements(&self, node: &Node) -> Option<Elements> {
        let mut fields = Fields::of(node, self.sink)?;
        let of = fields.required("of").and_then(|node| self.sink.string(node)).map(str::to_owned);
        let filter = self.matchers(&mut fields, "where");
        let have = self.matchers(&mut fields, "have");
        let distinct = fields.string("distinct").map(str::to_owned);
        let count = self.matcher_of(&mut fields, "count");
        fields.finish();
        if have.is_empty() && distinct.is_none() && count.is_none() {
            self.sink.add(&node.span, "say what the elements have to be: have, distinct or count");
        }
        Some(Elements { of: of?, filter, have, distinct, count })
    }

    /// A template that is one variable and nothing else.
    fn variable(&self, node: &Node) -> Template {
        let template = self.template(node);
        if self.sink.string(node).is_some() && !matches!(template.parts(), [super::Part::Variable(_)]) {
            self.sink.add(&node.span, "expected a single variable: \"{x.code}\"");
        }
        template
    }

    /// A variable, or one with the bits that are enough for it.
    fn guessable(&self, node: &Node) -> Option<Guessable> {
        if !matches!(node.data, Data::Table(_)) {
            return Some(Guessable { value: self.variable(node), bits: None });
        }
        let mut fields = Fields::of(node, self.sink)?;
        let value = fields.required("value").map(|node| self.variable(node));
        let bits = fields.required("bits").and_then(|node| self.sink.whole(node, 1));
        fields.finish();
        Some(Guessable { value: value?, bits })
    }

    pub(super) fn matchers(&self, fields: &mut Fields<'_>, name: &'static str) -> Vec<(String, Matcher)> {
        let entries = fields.take(name).map_or(&[][..], |node| self.sink.entries(node));
        entries.iter().filter_map(|entry| Some((entry.key.clone(), self.matcher(&entry.value)?))).collect()
    }

    pub(super) fn matcher_of(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Matcher> {
        fields.take(name).and_then(|node| self.matcher(node))
    }

    /// A bare value, or a table with one condition.
    fn matcher(&self, node: &Node) -> Option<Matcher> {
        if !matches!(node.data, Data::Table(_)) {
            return Some(Matcher::Equals(self.scalar(node)));
        }
        let mut fields = Fields::of(node, self.sink)?;
        let optional = fields.flag("optional").unwrap_or(false);
        let dates = self.dates(&mut fields);
        let there = |flag: bool| if flag { Matcher::Present } else { Matcher::Absent };
        let (gte, lte) = (fields.take("gte"), fields.take("lte"));
        let range = (gte.is_some() || lte.is_some()).then(|| Matcher::Range {
            gte: gte.and_then(|node| self.sink.number(node)),
            lte: lte.and_then(|node| self.sink.number(node)),
        });
        let found: Vec<Option<Matcher>> = [
            fields.take("present").map(|node| self.sink.flag(node).map(there)),
            fields.take("absent").map(|node| self.sink.flag(node).map(|flag| there(!flag))),
            fields.take("matches").map(|node| self.regex(node)),
            fields.take("one_of").map(|node| self.one_of(node)),
            fields.take("contains").map(|node| Some(Matcher::Contains(self.scalar(node)))),
            fields.take("lacks").map(|node| Some(Matcher::Lacks(self.scalar(node)))),
            fields.take("includes").map(|node| Some(Matcher::Includes(self.scalar(node)))),
            fields.take("excludes").map(|node| Some(Matcher::Excludes(self.scalar(node)))),
            fields.take("octets").map(|node| self.sink.whole(node, 1).map(Matcher::Octets)),
            fields.take("bits").map(|node| self.sink.whole(node, 1).map(Matcher::Bits)),
            fields.take("unique").map(|node| self.sink.flag(node).filter(|flag| *flag).map(|_| Matcher::Unique)),
            dates.map(Some),
            fields.take("type").map(|node| self.sink.choice(node, &Kind::ALL).map(Matcher::Type)),
            fields.take("scopes").map(|node| Some(Matcher::Scopes(self.template(node)))),
            range.map(Some),
        ]
        .into_iter()
        .flatten()
        .collect();
        let before = self.sink.count();
        fields.finish();
        match found.len() {
            1 => {
                let found = found.into_iter().next().flatten();
                if optional { found.map(|matcher| Matcher::Optional(Box::new(matcher))) } else { found }
            }
            0 if self.sink.count() > before => None,
            0 => {
                self.sink.add(&node.span, "this matcher has no condition");
                None
            }
            _ => {
                self.sink.add(&node.span, "a matcher has one condition (gte and lte count as one)");
                None
            }
        }
    }

    /// `after`, `before` and `leeway`, which count as one condition.
    fn dates(&self, fields: &mut Fields<'_>) -> Option<Matcher> {
        let after = fields.take("after").map(|node| self.template(node));
        let before = fields.take("before").map(|node| self.template(node));
        let leeway = fields.entry("leeway").map(|entry| entry.span.clone());
        let span = leeway.clone();
        let leeway = fields.duration("leeway").unwrap_or_default();
        if after.is_none() && before.is_none() {
            if let Some(span) = span {
                self.sink.add(&span, "`leeway` widens `after` and `before`, and neither is there");
            }
            return None;
        }
        Some(Matcher::Dates { after, before, leeway })
    }

    fn regex(&self, node: &Node) -> Option<Matcher> {
        let text = self.sink.string(node)?;
        match regex::Regex::new(text) {
            Ok(regex) => Some(Matcher::Matches(regex)),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.sink.add(&node.span, format!("this regular expression cannot be read: {reason}"));
                None
            }
        }
    }

    fn one_of(&self, node: &Node) -> Option<Matcher> {
        let Data::Array(items) = &node.data else {
            self.sink.add(&node.span, format!("expected a list, found {}", node.describe()));
            return None;
        };
        if items.is_empty() {
            self.sink.add(&node.span, "nothing is one of nothing");
        }
        Some(Matcher::OneOf(items.iter().map(|item| self.scalar(item)).collect()))
    }

    fn outcome(&self, node: &Node, verb: &str) -> Option<Matcher> {
        match verb {
            "authorize" | "verify" => self.words_matcher(node, "outcome of the front channel", &FRONT_OUTCOMES),
            "drive" => self.words_matcher(node, "outcome of a client", &CLIENT_OUTCOMES),
            "" => {
                let both: Vec<&str> = FRONT_OUTCOMES.into_iter().chain(BACK_OUTCOMES).collect();
                self.words_matcher(node, "outcome", &both)
            }
            _ => self.words_matcher(node, "outcome of the back channel", &BACK_OUTCOMES),
        }
    }

    /// A word of a closed list, or `one_of` several.
    fn words_matcher(&self, node: &Node, what: &str, known: &[&str]) -> Option<Matcher> {
        let listed = match &node.data {
            Data::Table(entries) => entries.iter().find(|entry| entry.key == "one_of").map(|entry| &entry.value),
            _ => Some(node),
        };
        match listed {
            Some(words) => self.sink.strings(words).iter().for_each(|word| self.word(what, word, known)),
            None => self.sink.add(&node.span, "expected a word or { one_of = […] }"),
        }
        self.matcher(node)
    }
}
