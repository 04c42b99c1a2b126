//! The vault: knows every secret value, in all its encodings, and names it `<kind#n>`. Only it can make text that leaves the runner.
//!
//! Redaction and normalisation are one thing: reports and snapshots both take their text from here.

mod encodings;
mod fields;
mod matcher;
mod names;
mod observe;
mod sealed;
mod volatile;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encodings::Spelling;
use matcher::Matcher;
pub use sealed::{Sealed, SealedExchange, SealedRequest, SealedResponse};

use crate::oauth::{Exchange, Headers, encoding};

/// Shorter values are learnt only if they were configured: replacing `1` or `ok` everywhere would hide the evidence.
const SHORTEST_OBSERVED: usize = 6;

/// Kinds whose values are configured, and are redacted however short they are.
const CONFIGURED: [&str; 2] = ["client_secret", "password"];

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Each is replaced by its name.
    Redacted,
    /// `--show-secrets`.
    Secrets,
}

/// Knows secrets and takes them out. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Vault(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    show: Show,
    parent: Option<Vault>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Known values and where they stand in `entries`.
    values: HashMap<Vec<u8>, usize>,
    entries: Vec<Entry>,
    /// The last number of each kind.
    counts: HashMap<String, usize>,
    /// Made when it is needed, for so many known values.
    matcher: Option<(usize, Arc<Matcher>)>,
    /// Numbers of what looks random and is no secret, for snapshots.
    ids: HashMap<String, usize>,
}

/// A known value.
#[derive(Debug, Clone)]
struct Entry {
    /// `<code#1>`
    name: Arc<str>,
    spellings: Arc<[Spelling]>,
}

impl Vault {
    /// An empty vault.
    #[must_use]
    pub fn new(show: Show) -> Self {
        Self(Arc::new(Shared { show, parent: None, state: Mutex::default() }))
    }

    /// A vault for one scenario: knows what this one knows and will know, and numbers what it learns itself, from here on.
    #[must_use]
    pub fn child(&self) -> Self {
        let counts = self.state().counts.clone();
        let state = State { counts, ..State::default() };
        Self(Arc::new(Shared { show: self.0.show, parent: Some(self.clone()), state: Mutex::new(state) }))
    }

    /// Makes a value known. The same value keeps its first name. Values shorter than six bytes are learnt only as
    /// `client_secret` and `password`, the kinds that are configured.
    pub fn learn(&self, kind: &str, value: &[u8]) {
        let configured = CONFIGURED.contains(&kind) && !value.is_empty();
        if configured || value.len() >= SHORTEST_OBSERVED {
            self.add(kind, value);
        }
    }

    /// Learns what stands in an exchange under a telling name: parameters, JSON members, credentials, cookies, hidden form
    /// fields; and whatever looks like a JWT.
    pub fn observe(&self, exchange: &Exchange) {
        for (kind, value) in observe::secrets(exchange) {
            if value.len() >= SHORTEST_OBSERVED {
                self.add(kind, &value);
            }
        }
    }

    /// The text without secrets, ready to leave; unchanged where secrets are shown.
    #[must_use]
    pub fn seal(&self, text: &str) -> Sealed {
        match self.0.show {
            Show::Secrets => Sealed::made(text.to_owned()),
            Show::Redacted => Sealed::made(self.redact(text)),
        }
    }

