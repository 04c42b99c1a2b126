//! Requests as own bytes over TCP or TLS: for what no HTTP library would send, and for races. Nothing is checked or mended.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::answer;
use crate::oauth::{Failure, Request, Response};

/// A connection over which bytes go both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// How much of a request is written at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldBack {
    /// All of it.
    Nothing,
    /// All but the last byte, without which no server can answer.
    LastByte,
}

/// A connection on which a request has been written, perhaps but for its last byte.
pub(super) struct Primed {
    stream: Box<dyn Duplex>,
    method: String,
    held: Vec<u8>,
    /// A server may answer and close before it has read everything, so that a failed write is told only if no answer follows.
    unwritten: Option<io::Error>,
}

/// Connects and writes.
pub(super) async fn prime(request: &Request, tls: Option<Arc<ClientConfig>>, hold: HoldBack) -> Result<Primed, Failure> {
    let place = Place::of(&request.url).ok_or_else(|| Failure::NotSent(format!("no host in the URL {:?}", request.url)))?;
    let port = match (place.port, &tls) {
        ("", None) => 80,
        ("", Some(_)) => 443,
        (port, _) => port.parse().map_err(|_| Failure::NotSent(format!("no port number: {port:?}")))?,
    };
    let mut bytes = encode(request, &place);
    let held = match hold {
        HoldBack::Nothing => Vec::new(),
        HoldBack::LastByte => bytes.split_off(bytes.len() - 1),
    };
    let mut stream = connect(place.host, port, tls).await?;
    let written = match stream.write_all(&bytes).await {
        Ok(()) => stream.flush().await,
        Err(error) => Err(error),
    };
    Ok(Primed { stream, method: request.method.clone(), held, unwritten: written.err() })
}

impl Primed {
    /// Writes what was held back. A peer that reads nothing holds the others up no longer than the limit.
    pub(super) async fn release(&mut self, limit: Duration) {
        let held = std::mem::take(&mut self.held);
        let writing = async {
            self.stream.write_all(&held).await?;
            self.stream.flush().await
        };
        let written = tokio::time::timeout(limit, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        self.unwritten = self.unwritten.take().or(written.err());
    }

    /// Reads the answer.
    pub(super) async fn finish(mut self, body_limit: usize) -> Result<Response, Failure> {
        let read = answer::read(&mut self.stream, &self.method, body_limit).await;
        match (read, self.unwritten) {
            (Err(Failure::Reset(_)), Some(error)) => Err(Failure::Reset(error.to_string())),
            (read, _) => read,
        }
    }
}

/// The pieces of a URL, as written.
struct Place<'a> {
    authority: &'a str,
    host: &'a str,
    port: &'a str,
    target: &'a str,
}

impl<'a> Place<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        if host.is_empty() { None } else { Some(Self { authority, host, port, target }) }
    }
}

fn encode(request: &Request, place: &Place<'_>) -> Vec<u8> {
    let slash = if place.target.starts_with(['/', '\\']) { "" } else { "/" };
    let mut out = format!("{} {slash}{} HTTP/1.1\r\n", request.method, place.target).into_bytes();
    let mut field = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    };
    if !request.headers.has("host") {
        field("Host", place.authority.as_bytes());
    }
    for (name, value) in request.headers.iter() {
        field(name, value);
    }
    let framed = request.headers.has("content-length") || request.headers.has("transfer-encoding");
    let expects_length = !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if expects_length && !framed {
        field("Content-Length", request.body.len().to_string().as_bytes());
    }
    if !request.headers.has("connection") {
        field("Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&request.body);
    out
}

async fn connect(host: &str, port: u16, tls: Option<Arc<ClientConfig>>) -> Result<Box<dyn Duplex>, Failure> {
    // A host with other characters than ASCII goes by its IDNA form; one that cannot is tried as it is and fails by name.
    let name = match url::Host::parse(host) {
        Ok(url::Host::Domain(name)) => name,
        _ => host.to_owned(),
    };
    let stream = TcpStream::connect((name.as_str(), port)).await.map_err(|error| Failure::Connect(error.to_string()))?;
    // Without this the kernel would keep the last byte of a race back until the first packet is acknowledged.
    stream.set_nodelay(true).map_err(|error| Failure::Connect(error.to_string()))?;
    let Some(config) = tls else { return Ok(Box::new(stream)) };
    let server = ServerName::try_from(name).map_err(|error| Failure::Tls(error.to_string()))?;
    let stream = TlsConnector::from(config).connect(server, stream).await.map_err(|error| Failure::Tls(error.to_string()))?;
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_it_is() {
        let request = Request::get("http://u@h:1/a/../%zz?x=\0ü#f").with("X-A", "1").with("X-A", *b"\xff");
        let bytes = encode(&request, &Place::of(&request.url).unwrap());
        let expected = b"GET /a/../%zz?x=\0\xc3\xbc#f HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\nX-A: \xff\r\nConnection: close\r\n\r\n";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn hosts_are_found_in_any_url() {
        let place = Place::of("https://[::1]:8443?x").unwrap();
        assert_eq!((place.host, place.port, place.target, place.authority), ("::1", "8443", "?x", "[::1]:8443"));
        assert!(Place::of("http:///x").is_none());
        assert!(Place::of("mailto:x").is_none());
    }
}
