//! Whether the HTTP library would send a request exactly as it is written. What it would rewrite or refuse goes the raw way.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};
use url::Url;

use crate::oauth::Request;

/// Header fields by which the library steers the connection itself.
const FRAMING: [&str; 7] = ["connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"];

/// The URL of a request, if nothing of the request is changed or refused on the way through reqwest, url and hyper.
pub(super) fn kept_whole(request: &Request) -> Option<Url> {
    let fits = method_is_token(&request.method) && request.headers.iter().all(|(name, value)| field_is_kept(name, value));
    if fits { kept_url(&request.url) } else { None }
}

fn method_is_token(method: &str) -> bool {
    method != "CONNECT" && Method::from_bytes(method.as_bytes()).is_ok()
}

fn kept_url(url: &str) -> Option<Url> {
    let parsed = Url::parse(url).ok()?;
    let plain = parsed.fragment().is_none() && parsed.username().is_empty() && parsed.password().is_none();
    let kept = plain && matches!(parsed.scheme(), "http" | "https") && parsed.as_str() == url && url.parse::<Uri>().is_ok();
    kept.then_some(parsed)
}

fn field_is_kept(name: &str, value: &[u8]) -> bool {
    let framing = FRAMING.iter().any(|field| name.eq_ignore_ascii_case(field));
    !framing && HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_bytes(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_would_be_rewritten_or_refused_go_the_raw_way() {
        for url in ["http://h/a?b=c", "http://h:8080/a%20b?x=%zz&y=%41", "https://h/", "http://[::1]:1/a"] {
            assert!(kept_url(url).is_some(), "{url}");
        }
        for url in [
            "http://h",
            "http://h/a/../b",
            "http://h/%2e%2e/b",
            "http://h/a\\b",
            "http://h/?a='",
            "http://h/?a=\0",
            "http://h/?a=b c",
            "http://h/?a=\"",
            "http://h/?a=ü",
            "http://h/a#b",
            "http://u:p@h/",
            "http://h:80/",
            "HTTP://h/",
            "ftp://h/",
            "h",
        ] {
            assert!(kept_url(url).is_none(), "{url}");
        }
    }

    #[test]
    fn methods_and_fields_that_are_refused_go_the_raw_way() {
        assert!(kept_whole(&Request::new("PATCH", "http://h/").with("X-A", *b"\xff")).is_some());
        assert!(kept_whole(&Request::new("GE T", "http://h/")).is_none());
        assert!(kept_whole(&Request::get("http://h/").with("X-A", "a\r\nb")).is_none());
        assert!(kept_whole(&Request::get("http://h/").with("X A", "a")).is_none());
        assert!(kept_whole(&Request::get("http://h/").with("Content-Length", "7")).is_none());
    }
}
