//! A server as its metadata describes it (RFC 8414, OpenID Connect Discovery), and its keys. Asked for when first needed, then kept.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::client::{Attempts, Client};
use super::trouble::Trouble;
use super::{Duplicates, FirstDocument, IssuerComparison, MissingEndpoint, Strictness, UnknownKid, json};
use crate::oauth::Request;

/// How often a key set is fetched for one token, where the policy has no bound.
const OVER_AND_OVER: usize = 25;

/// The servers that are known so far, by number.
#[derive(Debug, Default)]
pub(super) struct Providers {
    known: Mutex<HashMap<usize, Arc<Provider>>>,
    /// The keys of all servers, where they are taken together.
    pool: Mutex<Vec<Value>>,
}

/// One server.
#[derive(Debug)]
pub(super) struct Provider {
    /// Counts from 1.
    pub(super) number: usize,
    pub(super) issuer: String,
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) userinfo: Option<String>,
    pub(super) revocation: Option<String>,
    /// Whether its authorization responses have `iss` (RFC 9207 section 3).
    pub(super) sends_iss: bool,
    /// The challenge methods it announces.
    pub(super) challenge_methods: Vec<String>,
    /// The algorithms of its ID tokens.
    pub(super) algorithms: Vec<String>,
    jwks: Option<String>,
    keys: Mutex<Option<Vec<Value>>>,
}

impl Client {
    /// The server of that number, counted from 1.
    pub(super) async fn provider(&self, number: usize) -> Result<Arc<Provider>, Trouble> {
        let issuer = self.settings.issuer(number).ok_or_else(|| Trouble::callback("there is no such server"))?;
        let mut known = self.providers.known.lock().await;
        if let Some(provider) = known.get(&number).filter(|_| self.policy.discovery.cached) {
            return Ok(Arc::clone(provider));
        }
        let provider = Arc::new(self.discover(number, issuer).await?);
        known.insert(number, Arc::clone(&provider));
        Ok(provider)
    }

    async fn discover(&self, number: usize, issuer: &str) -> Result<Provider, Trouble> {
        let policy = &self.policy.discovery;
        let metadata = self.metadata(issuer).await?;
        let named = metadata.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if !metadata.is_empty() && !same_issuer(issuer, named, policy.issuer) {
            return Err(Trouble::malformed("the metadata is that of another issuer"));
        }
        let endpoint = |name: &str| self.endpoint(issuer, &metadata, name);
        let needed = |name: &str, path: &str| match (endpoint(name)?, policy.missing) {
            (Some(url), _) => Ok(url),
            (None, MissingEndpoint::Guess) => Ok(format!("{}/{path}", issuer.trim_end_matches('/'))),
            (None, MissingEndpoint::Refuse) => Err(Trouble::malformed(format!("the metadata has no {name}"))),
        };
        let algorithms = strings(&metadata, "id_token_signing_alg_values_supported");
        let jwks = match self.policy.jwks.guessed {
            true => Some(format!("{}/jwks", issuer.trim_end_matches('/'))),
            false => endpoint("jwks_uri")?,
        };
        Ok(Provider {
            number,
            issuer: issuer.to_owned(),
            authorization: needed("authorization_endpoint", "authorize")?,
            token: needed("token_endpoint", "token")?,
            userinfo: endpoint("userinfo_endpoint")?,
            revocation: endpoint("revocation_endpoint")?,
            sends_iss: metadata.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
            challenge_methods: strings(&metadata, "code_challenge_methods_supported"),
            algorithms: if algorithms.is_empty() { vec!["RS256".into()] } else { algorithms },
            jwks,
            keys: Mutex::new(None),
        })
    }

    /// The document; empty where there is none and everything is guessed.
    async fn metadata(&self, issuer: &str) -> Result<Map<String, Value>, Trouble> {
        let openid = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let mut addresses = vec![well_known(issuer).unwrap_or_else(|| openid.clone()), openid];
        if self.policy.discovery.first == FirstDocument::Openid {
            addresses.reverse();
        }
        for address in addresses {
            let response = self.send(&Request::get(address), Attempts::Other).await?;
            if response.status == 200 {
                let read = if response.truncated { None } else { json::object(&response.body, Duplicates::Last).ok() };
                return read.ok_or_else(|| Trouble::malformed("the metadata is no JSON object"));
            }
        }
        match self.policy.discovery.missing {
            MissingEndpoint::Guess => Ok(Map::new()),
            MissingEndpoint::Refuse => Err(Trouble::malformed("the server has no metadata")),
        }
    }

