//! Reading what client scenarios have beside the rest: `mock`, `drive`, and checks of the journal.

use serde_json::Value;

use super::client::{ClientWant, Cookies, Drive, DriveWhat, JournalWant, MockRealm, MockSetup, PageWant, UserDoes};
use super::reading::{Reading, Role};
use super::reading_step::Channel;
use crate::policy::{Patch, PatchKind, When};
use crate::reader::{Data, Fields, Node};

impl Reading<'_> {
    /// How the mock misbehaves: one table or several.
    pub(super) fn mocks(&self, node: &Node) -> Vec<MockSetup> {
        self.sink.one_or_many(node).iter().filter_map(|node| self.mock(node)).collect()
    }

    fn mock(&self, node: &Node) -> Option<MockSetup> {
        let mut fields = Fields::of(node, self.sink)?;
        let realm = self.realm(&mut fields);
        let faults = fields.strings("faults");
        if let Some(known) = self.known.faults {
            for fault in &faults {
                if let Err(error) = known.library.fault(fault.get_ref()) {
                    self.sink.add(&fault.span(), error.to_string());
                }
            }
        }
        let patch = fields.take("patch");
        let rules: Vec<Value> =
            patch.map_or_else(Vec::new, |node| self.sink.one_or_many(node).iter().map(Node::to_json).collect());
        let variables = patch.is_some_and(|node| self.has_variables(node));
        if let Some(node) = patch.filter(|_| !variables) {
            // With variables in it a rule can be tried only when they have their values.
            if let Err(problems) = patches("mock", &unescaped(&rules)) {
                problems.iter().for_each(|problem| self.sink.add(&node.span, problem.to_string()));
            }
        }
        if faults.is_empty() && rules.is_empty() {
            self.sink.add(fields.span(), "this changes nothing: give `faults` or `patch`");
        }
        fields.finish();
        Some(MockSetup { realm, faults: faults.into_iter().map(toml::Spanned::into_inner).collect(), rules })
    }

    /// Whether a string below a node holds variables; they are noted as used.
    fn has_variables(&self, node: &Node) -> bool {
        match &node.data {
            Data::String(_) => self.template(node).variables().next().is_some(),
            // Every one of them is looked at, for its mistakes.
            Data::Array(items) => items.iter().filter(|item| self.has_variables(item)).count() > 0,
            Data::Table(entries) => entries.iter().filter(|entry| self.has_variables(&entry.value)).count() > 0,
            _ => false,
        }
    }

    fn realm(&self, fields: &mut Fields<'_>) -> MockRealm {
        let realms = [("own", MockRealm::Own), ("attacker", MockRealm::Attacker)];
        fields.take("realm").and_then(|node| self.sink.choice(node, &realms)).unwrap_or_default()
    }

    /// A `drive` step.
    pub(super) fn drive(&self, fields: &mut Fields<'_>) -> Drive {
        let logins = [("approve", UserDoes::Approve), ("deny", UserDoes::Deny)];
        let login = fields.take("login").and_then(|node| self.sink.choice(node, &logins)).map(DriveWhat::Login);
        let api = fields.flag("api").filter(|on| *on).map(|_| DriveWhat::Api);
        let logout = fields.flag("logout").filter(|on| *on).map(|_| DriveWhat::Logout);
        let at = fields.take("at").map(|node| self.template(node));
        let host = fields.string("host").map(str::to_owned);
        let open = fields.take("open").map(|node| DriveWhat::Open { url: self.template(node), at, host });
        let mut whats: Vec<DriveWhat> = [login, api, logout, open].into_iter().flatten().collect();
        if whats.len() != 1 {
            self.sink.add_with_help(
                fields.span(),
                "a `drive` does one thing",
                "login = \"approve\" or \"deny\", api = true, logout = true, or open = \"{x.callback}\"",
            );
        }
        let stops = [("callback", true)];
        Drive {
            what: whats.pop().unwrap_or(DriveWhat::Api),
            session: fields.string("session").map(str::to_owned),
            user: fields.whole("user", 0).unwrap_or(0),
            issuer: fields.whole("issuer", 1).unwrap_or(1),
            until_callback: fields.take("until").and_then(|node| self.sink.choice(node, &stops)).unwrap_or(false),
            cookies: self.cookies(fields),
            edits: self.edits(fields, Channel::Front),
        }
    }

    fn cookies(&self, fields: &mut Fields<'_>) -> Cookies {
        let Some(node) = fields.take("cookies") else { return Cookies::Own };
        match self.sink.string(node) {
            Some("http-only") => Cookies::HttpOnly,
            Some(name) => {
                self.use_step(node.span.clone(), name, Role::Compared);
                Cookies::Of(name.to_owned())
            }
            None => Cookies::Own,
        }
    }

    /// What a check wants of the client.
    pub(super) fn client_want(&self, fields: &mut Fields<'_>) -> ClientWant {
        ClientWant {
            defended: fields.flag("defended").unwrap_or(false),
            works: fields.flag("works").unwrap_or(false),
            copes: fields.flag("copes").unwrap_or(false),
            journal: fields.take("journal").and_then(|node| self.journal(node)),
            page: fields.take("page").and_then(|node| self.page(node)),
        }
    }

    fn page(&self, node: &Node) -> Option<PageWant> {
        let mut fields = Fields::of(node, self.sink)?;
        let want = PageWant {
            answered: fields.flag("answered"),
            raw_html_absent: fields.take("raw_html_absent").map(|node| self.template(node)),
            url: self.matcher_of(&mut fields, "url"),
            redirects: self.matcher_of(&mut fields, "redirects"),
            set_cookie: self.matcher_of(&mut fields, "set_cookie"),
        };
        let matchers = [&want.url, &want.redirects, &want.set_cookie];
        if want.answered.is_none() && want.raw_html_absent.is_none() && matchers.iter().all(|matcher| matcher.is_none()) {
            let help = "answered, raw_html_absent, url, redirects or set_cookie";
            self.sink.add_with_help(&node.span, "this wants nothing of the page", help);
        }
        fields.finish();
        Some(want)
    }

    fn journal(&self, node: &Node) -> Option<JournalWant> {
        let mut fields = Fields::of(node, self.sink)?;
        let endpoint = fields.strings("endpoint");
        endpoint.iter().for_each(|name| self.word("endpoint", name, &When::ENDPOINTS));
        let want = JournalWant {
            endpoint: endpoint.into_iter().map(toml::Spanned::into_inner).collect(),
            realm: self.realm(&mut fields),
            since: fields.take("since").map(|node| {
                let name = self.sink.string(node).unwrap_or_default();
                self.use_step(node.span.clone(), name, Role::Compared);
                name.to_owned()
            }),
            method: self.matcher_of(&mut fields, "method"),
            form: self.matchers(&mut fields, "form"),
            query: self.matchers(&mut fields, "query"),
            headers: self.matchers(&mut fields, "headers"),
            status: self.matcher_of(&mut fields, "status"),
            count: self.matcher_of(&mut fields, "count"),
            each: fields.flag("each").unwrap_or(false),
            distinct: fields.string("distinct").map(str::to_owned),
        };
        let ways = [want.each, want.count.is_some(), want.distinct.is_some()];
        if ways.into_iter().filter(|on| *on).count() > 1 {
            self.sink.add(&node.span, "`each`, `count` and `distinct` do not go together");
        }
        fields.finish();
        Some(want)
    }
}

/// The patches that rules make: one script.
///
/// # Errors
/// Every mistake in them.
pub fn patches(name: &str, rules: &[Value]) -> Result<Vec<Patch>, Vec<crate::problem::Problem>> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let file = serde_json::json!({ "scenario": { "patch": rules } });
    Patch::parse_json(PatchKind::Script, name, &file)
}

/// The rules as they will be once variables are filled in: doubled braces become single ones.
fn unescaped(rules: &[Value]) -> Vec<Value> {
    rules.iter().map(|rule| filled(rule, &|text| text.replace("{{", "{").replace("}}", "}"))).collect()
}

/// A JSON value with every string in it replaced.
#[must_use]
pub fn filled(value: &Value, fill: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(items) => items.iter().map(|item| filled(item, fill)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), filled(value, fill))).collect(),
        other => other.clone(),
    }
}
