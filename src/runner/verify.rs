//! The user's part of a device authorization (RFC 8628 section 3.3): a visit to the verification page, and the polling interval.

use std::time::Duration;

use super::answer::{self, Outcome};
use super::play::{Play, Stop};
use super::record::{Record, text_of};
use super::result::SkipCode;
use crate::oauth::Request;
use crate::scenario::{Login, Typed, Verify, VerifyVia};
use crate::target::login::{self, Action as UserAction, End, PAGE_LIMIT, Visit};
use crate::wire::Browser;

/// The polling interval where the server names none (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);

impl Play<'_> {
    /// A visit to the verification page, with the codes of a device authorization.
    pub(super) async fn verify(
        &mut self,
        index: usize,
        label: &str,
        step: &Verify,
        device: &Record,
        session: &str,
    ) -> Result<Record, Stop> {
        let address = self.address(step.via, device)?;
        let user_code = match &step.code {
            Some(code) => String::from_utf8_lossy(&self.names.plain(code).map_err(|unset| self.unset(&unset))?).into_owned(),
            None => typed(&member(device, "user_code")?, step.typed),
        };
        let visit = Visit {
            user: self.user(step.user)?,
            action: user_action(step.login),
            redirect_uris: Vec::new(),
            login: &self.ground.target.login,
            home: &self.ground.target.home,
            page_limit: PAGE_LIMIT,
            user_code: Some(user_code.clone()),
        };
        let mut browser = self.sessions.remove(session).unwrap_or_else(|| Browser::new(self.stage.wire.clone()));
        let journey = login::authorize(&mut browser, Request::get(address), &visit).await;
        self.sessions.insert(session.to_owned(), browser);
        let mut record = Record::new(index, answer::verification(&journey));
        record.sent.push("user_code", user_code);
        let word = |yes: bool| if yes { "yes" } else { "no" };
        record.delivered.push("code_shown", word(journey.code_shown));
        record.delivered.push("could_refuse", word(journey.could_refuse));
        for exchange in journey.exchanges {
            record.exchange = Some(self.keep(label, exchange));
        }
        record.note = match journey.end {
            End::Shown { title, .. } | End::Waiting { title, .. } => Some(format!("page “{title}”")),
            End::Stuck { reason, .. } => Some(reason),
            End::Delivered { .. } | End::Failed { .. } => None,
        };
        record.sent_to = journey.sent_to;
        self.fill_from_exchange(&mut record);
        record.client.clone_from(&device.client);
        record.edited = step.code.is_some();
        if record.outcome == Outcome::Granted && !record.edited {
            self.held.insert(super::control::verify_key(step, self.scenario));
        }
        Ok(record)
    }

    /// Where the user goes; only to what belongs to the target.
    fn address(&self, via: VerifyVia, device: &Record) -> Result<String, Stop> {
        let name = match via {
            VerifyVia::Uri => "verification_uri",
            VerifyVia::Complete => "verification_uri_complete",
        };
        let address = member(device, name)?;
        if self.ground.target.home.contains(&address) {
            return Ok(address);
        }
        let reason = format!("{name} leads to another host ({address}); allow it with --allow-host");
        Err(Stop::Skip(SkipCode::NotConfigured, reason))
    }

    /// How long a device has to wait between two polls, by the last device authorization of that name.
    pub(super) fn interval(&self, of: &str) -> Result<Duration, Stop> {
        let device = self.record_of(Some(of))?;
        Ok(device.as_ref().map_or(INTERVAL, interval))
    }
}

/// The polling interval that a device authorization response names.
pub(super) fn interval(device: &Record) -> Duration {
    device.got("interval").and_then(|seconds| seconds.as_u64()).map_or(INTERVAL, Duration::from_secs)
}

/// What the driver is to do at login and consent.
pub(super) fn user_action(login: Login) -> UserAction {
    match login {
        Login::Approve => UserAction::Approve,
        Login::Deny => UserAction::Deny,
        Login::Stop => UserAction::Stop,
    }
}

/// A right visit led somewhere: the user was asked, or the server does without the question.
pub(super) fn led_on(record: &Record) -> bool {
    record.outcome == Outcome::Granted || (record.outcome == Outcome::Shown && record.status.is_some_and(|status| status < 400))
}

fn typed(code: &str, how: Typed) -> String {
    match how {
        Typed::AsShown => code.to_owned(),
        Typed::Lower => code.to_lowercase(),
        Typed::Bare => code.chars().filter(|character| character.is_alphanumeric()).collect(),
    }
}

fn member(device: &Record, name: &str) -> Result<String, Stop> {
    let found = device.got(name).filter(serde_json::Value::is_string);
    let missing = || Stop::Skip(SkipCode::Assumption, format!("the device authorization response has no {name}"));
    found.as_ref().map(text_of).ok_or_else(missing)
}
