//! Redirect URIs: which one a request may use, and how the policy compares. Compared as strings, never normalised unless so wished.

use std::collections::BTreeSet;

use url::Url;

use super::call::{Fields, Pick};
use super::state::State;
use super::{ClientKind, MockClient};
use crate::oauth::{encoding, is_unreserved};
use crate::policy::{AbsentRedirectUri, AuthorizeCause, Comparison, RedirectUriPolicy};

/// Where an authorization response goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) uri: String,
    /// Whether the request named it.
    pub(super) sent: bool,
}

/// The redirect URI of an authorization request (RFC 6749 section 3.1.2.3).
pub(super) fn choose(
    fields: &Fields,
    client: &MockClient,
    policy: &RedirectUriPolicy,
    state: &State,
) -> Result<Destination, AuthorizeCause> {
    let Some(sent) = fields.get("redirect_uri") else {
        let chosen = match (policy.absent, client.redirect_uris.as_slice()) {
            (AbsentRedirectUri::OnlyOne, [only]) => only,
            (AbsentRedirectUri::First, [first, ..]) => first,
            _ => return Err(AuthorizeCause::MissingRedirectUri),
        };
        return Ok(Destination { uri: chosen.clone(), sent: false });
    };
    let split = policy.repeated == "first-then-last";
    let validated = if split { fields.picked("redirect_uri", Pick::First).unwrap_or(sent) } else { sent };
    let used = if split { fields.picked("redirect_uri", Pick::Last).unwrap_or(sent) } else { sent };
    if !is_registered(validated, client, policy, state) {
        return Err(AuthorizeCause::UnknownRedirectUri);
    }
    Ok(Destination { uri: used.to_owned(), sent: true })
}

/// Whether a client may use a redirect URI.
pub(super) fn is_registered(uri: &str, client: &MockClient, policy: &RedirectUriPolicy, state: &State) -> bool {
    let native = client.kind == ClientKind::Native && policy.loopback_any_port;
    let own = || {
        client.redirect_uris.iter().any(|known| compare(policy.comparison, known, uri) || (native && same_loopback(known, uri)))
    };
    match policy.comparison {
        Comparison::None => true,
        Comparison::AnyClient => state.clients().iter().any(|other| other.redirect_uris.iter().any(|known| known == uri)),
        Comparison::FirstOnly => client.redirect_uris.first().is_some_and(|first| first == uri),
        Comparison::Localhost => own() || Parts::of(uri).is_loopback(),
        _ => own(),
    }
}

/// Whether two redirect URIs have scheme, host and port in common.
pub(super) fn same_origin(a: &str, b: &str) -> bool {
    let (a, b) = (Parts::of(a), Parts::of(b));
    a.scheme == b.scheme && a.host == b.host && a.port == b.port
}

fn compare(comparison: Comparison, known: &str, uri: &str) -> bool {
    let (k, u) = (Parts::of(known), Parts::of(uri));
    match comparison {
        Comparison::Exact | Comparison::None | Comparison::AnyClient | Comparison::FirstOnly | Comparison::Localhost => {
            known == uri
        }
        Comparison::Prefix => uri.starts_with(known),
        Comparison::Origin => same_origin(known, uri),
        Comparison::Host => k.host == u.host,
        Comparison::Subdomain => k.host == u.host || u.host.strip_suffix(k.host).is_some_and(|rest| rest.ends_with('.')),
        Comparison::HostPrefix => !k.host.is_empty() && u.host.starts_with(k.host),
        Comparison::HostSuffix => !k.host.is_empty() && u.host.ends_with(k.host),
        Comparison::IgnoreQuery => Parts { query: None, ..k } == Parts { query: None, ..u },
        Comparison::IgnoreCase => known.eq_ignore_ascii_case(uri),
        Comparison::Normalised => normalised(known).is_some_and(|known| normalised(uri) == Some(known)),
        Comparison::IgnoreScheme => Parts { scheme: "", ..k } == Parts { scheme: "", ..u },
        Comparison::IgnorePort => Parts { port: None, ..k } == Parts { port: None, ..u },
        Comparison::IgnoreSlash => known.trim_end_matches('/') == uri.trim_end_matches('/'),
        Comparison::IgnoreFragment => Parts { fragment: None, ..k } == Parts { fragment: None, ..u },
        Comparison::IgnoreUserinfo => Parts { userinfo: None, ..k } == Parts { userinfo: None, ..u },
        Comparison::Substring => uri.contains(known),
        Comparison::Pattern => {
            let fits = |(k, u): (char, char)| k == u || k == '.';
            known.chars().count() == uri.chars().count() && known.chars().zip(uri.chars()).all(fits)
        }
        Comparison::IgnoreControls => plain(known) == plain(uri),
        Comparison::Decoded => decoded(known) == decoded(uri),
        Comparison::IgnorePathParameters => {
            let bare = |uri| normalised(&without_path_parameters(uri));
            bare(known).is_some_and(|known| bare(uri) == Some(known))
        }
        Comparison::IgnoreQueryOrder => {
            let set = |query: Option<&str>| query.map(|q| q.split('&').map(str::to_owned).collect::<BTreeSet<_>>());
            set(k.query) == set(u.query) && Parts { query: None, ..k } == Parts { query: None, ..u }
        }
    }
}

