//! The keys of a realm: listed, replaced, shown and hidden.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::{Ask, Nothing};
use super::trouble::Trouble;
use crate::mock::{KeyInfo, MockError, Realm};

/// The keys of a realm, those that sign first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Keys")]
pub(super) struct KeysView {
    keys: Vec<KeyView>,
}

/// A key.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Key")]
struct KeyView {
    /// Its identifier as the realm publishes it; where it publishes none, or the same for all, the key's own.
    kid: String,
    /// `ES256` or `RS256`.
    alg: String,
    /// Whether it signs; else it was replaced.
    signs: bool,
    /// Whether it is in the key set.
    published: bool,
    /// Its public part (RFC 7517).
    jwk: Map<String, Value>,
}

/// Which keys are replaced.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// Only what signs with this algorithm (`RS256` can be two keys); without it, every key.
    alg: Option<KeyAlg>,
    /// Whether the new keys are in the key set; yes where nothing is said.
    publish: Option<bool>,
    /// Whether the keys that are replaced stay in the key set; yes where nothing is said.
    keep_old: Option<bool>,
}

/// An algorithm (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
enum KeyAlg {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
}

/// Whether a key is in the key set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Publication {
    /// Whether it is.
    published: bool,
}

pub(super) fn list(ask: &Ask, _: Nothing) -> Result<KeysView, Trouble> {
    Ok(view(&ask.realm()?))
}

pub(super) fn rotate(ask: &Ask, rotation: &Rotation) -> Result<KeysView, Trouble> {
    let realm = ask.realm()?;
    let before = realm.keys();
    let alg = rotation.alg.map(|alg| match alg {
        KeyAlg::Es256 => "ES256",
        KeyAlg::Rs256 => "RS256",
    });
    realm.rotate_keys(alg).map_err(|error| failed(&error))?;
    let known = |key: &KeyInfo| before.iter().any(|old| old.kid == key.kid);
    for key in realm.keys() {
        let replaced = known(&key) && !key.signs && before.iter().any(|old| old.kid == key.kid && old.signs);
        let hide = if known(&key) { replaced && rotation.keep_old == Some(false) } else { rotation.publish == Some(false) };
        if hide {
            realm.publish_key(&key.kid, false).map_err(|error| failed(&error))?;
        }
    }
    Ok(view(&realm))
}

pub(super) fn publish(ask: &Ask, publication: &Publication) -> Result<KeysView, Trouble> {
    let realm = ask.realm()?;
    let kid = ask.part("kid");
    realm.publish_key(kid, publication.published).map_err(|_| {
        let keys = realm.keys();
        Trouble::missing("key", kid, keys.iter().map(|key| key.kid.as_str()))
    })?;
    Ok(view(&realm))
}

fn failed(error: &MockError) -> Trouble {
    Trouble::new(500, "Internal error", error.to_string())
}

fn view(realm: &Realm) -> KeysView {
    let key = |key: KeyInfo| KeyView {
        kid: key.kid,
        alg: key.alg.to_owned(),
        signs: key.signs,
        published: key.published,
        jwk: key.jwk,
    };
    KeysView { keys: realm.keys().into_iter().map(key).collect() }
}
