//! The plan that the arguments name.

use super::error::Error;
use crate::catalog::Plan;
use crate::problem::nearest;

/// The plan of that id, or the default.
///
/// # Errors
/// Where there is no such plan.
pub fn of(id: Option<&str>) -> Result<&'static Plan, Error> {
    let Some(id) = id else { return Ok(&Plan::all()[0]) };
    Plan::of(id).ok_or_else(|| Error::Unknown {
        kind: "plan",
        id: id.to_owned(),
        nearest: nearest(id, Plan::all().iter().map(|plan| plan.id.as_str())).map(str::to_owned),
    })
}
