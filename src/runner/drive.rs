//! Steps that make a client under test do something, the misbehaviour of the mock meanwhile, and the plain logins before and after
//! that are the controls.

use std::borrow::Cow;

use super::answer::Outcome;
use super::evidence::{Evidence, form_of, query_of, value_of};
use super::play::{Play, Stop};
use super::record::Record;
use super::result::SkipCode;
use super::subject::{Driven, Launched};
use crate::mock::Entry;
use crate::oauth::{Params, Request, Response};
use crate::policy::{Library, Patch, PolicySet};
use crate::scenario::{Drive, DriveWhat, JournalWant, MockRealm, Template, UserDoes, filled, patches};
use crate::target::User;
use crate::target::config::DrivenKind;
use crate::target::driver::{Callback, Errand, Landing, Reaction, Stop as Until, go};
use crate::target::login::{Action, Via};
use crate::wire::Browser;

/// A program that waits for its authorization response.
pub(super) type Waiting = Option<Launched>;

impl<'a> Play<'a> {
    /// Makes ready for the steps: a plain run first, where an attack is to be judged, then the misbehaviour of the mock.
    pub(super) async fn prepare_client(&mut self) -> Result<(), Stop> {
        let Some(driven) = self.ground.driven.as_deref() else { return Ok(()) };
        let own = self.misbehaviour(MockRealm::Own)?;
        let attacker = self.misbehaviour(MockRealm::Attacker)?;
        driven.realm.set_policies(PolicySet::strict());
        if self.is_attack() && !self.scenario.needs.fresh {
            self.control_login(driven, "before").await?;
        }
        driven.realm.set_policies(own);
        driven.attacker.set_policies(attacker);
        if self.scenario.needs.fresh {
            driven.restart(&self.stage.wire).await.map_err(Stop::Error)?;
        }
        self.began = (driven.realm.recorded(), driven.attacker.recorded());
        Ok(())
    }

