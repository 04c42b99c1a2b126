//! Which addresses belong to a target: only there does the harness send anything.

use std::collections::BTreeSet;

use url::Url;

/// The origins and hosts of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Home {
    origins: BTreeSet<String>,
    hosts: BTreeSet<String>,
}

impl Home {
    /// The origins of these URLs, and these hosts with any port. What is no http URL adds nothing.
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let origins = urls.into_iter().filter_map(origin).collect();
        Self { origins, hosts: hosts.into_iter().map(bare_host).collect() }
    }

    /// Whether a URL belongs here.
    #[must_use]
    pub fn contains(&self, url: &str) -> bool {
        // What begins with an origin that is known has that origin, and most URLs do: taking them apart costs a hundred times as much.
        let ends_authority = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?', '#']);
        if self.origins.iter().any(|origin| url.strip_prefix(origin.as_str()).is_some_and(ends_authority)) {
            return true;
        }
        let by_host = |url: Url| url.host_str().is_some_and(|host| self.hosts.contains(&bare_host(host)));
        let known = origin(url).is_some_and(|origin| self.origins.contains(&origin));
        known || Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).is_some_and(by_host)
    }
}

/// Scheme, host and port of an http URL; `None` for any other.
fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// A host as it is compared: in lower case, without brackets, without a port that somebody wrote behind it.
pub(super) fn bare_host(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    if let Some((inside, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.to_owned();
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => name.to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_count_for_origins_and_not_for_hosts() {
        let home = Home::new(["http://127.0.0.1:3000/x", "custom:y"], ["Login.Example:8443", "[::1]:80"]);
        for url in [
            "http://127.0.0.1:3000",
            "http://127.0.0.1:3000?x",
            "HTTP://127.0.0.1:3000/x/../y",
            "http://127.0.0.1:3000/",
            "https://login.example/",
            "http://login.example:1/a",
            "http://[::1]:9/",
        ] {
            assert!(home.contains(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:30001/",
            "http://127.0.0.1:3000@evil.example/",
            "http://127.0.0.1:3001/",
            "https://127.0.0.1:3000/",
            "custom:y",
            "http://evil.login.example/",
            "/",
        ] {
            assert!(!home.contains(url), "{url}");
        }
    }
}
