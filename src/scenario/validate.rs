//! What makes sense only when a scenario is seen as a whole: names that are used before they are there or never, refusals without a
//! possible control, deaths of tokens that were never seen alive.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::reading::{Place, Reading, Role, Use, Used};
use super::vocabulary::{ENDPOINTS, FORGERIES, OF_CLIENT, OF_JWT, OF_STEP, ROOTS, URI_PARTS};
use super::{Action, Auth, Cases, Check, Edits, Matcher, RequestStep, Scenario, Step, Template, Verb, Want};
use crate::problem::nearest;
use crate::reader::Sink;

/// Looks at a scenario that was read; what is wrong goes into the sink.
pub(super) fn validate(scenario: &Scenario, reading: &Reading<'_>, root: &Range<usize>) {
    let names = Names::new(scenario, reading);
    names.definitions();
    names.uses();
    names.unused();
    checks(scenario, reading.sink, root);
    for (index, step) in scenario.steps.iter().enumerate() {
        counts(scenario, step, reading.sink);
        users(scenario, step, reading.sink);
        step.expect.iter().for_each(|check| refusal(step, check, reading.sink));
        deaths(scenario, index, step, reading.sink);
    }
}

/// The names of a scenario: who defines them, and who uses them.
struct Names<'a> {
    scenario: &'a Scenario,
    sink: &'a Sink,
    uses: Vec<Use>,
    /// The steps with their names and verbs.
    steps: Vec<(Option<Spanned<String>>, &'static str)>,
    clients: Vec<Spanned<String>>,
    case_values: Vec<Vec<Spanned<String>>>,
}

impl<'a> Names<'a> {
    fn new(scenario: &'a Scenario, reading: &Reading<'a>) -> Self {
        Self {
            scenario,
            sink: reading.sink,
            uses: reading.uses.borrow().clone(),
            steps: reading.notes.borrow().iter().map(|note| (note.name.clone(), note.verb)).collect(),
            clients: reading.clients.borrow().clone(),
            case_values: reading.case_values.borrow().clone(),
        }
    }

    /// Names that stand twice, or for something else already.
    fn definitions(&self) {
        let mut seen: BTreeMap<&str, &str> = ROOTS.iter().map(|root| (*root, "a variable of its own")).collect();
        let steps = self.steps.iter().filter_map(|(name, _)| name.as_ref()).map(|name| (name, "a step"));
        for (name, what) in self.clients.iter().map(|name| (name, "a client")).chain(steps) {
            if let Some(other) = seen.insert(name.get_ref(), what) {
                self.sink.add(&name.span(), format!("`{}` is the name of {other} already", name.get_ref()));
            }
        }
    }

    fn uses(&self) {
        for one in &self.uses {
            match &one.what {
                Used::Client(name) => self.client(&one.span, name, one.place),
                Used::Step { name, role } => self.step(one, name, *role),
                Used::Variable { path, .. } => match one.place {
                    // Where a case value is used decides what is there by then.
                    Place::Case(_) => self.in_case(one, path),
                    place => self.variable(&one.span, path, place),
                },
            }
        }
    }

    /// Clients that no step uses, and values of cases that stand for nothing.
    fn unused(&self) {
        let used = |name: &str| {
            self.uses.iter().any(|one| match &one.what {
                Used::Client(client) => client == name,
                Used::Variable { path, .. } => path[0] == name,
                Used::Step { .. } => false,
            })
        };
        for client in self.clients.iter().filter(|client| !used(client.get_ref())) {
            self.sink.add(&client.span(), format!("no step uses the client `{}`", client.get_ref()));
        }
        for value in self.case_values.iter().flatten().filter(|value| !self.is_case_value_used(value.get_ref())) {
            self.sink.add(&value.span(), format!("{{case.{}}} is used nowhere", value.get_ref()));
        }
    }

    fn is_case_value_used(&self, name: &str) -> bool {
        self.uses.iter().any(
            |one| matches!(&one.what, Used::Variable { path, .. } if path.len() == 2 && path[0] == "case" && path[1] == name),
        )
    }

    /// A declared client, or one that an earlier step registers.
    fn client(&self, span: &Range<usize>, name: &str, place: Place) {
        let mut known: Vec<&str> = self.clients.iter().map(|client| client.get_ref().as_str()).collect();
        known.extend(self.earlier(place).into_iter().filter(|step| self.defined(step, place) == Some("register")));
        if !known.contains(&name) {
            self.sink.unknown(span, "client", name, &known);
        }
    }

