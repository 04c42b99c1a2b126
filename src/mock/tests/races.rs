//! What works once works once, however many try; and what disturbs one realm or connection disturbs no other.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{CHALLENGE, VERIFIER, client, params, under};
use crate::mock::state::{Challenge, Code, OpenidAsked};
use crate::mock::{MockServer, Realm, RealmSpec};
use crate::oauth::{Params, Request, Scope};
use crate::policy::{Patch, PolicySet};

/// Those who want the same code.
const CONTENDERS: usize = 3;
const URI: &str = "https://public.example/cb";

/// Nothing is signed, so that there is time for more races.
fn opaque() -> PolicySet {
    PolicySet::new([&Patch::new("opaque").set("access_token.format", json!("opaque"))]).unwrap()
}

/// Puts codes into a realm as if a user had agreed to each.
fn plant(realm: &Realm, count: usize) -> Vec<String> {
    let code = |grant: usize| Code {
        grant: u64::try_from(grant).unwrap(),
        client: "public".into(),
        user: "alice".into(),
        auth_time: Duration::ZERO,
        redirect_uri: URI.into(),
        redirect_uri_sent: true,
        scope: Scope::default(),
        asked_scope: None,
        resource: None,
        challenge: Some(Challenge { value: CHALLENGE.into(), method: "S256".into() }),
        openid: OpenidAsked::default(),
        expires: Duration::MAX,
        used: None,
    };
    realm.with_state(|_, state, _| {
        let names = (0..count).map(|number| format!("planted-{number}"));
        names
            .enumerate()
            .inspect(|(number, name)| state.codes.insert(name.clone(), code(*number)))
            .map(|(_, name)| name)
            .collect()
    })
}

fn redemption(code: &str) -> Params {
    params(&[
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", code),
        ("redirect_uri", URI),
        ("code_verifier", VERIFIER),
    ])
}

/// How often each code was redeemed when all contenders go through them at once.
fn race(codes: &[String], redeem: impl Fn() -> Box<dyn FnMut(&str) -> bool + Send> + Sync) -> Vec<usize> {
    let won: Vec<AtomicUsize> = codes.iter().map(|_| AtomicUsize::new(0)).collect();
    let start = Barrier::new(CONTENDERS);
    thread::scope(|scope| {
        for _ in 0..CONTENDERS {
            scope.spawn(|| {
                let mut redeem = redeem();
                start.wait();
                for (code, won) in codes.iter().zip(&won) {
                    won.fetch_add(usize::from(redeem(code)), Ordering::SeqCst);
                }
            });
        }
    });
    won.into_iter().map(AtomicUsize::into_inner).collect()
}

#[test]
fn a_code_has_one_winner() {
    let realm = under(opaque());
    let codes = plant(&realm, 2_000);
    assert_eq!(client(&realm, "public").redirect_uris, [URI]);
    let won = race(&codes, || {
        let realm = realm.clone();
        Box::new(move |code| realm.handle(&Request::post_form(super::url("token"), &redemption(code))).status == 200)
    });
    assert_eq!(won, vec![1; codes.len()]);
}

#[test]
fn a_code_has_one_winner_over_http() {
    let server = MockServer::builder().policies(opaque()).start_blocking().unwrap();
    let codes = plant(&server.realm(), 200);
    let address = server.address();
    let won = race(&codes, || {
        let mut connection = TcpStream::connect(address).unwrap();
        Box::new(move |code| posted(&mut connection, "default", &redemption(code)) == 200)
    });
    assert_eq!(won, vec![1; codes.len()]);
}

/// The status of a token request on a connection that is kept.
fn posted(connection: &mut TcpStream, realm: &str, form: &Params) -> u16 {
    let body = form.encode();
    let head = "Host: h\r\nContent-Type: application/x-www-form-urlencoded";
    let length = body.len();
    connection
        .write_all(format!("POST /{realm}/token HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes())
        .unwrap();
    status(connection)
}

/// Reads one answer to its end.
fn status(connection: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
    connection.read_exact(&mut vec![0; length]).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Sends bytes, ends, and reads what comes; what comes of a reset is nothing.
fn thrown(server: &MockServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // The server may have had enough before all was sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn well(server: &MockServer) {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let form = params(&[("grant_type", "authorization_code"), ("client_id", "public"), ("code", "x")]);
    assert_eq!(posted(&mut connection, "quiet", &form), 400);
}

/// A server with a second realm, whose journal shows that it was left alone.
fn two_realms() -> (MockServer, Realm) {
    let server = MockServer::builder().start_blocking().unwrap();
    let quiet = server.create(RealmSpec::new("quiet")).unwrap();
    (server, quiet)
}

#[test]
fn broken_http_costs_its_own_connection_only() {
    let (server, quiet) = two_realms();
    let broken: [&[u8]; 9] = [
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\0\xff\xfe",
        b"GET /default/jwks HTTP/9.9\r\nHost: h\r\n\r\n",
        b"GET /default/jwks HTTP/1.1\r\nHost h\r\n\r\n",
        b"POST /default/token HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST /default/token HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /default/token HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for bytes in broken {
        let answer = thrown(&server, bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        well(&server);
    }
    assert_eq!(quiet.journal().len(), broken.len());
}

#[test]
fn half_open_connections_are_left_waiting() {
    let (server, _) = two_realms();
    let begin = |_| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"POST /default/token HTTP/1.1\r\nHost: h\r\nContent-Le").unwrap();
        stream
    };
    let open: Vec<TcpStream> = (0..200).map(begin).collect();
    well(&server);
    drop(open);
    well(&server);
}

#[test]
fn huge_requests_are_refused_within_limits() {
    let (server, quiet) = two_realms();
    let long = "x".repeat(200_000);
    let head = |line: &str, field: &str| format!("{line} HTTP/1.1\r\nHost: h\r\n{field}Connection: close\r\n\r\n").into_bytes();
    for bytes in [
        head(&format!("GET /default/authorize?state={long}"), ""),
        head("GET /default/authorize", &format!("Cookie: a={long}\r\n")),
        head("GET /default/authorize", &"X: y\r\n".repeat(5_000)),
    ] {
        let answer = thrown(&server, &bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // As many parameters as a body of the largest size holds: one of each name, and all of one.
    let distinct: String = (0..100_000).map(|number| format!("p{number}=&")).collect();
    for body in
        [distinct, "a&".repeat(500_000), format!("grant_type=authorization_code&client_id=public&code={}", long.repeat(5))]
    {
        let began = Instant::now();
        let form = "Content-Type: application/x-www-form-urlencoded";
        let length = body.len();
        let head =
            format!("POST /default/token HTTP/1.1\r\nHost: h\r\n{form}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let answer = thrown(&server, (head + &body).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        // Far from what a comparison of each with each would take.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    assert!(quiet.journal().is_empty());
    well(&server);
}

#[test]
fn a_flood_stays_in_its_realm() {
    let (server, quiet) = two_realms();
    let done = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut connection = TcpStream::connect(server.address()).unwrap();
                for number in 0..200 {
                    let code = number.to_string();
                    let form = params(&[("grant_type", "authorization_code"), ("client_id", "public"), ("code", &code)]);
                    assert_eq!(posted(&mut connection, "default", &form), 400);
                }
                done.wait();
            });
        }
        (0..20).for_each(|_| well(&server));
        done.wait();
    });
    assert_eq!((quiet.journal().len(), server.journal().len()), (20, 400));
    assert!(quiet.journal().iter().all(|entry| entry.exchange.request.url.contains("/quiet/")));
}
