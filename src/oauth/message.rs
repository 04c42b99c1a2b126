//! HTTP messages as bytes: what a party sends, what comes back, and the two together.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::Params;

/// Header fields in order, names as sent, values as bytes.
///
/// They stand one behind the other in one buffer: a journal that holds thousands of messages has few pieces to hold.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Name, value, name, value…
    text: Vec<u8>,
    fields: Vec<Ends>,
}

/// Where name and value of a field end in the text; it begins where the one before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    name: usize,
    value: usize,
}

impl Headers {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field, even if one of that name is there.
    pub fn push(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) {
        if self.fields.capacity() == 0 {
            self.fields.reserve(8);
            self.text.reserve(256);
        }
        self.text.extend_from_slice(name.as_ref().as_bytes());
        let name = self.text.len();
        self.text.extend_from_slice(value.as_ref());
        self.fields.push(Ends { name, value: self.text.len() });
    }

    /// Sets a field and removes all others of that name; names compare without regard to case.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: &str) {
        if self.has(name) {
            *self = self.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).collect();
        }
    }

    /// The first value of that name; bytes that are no UTF-8 become replacement characters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut fields = self.bytes();
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// Every value of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.bytes().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Every value of that name, joined by `, ` as RFC 9110 section 5.3 allows for lists.
    #[must_use]
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.all(name).map(String::from_utf8_lossy).collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }

    /// Whether a field of that name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Every field in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.bytes().map(|(name, value)| (std::str::from_utf8(name).expect("names were pushed as text"), value))
    }

    fn bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let begins = std::iter::once(0).chain(self.fields.iter().map(|ends| ends.value));
        begins.zip(&self.fields).map(|(begin, ends)| (&self.text[begin..ends.name], &self.text[ends.name..ends.value]))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)))).finish()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.push(name, value);
        }
        headers
    }
}

/// A request as it goes out or came in. Nothing in it need be legal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method as it stands in the request line.
    pub method: String,
    /// The absolute URL as it was written; never normalised.
    pub url: String,
    /// Header fields in order, without those that the transport adds (Host, Content-Length).
    pub headers: Headers,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without header fields and body.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// `GET` of that URL.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST` of a form (RFC 6749 Appendix B).
    #[must_use]
    pub fn post_form(url: impl Into<String>, form: &Params) -> Self {
        let mut request = Self::new("POST", url);
        request.headers.push("Content-Type", "application/x-www-form-urlencoded");
        request.body = form.encode().into_bytes();
        request
    }

    /// With one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The path of the URL, without query and fragment; as written.
    #[must_use]
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let rest = rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]);
        rest.split(['?', '#']).next().unwrap_or("")
    }

    /// The query of the URL, without its question mark; as written.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        let url = self.url.split_once('#').map_or(self.url.as_str(), |(url, _)| url);
        url.split_once('?').map(|(_, query)| query)
    }
}

/// A response as it came in or goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields in order.
    pub headers: Headers,
    /// The body, up to the limit under which it was read.
    pub body: Vec<u8>,
    /// Whether the body was longer than that limit, or ended before its announced length.
    pub truncated: bool,
}

impl Response {
    /// A response without header fields and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Headers::new(), body: Vec::new(), truncated: false }
    }

    /// The media type of the body in lower case, without parameters; empty where none is named.
    #[must_use]
    pub fn media_type(&self) -> String {
        let value = self.headers.get("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// The body as JSON, whatever the media type says; `None` where it is none.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        if self.truncated { None } else { serde_json::from_slice(&self.body).ok() }
    }

    /// The body as text; bytes that are no UTF-8 become replacement characters.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Through whom a message goes (RFC 6749 section 1.2): the user agent, or straight from client to server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// By redirection through the user agent.
    Front,
    /// Directly between client and server.
    Back,
}

/// Who sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The harness, in the part of client or user agent.
    Harness,
    /// The client under test.
    Client,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody listens there, or the name does not resolve.
    #[error("connection failed: {0}")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The time limit of the exchange passed.
    #[error("no answer within {}", seconds(*.0))]
    Timeout(Duration),
    /// The connection ended before a complete response head.
    #[error("connection ended without an answer: {0}")]
    Reset(String),
    /// What came is no HTTP response.
    #[error("not an HTTP response: {0}")]
    Malformed(String),
    /// The request was not sent: its host is not among those allowed.
    #[error("not sent: {0}")]
    NotSent(String),
}

impl Failure {
    /// One word for reports: `connect`, `tls`, `timeout`, `reset`, `malformed`, `not-sent`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Timeout(_) => "timeout",
            Self::Reset(_) => "reset",
            Self::Malformed(_) => "malformed",
            Self::NotSent(_) => "not-sent",
        }
    }
}

/// One HTTP request with what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Front or back channel.
    pub channel: Channel,
    /// Who sent the request.
    pub party: Party,
    /// What was sent.
    pub request: Request,
    /// What came, or why nothing did.
    pub outcome: Result<Response, Failure>,
    /// From the first byte sent to the last byte read.
    pub duration: Duration,
}

impl Exchange {
    /// The response, where there is one.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.outcome.as_ref().ok()
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
