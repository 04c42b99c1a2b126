//! Conditions of rules: at which moments a change applies. Pure; what counts requests is in `tally`.

use std::time::Duration;

use super::matcher::{Condition, Score};
use super::{Matcher, Moment, Test};

/// When a rule applies. All that is given must hold; nothing given: always.
///
/// The requests for which [`When::matching`] and the times hold are numbered from 1; `nth`, `first` and `skip` choose among them.
///
/// ```
/// use oauthspec::policy::When;
///
/// let second_refresh = When::at("token").grant("refresh_token").nth(2);
/// let a_minute_later = When::at("token").after(std::time::Duration::from_secs(60)).once();
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// What the request is like. Conditions on answers never hold: there is none yet.
    pub matching: Matcher,
    /// Not before so much time has passed on the realm's clock since the realm began.
    pub after: Option<Duration>,
    /// Only before so much time has passed on the realm's clock.
    pub until: Option<Duration>,
    /// Only the request with this number.
    pub nth: Option<u64>,
    /// Only the first so many.
    pub first: Option<u64>,
    /// Not the first so many.
    pub skip: Option<u64>,
    /// Only the first time that it applies. In a sequence a rule that says nothing of how often it applies does so once.
    pub once: Option<bool>,
    /// So likely, by the seed: 0 to 1.
    pub probability: Option<f64>,
}

impl When {
    /// The endpoints that rules can name; `unknown` is what is at no path of theirs.
    pub const ENDPOINTS: [&'static str; 17] = [
        "authorize",
        "login",
        "consent",
        "token",
        "revoke",
        "introspect",
        "par",
        "userinfo",
        "resource",
        "jwks",
        "metadata",
        "register",
        "device_authorization",
        "verification",
        "end_session",
        "error",
        "unknown",
    ];

    /// The ways of client authentication that rules can name.
    pub const AUTH: [&'static str; 3] = ["basic", "post", "none"];

    /// Always.
    #[must_use]
    pub fn always() -> Self {
        Self::default()
    }

    /// At that endpoint.
    #[must_use]
    pub fn at(endpoint: impl Into<String>) -> Self {
        Matcher::at(endpoint).into()
    }

    /// With that grant type; with several, one of them.
    #[must_use]
    pub fn grant(self, grant: impl Into<String>) -> Self {
        self.with(|matching| matching.grant(grant))
    }

    /// Of that client; with several, one of them.
    #[must_use]
    pub fn client(self, client: impl Into<String>) -> Self {
        self.with(|matching| matching.client(client))
    }

    /// Of that user; with several, one of them.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        self.with(|matching| matching.user(user))
    }

    /// With such a parameter.
    #[must_use]
    pub fn parameter(self, name: impl Into<String>, test: impl Into<Test>) -> Self {
        self.with(|matching| matching.parameter(name, test))
    }