    fn step(&self, one: &Use, name: &str, role: Role) {
        let Some(verb) = self.defined(name, one.place) else {
            let message = match self.steps.iter().any(|(other, _)| other.as_ref().is_some_and(|other| other.get_ref() == name)) {
                true => format!("the step `{name}` does not come before this one"),
                false => format!("no step is called `{name}`"),
            };
            let earlier = self.earlier(one.place);
            match nearest(name, earlier.iter().copied()) {
                Some(near) => self.sink.add_with_help(&one.span, message, format!("did you mean `{near}`?")),
                None => self.sink.add(&one.span, message),
            }
            return;
        };
        let (fits, wanted) = match role {
            Role::From => (matches!(verb, "authorize" | "token" | "device"), "an `authorize`, `token` or `device` step"),
            Role::Pushed => (verb == "par", "a `par` step"),
            Role::Device => (verb == "device", "a `device` step"),
            Role::Resumed => (verb == "authorize", "an `authorize` step"),
            Role::Granted => (matches!(verb, "authorize" | "token"), "an `authorize` or `token` step"),
            Role::Compared => (!matches!(verb, "alive" | "granted_scope"), "a step with an answer"),
            Role::Control => (!matches!(verb, "alive" | "granted_scope"), "a step with an answer"),
        };
        if !fits {
            self.sink.add(&one.span, format!("expected {wanted}, and `{name}` is `{verb}`"));
        }
    }

