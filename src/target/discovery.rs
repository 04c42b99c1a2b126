//! Finds an authorization server's metadata: RFC 8414 and OpenID Connect Discovery, each in both places.
//!
//! Trusts nothing in it: what names another host is an error until the user allows that host.

use serde_json::{Map, Value};
use url::Url;

use super::Endpoints;
use super::home::bare_host;
use crate::oauth::{Channel, Exchange, Failure, Request, Response};
use crate::wire::Wire;

/// Which specification a metadata document follows, by the place where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataKind {
    /// RFC 8414.
    OAuth,
    /// OpenID Connect Discovery 1.0.
    OpenId,
}

/// Metadata that was found.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The issuer that was asked for.
    pub issuer: String,
    /// The document.
    pub metadata: Map<String, Value>,
    /// Where it was found.
    pub url: String,
    /// Which specification that place belongs to.
    pub kind: MetadataKind,
    /// Every request that was made, the successful one last.
    pub exchanges: Vec<Exchange>,
    /// What is odd, and no obstacle.
    pub notes: Vec<String>,
}

/// Why there is no metadata to use.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The issuer is no URL.
    #[error("the issuer {issuer:?} is not an http or https URL without query and fragment")]
    BadIssuer {
        /// As given.
        issuer: String,
    },
    /// Nobody answers.
    #[error("{url} cannot be reached: {failure}")]
    Unreachable {
        /// The first place that was tried.
        url: String,
        /// Why.
        failure: Failure,
    },
    /// There is none at any of the places.
    #[error("no metadata: {}; give the endpoints under [server.endpoints]", tried_list(tried))]
    Absent {
        /// Each place with the status of its answer.
        tried: Vec<(String, u16)>,
    },
    /// The server says that it is broken or busy.
    #[error("{url} answers with status {status}, so that nothing can be tested now")]
    Unavailable {
        /// The place.
        url: String,
        /// 429 or 5xx.
        status: u16,
    },
    /// A page for humans, with status 200.
    #[error("{url} answers with an HTML page{}, not with metadata; is the issuer right?", titled(title))]
    Html {
        /// The place.
        url: String,
        /// The page's title.
        title: String,
    },
    /// It does not parse.
    #[error("{url} is not valid JSON: {reason}; it begins with {start:?}")]
    InvalidJson {
        /// The place.
        url: String,
        /// What the parser says.
        reason: String,
        /// The first characters.
        start: String,
    },
    /// It parses, and is something else.
    #[error("{url} is JSON, but no metadata: {seen}")]
    NotMetadata {
        /// The place.
        url: String,
        /// What it is.
        seen: String,
    },
    /// It is longer than the limit, or was cut on the way.
    #[error("{url} sent {bytes} bytes and was cut there: the body is too long, or ended too early")]
    Truncated {
        /// The place.
        url: String,
        /// How much was read.
        bytes: usize,
    },
    /// It points to hosts that nobody allowed.
    #[error("{url} points to other hosts than the issuer's: {}; allow them with {}", foreign_list(members), allow_list(members))]
    ForeignHosts {
        /// The place.
        url: String,
        /// The member and its host.
        members: Vec<(String, String)>,
    },
}

impl DiscoveryError {
    /// The exit status: 2 where the configuration has to change, 3 where the server does not answer as one.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::BadIssuer { .. } | Self::ForeignHosts { .. } => 2,
            Self::Unreachable { .. }
            | Self::Absent { .. }
            | Self::Unavailable { .. }
            | Self::Html { .. }
            | Self::InvalidJson { .. }
            | Self::NotMetadata { .. }
            | Self::Truncated { .. } => 3,
        }
    }
}

/// Finds the metadata of an issuer. Hosts are compared without their ports.
///
/// # Errors
/// [`DiscoveryError`], each variant with the URL and what was seen there.
pub async fn discover(wire: &Wire, issuer: &str, allowed_hosts: &[String]) -> Result<Discovery, DiscoveryError> {
    let discovery = fetch(wire, issuer).await?;
    check_hosts(&discovery, allowed_hosts, &[])?;
    Ok(discovery)
}

