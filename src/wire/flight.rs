//! For how long at least one exchange was under way: what a run spent waiting for its target, and not for itself.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Measures the time in which at least one exchange is under way.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    since: Option<Instant>,
    total: Duration,
}

impl Meter {
    /// An exchange begins. It ends when the guard is dropped, however that comes about.
    pub(super) fn begin(&self) -> Guard<'_> {
        self.with(|state| {
            state.under_way += 1;
            state.since.get_or_insert_with(Instant::now);
        });
        Guard(self)
    }

    /// The time so far.
    pub(super) fn total(&self) -> Duration {
        self.with(|state| state.total + state.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An exchange that is under way.
pub(super) struct Guard<'a>(&'a Meter);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.under_way -= 1;
            if state.under_way == 0 {
                state.total += state.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once_and_what_lies_between_not_at_all() {
        let meter = Meter::default();
        let (first, second) = (meter.begin(), meter.begin());
        drop(first);
        assert!(meter.with(|state| state.since.is_some() && state.total == Duration::ZERO));
        drop(second);
        let total = meter.total();
        assert!(meter.with(|state| state.since.is_none()));
        assert_eq!(meter.total(), total);
    }
}
