//! Text that may leave the runner: only the vault makes it of text from outside.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::oauth::{Channel, Party};

/// Text in which no secret is left. Only the vault makes it of text from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Text that is written in the program itself.
    #[must_use]
    pub fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Several texts, joined by one that is written in the program itself.
    #[must_use]
    pub fn join<'a>(parts: impl IntoIterator<Item = &'a Self>, between: &'static str) -> Self {
        Self(parts.into_iter().map(Self::as_str).collect::<Vec<_>>().join(between))
    }

    /// The vault's own door.
    pub(super) fn made(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An exchange in which no secret is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedExchange {
    /// Front or back channel.
    pub channel: Channel,
    /// Who sent the request.
    pub party: Party,
    /// The step it belongs to.
    pub step: String,
    /// What was sent.
    pub request: SealedRequest,
    /// What came.
    pub response: Option<SealedResponse>,
    /// Why nothing came, in one word: `timeout`, `reset`…
    pub failure: Option<&'static str>,
    /// The same in a sentence.
    pub failure_detail: Option<Sealed>,
    /// From the first byte sent to the last byte read.
    pub duration: Duration,
}

/// A request in which no secret is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRequest {
    /// The method.
    pub method: Sealed,
    /// The URL.
    pub url: Sealed,
    /// Name and value of each header field.
    pub headers: Vec<(Sealed, Sealed)>,
    /// The body, where it is text.
    pub body: Sealed,
    /// The body in base64, where it is no UTF-8.
    pub body_base64: Option<String>,
}

/// A response in which no secret is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedResponse {
    /// The status.
    pub status: u16,
    /// Name and value of each header field.
    pub headers: Vec<(Sealed, Sealed)>,
    /// The body, where it is text.
    pub body: Sealed,
    /// The body in base64, where it is no UTF-8.
    pub body_base64: Option<String>,
    /// Whether the body was cut.
    pub truncated: bool,
}
