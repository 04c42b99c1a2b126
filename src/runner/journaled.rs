//! What a client under test sent to the mock, counted.

use std::sync::{Arc, PoisonError};

use super::evidence::{form_of, query_of, value_of};
use super::play::{Line, Play};
use crate::mock::Entry;
use crate::oauth::Request;
use crate::scenario::{JournalWant, MockRealm};

impl Play<'_> {
    /// How many of the recorded exchanges are such, and of how many; of a `distinct` parameter: how many values, and in how many.
    pub(super) fn journal_count(&self, want: &JournalWant) -> (usize, usize) {
        let at = self.journaled(want);
        let such: Vec<&Arc<Entry>> = at.iter().filter(|entry| self.is_such(want, entry)).collect();
        let Some(name) = &want.distinct else { return (such.len(), at.len()) };
        let mut values: Vec<String> = such.iter().filter_map(|entry| value_at(entry, name)).map(|v| v.to_string()).collect();
        let all = values.len();
        values.sort_unstable();
        values.dedup();
        (values.len(), all)
    }

    /// Where the exchange stands in the transcript that speaks against the client: the last that there are too many of, or the first
    /// that is not such.
    pub(super) fn offence(&self, want: &JournalWant) -> Option<usize> {
        let at = self.journaled(want);
        let offender = if want.each {
            at.iter().find(|entry| !self.is_such(want, entry))
        } else {
            at.iter().rev().find(|entry| self.is_such(want, entry))
        }?;
        let asked = &offender.exchange.request;
        let parts = |request: &Request| (request.method.clone(), request.url.clone(), request.body.clone());
        let same = |line: &Line| parts(&line.exchange.request) == parts(asked);
        if want.each { self.lines.iter().position(same) } else { self.lines.iter().rposition(same) }
    }

    /// The recorded exchanges with the endpoint.
    fn journaled(&self, want: &JournalWant) -> Vec<Arc<Entry>> {
        let Some(driven) = self.ground.driven.as_deref() else { return Vec::new() };
        let since = want.since.as_ref().and_then(|name| self.names.records.get(name)?.first()).map(|record| record.journal_from);
        let (own, attacker) = since.unwrap_or(self.began);
        let mut entries: Vec<Arc<Entry>> = match want.realm {
            MockRealm::Own => driven.realm.journal().since(own).iter().collect(),
            MockRealm::Attacker => driven.attacker.journal().since(attacker).iter().collect(),
        };
        if self.scenario.passive && want.realm == MockRealm::Own {
            let remembered = driven.source.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            entries.extend(remembered.iter().cloned());
        }
        entries.retain(|entry| want.endpoint.is_empty() || want.endpoint.iter().any(|name| name == entry.endpoint));
        entries
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

/// A parameter of a recorded request, in its body or in its URL.
fn value_at(entry: &Entry, name: &str) -> Option<serde_json::Value> {
    value_of(&form_of(entry), name).or_else(|| value_of(&query_of(entry), name))
}