    /// A body without secrets: as text, or in base64 where it is no UTF-8 and no secret is seen inside.
    #[must_use]
    pub fn seal_bytes(&self, bytes: &[u8]) -> (Sealed, Option<String>) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return (self.seal(text), None);
        }
        let lossy = String::from_utf8_lossy(bytes);
        if self.0.show == Show::Redacted && self.redact(&lossy) != lossy {
            return (Sealed::made(format!("<{} bytes that are no UTF-8, with secrets among them>", bytes.len())), None);
        }
        (Sealed::default(), Some(encoding::base64(bytes)))
    }

    /// A whole exchange without secrets, which has to be [observed](Self::observe) before; what is learnt later is still in it, so
    /// seal late.
    #[must_use]
    pub fn exchange(&self, exchange: &Exchange, step: &str) -> SealedExchange {
        let (body, body_base64) = self.seal_bytes(&exchange.request.body);
        let request = SealedRequest {
            method: self.seal(&exchange.request.method),
            url: self.seal(&exchange.request.url),
            headers: self.fields(&exchange.request.headers),
            body,
            body_base64,
        };
        let response = exchange.response().map(|response| {
            let whole = if response.truncated { self.without_torn_secret(&response.body) } else { response.body.clone() };
            let (body, body_base64) = self.seal_bytes(&whole);
            let headers = self.fields(&response.headers);
            SealedResponse { status: response.status, headers, body, body_base64, truncated: response.truncated }
        });
        let failure = exchange.outcome.as_ref().err();
        SealedExchange {
            channel: exchange.channel,
            party: exchange.party,
            step: step.to_owned(),
            request,
            response,
            failure: failure.map(crate::oauth::Failure::word),
            failure_detail: failure.map(|failure| self.seal(&failure.to_string())),
            duration: exchange.duration,
        }
    }

    /// Text for snapshots: without secrets, whatever is shown elsewhere, and with names for what differs from run to run: times,
    /// UUIDs, random tokens, local ports.
    #[must_use]
    pub fn volatile(&self, text: &str) -> Sealed {
        let redacted = self.redact(text);
        Sealed::made(volatile::normalise(&redacted, &mut self.state().ids))
    }

    fn fields(&self, headers: &Headers) -> Vec<(Sealed, Sealed)> {
        headers.iter().map(|(name, value)| (self.seal(name), self.seal(&String::from_utf8_lossy(value)))).collect()
    }

    fn redact(&self, text: &str) -> String {
        for token in observe::json_web_tokens(text) {
            self.add("jwt", token.as_bytes());
        }
        self.matcher().replace(text)
    }

    /// A body that was cut may end inside a secret: what stands of it is taken off.
    fn without_torn_secret(&self, body: &[u8]) -> Vec<u8> {
        if self.0.show == Show::Secrets {
            return body.to_vec();
        }
        let torn = self.matcher().torn_at_end(body);
        body[..body.len() - torn].to_vec()
    }

    fn add(&self, kind: &str, value: &[u8]) {
        if self.0.parent.as_ref().is_some_and(|parent| parent.knows(value)) {
            return;
        }
        let mut state = self.state();
        if state.values.contains_key(value) {
            return;
        }
        let number = state.counts.entry(kind.to_owned()).or_default();
        *number += 1;
        let name = format!("<{kind}#{number}>").into();
        let index = state.entries.len();
        state.values.insert(value.to_vec(), index);
        state.entries.push(Entry { name, spellings: encodings::spellings(value).into() });
    }

    fn knows(&self, value: &[u8]) -> bool {
        self.state().values.contains_key(value) || self.0.parent.as_ref().is_some_and(|parent| parent.knows(value))
    }

    /// The matcher for all that is known by now.
    fn matcher(&self) -> Arc<Matcher> {
        let inherited = self.0.parent.as_ref().map_or(0, Self::known);
        let mut state = self.state();
        let known = inherited + state.entries.len();
        if let Some((made_for, matcher)) = &state.matcher
            && *made_for == known
        {
            return Arc::clone(matcher);
        }
        // Its own names come first: a value that both learnt keeps the name under which this scenario knows it.
        let inherited = self.0.parent.as_ref().map(Self::everything).unwrap_or_default();
        let matcher = Arc::new(Matcher::new(state.entries.iter().chain(&inherited)));
        state.matcher = Some((known, Arc::clone(&matcher)));
        matcher
    }

    /// How many values are known.
    fn known(&self) -> usize {
        self.0.parent.as_ref().map_or(0, Self::known) + self.state().entries.len()
    }

    fn everything(&self) -> Vec<Entry> {
        let mut all = self.0.parent.as_ref().map(Self::everything).unwrap_or_default();
        all.extend(self.state().entries.iter().cloned());
        all
    }

    /// What is known cannot be half changed, so that a panic elsewhere does no harm to it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
