//! What a realm decides by, while it runs: profile, variants, faults, patches and scripts, put in force and taken away.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::{Ask, Nothing, escaped};
use super::trouble::Trouble;
use crate::mock::Realm;
use crate::policy::{Library, Patch, PatchError, PatchKind, PolicySet, Script, UnknownPatch};

/// What a realm decides by.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Policy")]
pub(super) struct PolicyView {
    /// The provider that it behaves like.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// The variants in force.
    variants: Vec<String>,
    /// The faults in force.
    faults: Vec<String>,
    /// The patches in force that are none of these.
    patches: Vec<String>,
    /// The scripts that were added.
    scripts: Vec<String>,
}

/// Every setting, as it is where no condition holds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(flatten)]
    policy: PolicyView,
    /// The whole tree of settings.
    settings: Map<String, Value>,
    /// Rules of scripts that never applied so far, in words, with the request that came nearest.
    unmatched: Vec<String>,
}

/// What a realm shall decide by from now on. What is left out is not in force.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PolicyChoice")]
pub(super) struct Chosen {
    /// The provider that it behaves like; `strict` or nothing: none.
    pub(super) profile: Option<String>,
    /// The ids of variants.
    pub(super) variants: Option<Vec<String>>,
    /// The ids of faults.
    pub(super) faults: Option<Vec<String>>,
    /// Patches by id, in the grammar of patch files.
    pub(super) patches: Option<Map<String, Value>>,
}

impl Chosen {
    /// The patches that were chosen; `None` where nothing was said at all.
    pub(super) fn policies(&self) -> Result<Option<PolicySet>, Trouble> {
        let chosen = self.by_kind()?;
        if chosen.is_empty() { Ok(None) } else { self.over_kinds(&PolicySet::strict(), &chosen).map(Some) }
    }

    /// These policies, with what was chosen in place of all that is of its kind.
    pub(super) fn over(&self, policies: &PolicySet) -> Result<PolicySet, Trouble> {
        self.over_kinds(policies, &self.by_kind()?)
    }

    /// The member that most likely says what an issuer is.
    pub(super) fn at(&self) -> &'static str {
        if self.profile.is_some() { "/profile" } else { "" }
    }

    fn over_kinds(&self, policies: &PolicySet, chosen: &[(PatchKind, Vec<Patch>)]) -> Result<PolicySet, Trouble> {
        policies.with_kinds(chosen).map_err(|error| self.place(&error))
    }

    /// What was chosen of each kind of which something was said.
    fn by_kind(&self) -> Result<Vec<(PatchKind, Vec<Patch>)>, Trouble> {
        let Self { profile, variants, faults, patches } = self;
        let mut all = Vec::new();
        if let Some(id) = profile {
            let profile = (id != "strict").then(|| named(PatchKind::Profile, id, "/profile")).transpose()?;
            all.push((PatchKind::Profile, profile.into_iter().collect()));
        }
        for (kind, at, ids) in [(PatchKind::Variant, "/variants", variants), (PatchKind::Fault, "/faults", faults)] {
            if let Some(ids) = ids {
                let one = |(index, id): (usize, &String)| named(kind, id, &format!("{at}/{index}"));
                // Twice the same is the same once.
                let first = |(index, id): &(usize, &String)| !ids[..*index].contains(id);
                all.push((kind, ids.iter().enumerate().filter(first).map(one).collect::<Result<_, _>>()?));
            }
        }
        if let Some(patches) = patches {
            let read = Patch::parse_json(PatchKind::Script, "patches", &Value::Object(patches.clone()));
            all.push((PatchKind::Script, read.map_err(|problems| Trouble::problems("/patches", &problems))?));
        }
        Ok(all)
    }

    /// Where that stands which cannot be in force with the rest.
    fn place(&self, error: &PatchError) -> Trouble {
        let (PatchError::Collision { second: id, .. } | PatchError::CannotApply { id, .. } | PatchError::Invalid { id, .. }) =
            error;
        let at = |name: &str, ids: &Option<Vec<String>>| {
            let index = ids.as_ref()?.iter().position(|known| known == id)?;
            Some(format!("/{name}/{index}"))
        };
        let patch = || Some(format!("/patches/{}", escaped(self.patches.as_ref()?.get_key_value(id)?.0)));
        let pointer = at("faults", &self.faults).or_else(|| at("variants", &self.variants)).or_else(patch);
        // What does not go together with the choice need not be part of it.
        Trouble::at(pointer.unwrap_or_default(), error.to_string())
    }
}

