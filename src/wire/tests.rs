use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::testing::{Canned, reply};
use super::*;
use crate::oauth::{Channel, Failure, Params, Request};

fn wire(timeout: Duration, body_limit: usize) -> Wire {
    Wire::new(WireOptions { timeout, body_limit, ..WireOptions::default() }).unwrap()
}

fn usual() -> Wire {
    wire(Duration::from_secs(10), 1 << 20)
}

/// A listener that hands each connection to a function of the test.
async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

#[tokio::test]
async fn a_right_request_arrives_and_gets_the_headers_of_its_channel() {
    let server = Canned::start(|_, _| reply(302, "Location: /next\r\nSet-Cookie: a=1\r\nX-Odd: \u{e9}\r\n", "body")).await;
    let form: Params = [("a", "b c")].into_iter().collect();
    let exchange = usual().send(Channel::Back, Request::post_form(format!("{}/token?x=%zz", server.origin), &form)).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.status, response.text().as_ref(), response.truncated), (302, "body", false));
    assert_eq!(response.headers.all("x-odd").next().unwrap(), "é".as_bytes());
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "no redirect is followed");
    assert!(seen[0].starts_with("POST /token?x=%zz HTTP/1.1\r\n"), "{seen:?}");
    assert!(seen[0].ends_with("\r\n\r\na=b+c"), "{seen:?}");
    assert!(seen[0].contains("accept: application/json\r\n") && seen[0].contains(USER_AGENT), "{seen:?}");
    assert!(exchange.request.headers.has("accept"), "what was added is told");
}

#[tokio::test]
async fn an_illegal_request_goes_out_byte_for_byte() {
    let server = Canned::start(|_, _| reply(400, "", "")).await;
    for target in ["/a/../b", "/%2e%2e/b?x=%zz", "/?x=\0", "/?x=a b", "/?x=\"<>'", "/?x=ü", "/a#b"] {
        let request = Request::get(format!("{}{target}", server.origin)).with("X-A", "1").with("X-A", "2");
        let exchange = usual().send(Channel::Front, request).await;
        assert_eq!(exchange.response().unwrap().status, 400, "{target}");
        let seen = server.seen().pop().unwrap();
        assert!(seen.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{seen}");
        assert!(seen.contains("X-A: 1\r\nX-A: 2\r\n"), "{seen}");
    }
    usual().send(Channel::Back, Request::new("G{T", format!("{}/", server.origin)).with("X A", "b\x01c")).await;
    let seen = server.seen().pop().unwrap();
    assert!(seen.starts_with("G{T / HTTP/1.1\r\n") && seen.contains("X A: b\x01c\r\n"), "{seen}");
}

#[tokio::test]
async fn repeated_fields_survive_the_library_too() {
    let server = Canned::start(|_, _| reply(200, "", "")).await;
    let request =
        Request::get(format!("{}/", server.origin)).with("Authorization", "Basic YQ==").with("Authorization", "Bearer x");
    usual().send(Channel::Back, request).await;
    let seen = server.seen().pop().unwrap();
    assert!(seen.contains("authorization: Basic YQ==\r\nauthorization: Bearer x\r\n"), "{seen}");
}

#[tokio::test]
async fn an_answer_that_never_ends_hits_the_limit() {
    let (listener, origin) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await;
                std::future::pending::<()>().await;
            });
        }
    });
    let limit = Duration::from_millis(80);
    for path in ["/", "/%2e%2e/x"] {
        let exchange = wire(limit, 1 << 20).send(Channel::Back, Request::get(format!("{origin}{path}"))).await;
        assert_eq!(exchange.outcome.unwrap_err(), Failure::Timeout(limit), "{path}");
    }
}

#[tokio::test]
async fn a_huge_body_is_cut_and_a_short_one_is_seen_as_torn() {
    let (listener, origin) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 1024];
                let count = stream.read(&mut head).await.unwrap();
                if head[..count].starts_with(b"GET /torn") {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this").await;
                    return;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n").await;
                let block = vec![b'x'; 1 << 16];
                for _ in 0..1600 {
                    if stream.write_all(&block).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    for path in ["/", "/../"] {
        let exchange = wire(Duration::from_secs(10), 5000).send(Channel::Back, Request::get(format!("{origin}{path}"))).await;
        let response = exchange.response().unwrap();
        assert_eq!((response.body.len(), response.truncated), (5000, true), "{path}");
    }
    for path in ["/torn", "/torn#"] {
        let exchange = usual().send(Channel::Back, Request::get(format!("{origin}{path}"))).await;
        let response = exchange.response().unwrap();
        assert_eq!((response.text().as_ref(), response.truncated), ("only this", true), "{path}");
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let (listener, origin) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let count = stream.read(&mut head).await.unwrap();
            if head[..count].starts_with(b"GET /odd") {
                let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await;
            }
        }
    });
    let closed = {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    for suffix in ["", "#"] {
        for (url, word) in [
            (format!("{origin}/{suffix}"), "reset"),
            (format!("{origin}/odd{suffix}"), "malformed"),
            (format!("{closed}/{suffix}"), "connect"),
            (format!("{}/{suffix}", origin.replace("http:", "https:")), "tls"),
        ] {
            let exchange = usual().send(Channel::Back, Request::get(&url)).await;
            let failure = exchange.outcome.unwrap_err();
            assert_eq!(failure.word(), word, "{url}: {failure}");
        }
    }
    for url in ["nonsense", "http://h:99999/", "http:///x"] {
        let exchange = usual().send(Channel::Back, Request::get(url)).await;
        assert_eq!(exchange.outcome.unwrap_err().word(), "not-sent", "{url}");
    }
}

