//! Keeps a distance between grants, for targets that need care (`[server.limits] min_interval`).

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Lets one grant through at a time, no sooner than the interval after the one before.
#[derive(Debug, Default)]
pub struct Pace {
    interval: Duration,
    last: Mutex<Option<Instant>>,
}

impl Pace {
    /// With that interval; none: everything goes through at once.
    #[must_use]
    pub fn new(interval: Option<Duration>) -> Self {
        Self { interval: interval.unwrap_or_default(), last: Mutex::new(None) }
    }

    /// Returns when the next grant may begin.
    pub async fn wait(&self) {
        if self.interval.is_zero() {
            return;
        }
        // The lock is held while waiting, so that those who come later queue up in order.
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            sleep_until(last + self.interval).await;
        }
        *last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn grants_keep_their_distance() {
        let interval = Duration::from_millis(20);
        let pace = Pace::new(Some(interval));
        let begun = Instant::now();
        for _ in 0..3 {
            pace.wait().await;
        }
        assert!(begun.elapsed() >= 2 * interval);
    }
}
