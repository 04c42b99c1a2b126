//! What a client did, by the evidence: the mock's journal first, then what the client shows.

use serde_json::Value;

use crate::mock::Entry;
use crate::oauth::Params;
use crate::target::driver::Reaction;

/// What a client did in one step.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// How it ended.
    pub reaction: Reaction,
    /// Token requests that went out.
    pub attempted: usize,
    /// Those that got a token.
    pub redeemed: usize,
    /// Whether it can be seen that a session or a token is used; else only that one was got.
    pub use_is_visible: bool,
    /// Whether somebody was signed in in this session before.
    pub had_session: bool,
    /// Why the mock refused a token request, or else an authorization request, in the words of its tables of causes.
    pub refused: Option<&'static str>,
    /// What the client showed, in words.
    pub words: String,
}

impl Evidence {
    /// From the journal of a step and from how the client ended.
    pub(super) fn new(entries: &[Entry], reaction: Reaction, use_is_visible: bool, words: String, had_session: bool) -> Self {
        let tokens: Vec<&Entry> = entries.iter().filter(|entry| entry.endpoint == "token").collect();
        let redeemed = tokens.iter().filter(|entry| got_token(entry)).count();
        let asked = entries.iter().rev().filter(|entry| entry.endpoint == "authorize").find_map(|entry| entry.cause);
        let refused = tokens.iter().rev().find_map(|entry| entry.cause).or(asked);
        Self { reaction, attempted: tokens.len(), redeemed, use_is_visible, had_session, refused, words }
    }

    /// In one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let requests = match (self.attempted, self.redeemed) {
            (0, _) => "no token request".to_owned(),
            (1, 1) => "one token request, which got a token".to_owned(),
            (1, _) => "one token request, which got no token".to_owned(),
            (attempted, redeemed) => format!("{attempted} token requests, {redeemed} of which got a token"),
        };
        let cause = self.refused.map(|cause| format!(" (refused: {cause})")).unwrap_or_default();
        format!("{}: {}; {requests}{cause}", self.reaction.word(), self.words)
    }
}

/// Whether the answer brought a token.
pub(super) fn got_token(entry: &Entry) -> bool {
    let Some(response) = entry.exchange.response() else { return false };
    (200..300).contains(&response.status) && response.json().is_some_and(|json| json.get("access_token").is_some())
}

/// The parameters of the body of a recorded request.
pub(super) fn form_of(entry: &Entry) -> Params {
    let request = &entry.exchange.request;
    let form = request.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form { Params::parse_lossy(&request.body) } else { Params::new() }
}

/// The parameters in the URL of a recorded request.
pub(super) fn query_of(entry: &Entry) -> Params {
    Params::parse_lossy(entry.exchange.request.query().unwrap_or_default().as_bytes())
}

/// A parameter as JSON: a list where it stands more than once.
pub(super) fn value_of(params: &Params, name: &str) -> Option<Value> {
    let mut values: Vec<Value> =
        params.all(name).map(|value| Value::String(String::from_utf8_lossy(value).into_owned())).collect();
    if values.len() > 1 { Some(Value::Array(values)) } else { values.pop() }
}
