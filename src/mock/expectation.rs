//! What a test expects to have happened in a realm: which exchanges, how often, in what order.

use std::fmt;
use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};

use serde_json::Value;

use crate::policy::{self, Matcher, Test};
use crate::problem::Problem;
use crate::reader::{Data, Fields, Node, Sink};

/// Exchanges of a kind, and how often they are to happen: at least once unless said otherwise.
///
/// ```
/// use oauthspec::mock::Expectation;
/// use oauthspec::policy::Test;
///
/// let one_refresh = Expectation::token().grant("refresh_token").form("scope", Test::Absent).times(1);
/// let no_password_in_a_url = Expectation::any().query("password", Test::Present).never();
/// assert_eq!(one_refresh.to_string(), "exactly 1 exchange with endpoint = token, grant = refresh_token, form `scope` absent");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// What messages call it; empty: its conditions speak for it.
    pub name: String,
    /// Which exchanges are meant.
    pub matcher: Matcher,
    /// How many of them there have to be.
    pub times: Times,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// At least so many.
    pub least: u64,
    /// At most so many; `None`: any number.
    pub most: Option<u64>,
}

/// Expectations that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectations {
    pub(super) list: Vec<Expectation>,
    pub(super) order: Order,
}

/// Whether the order of exchanges matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Any,
    /// What fulfils one comes after what fulfils the one before it.
    Given,
}

impl Expectation {
    /// Any exchange.
    #[must_use]
    pub fn any() -> Self {
        Self::new(Matcher::any())
    }

    /// An exchange at that endpoint.
    #[must_use]
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self::new(Matcher::at(endpoint))
    }

    /// An exchange at the authorization endpoint.
    #[must_use]
    pub fn authorize() -> Self {
        Self::at("authorize")
    }

    /// An exchange at the token endpoint.
    #[must_use]
    pub fn token() -> Self {
        Self::at("token")
    }

    /// Exchanges that match, at least one.
    #[must_use]
    pub fn new(matcher: Matcher) -> Self {
        Self { name: String::new(), matcher, times: Times { least: 1, most: None } }
    }

    /// What messages call it.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// At that path, `*` standing for any characters; with several, one of them.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        self.with(|matcher| matcher.path(path))
    }

    /// With that method.
    #[must_use]
    pub fn method(self, method: impl Into<String>) -> Self {
        self.with(|matcher| matcher.method(method))
    }

    /// With that grant type; with several, one of them.
    #[must_use]
    pub fn grant(self, grant: impl Into<String>) -> Self {
        self.with(|matcher| matcher.grant(grant))
    }

    /// Of that client; with several, one of them.
    #[must_use]
    pub fn client(self, client: impl Into<String>) -> Self {
        self.with(|matcher| matcher.client(client))
    }

    /// With that way of client authentication: `basic`, `post`, `none`.
    #[must_use]
    pub fn auth(self, auth: impl Into<String>) -> Self {
        self.with(|matcher| matcher.auth(auth))
    }

    /// Of that user; with several, one of them.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        self.with(|matcher| matcher.user(user))
    }

    /// With such a parameter in the body.
    #[must_use]
    pub fn form(self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.with(|matcher| matcher.form(name, test))
    }

    /// With such a parameter in the query.
    #[must_use]
    pub fn query(self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.with(|matcher| matcher.query(name, test))
    }

    /// With such a parameter, wherever it stands.
    #[must_use]
    pub fn parameter(self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.with(|matcher| matcher.parameter(name, test))
    }

    /// With such a header field.
    #[must_use]
    pub fn header(self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.with(|matcher| matcher.header(name, test))
    }

    /// Answered with that status; with several, one of them.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.with(|matcher| matcher.status(status))
    }

    /// Answered with that error code; with several, one of them.
    #[must_use]
    pub fn error(self, error: impl Into<String>) -> Self {
        self.with(|matcher| matcher.error(error))
    }

    /// Answered with what was asked for.
    #[must_use]
    pub fn succeeded(self) -> Self {
        self.with(Matcher::succeeded)
    }

    /// Answered with an error.
    #[must_use]
    pub fn failed(self) -> Self {
        self.with(Matcher::failed)
    }

    /// So many times: a number, or a range such as `1..` or `..=3`.
    #[must_use]
    pub fn times(self, times: impl Into<Times>) -> Self {
        Self { times: times.into(), ..self }
    }

    /// Not once.
    #[must_use]
    pub fn never(self) -> Self {
        self.times(0)
    }

    /// Reads one from JSON: `{"name": …, "when": {…}, "times": 1}`. `when` is a matcher; `times` is a number, or an object of `gte`
    /// and `lte`; without it at least one is expected.
    ///
    /// # Errors
    /// Every mistake in it, with its JSON pointer.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        policy::from_json("expectation", value, one)
    }

    /// Its name, or what it expects.
    pub(super) fn label(&self) -> String {
        if self.name.is_empty() { self.to_string() } else { self.name.clone() }
    }

    fn with(self, change: impl FnOnce(Matcher) -> Matcher) -> Self {
        Self { matcher: change(self.matcher), ..self }
    }
}

