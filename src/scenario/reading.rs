//! Reading a scenario file: what is known around it, what is noted on the way for later validation, and its head (title, needs,
//! clients, cases). Steps and checks have files of their own.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::vocabulary::{ENDPOINTS, FEATURES, GRANTS, PLANS};
use super::{Action, Case, Cases, ClientNeed, InvalidTemplate, Needs, Scenario, Step, Template};
use crate::catalog::{Catalogue, Severity};
use crate::policy::Library;
use crate::problem::nearest;
use crate::reader::{Data, Entry, Fields, Node, Sink};

/// What names in a file can refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The requirements.
    pub(super) catalogue: &'a Catalogue,
    /// The faults; `None` where their names in the file are known to be right.
    pub(super) faults: Option<Faults<'a>>,
    /// Who wrote the file.
    pub(super) origin: Origin,
}

/// The faults that a file can name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Faults<'a> {
    /// Those of the mock.
    pub(super) library: &'a Library,
    /// The ids of those of the reference client.
    pub(super) of_clients: &'a [String],
}

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is built in: it must say what it catches.
    BuiltIn,
    /// A user.
    User,
}

/// Where in a scenario something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before any step.
    Head,
    /// In a value of the case of that position.
    Case(usize),
    /// In what the step of that position does.
    Step(usize),
    /// In a check of the step of that position, or in what is done with its result.
    Check(usize),
}

/// A name that is used.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) place: Place,
    pub(super) span: Range<usize>,
    pub(super) what: Used,
}

/// What is used by its name.
#[derive(Debug, Clone)]
pub(super) enum Used {
    /// `{a.b.c}`; inside a case value with the name of that value.
    Variable { path: Vec<String>, value: Option<String> },
    /// A client.
    Client(String),
    /// A step: which kinds may stand there, and what for.
    Step { name: String, role: Role },
}

/// What a step is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its code or refresh token is redeemed.
    From,
    /// Its device authorization is continued.
    Device,
    /// Its granted scope is looked at.
    Granted,
    /// The request that it pushed is used.
    Pushed,
    /// It is the control of a refusal.
    Control,
    /// Its answer is compared.
    Compared,
    /// Its last page is gone on with.
    Resumed,
}

/// What is noted of a step for validation.
#[derive(Debug, Clone)]
pub(super) struct StepNote {
    pub(super) name: Option<Spanned<String>>,
    /// `token`, `authorize`…; empty where there is none.
    pub(super) verb: &'static str,
}

/// A file while it is read.
pub(super) struct Reading<'a> {
    pub(super) sink: &'a Sink,
    pub(super) known: Known<'a>,
    pub(super) place: Cell<Place>,
    pub(super) value: RefCell<Option<String>>,
    pub(super) uses: RefCell<Vec<Use>>,
    pub(super) notes: RefCell<Vec<StepNote>>,
    pub(super) clients: RefCell<Vec<Spanned<String>>>,
    pub(super) case_values: RefCell<Vec<Vec<Spanned<String>>>>,
}

impl<'a> Reading<'a> {
    /// Nothing read yet.
    pub(super) fn new(sink: &'a Sink, known: Known<'a>) -> Self {
        Self {
            sink,
            known,
            place: Cell::new(Place::Head),
            value: RefCell::default(),
            uses: RefCell::default(),
            notes: RefCell::default(),
            clients: RefCell::default(),
            case_values: RefCell::default(),
        }
    }

