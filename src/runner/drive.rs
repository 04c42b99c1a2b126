//! Steps that make a client under test do something, the misbehaviour of the mock meanwhile, and the plain logins before and after
//! that are the controls.

use std::borrow::Cow;

use super::answer::Outcome;
use super::evidence::{Evidence, form_of, got_token};
use super::play::{Play, Stop};
use super::record::Record;
use super::result::SkipCode;
use super::subject::{Driven, Launched, Site};
use crate::oauth::{Channel, Params, Request, Response};
use crate::policy::{Library, Patch, PolicySet};
use crate::scenario::{Cookies, Drive, DriveWhat, Edits, MockRealm, Part, Step, Template, UserDoes, filled, patches};
use crate::target::User;
use crate::target::config::DrivenKind;
use crate::target::driver::{Errand, Landing, ProgramEnd, Reaction, Stop as Until, go};
use crate::target::login::Action;
use crate::wire::Browser;

/// A program that waits for its authorization response.
pub(super) type Waiting = Option<Launched>;

/// A way of the browser: who goes, and where it ends.
#[derive(Clone, Copy)]
struct Trip<'t> {
    /// The position of the step.
    index: usize,
    /// The step in the transcript.
    label: &'t str,
    /// The browser session.
    session: &'t str,
    /// The user, by position.
    user: usize,
    /// What the user does at the mock.
    action: Action,
    /// Where it ends.
    until: Until,
    /// Whether success means that somebody is signed in by it.
    is_login: bool,
    /// Whether it brings the client something that its own login did not lead to.
    is_forged: bool,
}

impl Default for Trip<'_> {
    fn default() -> Self {
        let (action, until) = (Action::Approve, Until::AtThePage);
        Self { index: 0, label: "", session: "", user: 0, action, until, is_login: true, is_forged: false }
    }
}

impl<'a> Play<'a> {
    /// Makes ready for the steps: a plain run first, where an attack is to be judged, then the misbehaviour of the mock.
    pub(super) async fn prepare_client(&mut self) -> Result<(), Stop> {
        let Some(driven) = self.ground.driven.as_deref() else { return Ok(()) };
        self.sessions.clear();
        self.signed_in.clear();
        let own = self.misbehaviour(MockRealm::Own)?;
        let attacker = self.misbehaviour(MockRealm::Attacker)?;
        driven.realm.set_policies(PolicySet::strict());
        if !self.scenario.needs.fresh {
            driven.revive(&self.stage.wire).await.map_err(Stop::Error)?;
        }
        if self.is_attack() && !self.scenario.needs.fresh {
            self.control_login(driven, "before").await?;
        }
        driven.realm.set_policies(own);
        driven.attacker.set_policies(attacker);
        // A fresh client may ask for metadata and keys as soon as it starts: that belongs to what it did.
        self.began = (driven.realm.recorded(), driven.attacker.recorded());
        if self.scenario.needs.fresh {
            driven.restart(&self.stage.wire).await.map_err(Stop::Error)?;
        }
        Ok(())
    }

    /// A client that an attack has broken for good has not defended itself.
    pub(super) async fn leave_client(&mut self) -> Result<(), Stop> {
        let Some(driven) = self.ground.driven.as_deref() else { return Ok(()) };
        driven.realm.set_policies(PolicySet::strict());
        driven.attacker.set_policies(PolicySet::strict());
        self.waiting = None;
        let again = self.is_attack() && !self.scenario.needs.fresh && driven.kind == DrivenKind::Web;
        let works = if again { self.control_login(driven, "after").await } else { Ok(()) };
        self.overhear("afterwards", driven);
        driven.remember();
        if self.scenario.needs.fresh {
            // What it learned from changed documents is not for the next scenario.
            driven.stop(&self.stage.wire).await;
        }
        works
    }

    fn is_attack(&self) -> bool {
        self.scenario.checks().any(|check| check.want.client.defended)
    }

    async fn control_login(&mut self, driven: &'a Driven, when: &str) -> Result<(), Stop> {
        if driven.kind == DrivenKind::Web {
            return self.plain_login(driven, when).await.map_err(Stop::Error);
        }
        // A program is a new one each time: that it works has to be seen once in a run.
        let source = std::sync::Arc::clone(&driven.source);
        let seen = source.control.get_or_init(|| self.plain_login(driven, when)).await;
        seen.clone().map_err(Stop::Error)
    }

