//! What a test expects of a realm, and whether it happened; what did not is told with its nearest miss.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ask::{Ask, Nothing};
use super::trouble::Trouble;
use crate::mock::Expectations;

/// What is expected: exchanges that are in the journal count, and those still to come.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Expectations: `name`, `when` (a matcher), `times` (a number, or `gte` and `lte`; without it at least once).
    #[serde(default)]
    expect: Vec<Value>,
    /// Whether they have to happen one after the other.
    #[serde(default)]
    in_order: bool,
}

/// Whether everything that is expected happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    /// Whether it did.
    met: bool,
    /// What did not happen, or too often; empty where everything is as it should be.
    unmet: Vec<Unmet>,
    /// All of it in words, with the nearest misses; empty where there is nothing to say.
    report: String,
}

/// What did not happen as it should.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unmet {
    /// An expectation, or a rule of a script that never applied.
    what: String,
    /// How many exchanges there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// In words, with the nearest miss, condition by condition.
    detail: String,
}

pub(super) fn expect(ask: &Ask, expected: &Expected) -> Result<Verification, Trouble> {
    let realm = ask.realm()?;
    let (list, pointer) = (Value::Array(expected.expect.clone()), "/expect");
    let read = Expectations::from_json(&list).map_err(|problems| Trouble::problems(pointer, &problems))?;
    realm.expect(if expected.in_order { read.ordered() } else { read });
    verification(ask)
}

pub(super) fn verify(ask: &Ask, _: Nothing) -> Result<Verification, Trouble> {
    verification(ask)
}

pub(super) fn clear(ask: &Ask) -> Result<(), Trouble> {
    ask.realm()?.clear_expectations();
    Ok(())
}

fn verification(ask: &Ask) -> Result<Verification, Trouble> {
    let Err(unmet) = ask.realm()?.verify() else {
        return Ok(Verification { met: true, unmet: Vec::new(), report: String::new() });
    };
    let expectations = unmet.expectations.iter().map(|expectation| Unmet {
        what: expectation.expected.clone(),
        count: Some(expectation.count),
        detail: expectation.to_string(),
    });
    let rules = unmet.rules.iter().map(|rule| Unmet {
        what: format!("rule {} of `{}`", rule.rule, rule.id),
        count: None,
        detail: rule.to_string(),
    });
    Ok(Verification { met: false, unmet: expectations.chain(rules).collect(), report: unmet.to_string() })
}
