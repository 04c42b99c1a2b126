//! What can go wrong for the client, and what its user gets to see of it.

use super::{ClientPolicy, Ending, NativeEnd, Rendering};
use crate::oauth::Failure;

/// Where something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AuthorizationError,
    BadCallback,
    TokenError,
    Malformed,
    NoAnswer,
    BadIdToken,
}

/// Why the client does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    pub(super) message: String,
    /// What the server says about it, and how it may be shown.
    pub(super) detail: Option<(String, Rendering)>,
    /// The error code of the server.
    pub(super) code: Option<String>,
}

impl Trouble {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: None, code: None }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, message)
    }

    pub(super) fn callback(message: impl Into<String>) -> Self {
        Self::new(Kind::BadCallback, message)
    }

    pub(super) fn id_token(message: impl Into<String>) -> Self {
        Self::new(Kind::BadIdToken, message)
    }

    pub(super) fn no_answer(failure: &Failure) -> Self {
        Self::new(Kind::NoAnswer, format!("the server did not answer: {failure}"))
    }

    pub(super) fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(super) fn with_detail(mut self, detail: Option<String>, rendering: Rendering) -> Self {
        self.detail = detail.map(|detail| (detail, rendering));
        self
    }

    /// Whether the server answered with that error code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// What the user sees of it.
    pub(super) fn ending(&self, policy: &ClientPolicy) -> Ending {
        let endings = &policy.trouble;
        let crashes = policy.callback.crashes_on_unknown_error && self.kind == Kind::AuthorizationError;
        if crashes && !self.code.as_deref().is_some_and(is_known) {
            return Ending::Crash;
        }
        match self.kind {
            Kind::AuthorizationError => endings.authorization_error,
            Kind::BadCallback => endings.bad_callback,
            Kind::TokenError => endings.token_error,
            Kind::Malformed => endings.malformed,
            Kind::NoAnswer => endings.no_answer,
            Kind::BadIdToken => endings.bad_id_token,
        }
    }

    /// What a program prints that has no way of dealing with it.
    pub(super) fn trace(&self) -> String {
        format!(
            "Unhandled error: {}\n    at exchange (client.js:88:17)\n    at callback (client.js:141:5)\n    at main (client.js:12:1)\n",
            self.message
        )
    }

    /// How a client ends over it that runs once.
    pub(super) async fn end(&self, policy: &ClientPolicy) -> NativeEnd {
        match self.ending(policy) {
            Ending::Message => NativeEnd { status: 1, output: format!("{}\n", self.line()) },
            Ending::Crash => NativeEnd { status: 101, output: self.trace() },
            Ending::Hang => std::future::pending().await,
        }
    }

    /// One line, control characters replaced.
    fn line(&self) -> String {
        let detail = self.detail.as_ref().filter(|(_, rendering)| *rendering != Rendering::Hidden);
        let text = detail.map_or_else(|| self.message.clone(), |(detail, _)| format!("{}: {detail}", self.message));
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    }
}

/// Error codes of authorization responses (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
fn is_known(code: &str) -> bool {
    const KNOWN: [&str; 16] = [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_request_object",
        "invalid_request_uri",
        "invalid_scope",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    ];
    KNOWN.contains(&code)
}