    /// The verb of the step of that name, if it has run by then.
    fn defined(&self, name: &str, place: Place) -> Option<&'static str> {
        let last = match place {
            Place::Head | Place::Case(_) => return None,
            Place::Step(index) => index,
            Place::Check(index) => index + 1,
        };
        let found = self.steps[..last.min(self.steps.len())].iter().rev();
        found.into_iter().find(|(other, _)| other.as_ref().is_some_and(|other| other.get_ref() == name)).map(|(_, verb)| *verb)
    }

    fn earlier(&self, place: Place) -> Vec<&str> {
        let names = self.steps.iter().filter_map(|(name, _)| name.as_ref()).map(|name| name.get_ref().as_str());
        names.filter(|name| self.defined(name, place).is_some()).collect()
    }

    /// A variable in a case value has to be there wherever the value is used.
    fn in_case(&self, one: &Use, path: &[String]) {
        let Used::Variable { value: Some(value), .. } = &one.what else { return };
        if path[0] == "case" {
            self.sink.add(&one.span, "a value of a case cannot refer to another");
            return;
        }
        let places = self.uses.iter().filter(|other| {
            !matches!(other.place, Place::Case(_))
                && matches!(&other.what, Used::Variable { path, .. } if path.len() == 2 && path[0] == "case" && path[1] == *value)
        });
        let first = places.map(|other| other.place).min_by_key(|place| match place {
            Place::Head | Place::Case(_) => 0,
            Place::Step(index) => 2 * index,
            Place::Check(index) => 2 * index + 1,
        });
        // A value that is used nowhere is told of elsewhere.
        if let Some(place) = first {
            self.variable(&one.span, path, place);
        }
    }

    fn variable(&self, span: &Range<usize>, path: &[String], place: Place) {
        let rest: Vec<&str> = path[1..].iter().map(String::as_str).collect();
        let root = path[0].as_str();
        match root {
            "attacker" | "issuer" | "now" | "openid_configuration" | "random" if rest.is_empty() => {}
            "now" if matches!(rest[..], [word, span] if word == "minus" && span.parse::<u32>().is_ok()) => {}
            "issuer" if matches!(rest[..], ["origin" | "path"]) => {}
            "issuer" => self.sink.add(span, "write {issuer}, {issuer.origin} or {issuer.path}"),
            "now" => self.sink.add(span, "write {now} or {now.minus.SECONDS}"),
            "openid_configuration" | "random" => self.sink.add(span, format!("{{{root}}} has no members")),
            "metadata" if rest.len() == 1 => {}
            "metadata" => self.sink.add(span, "write {metadata.MEMBER}"),
            "endpoint" => match rest[..] {
                [name] if ENDPOINTS.contains(&name) => {}
                [name] => self.sink.unknown(span, "endpoint", name, &ENDPOINTS),
                _ => self.sink.add(span, "write {endpoint.NAME}"),
            },
            "case" => self.case(span, &rest),
            "client" if self.scenario.is_about_clients() => self.of_client(span, root, &rest),
            name if self.clients.iter().any(|client| client.get_ref() == name) => self.of_client(span, name, &rest),
            name => match self.defined(name, place) {
                Some(_) => self.of_step(span, name, &rest, place),
                None => self.undefined(span, name, place),
            },
        }
    }

    fn undefined(&self, span: &Range<usize>, name: &str, place: Place) {
        if self.steps.iter().any(|(other, _)| other.as_ref().is_some_and(|other| other.get_ref() == name)) {
            self.sink.add(span, format!("the step `{name}` has not run yet here"));
            return;
        }
        let clients = self.clients.iter().map(|client| client.get_ref().as_str());
        let known: Vec<&str> = self.earlier(place).into_iter().chain(clients).chain(ROOTS.iter().copied()).collect();
        self.sink.unknown(span, "variable", name, &known);
    }

    fn case(&self, span: &Range<usize>, rest: &[&str]) {
        let [name] = rest else {
            self.sink.add(span, "write {case.NAME}");
            return;
        };
        if matches!(self.scenario.cases, Cases::None) {
            self.sink.add(span, "there are no cases");
            return;
        }
        let all: BTreeSet<&str> = self.case_values.iter().flatten().map(|value| value.get_ref().as_str()).collect();
        if !all.contains(name) {
            let known: Vec<&str> = all.into_iter().collect();
            self.sink.unknown(span, "value of a case", name, &known);
            return;
        }
        if let Cases::Fixed(cases) = &self.scenario.cases {
            let without = cases.iter().find(|case| !case.values.iter().any(|(value, _)| value == name));
            if let Some(case) = without {
                self.sink.add(span, format!("the case `{}` has no value `{name}`", case.name));
            }
        }
    }

    fn of_client(&self, span: &Range<usize>, client: &str, rest: &[&str]) {
        match rest {
            ["start_url", ..] if !self.scenario.is_about_clients() => {
                self.sink.add(span, "only a client under test has a start_url");
            }
            [name @ ("redirect_uri" | "redirect_uri_2" | "start_url"), part] if !URI_PARTS.contains(part) => {
                self.sink.unknown(span, &format!("part of {name}"), part, &URI_PARTS);
            }
            ["redirect_uri_2", ..] if rest.len() <= 2 => {
                let need = self.scenario.clients.iter().find(|(name, _)| name == client);
                if need.is_none_or(|(_, need)| need.redirect_uris.is_none_or(|count| count < 2)) {
                    let help = format!("say so: {client} = {{ redirect_uris = 2, … }}");
                    self.sink.add_with_help(span, format!("the client `{client}` need not have a second redirect URI"), help);
                }
            }
            ["redirect_uri" | "start_url"] | ["redirect_uri" | "start_url", _] => {}
            [name] if OF_CLIENT.contains(name) => {}
            [name] => self.sink.unknown(span, "variable of a client", name, &OF_CLIENT),
            _ => self.sink.add(span, format!("write {{{client}.client_id}}, {{{client}.redirect_uri}} or the like")),
        }
    }

    fn of_step(&self, span: &Range<usize>, step: &str, rest: &[&str], place: Place) {
        let right = match rest {
            [name] => !OF_STEP.contains(name),
            [kind, _] if OF_STEP.contains(kind) => true,
            [_, forgery] => return self.forgery(span, forgery, place),
            [kind, part, _] => !OF_STEP.contains(kind) && OF_JWT.contains(part),
            _ => false,
        };
        if !right {
            let help = format!(
                "write {{{step}.sent.NAME}}, {{{step}.got.NAME}}, {{{step}.headers.NAME}}, {{{step}.status}} or {{{step}.NAME}}"
            );
            self.sink.add_with_help(span, format!("this is no part of what came of `{step}`"), help);
        }
    }

    /// What is made of a token that came back.
    fn forgery(&self, span: &Range<usize>, word: &str, place: Place) {
        if !FORGERIES.contains(&word) {
            self.sink.unknown(span, "way to forge a token", word, &FORGERIES);
        }
        let last = match place {
            Place::Head | Place::Case(_) => 0,
            Place::Step(index) | Place::Check(index) => index,
        };
        if word == "hmac" && !self.steps[..last.min(self.steps.len())].iter().any(|(_, verb)| *verb == "jwks") {
            self.sink.add_with_help(
                span,
                "this is made with a published key, and none is known here",
                "put a step before it: jwks = {}",
            );
        }
    }
}

/// Checks that are called the same, and scenarios without any.
fn checks(scenario: &Scenario, sink: &Sink, root: &Range<usize>) {
    let mut seen = BTreeSet::new();
    let all = scenario.steps.iter().flat_map(|step| &step.expect);
    for check in all.clone() {
        if !seen.insert(check.name.as_str()) {
            sink.add(&check.span, format!("there is a check `{}` already", check.name));
        }
    }
    if scenario.steps.is_empty() && sink.count() == 0 {
        sink.add(&(root.start..root.start), "this scenario has no steps");
    } else if all.count() == 0 && sink.count() == 0 {
        sink.add(&(root.start..root.start), "this scenario expects nothing");
    }
}

