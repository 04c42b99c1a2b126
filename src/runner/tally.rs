//! Counts what tells a hollow run: token requests that were all refused for the client, logins that never succeeded.

use super::answer::Outcome;
use super::record::Record;
use crate::oauth::Exchange;
use crate::scenario::Login;

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Token requests that were answered.
    pub token_requests: usize,
    /// Those answered `invalid_client`.
    pub invalid_client: usize,
    /// Those answered with a token.
    pub tokens: usize,
    /// Authorization requests in which the user was to approve.
    pub logins: usize,
    /// Those that led anywhere.
    pub logged_in: usize,
}

impl Tally {
    /// Counts an exchange.
    pub(super) fn exchange(&mut self, exchange: &Exchange, token_endpoint: Option<&str>) {
        let Some(response) = exchange.response() else { return };
        if token_endpoint != Some(exchange.request.url.as_str()) {
            return;
        }
        self.token_requests += 1;
        let json = response.json().unwrap_or_default();
        if json.get("error").and_then(serde_json::Value::as_str) == Some("invalid_client") {
            self.invalid_client += 1;
        }
        if json.get("access_token").is_some() {
            self.tokens += 1;
        }
    }

    /// Counts an authorization request.
    pub(super) fn login(&mut self, record: &Record, login: Login) {
        if login == Login::Approve {
            self.logins += 1;
            if matches!(record.outcome, Outcome::Granted) {
                self.logged_in += 1;
            }
        }
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.token_requests += other.token_requests;
        self.invalid_client += other.invalid_client;
        self.tokens += other.tokens;
        self.logins += other.logins;
        self.logged_in += other.logged_in;
    }

    /// The signs of a hollow run, each with its cure.
    #[must_use]
    pub fn hollow(&self) -> Vec<&'static str> {
        let mut out = Vec::new();
        if self.token_requests > 0 && self.tokens == 0 && self.invalid_client > 0 {
            out.push("no token was issued and the token endpoint answered invalid_client: the client's credentials look wrong; check client_id, client_secret and token_endpoint_auth_method");
        } else if self.token_requests > 0 && self.tokens == 0 {
            out.push("no token was issued in the whole run: run oauthspec probe to see what stands in the way");
        }
        if self.logins > 0 && self.logged_in == 0 {
            out.push("no login ever succeeded: check [[server.users]], or describe the pages under [[server.login.steps]]; oauthspec probe shows the page it stands on");
        }
        out
    }
}