/// The members of metadata that the harness would send something to, by the names of the endpoints.
const MEMBERS: [(&str, &str); 9] = [
    ("authorization", "authorization_endpoint"),
    ("token", "token_endpoint"),
    ("revocation", "revocation_endpoint"),
    ("introspection", "introspection_endpoint"),
    ("userinfo", "userinfo_endpoint"),
    ("jwks", "jwks_uri"),
    ("registration", "registration_endpoint"),
    ("device_authorization", "device_authorization_endpoint"),
    ("pushed_authorization_request", "pushed_authorization_request_endpoint"),
];

impl Discovery {
    /// The endpoints that the metadata names.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for (name, member) in MEMBERS {
            if let (Some(place), Some(url)) = (endpoints.slot(name), self.metadata.get(member).and_then(Value::as_str)) {
                *place = Some(url.to_owned());
            }
        }
        endpoints
    }
}

/// Refuses metadata that points elsewhere, but for endpoints that are configured and win over it.
pub(super) fn check_hosts(discovery: &Discovery, allowed: &[String], overridden: &[&str]) -> Result<(), DiscoveryError> {
    let own = Url::parse(&discovery.issuer).ok().and_then(|url| url.host_str().map(bare_host));
    let is_allowed = |host: &str| own.as_deref() == Some(host) || allowed.iter().any(|allowed| bare_host(allowed) == host);
    let mut members = Vec::new();
    for (_, member) in MEMBERS.iter().filter(|(name, _)| !overridden.contains(name)) {
        let url = discovery.metadata.get(*member).and_then(Value::as_str);
        let host = url.and_then(|url| Url::parse(url).ok()).and_then(|url| url.host_str().map(bare_host));
        if let Some(host) = host.filter(|host| !is_allowed(host)) {
            members.push(((*member).to_owned(), host));
        }
    }
    if members.is_empty() { Ok(()) } else { Err(DiscoveryError::ForeignHosts { url: discovery.url.clone(), members }) }
}

/// Finds the metadata and does not look where it points.
pub(super) async fn fetch(wire: &Wire, issuer: &str) -> Result<Discovery, DiscoveryError> {
    let places = places(issuer).ok_or_else(|| DiscoveryError::BadIssuer { issuer: issuer.to_owned() })?;
    let mut exchanges = Vec::new();
    let mut tried = Vec::new();
    let mut oddity = None;
    for (url, kind) in places {
        let exchange = wire.send(Channel::Back, Request::get(&url)).await;
        let response = match &exchange.outcome {
            Ok(response) => response,
            Err(failure) => {
                return Err(oddity.unwrap_or_else(|| DiscoveryError::Unreachable { url, failure: failure.clone() }));
            }
        };
        tried.push((url.clone(), response.status));
        match read(&url, response) {
            Ok(Some(metadata)) => {
                let issuer = issuer.to_owned();
                let mut discovery = Discovery { issuer, metadata, url, kind, exchanges: Vec::new(), notes: Vec::new() };
                discovery.notes = notes(&discovery, response);
                exchanges.push(exchange);
                return Ok(Discovery { exchanges, ..discovery });
            }
            Ok(None) => {}
            Err(error) => oddity = oddity.or(Some(error)),
        }
        exchanges.push(exchange);
    }
    Err(oddity.unwrap_or(DiscoveryError::Absent { tried }))
}

/// Where metadata may be: RFC 8414 section 3.1 inserts its path before that of the issuer, OpenID Connect Discovery section 4
/// appends it; either is tried for both.
fn places(issuer: &str) -> Option<Vec<(String, MetadataKind)>> {
    let url = Url::parse(issuer).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    if url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let oauth = "/.well-known/oauth-authorization-server";
    let openid = "/.well-known/openid-configuration";
    let mut places: Vec<(String, MetadataKind)> = Vec::new();
    for (place, kind) in [
        (format!("{origin}{oauth}{path}"), MetadataKind::OAuth),
        (format!("{origin}{path}{oauth}"), MetadataKind::OAuth),
        (format!("{origin}{path}{openid}"), MetadataKind::OpenId),
        (format!("{origin}{openid}{path}"), MetadataKind::OpenId),
    ] {
        if places.iter().all(|(known, _)| *known != place) {
            places.push((place, kind));
        }
    }
    Some(places)
}

