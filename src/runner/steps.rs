//! What each kind of step does.

use std::time::Duration;

use super::answer::{self, Body, Outcome};
use super::build::{self, Parts, Ready};
use super::context::Unset;
use super::play::{Line, Play, Stop};
use super::record::Record;
use super::result::SkipCode;
use super::verify::user_action;
use super::way;
use crate::oauth::{Channel, Exchange};
use crate::scenario::{Action, Authorize, DEVICE_GRANT, Direct, Http, RequestStep, Same, Step, Verb, Verify, Wait};
use crate::target::login::{self, End, PAGE_LIMIT, Visit};
use crate::target::{Client, User};
use crate::wire::Browser;

impl<'a> Play<'a> {
    /// Performs a step, as often as it says.
    pub(super) async fn perform(&mut self, index: usize, step: &Step) -> Result<Vec<Record>, Stop> {
        if step.parallel > 1 {
            return self.race(index, step).await;
        }
        let mut records = Vec::new();
        for _ in 0..step.times.max(1) {
            records.push(self.perform_once(index, step).await?);
        }
        Ok(records)
    }

    /// Performs an action once. Controls come this way too, with the edits taken out.
    pub(super) async fn perform_once(&mut self, index: usize, step: &Step) -> Result<Record, Stop> {
        let label = label(step);
        match &step.action {
            Action::Authorize(authorize) => {
                let session = authorize.session.clone().unwrap_or_else(|| "main".into());
                let pushed = self.record_of(authorize.from.as_deref())?;
                self.authorize(index, &label, authorize, &session, pushed.as_ref()).await
            }
            Action::Request(request) => {
                let from = self.record_of(request.from.as_deref())?;
                self.request(index, &label, request, from.as_ref()).await
            }
            Action::Verify(verify) => {
                let device = self.device_of(verify)?;
                let session = verify.session.clone().unwrap_or_else(|| "main".into());
                self.verify(index, &label, verify, &device, &session).await
            }
            Action::Http(http) => self.http(index, &label, http).await,
            Action::Drive(drive) => self.drive(index, &label, drive).await,
            Action::Wait(wait) => self.wait(index, wait).await,
            Action::Alive(alive) => {
                let token = self.names.fill(&alive.token).map_err(|unset| self.unset(&unset))?;
                self.alive(index, &token).await
            }
            Action::GrantedScope { from } => self.granted_scope(index, from).await,
            Action::Same(same) => self.same(index, same),
        }
    }

    /// An authorization request, through login and consent: the one that was pushed, if one was.
    pub(super) async fn authorize(
        &mut self,
        index: usize,
        label: &str,
        step: &Authorize,
        session: &str,
        pushed: Option<&Record>,
    ) -> Result<Record, Stop> {
        let own = if pushed.is_none() && self.must_push(step)? { Some(self.push(index, label, step).await?) } else { None };
        let pushed = pushed.or(own.as_ref());
        let pusher = pushed.and_then(|pushed| pushed.client.clone());
        let client_name = if step.client.is_empty() { pusher.clone().unwrap_or_default() } else { step.client.clone() };
        let client = self.client(&client_name)?;
        let endpoint = self.endpoint("authorization")?;
        let ready = build::authorize(step, &client, &endpoint, pushed, &self.names, &mut self.chance);
        let ready = ready.map_err(|unset| self.unset(&unset))?;
        let mut redirect_uris: Vec<String> = client.redirect_uris.clone();
        redirect_uris.extend(ready.sent.all("redirect_uri").map(|uri| String::from_utf8_lossy(uri).into_owned()));
        let visit = Visit {
            user: self.user(step.user)?,
            action: user_action(step.login),
            redirect_uris,
            login: &self.ground.target.login,
            home: &self.ground.target.home,
            page_limit: PAGE_LIMIT,
            user_code: None,
        };
        self.stage.pace.wait().await;
        let mut browser = self.sessions.remove(session).unwrap_or_else(|| Browser::new(self.stage.wire.clone()));
        let journey = match self.page_of(step.resume.as_deref())? {
            Some(page) => login::resume(&mut browser, page, &visit).await,
            None => login::authorize(&mut browser, ready.request.clone(), &visit).await,
        };
        let way = way::look(&journey, &visit);
        self.sessions.insert(session.to_owned(), browser);
        let mut record = Record::new(index, answer::front_channel(&journey));
        let first = self.lines.len();
        for exchange in journey.exchanges {
            self.keep(label, exchange);
        }
        let at = match journey.end {
            End::Delivered { via, params, exchange, .. } => {
                record.delivered = params;
                record.via = Some(via.name());
                Some(exchange)
            }
            End::Shown { exchange, title } | End::Waiting { exchange, title, .. } => {
                record.note = Some(format!("page “{title}”"));
                Some(exchange)
            }
            End::Stuck { exchange, reason } => {
                record.note = Some(reason);
                exchange
            }
            End::Failed { exchange } => Some(exchange),
        };
        record.exchange = at.map(|at| first + at).filter(|at| *at < self.lines.len());
        record.sent_to = journey.sent_to;
        record.way = way;
        self.fill_from_exchange(&mut record);
        let foreign = pusher.is_some_and(|pusher| pusher != client_name);
        let unpushed = step.direct == Direct::Always && self.ground.target.requires_push();
        record.client = Some(client_name);
        record.redirect_uri = client_redirect(&ready);
        record.code_verifier = ready.code_verifier;
        record.scope = ready.sent.get("scope").map(std::borrow::Cow::into_owned);
        record.sent = ready.sent;
        record.edited = !step.edits.is_empty() || foreign || unpushed;
        self.tally.login(&record, step.login);
        if record.outcome == Outcome::Granted && !record.edited {
            self.held.insert(super::control::authorize_key(step, self.scenario));
        }
        Ok(record)
    }

