//! The clock of a realm: it runs with the time of day or stands still, can be moved, and is set to any time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a realm's clock shows when nobody moves it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The time of day.
    #[default]
    System,
    /// This time, which stands still: for answers that are the same in every run.
    Fixed(SystemTime),
}

/// The end of the year 9999, in seconds since 1970: no calendar in use goes further.
const END: u64 = 253_402_300_799;

/// The latest time that a clock shows.
pub(super) fn last_moment() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(END)
}

/// A clock that can be moved.
pub(super) struct Hands(Mutex<Motion>);

/// How a clock goes.
#[derive(Debug, Clone, Copy)]
enum Motion {
    /// With the time of day, so many nanoseconds before or behind it.
    Running { ahead: i128 },
    /// It shows this, in time since 1970.
    Standing(Duration),
}

impl Hands {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Mutex::new(match clock {
            Clock::System => Motion::Running { ahead: 0 },
            Clock::Fixed(time) => Motion::Standing(since_1970(time)),
        }))
    }

    /// What it shows, since 1970.
    pub(super) fn time(&self) -> Duration {
        self.motion().shows()
    }

    /// Whether it stands still.
    pub(super) fn stands(&self) -> bool {
        matches!(*self.motion(), Motion::Standing(_))
    }

    /// Moves it forward; at the end of time it stays there.
    pub(super) fn advance(&self, by: Duration) {
        let mut motion = self.motion();
        let shown = motion.shows();
        *motion = motion.at(shown.saturating_add(by));
    }

    /// Makes it show a time, earlier or later; it goes on as before.
    pub(super) fn set(&self, time: SystemTime) {
        let mut motion = self.motion();
        *motion = motion.at(since_1970(time));
    }

    /// Stops it at what it shows.
    pub(super) fn freeze(&self) {
        let mut motion = self.motion();
        *motion = Motion::Standing(motion.shows());
    }

    /// Lets it run on from what it shows.
    pub(super) fn unfreeze(&self) {
        let mut motion = self.motion();
        *motion = Motion::Running { ahead: ahead(motion.shows()) };
    }

    fn motion(&self) -> MutexGuard<'_, Motion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Motion {
    fn shows(self) -> Duration {
        match self {
            Self::Standing(time) => time,
            Self::Running { ahead } => {
                let nanos = nanos(since_1970(SystemTime::now())).saturating_add(ahead).max(0);
                let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
                let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
                bounded(Duration::new(seconds, rest))
            }
        }
    }

    /// The same motion, from another time on.
    fn at(self, time: Duration) -> Self {
        match self {
            Self::Standing(_) => Self::Standing(bounded(time)),
            Self::Running { .. } => Self::Running { ahead: ahead(bounded(time)) },
        }
    }
}

fn ahead(time: Duration) -> i128 {
    nanos(time) - nanos(since_1970(SystemTime::now()))
}

fn nanos(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

fn bounded(time: Duration) -> Duration {
    time.min(Duration::from_secs(END))
}

fn since_1970(time: SystemTime) -> Duration {
    bounded(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_standing_clock_moves_only_by_hand() {
        let hands = Hands::new(Clock::Fixed(at(1_000)));
        hands.advance(Duration::from_millis(1_500));
        assert_eq!((hands.time(), hands.stands()), (Duration::from_millis(1_001_500), true));
        hands.set(at(10));
        assert_eq!(hands.time(), Duration::from_secs(10));
        hands.advance(Duration::MAX);
        assert_eq!(hands.time(), Duration::from_secs(END));
    }

    #[test]
    fn a_running_clock_goes_on_from_where_it_is_set() {
        let hands = Hands::new(Clock::System);
        hands.set(at(5_000));
        let shown = hands.time();
        assert!(shown >= Duration::from_secs(5_000) && shown < Duration::from_secs(5_100), "{shown:?}");
        hands.freeze();
        let frozen = hands.time();
        assert_eq!((hands.time(), hands.stands()), (frozen, true));
        hands.unfreeze();
        assert!(hands.time() >= frozen && !hands.stands());
    }
}
