//! Where everything is.

use schemars::JsonSchema;
use serde::Serialize;

use super::PREFIX;
use super::ask::{Ask, Nothing};
use super::trouble::Trouble;

/// Where everything is. A browser gets the page instead.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    /// The version of oauthspec.
    version: String,
    /// The document of this API.
    openapi: String,
    /// The realms.
    realms: String,
    /// What the mock can be told to do.
    catalog: String,
}

pub(super) fn read(ask: &Ask, _: Nothing) -> Result<Index, Trouble> {
    let at = |path: &str| format!("{}{PREFIX}{path}", ask.realms.base_url());
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Index { version, openapi: at("/openapi.json"), realms: at("/realms"), catalog: at("/catalog") })
}