    /// The exchange that brought the last page of an earlier step.
    fn page_of(&self, name: Option<&str>) -> Result<Option<Exchange>, Stop> {
        let record = self.record_of(name)?;
        let at = record.and_then(|record| record.exchange);
        Ok(at.and_then(|at| self.lines.get(at)).map(|line| line.exchange.clone()))
    }

    /// A back-channel request.
    pub(super) async fn request(
        &mut self,
        index: usize,
        label: &str,
        step: &RequestStep,
        from: Option<&Record>,
    ) -> Result<Record, Stop> {
        let (ready, record) = self.prepare(label, index, step, from)?;
        if matches!(step.verb, Verb::Token | Verb::Device) {
            self.stage.pace.wait().await;
        }
        let exchange = self.stage.wire.send(Channel::Back, ready.request).await;
        let record = self.received(label, record, exchange, step, from);
        if step.verb == Verb::Register && !record.edited && matches!(record.status, Some(401 | 403)) {
            let reason = "only those who hold an initial access token may register clients here";
            return Err(Stop::Skip(SkipCode::NotConfigured, reason.into()));
        }
        Ok(record)
    }

    fn prepare(&mut self, label: &str, index: usize, step: &RequestStep, from: Option<&Record>) -> Result<(Ready, Record), Stop> {
        if step.verb == Verb::Register {
            return self.prepare_registration(label, index, step);
        }
        let client_name = step.client.clone().or_else(|| from.and_then(|record| record.client.clone()));
        let client_name = client_name.or_else(|| needs_client(step.verb).then(|| self.first_client()).flatten());
        let client = client_name.as_deref().map(|name| self.client(name)).transpose()?;
        let endpoint = self.endpoint_of(step.verb)?;
        let token = step.token.as_ref().map(|token| self.names.fill(token)).transpose().map_err(|unset| self.unset(&unset))?;
        let grant = grant_of(step, from);
        let pushed = client.as_ref().filter(|_| step.verb == Verb::Par);
        let (form, code_verifier) = pushed
            .map(|client| {
                build::authorization(client, step.grant.as_deref().unwrap_or("authorization_code"), &step.pkce, &mut self.chance)
            })
            .unwrap_or_default();
        let client = client.as_ref();
        let parts = Parts { verb: step.verb, endpoint: &endpoint, client, grant, from, token, form, edits: &step.edits };
        let ready = build::back_channel(&parts, &self.names).map_err(|unset| self.unset(&unset))?;
        let mut record = Record::new(index, Outcome::None);
        record.code_verifier = code_verifier;
        record.sent = ready.sent.clone();
        record.scope = ready.sent.get("scope").map(std::borrow::Cow::into_owned);
        record.scope = record.scope.or_else(|| from.and_then(|from| from.scope.clone()));
        record.redirect_uri = from.and_then(|from| from.redirect_uri.clone());
        let foreign = step.client.is_some() && from.is_some_and(|from| from.client != step.client);
        record.edited = !step.edits.is_empty() || foreign;
        record.client = client_name;
        Ok((ready, record))
    }

