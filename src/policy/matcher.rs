//! Which requests, and which exchanges, are meant: one type for the conditions of rules, for expectations and for the journal.
//!
//! A matcher is pure. What counts requests is in `when`; how one is read from a file or from JSON is told in `read_when`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use regex::Regex;
use serde::Serialize;

use super::Answer;
use super::criterion::{Criterion, criteria, shortened};
use crate::oauth::{Params, Request, Response};

/// What is known of a request when it is compared; of its answer, only once there is one.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// One of [`super::When::ENDPOINTS`], or `unknown` where nothing is.
    pub endpoint: &'a str,
    /// The grant type, at the token endpoint.
    pub grant: Option<&'a str>,
    /// The client identifier as claimed by the request.
    pub client: Option<&'a str>,
    /// How the client authenticates: `basic`, `post`, `none`.
    pub auth: Option<&'a str>,
    /// The user of the session.
    pub user: Option<&'a str>,
    /// The parameters of the request: of its body if it is a POST with one, else of its query.
    pub params: &'a Params,
    /// The request itself.
    pub request: &'a Request,
    /// Since the realm began, or the script was put in force, on the realm's clock.
    pub elapsed: Duration,
    /// What came of it; `None` while that is being decided.
    pub answered: Option<Answered<'a>>,
}

impl Moment<'_> {
    /// The same for what was put in force so long after the realm began.
    pub(super) fn since(&self, begun: Option<Duration>) -> Self {
        Self { elapsed: self.elapsed.saturating_sub(begun.unwrap_or_default()), ..*self }
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The answer.
    pub response: &'a Response,
    /// Why it was refused, in the words of the tables of causes.
    pub cause: Option<&'a str>,
    /// The ids of the patches that applied.
    pub applied: &'a [String],
}

/// Conditions on a request and, where there is one, its answer. All that is given must hold; nothing given: always.
///
/// ```
/// use oauthspec::policy::{Matcher, Test};
///
/// let refreshes = Matcher::at("token").grant("refresh_token").form("scope", Test::Absent).status(400);
/// assert_eq!(refreshes.to_string(), "endpoint = token, grant = refresh_token, form `scope` absent, status = 400");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matcher {
    /// One of these endpoints.
    pub endpoint: Vec<String>,
    /// One of these methods.
    pub method: Vec<String>,
    /// One of these paths, as they were sent; `*` stands for any characters.
    pub path: Vec<String>,
    /// One of these grant types.
    pub grant: Vec<String>,
    /// One of these client identifiers.
    pub client: Vec<String>,
    /// One of these ways of client authentication.
    pub auth: Vec<String>,
    /// One of these users.
    pub user: Vec<String>,
    /// Parameters of the request, wherever they stand.
    pub parameters: Vec<(String, Test)>,
    /// Parameters of the body.
    pub form: Vec<(String, Test)>,
    /// Parameters of the query.
    pub query: Vec<(String, Test)>,
    /// Header fields.
    pub headers: Vec<(String, Test)>,
    /// Members of the body, where that is a JSON object.
    pub json: Vec<(String, Test)>,
    /// One of these statuses of the answer: `400`, or `4xx`.
    pub status: Vec<String>,
    /// One of these error codes in the answer.
    pub error: Vec<String>,
    /// One of these causes of a refusal.
    pub cause: Vec<String>,
    /// One of these patches had a say.
    pub applied: Vec<String>,
    /// Whether the answer gives what was asked for.
    pub answer: Answer,
}

/// What a parameter, header field or member has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of its values is this one.
    Is(String),
    /// One of its values is one of these.
    OneOf(Vec<String>),
    /// One of its values has a part that matches.
    Matches(Pattern),
    /// It is there.
    Present,
    /// It is not there.
    Absent,
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// One condition, compared with one exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What was wanted.
    pub wanted: String,
    /// What came.
    pub found: String,
    /// Whether it held.
    pub held: bool,
}

/// The request that came nearest to a matcher, condition by condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nearest {
    /// Its method and path.
    pub request: String,
    /// The status of its answer, where that was known when it was compared.
    pub status: Option<u16>,
    /// Every condition.
    pub conditions: Vec<Condition>,
    #[serde(skip)]
    pub(crate) score: Score,
}

/// How near a request comes: the right endpoint counts more than all the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Score {
    endpoint: bool,
    held: usize,
}

