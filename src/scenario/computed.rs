//! What follows from a scenario's checks: levels and requirements.

use super::{Action, Check, Scenario, Want};
use crate::catalog::{Catalogue, Level, Requirement};

impl Scenario {
    /// Whether it is about clients; else about authorization servers.
    #[must_use]
    pub fn is_about_clients(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Drive(_)))
    }

    /// The requirements that its checks verify, each once, in file order.
    #[must_use]
    pub fn requirements(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for id in self.checks().flat_map(Check::citations) {
            if !out.iter().any(|known| known == id) {
                out.push(id.to_owned());
            }
        }
        out
    }

    /// The level of its strongest check.
    #[must_use]
    pub fn level(&self, catalogue: &Catalogue) -> Level {
        self.checks().map(|check| check.level(catalogue)).max().unwrap_or(Level::May)
    }

    /// Everything that gives a verdict, in file order.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.steps.iter().flat_map(|step| &step.expect)
    }
}

impl Check {
    /// The requirements that it verifies, the one that it is judged by first.
    pub fn citations(&self) -> impl Iterator<Item = &str> {
        self.requirement.iter().chain(&self.also).map(String::as_str)
    }

    /// How strongly the check binds: as its requirement, or lower where the file says so; without a requirement it warns at most.
    #[must_use]
    pub fn level(&self, catalogue: &Catalogue) -> Level {
        let own = self.requirement.as_deref().and_then(|id| catalogue.get(id)).map_or(Level::May, Requirement::level);
        self.level.map_or(own, |lower| own.min(lower))
    }
}

impl Want {
    /// Whether any answer will do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let answer = self.outcome.is_none() && self.status.is_none() && self.error.is_none() && self.body.is_none();
        let parts = self.headers.is_empty()
            && self.challenge.is_empty()
            && self.content_type.is_none()
            && self.json.is_empty()
            && self.got.is_empty();
        let own = self.via.is_none() && self.alive.is_none() && self.scope.is_none() && self.same.is_none();
        let several = self.among.is_none() && self.distinct.is_none() && self.guessable.is_none();
        let way = self.client.is_empty()
            && self.not_sent_to.is_none()
            && self.cookies.is_none()
            && self.third_parties.is_none()
            && self.elements.is_none();
        answer && parts && own && several && way && self.jwt.is_none() && self.password_sent_on.is_none()
    }
}
