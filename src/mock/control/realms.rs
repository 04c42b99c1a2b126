//! The realms of a server: made, listed, read, begun anew, removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PREFIX;
use super::ask::{Ask, Nothing};
use super::clock::{self, ClockChange, ClockView};
use super::policy::{self, Chosen, PolicyView};
use super::shapes::{ClientShape, UserShape, differ, each, rfc3339};
use super::trouble::Trouble;
use crate::mock::realms::{Held, Realms};
use crate::mock::{Keys, MockError, Realm, RealmSpec};

/// A realm that is to be made. What is not said is as the server was started with, member by member.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRealm {
    /// Its name, and its path; without it one is made up.
    name: Option<String>,
    /// The provider that it behaves like; `strict`: none.
    profile: Option<String>,
    /// The ids of variants.
    variants: Option<Vec<String>>,
    /// The ids of faults.
    faults: Option<Vec<String>>,
    /// Patches by id, in the grammar of patch files.
    patches: Option<Map<String, Value>>,
    /// Scripts by id: patches that apply at their moments.
    scripts: Option<Map<String, Value>>,
    /// Its clients, in place of those that every realm has.
    clients: Option<Vec<ClientShape>>,
    /// Its users, in place of those that every realm has.
    users: Option<Vec<UserShape>>,
    /// What its codes and tokens are made of.
    #[schemars(range(max = 9_007_199_254_740_991_u64))]
    seed: Option<u64>,
    /// `shared`: the fixed test keys; `fresh`: keys of its own, which take a while.
    keys: Option<KeysChoice>,
    /// What is done to its clock at once.
    clock: Option<ClockChange>,
}

/// Which keys a realm signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KeysChoice {
    Shared,
    Fresh,
}

impl NewRealm {
    fn chosen(&self) -> Chosen {
        Chosen {
            profile: self.profile.clone(),
            variants: self.variants.clone(),
            faults: self.faults.clone(),
            patches: self.patches.clone(),
        }
    }
}

/// A realm.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Realm")]
pub(super) struct RealmView {
    #[serde(flatten)]
    brief: Brief,
    /// What its clock shows.
    clock: ClockView,
    /// What it decides by.
    policy: PolicyView,
    /// Its clients.
    clients: Vec<ClientShape>,
    /// Its users.
    users: Vec<UserShape>,
}

/// A realm, in short.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RealmSummary")]
pub(super) struct Brief {
    /// Its name.
    name: String,
    /// Its issuer identifier.
    issuer: String,
    /// Where it is controlled.
    control: String,
    /// When it was made, RFC 3339.
    created: String,
    /// For how many seconds nobody used it.
    idle_seconds: u64,
    /// How many exchanges it recorded in its life.
    recorded: u64,
}

/// The realms of the server, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Realms")]
pub(super) struct RealmList {
    realms: Vec<Brief>,
}

pub(super) fn list(ask: &Ask, _: Nothing) -> Result<RealmList, Trouble> {
    let realms = &ask.realms;
    Ok(RealmList { realms: realms.all().iter().map(|held| brief(realms, held)).collect() })
}

pub(super) fn create(ask: &Ask, new: &NewRealm) -> Result<RealmView, Trouble> {
    view(&ask.realms, &create_from(ask, new)?)
}

/// The name of the realm that was made.
pub(super) fn create_from(ask: &Ask, new: &NewRealm) -> Result<String, Trouble> {
    let realms = &ask.realms;
    let mut spec: RealmSpec = realms.model(new.name.clone().unwrap_or_else(|| realms.free_name()));
    spec.policies = new.chosen().over(&spec.policies)?;
    if let Some(scripts) = &new.scripts {
        spec.policies = policy::under_scripts(&spec.policies, scripts, "/scripts")?;
    }
    if let Some(clients) = &new.clients {
        spec.clients = each(clients.clone(), "/clients", ClientShape::client)?;
        differ(spec.clients.iter().map(|client| client.client_id.as_str()), "/clients", "client_id")?;
    }
    if let Some(users) = &new.users {
        spec.users = each(users.clone(), "/users", UserShape::user)?;
        differ(spec.users.iter().map(|user| user.username.as_str()), "/users", "username")?;
    }
    spec.seed = new.seed.unwrap_or(spec.seed);
    spec.keys = match new.keys {
        Some(KeysChoice::Shared) => Keys::Fixture,
        Some(KeysChoice::Fresh) => Keys::Fresh,
        None => spec.keys,
    };
    let realm = realms.create(spec).map_err(|error| refused(&error))?;
    if let Some(change) = &new.clock
        && let Err(trouble) = clock::apply(&realm, change)
    {
        realms.remove(realm.name());
        return Err(trouble.below("/clock"));
    }
    realm.begin_anew();
    Ok(realm.name().to_owned())
}

pub(super) fn read(ask: &Ask, _: Nothing) -> Result<RealmView, Trouble> {
    let realm = ask.realm()?;
    view(&ask.realms, realm.name())
}

/// Without any choice the patches in force stay; the scripts that were added stay in any case, and count anew.
pub(super) fn reset(ask: &Ask, reset: &Chosen) -> Result<RealmView, Trouble> {
    let realm = ask.realm()?;
    let there = realm.policies();
    let policies = match reset.policies()? {
        Some(chosen) => {
            policy::keeps_issuer(&realm, &chosen, reset.at())?;
            let patches: Vec<_> = chosen.patches().cloned().collect();
            there.over(&patches).map_err(|error| Trouble::new(409, "Conflict", error.to_string()))?
        }
        None => there,
    };
    realm.reset(policies);
    view(&ask.realms, realm.name())
}

pub(super) fn remove(ask: &Ask) -> Result<(), Trouble> {
    let realm = ask.realm()?;
    ask.realms.remove(realm.name());
    Ok(())
}

fn view(realms: &Realms, name: &str) -> Result<RealmView, Trouble> {
    let held = realms.peek(name).ok_or_else(|| Trouble::missing("realm", name, []))?;
    let realm: &Realm = &held.realm;
    Ok(RealmView {
        brief: brief(realms, &held),
        clock: clock::view(realm),
        policy: policy::view(realm),
        clients: realm.clients().into_iter().map(ClientShape::from).collect(),
        users: realm.users().into_iter().map(UserShape::from).collect(),
    })
}

fn brief(realms: &Realms, held: &Held) -> Brief {
    let realm = &held.realm;
    Brief {
        name: realm.name().to_owned(),
        issuer: realm.issuer().to_owned(),
        control: format!("{}{PREFIX}/realms/{}", realms.base_url(), realm.name()),
        created: rfc3339(held.created),
        idle_seconds: realms.idle(held).as_secs(),
        recorded: realm.journal().recorded(),
    }
}

pub(super) fn refused(error: &MockError) -> Trouble {
    match error {
        MockError::Exists(_) => {
            Trouble::at("/name", error.to_string()).status(409, "Conflict").help("delete it first, or leave the name out")
        }
        MockError::Name(_) => Trouble::at("/name", error.to_string()),
        MockError::Full(_) => Trouble::new(503, "No room", error.to_string()),
        _ => Trouble::new(500, "Internal error", error.to_string()),
    }
}