    fn received(
        &mut self,
        label: &str,
        mut record: Record,
        exchange: Exchange,
        step: &RequestStep,
        from: Option<&Record>,
    ) -> Record {
        record.outcome = answer::back_channel(&exchange, body_due(step.verb));
        if step.verb == Verb::Register {
            record.registered = self.registered(label, &exchange).map(Box::new);
        }
        record.exchange = Some(self.keep(label, exchange));
        self.fill_from_exchange(&mut record);
        if step.verb == Verb::Jwks && record.json.is_some() {
            self.names.keys.clone_from(&record.json);
        }
        if record.outcome == Outcome::Accepted && !record.edited {
            self.held.insert(super::control::request_key(step, from, self.scenario));
        }
        record
    }

    /// The same request several times, released together.
    async fn race(&mut self, index: usize, step: &Step) -> Result<Vec<Record>, Stop> {
        if let Action::Drive(drive) = &step.action {
            return self.drive_together(index, &label(step), step, drive).await;
        }
        let Action::Request(request) = &step.action else {
            return Err(Stop::Error("only requests of the back channel, and of clients, can run in parallel".into()));
        };
        let from = self.record_of(request.from.as_deref())?;
        let mut ready = Vec::new();
        let mut blank = Vec::new();
        let label = label(step);
        for _ in 0..step.parallel {
            let (one, record) = self.prepare(&label, index, request, from.as_ref())?;
            ready.push(one.request);
            blank.push(record);
        }
        let exchanges = self.stage.wire.race(Channel::Back, ready).await;
        self.races += 1;
        let race = self.races;
        let mut records = Vec::new();
        for (record, exchange) in blank.into_iter().zip(exchanges) {
            let record = self.received(&label, record, exchange, request, from.as_ref());
            if let Some(line) = record.exchange.and_then(|at| self.lines.get_mut(at)) {
                line.race = Some(race);
            }
            records.push(record);
        }
        Ok(records)
    }

    async fn http(&mut self, index: usize, label: &str, step: &Http) -> Result<Record, Stop> {
        let url = self.names.fill(&step.url).map_err(|unset| self.unset(&unset))?;
        if !self.ground.target.home.contains(&url) {
            let reason = format!("{url} is not the target's; allow its host (--allow-host), if it is");
            return Err(Stop::Skip(SkipCode::NotConfigured, reason));
        }
        let headers = step.headers.iter().chain(&step.add_headers);
        let ready = build::raw(url.clone(), &step.method, headers, step.body.as_ref(), &self.names);
        let ready = ready.map_err(|unset| self.unset(&unset))?;
        let exchange = match &step.session {
            Some(name) => {
                let mut browser = self.sessions.remove(name).unwrap_or_else(|| Browser::new(self.stage.wire.clone()));
                let exchange = browser.send(ready.request).await;
                self.sessions.insert(name.clone(), browser);
                exchange
            }
            None => self.stage.wire.send(Channel::Back, ready.request).await,
        };
        let mut record = Record::new(index, answer::back_channel(&exchange, Body::Any));
        // A redirect is a fair answer to a raw request: whether it was wanted is for the checks to say.
        if exchange.response().is_some_and(|response| (300..400).contains(&response.status)) {
            record.outcome = Outcome::Accepted;
        }
        if let Some(response) = exchange.response() {
            self.ground.managed(&step.method, &url, response);
        }
        record.sent = ready.sent;
        record.edited = step.control.is_some();
        record.exchange = Some(self.keep(label, exchange));
        self.fill_from_exchange(&mut record);
        Ok(record)
    }

    async fn wait(&mut self, index: usize, wait: &Wait) -> Result<Record, Stop> {
        let span = self.span(wait)?;
        self.pass(span).await?;
        Ok(Record::new(index, Outcome::Accepted))
    }

    /// Lets time pass.
    pub(super) async fn pass(&mut self, span: Duration) -> Result<(), Stop> {
        if self.ground.advance(span).is_none() {
            if span > self.stage.max_wait {
                let (needs, most) = (span.as_secs_f64(), self.stage.max_wait.as_secs_f64());
                return Err(Stop::Skip(SkipCode::Wait, format!("would have to wait {needs} s; --max-wait is {most} s")));
            }
            // A real server's clock cannot be advanced. While it waits, its place is free for another scenario: all waits overlap.
            drop(self.place.take());
            tokio::time::sleep(span).await;
            self.place = std::sync::Arc::clone(&self.stage.places).acquire_owned().await.ok();
        }
        Ok(())
    }

