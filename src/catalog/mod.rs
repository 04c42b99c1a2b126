//! The requirement catalogue: normative statements of the specifications, by id.
//!
//! Floor 1. It never prints, and knows neither scenarios nor targets: coverage is computed from pairs that it is handed.

mod coverage;
mod level;
mod plan;
mod requirement;

pub use coverage::{Covered, Standing, Totals, totals};
pub use level::{Level, Severity};
pub use plan::Plan;
pub use requirement::{Catalogue, Requirement};
