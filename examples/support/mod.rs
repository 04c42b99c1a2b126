//! A small HTTP client, as the application under test would have one: what follows in the examples is about the mock.

#![allow(dead_code, reason = "not every example logs in")]

use std::error::Error;
use std::io::{Read, Write};
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
    let url = format!("{issuer}/token");
    exchange(connect(&url)?, "POST", &url, "Content-Type: application/x-www-form-urlencoded\r\n", &body.join("&"))
}

/// A GET request, with a Bearer token where there is one; its status and JSON body.
pub fn get(url: &str, bearer: Option<&str>) -> Result<(u16, Value), Box<dyn Error>> {
    let field = bearer.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    exchange(connect(url)?, "GET", url, &field, "")
}

/// A connection to the server of a URL.
pub fn connect(url: &str) -> Result<TcpStream, Box<dyn Error>> {
    Ok(TcpStream::connect(place(url)?.0)?)
}

/// A request over a connection; its status and JSON body.
pub fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    url: &str,
    fields: &str,
    body: &str,
) -> Result<(u16, Value), Box<dyn Error>> {
    let (host, path) = place(url)?;
    let length = body.len();
    let head =
        format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Host with port, and path, of a URL.
fn place(url: &str) -> Result<(&str, &str), Box<dyn Error>> {
    let place = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    Ok(place.ok_or("not a URL with a path")?)
}