    /// A run on a mock that makes no mistake, in words; or why it does not work, and whether that is because nobody answers.
    pub(super) async fn plain_run(&mut self, driven: &'a Driven) -> Result<String, (String, bool)> {
        driven.realm.set_policies(PolicySet::strict());
        let trip = Trip { label: "preflight", session: "preflight", ..Trip::default() };
        let record = match self.log_in(driven, 1, &Edits::default(), &trip).await {
            Ok(record) => record,
            Err(Stop::Skip(_, reason) | Stop::Error(reason)) => return Err((reason, false)),
        };
        let hung = record.evidence.as_ref().is_some_and(|seen| seen.reaction == Reaction::Hung);
        let nobody = driven.kind == DrivenKind::Web && record.page.is_none() && !hung;
        match record.evidence {
            Some(seen) if seen.reaction == Reaction::Accepted && seen.redeemed > 0 => Ok(seen.summary()),
            Some(seen) => Err((format!("a plain run of the client does not work: {}", seen.summary()), nobody)),
            None => Err(("nothing was seen of a plain run of the client".into(), nobody)),
        }
    }

    async fn plain_login(&mut self, driven: &'a Driven, when: &str) -> Result<(), String> {
        let session = format!("control {when}");
        let trip = Trip { index: 0, label: &session, session: &session, ..Trip::default() };
        let edits = Edits::default();
        let seen = match self.log_in(driven, 1, &edits, &trip).await {
            Ok(record) => record.evidence,
            Err(Stop::Skip(_, reason) | Stop::Error(reason)) => return Err(format!("control failed: {reason}")),
        };
        match seen {
            Some(seen) if seen.reaction == Reaction::Accepted => Ok(()),
            Some(seen) => Err(format!("control failed: a plain login {when} the steps does not work: {}", seen.summary())),
            None => Err("control failed: nothing was seen of a plain login".into()),
        }
    }

    /// What the mock does of a realm while the steps run.
    fn misbehaviour(&self, realm: MockRealm) -> Result<PolicySet, Stop> {
        let mut all: Vec<Patch> = Vec::new();
        for setup in self.scenario.mock.iter().filter(|setup| setup.realm == realm) {
            for id in &setup.faults {
                all.push(Library::embedded().fault(id).map_err(|error| Stop::Error(error.to_string()))?.clone());
            }
            let unset = std::cell::RefCell::new(None);
            let fill = |text: &str| match Template::parse(text).map(|template| self.names.fill(&template)) {
                Ok(Ok(text)) => text,
                Ok(Err(error)) => {
                    *unset.borrow_mut() = Some(error);
                    String::new()
                }
                Err(_) => text.to_owned(),
            };
            let rules: Vec<serde_json::Value> = setup.rules.iter().map(|rule| typed(&filled(rule, &fill))).collect();
            if let Some(unset) = unset.into_inner() {
                return Err(self.unset(&unset));
            }
            let made = patches("scenario", &rules);
            all.extend(made.map_err(|problems| Stop::Error(problems.first().map(ToString::to_string).unwrap_or_default()))?);
        }
        PolicySet::new(&all).map_err(|error| Stop::Error(error.to_string()))
    }

    /// One `drive` step.
    pub(super) async fn drive(&mut self, index: usize, label: &str, step: &Drive) -> Result<Record, Stop> {
        let driven = self.driven()?;
        let session = step.session.clone().unwrap_or_else(|| "main".into());
        self.hand_cookies(&session, &step.cookies);
        let trip = trip(index, label, &session, step);
        if let DriveWhat::Login(_) = &step.what {
            return self.log_in(driven, step.issuer, &step.edits, &trip).await;
        }
        let request = self.request_of(driven, step)?;
        let from = driven.recorded();
        let landing = self.browse(driven, &trip, request).await;
        let mut record = self.landed(driven, landing, from, &trip).await;
        record.edited = matches!(step.what, DriveWhat::Open { .. });
        Ok(record)
    }

    /// The same step several times at once, in one session: as from several windows of one browser.
    pub(super) async fn drive_together(
        &mut self,
        index: usize,
        label: &str,
        step: &Step,
        drive: &Drive,
    ) -> Result<Vec<Record>, Stop> {
        let driven = self.driven()?;
        if matches!(drive.what, DriveWhat::Login(_)) {
            return Err(Stop::Error("a login cannot run in parallel: use `api` or `open`".into()));
        }
        let session = drive.session.clone().unwrap_or_else(|| "main".into());
        self.hand_cookies(&session, &drive.cookies);
        let trip = trip(index, label, &session, drive);
        let request = self.request_of(driven, drive)?;
        let from = driven.recorded();
        let browser = self.browser(&session);
        let requests = vec![browser.dressed(request); step.parallel as usize];
        self.sessions.insert(session.clone(), browser);
        let exchanges = self.stage.wire.race(Channel::Front, requests).await;
        let mut records = Vec::new();
        for exchange in exchanges {
            records.push(self.landed(driven, Landing::at(exchange), from, &trip).await);
        }
        Ok(records)
    }