    /// Reads the whole file. What is wrong stands in the sink; the result is good only if nothing does.
    pub(super) fn scenario(&self, id: &str, root: &Node) -> Option<Scenario> {
        let mut fields = Fields::of(root, self.sink)?;
        let title = fields.required("title").and_then(|node| self.sink.string(node)).unwrap_or_default().to_owned();
        let severity = fields.required("severity").and_then(|node| self.severity(node)).unwrap_or(Severity::Low);
        let why = fields.required("why").and_then(|node| self.sink.string(node)).unwrap_or_default().to_owned();
        let fix = fields.required("fix").and_then(|node| self.sink.string(node)).unwrap_or_default().to_owned();
        let needs = fields.take("needs").map_or_else(Needs::default, |node| self.needs(node));
        let clients = fields.take("clients").map_or_else(Vec::new, |node| self.client_needs(node));
        let catches = self.catches(&mut fields);
        let rounds = fields.whole("rounds", 1).unwrap_or(1);
        let of_clients: Vec<_> = ["mock", "passive"].into_iter().filter_map(|name| fields.entry(name)).collect();
        let mock = fields.take("mock");
        let passive = fields.flag("passive").unwrap_or(false);
        let cases = fields.take("cases").map_or(Cases::None, |node| self.cases(node));
        let steps = match fields.required("steps") {
            Some(node) => self.sink.one_or_many(node).iter().enumerate().map(|(index, node)| self.step(index, node)).collect(),
            None => Vec::new(),
        };
        let mock = mock.map_or_else(Vec::new, |node| self.mocks(node));
        let drives = steps.iter().any(|step: &Step| matches!(step.action, Action::Drive(_)));
        for entry in of_clients.into_iter().filter(|_| !drives) {
            self.sink.add(&entry.span, format!("`{}` is for client scenarios, and no step drives a client", entry.key));
        }
        fields.finish();
        let (id, source) = (id.to_owned(), Arc::clone(self.sink.source()));
        Some(Scenario { id, source, title, severity, why, fix, needs, clients, catches, rounds, mock, passive, cases, steps })
    }

    /// A string with variables, each of them noted as used.
    pub(super) fn template(&self, node: &Node) -> Template {
        self.sink.string(node).map_or_else(Template::default, |text| self.template_of(node, text))
    }

    /// The same for a string, number or flag, whose JSON text it becomes.
    pub(super) fn scalar(&self, node: &Node) -> Template {
        match &node.data {
            Data::Integer(_) | Data::Float(_) | Data::Bool(_) => Template::parse(&node.to_json().to_string()).unwrap_or_default(),
            _ => self.template(node),
        }
    }

    /// Notes that a client is used.
    pub(super) fn use_client(&self, span: Range<usize>, name: &str) {
        self.note_use(span, Used::Client(name.to_owned()));
    }

    /// Notes that a step is used.
    pub(super) fn use_step(&self, span: Range<usize>, name: &str, role: Role) {
        self.note_use(span, Used::Step { name: name.to_owned(), role });
    }

    /// A word of a closed list.
    pub(super) fn word(&self, what: &str, word: &Spanned<String>, known: &[&str]) {
        if !known.contains(&word.get_ref().as_str()) {
            self.sink.unknown(&word.span(), what, word.get_ref(), known);
        }
    }