/// Checks over several results, and steps that can be released together.
fn counts(scenario: &Scenario, step: &Step, sink: &Sink) {
    let several = step.times > 1 || step.parallel > 1 || scenario.rounds > 1;
    for check in &step.expect {
        let want = &check.want;
        let over =
            [(want.among.is_some(), "among"), (want.distinct.is_some(), "distinct"), (want.guessable.is_some(), "guessable")];
        if let Some((_, name)) = over.iter().find(|(given, _)| *given && !several) {
            sink.add_with_help(
                &check.span,
                format!("`{name}` is about several results, and there is one"),
                "give the step `times` or `parallel`, or the scenario `rounds`",
            );
        }
    }
    for check in &step.assume {
        let want = &check.want;
        if want.among.is_some() || want.distinct.is_some() || want.guessable.is_some() {
            sink.add(&check.span, "this can be expected, not assumed");
        }
    }
    if step.parallel > 1 && step.times > 1 {
        sink.add(&step.span, "a step is done `times` after another or in `parallel`, not both");
    }
    let direct = match &step.action {
        Action::Request(_) => true,
        Action::Drive(drive) => !matches!(drive.what, super::DriveWhat::Login(_)),
        _ => false,
    };
    if step.parallel > 1 && !direct {
        sink.add(&step.span, "only requests of the back channel, and pages of a client, can be released in parallel");
    }
}

/// A further user has to be asked for.
fn users(scenario: &Scenario, step: &Step, sink: &Sink) {
    let user = match &step.action {
        Action::Authorize(authorize) => authorize.user,
        Action::Verify(verify) => verify.user,
        _ => return,
    };
    let enough = |users: Option<usize>| users.is_some_and(|count| count > user);
    let by_case = matches!(&scenario.cases, Cases::Fixed(cases) if cases.iter().any(|case| enough(case.needs.users)));
    if user > 0 && !enough(scenario.needs.users) && !by_case {
        let help = format!("say needs = {{ users = {} }}", user + 1);
        sink.add_with_help(&step.span, format!("there may be no user {user}"), help);
    }
}

/// A refusal proves something only where the same request works without its edits.
fn refusal(step: &Step, check: &Check, sink: &Sink) {
    if !expects_refusal(&check.want) || step_control(&step.action).is_some() {
        return;
    }
    let name_it = "name the step in which the same thing works: control = \"…\"";
    match &step.action {
        Action::Http(_) => {
            sink.add_with_help(&check.span, "a refused `http` request proves nothing without a `control`", name_it);
        }
        Action::Request(request) if cannot_derive(&request.edits) => {
            let what = if request.edits.body.is_some() { "body" } else { "auth.header" };
            sink.add_with_help(
                &check.span,
                format!("a refusal of a request with `{what}` proves nothing without a `control`"),
                name_it,
            );
        }
        Action::Request(request) if is_right(request) => {
            sink.add_with_help(&check.span, "this request has no edit: its refusal proves nothing without a `control`", name_it);
        }
        _ => {}
    }
}

/// Whether nothing but a refusal will do.
fn expects_refusal(want: &Want) -> bool {
    const REFUSALS: [&str; 3] = ["refused", "denied", "shown"];
    let refused = |template: &Template| template.literal().is_some_and(|word| REFUSALS.contains(&word.as_str()));
    match &want.outcome {
        Some(Matcher::Equals(word)) => refused(word),
        Some(Matcher::OneOf(words)) => words.iter().all(refused),
        Some(_) => false,
        None => want.error.as_ref().is_some_and(|matcher| !matches!(matcher, Matcher::Absent)),
    }
}

fn step_control(action: &Action) -> Option<&str> {
    match action {
        Action::Authorize(authorize) => authorize.edits.control.as_deref(),
        Action::Request(request) => request.edits.control.as_deref(),
        Action::Http(http) => http.control.as_deref(),
        _ => None,
    }
}

fn cannot_derive(edits: &Edits) -> bool {
    matches!(edits.auth, Some(Auth::Header(_))) || edits.body.is_some()
}

/// Whether a request is right in itself: the control that could be derived of it is the very same request.
fn is_right(request: &RequestStep) -> bool {
    let own = matches!(request.verb, Verb::Token | Verb::Revoke | Verb::Introspect | Verb::Par | Verb::Register | Verb::Device);
    own && request.from.is_none() && request.edits.is_empty()
}

/// A token's death counts only after it was seen alive.
fn deaths(scenario: &Scenario, index: usize, step: &Step, sink: &Sink) {
    let Action::Alive(alive) = &step.action else { return };
    let expects =
        |step: &Step, wanted: bool| step.expect.iter().chain(&step.assume).any(|check| check.want.alive == Some(wanted));
    let seen = scenario.steps[..index]
        .iter()
        .any(|earlier| matches!(&earlier.action, Action::Alive(other) if other.token == alive.token) && !expects(earlier, false));
    for check in step.expect.iter().filter(|check| check.want.alive == Some(false) && !seen) {
        let help = format!("put a step before it: alive = {{ token = \"{}\" }}", alive.token);
        sink.add_with_help(&check.span, "a token's death proves nothing where it was never seen alive", help);
    }
}