    /// An endpoint of the metadata, if it is there.
    fn endpoint(&self, issuer: &str, metadata: &Map<String, Value>, name: &str) -> Result<Option<String>, Trouble> {
        let policy = &self.policy.discovery;
        let Some(value) = metadata.get(name) else { return Ok(None) };
        let text = value.as_str().unwrap_or_default();
        let url = Url::parse(text).ok();
        let web = url.as_ref().is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !web && policy.other_scheme == Strictness::Refuse {
            return Err(Trouble::malformed(format!("{name} is no address on the web")));
        }
        let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        if policy.other_host == Strictness::Refuse && host(text) != host(issuer) {
            return Err(Trouble::malformed(format!("{name} is on another host than the issuer")));
        }
        Ok(Some(text.to_owned()))
    }

    /// The keys of a server among which that of the token should be, fetched anew where its `kid` is not known.
    pub(super) async fn keys(&self, provider: &Provider, kid: &str) -> Result<Vec<Value>, Trouble> {
        let policy = &self.policy.jwks;
        let mut kept = provider.keys.lock().await;
        let mut fetched = 0;
        if kept.is_none() || !policy.cached {
            *kept = Some(self.fetch_keys(provider).await?);
            fetched = 1;
        }
        let most = match policy.unknown_kid {
            UnknownKid::Refuse => 0,
            UnknownKid::FetchOnce => 1,
            UnknownKid::FetchAlways => OVER_AND_OVER,
        };
        let knows = |keys: &Option<Vec<Value>>| keys.iter().flatten().any(|key| key["kid"] == kid);
        while fetched < most && !kid.is_empty() && !knows(&kept) {
            *kept = Some(self.fetch_keys(provider).await?);
            fetched += 1;
        }
        let own = kept.clone().unwrap_or_default();
        if !policy.pooled {
            return Ok(own);
        }
        let mut pool = self.providers.pool.lock().await;
        let new: Vec<Value> = own.into_iter().filter(|key| !pool.contains(key)).collect();
        pool.extend(new);
        Ok(pool.clone())
    }

    async fn fetch_keys(&self, provider: &Provider) -> Result<Vec<Value>, Trouble> {
        let Some(url) = &provider.jwks else { return Err(Trouble::id_token("the server publishes no keys")) };
        let response = self.send(&Request::get(url.as_str()), Attempts::Other).await?;
        let set = response.json().filter(|_| response.status == 200);
        let keys = set.and_then(|set| set["keys"].as_array().cloned());
        keys.ok_or_else(|| Trouble::id_token("the key set cannot be read"))
    }
}

/// Whether two issuers are one.
pub(super) fn same_issuer(expected: &str, seen: &str, comparison: IssuerComparison) -> bool {
    let normal = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    match comparison {
        IssuerComparison::Exact => expected == seen,
        IssuerComparison::Normalised => normal(expected) == normal(seen),
        IssuerComparison::Prefix => !seen.is_empty() && (seen.starts_with(expected) || expected.starts_with(seen)),
        IssuerComparison::Host => host(expected) == host(seen),
        IssuerComparison::Ignore => true,
    }
}

/// The address of RFC 8414 section 3.1: the well-known part goes between host and path.
fn well_known(issuer: &str) -> Option<String> {
    let path = Request::get(issuer).path().to_owned();
    let origin = issuer.strip_suffix(path.as_str())?;
    Some(format!("{origin}/.well-known/oauth-authorization-server{}", path.trim_end_matches('/')))
}

fn strings(metadata: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = metadata.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_goes_in_front_of_the_path() {
        assert_eq!(well_known("http://h:1/a").unwrap(), "http://h:1/.well-known/oauth-authorization-server/a");
        assert_eq!(well_known("https://h/").unwrap(), "https://h/.well-known/oauth-authorization-server");
        assert_eq!(well_known("https://h").unwrap(), "https://h/.well-known/oauth-authorization-server");
    }

    #[test]
    fn issuers_compare_as_told() {
        assert!(!same_issuer("https://h/a", "https://H/a/", IssuerComparison::Exact));
        assert!(same_issuer("https://h/a", "https://H/a/", IssuerComparison::Normalised));
        assert!(same_issuer("https://h/a", "https://h/a.evil", IssuerComparison::Prefix));
        assert!(!same_issuer("https://h/a", "", IssuerComparison::Prefix));
        assert!(same_issuer("https://h/a", "https://h/b", IssuerComparison::Host));
    }
}
