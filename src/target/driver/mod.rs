//! Drivers of clients under test: the harness as the user and the browser of a web application, and as the terminal of a program.
//!
//! They do what they are told and tell what came of it. They know the mock by its origins only, and judge nothing.

mod process;
mod program;
mod web;

use std::time::Duration;

pub use process::{Process, ProcessError, Served};
pub use program::{Program, ProgramEnd, Running};
pub use web::{Errand, Stop, go};

use super::login::Via;
use crate::oauth::{Exchange, Params, Request, Response};

/// How a client ended what it was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It says, or shows by what it does, that it worked.
    Accepted,
    /// It says that it did not.
    Rejected,
    /// It broke: a 5xx, a signal, a trace.
    Crashed,
    /// It gave no answer in time.
    Hung,
    /// Nothing tells.
    Unknown,
}

impl Reaction {
    /// The word that scenario files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Unknown => "unknown",
        }
    }
}

/// An authorization response on its way to a client.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Where the browser was told to go, as it was written.
    pub url: String,
    /// In which part of the message the response stands.
    pub via: Via,
    /// Its parameters.
    pub params: Params,
}

impl Callback {
    /// Whether a program that listens for a redirect gets to see a response: it stands in the query, and is one (RFC 6749 section 4.1.2).
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.via == Via::Query && (self.params.has("code") || self.params.has("error"))
    }

    /// The request by which a browser delivers it.
    #[must_use]
    pub fn request(&self) -> Request {
        if self.via == Via::FormPost {
            let mut request = Request::get(self.url.as_str());
            request.method = "POST".to_owned();
            request.headers.set("Content-Type", "application/x-www-form-urlencoded");
            request.body = self.params.encode().into_bytes();
            return request;
        }
        Request::get(self.url.as_str())
    }
}

/// What came of an errand of the browser.
#[derive(Debug, Clone, Default)]
pub struct Landing {
    /// Every request with its answer, in order.
    pub exchanges: Vec<Exchange>,
    /// The last authorization request that the client sent the browser off with.
    pub asked: Option<Params>,
    /// The last authorization response.
    pub callback: Option<Callback>,
    /// The last answer of the client.
    pub page: Option<Response>,
    /// Its address.
    pub page_url: Option<String>,
    /// Where the client sent the browser, in order.
    pub sent_to: Vec<String>,
    /// The `Set-Cookie` fields of the client.
    pub set_cookie: Vec<String>,
    /// Where the journey ended, where that was not at the client.
    pub elsewhere: Option<String>,
    /// Whether the client gave no answer within the limit.
    pub hung: bool,
    /// Whether it cut the connection.
    pub cut: bool,
}

/// How long a program or a served application is waited for, where nothing else is said: longer than the half minute that many HTTP
/// libraries wait of their own accord, and shorter than the mock holds an answer back that is never to come.
pub const PATIENCE: Duration = Duration::from_secs(35);
