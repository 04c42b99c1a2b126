//! Applies the defects of one answer to a response that is right. Those of claims and signatures were applied when it was rendered.

use std::sync::Arc;
use std::time::Duration;

use super::decision::{Decision, Outcome, Page};
use super::render::{self, Setting};
use crate::oauth::Response;
use crate::policy::{self, Answer, Rewrite};

/// How a response is put on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The body ends after so many bytes, though more were announced.
    pub(super) truncate: Option<usize>,
    /// Real time to wait before.
    pub(super) delay: Option<Duration>,
    /// The body goes out in chunks, without its length.
    pub(super) chunked: bool,
    /// So many bytes of the body go out in a second.
    pub(super) bandwidth: Option<u64>,
    /// The connection is reset: instead of an answer, or where its body is cut.
    pub(super) reset: bool,
    /// The connection is closed in order, without an answer.
    pub(super) drop: bool,
}

impl Delivery {
    /// What is not as usual about it, one sentence each.
    /// `length` is that of the body.
    pub(super) fn in_words(&self, length: usize) -> Vec<String> {
        let told = [
            self.delay.filter(|delay| !delay.is_zero()).map(|delay| format!("delayed by {delay:?}")),
            self.bandwidth.map(|bandwidth| format!("at {bandwidth} bytes per second")),
            self.truncate.filter(|bytes| *bytes < length).map(|bytes| format!("cut after {bytes} bytes")),
            self.drop.then(|| "closed without an answer".to_owned()),
            (self.reset && !self.drop).then(|| "reset".to_owned()),
        ];
        told.into_iter().flatten().collect()
    }

    /// Adds what a patch says; where both say something, the patch.
    pub(super) fn add(&mut self, said: &policy::Delivery) {
        self.truncate = said.truncate.or(self.truncate);
        self.delay = said.delay.or(self.delay);
        self.bandwidth = said.bandwidth.or(self.bandwidth);
        self.reset |= said.reset;
        self.drop |= said.drop;
    }
}

/// The rewrites that concern an answer.
///
/// An authorization response also obeys those that applied to the authorization request, though a form completed it. The pages in
/// between are neither success nor error, and carry no members and no tokens.
pub(super) fn concerning(decision: &Decision, own: &[Arc<Rewrite>]) -> Vec<Arc<Rewrite>> {
    let mut all: Vec<Arc<Rewrite>> = Vec::new();
    if let Outcome::Authorization(response) = &decision.outcome {
        all.extend(response.effective.rewrites.iter().cloned());
    }
    let between = is_between(decision);
    let meant = |rewrite: &&Arc<Rewrite>| {
        !between
            || (rewrite.on == Answer::Any && rewrite.members.is_empty() && rewrite.claims.is_empty() && rewrite.jws.is_empty())
    };
    for rewrite in own.iter().filter(meant) {
        if !all.iter().any(|known| Arc::ptr_eq(known, rewrite)) {
            all.push(Arc::clone(rewrite));
        }
    }
    all
}

/// Whether what was decided is success or error; `None` for the pages in between.
pub(super) fn answer_of(decision: &Decision, setting: Setting<'_>) -> Option<Answer> {
    match &decision.outcome {
        _ if is_between(decision) => None,
        // A signature would be for nothing.
        Outcome::Tokens(_) => Some(Answer::Success),
        _ => Some(Answer::of(&render::render(decision, setting).response)),
    }
}

fn is_between(decision: &Decision) -> bool {
    matches!(decision.outcome, Outcome::Continue { .. } | Outcome::Page(Page::Login(_) | Page::Consent(_)))
}

/// Changes the response, and says how it is delivered.
pub(super) fn apply(response: &mut Response, rewrites: &[Arc<Rewrite>]) -> Delivery {
    let mut delivery = Delivery::default();
    if rewrites.is_empty() {
        return delivery;
    }
    let answer = Answer::of(response);
    for rewrite in rewrites.iter().filter(|rewrite| rewrite.fits(answer)) {
        // What one rewrite makes of the answer must not decide whether the next one concerns it.
        Rewrite { on: Answer::Any, ..Rewrite::clone(rewrite) }.apply_message(response);
        delivery.add(&rewrite.delivery);
    }
    delivery
}
