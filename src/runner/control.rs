//! Controls: a refusal counts only where the same request without its edits worked in this scenario.

use std::time::Duration;

use super::answer::Outcome;
use super::play::{Play, Stop};
use super::record::{Record, text_of};
use super::steps::grant_of;
use super::verdict::Control;
use super::verify::{interval, led_on};
use crate::scenario::{
    Action, Authorize, DEVICE_GRANT, Direct, Edits, Login, RequestStep, Scenario, Step, Template, Typed, Verb, Verify, VerifyVia,
};

/// By how much a device waits longer after `slow_down` (RFC 8628 section 3.5).
const RAISE: Duration = Duration::from_secs(5);

impl Play<'_> {
    /// Whether the control of a refusal holds: an unedited request of the same kind worked already, or works now.
    pub(super) async fn control(&mut self, step: &Step, record: &Record) -> Control {
        if let Some(name) = named_control(&step.action) {
            return self.named(name);
        }
        match &step.action {
            Action::Authorize(authorize) => {
                let key = authorize_key(authorize, self.scenario);
                match self.settled(&key) {
                    Some(control) => control,
                    None => {
                        let tried = self.control_authorize(record.step, authorize).await;
                        self.settle(key, tried)
                    }
                }
            }
            Action::Request(request) if matches!(request.verb, Verb::Metadata | Verb::Jwks) => Control::Held,
            Action::Request(request) => {
                let from = self.record_of(request.from.as_deref()).ok().flatten();
                let key = request_key(request, from.as_ref(), self.scenario);
                match self.settled(&key) {
                    Some(control) => control,
                    None => {
                        let tried = self.control_request(record.step, request).await;
                        self.settle(key, tried)
                    }
                }
            }
            Action::Verify(verify) => {
                let key = verify_key(verify, self.scenario);
                match self.settled(&key) {
                    Some(control) => control,
                    None => {
                        let tried = self.control_verify(record.step, verify).await;
                        self.settle(key, tried)
                    }
                }
            }
            Action::Http(_)
            | Action::Drive(_)
            | Action::Wait(_)
            | Action::Alive(_)
            | Action::GrantedScope { .. }
            | Action::Same(_) => Control::Held,
        }
    }

    fn named(&self, name: &str) -> Control {
        let worked = |record: &Record| record.outcome.is_success();
        match self.names.records.get(name) {
            Some(records) if records.iter().any(worked) => Control::Held,
            Some(records) => {
                let seen = records.last().map(Record::summary).unwrap_or_default();
                Control::Failed(format!("step {name}, the control, was not accepted: {seen}"))
            }
            None => Control::Failed(format!("step {name}, the control, has not run")),
        }
    }

    /// What is known of a control already.
    fn settled(&self, key: &str) -> Option<Control> {
        if self.held.contains(key) {
            return Some(Control::Held);
        }
        self.broken.get(key).map(|reason| Control::Failed(reason.clone()))
    }

    /// Notes how a control came out.
    fn settle(&mut self, key: String, tried: Result<Record, Stop>) -> Control {
        let reason = match tried {
            Ok(record) if record.outcome.is_success() => {
                self.held.insert(key);
                return Control::Held;
            }
            Ok(record) => format!("the same request without its deviation was not accepted either: {}", record.summary()),
            Err(Stop::Skip(_, reason) | Stop::Error(reason)) => reason,
        };
        self.broken.insert(key, reason.clone());
        Control::Failed(reason)
    }

    async fn control_authorize(&mut self, index: usize, step: &Authorize) -> Result<Record, Stop> {
        let from = match &step.from {
            Some(name) => Some(Box::pin(self.again(name)).await?),
            None => None,
        };
        // A pushed request is its own client's: to use it as another one is the deviation.
        let client = if from.is_some() { String::new() } else { step.client.clone() };
        let (login, direct) = (Login::Approve, Direct::WhereAllowed);
        let right = Authorize { edits: Edits::default(), login, direct, client, resume: None, ..step.clone() };
        self.authorize(index, "control", &right, "control", from.as_ref()).await
    }

    async fn control_request(&mut self, index: usize, step: &RequestStep) -> Result<Record, Stop> {
        let from = match &step.from {
            Some(name) => Some(Box::pin(self.again(name)).await?),
            None => None,
        };
        // The client of the lineage is the right one: asking as another client is the deviation.
        let client = from.as_ref().and_then(|record| record.client.clone()).or_else(|| step.client.clone());
        let token = match step.verb {
            Verb::Userinfo | Verb::Resource => Some(literal(&Box::pin(self.fresh_token()).await?)),
            _ => step.token.clone(),
        };
        let right = RequestStep { edits: Edits::default(), client, token, ..step.clone() };
        match from.as_ref().filter(|record| grant_of(&right, Some(record)) == DEVICE_GRANT) {
            Some(device) => self.redeem_device(index, device, &right).await,
            None => self.request(index, "control", &right, from.as_ref()).await,
        }
    }

    /// Redeems a fresh device code, after the user has approved it.
    async fn redeem_device(&mut self, index: usize, device: &Record, right: &RequestStep) -> Result<Record, Stop> {
        let name = right.from.clone().unwrap_or_default();
        let approval = right_visit(&name);
        let visit = self.verify(index, "control", &approval, device, "control").await?;
        if !led_on(&visit) {
            return Ok(visit);
        }
        let first = self.request(index, "control", right, Some(device)).await?;
        if first.error().as_ref().map(text_of).as_deref() != Some("slow_down") {
            return Ok(first);
        }
        // Some servers count the interval from the moment when the codes were issued.
        self.pass(interval(device) + RAISE).await?;
        self.request(index, "control", right, Some(device)).await
    }

    /// A right visit with a fresh device; where nobody was asked, the tokens tell whether it worked.
    async fn control_verify(&mut self, index: usize, step: &Verify) -> Result<Record, Stop> {
        let device = Box::pin(self.again(&step.device)).await?;
        let visit = Verify { user: step.user, ..right_visit(&step.device) };
        let visited = self.verify(index, "control", &visit, &device, "control").await?;
        if visited.outcome == Outcome::Granted || !led_on(&visited) {
            return Ok(visited);
        }
        let right = RequestStep { from: Some(step.device.clone()), ..RequestStep::new(Verb::Token) };
        self.request(index, "control", &right, Some(&device)).await
    }

    /// Does a named step once more, as it was: its own edits belong to the lineage.
    async fn again(&mut self, name: &str) -> Result<Record, Stop> {
        let found = self.scenario.steps.iter().enumerate().find(|(_, step)| step.name.as_deref() == Some(name));
        let Some((index, step)) = found else { return Err(Stop::Error(format!("no step named {name}"))) };
        match &step.action {
            Action::Authorize(authorize) => {
                let from = match &authorize.from {
                    Some(name) => Some(Box::pin(self.again(name)).await?),
                    None => None,
                };
                self.authorize(index, "control", authorize, "control", from.as_ref()).await
            }
            Action::Request(request) => {
                let from = match &request.from {
                    Some(name) => Some(Box::pin(self.again(name)).await?),
                    None => None,
                };
                self.request(index, "control", request, from.as_ref()).await
            }
            _ => self.record_of(Some(name))?.ok_or_else(|| Stop::Error(format!("no result named {name}"))),
        }
    }

    /// A token of the scenario's first client, by whichever grant it has.
    async fn fresh_token(&mut self) -> Result<String, Stop> {
        let seen = self.witnesses.keys().next().cloned();
        if let Some(token) = seen {
            return Ok(token);
        }
        let name = self.first_client().ok_or_else(|| Stop::Error("the scenario has no client to get a token with".into()))?;
        let by_code = self.client(&name)?.grant_types.iter().any(|grant| grant == "authorization_code");
        let from = if by_code {
            let right = Authorize {
                client: name.clone(),
                from: None,
                direct: Direct::WhereAllowed,
                login: Login::Approve,
                session: None,
                user: 0,
                grant: "authorization_code".into(),
                pkce: "S256".into(),
                resume: None,
                edits: Edits::default(),
            };
            Some(self.authorize(0, "control", &right, "control", None).await?)
        } else {
            None
        };
        let right = RequestStep { client: Some(name), ..RequestStep::new(Verb::Token) };
        let record = self.request(0, "control", &right, from.as_ref()).await?;
        let token = record.got("access_token").filter(|_| record.outcome == Outcome::Accepted);
        token.as_ref().map(text_of).ok_or_else(|| Stop::Error(format!("no token to be had: {}", record.summary())))
    }
}

