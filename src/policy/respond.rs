//! A literal answer: what is sent instead of whatever would have been decided. Nothing is decided, used up or issued.

use serde_json::Value;

use super::Delivery;
use crate::oauth::Response;

/// An answer as it is to be sent.
///
/// ```
/// use oauthspec::policy::Respond;
///
/// let busy = Respond::new(503).header("Retry-After", "1");
/// let refusal = Respond::json(400, &serde_json::json!({ "error": "invalid_grant" }));
/// assert_eq!(refusal.body, br#"{"error":"invalid_grant"}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// The status, 200 to 999.
    pub status: u16,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it goes over the connection.
    pub delivery: Delivery,
}

impl Respond {
    /// An answer without header fields and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delivery: Delivery::default() }
    }

    /// An answer with a text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { body: body.into().into_bytes(), ..Self::new(status) }.header("Content-Type", "text/plain; charset=utf-8")
    }

    /// An answer with a JSON document, not to be stored.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let answer = Self { body: body.to_string().into_bytes(), ..Self::new(status) };
        answer.header("Content-Type", "application/json").header("Cache-Control", "no-store")
    }

    /// No answer: the connection is reset.
    #[must_use]
    pub fn reset() -> Self {
        Self { delivery: Delivery { reset: true, ..Delivery::default() }, ..Self::new(200) }
    }

    /// No answer: the connection is closed in order.
    #[must_use]
    pub fn nothing() -> Self {
        Self { delivery: Delivery { drop: true, ..Delivery::default() }, ..Self::new(200) }
    }

    /// With one more header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sent in another way than whole and at once.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// As a message.
    #[must_use]
    pub fn response(&self) -> Response {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        Response { status: self.status, headers, body: self.body.clone(), truncated: false }
    }
}
