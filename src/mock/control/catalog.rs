//! What the mock can be told to do: profiles, variants, faults, and the ways in which tokens can be broken.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{Ask, Nothing};
use super::trouble::Trouble;
use crate::mock::Mint;
use crate::policy::{Library, Patch};

/// What the mock can be told to do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalog {
    /// Providers that it can behave like.
    profiles: Vec<Item>,
    /// Ways of being different and still conformant.
    variants: Vec<Item>,
    /// Ways of being wrong.
    faults: Vec<Item>,
    /// Ways in which tokens on demand can be broken.
    broken_tokens: Vec<Item>,
}

/// Something that it can be told to do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    /// In one sentence.
    title: String,
    /// The requirements that it breaks.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    breaks: Vec<String>,
}

pub(super) fn read(_: &Ask, _: Nothing) -> Result<Catalog, Trouble> {
    let library = Library::embedded();
    let item = |patch: &Patch| Item {
        id: patch.id.clone(),
        title: patch.title.clone(),
        breaks: patch.breaks.iter().map(|id| id.get_ref().clone()).collect(),
    };
    Ok(Catalog {
        profiles: library.profiles().map(item).collect(),
        variants: library.variants().map(item).collect(),
        faults: library.faults().map(item).collect(),
        broken_tokens: Mint::ways()
            .map(|(id, title)| Item { id: id.to_owned(), title: title.to_owned(), breaks: Vec::new() })
            .collect(),
    })
}
