//! Steps that register clients (RFC 7591), and steps that push authorization requests first because the server takes no others
//! (RFC 9126).

use super::answer::Outcome;
use super::build::{self, Ready};
use super::ground::NoGround;
use super::needs;
use super::play::{Play, Stop};
use super::record::Record;
use super::result::SkipCode;
use crate::oauth::Exchange;
use crate::scenario::{Authorize, Direct, RequestStep, Verb};
use crate::target::{Client, registered, registration};

impl Play<'_> {
    /// A registration request that is ready to go out.
    pub(super) fn prepare_registration(&self, label: &str, index: usize, step: &RequestStep) -> Result<(Ready, Record), Stop> {
        let endpoint = self.endpoint("registration")?;
        let wanted = needs::wanted_by_step(label, self.scenario, &self.ground.target).map_err(|no| match no {
            NoGround::Skip(code, reason) => Stop::Skip(code, reason),
            NoGround::Error(reason) => Stop::Error(reason),
        })?;
        let ready = build::registration(&endpoint, registration(&wanted), &step.edits, &self.names);
        let ready = ready.map_err(|unset| self.unset(&unset))?;
        let mut record = Record::new(index, Outcome::None);
        record.sent = ready.sent.clone();
        record.edited = !step.edits.is_empty();
        Ok((ready, record))
    }

    /// The client that came of a registration, whatever was thought of it: it is deleted afterwards.
    pub(super) fn registered(&self, label: &str, exchange: &Exchange) -> Option<Client> {
        let answer = exchange.response().filter(|response| (200..300).contains(&response.status))?.json()?;
        let asked = serde_json::from_slice(&exchange.request.body).unwrap_or_default();
        let client = registered(label, &answer, &asked, &self.ground.target).ok()?;
        self.ground.keep(client.clone());
        Some(client)
    }

    /// Whether an authorization request has to be pushed because the server takes no others (RFC 9126 section 5).
    pub(super) fn must_push(&self, step: &Authorize) -> Result<bool, Stop> {
        if step.from.is_some() || step.resume.is_some() || step.direct == Direct::Always || !self.ground.target.requires_push() {
            return Ok(false);
        }
        if step.edits.is_empty() {
            return Ok(true);
        }
        let reason = "the server takes authorization requests only when they are pushed: a deviation of its authorization endpoint cannot be seen";
        Err(Stop::Skip(SkipCode::NotOffered, reason.into()))
    }

    /// Pushes the right request, where the server takes no others.
    pub(super) async fn push(&mut self, index: usize, label: &str, step: &Authorize) -> Result<Record, Stop> {
        let (client, grant) = (Some(step.client.clone()), Some(step.grant.clone()));
        let push = RequestStep { client, grant, pkce: step.pkce.clone(), ..RequestStep::new(Verb::Par) };
        let record = self.request(index, label, &push, None).await?;
        match record.outcome {
            Outcome::Accepted => Ok(record),
            _ => Err(Stop::Error(format!("the authorization request could not be pushed: {}", record.summary()))),
        }
    }
}
