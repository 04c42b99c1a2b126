//! Applies the defects of one answer to a response that is right. Those of claims and signatures were applied when it was rendered.

use std::sync::Arc;
use std::time::Duration;

use super::decision::{Decision, Outcome, Page};
use crate::oauth::Response;
use crate::policy::{Answer, Rewrite};

/// How a response is put on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The body ends after so many bytes, though more were announced.
    pub(super) truncate: Option<usize>,
    /// Real time to wait before.
    pub(super) delay: Option<Duration>,
    /// Nothing is sent and the connection is closed.
    pub(super) reset: bool,
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
    let between = matches!(decision.outcome, Outcome::Continue { .. } | Outcome::Page(Page::Login(_) | Page::Consent(_)));
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

/// Changes the response, and says how it is delivered.
pub(super) fn apply(response: &mut Response, rewrites: &[Arc<Rewrite>]) -> Delivery {
    let answer = Answer::of(response);
    let mut delivery = Delivery::default();
    for rewrite in rewrites.iter().filter(|rewrite| rewrite.fits(answer)) {
        // What one rewrite makes of the answer must not decide whether the next one concerns it.
        Rewrite { on: Answer::Any, ..Rewrite::clone(rewrite) }.apply_message(response);
        delivery.truncate = rewrite.truncate.or(delivery.truncate);
        delivery.delay = rewrite.delay.or(delivery.delay);
        delivery.reset |= rewrite.reset;
    }
    delivery
}
