//! A small HTTP client, as the application under test would have one: what follows in the examples is about the mock.

#![allow(dead_code, reason = "not every example logs in")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// The verifier and challenge of RFC 7636 Appendix B. A real client makes a fresh one for each login.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An authorization request for the client `app`.
pub fn authorization_url(issuer: &str) -> String {
    format!(
        "{issuer}/authorize?response_type=code&client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&state=af0ifjsldkj\
         &scope=openid%20offline_access&nonce=n-0S6_WzA2Mj&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256"
    )
}

/// A parameter of a redirect.
pub fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let query = url.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A request to the token endpoint; its status and JSON body.
pub fn token(issuer: &str, form: &[(&str, &str)]) -> Result<(u16, Value), Box<dyn Error>> {
    let body: Vec<String> =
        form.iter().map(|(name, value)| format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F"))).collect();
    let body = body.join("&");
    let (host, path) = issuer.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or("not an http URL")?;
    let mut stream = TcpStream::connect(host)?;
    let head = format!("POST /{path}/token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    stream.write_all(format!("{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