/// What makes two authorization requests the same but for their edits.
pub(super) fn authorize_key(step: &Authorize, scenario: &Scenario) -> String {
    let lineage = step.from.as_deref().map(|name| lineage(name, scenario));
    // The request is the pushed one's then, whoever uses it.
    let client = if lineage.is_some() { "" } else { &step.client };
    format!("authorize {client} {} {} {} {}", step.grant, step.pkce, step.user, lineage.unwrap_or_default())
}

/// What makes two back-channel requests the same but for their edits: kind, grant, and the lineage of what they continue.
pub(super) fn request_key(step: &RequestStep, from: Option<&Record>, scenario: &Scenario) -> String {
    let lineage = step.from.as_deref().map(|name| lineage(name, scenario)).unwrap_or_default();
    let client = from.and_then(|record| record.client.clone()).or_else(|| step.client.clone()).unwrap_or_default();
    format!("{:?} {} {client} {} {lineage}", step.verb, grant_of(step, from), step.pkce)
}

/// What makes two visits to the verification page the same but for the code and the user's answer.
pub(super) fn verify_key(step: &Verify, scenario: &Scenario) -> String {
    format!("verify {} {}", lineage(&step.device, scenario), step.user)
}

fn lineage(name: &str, scenario: &Scenario) -> String {
    let Some(step) = scenario.steps.iter().find(|step| step.name.as_deref() == Some(name)) else { return String::new() };
    match &step.action {
        Action::Authorize(authorize) => format!("{} {:?}", authorize_key(authorize, scenario), authorize.edits),
        Action::Request(request) => {
            let above = request.from.as_deref().map(|name| lineage(name, scenario)).unwrap_or_default();
            format!("{:?} {:?} {:?} {} {above}", request.verb, request.client, request.edits, request.pkce)
        }
        _ => name.to_owned(),
    }
}

fn named_control(action: &Action) -> Option<&str> {
    match action {
        Action::Authorize(authorize) => authorize.edits.control.as_deref(),
        Action::Request(request) => request.edits.control.as_deref(),
        Action::Http(http) => http.control.as_deref(),
        _ => None,
    }
}

/// A visit in which the user types the code and approves.
fn right_visit(device: &str) -> Verify {
    Verify {
        device: device.to_owned(),
        login: Login::Approve,
        session: None,
        user: 0,
        via: VerifyVia::Uri,
        typed: Typed::AsShown,
        code: None,
    }
}

fn literal(text: &str) -> Template {
    Template::parse(&text.replace('{', "{{").replace('}', "}}")).unwrap_or_default()
}
