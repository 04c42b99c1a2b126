//! Reads what is done to answers: `rewrite` and `respond`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use super::{Delivery, Respond, Rewrite, Tokens};
use crate::reader::{Entry, Fields, Node, Sink};

/// Fields that say where the body ends; the mock says it.
const OF_LENGTH: [&str; 2] = ["Content-Length", "Transfer-Encoding"];

/// Reads with this sink.
pub(super) struct Answers<'a>(pub(super) &'a Sink);

impl Answers<'_> {
    /// A defect of one answer.
    pub(super) fn rewrite(&self, node: &Node) -> Rewrite {
        let before = self.0.count();
        let mut rewrite = Rewrite::default();
        let Some(mut fields) = Fields::of(node, self.0) else { return rewrite };
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
            rewrite.of = self.0.choice(&entry.value, &kinds).unwrap_or_default();
            if rewrite.claims.is_empty() && rewrite.jws.is_empty() {
                self.0.add(&entry.span, "`of` says whose `claims` and `jws` are changed, and neither is there");
            }
        }
        rewrite.delivery = fields.take("bytes").map_or_else(Delivery::default, |node| self.delivery(node));
        let span = fields.span();
        fields.finish();
        if rewrite == Rewrite::default() && self.0.count() == before {
            self.0.add_with_help(span, "this rewrite changes nothing", "give it `message`, `claims`, `jws` or `bytes`");
        }
        rewrite
    }

    /// A literal answer.
    pub(super) fn respond(&self, node: &Node) -> Respond {
        let Some(mut fields) = Fields::of(node, self.0) else { return Respond::new(200) };
        let status = fields.take("status").and_then(|node| self.status(node, 200)).unwrap_or(200);
        let (text, json, hex) = (fields.entry("body"), fields.entry("json"), fields.entry("hex"));
        let given: Vec<&Entry> = [text, json, hex].into_iter().flatten().collect();
        if let [_, second, ..] = given.as_slice() {
            self.0.add(&second.span, "a body is one of `body`, `json` and `hex`");
        }
        let mut respond = match (text, json, hex) {
            (Some(text), ..) => Respond::new(status).body(self.0.string(&text.value).unwrap_or_default()),
            (_, Some(json), _) => Respond::json(status, &json.value.to_json()),
            (.., Some(hex)) => Respond::new(status).body(self.hex(&hex.value).unwrap_or_default()),
            (None, None, None) => Respond::new(status),
        };
        if let Some(body) = given.first().filter(|_| !respond.body.is_empty()) {
            self.check_body(&body.span, status);
        }
        let headers = self.headers(&mut fields);
        // What is said here goes before what follows from the body.
        respond.headers.retain(|(known, _)| !headers.iter().any(|(name, _)| known.eq_ignore_ascii_case(name)));
        respond.headers.extend(headers);
        respond.delivery = fields.take("bytes").map_or_else(Delivery::default, |node| self.delivery(node));
        fields.finish();
        respond
    }

    /// The member `headers`: fields that HTTP can carry; one with a list of values stands so often.
    fn headers(&self, fields: &mut Fields<'_>) -> Vec<(String, String)> {
        let entries = fields.take("headers").map_or(&[][..], |node| self.0.entries(node));
        let mut out = Vec::new();
        for entry in entries {
            out.extend(self.0.one_or_many(&entry.value).iter().filter_map(|value| self.header(entry, value)));
        }
        out
    }

    fn header(&self, entry: &Entry, node: &Node) -> Option<(String, String)> {
        let value = self.0.string(node)?;
        if entry.key.is_empty() || !entry.key.bytes().all(is_tchar) {
            self.0.add(&entry.span, format!("`{}` cannot name a header field (RFC 9110 section 5.1)", entry.key.escape_debug()));
        } else if OF_LENGTH.iter().any(|name| entry.key.eq_ignore_ascii_case(name)) {
            let help = "for a body that is shorter than announced, write bytes = { truncate = 10 }";
            self.0.add_with_help(&entry.span, format!("`{}` follows from the body", entry.key), help);
        }
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            self.0.add(&node.span, "a header field holds no control characters (RFC 9110 section 5.5)");
        }
        Some((entry.key.clone(), value.to_owned()))
    }

    /// No answer with these statuses has a body (RFC 9110 sections 15.3.5, 15.4.5).
    fn check_body(&self, span: &Range<usize>, status: u16) {
        if matches!(status, 204 | 304) {
            self.0.add(span, format!("an answer with status {status} has no body"));
        }
    }

    fn hex(&self, node: &Node) -> Option<Vec<u8>> {
        let text = self.0.string(node)?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()),
            _ => {
                self.0.add(&node.span, "expected pairs of hexadecimal digits: hex = \"00ff\"");
                None
            }
        }
    }

    fn status(&self, node: &Node, least: i64) -> Option<u16> {
        let status = self.0.whole::<u16>(node, least);
        if status.is_some_and(|status| status > 999) {
            self.0.add(&node.span, "a status has three digits");
        }
        status
    }

    fn delivery(&self, node: &Node) -> Delivery {
        let Some(mut fields) = Fields::of(node, self.0) else { return Delivery::default() };
        let delivery = Delivery {
            truncate: fields.whole("truncate", 0),
            delay: fields.duration("delay"),
            bandwidth: fields.whole("bandwidth", 1),
            reset: fields.flag("reset").unwrap_or(false),
            drop: fields.flag("drop").unwrap_or(false),
        };
        fields.finish();
        delivery
    }

    fn message(&self, node: &Node, rewrite: &mut Rewrite) {
        let Some(mut fields) = Fields::of(node, self.0) else { return };
        rewrite.status = fields.take("status").and_then(|node| self.status(node, 100));
        rewrite.headers = self.headers(&mut fields).into_iter().map(|(name, value)| (name, Some(value))).collect();
        rewrite.headers.extend(fields.strings("unset_headers").into_iter().map(|name| (name.into_inner(), None)));
        rewrite.members = self.merged(&mut fields, "members", "unset_members");
        if let Some(entry) = fields.entry("body") {
            rewrite.body = self.0.string(&entry.value).map(str::to_owned);
            if rewrite.body.as_ref().is_some_and(|body| !body.is_empty()) {
                self.check_body(&entry.span, rewrite.status.unwrap_or(200));
            }
        }
        fields.finish();
    }

    fn claims(&self, node: &Node) -> Map<String, Value> {
        let Some(mut fields) = Fields::of(node, self.0) else { return Map::new() };
        let claims = self.merged(&mut fields, "set", "unset");
        fields.finish();
        claims
    }

    /// Members that are set and members that are removed, as one map in which `null` removes.
    fn merged(&self, fields: &mut Fields<'_>, set: &'static str, unset: &'static str) -> Map<String, Value> {
        let entries = fields.take(set).map_or(&[][..], |node| self.0.entries(node));
        let mut members: Map<String, Value> = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
        for name in fields.strings(unset) {
            if members.insert(name.get_ref().clone(), Value::Null).is_some() {
                self.0.add(&name.span(), format!("`{}` is both set and unset", name.get_ref()));
            }
        }
        members
    }

    fn jws(&self, node: &Node) -> Map<String, Value> {
        let mut out = BTreeMap::new();
        let Some(mut fields) = Fields::of(node, self.0) else { return Map::new() };
        for name in ["alg", "kid", "typ"] {
            if let Some(text) = fields.string(name) {
                out.insert(name, Value::from(text));
            }
        }
        if let Some(node) = fields.take("header") {
            self.0.entries(node);
            out.insert("header", node.to_json());
        }
        if let Some(node) = fields.take("again") {
            self.0.entries(node);
            out.insert("again", node.to_json());
        }
        let signatures = [("none", "none"), ("flip", "flip"), ("other-key", "other-key"), ("empty-key", "empty-key")];
        if let Some(signature) = fields.take("signature").and_then(|node| self.0.choice(node, &signatures)) {
            out.insert("signature", Value::from(signature));
        }
        fields.finish();
        out.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A character of a token (RFC 9110 section 5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
