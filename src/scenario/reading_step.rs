//! Reading steps: their verbs, and the edits of their requests.

use std::time::Duration;

use toml::Spanned;

use super::reading::{Place, Reading, Role, StepNote};
use super::vocabulary::{LIFETIMES, SAME_PARTS};
use super::{
    Action, Alive, Auth, AuthEncoding, Authorize, Direct, Edits, Http, Json, Login, RequestStep, Same, Step, Template, Typed,
    Value, Verb, Verify, VerifyVia, Wait,
};
use crate::reader::{Data, Entry, Fields, Node};

/// The verbs that a step can have.
const VERBS: &[&str] = &[
    "authorize",
    "token",
    "revoke",
    "introspect",
    "par",
    "register",
    "userinfo",
    "resource",
    "metadata",
    "jwks",
    "device",
    "verify",
    "http",
    "drive",
    "wait",
    "alive",
    "granted_scope",
    "same",
];

/// Which edits a request can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Front,
    Back,
    /// The back channel, with a JSON body.
    Json,
}

/// What a verb's table holds beside what it does.
#[derive(Debug, Default)]
struct Common {
    name: Option<Spanned<String>>,
    times: Option<u32>,
    parallel: Option<u32>,
}

impl Reading<'_> {
    /// A step, as far as it can be read.
    pub(super) fn step(&self, index: usize, node: &Node) -> Step {
        self.place.set(Place::Step(index));
        let mut step = Step {
            span: node.span.clone(),
            action: Action::Wait(Wait::For(Duration::ZERO)),
            name: None,
            times: 1,
            parallel: 1,
            expect: Vec::new(),
            assume: Vec::new(),
            unjudged: false,
        };
        let mut note = StepNote { name: None, verb: "" };
        if let Some(mut fields) = Fields::of(node, self.sink) {
            let verb = self.verb(node, &mut fields);
            let mut common = Common::default();
            if let Some(entry) = verb {
                note.verb = VERBS.iter().find(|verb| **verb == entry.key).copied().unwrap_or_default();
                (step.action, common) = self.action(note.verb, entry);
            }
            step.times = self.many(&mut fields, "times", common.times);
            step.parallel = self.many(&mut fields, "parallel", common.parallel);
            step.name = common.name.as_ref().map(|name| name.get_ref().clone());
            note.name = common.name;
            self.place.set(Place::Check(index));
            step.assume = fields.take("assume").map_or_else(Vec::new, |node| self.checks(node, note.verb));
            step.expect = fields.take("expect").map_or_else(Vec::new, |node| self.checks(node, note.verb));
            fields.finish();
        }
        self.notes.borrow_mut().push(note);
        self.place.set(Place::Head);
        step
    }

    /// A string or table in its place: encoded later, as it is, or bytes.
    pub(super) fn value(&self, node: &Node) -> Value {
        if !matches!(node.data, Data::Table(_)) {
            return Value::Text(self.scalar(node));
        }
        let Some(mut fields) = Fields::of(node, self.sink) else { return Value::Text(Template::default()) };
        let raw = fields.take("raw").map(|node| Value::Raw(self.template(node)));
        let hex = fields.take("hex").map(|node| Value::Hex(self.hex(node)));
        let repeat = self.repeat(&mut fields);
        fields.finish();
        match (raw, hex, repeat) {
            (Some(value), None, None) | (None, Some(value), None) | (None, None, Some(value)) => value,
            _ => {
                let forms = "expected a string, { raw = \"…\" }, { hex = \"…\" } or { repeat = \"…\", times = N }";
                self.sink.add(&node.span, forms);
                Value::Text(Template::default())
            }
        }
    }

    /// Text that stands so many times over; the whole is kept below the largest body that servers are bothered with.
    fn repeat(&self, fields: &mut Fields<'_>) -> Option<Value> {
        const LARGEST: usize = 256 * 1024;
        let (text, times) = (fields.take("repeat"), fields.take("times"));
        let (text, times) = match (text, times) {
            (Some(text), Some(times)) => (text, times),
            (Some(node), None) | (None, Some(node)) => {
                self.sink.add(&node.span, "`repeat` and `times` go together");
                return None;
            }
            (None, None) => return None,
        };
        let (written, times) = (self.sink.string(text)?.to_owned(), self.sink.whole(times, 1)?);
        if written.is_empty() || written.len().saturating_mul(times as usize) > LARGEST {
            self.sink.add(&text.span, format!("the whole has to have 1 to {LARGEST} bytes"));
        }
        Some(Value::Repeat { text: written, times })
    }

    /// The verb of a step; what is wrong with it is said.
    fn verb<'n>(&self, node: &'n Node, fields: &mut Fields<'n>) -> Option<&'n Entry> {
        let mut found: Option<&Entry> = None;
        for name in VERBS {
            let Some(entry) = fields.entry(name) else { continue };
            match found {
                None => found = Some(entry),
                Some(first) => {
                    self.sink.add(&entry.span, format!("a step has one verb, and this one has `{}` and `{name}`", first.key));
                }
            }
        }
        // A misspelt verb is told as an unknown key already.
        let known = |entry: &Entry| matches!(entry.key.as_str(), "expect" | "assume" | "times" | "parallel");
        if found.is_none() && self.sink.entries(node).iter().all(known) {
            self.sink.add_with_help(fields.span(), "this step has no verb", format!("give it one of {}", VERBS.join(", ")));
        }
        found
    }

    fn many(&self, fields: &mut Fields<'_>, name: &'static str, inside: Option<u32>) -> u32 {
        let beside = fields.entry(name);
        if let (Some(entry), Some(_)) = (beside, inside) {
            self.sink.add(&entry.span, format!("`{name}` stands both here and in the verb's table"));
        }
        beside.and_then(|entry| self.sink.whole(&entry.value, 1)).or(inside).unwrap_or(1)
    }

    fn action(&self, verb: &'static str, entry: &Entry) -> (Action, Common) {
        let nothing = || (Action::Wait(Wait::For(Duration::ZERO)), Common::default());
        let Some(mut fields) = Fields::of(&entry.value, self.sink) else { return nothing() };
        let fields = &mut fields;
        let name = if matches!(verb, "same" | "wait") { None } else { fields.take("as").and_then(|node| self.name(node)) };
        let common = Common { name, times: fields.whole("times", 1), parallel: fields.whole("parallel", 1) };
        let action = match verb {
            "authorize" => Action::Authorize(Box::new(self.authorize(fields))),
            "token" => self.request(Verb::Token, fields),
            "revoke" => self.request(Verb::Revoke, fields),
            "introspect" => self.request(Verb::Introspect, fields),
            "par" => self.request(Verb::Par, fields),
            "register" => self.request(Verb::Register, fields),
            "userinfo" => self.request(Verb::Userinfo, fields),
            "resource" => self.request(Verb::Resource, fields),
            "metadata" => self.request(Verb::Metadata, fields),
            "jwks" => self.request(Verb::Jwks, fields),
            "device" => self.request(Verb::Device, fields),
            "verify" => Action::Verify(Box::new(self.verify(fields))),
            "http" => Action::Http(Box::new(self.http(fields))),
            "drive" => Action::Drive(Box::new(self.drive(fields))),
            "wait" => Action::Wait(self.wait(fields)),
            "alive" => Action::Alive(Alive { token: self.required_template(fields, "token") }),
            "granted_scope" => Action::GrantedScope { from: self.named_step(fields, "from", Role::Granted) },
            _ => Action::Same(self.same(fields)),
        };
        fields.check();
        (action, common)
    }

    fn authorize(&self, fields: &mut Fields<'_>) -> Authorize {
        let from = fields.entry("from").map(|entry| self.step_name(&entry.value, Role::Pushed));
        let direct = if fields.flag("direct").unwrap_or(false) { Direct::Always } else { Direct::WhereAllowed };
        let grants = [("authorization_code", "authorization_code"), ("implicit", "implicit")];
        let grant = fields.take("grant").and_then(|node| self.sink.choice(node, &grants)).unwrap_or("authorization_code");
        Authorize {
            client: self.client(fields, from.is_none()).unwrap_or_default(),
            from,
            direct,
            login: self.login(fields),
            session: fields.string("session").map(str::to_owned),
            user: fields.whole("user", 0).unwrap_or(0),
            grant: grant.to_owned(),
            pkce: self.pkce(fields),
            resume: fields.take("resume").map(|node| self.step_name(node, Role::Resumed)),
            edits: self.edits(fields, Channel::Front),
        }
    }

    fn pkce(&self, fields: &mut Fields<'_>) -> String {
        let words = [("S256", "S256"), ("plain", "plain"), ("none", "none")];
        fields.take("pkce").and_then(|node| self.sink.choice(node, &words)).unwrap_or("S256").to_owned()
    }

    fn login(&self, fields: &mut Fields<'_>) -> Login {
        let login = [("approve", Login::Approve), ("deny", Login::Deny), ("stop", Login::Stop)];
        fields.take("login").and_then(|node| self.sink.choice(node, &login)).unwrap_or(Login::Approve)
    }

    fn verify(&self, fields: &mut Fields<'_>) -> Verify {
        let via = [("uri", VerifyVia::Uri), ("complete", VerifyVia::Complete)];
        let typed = [("as-shown", Typed::AsShown), ("lower", Typed::Lower), ("bare", Typed::Bare)];
        Verify {
            device: self.named_step(fields, "device", Role::Device),
            login: self.login(fields),
            session: fields.string("session").map(str::to_owned),
            user: fields.whole("user", 0).unwrap_or(0),
            via: fields.take("via").and_then(|node| self.sink.choice(node, &via)).unwrap_or(VerifyVia::Uri),
            typed: fields.take("typed").and_then(|node| self.sink.choice(node, &typed)).unwrap_or(Typed::AsShown),
            code: fields.take("code").map(|node| self.value(node)),
        }
    }

    fn request(&self, verb: Verb, fields: &mut Fields<'_>) -> Action {
        let mut request = RequestStep::new(verb);
        match verb {
            Verb::Token => {
                request.from = fields.entry("from").map(|entry| self.step_name(&entry.value, Role::From));
                request.grant = fields.string("grant").map(str::to_owned);
                let alone = request.from.is_none();
                request.client = self.client(fields, alone);
                if alone && request.grant.is_none() {
                    let help = "name a step in `from`, or give a `grant`";
                    self.sink.add_with_help(fields.span(), "this token request redeems nothing", help);
                }
            }
            Verb::Revoke | Verb::Introspect => {
                request.client = self.client(fields, true);
                request.token = fields.take("token").map(|node| self.template(node));
            }
            Verb::Par => {
                request.client = self.client(fields, true);
                request.pkce = self.pkce(fields);
            }
            Verb::Device => request.client = self.client(fields, true),
            Verb::Userinfo | Verb::Resource => request.token = fields.take("token").map(|node| self.template(node)),
            Verb::Register | Verb::Metadata | Verb::Jwks => {}
        }
        request.edits = self.edits(fields, if verb == Verb::Register { Channel::Json } else { Channel::Back });
        self.token_is_said(&request, fields);
        Action::Request(Box::new(request))
    }

    /// Requests about a token say which, or leave it out by an edit.
    fn token_is_said(&self, request: &RequestStep, fields: &Fields<'_>) {
        let edits = &request.edits;
        let left_out = match request.verb {
            Verb::Revoke | Verb::Introspect => edits.unset.iter().any(|name| name == "token") || edits.body.is_some(),
            Verb::Userinfo | Verb::Resource => edits.auth.is_some(),
            Verb::Token | Verb::Par | Verb::Register | Verb::Metadata | Verb::Jwks | Verb::Device => true,
        };
        if request.token.is_none() && !left_out {
            self.sink.add(fields.span(), "`token` is missing");
        }
    }

    /// The client of a request. Where a scenario has only one, it need not be named.
    fn client(&self, fields: &mut Fields<'_>, needed: bool) -> Option<String> {
        if let Some(node) = fields.take("client") {
            let name = self.sink.string(node)?;
            self.use_client(node.span.clone(), name);
            return Some(name.to_owned());
        }
        if !needed {
            return None;
        }
        let clients = self.clients.borrow();
        match clients.as_slice() {
            [only] => {
                self.use_client(fields.span().clone(), only.get_ref());
                Some(only.get_ref().clone())
            }
            [] => {
                self.sink.add_with_help(
                    fields.span(),
                    "`client` is missing",
                    "declare it at the top: clients = { a = { grant = \"authorization_code\" } }",
                );
                None
            }
            _ => {
                self.sink.add(fields.span(), "`client` is missing: there are several");
                None
            }
        }
    }

    fn http(&self, fields: &mut Fields<'_>) -> Http {
        Http {
            url: self.required_template(fields, "url"),
            method: fields.string("method").unwrap_or("GET").to_owned(),
            headers: self.pairs(fields, "headers"),
            add_headers: fields.take("add_headers").map_or_else(Vec::new, |node| self.additions(node)),
            body: fields.take("body").map(|node| self.value(node)),
            session: fields.string("session").map(str::to_owned),
            control: fields.take("control").map(|node| self.step_name(node, Role::Control)),
        }
    }

    fn wait(&self, fields: &mut Fields<'_>) -> Wait {
        if let Some(node) = fields.take("interval") {
            let of = self.step_name(node, Role::Device);
            let plus = fields.take("plus").and_then(|node| self.sink.duration(node)).unwrap_or(Duration::ZERO);
            return Wait::Interval { of, plus };
        }
        let (lifetime, plus, span) = (fields.take("lifetime"), fields.take("plus"), fields.take("for"));
        let duration = |node: Option<&Node>| node.and_then(|node| self.sink.duration(node)).unwrap_or(Duration::ZERO);
        match (lifetime, plus, span) {
            (Some(node), plus, None) => {
                let of = self.sink.string(node).unwrap_or_default().to_owned();
                self.word("lifetime", &Spanned::new(node.span.clone(), of.clone()), &LIFETIMES);
                Wait::Lifetime { of, plus: duration(plus) }
            }
            (None, None, Some(span)) => Wait::For(duration(Some(span))),
            _ => {
                self.sink.add(
                    fields.span(),
                    "expected { lifetime = \"…\", plus = \"5s\" }, { interval = \"…\" } or { for = \"31s\" }",
                );
                Wait::For(Duration::ZERO)
            }
        }
    }

    fn same(&self, fields: &mut Fields<'_>) -> Same {
        let (of, also) = (fields.strings("of"), fields.strings("as"));
        let steps = if of.is_empty() { also } else { of };
        if steps.len() < 2 {
            self.sink.add(fields.span(), "name at least two steps to compare: of = [\"…\", \"…\"]");
        }
        for step in &steps {
            self.use_step(step.span(), step.get_ref(), Role::Compared);
        }
        let parts = fields.strings("in");
        parts.iter().for_each(|part| self.word("part", part, &SAME_PARTS));
        if parts.is_empty() {
            self.sink.add(fields.span(), "say what is compared: in = [\"status\", \"headers\", \"json\"]");
        }
        Same {
            of: steps.into_iter().map(Spanned::into_inner).collect(),
            parts: parts.into_iter().map(Spanned::into_inner).collect(),
        }
    }

    pub(super) fn edits(&self, fields: &mut Fields<'_>, channel: Channel) -> Edits {
        let mut edits = Edits {
            set: if channel == Channel::Json { Vec::new() } else { self.pairs(fields, "set") },
            members: if channel == Channel::Json { self.members(fields, "set") } else { Vec::new() },
            unset: fields.strings("unset").into_iter().map(Spanned::into_inner).collect(),
            add: fields.take("add").map_or_else(Vec::new, |node| self.additions(node)),
            method: fields.string("method").map(str::to_owned),
            headers: self.pairs(fields, "headers"),
            add_headers: fields.take("add_headers").map_or_else(Vec::new, |node| self.additions(node)),
            control: fields.take("control").map(|node| self.step_name(node, Role::Control)),
            ..Edits::default()
        };
        if channel == Channel::Front {
            for name in ["query", "auth", "content_type", "body", "chunked"] {
                if let Some(entry) = fields.entry(name) {
                    self.sink.add(&entry.span, format!("`{name}` is an edit of back-channel requests"));
                }
            }
            return edits;
        }
        if channel == Channel::Json
            && let Some(entry) = ["add", "auth"].iter().find_map(|name| fields.entry(name))
        {
            self.sink.add(&entry.span, format!("`{}` is no edit of a JSON body", entry.key));
        }
        edits.query = self.pairs(fields, "query");
        edits.auth = fields.take("auth").and_then(|node| self.auth(node));
        edits.content_type = fields.take("content_type").map(|node| self.value(node));
        edits.body = fields.take("body").map(|node| self.value(node));
        edits.chunked = fields.flag("chunked").unwrap_or(false);
        edits
    }

    fn pairs(&self, fields: &mut Fields<'_>, name: &'static str) -> Vec<(String, Value)> {
        let entries = fields.take(name).map_or(&[][..], |node| self.sink.entries(node));
        entries.iter().map(|entry| (entry.key.clone(), self.value(&entry.value))).collect()
    }

    /// Members of a JSON body; strings in them may hold variables.
    fn members(&self, fields: &mut Fields<'_>, name: &'static str) -> Vec<(String, Json)> {
        let entries = fields.take(name).map_or(&[][..], |node| self.sink.entries(node));
        entries.iter().map(|entry| (entry.key.clone(), self.json(&entry.value))).collect()
    }

    fn json(&self, node: &Node) -> Json {
        match &node.data {
            Data::Table(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), self.json(&entry.value))).collect())
            }
            Data::Array(items) => Json::Array(items.iter().map(|item| self.json(item)).collect()),
            Data::Integer(_) | Data::Float(_) | Data::Bool(_) => Json::Plain(node.to_json()),
            _ => Json::Text(self.template(node)),
        }
    }

    fn additions(&self, node: &Node) -> Vec<(String, Value)> {
        let wrong = |node: &Node| {
            self.sink.add(&node.span, "expected pairs: add = [[\"name\", \"value\"]]");
            None
        };
        let Data::Array(items) = &node.data else { return wrong(node).into_iter().collect() };
        let pair = |item: &Node| match &item.data {
            Data::Array(pair) if pair.len() == 2 => Some((self.sink.string(&pair[0])?.to_owned(), self.value(&pair[1]))),
            _ => wrong(item),
        };
        items.iter().filter_map(pair).collect()
    }

    fn auth(&self, node: &Node) -> Option<Auth> {
        if !matches!(node.data, Data::Table(_)) {
            let text = self.sink.string(node)?;
            let simple = match text {
                "basic" => Auth::Basic,
                "post" => Auth::Post,
                "both" => Auth::Both,
                "none" => Auth::None,
                _ => {
                    self.sink.add_with_help(
                        &node.span,
                        format!("unknown client authentication `{text}`"),
                        "`basic`, `post`, `both`, `none`, { id = …, secret = … } or { header = … }",
                    );
                    return None;
                }
            };
            return Some(simple);
        }
        let mut fields = Fields::of(node, self.sink)?;
        if let Some(header) = fields.take("header") {
            let header = self.value(header);
            fields.finish();
            return Some(Auth::Header(header));
        }
        let id = fields.required("id").map(|node| self.value(node));
        let secret = fields.required("secret").map(|node| self.value(node));
        let encodings = [("form", AuthEncoding::Form), ("raw", AuthEncoding::Raw)];
        let encode = fields.take("encode").and_then(|node| self.sink.choice(node, &encodings)).unwrap_or(AuthEncoding::Form);
        fields.finish();
        Some(Auth::Credentials { id: id?, secret: secret?, encode })
    }

    fn required_template(&self, fields: &mut Fields<'_>, name: &'static str) -> Template {
        fields.required(name).map_or_else(Template::default, |node| self.template(node))
    }

    fn named_step(&self, fields: &mut Fields<'_>, name: &'static str, role: Role) -> String {
        fields.required(name).map_or_else(String::new, |node| self.step_name(node, role))
    }

    fn step_name(&self, node: &Node, role: Role) -> String {
        let name = self.sink.string(node).unwrap_or_default();
        if !name.is_empty() {
            self.use_step(node.span.clone(), name, role);
        }
        name.to_owned()
    }

    fn hex(&self, node: &Node) -> Vec<u8> {
        let Some(text) = self.sink.string(node) else { return Vec::new() };
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        if digits.len() != text.chars().count() || !digits.len().is_multiple_of(2) {
            self.sink.add(&node.span, format!("{text:?} is no sequence of hexadecimal byte pairs"));
            return Vec::new();
        }
        digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
    }
}
