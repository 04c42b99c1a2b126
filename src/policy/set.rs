//! The patches in force in a realm, and the policy that follows from them at a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::patch::{Change, Patch, PatchKind, Rule};
use super::when::Miss;
use super::{Policy, Rewrite, settings};
use crate::oauth::Params;
use crate::problem::nearest;

/// What is known of a request when its policy is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// `authorize`, `login`, `consent`, `token`, `revoke`, `introspect`, `userinfo`, `resource`, `jwks`, `metadata`, `register`,
    /// `device_authorization`, `verification`.
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

/// A rule that never applied, with the request that came nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The patch.
    pub id: String,
    /// Which of its rules, from 1.
    pub rule: usize,
    /// What was wanted and what came, of the nearest request; `None` where no request came at all.
    pub nearest: Option<String>,
}

/// The patches in force. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    base: Arc<Policy>,
    seed: u64,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Bound>,
    state: Mutex<State>,
}

/// A rule with the patch it is from.
#[derive(Debug)]
struct Bound {
    id: String,
    number: usize,
    rule: Rule,
    always: bool,
}

#[derive(Debug, Default)]
struct State {
    /// One for each rule.
    tallies: Vec<Tally>,
    /// Policies by the conditional rules that made them.
    made: HashMap<Vec<usize>, Arc<Policy>>,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    seen: u64,
    applied: u64,
    miss: Option<Miss>,
}

impl PolicySet {
    /// No patches: the default policy.
    #[must_use]
    pub fn strict() -> Self {
        Self::default()
    }

