//! A patch in force: its rules with what they counted, and which of them apply at a moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::matcher::{Condition, Nearest, Score};
use super::patch::{Change, Patch, Rule, Settings};
use super::{Answer, Moment, Respond, Rewrite, When};

/// A rule that had a say in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedRule {
    /// The patch.
    pub patch: String,
    /// Which of its rules, from 1.
    pub rule: usize,
    /// What it does: the settings that it changes, or what it makes of the answer.
    pub does: String,
}

/// A rule that never applied, with the request that came nearest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The patch.
    pub id: String,
    /// Which of its rules, from 1.
    pub rule: usize,
    /// When it would have applied.
    pub when: String,
    /// The rule of the same sequence that was not used up before it, if that is why.
    pub waits_for: Option<usize>,
    /// The request that came nearest; `None` where no request came at all.
    pub nearest: Option<Nearest>,
}

/// ``rule 2 of `flaky` (endpoint = token) never applied; closest was POST /r/par: endpoint = token, but it was "par"``.
impl std::fmt::Display for Unmatched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rule {} of `{}` ({}) never applied", self.rule, self.id, self.when)?;
        match (self.waits_for, &self.nearest) {
            (Some(rule), _) => write!(f, "; rule {rule} before it was not used up"),
            (None, Some(nearest)) => write!(f, "; closest was {nearest}"),
            (None, None) => f.write_str("; no request came"),
        }
    }
}

/// What applies at a moment, in order.
#[derive(Default)]
pub(super) struct Said<'a> {
    /// The settings of every rule that applies.
    pub(super) settings: Vec<&'a Settings>,
    /// Those of them that do not always apply, by their numbers.
    pub(super) conditional: Vec<usize>,
    pub(super) rewrites: Vec<Arc<Rewrite>>,
    pub(super) respond: Option<Arc<Respond>>,
    pub(super) ids: Vec<String>,
    pub(super) rules: Vec<Arc<AppliedRule>>,
    pub(super) pending: Vec<Pending>,
}

/// A rule for answers of one kind whose conditions a request meets: whether it counts is seen when there is an answer.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// The patch, by its place in the set.
    pub(super) patch: usize,
    /// The rule, by its place in the patch.
    rule: usize,
    /// Its kind of answers.
    pub(super) on: Answer,
    pub(super) rewrite: Arc<Rewrite>,
    /// Before which of the rewrites that apply already.
    pub(super) before: usize,
    pub(super) says: Arc<AppliedRule>,
}

/// A patch in force. Sets of policies that follow from one another share it, and with it the counts.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) patch: Arc<Patch>,
    /// Whether it was added to a running realm, or to a builder, as a script.
    pub(super) added: bool,
    rules: Vec<Bound>,
    state: Mutex<State>,
}

/// A rule with what goes with it.
#[derive(Debug)]
struct Bound {
    always: bool,
    /// What the rule applies, where that is patches.
    inner: Vec<Installed>,
    says: Arc<AppliedRule>,
}

#[derive(Debug, Default)]
struct State {
    /// The rule of a sequence that is in turn.
    turn: usize,
    /// One for each rule.
    tallies: Vec<Tally>,
    /// When it was put in force, counted from when the realm began.
    since: Option<Duration>,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    seen: u64,
    applied: u64,
    nearest: Option<Nearest>,
}

impl Installed {
    pub(super) fn new(patch: Arc<Patch>, added: bool) -> Self {
        let bound = |(index, rule): (usize, &Rule)| Bound {
            always: rule.when.is_always() && !patch.sequence,
            inner: match &rule.change {
                Change::Patches(patches) => patches.iter().map(|inner| Self::new(Arc::clone(inner), false)).collect(),
                _ => Vec::new(),
            },
            says: Arc::new(AppliedRule { patch: patch.id.clone(), rule: index + 1, does: rule.change.to_string() }),
        };
        let rules: Vec<Bound> = patch.rules.iter().enumerate().map(bound).collect();
        let state = Mutex::new(State { tallies: vec![Tally::default(); rules.len()], ..State::default() });
        Self { patch, added, rules, state }
    }

    /// The settings that always apply, in order, each with the patch it is from.
    pub(super) fn standing(&self) -> Vec<(&str, &Settings)> {
        let mut out = Vec::new();
        for (rule, bound) in self.patch.rules.iter().zip(&self.rules).filter(|(_, bound)| bound.always) {
            match &rule.change {
                Change::Settings(settings) => out.push((self.patch.id.as_str(), settings)),
                Change::Patches(_) => out.extend(bound.inner.iter().flat_map(Self::standing)),
                Change::Answer(_) | Change::Respond(_) => {}
            }
        }
        out
    }

    /// Notes when it was put in force, unless that is known.
    pub(super) fn begin(&self, elapsed: Duration) {
        lock(&self.state).since.get_or_insert(elapsed);
    }

