//! A small HTTP/1.1 client on one kept connection: what it costs is next to nothing beside any server.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One connection, opened anew when the server closes it.
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What is sent.
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// `Name: value` lines, each with its line end.
    pub fields: &'a str,
    pub body: &'a str,
}

/// What comes back.
pub struct Response {
    pub status: u16,
    /// The head as it came.
    pub head: String,
    pub body: String,
}

impl Response {
    /// The values of a header field.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(move |(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// A member of the JSON body that is a text.
    pub fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::new() }
    }

    /// Sends a request and reads the answer; once more on a new connection where a kept one turns out to be closed.
    pub fn send(&mut self, request: &Request<'_>) -> io::Result<Response> {
        let kept = self.stream.is_some();
        match self.exchange(request) {
            Err(_) if kept => {
                self.stream = None;
                self.exchange(request)
            }
            answer => answer,
        }
    }

    fn exchange(&mut self, request: &Request<'_>) -> io::Result<Response> {
        let Request { method, target, fields, body } = request;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(connect(self.address)?),
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{fields}", self.address);
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        stream.write_all(format!("{head}{length}\r\n{body}").as_bytes())?;
        self.buffer.clear();
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            fill(stream, &mut self.buffer)?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let mut response = Response { status, head, body: String::new() };
        let body = body_of(&response, stream, self.buffer.split_off(end + 4))?;
        response.body = String::from_utf8_lossy(&body).into_owned();
        if response.fields("connection").any(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = None;
        }
        Ok(response)
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// The body by its length or in chunks; `start` came with the head.
fn body_of(response: &Response, stream: &mut TcpStream, start: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut rest = start;
    if response.fields("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked")) {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(line) = find(&rest, b"\r\n") {
                    break line;
                }
                fill(stream, &mut rest)?;
            };
            let size = std::str::from_utf8(&rest[..line]).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            let size = size.ok_or(io::ErrorKind::InvalidData)?;
            while rest.len() < line + 2 + size + 2 {
                fill(stream, &mut rest)?;
            }
            body.extend_from_slice(&rest[line + 2..line + 2 + size]);
            rest.drain(..line + 2 + size + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = response.fields("content-length").find_map(|value| value.parse().ok()).unwrap_or(0);
    while rest.len() < length {
        fill(stream, &mut rest)?;
    }
    Ok(rest)
}

fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 8192];
    match stream.read(&mut chunk)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            buffer.extend_from_slice(&chunk[..count]);
            Ok(())
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