impl Matcher {
    /// Everything.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// What comes to that endpoint.
    #[must_use]
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self { endpoint: vec![endpoint.into()], ..Self::default() }
    }

    /// Or to this endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint.push(endpoint.into());
        self
    }

    /// At that path, `*` standing for any characters; with several, one of them.
    ///
    /// ```
    /// use oauthspec::policy::Matcher;
    ///
    /// let openid_document = Matcher::at("metadata").path("*/openid-configuration");
    /// assert_eq!(openid_document.to_string(), "endpoint = metadata, path = */openid-configuration");
    /// ```
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path.push(path.into());
        self
    }

    /// With that method; with several, one of them.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method.push(method.into());
        self
    }

    /// With that grant type; with several, one of them.
    #[must_use]
    pub fn grant(mut self, grant: impl Into<String>) -> Self {
        self.grant.push(grant.into());
        self
    }

    /// Of that client; with several, one of them.
    #[must_use]
    pub fn client(mut self, client: impl Into<String>) -> Self {
        self.client.push(client.into());
        self
    }

    /// With that way of client authentication: `basic`, `post`, `none`.
    #[must_use]
    pub fn auth(mut self, auth: impl Into<String>) -> Self {
        self.auth.push(auth.into());
        self
    }

    /// Of that user; with several, one of them.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user.push(user.into());
        self
    }

    /// With such a parameter, wherever it stands.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.parameters.push((name.into(), test.into()));
        self
    }

    /// With such a parameter in the body.
    #[must_use]
    pub fn form(mut self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.form.push((name.into(), test.into()));
        self
    }

    /// With such a parameter in the query.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.query.push((name.into(), test.into()));
        self
    }

    /// With such a header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.headers.push((name.into(), test.into()));
        self
    }

    /// With such a member in a JSON body.
    #[must_use]
    pub fn json(mut self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.json.push((name.into(), test.into()));
        self
    }

    /// Answered with that status; with several, one of them.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status.push(status.to_string());
        self
    }

    /// Answered with that error code; with several, one of them.
    #[must_use]
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error.push(error.into());
        self
    }

    /// Refused for that cause; with several, one of them.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause.push(cause.into());
        self
    }

    /// Answered under that patch; with several, one of them.
    #[must_use]
    pub fn applied(mut self, id: impl Into<String>) -> Self {
        self.applied.push(id.into());
        self
    }

    /// Answered with what was asked for.
    #[must_use]
    pub fn succeeded(mut self) -> Self {
        self.answer = Answer::Success;
        self
    }

    /// Answered with an error.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.answer = Answer::Error;
        self
    }

    /// Whether all its conditions hold.
    #[must_use]
    pub fn holds(&self, moment: &Moment<'_>) -> bool {
        criteria(self).iter().all(|criterion| criterion.holds(moment))
    }

    /// Every condition with what was wanted and what came.
    #[must_use]
    pub fn explain(&self, moment: &Moment<'_>) -> Vec<Condition> {
        let condition = |criterion: &Criterion<'_>| Condition {
            wanted: criterion.wanted(),
            found: criterion.found(moment),
            held: criterion.holds(moment),
        };
        criteria(self).iter().map(condition).collect()
    }

    /// `None` if all its conditions hold, else how near the request comes.
    pub(crate) fn miss(&self, moment: &Moment<'_>) -> Option<Score> {
        let criteria = criteria(self);
        let held = criteria.iter().filter(|criterion| criterion.holds(moment)).count();
        if held == criteria.len() {
            return None;
        }
        Some(Score { endpoint: self.endpoint.is_empty() || self.endpoint.iter().any(|name| name == moment.endpoint), held })
    }

    /// The nearest of what was known before and a request that missed.
    pub(crate) fn nearer(&self, known: &mut Option<Nearest>, score: Score, moment: &Moment<'_>) {
        if known.as_ref().is_none_or(|nearest| nearest.score < score) {
            *known = Some(Nearest::of(moment, self.explain(moment), score));
        }
    }
}

/// What was wanted, as it is written in messages.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted: Vec<String> = criteria(self).iter().map(Criterion::wanted).collect();
        if wanted.is_empty() { f.write_str("any request") } else { f.write_str(&wanted.join(", ")) }
    }
}

impl Nearest {
    pub(crate) fn of(moment: &Moment<'_>, conditions: Vec<Condition>, score: Score) -> Self {
        let request = format!("{} {}", moment.request.method, shortened(moment.request.path()));
        let status = moment.answered.map(|answered| answered.response.status);
        Self { request, status, conditions, score }
    }
}

/// The request, and the conditions that did not hold: `POST /r/token: grant = refresh_token, but it was "password"`.
impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request)?;
        let mut separator = ": ";
        for condition in self.conditions.iter().filter(|condition| !condition.held) {
            write!(f, "{separator}{}, but {}", condition.wanted, condition.found)?;
            separator = "; ";
        }
        Ok(())
    }
}

impl Score {
    /// Every condition of the matcher held, and only what counts was against it.
    pub(crate) const COUNTED: Self = Self { endpoint: true, held: usize::MAX };
    /// Every condition on the request held, and it came at the wrong time.
    pub(crate) const TIMED: Self = Self { endpoint: true, held: usize::MAX - 1 };

    /// Whether of several requests with it the latest came nearest: time passes, and numbers grow.
    pub(crate) fn comes_nearer(self) -> bool {
        self >= Self::TIMED
    }
}

impl Test {
    /// That a value has a part that matches a regular expression.
    ///
    /// # Errors
    /// Where it is none: what the parser says.
    pub fn matches(pattern: &str) -> Result<Self, regex::Error> {
        Pattern::new(pattern).map(Self::Matches)
    }

    pub(super) fn holds(&self, values: &[Cow<'_, str>]) -> bool {
        match self {
            Self::Is(wanted) => values.iter().any(|value| value == wanted),
            Self::OneOf(wanted) => values.iter().any(|value| wanted.iter().any(|one| value == one)),
            Self::Matches(pattern) => values.iter().any(|value| pattern.0.is_match(value)),
            Self::Present => !values.is_empty(),
            Self::Absent => values.is_empty(),
        }
    }
}

/// It is that value.
impl From<&str> for Test {
    fn from(value: &str) -> Self {
        Self::Is(value.to_owned())
    }
}

/// It is that value.
impl From<String> for Test {
    fn from(value: String) -> Self {
        Self::Is(value)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "= {value:?}"),
            Self::OneOf(values) => write!(f, "one of {values:?}"),
            Self::Matches(pattern) => write!(f, "matches {:?}", pattern.0.as_str()),
            Self::Present => f.write_str("present"),
            Self::Absent => f.write_str("absent"),
        }
    }
}

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// Where it is none: what the parser says.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        Regex::new(pattern).map(Self)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