/// Without the characters that the URL parsers of browsers throw away.
fn plain(uri: &str) -> String {
    uri.chars().filter(|c| !c.is_ascii_control() && *c != ' ').collect()
}

/// Percent-decoded until nothing changes any more.
fn decoded(uri: &str) -> Vec<u8> {
    let mut text = uri.as_bytes().to_vec();
    loop {
        let next = encoding::from_percent(&text).unwrap_or_else(|| text.clone());
        if next == text {
            return text;
        }
        text = next;
    }
}

/// Without what follows a semicolon in a path segment.
fn without_path_parameters(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let segments: Vec<&str> = rest.split('/').map(|segment| segment.split(';').next().unwrap_or("")).collect();
    format!("{scheme}://{}", segments.join("/"))
}

/// RFC 8252 section 7.3: the port of a loopback address does not count for native clients.
fn same_loopback(known: &str, uri: &str) -> bool {
    let (k, u) = (Parts::of(known), Parts::of(uri));
    let number = u.port.is_none_or(|port| port.parse::<u16>().is_ok());
    k.scheme == "http" && k.is_loopback() && number && Parts { port: None, ..k } == Parts { port: None, ..u }
}

/// The parts of a URI as they are written; nothing is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    userinfo: Option<&'a str>,
    pub(super) host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(uri: &'a str) -> Self {
        let (rest, fragment) = cut(uri, '#');
        let (rest, query) = cut(rest, '?');
        let (scheme, rest) = rest.split_once(':').unwrap_or(("", rest));
        let Some(rest) = rest.strip_prefix("//") else {
            return Self { scheme, userinfo: None, host: "", port: None, path: rest, query, fragment };
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority),
        };
        // The colons of an IPv6 address stand in brackets.
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (address, None),
        };
        Self { scheme, userinfo, host, port, path, query, fragment }
    }

    pub(super) fn is_loopback(&self) -> bool {
        matches!(self.host, "127.0.0.1" | "[::1]" | "localhost")
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// RFC 3986 section 6.2: case, percent-encoding of unreserved characters, dot segments, default port.
fn normalised(uri: &str) -> Option<Url> {
    let bytes = uri.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|&byte| is_unreserved(byte)) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    Url::parse(std::str::from_utf8(&decoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mock::random::Random;

    const KNOWN: &str = "https://client.example/callback";

    #[test]
    fn each_comparison_lets_its_own_deviation_through() {
        let cases = [
            (Comparison::Prefix, "https://client.example/callback/../x"),
            (Comparison::Origin, "https://client.example/other"),
            (Comparison::Host, "http://client.example:8080/other"),
            (Comparison::Subdomain, "https://evil.client.example/callback"),
            (Comparison::HostPrefix, "https://client.example.evil.example/callback"),
            (Comparison::HostSuffix, "https://evilclient.example/callback"),
            (Comparison::IgnoreQuery, "https://client.example/callback?x=1"),
            (Comparison::IgnoreCase, "https://client.example/CALLBACK"),
            (Comparison::Normalised, "https://client.example:443/x/%2e%2e/%63allback"),
            (Comparison::IgnoreScheme, "http://client.example/callback"),
            (Comparison::IgnorePort, "https://client.example:8443/callback"),
            (Comparison::IgnoreSlash, "https://client.example/callback/"),
            (Comparison::IgnoreFragment, "https://client.example/callback#x"),
            (Comparison::IgnoreUserinfo, "https://evil@client.example/callback"),
            (Comparison::Substring, "https://evil.example/?https://client.example/callback"),
            (Comparison::Pattern, "https://clientxexample/callback"),
            (Comparison::IgnoreControls, "https://client.example/call\tback"),
            (Comparison::Decoded, "https://client.example/%2563allback"),
            (Comparison::IgnorePathParameters, "https://client.example/x/..;/callback"),
        ];
        for (comparison, uri) in cases {
            assert!(compare(comparison, KNOWN, uri), "{comparison:?} {uri}");
            assert!(compare(comparison, KNOWN, KNOWN), "{comparison:?}");
            assert!(!compare(Comparison::Exact, KNOWN, uri), "{uri}");
        }
    }

    #[test]
    fn only_the_port_of_a_native_loopback_uri_is_free() {
        let native = MockClient {
            redirect_uris: vec!["http://127.0.0.1/callback".into()],
            kind: ClientKind::Native,
            ..MockClient::default()
        };
        let state = State::new(Random::new(0, "r"), Vec::new(), Duration::ZERO);
        let allowed = |uri: &str| is_registered(uri, &native, &RedirectUriPolicy::default(), &state);
        assert!(allowed("http://127.0.0.1:49152/callback"));
        for uri in [
            "http://127.0.0.1:49152/other",
            "http://localhost:1/callback",
            "http://127.0.0.1:x/callback",
            "http://a@127.0.0.1:1/callback",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
    }
}
