//! The patches in force in a realm, and the policy that follows from them at a moment.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::installed::{AppliedRule, Installed, Pending, Said, Unmatched};
use super::patch::{Change, Patch, PatchKind, Settings};
use super::{Answer, Moment, Policy, Respond, Rewrite, settings};
use crate::problem::nearest;

/// How many policies that conditional rules made are kept; more come only of many rules that depend on chance.
const MADE_CAPACITY: usize = 256;

/// The policy at a moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Effective {
    /// The settings.
    pub policy: Arc<Policy>,
    /// What is answered instead of anything that would be decided.
    pub respond: Option<Arc<Respond>>,
    /// What is done to the answer, in order.
    pub rewrites: Vec<Arc<Rewrite>>,
    /// The ids of the patches that apply, for the journal.
    pub applied: Vec<String>,
    /// Their rules that apply, for the journal.
    pub rules: Vec<Arc<AppliedRule>>,
    /// Those that wait for the answer.
    pending: Vec<Pending>,
}

/// Why patches cannot be in force together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Two variants write the same key.
    #[error("the variants `{first}` and `{second}` both write `{path}`: they cannot be combined")]
    Collision {
        /// The one that came first.
        first: String,
        /// The other.
        second: String,
        /// The key.
        path: String,
    },
    /// What a patch requires is not there.
    #[error("`{id}` cannot apply here: it needs {what}, and the other patches take it away")]
    CannotApply {
        /// The patch.
        id: String,
        /// What is missing.
        what: String,
    },
    /// A patch sets what does not exist, or to what it cannot be.
    #[error("`{id}`: {message}")]
    Invalid {
        /// The patch.
        id: String,
        /// What is wrong.
        message: String,
    },
}

/// The patches in force. Clones share their counts, and so does what is made of one by [`PolicySet::with_scripts`].
#[derive(Debug, Clone)]
pub struct PolicySet {
    base: Arc<Policy>,
    seed: u64,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    patches: Vec<Arc<Installed>>,
    /// Policies by the conditional rules that made them.
    made: Mutex<HashMap<Vec<usize>, Arc<Policy>>>,
}

impl PolicySet {
    /// No patches: the default policy.
    #[must_use]
    pub fn strict() -> Self {
        Self { base: unpatched(), seed: 0, inner: Arc::default() }
    }