pub(super) fn read(ask: &Ask, _: Nothing) -> Result<Settings, Trouble> {
    settings(&ask.realm()?)
}

pub(super) fn replace(ask: &Ask, chosen: &Chosen) -> Result<Settings, Trouble> {
    let realm = ask.realm()?;
    let policies = chosen.policies()?.unwrap_or_default();
    keeps_issuer(&realm, &policies, chosen.at())?;
    put(&realm, &policies.patches().cloned().collect::<Vec<_>>())?;
    settings(&realm)
}

/// The issuer of a realm, and with it where its documents are, was fixed when the realm was made.
pub(super) fn keeps_issuer(realm: &Realm, policies: &PolicySet, at: &str) -> Result<(), Trouble> {
    if policies.base().issuer == realm.policies().base().issuer {
        return Ok(());
    }
    let told = "this gives the issuer another host or path, and those are fixed when a realm is made";
    let trouble = Trouble::at(at, told);
    Err(trouble.help("make a realm with it; a profile also brings its clients and users").status(409, "Conflict"))
}

pub(super) fn add_fault(ask: &Ask, _: &Nothing) -> Result<PolicyView, Trouble> {
    add(&ask.realm()?, PatchKind::Fault, ask.part("fault"))
}

pub(super) fn remove_fault(ask: &Ask) -> Result<(), Trouble> {
    take_away(&ask.realm()?, PatchKind::Fault, ask.part("fault"))
}

pub(super) fn add_variant(ask: &Ask, _: &Nothing) -> Result<PolicyView, Trouble> {
    add(&ask.realm()?, PatchKind::Variant, ask.part("variant"))
}

pub(super) fn remove_variant(ask: &Ask) -> Result<(), Trouble> {
    take_away(&ask.realm()?, PatchKind::Variant, ask.part("variant"))
}

/// Scripts by id, as in a file of scripts.
pub(super) fn add_scripts(ask: &Ask, scripts: &Map<String, Value>) -> Result<PolicyView, Trouble> {
    let realm = ask.realm()?;
    let script = read_script(scripts, "")?;
    if let Ok(policies) = realm.policies().with_scripts(script.patches()) {
        keeps_issuer(&realm, &policies, "")?;
    }
    // One of the same id is replaced, so that a request that is sent again does no harm.
    for patch in script.patches() {
        realm.remove_script(&patch.id);
    }
    realm.add_script(&script).map_err(|error| of_script(&error, ""))?;
    Ok(view(&realm))
}

pub(super) fn remove_script(ask: &Ask) -> Result<(), Trouble> {
    remove_script_of(&ask.realm()?, ask.part("script"))
}

pub(super) fn clear_scripts(ask: &Ask) -> Result<(), Trouble> {
    ask.realm()?.clear_scripts();
    Ok(())
}

/// Puts a fault or a variant in force over what is there; one that is in force already stays as it is.
pub(super) fn add(realm: &Realm, kind: PatchKind, id: &str) -> Result<PolicyView, Trouble> {
    let patch = Library::embedded().of_kind(kind, id).map_err(|error| unknown(&error).status(404, "Not found"))?;
    let mut patches: Vec<Arc<Patch>> = standing(realm);
    if !patches.iter().any(|known| known.kind == kind && known.id == id) {
        // Variants go below faults, which go below the user's own.
        let at = patches.iter().position(|known| rank(known.kind) > rank(kind)).unwrap_or(patches.len());
        patches.insert(at, Arc::new(patch.clone()));
        put(realm, &patches)?;
    }
    Ok(view(realm))
}

