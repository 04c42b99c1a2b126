//! What a patch is: a named change to the policy or to an answer. How it is read from a file is told in `parse`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;

use super::{Library, Policy, Respond, Rewrite, UnknownPatch, When};
use crate::problem::{Problem, Source, unknown_requirements};

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
    /// The profile that a profile begins with; its rules stand in front of the profile's own once it is in a library.
    pub base: Option<Spanned<String>>,
    /// What the other patches must leave in place for it to apply.
    pub requires: Vec<Requires>,
    /// What it does.
    pub rules: Vec<Rule>,
    /// Whether its rules apply one after the other: one begins when the one before it is used up.
    pub sequence: bool,
    /// Whether it is no failure that a rule of it never applied.
    pub optional: bool,
    /// The file.
    pub source: Arc<Source>,
    /// Where its id stands in the file.
    pub span: std::ops::Range<usize>,
}

impl Patch {
    /// The dotted paths of the settings that it changes.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        let settings = self.rules.iter().flat_map(|rule| match &rule.change {
            Change::Settings(settings) => settings.as_slice(),
            Change::Answer(_) | Change::Respond(_) | Change::Patches(_) => &[],
        });
        settings.map(|(path, _)| path.as_str())
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

/// Settings by their dotted paths, in order; `None` puts the default back, or removes an entry of a map.
pub type Settings = Vec<(String, Option<Value>)>;

/// What a rule does; never two of these.
#[derive(Debug, Clone)]
pub enum Change {
    /// It changes a decision.
    Settings(Settings),
    /// It makes a defect of the answer.
    Answer(Arc<Rewrite>),
    /// It answers instead of any decision.
    Respond(Arc<Respond>),
    /// It applies other patches, each of whose rules has its own condition beside that of this one.
    Patches(Vec<Arc<Patch>>),
}

impl Change {
    /// Another value of one setting. A path or value that does not fit is told by [`super::PolicySet::new`].
    #[must_use]
    pub fn set(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Settings(vec![(path.into(), Some(value.into()))])
    }

    /// What an embedded fault does.
    ///
    /// # Errors
    /// Where there is no fault of that id, with the nearest one.
    pub fn fault(id: &str) -> Result<Self, UnknownPatch> {
        Library::embedded().fault(id).map(|fault| Self::Patches(vec![Arc::new(fault.clone())]))
    }

    /// What an embedded variant does.
    ///
    /// # Errors
    /// Where there is no variant of that id, with the nearest one.
    pub fn variant(id: &str) -> Result<Self, UnknownPatch> {
        Library::embedded().variant(id).map(|variant| Self::Patches(vec![Arc::new(variant.clone())]))
    }
}

impl From<Rewrite> for Change {
    fn from(rewrite: Rewrite) -> Self {
        Self::Answer(Arc::new(rewrite))
    }
}

impl From<Respond> for Change {
    fn from(respond: Respond) -> Self {
        Self::Respond(Arc::new(respond))
    }
}

/// What it does, in a few words: the settings, or the parts of the answer.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(settings) => {
                let paths: Vec<&str> = settings.iter().map(|(path, _)| path.as_str()).collect();
                write!(f, "set {}", paths.join(", "))
            }
            Self::Answer(rewrite) => {
                let parts: Vec<String> = rewrite.writes().into_iter().collect();
                write!(f, "rewrite {}", parts.join(", "))
            }
            Self::Respond(respond) => write!(f, "respond {}", respond.status),
            Self::Patches(patches) => {
                let ids: Vec<String> = patches.iter().map(|patch| format!("{} {}", patch.kind, patch.id)).collect();
                f.write_str(&ids.join(", "))
            }
        }
    }
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
            base: None,
            requires: Vec::new(),
            rules: Vec::new(),
            sequence: false,
            optional: false,
            span: 0..0,
        }
    }

    /// With one more setting, always in force. A path or value that does not fit is told by [`super::PolicySet::new`].
    #[must_use]
    pub fn set(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rule(When::default(), Change::set(path, value))
    }

    /// With one more rule.
    #[must_use]
    pub fn rule(mut self, when: impl Into<When>, change: impl Into<Change>) -> Self {
        self.rules.push(Rule { when: when.into(), change: change.into() });
        self
    }

    /// With rules that apply one after the other: one begins when the one before it is used up.
    #[must_use]
    pub fn in_sequence(self) -> Self {
        Self { sequence: true, ..self }
    }

    /// Whose rules need not all have applied when the realm is verified.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Everything it writes: dotted paths of settings, and `answer.…` for defects of answers; `answer` for a literal one.
    #[must_use]
    pub fn writes(&self) -> BTreeSet<String> {
        let written = |rule: &Rule| match &rule.change {
            Change::Settings(settings) => settings.iter().map(|(path, _)| path.clone()).collect(),
            Change::Answer(rewrite) => rewrite.writes(),
            Change::Respond(_) => BTreeSet::from(["answer".to_owned()]),
            Change::Patches(patches) => patches.iter().flat_map(|patch| patch.writes()).collect(),
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
        unknown_requirements(&self.source, &self.breaks, known)
    }
}