/// The document, `None` where there is none, or what is wrong with what is there.
fn read(url: &str, response: &Response) -> Result<Option<Map<String, Value>>, DiscoveryError> {
    let url = url.to_owned();
    if response.status == 429 || response.status >= 500 {
        return Err(DiscoveryError::Unavailable { url, status: response.status });
    }
    // 203 is a 200 that somebody changed on the way (RFC 9110 section 15.3.4).
    if !matches!(response.status, 200 | 203) {
        return Ok(None);
    }
    if response.truncated {
        return Err(DiscoveryError::Truncated { url, bytes: response.body.len() });
    }
    let text = response.text();
    if text.trim_start().starts_with('<') {
        return Err(DiscoveryError::Html { url, title: title_of(&text) });
    }
    match serde_json::from_slice(&response.body) {
        Ok(Value::Object(members)) if is_metadata(&members) => Ok(Some(members)),
        Ok(Value::Object(members)) => {
            let names: Vec<&str> = members.keys().take(5).map(String::as_str).collect();
            Err(DiscoveryError::NotMetadata { url, seen: format!("an object with {}", listed(&names)) })
        }
        Ok(other) => Err(DiscoveryError::NotMetadata { url, seen: shortened(&other.to_string()) }),
        Err(error) => Err(DiscoveryError::InvalidJson { url, reason: error.to_string(), start: shortened(&text) }),
    }
}

fn is_metadata(members: &Map<String, Value>) -> bool {
    members.contains_key("issuer") || MEMBERS.iter().any(|(_, member)| members.contains_key(*member))
}

fn notes(discovery: &Discovery, response: &Response) -> Vec<String> {
    let mut notes = Vec::new();
    match discovery.metadata.get("issuer") {
        Some(Value::String(named)) if *named == discovery.issuer => {}
        Some(Value::String(named)) => {
            notes.push(format!("the metadata names the issuer {named:?}, and {:?} was asked for", discovery.issuer));
        }
        _ => notes.push("the metadata names no issuer".to_owned()),
    }
    if response.status != 200 {
        notes.push(format!("the metadata is served with status {}, not with 200", response.status));
    }
    let media_type = response.media_type();
    if media_type != "application/json" {
        notes.push(format!("the metadata is served as {media_type:?}, not as application/json"));
    }
    for (_, member) in MEMBERS {
        match discovery.metadata.get(member) {
            None => {}
            Some(Value::String(url)) if Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) => {}
            Some(other) => notes.push(format!("{member} is no http URL: {}", shortened(&other.to_string()))),
        }
    }
    notes
}

fn title_of(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title").and_then(|at| lower[at..].find('>').map(|end| at + end + 1));
    let end = start.and_then(|start| lower[start..].find('<').map(|end| start + end));
    match (start, end) {
        (Some(start), Some(end)) => shortened(html[start..end].trim()),
        _ => String::new(),
    }
}

fn shortened(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { start + "…" } else { start }
}

fn titled(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(" titled {title:?}") }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no members".to_owned() } else { names.join(", ") }
}

fn tried_list(tried: &[(String, u16)]) -> String {
    tried.iter().map(|(url, status)| format!("{url} answers {status}")).collect::<Vec<_>>().join(", ")
}

fn foreign_list(members: &[(String, String)]) -> String {
    members.iter().map(|(member, host)| format!("{member} names {host}")).collect::<Vec<_>>().join(", ")
}

fn allow_list(members: &[(String, String)]) -> String {
    let mut hosts: Vec<&str> = members.iter().map(|(_, host)| host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.iter().map(|host| format!("--allow-host {host}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