/// Takes a fault or a variant out of force.
pub(super) fn take_away(realm: &Realm, kind: PatchKind, id: &str) -> Result<(), Trouble> {
    let mut patches = standing(realm);
    let before = patches.len();
    patches.retain(|patch| patch.kind != kind || patch.id != id);
    if patches.len() == before {
        let known = patches.iter().filter(|patch| patch.kind == kind).map(|patch| patch.id.as_str());
        return Err(Trouble::missing(&format!("{kind} in force"), id, known));
    }
    put(realm, &patches)
}

/// Takes a script that was added away.
pub(super) fn remove_script_of(realm: &Realm, id: &str) -> Result<(), Trouble> {
    let scripts = realm.scripts();
    if scripts.iter().any(|script| script.id == id) {
        realm.remove_script(id);
        return Ok(());
    }
    Err(Trouble::missing("script", id, scripts.iter().map(|script| script.id.as_str())))
}

/// The same policies under these scripts, and no others.
pub(super) fn under_scripts(policies: &PolicySet, scripts: &Map<String, Value>, at: &str) -> Result<PolicySet, Trouble> {
    let script = read_script(scripts, at)?;
    policies.without_scripts(None).with_scripts(script.patches()).map_err(|error| of_script(&error, at))
}

pub(super) fn view(realm: &Realm) -> PolicyView {
    let ids = |kind: PatchKind| standing(realm).iter().filter(|patch| patch.kind == kind).map(|patch| patch.id.clone()).collect();
    let profiles: Vec<String> = ids(PatchKind::Profile);
    PolicyView {
        profile: profiles.into_iter().next(),
        variants: ids(PatchKind::Variant),
        faults: ids(PatchKind::Fault),
        patches: ids(PatchKind::Script),
        scripts: realm.scripts().iter().map(|script| script.id.clone()).collect(),
    }
}

fn settings(realm: &Realm) -> Result<Settings, Trouble> {
    let tree = serde_json::to_value(&**realm.policies().base());
    let Ok(Value::Object(settings)) = tree else {
        return Err(Trouble::new(500, "Internal error", "the settings cannot be written"));
    };
    Ok(Settings { policy: view(realm), settings, unmatched: realm.unmatched().iter().map(ToString::to_string).collect() })
}

/// The patches in force, without the scripts that were added.
fn standing(realm: &Realm) -> Vec<Arc<Patch>> {
    realm.policies().standing().cloned().collect()
}

/// Puts patches in force under the scripts that were added.
fn put(realm: &Realm, patches: &[Arc<Patch>]) -> Result<(), Trouble> {
    realm.change_policies(|policies| policies.over(patches)).map_err(|error| Trouble::new(409, "Conflict", error.to_string()))
}

fn read_script(scripts: &Map<String, Value>, at: &str) -> Result<Script, Trouble> {
    Script::from_json(&Value::Object(scripts.clone())).map_err(|problems| Trouble::problems(at, &problems))
}

fn of_script(error: &PatchError, at: &str) -> Trouble {
    let (PatchError::Collision { second: id, .. } | PatchError::CannotApply { id, .. } | PatchError::Invalid { id, .. }) = error;
    Trouble::at(format!("{at}/{}", escaped(id)), error.to_string())
}

fn named(kind: PatchKind, id: &str, at: &str) -> Result<Patch, Trouble> {
    Library::embedded().of_kind(kind, id).cloned().map_err(|error| {
        let trouble = Trouble::at(at, format!("unknown {kind} `{id}`"));
        match error.help {
            Some(help) => trouble.help(help),
            None => trouble,
        }
    })
}

fn unknown(error: &UnknownPatch) -> Trouble {
    Trouble::new(404, "Not found", error.to_string())
}

fn rank(kind: PatchKind) -> u8 {
    match kind {
        PatchKind::Profile => 0,
        PatchKind::Variant => 1,
        PatchKind::Fault => 2,
        PatchKind::Script => 3,
    }
}
