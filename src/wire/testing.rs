//! A tiny server for tests: answers each request with the bytes that a function gives, and closes.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on a port of its own; ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Canned {
    /// `http://127.0.0.1:PORT`
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// `answer` gets the server's origin and the request as text.
    pub(crate) async fn start(answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let canned = Self { origin: origin.clone(), seen: Arc::default() };
        let seen = Arc::clone(&canned.seen);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, origin) = (Arc::clone(&answer), Arc::clone(&seen), origin.clone());
                tokio::spawn(async move { serve(stream, &origin, &seen, answer.as_ref()).await });
            }
        });
        canned
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, origin: &str, seen: &Mutex<Vec<String>>, answer: &(dyn Fn(&str, &str) -> Vec<u8> + Sync)) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let request = loop {
        let count = stream.read(&mut chunk).await.unwrap_or(0);
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if count == 0 || is_complete(&text) {
            break text;
        }
    };
    seen.lock().unwrap().push(request.clone());
    let _ = stream.write_all(&answer(origin, &request)).await;
    let _ = stream.shutdown().await;
}

fn is_complete(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// An answer with a length and `Connection: close`.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
}