    fn driven(&self) -> Result<&'a Driven, Stop> {
        let driven = self.ground.driven.as_deref();
        driven.ok_or_else(|| Stop::Skip(SkipCode::NotConfigured, "no client is under test".into()))
    }

    /// What the browser asks the client for.
    fn request_of(&self, driven: &Driven, step: &Drive) -> Result<Request, Stop> {
        let page = |name: &str, page: fn(&Site) -> Option<String>| {
            let found = driven.site.as_ref().and_then(page);
            found.ok_or_else(|| Stop::Skip(SkipCode::NotConfigured, format!("[client] has no {name}")))
        };
        match &step.what {
            DriveWhat::Open { url, at, host } => {
                let mut request = self.forged(url, at.as_ref(), &step.edits)?;
                if let (Some(host), Ok(mut url)) = (host, url::Url::parse(&request.url))
                    && url.set_host(Some(host)).is_ok()
                {
                    request.url = url.into();
                }
                Ok(request)
            }
            DriveWhat::Logout => self.edited_visit(&page("logout_url", |site| site.logout_url.clone())?, &step.edits),
            DriveWhat::Api | DriveWhat::Login(_) => {
                self.edited_visit(&page("api_url", |site| site.api_url.clone())?, &step.edits)
            }
        }
    }

    /// A login of the web application, or a run of the program.
    async fn log_in(&mut self, driven: &'a Driven, issuer: usize, edits: &Edits, trip: &Trip<'_>) -> Result<Record, Stop> {
        let from = driven.recorded();
        if let Some(site) = &driven.site {
            // It may have ended in an earlier step, over what came then.
            driven.revive(&self.stage.wire).await.map_err(Stop::Error)?;
            let Some(url) = site.start_urls.get(issuer.saturating_sub(1)) else {
                return Err(Stop::Skip(SkipCode::NotConfigured, "[[client.issuers]] names no further issuer".into()));
            };
            let landing = self.browse(driven, trip, self.edited_visit(url, edits)?).await;
            return Ok(self.landed(driven, landing, from, trip).await);
        }
        let Some(program) = &driven.program else {
            return Err(Stop::Skip(SkipCode::NotConfigured, "[client] has neither start_url nor command".into()));
        };
        let given = program.refresh_token(&driven.realm).map_err(Stop::Error)?;
        if let Some(token) = &given {
            self.vault.learn("refresh_token", token.as_bytes());
        }
        let mut running = program.start(given.as_deref()).map_err(Stop::Error)?;
        let opened = if driven.kind == DrivenKind::Script { None } else { running.opens(&driven.servers).await };
        let landing = match opened {
            Some(url) => {
                let mut landing = self.browse(driven, trip, Request::get(url.as_str())).await;
                landing.sent_to.insert(0, url);
                landing
            }
            None => Landing::default(),
        };
        self.waiting = Some(running);
        Ok(self.landed(driven, landing, from, trip).await)
    }

    async fn browse(&mut self, driven: &Driven, trip: &Trip<'_>, request: Request) -> Landing {
        let user = self.visitor(trip.user);
        let mut browser = self.browser(trip.session);
        let asks = |url: &str, asked: &Params| pin(driven, url, asked);
        let landing = go(&mut browser, errand(driven, &user, request, trip, &asks)).await;
        self.sessions.insert(trip.session.to_owned(), browser);
        landing
    }

    fn visitor(&self, user: usize) -> User {
        let users = &self.ground.target.users;
        let nobody = || User { username: String::new(), password: String::new() };
        users.get(user).or_else(|| users.first()).cloned().unwrap_or_else(nobody)
    }

    fn browser(&mut self, session: &str) -> Browser {
        self.sessions.remove(session).unwrap_or_else(|| Browser::new(self.stage.wire.clone()))
    }

    /// Gives a session the cookies that it goes on with.
    fn hand_cookies(&mut self, session: &str, cookies: &Cookies) {
        match cookies {
            Cookies::Own => {}
            Cookies::HttpOnly => {
                let mut browser = self.browser(session);
                browser.drop_readable();
                self.sessions.insert(session.to_owned(), browser);
            }
            Cookies::Of(name) => {
                let taken = self.names.records.get(name).and_then(|records| records.last()?.browser.as_deref().cloned());
                self.sessions.insert(session.to_owned(), taken.unwrap_or_else(|| Browser::new(self.stage.wire.clone())));
            }
        }
    }

    /// What came of an errand, as a record.
    async fn landed(&mut self, driven: &Driven, mut landing: Landing, from: (u64, u64), trip: &Trip<'_>) -> Record {
        let mut record = Record::new(trip.index, Outcome::None);
        let mut exchanges = std::mem::take(&mut landing.exchanges);
        let last = exchanges.pop();
        for exchange in exchanges {
            self.keep(trip.label, exchange);
        }
        // What the client asked the server stands before its own last answer.
        self.overhear(trip.label, driven);
        record.exchange = last.map(|exchange| self.keep(trip.label, exchange));
        self.fill_from_exchange(&mut record);
        record.sent = landing.asked.take().unwrap_or_default();
        if let Some(callback) = &landing.callback {
            record.delivered = callback.params.clone();
            record.via = Some(callback.via.name());
            record.callback = Some(callback.url.clone());
        }
        record.page_url.clone_from(&landing.page_url);
        record.page = landing.page.as_ref().map(|page| page.text().into_owned());
        record.sent_to.clone_from(&landing.sent_to);
        record.set_cookie = landing.set_cookie.join("\n");
        record.browser = self.sessions.get(trip.session).cloned().map(Box::new);
        record.journal_from = from;
        if trip.until == Until::BeforeTheCallback {
            record.outcome = if landing.callback.is_some() { Outcome::Granted } else { Outcome::Stuck };
            record.note = landing.elsewhere;
            return record;
        }
        let (reaction, words, visible) = match self.waiting.take() {
            Some(running) => {
                // Where the browser got no response to deliver, the program waits for what cannot come.
                let unread = landing.callback.as_ref().is_some_and(|callback| !callback.is_readable());
                let waits = trip.is_forged || unread || (landing.elsewhere.is_some() && landing.callback.is_none());
                let (end, still) = self.ended(driven, running, from, waits).await;
                self.waiting = still;
                record.body = end.output;
                let way = landing.elsewhere.take().map(|way| format!("{way}; ")).unwrap_or_default();
                (end.reaction, format!("{way}{}", end.words), true)
            }
            None => {
                let (reaction, words, visible) = self.reaction_of(driven, &landing, trip.is_login, from.0);
                let ended = if landing.page.is_none() { driven.ended().await } else { None };
                (reaction, ended.unwrap_or(words), visible)
            }
        };
        if landing.cut {
            // It gave no answer, and may still be about to ask for a token.
            tokio::time::sleep(driven.quiet).await;
        }
        self.overhear(trip.label, driven);
        let mut entries = driven.realm.journal_since(from.0);
        entries.extend(driven.attacker.journal_since(from.1));
        record.code_verifier = entries.iter().rev().find_map(|entry| form_of(entry).get("code_verifier").map(Cow::into_owned));
        let had_session = self.signed_in.contains(trip.session);
        if reaction == Reaction::Accepted && trip.is_login {
            self.signed_in.insert(trip.session.to_owned());
        }
        let evidence = Evidence::new(&entries, reaction, visible, words, had_session);
        record.outcome = match reaction {
            Reaction::Accepted => Outcome::Accepted,
            Reaction::Rejected => Outcome::Refused,
            Reaction::Crashed | Reaction::Unknown => Outcome::Broken,
            Reaction::Hung => Outcome::None,
        };
        record.note = Some(evidence.summary());
        record.evidence = Some(evidence);
        record
    }

    /// How a program ended. One that was given something forged, or nothing, may well go on waiting for what is right: it has refused what came,
    /// unless it asks for a token.
    async fn ended(&self, driven: &Driven, mut running: Launched, from: (u64, u64), waits: bool) -> (ProgramEnd, Waiting) {
        if !waits {
            return (running.end().await, None);
        }
        let asked = || driven.realm.journal_since(from.0).iter().any(|entry| entry.endpoint == "token");
        if running.ends_within(driven.quiet).await || asked() {
            return (running.end().await, None);
        }
        let words = format!("goes on waiting, {} ms after its answer", driven.quiet.as_millis());
        (ProgramEnd { reaction: Reaction::Rejected, words, output: running.output() }, Some(running))
    }

    /// What the last page of a web application means.
    fn reaction_of(&self, driven: &Driven, landing: &Landing, is_login: bool, from: u64) -> (Reaction, String, bool) {
        let success = driven.site.as_ref().map(|site| &site.success);
        let named = success.is_some_and(|success| success.status.is_some() || success.contains.is_some());
        if landing.hung {
            return (Reaction::Hung, "the client gave no answer in time".into(), named);
        }
        if landing.cut {
            let at = landing.page_url.as_deref().unwrap_or_default();
            return (Reaction::Crashed, format!("the client gave no answer at {at}"), named);
        }
        if let Some(elsewhere) = &landing.elsewhere {
            return (Reaction::Rejected, elsewhere.clone(), named);
        }
        let Some(page) = &landing.page else {
            return (Reaction::Unknown, "there was no page of the client".into(), named);
        };
        let words = format!("the client's page has status {}", page.status);
        if page.status >= 500 {
            return (Reaction::Crashed, words, named);
        }
        if !is_login {
            let fine = page.status < 400;
            return (if fine { Reaction::Accepted } else { Reaction::Rejected }, words, true);
        }
        if let Some(success) = success.filter(|_| named) {
            return match missed(success, page) {
                None => (Reaction::Accepted, words, true),
                Some(missed) => (Reaction::Rejected, format!("{words}{missed}"), true),
            };
        }
        let got = driven.realm.journal_since(from).iter().any(|entry| entry.endpoint == "token" && got_token(entry));
        let reaction = if page.status < 400 && got { Reaction::Accepted } else { Reaction::Rejected };
        (reaction, words, false)
    }
}

