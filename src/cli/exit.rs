//! Exit statuses, and which one counts when several apply.

use std::process::ExitCode;

use crate::runner::Summary;

/// How the process ends. Ordered by what counts first when several apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 2: wrong usage, configuration or file.
    Usage,
    /// 130: interrupted.
    Interrupted,
    /// 1: a `fail`, a stale waiver, snapshot drift, an incomplete `selftest`.
    Failed,
    /// 3: the target cannot be reached, or a scenario is in `error`.
    Error,
    /// 4: nothing was selected, or nothing ran.
    Nothing,
    /// 0: nothing failed.
    Ok,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Error => 3,
            Self::Nothing => 4,
            Self::Interrupted => 130,
        }
    }

    /// The one that counts.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().min().unwrap_or(Self::Ok)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// What of a run matters for its exit status.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// How many of each verdict.
    pub summary: Summary,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// How many snapshots differ.
    pub drifted: usize,
    /// How many waivers excuse nothing.
    pub stale_waivers: usize,
    /// How many report or snapshot files could not be written.
    pub unwritten: usize,
}

impl Outcome {
    /// The exit status of the run.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let failed = self.summary.fail > 0 || self.drifted > 0 || self.stale_waivers > 0;
        let applies = [
            (self.unwritten > 0, Exit::Usage),
            (self.interrupted, Exit::Interrupted),
            (failed, Exit::Failed),
            (self.summary.error > 0, Exit::Error),
            (self.summary.total() == self.summary.skip, Exit::Nothing),
        ];
        Exit::of(applies.into_iter().filter(|(applies, _)| *applies).map(|(_, exit)| exit))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], 0)]
    #[case(&[Exit::Nothing, Exit::Error], 3)]
    #[case(&[Exit::Error, Exit::Failed, Exit::Nothing], 1)]
    #[case(&[Exit::Failed, Exit::Interrupted], 130)]
    #[case(&[Exit::Interrupted, Exit::Usage, Exit::Failed], 2)]
    fn the_gravest_counts(#[case] all: &[Exit], #[case] status: u8) {
        assert_eq!(Exit::of(all.iter().copied()).status(), status);
    }

    #[test]
    fn a_run_is_never_green_on_nothing() {
        let summary = |pass, skip| Summary { pass, skip, ..Summary::default() };
        let exit = |summary| Outcome { summary, ..Outcome::default() }.exit();
        assert_eq!(exit(summary(0, 0)), Exit::Nothing);
        assert_eq!(exit(summary(0, 5)), Exit::Nothing);
        assert_eq!(exit(summary(1, 5)), Exit::Ok);
        assert_eq!(exit(Summary { waived: 1, warn: 1, ..Summary::default() }), Exit::Ok);
    }

    #[test]
    fn drift_and_stale_waivers_fail() {
        let summary = Summary { pass: 1, error: 1, ..Summary::default() };
        assert_eq!(Outcome { summary, ..Outcome::default() }.exit(), Exit::Error);
        assert_eq!(Outcome { summary, drifted: 1, ..Outcome::default() }.exit(), Exit::Failed);
        assert_eq!(Outcome { summary, stale_waivers: 1, ..Outcome::default() }.exit(), Exit::Failed);
        assert_eq!(Outcome { summary, drifted: 1, interrupted: true, ..Outcome::default() }.exit(), Exit::Interrupted);
    }
}
