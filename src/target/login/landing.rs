//! Whether a URL is where a journey ends, and what is delivered with it.

use url::Url;

use super::{End, Via, Visit};
use crate::oauth::Params;

/// The parameters by which an authorization response is known.
const RESPONSE: [&str; 6] = ["code", "error", "access_token", "id_token", "response", "state"];

/// Whether the browser is not to follow there: a redirect URI, or away from the target.
pub(super) fn ends_at(url: &str, visit: &Visit<'_>) -> bool {
    visit.redirect_uris.iter().any(|uri| same_place(uri, url)) || !visit.home.contains(url)
}

/// The end that a redirect to that URL means.
pub(super) fn delivered(url: &str, exchange: usize) -> End {
    let (before, fragment) = url.split_once('#').unwrap_or((url, ""));
    let query = Params::parse_lossy(before.split_once('?').map_or("", |(_, query)| query).as_bytes());
    let fragment = Params::parse_lossy(fragment.as_bytes());
    let is_response = |params: &Params| RESPONSE.iter().any(|name| params.has(name));
    let (via, params) = if is_response(&fragment) { (Via::Fragment, fragment) } else { (Via::Query, query) };
    End::Delivered { url: url.to_owned(), via, params, exchange }
}

/// Equal but for query and fragment; an empty path is the same as `/`.
fn same_place(a: &str, b: &str) -> bool {
    let bare = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
    let scheme = |url: &str| url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if scheme(a) != scheme(b) {
        return false;
    }
    let (a, b) = (bare(a), bare(b));
    a == b || matches!((Url::parse(&a), Url::parse(&b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_found_in_query_and_fragment() {
        let via = |url: &str| match delivered(url, 0) {
            End::Delivered { via, params, .. } => (via, params.encode()),
            other => panic!("{other:?}"),
        };
        assert_eq!(via("https://c/cb?a=b&code=x%20y&state=1"), (Via::Query, "a=b&code=x+y&state=1".into()));
        assert_eq!(via("https://c/cb?a=b#access_token=x"), (Via::Fragment, "access_token=x".into()));
        assert_eq!(via("https://c/cb?code=x#_=_"), (Via::Query, "code=x".into()));
        assert_eq!(via("custom:/cb"), (Via::Query, String::new()));
    }

    #[test]
    fn places_compare_without_query_and_fragment() {
        assert!(same_place("https://c/cb?x=1", "https://c/cb#f"));
        assert!(same_place("https://c", "https://c/?code=1"));
        assert!(!same_place("https://c/cb", "https://c/cb/"));
        assert!(same_place("com.example:/cb", "com.example:/cb?code=1"));
    }
}