fn trip<'t>(index: usize, label: &'t str, session: &'t str, step: &Drive) -> Trip<'t> {
    let denies = matches!(step.what, DriveWhat::Login(UserDoes::Deny));
    Trip {
        index,
        label,
        session,
        user: step.user,
        action: if denies { Action::Deny } else { Action::Approve },
        until: if step.until_callback { Until::BeforeTheCallback } else { Until::AtThePage },
        is_login: matches!(step.what, DriveWhat::Login(_) | DriveWhat::Open { .. }),
        is_forged: matches!(&step.what, DriveWhat::Open { url, at, host }
            if at.is_some() || host.is_some() || !step.edits.is_empty() || !is_callback(url)),
    }
}

/// Whether a template is an authorization response of an earlier step, and nothing else.
fn is_callback(url: &Template) -> bool {
    matches!(url.parts(), [Part::Variable(path)] if path.last().is_some_and(|last| last == "callback"))
}

fn errand<'e>(
    driven: &'e Driven,
    user: &'e User,
    request: Request,
    trip: &Trip<'_>,
    asks: &'e (dyn Fn(&str, &Params) + Sync),
) -> Errand<'e> {
    Errand { request, servers: &driven.servers, site: &driven.home, user, action: trip.action, stop: trip.until, asks }
}