    /// A client that an attack has broken for good has not defended itself.
    pub(super) async fn leave_client(&mut self) -> Result<(), Stop> {
        let Some(driven) = self.ground.driven.as_deref() else { return Ok(()) };
        driven.realm.set_policies(PolicySet::strict());
        driven.attacker.set_policies(PolicySet::strict());
        self.waiting = None;
        let again = self.is_attack() && !self.scenario.needs.fresh && driven.kind == DrivenKind::Web;
        if again { self.control_login(driven, "after").await } else { Ok(()) }
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

    async fn plain_login(&mut self, driven: &'a Driven, when: &str) -> Result<(), String> {
        let session = format!("control {when}");
        let record = self.log_in(0, &session, driven, &session, 0, 1, Action::Approve, Until::AtThePage).await;
        let seen = match record {
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
        let driven = self.ground.driven.as_deref();
        let Some(driven) = driven else {
            return Err(Stop::Skip(SkipCode::NotConfigured, "no client is under test".into()));
        };
        let session = step.session.clone().unwrap_or_else(|| "main".into());
        let until = if step.until_callback { Until::BeforeTheCallback } else { Until::AtThePage };
        match &step.what {
            DriveWhat::Login(does) => {
                let action = if *does == UserDoes::Deny { Action::Deny } else { Action::Approve };
                self.log_in(index, label, driven, &session, step.user, step.issuer, action, until).await
            }
            DriveWhat::Api => {
                let url = self.page_named(driven, "api_url", |site| site.api_url.clone())?;
                self.visit(index, label, driven, &session, step, Request::get(url), until).await
            }
            DriveWhat::Logout => {
                let url = self.page_named(driven, "logout_url", |site| site.logout_url.clone())?;
                self.visit(index, label, driven, &session, step, Request::get(url), until).await
            }
            DriveWhat::Open { url, at } => {
                let request = self.forged(url, at.as_ref(), step)?;
                let mut record = self.visit(index, label, driven, &session, step, request, until).await?;
                record.edited = true;
                Ok(record)
            }
        }
    }

    fn page_named(
        &self,
        driven: &Driven,
        name: &str,
        page: impl Fn(&super::subject::Site) -> Option<String>,
    ) -> Result<String, Stop> {
        let found = driven.site.as_ref().and_then(page);
        found.ok_or_else(|| Stop::Skip(SkipCode::NotConfigured, format!("[client] has no {name}")))
    }

    /// A login of the web application, or a run of the program.
    #[expect(clippy::too_many_arguments, reason = "each says something else of one login")]
    async fn log_in(
        &mut self,
        index: usize,
        label: &str,
        driven: &'a Driven,
        session: &str,
        user: usize,
        issuer: usize,
        action: Action,
        until: Until,
    ) -> Result<Record, Stop> {
        let from = driven.realm.recorded();
        let begun = driven.attacker.recorded();
        if let Some(site) = &driven.site {
            let Some(url) = site.start_urls.get(issuer - 1) else {
                return Err(Stop::Skip(SkipCode::NotConfigured, "[[client.issuers]] names no further issuer".into()));
            };
            let landing = self.browse(driven, session, Request::get(url.as_str()), user, action, until).await;
            return Ok(self.landed(index, label, driven, landing, (from, begun), until, true).await);
        }
        let Some(program) = &driven.program else {
            return Err(Stop::Skip(SkipCode::NotConfigured, "[client] has neither start_url nor command".into()));
        };
        let mut running = program.start().map_err(Stop::Error)?;
        let opened = if driven.kind == DrivenKind::Script { None } else { running.opens(&driven.servers).await };
        let landing = match opened {
            Some(url) => self.browse(driven, session, Request::get(url), user, action, until).await,
            None => Landing::default(),
        };
        if until == Until::BeforeTheCallback && landing.callback.is_some() {
            self.waiting = Some(running);
            return Ok(self.landed(index, label, driven, landing, (from, begun), until, true).await);
        }
        self.waiting = Some(running);
        Ok(self.landed(index, label, driven, landing, (from, begun), until, true).await)
    }

    #[expect(clippy::too_many_arguments, reason = "each says something else of one visit")]
    async fn visit(
        &mut self,
        index: usize,
        label: &str,
        driven: &'a Driven,
        session: &str,
        step: &Drive,
        request: Request,
        until: Until,
    ) -> Result<Record, Stop> {
        let from = (driven.realm.recorded(), driven.attacker.recorded());
        let landing = self.browse(driven, session, request, step.user, Action::Approve, until).await;
        let is_login = matches!(step.what, DriveWhat::Open { .. });
        Ok(self.landed(index, label, driven, landing, from, until, is_login).await)
    }

    async fn browse(
        &mut self,
        driven: &Driven,
        session: &str,
        request: Request,
        user: usize,
        action: Action,
        stop: Until,
    ) -> Landing {
        let users = &self.ground.target.users;
        let nobody = User { username: String::new(), password: String::new() };
        let user = users.get(user).or_else(|| users.first()).unwrap_or(&nobody);
        let mut browser = self.sessions.remove(session).unwrap_or_else(|| Browser::new(self.stage.wire.clone()));
        let asks = |asked: &Params| pin(driven, asked);
        let errand = Errand { request, servers: &driven.servers, user, action, stop, asks: &asks };
        let landing = go(&mut browser, errand).await;
        self.sessions.insert(session.to_owned(), browser);
        landing
    }

    /// What came of an errand, as a record.
    #[expect(clippy::too_many_arguments, reason = "each says something else of one landing")]
    async fn landed(
        &mut self,
        index: usize,
        label: &str,
        driven: &Driven,
        mut landing: Landing,
        from: (u64, u64),
        until: Until,
        is_login: bool,
    ) -> Record {
        let mut record = Record::new(index, Outcome::None);
        let exchanges = std::mem::take(&mut landing.exchanges);
        for exchange in exchanges {
            record.exchange = Some(self.keep(label, exchange));
        }
        self.fill_from_exchange(&mut record);
        if let Some(asked) = landing.asked.take() {
            record.sent = asked;
        }
        if let Some(callback) = &landing.callback {
            record.delivered = callback.params.clone();
            record.via = Some(callback.via.name());
            record.callback = Some(callback.url.clone());
        }
        if until == Until::BeforeTheCallback {
            record.outcome = if landing.callback.is_some() { Outcome::Granted } else { Outcome::Stuck };
            record.note = landing.elsewhere;
            record.journal_from = from;
            return record;
        }
        let (reaction, words, visible) = match self.waiting.take() {
            Some(running) => {
                let end = running.end().await;
                record.body = end.output;
                (end.reaction, end.words, true)
            }
            None => self.reaction_of(driven, &landing, is_login, from.0),
        };
        let mut entries = driven.realm.journal_since(from.0);
        entries.extend(driven.attacker.journal_since(from.1));
        record.code_verifier = entries.iter().rev().find_map(|entry| form_of(entry).get("code_verifier").map(Cow::into_owned));
        let evidence = Evidence::new(&entries, reaction, visible, words);
        record.outcome = match reaction {
            Reaction::Accepted => Outcome::Accepted,
            Reaction::Rejected => Outcome::Refused,
            Reaction::Crashed | Reaction::Unknown => Outcome::Broken,
            Reaction::Hung => Outcome::None,
        };
        record.note = Some(evidence.summary());
        record.evidence = Some(evidence);
        record.journal_from = from;
        record
    }

    /// What the last page of a web application means.
    fn reaction_of(&self, driven: &Driven, landing: &Landing, is_login: bool, from: u64) -> (Reaction, String, bool) {
        let success = driven.site.as_ref().map(|site| &site.success);
        let named = success.is_some_and(|success| success.status.is_some() || success.contains.is_some());
        if landing.hung {
            return (Reaction::Hung, "the client gave no answer in time".into(), named);
        }
        if landing.cut {
            return (Reaction::Crashed, "the client cut the connection".into(), named);
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
            let fits = succeeded(success, page);
            return (if fits { Reaction::Accepted } else { Reaction::Rejected }, words, true);
        }
        let got = driven.realm.journal_since(from).iter().any(|entry| entry.endpoint == "token" && entry.cause.is_none());
        let reaction = if page.status < 400 && got { Reaction::Accepted } else { Reaction::Rejected };
        (reaction, words, false)
    }

    /// An authorization response that was changed on its way, or made up.
    fn forged(&self, url: &Template, at: Option<&Template>, step: &Drive) -> Result<Request, Stop> {
        let fill = |template: &Template| self.names.fill(template).map_err(|unset| self.unset(&unset));
        let url = fill(url)?;
        let given = callback_of(&self.names.records, &url);
        let (base, query) = url.split_once('?').unwrap_or((&url, ""));
        let base = at.map(fill).transpose()?.unwrap_or_else(|| base.to_owned());
        let mut params = match &given {
            Some(callback) if callback.via == Via::FormPost => callback.params.clone(),
            _ => Params::parse_lossy(query.as_bytes()),
        };
        let edits = &step.edits;
        let plain = |value| self.names.plain(value).map_err(|unset| self.unset(&unset));
        edits.unset.iter().for_each(|name| params.remove(name));
        for (name, value) in &edits.set {
            params.set(name, plain(value)?);
        }
        for (name, value) in &edits.add {
            params.push(name.as_bytes(), plain(value)?);
        }
        let post = edits.method.as_deref() == Some("POST") || given.is_some_and(|callback| callback.via == Via::FormPost);
        let (mut callback_url, via) = (base, if post { Via::FormPost } else { Via::Query });
        if !post && !params.is_empty() {
            let joint = if callback_url.contains('?') { '&' } else { '?' };
            callback_url = format!("{callback_url}{joint}{}", params.encode());
        }
        let mut request = Callback { url: callback_url, via, params }.request();
        for (name, value) in &edits.headers {
            request.headers.set(name, plain(value)?);
        }
        Ok(request)
    }

    /// How many of the recorded exchanges are such, and of how many.
    pub(super) fn journal_count(&self, want: &JournalWant) -> (usize, usize) {
        let Some(driven) = self.ground.driven.as_deref() else { return (0, 0) };
        let since = want.since.as_ref().and_then(|name| self.names.records.get(name)?.first()).map(|record| record.journal_from);
        let (own, attacker) = since.unwrap_or(self.began);
        let entries = match want.realm {
            MockRealm::Own => driven.realm.journal_since(own),
            MockRealm::Attacker => driven.attacker.journal_since(attacker),
        };
        let at: Vec<&Entry> = entries
            .iter()
            .filter(|entry| want.endpoint.is_empty() || want.endpoint.iter().any(|name| name == entry.endpoint))
            .collect();
        let such = at.iter().filter(|entry| self.is_such(want, entry)).count();
        (such, at.len())
    }

    fn is_such(&self, want: &JournalWant, entry: &Entry) -> bool {
        let fits = |matcher, value: Option<serde_json::Value>| super::matching::fits(matcher, value.as_ref(), &self.names);
        let (form, query) = (form_of(entry), query_of(entry));
        let request = &entry.exchange.request;
        let status = entry.exchange.response().map(|response| serde_json::Value::from(response.status));
        want.method.as_ref().is_none_or(|matcher| fits(matcher, Some(request.method.as_str().into())))
            && want.form.iter().all(|(name, matcher)| fits(matcher, value_of(&form, name)))
            && want.query.iter().all(|(name, matcher)| fits(matcher, value_of(&query, name)))
            && want.headers.iter().all(|(name, matcher)| fits(matcher, request.headers.joined(name).map(Into::into)))
            && want.status.as_ref().is_none_or(|matcher| fits(matcher, status.clone()))
    }
}

/// A client without a registered redirect URI: the first one on a loopback address that it sends is its own from then on.
fn pin(driven: &Driven, asked: &Params) {
    let Some(uri) = asked.get("redirect_uri").filter(|uri| is_loopback(uri)) else { return };
    for realm in [&driven.realm, &driven.attacker] {
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

fn succeeded(success: &crate::target::config::Success, page: &Response) -> bool {
    let status = success.status.is_none_or(|status| status == page.status);
    status && success.contains.as_ref().is_none_or(|text| page.text().contains(text.as_str()))
}

/// The authorization response of an earlier step that has this URL.
fn callback_of(records: &std::collections::BTreeMap<String, Vec<Record>>, url: &str) -> Option<Callback> {
    let mut all = records.values().flatten();
    let record = all.find(|record| record.callback.as_deref() == Some(url))?;
    let via = if record.via == Some("form_post") { Via::FormPost } else { Via::Query };
    Some(Callback { url: url.to_owned(), via, params: record.delivered.clone() })
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
