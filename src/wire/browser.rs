//! A cookie session: what a browser adds to a request and keeps of an answer. Follows no redirect and reads no page.

use cookie_store::CookieStore;
use url::Url;

use super::Wire;
use crate::oauth::{Channel, Exchange, Request};

const HEADERS: [(&str, &str); 4] = [
    ("User-Agent", concat!("Mozilla/5.0 (X11; Linux x86_64) oauthspec/", env!("CARGO_PKG_VERSION"))),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9"),
    ("Upgrade-Insecure-Requests", "1"),
];

/// A user agent with a cookie jar of its own.
///
/// Loopback addresses count as secure, as in browsers: `Secure` cookies are kept and sent there over http too.
#[derive(Debug, Clone)]
pub struct Browser {
    wire: Wire,
    jar: CookieStore,
}

impl Browser {
    /// With an empty jar.
    #[must_use]
    pub fn new(wire: Wire) -> Self {
        Self { wire, jar: CookieStore::default() }
    }

    /// Sends one request with the header fields of a browser, unless they are set, and with the cookies that belong there; keeps
    /// the cookies of the answer. A fragment in the URL is not sent.
    pub async fn send(&mut self, request: Request) -> Exchange {
        let request = self.dressed(request);
        let url = Url::parse(&request.url).ok();
        let exchange = self.wire.send(Channel::Front, request).await;
        if let (Some(url), Some(response)) = (url, exchange.response()) {
            for value in response.headers.all("set-cookie") {
                self.keep(&String::from_utf8_lossy(value), &url);
            }
        }
        exchange
    }

    /// A request with everything that this browser adds to it.
    #[must_use]
    pub fn dressed(&self, mut request: Request) -> Request {
        if let Some((url, _)) = request.url.split_once('#') {
            request.url = url.to_owned();
        }
        for (name, value) in HEADERS {
            if !request.headers.has(name) {
                request.headers.push(name, value);
            }
        }
        let cookies = Url::parse(&request.url).ok().and_then(|url| self.cookies(&url));
        if let Some(cookies) = cookies.filter(|_| !request.headers.has("cookie")) {
            request.headers.push("Cookie", cookies);
        }
        request
    }

    /// Forgets the cookies that scripts can read: those without `HttpOnly`.
    pub fn drop_readable(&mut self) {
        let readable = |cookie: &&cookie_store::Cookie<'static>| cookie.http_only() != Some(true);
        let names: Vec<(String, String, String)> = self
            .jar
            .iter_any()
            .filter(readable)
            .map(|cookie| (String::from(&cookie.domain), String::from(&cookie.path), cookie.name().to_owned()))
            .collect();
        for (domain, path, name) in names {
            self.jar.remove(&domain, &path, &name);
        }
    }

    /// Puts a cookie into the jar, written as in a `Set-Cookie` field that came from that URL. `false` where it does not fit.
    pub fn keep(&mut self, set_cookie: &str, from: &Url) -> bool {
        self.jar.parse(set_cookie, from).is_ok()
    }

    /// Forgets every cookie.
    pub fn forget(&mut self) {
        self.jar.clear();
    }

    /// Whether there is no cookie in the jar.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.jar.iter_any().next().is_none()
    }

    /// The wire through which it sends.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The `Cookie` field for a URL: longer paths first (RFC 6265 section 5.4), then by name, so that runs are alike.
    fn cookies(&self, url: &Url) -> Option<String> {
        let mut cookies = self.jar.matches(url);
        cookies.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.name().to_owned()));
        let pairs: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::WireOptions;
    use super::*;

    #[test]
    fn cookies_follow_their_rules_and_loopback_is_secure() {
        let mut browser = Browser::new(Wire::new(WireOptions::default()).unwrap());
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(browser.keep("a=1; Secure; HttpOnly; Path=/", &url("http://127.0.0.1:3000/login")));
        assert!(browser.keep("b=2; Path=/interaction", &url("http://127.0.0.1:3000/login")));
        assert!(browser.keep("c=3; Secure", &url("https://as.example/login")));
        assert!(!browser.keep("d=4; Domain=other.example", &url("https://as.example/login")));
        assert_eq!(browser.cookies(&url("http://127.0.0.1:3000/interaction/x")).unwrap(), "b=2; a=1");
        assert_eq!(browser.cookies(&url("http://127.0.0.1:3000/")).unwrap(), "a=1");
        assert_eq!(browser.cookies(&url("http://as.example/login")), None);
        browser.keep("a=; Max-Age=0; Path=/", &url("http://127.0.0.1:3000/"));
        assert_eq!(browser.cookies(&url("http://127.0.0.1:3000/")), None);
    }
}
