//! Applies the defects of one answer to a response that is right. Those of claims and signatures were applied when it was rendered.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::jwt;
use crate::oauth::{Params, Response};
use crate::policy::Rewrite;

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

/// Changes the response, and says how it is delivered.
pub(super) fn apply(response: &mut Response, rewrites: &[Arc<Rewrite>]) -> Delivery {
    let mut delivery = Delivery::default();
    for rewrite in rewrites {
        message(rewrite, response);
        delivery.truncate = rewrite.truncate.or(delivery.truncate);
        delivery.delay = rewrite.delay.or(delivery.delay);
        delivery.reset |= rewrite.reset;
    }
    delivery
}
