//! Requests of strange form, for policies under which they bring the server down. Looks at bytes and decides nothing else.

use crate::oauth::encoding::from_base64;
use crate::oauth::{Params, Request};
use crate::policy::Strange;

/// The longest parameter and header field that is not strange, in bytes.
const LONG: usize = 4096;
/// The most parameters that are not strange.
const MANY: usize = 500;

/// Whether a request has one of these properties.
pub(super) fn is_any(request: &Request, properties: &[Strange]) -> bool {
    properties.iter().any(|property| is(request, *property))
}

fn is(request: &Request, property: Strange) -> bool {
    let values = || texts(request).into_iter();
    match property {
        Strange::LongParameter => values().any(|value| value.len() > LONG),
        Strange::LongHeader => request.headers.iter().any(|(_, value)| value.len() > LONG),
        Strange::ManyParameters => parameters(request).iter().map(|params| params.iter().count()).sum::<usize>() > MANY,
        Strange::BadPercent => bad_percent(request.query().unwrap_or("").as_bytes()) || bad_percent(&request.body),
        Strange::Nul => values().any(|value| value.contains(&0)),
        Strange::NotUtf8 => {
            let headers = || request.headers.all("authorization").any(|value| std::str::from_utf8(value).is_err());
            values().any(|value| std::str::from_utf8(&value).is_err()) || headers()
        }
        Strange::NotAscii => values().any(|value| std::str::from_utf8(&value).is_ok_and(|text| !text.is_ascii())),
        Strange::Chunked => request.headers.has("transfer-encoding"),
        Strange::RepeatedHeader => ["authorization", "content-type"].iter().any(|name| request.headers.all(name).count() > 1),
        Strange::ContentType => {
            let plain = |value: &[u8]| value.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
            request.headers.all("content-type").any(|value| !plain(value))
        }
        Strange::Method => !matches!(request.method.as_str(), "GET" | "POST"),
        Strange::EmptyBody => request.method == "POST" && request.body.is_empty(),
    }
}

/// Every name and value that a request carries, decoded: of the query, of the body, and of Basic credentials.
fn texts(request: &Request) -> Vec<Vec<u8>> {
    let basic = request.headers.all("authorization").filter_map(|value| {
        let (_, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
        from_base64(encoded.trim())
    });
    let pairs = parameters(request);
    let both = pairs.iter().flat_map(Params::iter).flat_map(|(name, value)| [name.to_vec(), value.to_vec()]);
    both.chain(basic).collect()
}

fn parameters(request: &Request) -> [Params; 2] {
    [Params::parse_lossy(request.query().unwrap_or("").as_bytes()), Params::parse_lossy(&request.body)]
}

fn bad_percent(encoded: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = encoded.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'%')) {
        let digits = encoded.get(at + found + 1..at + found + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return true;
        }
        at += found + 3;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_property_is_seen_and_a_plain_request_has_none() {
        let plain = Request::post_form("http://h/token", &[("code", "a%b")].into_iter().collect());
        let with = |body: &[u8]| Request { body: body.to_vec(), ..plain.clone() };
        let cases = [
            (Strange::LongParameter, with(&[b'a'; 5000])),
            (Strange::LongHeader, plain.clone().with("X-A", [b'a'; 5000])),
            (Strange::ManyParameters, with(&b"a=1&".repeat(600))),
            (Strange::BadPercent, with(b"code=%zz")),
            (Strange::BadPercent, with(b"code=%4")),
            (Strange::Nul, with(b"code=%00")),
            (Strange::NotUtf8, plain.clone().with("Authorization", "Basic /w==")),
            (Strange::NotAscii, with("code=ü".as_bytes())),
            (Strange::Chunked, plain.clone().with("Transfer-Encoding", "chunked")),
            (Strange::RepeatedHeader, plain.clone().with("content-type", "application/x-www-form-urlencoded")),
            (Strange::ContentType, Request::new("POST", "http://h/").with("Content-Type", "text/plain")),
            (Strange::Method, Request::new("PUT", "http://h/")),
            (Strange::EmptyBody, Request::new("POST", "http://h/")),
        ];
        for (property, request) in cases {
            assert!(is(&request, property), "{property:?}");
            assert!(!is(&plain, property), "{property:?}");
        }
    }
}
