//! What came of a step: what was sent, what came back, and the class of the answer.

use serde_json::Value;

use super::answer::Outcome;
use super::evidence::Evidence;
use super::way::Way;
use crate::oauth::{Headers, Params, Scope};
use crate::target::Client;
use crate::wire::Browser;

/// What came of one request, or of one derived observation.
#[derive(Debug, Clone)]
pub struct Record {
    /// The position of its step in the scenario.
    pub step: usize,
    /// The class of the answer.
    pub outcome: Outcome,
    /// The client that sent it, by its name in the scenario.
    pub client: Option<String>,
    /// Parameters as sent, decoded.
    pub sent: Params,
    /// Parameters of the authorization response.
    pub delivered: Params,
    /// How they were delivered: `query`, `fragment`, `form_post`.
    pub via: Option<&'static str>,
    /// Every URL that the browser was told to go to, in order.
    pub sent_to: Vec<String>,
    /// What pages and redirects gave away on the way.
    pub way: Way,
    /// The status of the last exchange (of `authorize`, of the one that delivered).
    pub status: Option<u16>,
    /// Its header fields.
    pub headers: Headers,
    /// Its body as text.
    pub body: String,
    /// Its body as JSON.
    pub json: Option<Value>,
    /// Its position in the transcript.
    pub exchange: Option<usize>,
    /// The verifier that belongs to the challenge that was sent.
    pub code_verifier: Option<String>,
    /// The redirect URI of the right request.
    pub redirect_uri: Option<String>,
    /// The scope of the right request.
    pub scope: Option<String>,
    /// Further words on how it ended: where a flow got stuck, which witness saw a token.
    pub note: Option<String>,
    /// Whether the token is alive (`alive` steps); `None` without a witness.
    pub alive: Option<bool>,
    /// The scope that was granted (`granted_scope` steps).
    pub granted: Option<Scope>,
    /// The first difference (`same` steps).
    pub difference: Option<String>,
    /// Whether the step deviates from the right request.
    pub edited: bool,
    /// The authorization response as a URL (`drive` steps).
    pub callback: Option<String>,
    /// What the client did (`drive` steps).
    pub evidence: Option<Evidence>,
    /// The address of the client's last page, or of where it should have been (`drive` steps).
    pub page_url: Option<String>,
    /// The text of that page; `None` where there was no answer (`drive` steps).
    pub page: Option<String>,
    /// The `Set-Cookie` fields of the client's pages, a line each (`drive` steps).
    pub set_cookie: String,
    /// The browser as the step left it (`drive` steps).
    pub browser: Option<Box<Browser>>,
    /// How much stood in the journals of both issuers before it (`drive` steps).
    pub journal_from: (u64, u64),
    /// The client that it registered.
    pub registered: Option<Box<Client>>,
}

impl Record {
    /// Of a step of which nothing is known yet.
    #[must_use]
    pub fn new(step: usize, outcome: Outcome) -> Self {
        Self {
            step,
            outcome,
            client: None,
            sent: Params::new(),
            delivered: Params::new(),
            via: None,
            sent_to: Vec::new(),
            way: Way::default(),
            status: None,
            headers: Headers::new(),
            body: String::new(),
            json: None,
            exchange: None,
            code_verifier: None,
            redirect_uri: None,
            scope: None,
            note: None,
            alive: None,
            granted: None,
            difference: None,
            edited: false,
            callback: None,
            evidence: None,
            page_url: None,
            page: None,
            set_cookie: String::new(),
            browser: None,
            journal_from: (0, 0),
            registered: None,
        }
    }

    /// What came back under that name: a parameter of the authorization response, or a member of the JSON body.
    #[must_use]
    pub fn got(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.delivered.get(name) {
            return Some(Value::String(value.into_owned()));
        }
        self.json.as_ref().and_then(|json| json.get(name)).cloned()
    }

    /// The error code, wherever this kind of answer has it.
    #[must_use]
    pub fn error(&self) -> Option<Value> {
        self.got("error").or_else(|| self.challenge_error().map(Value::String))
    }

    /// The parameters of the Bearer challenge, where there is one (RFC 6750 section 3).
    #[must_use]
    pub fn challenge(&self) -> Option<serde_json::Map<String, Value>> {
        super::challenge::bearer(&self.headers.joined("www-authenticate")?)
    }

    /// The `error` attribute of a Bearer challenge (RFC 6750 section 3).
    fn challenge_error(&self) -> Option<String> {
        let challenge = self.headers.joined("www-authenticate")?;
        let (_, rest) = challenge.split_once("error=\"")?;
        rest.split_once('"').map(|(error, _)| error.to_owned())
    }

    /// In one line: what was seen.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        if let Some(status) = self.status {
            parts.push(status.to_string());
        }
        parts.push(self.outcome.meaning().to_owned());
        if let Some(error) = self.error().as_ref().map(text_of) {
            parts.push(format!("error {error}"));
        }
        if let Some(note) = &self.note {
            parts.push(note.clone());
        }
        parts.join(", ")
    }
}

/// A JSON value as the text that equality compares: strings without their quotes.
#[must_use]
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