    /// These patches, later ones over earlier ones.
    ///
    /// # Errors
    /// Where two variants write the same key, a patch cannot apply, or a setting does not fit.
    pub fn new<'a>(patches: impl IntoIterator<Item = &'a Patch>) -> Result<Self, PatchError> {
        let install = |patch: &Patch| Arc::new(Installed::new(Arc::new(patch.clone()), false));
        Self::of(patches.into_iter().map(install).collect())
    }

    /// The same with these patches over all others. What was counted so far stays counted.
    ///
    /// # Errors
    /// As [`PolicySet::new`].
    pub fn with_scripts<'a>(&self, patches: impl IntoIterator<Item = &'a Patch>) -> Result<Self, PatchError> {
        let install = |patch: &Patch| Arc::new(Installed::new(Arc::new(patch.clone()), true));
        let added = patches.into_iter().map(install);
        let set = Self::of(self.inner.patches.iter().cloned().chain(added).collect())?;
        Ok(set.with_seed(self.seed))
    }

    /// These patches in place of all but the scripts that were added. What stays keeps what it counted.
    ///
    /// # Errors
    /// As [`PolicySet::new`].
    pub fn over(&self, patches: &[Arc<Patch>]) -> Result<Self, PatchError> {
        let known = |patch: &Arc<Patch>| self.inner.patches.iter().find(|known| Arc::ptr_eq(&known.patch, patch)).cloned();
        let install = |patch: &Arc<Patch>| known(patch).unwrap_or_else(|| Arc::new(Installed::new(Arc::clone(patch), false)));
        let scripts = self.inner.patches.iter().filter(|installed| installed.added).cloned();
        let set = Self::of(patches.iter().map(install).chain(scripts).collect())?;
        Ok(set.with_seed(self.seed))
    }

    /// The same with these patches in place of all others of their kinds; scripts that were added stay.
    ///
    /// # Errors
    /// As [`PolicySet::new`].
    pub fn with_kinds(&self, chosen: &[(PatchKind, Vec<Patch>)]) -> Result<Self, PatchError> {
        let named = |kind: PatchKind| chosen.iter().find(|(of, _)| *of == kind);
        let mut all = Vec::new();
        for kind in [PatchKind::Profile, PatchKind::Variant, PatchKind::Fault, PatchKind::Script] {
            match named(kind) {
                Some((_, patches)) => all.extend(patches.iter().cloned().map(Arc::new)),
                None => all.extend(self.standing().filter(|patch| patch.kind == kind).cloned()),
            }
        }
        self.over(&all)
    }

    /// The same without what [`PolicySet::with_scripts`] added: all of it, or the patch of that id.
    #[must_use]
    pub fn without_scripts(&self, id: Option<&str>) -> Self {
        let goes = |patch: &Installed| patch.added && id.is_none_or(|id| patch.patch.id == id);
        let rest = self.inner.patches.iter().filter(|patch| !goes(patch)).cloned().collect();
        // A set that was sound stays so: what others require of scripts was checked by those others.
        Self::of(rest).map_or_else(|_| self.clone(), |set| set.with_seed(self.seed))
    }

    /// With another seed for `probability`.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The settings without any condition: what metadata, start-up and pages follow.
    #[must_use]
    pub fn base(&self) -> &Arc<Policy> {
        &self.base
    }

    /// The same patches with counts of its own, as if no request had come yet.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let anew = |installed: &Arc<Installed>| Arc::new(Installed::new(Arc::clone(&installed.patch), installed.added));
        let patches = self.inner.patches.iter().map(anew).collect();
        Self { inner: Arc::new(Inner { patches, made: Mutex::default() }), ..self.clone() }
    }

    /// The patches, in the order in which they apply.
    pub fn patches(&self) -> impl Iterator<Item = &Arc<Patch>> {
        self.inner.patches.iter().map(|installed| &installed.patch)
    }

    /// Those that were there before [`PolicySet::with_scripts`] added any.
    pub fn standing(&self) -> impl Iterator<Item = &Arc<Patch>> {
        self.inner.patches.iter().filter(|installed| !installed.added).map(|installed| &installed.patch)
    }

    /// Those that [`PolicySet::with_scripts`] added.
    pub fn scripts(&self) -> impl Iterator<Item = &Arc<Patch>> {
        self.inner.patches.iter().filter(|installed| installed.added).map(|installed| &installed.patch)
    }

    /// The policy for a request. Counts the request where a rule counts (`nth`, `once`).
    #[must_use]
    pub fn at(&self, moment: &Moment<'_>) -> Effective {
        let mut said = Said::default();
        self.inner.patches.iter().enumerate().for_each(|(place, patch)| patch.say(Some(place), moment, self.seed, &mut said));
        let policy = if said.conditional.is_empty() { Arc::clone(&self.base) } else { self.made(&said) };
        let Said { rewrites, respond, ids, rules, pending, .. } = said;
        Effective { policy, respond, rewrites, applied: ids, rules, pending }
    }

    /// Whether a rule waits for the answer.
    pub(crate) fn waits(effective: &Effective) -> bool {
        !effective.pending.is_empty()
    }

    /// Counts the rules that wait for the answer, and adds those that apply to an answer of that kind; `None`: to a page in between,
    /// which is neither success nor error.
    pub(crate) fn settle(&self, effective: &mut Effective, moment: &Moment<'_>, answer: Option<Answer>) {
        let there = effective.rewrites.len();
        for pending in std::mem::take(&mut effective.pending) {
            let Some(installed) = self.inner.patches.get(pending.patch) else { continue };
            if answer != Some(pending.on) {
                installed.note_other(&pending, moment, answer);
                continue;
            }
            if installed.settle(&pending, moment, self.seed) {
                if !effective.applied.contains(&installed.patch.id) {
                    effective.applied.push(installed.patch.id.clone());
                }
                let settled = effective.rewrites.len() - there;
                effective.rewrites.insert(pending.before + settled, pending.rewrite);
                effective.rules.push(pending.says);
            }
        }
    }

    /// Notes for what was put in force just now when that was, counted from when the realm began.
    pub(crate) fn begin(&self, elapsed: Duration) {
        self.inner.patches.iter().for_each(|patch| patch.begin(elapsed));
    }

    /// The rules of scripts that have a condition and never applied so far, with the request that came nearest to each. What is
    /// optional is left out.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let demands = |installed: &&Arc<Installed>| installed.patch.kind == PatchKind::Script && !installed.patch.optional;
        self.inner.patches.iter().filter(demands).flat_map(|installed| installed.unmatched()).collect()
    }

    /// Those of them that [`PolicySet::with_scripts`] added.
    #[must_use]
    pub fn unmatched_scripts(&self) -> Vec<Unmatched> {
        let demands = |installed: &&Arc<Installed>| installed.added && !installed.patch.optional;
        self.inner.patches.iter().filter(demands).flat_map(|installed| installed.unmatched()).collect()
    }

    /// Forgets all counts, as if no request had come yet.
    pub fn reset(&self) {
        self.inner.patches.iter().for_each(|patch| patch.reset());
    }

    fn of(patches: Vec<Arc<Installed>>) -> Result<Self, PatchError> {
        let plain: Vec<&Patch> = patches.iter().map(|installed| &*installed.patch).collect();
        for patch in &plain {
            check_settings(patch)?;
        }
        check_collisions(&plain)?;
        check_requirements(&plain)?;
        let base =
            if patches.is_empty() { unpatched() } else { Arc::new(replay(patches.iter().flat_map(|patch| patch.standing()))?) };
        Ok(Self { base, seed: 0, inner: Arc::new(Inner { patches, made: Mutex::default() }) })
    }

    fn made(&self, said: &Said<'_>) -> Arc<Policy> {
        let mut made = self.inner.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = made.get(&said.conditional) {
            return Arc::clone(policy);
        }
        // Each value was checked by itself when the set was made, and they do not depend on each other.
        let all = said.settings.iter().map(|settings| ("", *settings));
        let policy = replay(all).map_or_else(|_| Arc::clone(&self.base), Arc::new);
        if made.len() >= MADE_CAPACITY {
            made.clear();
        }
        made.insert(said.conditional.clone(), Arc::clone(&policy));
        policy
    }
}