/// How often, and what: `at least 1 exchange with endpoint = token`; in front of it the name, if it has one.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{}: ", self.name)?;
        }
        let plural = if self.times.most.unwrap_or(self.times.least) == 1 { "" } else { "s" };
        write!(f, "{} exchange{plural} with {}", self.times, self.matcher)
    }
}

impl Expectations {
    /// All of these, in whatever order.
    pub fn all(list: impl IntoIterator<Item = Expectation>) -> Self {
        Self { list: list.into_iter().collect(), order: Order::Any }
    }

    /// All of these, one after the other: what fulfils one comes after what fulfils the one before it. Other exchanges may come
    /// between.
    pub fn in_order(list: impl IntoIterator<Item = Expectation>) -> Self {
        Self { list: list.into_iter().collect(), order: Order::Given }
    }

    /// The same, one after the other.
    #[must_use]
    pub fn ordered(self) -> Self {
        Self { order: Order::Given, ..self }
    }

    /// Reads them from JSON: one expectation, a list of them, or `{"in_order": […]}`.
    ///
    /// ```
    /// use oauthspec::mock::Expectations;
    ///
    /// let read = Expectations::from_json(&serde_json::json!({ "in_order": [
    ///     { "when": { "endpoint": "authorize" } },
    ///     { "when": { "endpoint": "token", "form": { "code_verifier": { "present": true } } }, "times": 1 }
    /// ]}));
    /// assert!(read.is_ok());
    /// let problems = Expectations::from_json(&serde_json::json!([{ "when": {}, "times": "often" }])).unwrap_err();
    /// assert_eq!(problems[0].pointer.as_deref(), Some("/0/times"));
    /// ```
    ///
    /// # Errors
    /// Every mistake in it, with its JSON pointer.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        policy::from_json("expectations", value, |node, sink| {
            let many = |node: &Node| sink.one_or_many(node).iter().map(|node| one(node, sink)).collect::<Vec<_>>();
            match &node.data {
                Data::Table(entries) if entries.iter().any(|entry| entry.key == "in_order") => {
                    let mut fields = Fields::of(node, sink);
                    let list = fields.as_mut().and_then(|fields| fields.take("in_order")).map_or_else(Vec::new, many);
                    fields.into_iter().for_each(Fields::finish);
                    Self::in_order(list)
                }
                _ => Self::all(many(node)),
            }
        })
    }
}

impl From<Expectation> for Expectations {
    fn from(expectation: Expectation) -> Self {
        Self::all([expectation])
    }
}

impl Times {
    /// Whether a number is right.
    #[must_use]
    pub fn allows(self, count: u64) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }

    fn of(range: &impl RangeBounds<u64>) -> Self {
        let least = match range.start_bound() {
            Bound::Included(least) => *least,
            Bound::Excluded(below) => below.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let most = match range.end_bound() {
            Bound::Included(most) => Some(*most),
            Bound::Excluded(above) => Some(above.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self { least, most }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (0, Some(0)) => f.write_str("no"),
            (least, Some(most)) if least == most => write!(f, "exactly {least}"),
            (0, Some(most)) => write!(f, "at most {most}"),
            (least, Some(most)) => write!(f, "{least} to {most}"),
            (least, None) => write!(f, "at least {least}"),
        }
    }
}

impl From<u64> for Times {
    fn from(exactly: u64) -> Self {
        Self { least: exactly, most: Some(exactly) }
    }
}

/// The ranges that can be written.
macro_rules! times_of_ranges {
    ($($range:ty),*) => {$(
        impl From<$range> for Times {
            fn from(range: $range) -> Self {
                Self::of(&range)
            }
        }
    )*};
}

times_of_ranges!(Range<u64>, RangeFrom<u64>, RangeInclusive<u64>, RangeTo<u64>, RangeToInclusive<u64>);

fn one(node: &Node, sink: &Sink) -> Expectation {
    let Some(mut fields) = Fields::of(node, sink) else { return Expectation::any() };
    let name = fields.string("name").unwrap_or_default().to_owned();
    let matcher = fields.required("when").map_or_else(Matcher::any, |node| policy::read_matcher(node, sink));
    let times = fields.take("times").map_or(Times { least: 1, most: None }, |node| times(node, sink));
    fields.finish();
    Expectation { name, matcher, times }
}

fn times(node: &Node, sink: &Sink) -> Times {
    let Data::Table(_) = node.data else { return Times::from(sink.whole::<u64>(node, 0).unwrap_or_default()) };
    let Some(mut fields) = Fields::of(node, sink) else { return Times::from(0..) };
    let times = Times { least: fields.whole("gte", 0).unwrap_or(0), most: fields.whole("lte", 0) };
    fields.finish();
    if times.most.is_some_and(|most| most < times.least) {
        sink.add(&node.span, format!("nothing is at least {} and at most {}", times.least, times.most.unwrap_or_default()));
    }
    times
}
