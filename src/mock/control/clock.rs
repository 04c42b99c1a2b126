//! The clock of a realm: read, advanced, set, stopped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::{Ask, Nothing};
use super::shapes::{duration, in_range, rfc3339, time};
use super::trouble::Trouble;
use crate::mock::Realm;

/// What a clock shows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Clock")]
pub(super) struct ClockView {
    /// What it shows, RFC 3339.
    time: String,
    /// Whether it stands still.
    frozen: bool,
}

/// What is done to a clock: first it is set, then advanced, then stopped or let go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClockChange")]
pub(super) struct ClockChange {
    /// The time that it shall show, RFC 3339.
    pub(super) time: Option<String>,
    /// By how much it moves forward: `90s`, `1h 30m`.
    pub(super) advance: Option<String>,
    /// Whether it stands still from now on.
    pub(super) frozen: Option<bool>,
}

pub(super) fn read(ask: &Ask, _: Nothing) -> Result<ClockView, Trouble> {
    Ok(view(&ask.realm()?))
}

pub(super) fn change(ask: &Ask, change: &ClockChange) -> Result<ClockView, Trouble> {
    let realm = ask.realm()?;
    apply(&realm, change)?;
    Ok(view(&realm))
}

/// Nothing is done unless everything can be.
pub(super) fn apply(realm: &Realm, change: &ClockChange) -> Result<(), Trouble> {
    let set = change.time.as_deref().map(|text| time(text, "/time")).transpose()?;
    let by = change.advance.as_deref().map(|text| duration(text).map_err(|wrong| Trouble::at("/advance", wrong))).transpose()?;
    let begins = set.unwrap_or_else(|| realm.now());
    by.map_or(Ok(()), |by| in_range(begins, by, "/advance"))?;
    if let Some(time) = set {
        realm.set_time(time);
    }
    if let Some(by) = by {
        realm.advance(by);
    }
    match change.frozen {
        Some(true) => realm.freeze(),
        Some(false) => realm.unfreeze(),
        None => {}
    }
    Ok(())
}

pub(super) fn view(realm: &Realm) -> ClockView {
    ClockView { time: rfc3339(realm.now()), frozen: realm.is_frozen() }
}