/// A client without a registered redirect URI: the first one on a loopback address that it sends is its own from then on.
///
/// Where it has one for each issuer, that is all the defence it needs against a mix-up (RFC 9700 section 4.4.2.2).
fn pin(driven: &Driven, url: &str, asked: &Params) {
    let Some(uri) = asked.get("redirect_uri").filter(|uri| is_loopback(uri)) else { return };
    for realm in [&driven.realm, &driven.attacker].into_iter().filter(|realm| url.starts_with(realm.issuer())) {
        for mut client in realm.clients() {
            if client.redirect_uris.is_empty() {
                client.redirect_uris.push(uri.clone().into_owned());
                realm.register(client);
            }
        }
    }
}

fn is_loopback(uri: &str) -> bool {
    let host = url::Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| matches!(host.as_str(), "127.0.0.1" | "[::1]" | "localhost"))
}

/// What a page lacks of how success looks.
fn missed(success: &crate::target::config::Success, page: &Response) -> Option<String> {
    if let Some(status) = success.status.filter(|status| *status != page.status) {
        return Some(format!(", and not {status} (`success`)"));
    }
    let text = success.contains.as_ref().filter(|text| !page.text().contains(text.as_str()))?;
    Some(format!(", without the words `{text}` (`success`)"))
}

/// Values that a variable stood for are text: where a number or flag is written in it, it is one.
fn typed(rule: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match rule {
        Value::String(text) => match text.strip_prefix("json:") {
            Some(json) => serde_json::from_str(json).unwrap_or_else(|_| rule.clone()),
            None => rule.clone(),
        },
        Value::Array(items) => items.iter().map(typed).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), typed(value))).collect(),
        other => other.clone(),
    }
}