    /// A severity.
    pub(super) fn severity(&self, node: &Node) -> Option<Severity> {
        let choices =
            [("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];
        self.sink.choice(node, &choices)
    }

    /// A name that can stand in `{name}`.
    pub(super) fn name(&self, node: &Node) -> Option<Spanned<String>> {
        self.name_with(node, "-_", "use letters, digits, hyphens and underscores")
    }

    /// A name that can stand in `id[case]` or `id#check`.
    pub(super) fn label(&self, node: &Node) -> Option<Spanned<String>> {
        self.name_with(node, "-_.:", "use letters, digits, hyphens, underscores, dots and colons")
    }

    fn name_with(&self, node: &Node, marks: &str, help: &str) -> Option<Spanned<String>> {
        let text = self.sink.string(node)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
        if text.is_empty() || !text.chars().all(plain) {
            self.sink.add_with_help(&node.span, format!("{text:?} is no name"), help);
        }
        Some(Spanned::new(node.span.clone(), text.to_owned()))
    }

    fn note_use(&self, span: Range<usize>, what: Used) {
        self.uses.borrow_mut().push(Use { place: self.place.get(), span, what });
    }

    fn template_of(&self, node: &Node, text: &str) -> Template {
        match Template::parse(text) {
            Ok(template) => {
                for path in template.variables() {
                    let span = self.find(node, &format!("{{{}}}", path.join(".")));
                    self.note_use(span, Used::Variable { path: path.to_vec(), value: self.value.borrow().clone() });
                }
                template
            }
            Err(InvalidTemplate { message, offset }) => {
                let rest = text.get(offset..).unwrap_or_default();
                self.sink.add_with_help(&self.find(node, rest), message, "write {{ or }} for a brace itself");
                Template::default()
            }
        }
    }

    /// Where a piece of a string stands in the file, or the whole string where escapes hide it.
    fn find(&self, node: &Node, piece: &str) -> Range<usize> {
        let written = self.sink.source().text.get(node.span.clone()).unwrap_or_default();
        match written.find(piece) {
            Some(at) if !piece.is_empty() => node.span.start + at..node.span.start + at + piece.len(),
            _ => node.span.clone(),
        }
    }

    fn catches(&self, fields: &mut Fields<'_>) -> Vec<Spanned<String>> {
        let found = fields.entry("catches");
        let catches = found.map_or_else(Vec::new, |entry| self.sink.strings(&entry.value));
        if catches.is_empty() && self.known.origin == Origin::BuiltIn {
            let span = found.map_or(fields.span(), |entry| &entry.span);
            self.sink.add_with_help(
                span,
                "this scenario catches no fault",
                "a check that cannot fail is no check: name faults in `catches`",
            );
        }
        let Some(faults) = self.known.faults else { return catches };
        for pattern in &catches {
            let of_clients = faults.of_clients.iter().any(|id| crate::policy::matches(pattern.get_ref(), id));
            if !of_clients && faults.library.faults_matching(pattern.get_ref()).next().is_none() {
                self.unknown_fault(faults, pattern);
            }
        }
        catches
    }

    fn unknown_fault(&self, faults: Faults<'_>, pattern: &Spanned<String>) {
        let (span, pattern) = (pattern.span(), pattern.get_ref().as_str());
        let message = format!("no fault is called `{pattern}`");
        let of_clients = faults.of_clients.iter().map(String::as_str);
        let ids: Vec<&str> = faults.library.faults().map(|fault| fault.id.as_str()).chain(of_clients).collect();
        let families: Vec<&str> = ids.iter().filter_map(|id| id.split_once('.')).map(|(family, _)| family).collect();
        if families.contains(&pattern) {
            self.sink.add_with_help(&span, message, format!("it is a family: write `{pattern}.*`"));
            return;
        }
        match nearest(pattern.trim_end_matches(".*"), ids.into_iter().chain(families)) {
            Some(near) => self.sink.add_with_help(&span, message, format!("did you mean `{near}`?")),
            None => self.sink.add(&span, message),
        }
    }

    fn needs(&self, node: &Node) -> Needs {
        let Some(mut fields) = Fields::of(node, self.sink) else { return Needs::default() };
        let needs = Needs {
            grant: self.grants(fields.strings("grant")),
            clients: fields.whole("clients", 1),
            endpoint: self.words("endpoint", fields.strings("endpoint"), &ENDPOINTS),
            feature: self.features(fields.strings("feature")),
            scopes: fields.whole("scopes", 1),
            tokens: fields.take("tokens").and_then(|node| self.sink.choice(node, &[("jwt", "jwt")])).map(str::to_owned),
            issuers: fields.whole("issuers", 1),
            users: fields.whole("users", 1),
            plan: self.words("plan", fields.strings("plan"), &PLANS),
            kind: self.words("kind of client", fields.strings("kind"), &["web", "native", "script"]),
            fresh: fields.flag("fresh").unwrap_or(false),
        };
        fields.finish();
        needs
    }

    pub(super) fn words(&self, what: &str, words: Vec<Spanned<String>>, known: &[&str]) -> Vec<String> {
        words.iter().for_each(|word| self.word(what, word, known));
        words.into_iter().map(Spanned::into_inner).collect()
    }

    fn grants(&self, grants: Vec<Spanned<String>>) -> Vec<String> {
        let plain = grants.iter().filter(|grant| !grant.get_ref().starts_with("urn:"));
        plain.for_each(|grant| self.word("grant", grant, &GRANTS));
        grants.into_iter().map(Spanned::into_inner).collect()
    }

    /// A user's configuration may claim features that nobody else knows; one that is nearly a known one is a slip.
    fn features(&self, features: Vec<Spanned<String>>) -> Vec<String> {
        for feature in &features {
            let slip = nearest(feature.get_ref(), FEATURES.iter().copied()).is_some();
            if self.known.origin == Origin::BuiltIn || slip {
                self.word("feature", feature, FEATURES);
            }
        }
        features.into_iter().map(Spanned::into_inner).collect()
    }

    fn client_needs(&self, node: &Node) -> Vec<(String, ClientNeed)> {
        let entries = self.sink.entries(node);
        let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let one = |entry: &Entry| {
            self.clients.borrow_mut().push(Spanned::new(entry.span.clone(), entry.key.clone()));
            (entry.key.clone(), self.client_need(entry, &names))
        };
        entries.iter().map(one).collect()
    }

    fn client_need(&self, entry: &Entry, names: &[&str]) -> ClientNeed {
        let Some(mut fields) = Fields::of(&entry.value, self.sink) else { return ClientNeed::default() };
        let choice = |node: Option<&Node>, choices: &[(&'static str, &'static str)]| {
            node.and_then(|node| self.sink.choice(node, choices)).map(str::to_owned)
        };
        let auth = [("secret", "secret"), ("basic", "basic"), ("post", "post"), ("none", "none")];
        let differs_from = fields.strings("differs_from").into_iter().next();
        if let Some(other) = &differs_from {
            if *other.get_ref() == entry.key {
                self.sink.add(&other.span(), "a client cannot differ from itself");
            }
            self.word("client", other, names);
        }
        let need = ClientNeed {
            auth: choice(fields.take("auth"), &auth),
            grant: self.grants(fields.strings("grant")),
            lacks_grant: self.grants(fields.strings("lacks_grant")).pop(),
            kind: choice(fields.take("kind"), &[("web", "web"), ("native", "native")]),
            differs_from: differs_from.map(Spanned::into_inner),
            may_introspect: fields.flag("may_introspect").unwrap_or(false),
            redirect_uris: fields.whole("redirect_uris", 1),
            redirect_query: fields.flag("redirect_query").unwrap_or(false),
            scopes: fields.whole("scopes", 1),
            scope: fields.string("scope").map(str::to_owned),
        };
        fields.finish();
        need
    }

    fn cases(&self, node: &Node) -> Cases {
        if let Data::Table(_) = node.data {
            return self.cases_from(node);
        }
        let mut cases: Vec<Case> = Vec::new();
        for (index, node) in self.sink.one_or_many(node).iter().enumerate() {
            self.case_values.borrow_mut().push(Vec::new());
            self.place.set(Place::Case(index));
            let Some(case) = self.case(index, node) else { continue };
            if cases.iter().any(|earlier| earlier.name == case.name) {
                self.sink.add(&node.span, format!("there is a case `{}` already", case.name));
            }
            cases.push(case);
        }
        self.place.set(Place::Head);
        Cases::Fixed(cases)
    }

    fn case(&self, index: usize, node: &Node) -> Option<Case> {
        let entries = self.sink.entries(node);
        let Some(name) = entries.iter().find(|entry| entry.key == "name") else {
            self.sink.add(&node.span, "`name` is missing");
            return None;
        };
        let name = self.label(&name.value)?.into_inner();
        let needs =
            entries.iter().find(|entry| entry.key == "needs").map_or_else(Needs::default, |entry| self.needs(&entry.value));
        let mut values = Vec::new();
        for entry in entries.iter().filter(|entry| !matches!(entry.key.as_str(), "name" | "needs")) {
            *self.value.borrow_mut() = Some(entry.key.clone());
            values.push((entry.key.clone(), self.value(&entry.value)));
            self.case_values.borrow_mut()[index].push(Spanned::new(entry.span.clone(), entry.key.clone()));
        }
        *self.value.borrow_mut() = None;
        Some(Case { name, needs, values })
    }

    fn cases_from(&self, node: &Node) -> Cases {
        let Some(mut fields) = Fields::of(node, self.sink) else { return Cases::None };
        let from = fields.required("from");
        let list = from.map_or_else(Template::default, |node| self.template(node));
        let single = matches!(list.parts(), [super::Part::Variable(path)] if path[0] == "metadata");
        if let Some(node) = from.filter(|_| !single) {
            let help = "write { from = \"{metadata.MEMBER}\", as = \"NAME\" }";
            self.sink.add_with_help(&node.span, "cases come from a list of the metadata", help);
        }
        let name = fields.required("as").and_then(|node| self.name(node));
        fields.finish();
        self.case_values.borrow_mut().push(name.iter().cloned().collect());
        Cases::From { list, name: name.map(Spanned::into_inner).unwrap_or_default() }
    }
}
