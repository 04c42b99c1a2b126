//! Scripts: rules that apply at a moment, from a file, from JSON or built in Rust. All three are patches of one grammar.

use std::sync::Arc;

use serde_json::Value;

use super::{Change, Patch, PatchKind, When};
use crate::problem::{Problem, Source};

/// One or more patches that apply at their moments.
///
/// ```
/// use oauthspec::policy::{Change, Respond, Script, When};
///
/// // The second refresh is refused for once, then the server is busy for two requests.
/// let script = Script::new("bad-day")
///     .rule(When::at("token").grant("refresh_token").nth(2), Respond::json(400, &serde_json::json!({ "error": "invalid_grant" })))
///     .rule(When::at("token").first(2), Respond::new(503).header("Retry-After", "1"))
///     .in_sequence();
///
/// // The same in TOML.
/// let same = Script::from_toml("bad-day.toml", r#"
///     [bad-day]
///     sequence = true
///     [[bad-day.patch]]
///     when = { endpoint = "token", grant = "refresh_token", nth = 2 }
///     respond = { status = 400, json = { error = "invalid_grant" } }
///     [[bad-day.patch]]
///     when = { endpoint = "token", first = 2 }
///     respond = { status = 503, headers = { Retry-After = "1" } }
/// "#).unwrap();
/// assert_eq!(script.patches()[0].rules.len(), same.patches()[0].rules.len());
/// ```
#[derive(Debug, Clone)]
pub struct Script(Vec<Patch>);

impl Script {
    /// A script without rules. Its id is what the journal calls it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(vec![Patch::new(id)])
    }

    /// With one more rule: a [`Change`], a [`super::Respond`] or a [`super::Rewrite`].
    #[must_use]
    pub fn rule(self, when: impl Into<When>, change: impl Into<Change>) -> Self {
        self.last(|patch| patch.rule(when, change))
    }

    /// With rules that apply one after the other: one begins when the one before it is used up. A rule that does not say how often
    /// it applies does so once.
    #[must_use]
    pub fn in_sequence(self) -> Self {
        self.last(Patch::in_sequence)
    }

    /// Whose rules need not all have applied when the realm is verified.
    #[must_use]
    pub fn optional(self) -> Self {
        self.last(Patch::optional)
    }

    /// Reads the scripts of a file.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Vec<Problem>> {
        Patch::parse(PatchKind::Script, source).map(Self)
    }

    /// Reads scripts from TOML; the name is for messages.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse(&Source::new(name, text))
    }

    /// Reads scripts from a JSON object of the same shape as a file.
    ///
    /// ```
    /// use oauthspec::policy::Script;
    ///
    /// let problems = Script::from_json(&serde_json::json!({
    ///     "busy": { "patch": [{ "when": { "endpoint": "token", "nth": 0 }, "respond": { "status": 503 } }] }
    /// })).unwrap_err();
    /// assert_eq!(problems[0].pointer.as_deref(), Some("/busy/patch/0/when/nth"));
    /// ```
    ///
    /// # Errors
    /// Every mistake in it, with its JSON pointer.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        Patch::parse_json(PatchKind::Script, "script", value).map(Self)
    }

    /// Its patches, each with its id.
    #[must_use]
    pub fn patches(&self) -> &[Patch] {
        &self.0
    }

    fn last(mut self, change: impl FnOnce(Patch) -> Patch) -> Self {
        let last = self.0.pop().map(change);
        self.0.extend(last);
        self
    }
}

impl From<Patch> for Script {
    fn from(patch: Patch) -> Self {
        Self(vec![patch])
    }
}