    /// These patches, later ones over earlier ones.
    ///
    /// # Errors
    /// Where two variants write the same key, a patch cannot apply, or a setting does not fit.
    pub fn new<'a>(patches: impl IntoIterator<Item = &'a Patch>) -> Result<Self, PatchError> {
        let patches: Vec<&Patch> = patches.into_iter().collect();
        for patch in &patches {
            check_settings(patch)?;
        }
        check_collisions(&patches)?;
        check_requirements(&patches)?;
        let bind = |patch: &&Patch| {
            let bound = |(index, rule): (usize, &Rule)| Bound {
                id: patch.id.clone(),
                number: index + 1,
                always: rule.when.is_always(),
                rule: rule.clone(),
            };
            patch.rules.iter().enumerate().map(bound).collect::<Vec<_>>()
        };
        let rules: Vec<Bound> = patches.iter().flat_map(bind).collect();
        let state = Mutex::new(State { tallies: vec![Tally::default(); rules.len()], made: HashMap::new() });
        let base = if rules.is_empty() { Policy::default() } else { replay(rules.iter().filter(|bound| bound.always))? };
        Ok(Self { base: Arc::new(base), seed: 0, inner: Arc::new(Inner { rules, state }) })
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

    /// The policy for a request. Counts the request where a rule counts (`nth`, `once`).
    #[must_use]
    pub fn at(&self, moment: &Moment<'_>) -> Effective {
        let rules = &self.inner.rules;
        let mut effective = Effective { policy: Arc::clone(&self.base), rewrites: Vec::new(), applied: Vec::new() };
        if rules.is_empty() {
            return effective;
        }
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut conditional = Vec::new();
        for (index, bound) in rules.iter().enumerate() {
            if !bound.always && !self.counts(bound, moment, &mut state.tallies[index]) {
                continue;
            }
            state.tallies[index].applied += 1;
            if !effective.applied.contains(&bound.id) {
                effective.applied.push(bound.id.clone());
            }
            match &bound.rule.change {
                Change::Answer(rewrite) => effective.rewrites.push(Arc::clone(rewrite)),
                Change::Settings(_) if bound.always => {}
                Change::Settings(_) => conditional.push(index),
            }
        }
        if !conditional.is_empty() {
            effective.policy = self.made(&mut state, conditional);
        }
        effective
    }

    /// The rules that never applied so far, with the request that came nearest to each.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let never = self.inner.rules.iter().zip(&state.tallies).filter(|(bound, tally)| !bound.always && tally.applied == 0);
        let entry = |(bound, tally): (&Bound, &Tally)| Unmatched {
            id: bound.id.clone(),
            rule: bound.number,
            nearest: tally.miss.as_ref().map(|miss| miss.text.clone()),
        };
        never.map(entry).collect()
    }

    /// Forgets all counts, as if no request had come yet.
    pub fn reset(&self) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tallies.fill(Tally::default());
    }

    /// Whether a conditional rule applies, by its conditions first and then by what it counts.
    fn counts(&self, bound: &Bound, moment: &Moment<'_>, tally: &mut Tally) -> bool {
        let when = &bound.rule.when;
        if let Some(miss) = when.miss(moment) {
            if tally.miss.as_ref().is_none_or(|nearest| nearest.held < miss.held) {
                tally.miss = Some(miss);
            }
            return false;
        }
        tally.seen += 1;
        let text = match (when.nth, when.probability) {
            (Some(nth), _) if nth != tally.seen => format!("nth = {nth}, but it was number {}", tally.seen),
            (_, Some(likely)) if self.chance(bound, tally.seen) >= likely => {
                format!("probability = {likely}, but chance would not have it")
            }
            _ if when.once && tally.applied > 0 => return false,
            _ => return true,
        };
        tally.miss = Some(Miss { held: usize::MAX, text });
        false
    }

    /// A number from 0 to below 1 that follows from the seed, the rule and how often it was asked.
    fn chance(&self, bound: &Bound, seen: u64) -> f64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let number = u64::try_from(bound.number).unwrap_or(u64::MAX);
        for byte in bound.id.bytes().chain(self.seed.to_le_bytes()).chain(number.to_le_bytes()).chain(seen.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The finisher of splitmix64: FNV alone spreads the last bytes badly.
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((hash ^ (hash >> 31)) >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
    }

    fn made(&self, state: &mut State, conditional: Vec<usize>) -> Arc<Policy> {
        if let Some(policy) = state.made.get(&conditional) {
            return Arc::clone(policy);
        }
        let in_force = |(index, _): &(usize, &Bound)| conditional.contains(index);
        let rules = self.inner.rules.iter().enumerate().filter(|each| each.1.always || in_force(each)).map(|(_, bound)| bound);
        // Each value was checked by itself when the set was made, and they do not depend on each other.
        let policy = replay(rules).map_or_else(|_| Arc::clone(&self.base), Arc::new);
        state.made.insert(conditional, Arc::clone(&policy));
        policy
    }
}

/// The policy that follows from these rules, applied in order to the default one.
fn replay<'a>(rules: impl Iterator<Item = &'a Bound>) -> Result<Policy, PatchError> {
    let mut tree = settings::defaults().clone();
    let mut last = "";
    for bound in rules {
        last = &bound.id;
        if let Change::Settings(changes) = &bound.rule.change {
            apply(&mut tree, changes);
        }
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
    let settings = patch.rules.iter().filter_map(|rule| match &rule.change {
        Change::Settings(settings) => Some(settings),
        Change::Answer(_) => None,
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
    for (index, patch) in patches.iter().enumerate().filter(|(_, patch)| !patch.requires.is_empty()) {
        let mut tree = settings::defaults().clone();
        let others = patches.iter().enumerate().filter(|(at, _)| *at != index).flat_map(|(_, other)| &other.rules);
        for rule in others.filter(|rule| rule.when.is_always()) {
            if let Change::Settings(changes) = &rule.change {
                apply(&mut tree, changes);
            }
        }
        let policy =
            settings::typed(&tree).map_err(|error| PatchError::Invalid { id: patch.id.clone(), message: error.to_string() })?;
        if let Some(missing) = patch.requires.iter().find(|requires| !requires.holds(&policy)) {
            return Err(PatchError::CannotApply { id: patch.id.clone(), what: missing.to_string() });
        }
    }
    Ok(())
}