/// The server tells when a request is complete, and answers only when all are there: a race that sent one after the other
/// would never end.
#[tokio::test]
async fn a_race_holds_every_request_back_until_all_are_ready() {
    const RACERS: usize = 8;
    let (listener, origin) = listener().await;
    let (arrived, mut arrivals) = mpsc::unbounded_channel::<(TcpStream, Vec<u8>)>();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let arrived = arrived.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n\r\na=bcd") {
                    let mut chunk = [0; 1024];
                    let count = stream.read(&mut chunk).await.unwrap();
                    bytes.extend_from_slice(&chunk[..count]);
                }
                let _ = arrived.send((stream, bytes));
            });
        }
    });
    let server = tokio::spawn(async move {
        let mut waiting = Vec::new();
        while waiting.len() < RACERS {
            waiting.push(arrivals.recv().await.unwrap());
        }
        for (mut stream, bytes) in waiting {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let which = text.lines().find_map(|line| line.strip_prefix("X-Racer: ")).unwrap();
            stream.write_all(&reply(200, "", which)).await.unwrap();
        }
    });
    let form: Params = [("a", "bcd")].into_iter().collect();
    let request = |n: usize| Request::post_form(format!("{origin}/token"), &form).with("X-Racer", n.to_string());
    let exchanges = usual().race(Channel::Back, (0..RACERS).map(request).collect()).await;
    for (n, exchange) in exchanges.iter().enumerate() {
        assert_eq!(exchange.response().unwrap().text(), n.to_string());
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_browser_keeps_cookies_and_sends_no_fragment() {
    let server = Canned::start(|_, request| {
        let cookie = if request.contains("ookie: sid=1") { "seen" } else { "new" };
        reply(200, "Set-Cookie: sid=1; HttpOnly; Secure; Path=/\r\n", cookie)
    })
    .await;
    let mut browser = Browser::new(usual());
    for expected in ["new", "seen"] {
        let exchange = browser.send(Request::get(format!("{}/a#b", server.origin))).await;
        assert_eq!(exchange.response().unwrap().text(), expected);
    }
    let seen = server.seen().pop().unwrap();
    assert!(seen.starts_with("GET /a HTTP/1.1\r\n") && seen.contains("accept: text/html,"), "{seen}");
    let mut other = Browser::new(usual());
    assert_eq!(other.send(Request::get(format!("{}/a", server.origin))).await.response().unwrap().text(), "new");
}

#[test]
fn a_file_without_certificates_is_told_at_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = WireOptions { ca_file: Some(file.path().to_owned()), ..WireOptions::default() };
    assert!(Wire::new(options).unwrap_err().to_string().contains("CERTIFICATE"));
}

/// A TLS server with the test certificate; answers with the first line of the request.
async fn tls_server() -> String {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_file("fixtures/keys/tls-test.cert.pem").unwrap();
    let key = PrivateKeyDer::from_pem_file("fixtures/keys/tls-test.key.pem").unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let (listener, origin) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 1024];
                let count = stream.read(&mut head).await.unwrap_or(0);
                let line = String::from_utf8_lossy(&head[..count]).lines().next().unwrap_or_default().to_owned();
                let _ = stream.write_all(&reply(200, "", &line)).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    origin.replace("http:", "https:")
}

#[tokio::test]
async fn tls_is_verified_unless_it_is_switched_off() {
    let origin = tls_server().await;
    let ca_file = Some("fixtures/keys/tls-test.cert.pem".into());
    for (options, trusted) in [
        (WireOptions::default(), false),
        (WireOptions { ca_file, ..WireOptions::default() }, true),
        (WireOptions { insecure_tls: true, ..WireOptions::default() }, true),
    ] {
        let wire = Wire::new(options.clone()).unwrap();
        for target in ["/a", "/../b", "/?x=\""] {
            let exchange = wire.send(Channel::Back, Request::get(format!("{origin}{target}"))).await;
            match exchange.outcome {
                Ok(response) => assert!(trusted && response.text() == format!("GET {target} HTTP/1.1"), "{options:?}"),
                Err(failure) => assert!(!trusted && failure.word() == "tls", "{options:?}: {failure}"),
            }
        }
        let raced =
            wire.race(Channel::Back, vec![Request::get(format!("{origin}/r")), Request::get(format!("{origin}/r"))]).await;
        assert!(raced.iter().all(|exchange| exchange.outcome.is_ok() == trusted), "{raced:?}");
    }
}
