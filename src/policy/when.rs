//! Conditions of rules: at which moments a change applies. Pure; what counts requests is in `set`.

use std::time::Duration;

use super::Moment;

/// When a rule applies. All that is given must hold; nothing given: always.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// One of these endpoints, by the names of [`Moment::endpoint`].
    pub endpoint: Vec<String>,
    /// One of these grant types.
    pub grant: Vec<String>,
    /// One of these client identifiers.
    pub client: Vec<String>,
    /// One of these ways of client authentication.
    pub auth: Vec<String>,
    /// One of these users.
    pub user: Vec<String>,
    /// These parameters are such.
    pub parameters: Vec<(String, ParameterTest)>,
    /// Not before so much time has passed on the realm's clock.
    pub after: Option<Duration>,
    /// Only the request with this number, from 1, of those for which all of the above holds.
    pub nth: Option<u64>,
    /// Only the first time.
    pub once: bool,
    /// So likely, by the seed: 0 to 1.
    pub probability: Option<f64>,
}

/// What a parameter has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterTest {
    /// One of its values is this one.
    Is(String),
    /// It is there.
    Present,
    /// It is not there.
    Absent,
}

impl When {
    /// The endpoints that rules can name.
    pub const ENDPOINTS: [&'static str; 14] = [
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
    ];

    /// The ways of client authentication that rules can name.
    pub const AUTH: [&'static str; 3] = ["basic", "post", "none"];

    /// Whether it holds always.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// The first condition that does not hold, counting aside, with how many held before it.
    pub(super) fn miss(&self, moment: &Moment<'_>) -> Option<Miss> {
        let conditions = [
            one_of("endpoint", &self.endpoint, Some(moment.endpoint)),
            one_of("grant", &self.grant, moment.grant),
            one_of("client", &self.client, moment.client),
            one_of("auth", &self.auth, moment.auth),
            one_of("user", &self.user, moment.user),
        ];
        let parameters = self.parameters.iter().map(|(name, test)| test.condition(name, moment));
        let after = self.after.map(|wanted| {
            let late = moment.elapsed >= wanted;
            if late { Ok(()) } else { Err(format!("after {wanted:?}, but only {:?} had passed", moment.elapsed)) }
        });
        let mut held = 0;
        for condition in conditions.into_iter().flatten().chain(parameters).chain(after) {
            match condition {
                Ok(()) => held += 1,
                Err(text) => return Some(Miss { held, text }),
            }
        }
        None
    }
}

/// How near a request came to a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miss {
    /// Conditions that held.
    pub(super) held: usize,
    /// The first that did not: what was wanted, and what came.
    pub(super) text: String,
}

impl ParameterTest {
    fn condition(&self, name: &str, moment: &Moment<'_>) -> Result<(), String> {
        let holds = match self {
            Self::Is(value) => moment.params.all(name).any(|bytes| bytes == value.as_bytes()),
            Self::Present => moment.params.has(name),
            Self::Absent => !moment.params.has(name),
        };
        let found = || moment.params.get(name).map_or_else(|| "there was none".to_owned(), |value| format!("it was {value:?}"));
        match self {
            _ if holds => Ok(()),
            Self::Is(value) => Err(format!("parameter `{name}` = {value:?}, but {}", found())),
            Self::Present => Err(format!("parameter `{name}` present, but {}", found())),
            Self::Absent => Err(format!("parameter `{name}` absent, but {}", found())),
        }
    }
}

fn one_of(what: &str, wanted: &[String], found: Option<&str>) -> Option<Result<(), String>> {
    if wanted.is_empty() {
        return None;
    }
    if found.is_some_and(|found| wanted.iter().any(|want| want == found)) {
        return Some(Ok(()));
    }
    let found = found.map_or_else(|| "there was none".to_owned(), |found| format!("it was {found:?}"));
    Some(Err(format!("{what} = {}, but {found}", wanted.join(" or "))))
}