    /// Adds what its rules say of a request, and counts the request where a rule counts. `place` is its own in the set; rules of a
    /// patch that stands in none count before there is an answer, whatever answers they are for.
    pub(super) fn say<'a>(&'a self, place: Option<usize>, moment: &Moment<'_>, seed: u64, said: &mut Said<'a>) {
        if self.rules.iter().all(|bound| bound.always) {
            return (0..self.rules.len()).for_each(|index| self.apply(index, moment, seed, said));
        }
        let mut state = lock(&self.state);
        let moment = &moment.since(state.since);
        let turn = state.turn;
        for (index, bound) in self.rules.iter().enumerate() {
            let due = !self.patch.sequence || index == turn;
            if let Some(pending) =
                place.filter(|_| due && !bound.always).and_then(|place| self.pending(place, index, moment, said))
            {
                match self.miss(index, moment, state.tallies[index].nearest.as_ref()) {
                    Some((score, conditions)) => state.tallies[index].note(moment, score, conditions),
                    None => said.pending.push(pending),
                }
            } else if bound.always || due && self.counts(index, moment, seed, &mut state.tallies[index]) {
                state.tallies[index].applied += 1;
                self.apply(index, moment, seed, said);
            }
        }
        self.pass_on(&mut state);
    }

    /// Counts a request whose answer is of the kind that a rule is for, and says whether the rule applies.
    pub(super) fn settle(&self, pending: &Pending, moment: &Moment<'_>, seed: u64) -> bool {
        let mut state = lock(&self.state);
        let moment = &moment.since(state.since);
        let due = !self.patch.sequence || pending.rule == state.turn;
        let applies = due && self.counts(pending.rule, moment, seed, &mut state.tallies[pending.rule]);
        if applies {
            state.tallies[pending.rule].applied += 1;
        }
        self.pass_on(&mut state);
        applies
    }

    /// The rule as one that waits for the answer, if it is for answers of one kind. What an authorization request leads to may be
    /// answered by a form much later: there the request counts.
    fn pending(&self, patch: usize, rule: usize, moment: &Moment<'_>, said: &Said<'_>) -> Option<Pending> {
        let Change::Answer(rewrite) = &self.patch.rules[rule].change else { return None };
        let waits = rewrite.on != Answer::Any && !matches!(moment.endpoint, "authorize" | "login" | "consent");
        let says = Arc::clone(&self.rules[rule].says);
        let before = said.rewrites.len();
        waits.then(|| Pending { patch, rule, on: rewrite.on, rewrite: Arc::clone(rewrite), before, says })
    }

    /// In a sequence the next rule is in turn once this one is used up.
    fn pass_on(&self, state: &mut State) {
        let turn = state.turn;
        if self.patch.sequence && turn < self.rules.len() && self.is_used_up(turn, &state.tallies[turn]) {
            state.turn += 1;
        }
    }

    /// Its rules with a condition that never applied so far.
    pub(super) fn unmatched(&self) -> Vec<Unmatched> {
        let state = lock(&self.state);
        let never = |(index, bound): &(usize, &Bound)| {
            // What chance left out was met all the same.
            let met = self.patch.rules[*index].when.probability.is_some() && state.tallies[*index].seen > 0;
            !bound.always && !met && state.tallies[*index].applied == 0
        };
        let entry = |(index, _): (usize, &Bound)| Unmatched {
            id: self.patch.id.clone(),
            rule: index + 1,
            when: self.describe(index),
            waits_for: (self.patch.sequence && index > state.turn).then_some(state.turn + 1),
            nearest: state.tallies[index].nearest.clone(),
        };
        self.rules.iter().enumerate().filter(never).map(entry).collect()
    }

    /// When a rule applies, in words.
    fn describe(&self, index: usize) -> String {
        let Rule { when, change } = &self.patch.rules[index];
        let of_answers = match change {
            Change::Answer(rewrite) if rewrite.on != Answer::Any => format!("answer = {}", rewrite.on.word()),
            _ => return when.describe(),
        };
        if when.is_always() { of_answers } else { format!("{}, {of_answers}", when.describe()) }
    }

    /// Notes a request that met a rule's conditions and whose answer was of another kind.
    pub(super) fn note_other(&self, pending: &Pending, moment: &Moment<'_>, answer: Option<Answer>) {
        let found = answer.map_or_else(|| "it was a page in between".to_owned(), |answer| format!("it was {:?}", answer.word()));
        let condition = Condition { wanted: format!("answer = {}", pending.on.word()), found, held: false };
        lock(&self.state).tallies[pending.rule].note(moment, Score::TIMED, vec![condition]);
    }

    /// Forgets all counts.
    pub(super) fn reset(&self) {
        let mut state = lock(&self.state);
        (state.turn, state.since) = (0, None);
        state.tallies.fill(Tally::default());
        self.rules.iter().flat_map(|bound| &bound.inner).for_each(Self::reset);
    }

    fn apply<'a>(&'a self, index: usize, moment: &Moment<'_>, seed: u64, said: &mut Said<'a>) {
        let bound = &self.rules[index];
        if !said.ids.contains(&self.patch.id) {
            said.ids.push(self.patch.id.clone());
        }
        said.rules.push(Arc::clone(&bound.says));
        match &self.patch.rules[index].change {
            Change::Settings(settings) => {
                said.settings.push(settings);
                if !bound.always {
                    // Rules live as long as the sets that hold them: their addresses are their names.
                    said.conditional.push(Arc::as_ptr(&bound.says) as usize);
                }
            }
            Change::Answer(rewrite) => said.rewrites.push(Arc::clone(rewrite)),
            Change::Respond(respond) => said.respond = Some(Arc::clone(respond)),
            Change::Patches(_) => {
                let before = said.settings.len();
                bound.inner.iter().for_each(|inner| inner.say(None, moment, seed, said));
                if !bound.always && said.settings.len() > before {
                    said.conditional.push(Arc::as_ptr(&bound.says) as usize);
                }
            }
        }
    }

    /// Whether a conditional rule applies, by its conditions first and then by what it counts.
    fn counts(&self, index: usize, moment: &Moment<'_>, seed: u64, tally: &mut Tally) -> bool {
        let rule = &self.patch.rules[index];
        if let Some((score, conditions)) = self.miss(index, moment, tally.nearest.as_ref()) {
            tally.note(moment, score, conditions);
            return false;
        }
        tally.seen += 1;
        let when = &rule.when;
        let seen = tally.seen;
        let counted = [
            (when.nth.is_some_and(|nth| nth != seen), "nth", when.nth),
            (when.first.is_some_and(|first| seen > first), "first", when.first),
            (when.skip.is_some_and(|skip| seen <= skip), "skip", when.skip),
        ];
        if let Some((_, name, wanted)) = counted.into_iter().find(|(against, ..)| *against) {
            let wanted = format!("{name} = {}", wanted.unwrap_or_default());
            tally.note(moment, Score::COUNTED, vec![Condition { wanted, found: format!("it was number {seen}"), held: false }]);
            return false;
        }
        if when.probability.is_some_and(|likely| self.chance(index, seen, seed) >= likely) {
            return false;
        }
        !(self.once(when) && tally.applied > 0)
    }

    /// How near a request comes to a rule, and by which conditions if that is nearer than before; `None` where it meets them all.
    fn miss(&self, index: usize, moment: &Moment<'_>, known: Option<&Nearest>) -> Option<(Score, Vec<Condition>)> {
        let when = &self.patch.rules[index].when;
        let inner = &self.rules[index].inner;
        let score = when.miss(moment).or_else(|| {
            let fits = inner.is_empty() || inner.iter().any(|inner| inner.fits(moment));
            (!fits).then_some(Score::TIMED)
        })?;
        if known.is_some_and(|nearest| nearest.score > score || (nearest.score == score && !score.comes_nearer())) {
            return Some((score, Vec::new()));
        }
        let of_inner = inner.iter().flat_map(|inner| inner.patch.rules.iter().flat_map(|rule| rule.when.explain(moment)));
        Some((score, when.explain(moment).into_iter().chain(of_inner).collect()))
    }

    /// Whether any of its rules is for such a request, counting aside.
    fn fits(&self, moment: &Moment<'_>) -> bool {
        self.patch.rules.iter().any(|rule| rule.when.miss(moment).is_none())
    }

    fn once(&self, when: &When) -> bool {
        when.once.unwrap_or(self.patch.sequence && when.nth.is_none() && when.first.is_none())
    }

    fn is_used_up(&self, index: usize, tally: &Tally) -> bool {
        let when = &self.patch.rules[index].when;
        let past = |last: Option<u64>| last.is_some_and(|last| tally.seen >= last);
        past(when.nth) || past(when.first) || self.once(when) && tally.applied > 0
    }

    /// A number from 0 to below 1 that follows from the seed, the rule and how often it was asked.
    fn chance(&self, index: usize, seen: u64, seed: u64) -> f64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let number = u64::try_from(index + 1).unwrap_or(u64::MAX);
        for byte in self.patch.id.bytes().chain(seed.to_le_bytes()).chain(number.to_le_bytes()).chain(seen.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The finisher of splitmix64: FNV alone spreads the last bytes badly.
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((hash ^ (hash >> 31)) >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
    }
}

impl Tally {
    fn note(&mut self, moment: &Moment<'_>, score: Score, conditions: Vec<Condition>) {
        let nearer = |nearest: &Nearest| nearest.score < score || (nearest.score == score && score.comes_nearer());
        if self.nearest.as_ref().is_none_or(nearer) {
            self.nearest = Some(Nearest::of(moment, conditions, score));
        }
    }
}

/// A panic while the lock was held leaves at most one request uncounted.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