impl Default for PolicySet {
    fn default() -> Self {
        Self::strict()
    }
}

/// The default policy, which thousands of realms share.
fn unpatched() -> Arc<Policy> {
    static UNPATCHED: LazyLock<Arc<Policy>> = LazyLock::new(Arc::default);
    Arc::clone(&UNPATCHED)
}

/// The policy that follows from these settings, each with the patch it is from, applied in order to the default one.
fn replay<'a>(all: impl Iterator<Item = (&'a str, &'a Settings)>) -> Result<Policy, PatchError> {
    let mut tree = settings::defaults().clone();
    let mut last = "";
    for (id, settings) in all {
        last = id;
        apply(&mut tree, settings);
    }
    settings::typed(&tree).map_err(|error| PatchError::Invalid { id: last.to_owned(), message: error.to_string() })
}

fn apply(tree: &mut serde_json::Value, changes: &[(String, Option<serde_json::Value>)]) {
    for (path, value) in changes {
        match value {
            Some(value) => settings::put(tree, path, value.clone()),
            None => settings::reset(tree, path),
        }
    }
}

/// Patches from files were checked when they were loaded, those built in Rust were not.
fn check_settings(patch: &Patch) -> Result<(), PatchError> {
    let invalid = |message| Err(PatchError::Invalid { id: patch.id.clone(), message });
    if let Some((name, reason)) = patch.rules.iter().find_map(|rule| rule.when.never()) {
        return invalid(format!("`{name}` can never hold: {reason}"));
    }
    let settings = patch.rules.iter().filter_map(|rule| match &rule.change {
        Change::Settings(settings) => Some(settings),
        Change::Answer(_) | Change::Respond(_) | Change::Patches(_) => None,
    });
    for (path, value) in settings.flatten() {
        if settings::place(path).is_none() {
            let paths = settings::paths();
            let near = nearest(path, paths.iter().map(String::as_str));
            return invalid(near.map_or_else(
                || format!("unknown setting `{path}`"),
                |near| format!("unknown setting `{path}`, did you mean `{near}`?"),
            ));
        }
        if let (Some(value), PatchKind::Script) = (value, patch.kind)
            && let Err(message) = settings::check(path, value)
        {
            return invalid(message);
        }
    }
    Ok(())
}

fn check_collisions(patches: &[&Patch]) -> Result<(), PatchError> {
    let variants: Vec<&&Patch> = patches.iter().filter(|patch| patch.kind == PatchKind::Variant).collect();
    for (index, second) in variants.iter().enumerate() {
        for first in &variants[..index] {
            if let Some(path) = first.collides(second) {
                return Err(PatchError::Collision { first: first.id.clone(), second: second.id.clone(), path });
            }
        }
    }
    Ok(())
}

fn check_requirements(patches: &[&Patch]) -> Result<(), PatchError> {
    for (index, outer) in patches.iter().enumerate() {
        let inner = outer.rules.iter().flat_map(|rule| match &rule.change {
            Change::Patches(patches) => patches.as_slice(),
            _ => &[],
        });
        for patch in std::iter::once(*outer).chain(inner.map(Arc::as_ref)).filter(|patch| !patch.requires.is_empty()) {
            let mut tree = settings::defaults().clone();
            let others = patches.iter().enumerate().filter(|(at, _)| *at != index).flat_map(|(_, other)| &other.rules);
            for rule in others.filter(|rule| rule.when.is_always()) {
                if let Change::Settings(changes) = &rule.change {
                    apply(&mut tree, changes);
                }
            }
            let invalid = |error: serde_json::Error| PatchError::Invalid { id: patch.id.clone(), message: error.to_string() };
            let policy = settings::typed(&tree).map_err(invalid)?;
            if let Some(missing) = patch.requires.iter().find(|requires| !requires.holds(&policy)) {
                return Err(PatchError::CannotApply { id: patch.id.clone(), what: missing.to_string() });
            }
        }
    }
    Ok(())
}