    /// Not before so much time has passed on the realm's clock.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        Self { after: Some(elapsed), ..self }
    }

    /// Only before so much time has passed on the realm's clock.
    #[must_use]
    pub fn until(self, elapsed: Duration) -> Self {
        Self { until: Some(elapsed), ..self }
    }

    /// Only the request with this number, from 1.
    #[must_use]
    pub fn nth(self, number: u64) -> Self {
        Self { nth: Some(number), ..self }
    }

    /// Only the first so many.
    #[must_use]
    pub fn first(self, count: u64) -> Self {
        Self { first: Some(count), ..self }
    }

    /// Not the first so many.
    #[must_use]
    pub fn skip(self, count: u64) -> Self {
        Self { skip: Some(count), ..self }
    }

    /// Only once.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: Some(true), ..self }
    }

    /// As often as it holds, in a sequence too.
    #[must_use]
    pub fn forever(self) -> Self {
        Self { once: Some(false), ..self }
    }

    /// So likely, by the seed of the realm: 0 to 1.
    #[must_use]
    pub fn probability(self, likely: f64) -> Self {
        Self { probability: Some(likely), ..self }
    }

    /// Whether it holds always.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// The member that keeps it from ever holding, with the reason; `None` where it can hold.
    pub(super) fn never(&self) -> Option<(&'static str, String)> {
        let Self { matching, after, until, nth, first, skip, probability, .. } = self;
        for (name, number) in [("nth", nth), ("first", first)] {
            if *number == Some(0) {
                return Some((name, "requests are numbered from 1".to_owned()));
            }
        }
        if let (Some(nth), Some(first)) = (nth, first)
            && nth > first
        {
            return Some(("nth", format!("request {nth} is not among the first {first}")));
        }
        if let (Some(nth), Some(skip)) = (nth, skip)
            && nth <= skip
        {
            return Some(("nth", format!("request {nth} is among the {skip} that are skipped")));
        }
        if let (Some(first), Some(skip)) = (first, skip)
            && first <= skip
        {
            let last = first.saturating_add(*skip);
            let instead =
                format!("all are numbered from 1, so that skip = {skip}, first = {last} are the {first} after the {skip}");
            return Some(("first", format!("the first {first} are all among the {skip} that are skipped; {instead}")));
        }
        if *until == Some(Duration::ZERO) {
            return Some(("until", "it ends before it begins".to_owned()));
        }
        if let Some(path) = matching.path.iter().find(|path| !path.starts_with(['/', '*']) || path.contains(['?', '#'])) {
            return Some(("path", format!("`{path}` is no path: one begins with `/` or `*`, and has no query")));
        }
        if let (Some(after), Some(until)) = (after, until)
            && until <= after
        {
            return Some(("until", format!("it ends after {until:?}, before it begins after {after:?}")));
        }
        if probability.is_some_and(|likely| !(0.0..=1.0).contains(&likely)) {
            return Some(("probability", "a probability is from 0 to 1".to_owned()));
        }
        let no_grant = !matching.grant.is_empty() && !matching.endpoint.is_empty();
        (no_grant && !matching.endpoint.iter().any(|name| name == "token"))
            .then(|| ("grant", "only requests to the endpoint `token` have a grant".to_owned()))
    }

    /// How near a request comes, counting aside; `None` if everything holds.
    pub(super) fn miss(&self, moment: &Moment<'_>) -> Option<Score> {
        match self.matching.miss(moment) {
            Some(score) => Some(score),
            None if self.late_enough(moment) && self.early_enough(moment) => None,
            None => Some(Score::TIMED),
        }
    }

    /// Every condition on request and time, with what came.
    pub(super) fn explain(&self, moment: &Moment<'_>) -> Vec<Condition> {
        let elapsed = Duration::from_millis(u64::try_from(moment.elapsed.as_millis()).unwrap_or(u64::MAX));
        let found = || format!("{elapsed:?} had passed");
        let after = self.after.map(|after| (format!("after {after:?}"), self.late_enough(moment)));
        let until = self.until.map(|until| (format!("until {until:?}"), self.early_enough(moment)));
        let times = after.into_iter().chain(until).map(|(wanted, held)| Condition { wanted, found: found(), held });
        self.matching.explain(moment).into_iter().chain(times).collect()
    }

    /// In words, for messages.
    pub(crate) fn describe(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.matching != Matcher::default() {
            parts.push(self.matching.to_string());
        }
        parts.extend(self.after.map(|after| format!("after {after:?}")));
        parts.extend(self.until.map(|until| format!("until {until:?}")));
        for (name, number) in [("nth", self.nth), ("first", self.first), ("skip", self.skip)] {
            parts.extend(number.map(|number| format!("{name} = {number}")));
        }
        parts.extend(self.once.filter(|once| *once).map(|_| "once".to_owned()));
        parts.extend(self.probability.map(|likely| format!("probability = {likely}")));
        if parts.is_empty() { "any request".to_owned() } else { parts.join(", ") }
    }

    fn late_enough(&self, moment: &Moment<'_>) -> bool {
        self.after.is_none_or(|after| moment.elapsed >= after)
    }

    fn early_enough(&self, moment: &Moment<'_>) -> bool {
        self.until.is_none_or(|until| moment.elapsed < until)
    }

    fn with(self, change: impl FnOnce(Matcher) -> Matcher) -> Self {
        Self { matching: change(self.matching), ..self }
    }
}

/// Every request that is like this.
impl From<Matcher> for When {
    fn from(matching: Matcher) -> Self {
        Self { matching, ..Self::default() }
    }
}
