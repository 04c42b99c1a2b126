//! Makes a target of a configuration: metadata, what is configured over it, and where the harness may send.

use super::config::ServerConfig;
use super::discovery::{self, Discovery, DiscoveryError};
use super::{Endpoints, Home, Target};
use crate::oauth::Exchange;
use crate::wire::Wire;

/// A target that was looked up.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The target.
    pub target: Target,
    /// What was sent for it.
    pub exchanges: Vec<Exchange>,
    /// What is odd, and no obstacle.
    pub notes: Vec<String>,
}

/// Why there is no target.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Neither issuer nor endpoints.
    #[error("the target has neither an issuer nor endpoints; give an ISSUER, fill [server] of oauthspec.toml, or try --mock")]
    Nothing,
    /// Its metadata cannot be used.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// There is nowhere to ask for tokens.
    #[error("no token endpoint: neither the metadata at {url} nor [server.endpoints] names one")]
    NoTokenEndpoint {
        /// The metadata.
        url: String,
    },
}

impl TargetError {
    /// The exit status: 2 where the configuration has to change, 3 where the target does not answer.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Nothing | Self::NoTokenEndpoint { .. } => 2,
            Self::Discovery(error) => error.status(),
        }
    }
}

/// Looks a target up. `allowed_hosts` are those to which metadata may point beside the issuer's.
///
/// # Errors
/// [`TargetError`], which knows its exit status.
pub async fn connect(wire: &Wire, config: &ServerConfig, allowed_hosts: &[String]) -> Result<Connection, TargetError> {
    let mut exchanges = Vec::new();
    let mut notes = Vec::new();
    let mut found: Option<Discovery> = None;
    match &config.issuer {
        None if config.endpoints.token.is_none() => return Err(TargetError::Nothing),
        None => {}
        Some(issuer) => match discovery::fetch(wire, issuer).await {
            Ok(mut discovery) => {
                discovery::check_hosts(&discovery, allowed_hosts, &configured(&config.endpoints))?;
                exchanges.append(&mut discovery.exchanges);
                notes.append(&mut discovery.notes);
                found = Some(discovery);
            }
            // With a token endpoint at hand metadata is a feature that is missing, and no obstacle.
            Err(error) if config.endpoints.token.is_some() && error.status() == 3 => notes.push(error.to_string()),
            Err(error) => return Err(error.into()),
        },
    }
    let endpoints = merged(&config.endpoints, found.as_ref().map(Discovery::endpoints).unwrap_or_default());
    if endpoints.token.is_none() {
        let url = found.map(|discovery| discovery.url).unwrap_or_default();
        return Err(TargetError::NoTokenEndpoint { url });
    }
    let target = target(config, found, endpoints, allowed_hosts);
    Ok(Connection { target, exchanges, notes })
}

fn target(config: &ServerConfig, found: Option<Discovery>, endpoints: Endpoints, allowed_hosts: &[String]) -> Target {
    let issuer = config.issuer.clone().unwrap_or_default();
    let urls = Endpoints::NAMES.iter().filter_map(|name| endpoints.get(name));
    let home = Home::new(urls.chain([issuer.as_str()]), allowed_hosts.iter().map(String::as_str));
    let host = || issuer.split_once("://").map_or(issuer.as_str(), |(_, rest)| rest).trim_end_matches('/').to_owned();
    let (metadata, metadata_url) = found.map(|found| (found.metadata, found.url)).unzip();
    Target {
        name: config.name.clone().unwrap_or_else(host),
        metadata,
        metadata_url,
        lifetimes: config.lifetimes.clone(),
        claims_only: false,
        features: config.features.clone(),
        clients: config.clients.clone(),
        users: config.users.clone(),
        login: config.login.clone(),
        limits: config.limits.clone(),
        issuer,
        home,
        endpoints,
    }
}

fn configured(endpoints: &Endpoints) -> Vec<&'static str> {
    Endpoints::NAMES.into_iter().filter(|name| endpoints.get(name).is_some()).collect()
}

fn merged(configured: &Endpoints, mut found: Endpoints) -> Endpoints {
    for name in Endpoints::NAMES {
        if let (Some(url), Some(place)) = (configured.get(name), found.slot(name)) {
            *place = Some(url.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests;
