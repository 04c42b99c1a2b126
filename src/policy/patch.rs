//! What a patch is: a named change to the policy or to an answer. How it is read from a file is told in `parse`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;

use super::{Policy, Rewrite, When};
use crate::problem::{Problem, Source, nearest};

/// What a patch is for; it decides which members its file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatchKind {
    /// Breaks a requirement on purpose.
    Fault,
    /// Is different and still conformant.
    Variant,
    /// Behaves like a known provider.
    Profile,
    /// A user's own rules.
    Script,
}

impl PatchKind {
    /// The word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Variant => "variant",
            Self::Profile => "profile",
            Self::Script => "script",
        }
    }
}

impl fmt::Display for PatchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A named change: rules that apply together.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Its id; of a member of a family, `family.member`.
    pub id: String,
    /// What it is for.
    pub kind: PatchKind,
    /// One sentence: what the server does under it.
    pub title: String,
    /// More about it; empty where nothing is said.
    pub why: String,
    /// The requirements that a fault breaks, with their places in the file.
    pub breaks: Vec<Spanned<String>>,
    /// The plans under which a variant is conformant; empty: all.
    pub plans: Vec<String>,
    /// Checks that may warn under a variant: `scenario-id-or-glob#check`.
    pub declines: Vec<String>,
    /// Scenarios that may be skipped under a variant: globs.
    pub skips: Vec<String>,
    /// What the other patches must leave in place for it to apply.
    pub requires: Vec<Requires>,
    /// What it does.
    pub rules: Vec<Rule>,
    /// The file.
    pub source: Arc<Source>,
    /// Where its id stands in the file.
    pub span: std::ops::Range<usize>,
}

impl Patch {
    /// The dotted paths of the settings that it changes.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .flat_map(|rule| match &rule.change {
                Change::Settings(settings) => settings.as_slice(),
                Change::Answer(_) => &[],
            })
            .map(|(path, _)| path.as_str())
    }
}

/// What must hold of the rest of the policy for a patch to have any effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requires {
    /// This grant type is on offer.
    Grant(String),
    /// This endpoint is there: `revocation`, `introspection`, `userinfo`, `registration`, `metadata`.
    Endpoint(String),
    /// PKCE: `supported`, `required`, or a challenge method on offer.
    Pkce(String),
}

impl Requires {
    /// The endpoints that can be required.
    pub const ENDPOINTS: [&'static str; 5] = ["introspection", "metadata", "registration", "revocation", "userinfo"];

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, policy: &Policy) -> bool {
        match self {
            Self::Grant(grant) => policy.token.grants.contains(grant),
            Self::Endpoint(name) => match name.as_str() {
                "introspection" => policy.introspection.enabled,
                "metadata" => policy.metadata.oauth || policy.metadata.openid,
                "registration" => policy.registration.open,
                "revocation" => policy.revocation.enabled,
                "userinfo" => policy.resource.userinfo,
                _ => false,
            },
            Self::Pkce(what) => {
                let pkce = &policy.pkce;
                pkce.supported
                    && match what.as_str() {
                        "supported" => true,
                        "required" => pkce.required != super::PkceRequired::Never,
                        method => pkce.methods.iter().any(|offered| offered == method),
                    }
            }
        }
    }
}

impl fmt::Display for Requires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(grant) => write!(f, "the grant `{grant}`"),
            Self::Endpoint(name) => write!(f, "the endpoint `{name}`"),
            Self::Pkce(what) => write!(f, "PKCE `{what}`"),
        }
    }
}

/// A change with the condition under which it applies.
#[derive(Debug, Clone)]
pub struct Rule {
    /// When it applies.
    pub when: When,
    /// What it does.
    pub change: Change,
}

/// What a rule does: it changes a decision, or it makes a defect of one answer; never both.
#[derive(Debug, Clone)]
pub enum Change {
    /// Settings by their dotted paths, in order; `None` puts the default back, or removes an entry of a map.
    Settings(Vec<(String, Option<Value>)>),
    /// A defect of the answer.
    Answer(Arc<Rewrite>),
}

impl Patch {
    /// A patch without rules, for programs that build theirs in Rust: [`Patch::set`] adds to it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            title: id.clone(),
            source: Source::new(format!("patch {id}"), ""),
            id,
            kind: PatchKind::Script,
            why: String::new(),
            breaks: Vec::new(),
            plans: Vec::new(),
            declines: Vec::new(),
            skips: Vec::new(),
            requires: Vec::new(),
            rules: Vec::new(),
            span: 0..0,
        }
    }

    /// With one more setting, always in force. A path or value that does not fit is told by [`super::PolicySet::new`].
    #[must_use]
    pub fn set(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rule(When::default(), Change::Settings(vec![(path.into(), Some(value.into()))]))
    }

    /// With one more rule.
    #[must_use]
    pub fn rule(mut self, when: When, change: Change) -> Self {
        self.rules.push(Rule { when, change });
        self
    }

    /// Everything it writes: dotted paths of settings, and `answer.…` for defects of answers.
    #[must_use]
    pub fn writes(&self) -> BTreeSet<String> {
        let written = |rule: &Rule| match &rule.change {
            Change::Settings(settings) => settings.iter().map(|(path, _)| path.clone()).collect(),
            Change::Answer(rewrite) => rewrite.writes(),
        };
        self.rules.iter().flat_map(written).collect()
    }

    /// A key that both write, if there is one.
    #[must_use]
    pub fn collides(&self, other: &Self) -> Option<String> {
        let below =
            |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let theirs = other.writes();
        self.writes().into_iter().find(|mine| theirs.iter().any(|their| below(mine, their) || below(their, mine)))
    }

    /// The requirements in `breaks` that are not among those known.
    #[must_use]
    pub fn unknown_requirements(&self, known: &[&str]) -> Vec<Problem> {
        let unknown = self.breaks.iter().filter(|id| !known.contains(&id.get_ref().as_str()));
        let problem = |id: &Spanned<String>| {
            let problem = Problem::new(&self.source, id.span(), format!("unknown requirement `{}`", id.get_ref()));
            match nearest(id.get_ref(), known.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            }
        };
        unknown.map(problem).collect()
    }
}
