//! Plans: frozen, dated sets of scenarios and rulings by which a target is measured.

use super::error::Error;
use crate::problem::nearest;

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Its id: `bcp`.
    pub id: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// When it was frozen.
    pub date: &'static str,
}

/// Every plan; the first is the default.
pub const PLANS: [Plan; 1] =
    [Plan { id: "bcp", title: "The core RFCs with the security best current practice, RFC 9700, on top", date: "2026-11" }];

/// The plan of that id, or the default.
///
/// # Errors
/// Where there is no such plan.
pub fn of(id: Option<&str>) -> Result<&'static Plan, Error> {
    let Some(id) = id else { return Ok(&PLANS[0]) };
    PLANS.iter().find(|plan| plan.id == id).ok_or_else(|| Error::Unknown {
        kind: "plan",
        id: id.to_owned(),
        nearest: nearest(id, PLANS.iter().map(|plan| plan.id)).map(str::to_owned),
    })
}
