//! Answer classes: what kind of answer came. Decided here and nowhere else.

use crate::oauth::{Exchange, Params, Response};
use crate::target::login::{Answered, End, Journey};

/// The class of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Back channel: it worked.
    Accepted,
    /// Back channel: 4xx but 429, and no token in the body.
    Refused,
    /// Back channel: 429 or 503. Proves nothing.
    Throttled,
    /// Back channel: another 5xx, a page instead of JSON, a cut or unreadable body.
    Broken,
    /// Nothing came. Proves nothing.
    None,
    /// Front channel: the client got what it asked for; the user approved a device.
    Granted,
    /// Front channel: an error was delivered to the redirect URI; the user refused a device.
    Denied,
    /// Front channel: a page, and nothing was delivered.
    Shown,
    /// Front channel: a login or consent page.
    Waiting,
    /// Front channel: it ended nowhere.
    Stuck,
}

impl Outcome {
    /// The word that scenario files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Broken => "broken",
            Self::None => "none",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Shown => "shown",
            Self::Waiting => "waiting",
            Self::Stuck => "stuck",
        }
    }

    /// Whether the request worked.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Accepted | Self::Granted)
    }

    /// Whether it says nothing about the rule under test.
    #[must_use]
    pub fn proves_nothing(self) -> bool {
        matches!(self, Self::Throttled | Self::None)
    }

    /// What it means, for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused (4xx and no token)",
            Self::Throttled => "throttled (429 or 503)",
            Self::Broken => "broken (5xx, or no readable JSON where JSON is due)",
            Self::None => "no answer",
            Self::Granted => "granted (a code delivered to the redirect URI, or a device approved)",
            Self::Denied => "denied (an error delivered to the redirect URI, or a device refused)",
            Self::Shown => "shown (a page, nothing delivered to a redirect URI)",
            Self::Waiting => "waiting for the user (login or consent)",
            Self::Stuck => "stuck",
        }
    }
}

/// What a successful body is on an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A JSON object is due.
    Json,
    /// Anything will do (revocation, a resource, raw requests).
    Any,
}

/// The class of a back-channel answer.
#[must_use]
pub fn back_channel(exchange: &Exchange, due: Body) -> Outcome {
    let Some(response) = exchange.response() else { return Outcome::None };
    match response.status {
        429 | 503 => Outcome::Throttled,
        400..=499 if carries_token(response) => Outcome::Accepted,
        400..=499 => Outcome::Refused,
        200..=299 => success(response, due),
        // 5xx; and a redirect, which is no answer of a token endpoint, and elsewhere neither success nor refusal.
        _ => Outcome::Broken,
    }
}

/// The class of what an authorization request led to.
#[must_use]
pub fn front_channel(journey: &Journey) -> Outcome {
    match &journey.end {
        End::Delivered { params, .. } => delivered(params),
        End::Shown { .. } => Outcome::Shown,
        End::Waiting { .. } => Outcome::Waiting,
        End::Stuck { .. } => Outcome::Stuck,
        End::Failed { .. } => Outcome::None,
    }
}

/// The class of what a visit to the verification page of a device led to: by what the user answered, if the page that followed is
/// none of an error.
#[must_use]
pub fn verification(journey: &Journey) -> Outcome {
    let failed = journey.exchanges.last().and_then(Exchange::response).is_none_or(|response| response.status >= 400);
    match (&journey.end, journey.answered) {
        (End::Waiting { .. }, _) => Outcome::Waiting,
        (End::Failed { .. }, _) => Outcome::None,
        (_, Some(Answered::Approved)) if !failed => Outcome::Granted,
        (_, Some(Answered::Refused)) if !failed => Outcome::Denied,
        (End::Stuck { .. }, _) => Outcome::Stuck,
        (End::Shown { .. } | End::Delivered { .. }, _) => Outcome::Shown,
    }
}

fn delivered(params: &Params) -> Outcome {
    let code = params.has("code") || params.has("access_token") || params.has("id_token");
    match (code, params.has("error")) {
        (true, _) => Outcome::Granted,
        (false, true) => Outcome::Denied,
        (false, false) => Outcome::Stuck,
    }
}

fn success(response: &Response, due: Body) -> Outcome {
    let readable = match due {
        Body::Any => !response.truncated,
        Body::Json => response.json().is_some_and(|json| json.is_object()),
    };
    // RFC 6749 section 5.2 answers errors with 400; an error in a 200 is a refusal in the wrong clothes.
    let error =
        due == Body::Json && response.json().is_some_and(|json| json.get("error").is_some_and(serde_json::Value::is_string));
    match (readable, error && !carries_token(response)) {
        (false, _) => Outcome::Broken,
        (true, true) => Outcome::Refused,
        (true, false) => Outcome::Accepted,
    }
}

fn carries_token(response: &Response) -> bool {
    response
        .json()
        .is_some_and(|json| json.get("access_token").is_some_and(|token| token.as_str().is_some_and(|t| !t.is_empty())))
}
