//! What pages and redirects gave away on the way of an authorization request: cookies, third parties, a password posted again.
//! Looks and judges nothing.

use std::sync::LazyLock;

use scraper::{Html, Selector};
use url::Url;

use crate::oauth::{Exchange, encoding};
use crate::target::login::{Journey, Visit};

/// What was seen on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// The `Set-Cookie` fields of cookies that were set, in order; those that remove a cookie are left out.
    pub cookies: Vec<String>,
    /// The URLs of other hosts from which a page loads something.
    pub third_parties: Vec<String>,
    /// The URLs to which a redirect made the browser post the user's password again.
    pub password_sent_on: Vec<String>,
}

/// Elements by which browsers load something without being asked, and the attribute that names it.
static LOADING: LazyLock<Vec<(Selector, &str)>> = LazyLock::new(|| {
    const ELEMENTS: [(&str, &str); 5] = [
        ("script[src], img[src], iframe[src], frame[src], embed[src], audio[src], video[src], source[src], input[src]", "src"),
        ("link[rel~=stylesheet][href], link[rel~=icon][href], link[rel~=preload][href], link[rel~=manifest][href]", "href"),
        ("link[rel~=prefetch][href], link[rel~=modulepreload][href], link[rel~=preconnect][href]", "href"),
        ("object[data]", "data"),
        ("video[poster]", "poster"),
    ];
    ELEMENTS.iter().filter_map(|(selector, attribute)| Some((Selector::parse(selector).ok()?, *attribute))).collect()
});

/// Looks at everything that happened on a journey.
pub(super) fn look(journey: &Journey, visit: &Visit<'_>) -> Way {
    let mut way = Way::default();
    for exchange in &journey.exchanges {
        let Some(response) = exchange.response() else { continue };
        let set = response.headers.all("set-cookie").map(String::from_utf8_lossy);
        way.cookies.extend(set.filter(|field| !removes(field)).map(std::borrow::Cow::into_owned));
        if response.media_type() == "text/html" {
            way.third_parties.extend(loads(exchange, visit));
        }
        let location = response.headers.get("location").filter(|_| matches!(response.status, 307 | 308));
        way.password_sent_on.extend(location.filter(|_| carries_password(exchange, visit)).map(std::borrow::Cow::into_owned));
    }
    way
}

/// Whether a `Set-Cookie` field takes a cookie away.
fn removes(field: &str) -> bool {
    let lower = field.to_ascii_lowercase();
    let empty = lower.split(';').next().and_then(|pair| pair.split_once('=')).is_none_or(|(_, value)| value.trim().is_empty());
    empty || lower.contains("max-age=0") || lower.contains("max-age=-") || lower.contains("1970")
}

fn carries_password(exchange: &Exchange, visit: &Visit<'_>) -> bool {
    let password = visit.user.password.as_str();
    let body = String::from_utf8_lossy(&exchange.request.body);
    exchange.request.method == "POST"
        && !password.is_empty()
        && (body.contains(&encoding::form(password)) || body.contains(password))
}

/// Whether an element of [`LOADING`] can be on a page at all: reading one takes longer than all else that is done with it.
fn may_load(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    ["src", "<link", "<object", "poster"].iter().any(|part| html.contains(part))
}

/// The URLs of hosts that are none of the target's from which this page loads something.
fn loads(exchange: &Exchange, visit: &Visit<'_>) -> Vec<String> {
    let (Some(response), Ok(base)) = (exchange.response(), Url::parse(&exchange.request.url)) else { return Vec::new() };
    let text = response.text();
    if !may_load(&text) {
        return Vec::new();
    }
    let document = Html::parse_document(&text);
    let named = LOADING.iter().flat_map(|(selector, attribute)| {
        let elements = document.select(selector);
        elements.filter_map(|element| element.attr(attribute)).collect::<Vec<_>>()
    });
    let absolute = named.filter_map(|named| base.join(named.trim()).ok());
    let foreign = absolute.filter(|url| matches!(url.scheme(), "http" | "https") && !visit.home.contains(url.as_str()));
    foreign.map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_take_a_cookie_away_are_told() {
        assert!(removes("a=; Path=/"));
        assert!(removes("a=x; Max-Age=0"));
        assert!(removes("a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        assert!(!removes("a=x; HttpOnly; Max-Age=3600"));
    }

    #[test]
    fn every_selector_is_understood() {
        assert_eq!(LOADING.len(), 5);
    }
}