    fn span(&self, wait: &Wait) -> Result<Duration, Stop> {
        /// How long a rotated refresh token may still work where nobody says (`Server traps`).
        const GRACE: Duration = Duration::from_secs(60);
        match wait {
            Wait::For(span) => Ok(*span),
            Wait::Interval { of, plus } => Ok(self.interval(of)? + *plus),
            Wait::Lifetime { of, plus } => {
                let grace = (of == "refresh_grace").then_some(GRACE);
                let tells = matches!(of.as_str(), "access_token" | "device_code" | "request_uri");
                let told = || tells.then(|| self.expires_in(of)).flatten();
                let known = self.ground.target.lifetimes.get(of).or_else(told);
                match known.or(grace) {
                    Some(lifetime) => Ok(lifetime + *plus),
                    None => {
                        Err(Stop::Skip(SkipCode::Wait, format!("lifetime of {of} is not known; set [server.lifetimes] {of}")))
                    }
                }
            }
        }
    }

    /// What responses said of the life of their `access_token`, `device_code` or `request_uri`.
    fn expires_in(&self, of: &str) -> Option<Duration> {
        let such = self.names.records.values().flatten().filter(|record| record.got(of).is_some());
        such.filter_map(|record| record.got("expires_in")?.as_u64()).max().map(Duration::from_secs)
    }

    fn same(&self, index: usize, same: &Same) -> Result<Record, Stop> {
        let mut records = Vec::new();
        for name in &same.of {
            let found = self.names.records.get(name).and_then(|records| records.last());
            records.push(found.ok_or_else(|| Stop::Error(format!("no result named {name}")))?);
        }
        let mut record = Record::new(index, Outcome::Accepted);
        if let Some((first, others)) = records.split_first() {
            record.exchange = others.first().and_then(|other| other.exchange);
            record.difference = others.iter().find_map(|other| self.difference(first, other, &same.parts));
        }
        Ok(record)
    }

    fn difference(&self, a: &Record, b: &Record, parts: &[String]) -> Option<String> {
        const COMPARED: [&str; 5] = ["content-type", "cache-control", "pragma", "www-authenticate", "location"];
        let normal = |text: &str| self.vault.volatile(text).to_string();
        for part in parts {
            match part.as_str() {
                "status" if a.status != b.status => return Some(format!("status {:?} and {:?}", a.status, b.status)),
                "headers" => {
                    for name in COMPARED {
                        let (one, other) = (a.headers.joined(name), b.headers.joined(name));
                        if one.as_deref().map(normal) != other.as_deref().map(normal) {
                            return Some(format!("header {name}: {} and {}", one.unwrap_or_default(), other.unwrap_or_default()));
                        }
                    }
                }
                "json" if normal(&a.body) != normal(&b.body) => return Some(format!("body {} and {}", a.body, b.body)),
                _ => {}
            }
        }
        None
    }

    /// Copies status, header fields and body of the record's exchange.
    pub(super) fn fill_from_exchange(&self, record: &mut Record) {
        let Some(Line { exchange, .. }) = record.exchange.and_then(|at| self.lines.get(at)) else { return };
        match &exchange.outcome {
            Ok(response) => {
                record.status = Some(response.status);
                record.headers = response.headers.clone();
                record.body = response.text().into_owned();
                record.json = response.json();
                if response.truncated {
                    record.note = Some("the body was cut".into());
                }
            }
            Err(failure) => record.note = Some(failure.to_string()),
        }
    }

    /// A client of the scenario, or one that a step has registered.
    pub(super) fn client(&self, name: &str) -> Result<Client, Stop> {
        let found = self.ground.clients.get(name).or_else(|| self.names.registered.get(name)).cloned();
        found.ok_or_else(|| match self.names.records.contains_key(name) {
            true => Stop::Skip(SkipCode::Assumption, format!("the step {name} registered no client")),
            false => Stop::Error(format!("no client named {name}")),
        })
    }

