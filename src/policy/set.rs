//! The patches in force in a realm, and the policy that follows from them at a moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Policy;
use crate::oauth::Params;

/// What is known of a request when its policy is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// `authorize`, `login`, `consent`, `token`, `revoke`, `introspect`, `userinfo`, `resource`, `jwks`, `metadata`, `register`.
    pub endpoint: &'a str,
    /// The grant type, at the token endpoint.
    pub grant: Option<&'a str>,
    /// The client identifier as claimed by the request.
    pub client: Option<&'a str>,
    /// How the client authenticates: `basic`, `post`, `none`.
    pub auth: Option<&'a str>,
    /// The user of the session.
    pub user: Option<&'a str>,
    /// The parameters of the request.
    pub params: &'a Params,
    /// Since the realm began, on its clock.
    pub elapsed: Duration,
}

/// The policy at a moment.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The settings.
    pub policy: Arc<Policy>,
    /// What is done to the answer, in order.
    pub rewrites: Vec<Arc<Rewrite>>,
    /// The ids of the patches that apply, for the journal.
    pub applied: Vec<String>,
}

/// A defect of one answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewrite {
    /// Members merged into the claims of tokens before they are signed; `null` removes.
    pub claims: Map<String, Value>,
    /// Changes to a token's JWS: `alg`, `kid`, `typ`, `header` (merged members), `signature` (`none`, `flip`, `other-key`).
    pub jws: Map<String, Value>,
    /// Another status.
    pub status: Option<u16>,
    /// Header fields that are set; `None` removes.
    pub headers: Vec<(String, Option<String>)>,
    /// Members of the JSON body (or parameters of the authorization response) that are set; `null` removes.
    pub members: Map<String, Value>,
    /// Another body altogether.
    pub body: Option<String>,
    /// The body ends after so many bytes, though more were announced.
    pub truncate: Option<usize>,
    /// The answer waits so long.
    pub delay: Option<Duration>,
    /// The connection is closed instead of an answer.
    pub reset: bool,
}

/// The patches in force.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    base: Arc<Policy>,
}

impl PolicySet {
    /// No patches: the default policy.
    #[must_use]
    pub fn strict() -> Self {
        Self::default()
    }

    /// The settings without any condition: what metadata, start-up and pages follow.
    #[must_use]
    pub fn base(&self) -> &Arc<Policy> {
        &self.base
    }

    /// The policy for a request. Counts the request where a rule counts (`nth`, `once`).
    #[must_use]
    pub fn at(&self, _moment: &Moment<'_>) -> Effective {
        Effective { policy: Arc::clone(&self.base), rewrites: Vec::new(), applied: Vec::new() }
    }
}
