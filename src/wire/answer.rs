//! Reads one HTTP/1 response from a raw connection: head, then a body by length, by chunks or up to the end.

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::oauth::{Failure, Headers, Response};

const HEAD_LIMIT: usize = 256 * 1024;
const MAX_FIELDS: usize = 256;

/// Reads the final response to a request of that method; interim ones (1xx) are passed over.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S, method: &str, body_limit: usize) -> Result<Response, Failure> {
    let mut reader = Reader { stream, buffer: Vec::new(), end: None };
    loop {
        let mut response = reader.head().await?;
        if (100..200).contains(&response.status) && response.status != 101 {
            continue;
        }
        if method != "HEAD" && !matches!(response.status, 101 | 204 | 304) {
            reader.body(&mut response, body_limit).await?;
        }
        return Ok(response);
    }
}

struct Reader<'a, S> {
    stream: &'a mut S,
    buffer: Vec<u8>,
    /// Why no more bytes come, once none do.
    end: Option<String>,
}

impl<S: AsyncRead + Unpin> Reader<'_, S> {
    /// Reads some more bytes; `false` at the end.
    async fn more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) => self.end = Some("closed".to_owned()),
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                return true;
            }
            Err(error) => self.end = Some(error.to_string()),
        }
        false
    }

    async fn head(&mut self) -> Result<Response, Failure> {
        loop {
            if let Some((response, length)) = parse_head(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(response);
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(Failure::Malformed(format!("the head is longer than {HEAD_LIMIT} bytes")));
            }
            if !self.more().await {
                let how = self.end.clone().unwrap_or_default();
                let seen = if self.buffer.is_empty() { "before the first byte" } else { "inside the head" };
                return Err(Failure::Reset(format!("{how} {seen}")));
            }
        }
    }

    async fn body(&mut self, response: &mut Response, limit: usize) -> Result<(), Failure> {
        let chunked = response.headers.joined("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked"));
        if chunked {
            return self.chunks(response, limit).await;
        }
        let length = match response.headers.get("content-length") {
            Some(text) => Some(text.trim().parse().map_err(|_| Failure::Malformed(format!("Content-Length: {text}")))?),
            None => None,
        };
        self.plain(response, length, limit).await;
        Ok(())
    }

    /// A body of that length, or up to the end of the connection.
    async fn plain(&mut self, response: &mut Response, length: Option<usize>, limit: usize) {
        let wanted = length.unwrap_or(usize::MAX);
        while self.buffer.len() < wanted && self.buffer.len() <= limit && self.more().await {}
        self.buffer.truncate(wanted);
        let cut = length.is_some_and(|length| self.buffer.len() < length);
        response.truncated = cut || self.buffer.len() > limit;
        self.buffer.truncate(limit);
        response.body = std::mem::take(&mut self.buffer);
    }

    async fn chunks(&mut self, response: &mut Response, limit: usize) -> Result<(), Failure> {
        loop {
            let size = match httparse::parse_chunk_size(&self.buffer) {
                Ok(Status::Complete((start, size))) => {
                    self.buffer.drain(..start);
                    usize::try_from(size).unwrap_or(usize::MAX)
                }
                Ok(Status::Partial) if self.buffer.len() < 4096 && self.more().await => continue,
                Ok(Status::Partial) => {
                    response.truncated = true;
                    return Ok(());
                }
                Err(error) => return Err(Failure::Malformed(error.to_string())),
            };
            if size == 0 {
                return Ok(());
            }
            let room = limit - response.body.len();
            let wanted = size.min(room);
            while self.buffer.len() < wanted && self.more().await {}
            let taken = self.buffer.len().min(wanted);
            response.body.extend(self.buffer.drain(..taken));
            response.truncated = taken < size;
            if response.truncated {
                return Ok(());
            }
            while self.buffer.len() < 2 && self.more().await {}
            if !self.buffer.starts_with(b"\r\n") {
                response.truncated = true;
                return Ok(());
            }
            self.buffer.drain(..2);
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Response, usize)>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    match head.parse(bytes) {
        Ok(Status::Complete(length)) => {
            let mut response = Response::new(head.code.unwrap_or_default());
            response.headers = head.headers.iter().map(|field| (field.name, field.value)).collect::<Headers>();
            Ok(Some((response, length)))
        }
        Ok(Status::Partial) => Ok(None),
        Err(error) => Err(Failure::Malformed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(method: &str, bytes: &str, limit: usize) -> Result<Response, Failure> {
        read(&mut bytes.as_bytes(), method, limit).await
    }

    #[tokio::test]
    async fn bodies_by_length_by_chunks_and_up_to_the_end() {
        let head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n";
        for (rest, body, truncated) in [
            ("Content-Length: 3\r\n\r\nabcd", "abc", false),
            ("Content-Length: 9\r\n\r\nabc", "abc", true),
            ("\r\nabcd", "abcd", false),
            ("\r\nabcdefg", "abcde", true),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", "abc", false),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "ab", true),
            ("Transfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\n0\r\n\r\n", "abcde", true),
            ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", "abc", true),
        ] {
            let response = parse("GET", &format!("{head}{rest}"), 5).await.unwrap();
            assert_eq!((response.text().as_ref(), response.truncated), (body, truncated), "{rest}");
        }
    }

    #[tokio::test]
    async fn some_answers_have_no_body() {
        let bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        assert!(!parse("HEAD", bytes, 5).await.unwrap().truncated);
        assert!(parse("GET", "HTTP/1.1 204 No\r\n\r\nrest", 5).await.unwrap().body.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_answer_is_a_failure() {
        assert_eq!(parse("GET", "", 5).await.unwrap_err().word(), "reset");
        assert_eq!(parse("GET", "HTTP/1.1 200 OK\r\nA: b", 5).await.unwrap_err().word(), "reset");
        assert_eq!(parse("GET", "SSH-2.0-x\r\n\r\n", 5).await.unwrap_err().word(), "malformed");
        assert_eq!(parse("GET", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 5).await.unwrap_err().word(), "malformed");
    }
}