    /// A configured user; the first one where there are not so many.
    pub(super) fn user(&self, position: usize) -> Result<&'a User, Stop> {
        let ground: &'a super::ground::Ground = self.ground;
        let users = &ground.target.users;
        let none = || Stop::Skip(SkipCode::NotConfigured, "no user is configured ([[server.users]])".into());
        users.get(position).or_else(|| users.first()).ok_or_else(none)
    }

    pub(super) fn first_client(&self) -> Option<String> {
        self.scenario.clients.first().map(|(name, _)| name.clone())
    }

    pub(super) fn record_of(&self, name: Option<&str>) -> Result<Option<Record>, Stop> {
        let Some(name) = name else { return Ok(None) };
        let found = self.names.records.get(name).and_then(|records| records.last()).cloned();
        found.map(Some).ok_or_else(|| Stop::Error(format!("no result named {name}")))
    }

    /// The device authorization that a visit is about.
    pub(super) fn device_of(&self, verify: &Verify) -> Result<Record, Stop> {
        let found = self.record_of(Some(&verify.device))?;
        found.ok_or_else(|| Stop::Error(format!("no result named {}", verify.device)))
    }

    pub(super) fn unset(&self, unset: &Unset) -> Stop {
        Stop::Skip(SkipCode::Assumption, unset.to_string())
    }

    pub(super) fn endpoint(&self, name: &str) -> Result<String, Stop> {
        let found = self.ground.target.endpoints.get(name).map(str::to_owned);
        found.ok_or_else(|| Stop::Skip(SkipCode::NotOffered, format!("no {name} endpoint in metadata or configuration")))
    }

    fn endpoint_of(&self, verb: Verb) -> Result<String, Stop> {
        match verb {
            Verb::Token => self.endpoint("token"),
            Verb::Revoke => self.endpoint("revocation"),
            Verb::Introspect => self.endpoint("introspection"),
            Verb::Par => self.endpoint("pushed_authorization_request"),
            Verb::Register => self.endpoint("registration"),
            Verb::Userinfo => self.endpoint("userinfo"),
            Verb::Resource => self.endpoint("resource"),
            Verb::Jwks => self.endpoint("jwks"),
            Verb::Device => self.endpoint("device_authorization"),
            Verb::Metadata => {
                let url = self.ground.target.metadata_url.clone();
                url.ok_or_else(|| Stop::Skip(SkipCode::NotOffered, "the server publishes no metadata".into()))
            }
        }
    }
}

/// What the transcript calls a step.
pub(super) fn label(step: &Step) -> String {
    step.name.clone().unwrap_or_else(|| verb_word(&step.action).to_owned())
}

fn verb_word(action: &Action) -> &'static str {
    match action {
        Action::Authorize(_) => "authorize",
        Action::Request(request) => request_word(request.verb),
        Action::Verify(_) => "verify",
        Action::Http(_) => "http",
        Action::Drive(_) => "drive",
        Action::Wait(_) => "wait",
        Action::Alive(_) => "alive",
        Action::GrantedScope { .. } => "granted_scope",
        Action::Same(_) => "same",
    }
}

/// The word for a request in scenario files.
pub(super) fn request_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Token => "token",
        Verb::Revoke => "revoke",
        Verb::Introspect => "introspect",
        Verb::Par => "par",
        Verb::Register => "register",
        Verb::Userinfo => "userinfo",
        Verb::Resource => "resource",
        Verb::Metadata => "metadata",
        Verb::Jwks => "jwks",
        Verb::Device => "device",
    }
}

/// The grant type of a token request: as given, else by what it continues.
pub(super) fn grant_of<'a>(step: &'a RequestStep, from: Option<&Record>) -> &'a str {
    if let Some(grant) = &step.grant {
        return grant;
    }
    match from {
        Some(record) if !record.delivered.is_empty() => "authorization_code",
        Some(record) if record.got("device_code").is_some() => DEVICE_GRANT,
        Some(_) => "refresh_token",
        None => "client_credentials",
    }
}

fn needs_client(verb: Verb) -> bool {
    matches!(verb, Verb::Token | Verb::Revoke | Verb::Introspect | Verb::Par | Verb::Device)
}

fn body_due(verb: Verb) -> Body {
    match verb {
        Verb::Token | Verb::Introspect | Verb::Par | Verb::Register | Verb::Metadata | Verb::Jwks | Verb::Device => Body::Json,
        Verb::Revoke | Verb::Userinfo | Verb::Resource => Body::Any,
    }
}

fn client_redirect(ready: &Ready) -> Option<String> {
    ready.sent.get("redirect_uri").map(std::borrow::Cow::into_owned)
}
