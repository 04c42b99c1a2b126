//! Over real sockets: what only exists at the edge.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::browser::Browser;
use super::{VERIFIER, basic};
use crate::mock::{MockServer, Realm, RealmSpec};
use crate::oauth::{Params, Request};
use crate::policy::{Delivery, Patch, PolicySet, Respond, Rewrite, Script, When};

/// Sends bytes and reads until the connection ends.
fn exchange(server: &MockServer, bytes: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.write_all(bytes)?;
    let mut out = Vec::new();
    stream.read_to_end(&mut out).map(|_| String::from_utf8_lossy(&out).into_owned())
}

fn get(server: &MockServer, target: &str) -> std::io::Result<String> {
    exchange(server, format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())
}

fn post(server: &MockServer, realm: &Realm, form: &Params) -> String {
    let body = form.encode();
    let head = format!(
        "POST /{}/token HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        realm.name(),
        basic(realm, "web"),
        body.len()
    );
    exchange(server, (head + &body).as_bytes()).unwrap()
}

fn delivered(delivery: Delivery) -> Rewrite {
    Rewrite { delivery, ..Rewrite::default() }
}

fn rewritten(rewrite: Rewrite) -> PolicySet {
    PolicySet::new([&Patch::new("defect").rule(When::always(), rewrite)]).unwrap()
}

#[test]
fn a_server_answers_and_stops() {
    let server = MockServer::builder().seed(1).start_blocking().unwrap();
    assert!(get(&server, "/_oauthspec/health").unwrap().starts_with("HTTP/1.1 200 OK"));
    let metadata = get(&server, "/.well-known/oauth-authorization-server/default").unwrap();
    assert!(metadata.contains(&format!("\"issuer\":\"{}\"", server.issuer())), "{metadata}");
    let tokens = post(&server, &server.realm(), &super::params(&[("grant_type", "client_credentials")]));
    assert!(tokens.contains("\"access_token\":"), "{tokens}");
    let entry = server.journal().last().unwrap();
    assert_eq!(entry.exchange.request.url, format!("{}/default/token", server.base_url()));
    assert_eq!((entry.endpoint, entry.client.as_deref()), ("token", Some("web")));
    assert!(get(&server, "/unknown/token").unwrap().starts_with("HTTP/1.1 404"));
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn realms_are_apart() {
    let server = MockServer::builder().start_blocking().unwrap();
    let began = Instant::now();
    for number in 0..1000 {
        server.create(RealmSpec::new(format!("r{number}"))).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(server.create(RealmSpec::new("r7")).is_err() && server.create(RealmSpec::new("a/b")).is_err());
    assert!(get(&server, "/r7/jwks").unwrap().starts_with("HTTP/1.1 200"));
    server.remove("r7");
    assert!(get(&server, "/r7/jwks").unwrap().starts_with("HTTP/1.1 404"));
    assert!(server.journal().is_empty());
}

#[test]
fn answers_are_cut_and_connections_reset() {
    let cut = MockServer::builder().policies(rewritten(delivered(Delivery { truncate: Some(10), ..Delivery::default() })));
    let cut = cut.start_blocking().unwrap();
    let text = get(&cut, "/default/jwks").unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length: usize = head.to_lowercase().split_once("content-length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    assert!(body.len() == 10 && length > 10, "{text}");
    let reset = MockServer::builder().policies(rewritten(delivered(Delivery { reset: true, ..Delivery::default() })));
    let reset = reset.start_blocking().unwrap();
    assert_eq!(get(&reset, "/default/jwks").unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(reset.journal().len(), 1);
}

#[test]
fn connections_are_closed_without_an_answer_or_reset_in_the_middle() {
    let serving = |delivery: Delivery| {
        let policies = rewritten(delivered(delivery));
        MockServer::builder().policies(policies).start_blocking().unwrap()
    };
    let silent = serving(Delivery { drop: true, ..Delivery::default() });
    assert_eq!(get(&silent, "/default/jwks").unwrap(), "");
    let broken = serving(Delivery { truncate: Some(10), reset: true, ..Delivery::default() });
    let mut stream = TcpStream::connect(broken.address()).unwrap();
    stream.write_all(b"GET /default/jwks HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut out = Vec::new();
    assert_eq!(stream.read_to_end(&mut out).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(String::from_utf8_lossy(&out).split_once("\r\n\r\n").unwrap().1.len() == 10);
}

#[test]
fn answers_come_late_and_slowly() {
    let delivery = Delivery { delay: Some(Duration::from_millis(50)), bandwidth: Some(1_000), ..Delivery::default() };
    let answer = Respond::text(200, "x".repeat(200)).delivery(delivery);
    let script = Script::new("slow").rule(When::at("jwks"), answer);
    let slow = MockServer::builder().script(script).start_blocking().unwrap();
    let began = Instant::now();
    let text = get(&slow, "/default/jwks").unwrap();
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    assert_eq!(text.split_once("\r\n\r\n").unwrap().1, "x".repeat(200));
    assert!(text.to_lowercase().contains("content-length: 200"));
}

#[test]
fn bodies_have_a_limit() {
    let server = MockServer::builder().start_blocking().unwrap();
    let head = "POST /default/token HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n";
    assert!(exchange(&server, head.as_bytes()).unwrap().starts_with("HTTP/1.1 413"));
}

/// The second use comes before the first one is noted.
#[test]
fn races_are_lost_on_purpose() {
    let policies = PolicySet::new([&Patch::new("slow").set("code.commit_delay_ms", json!(60_000))]).unwrap();
    let server = MockServer::builder().policies(policies).start_blocking().unwrap();
    let realm = server.realm();
    let twin = Realm::new("https://as.example", RealmSpec::new("r")).unwrap();
    let mut request = Browser::new(&twin).request("web");
    request.push("transaction", "");
    let code = login(&server, &realm, &request);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://client.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    for _ in 0..2 {
        assert!(post(&server, &realm, &super::params(&form)).contains("\"access_token\":"));
    }
}

/// Logs in at a server's realm without a socket, which shares its memory with the server.
fn login(server: &MockServer, realm: &Realm, request: &Params) -> String {
    let base = server.base_url();
    let field = |page: &str, name: &str| {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let mut cookies: Vec<String> = Vec::new();
    let mut send = |request: Request| {
        let response = realm.handle(&request.with("Cookie", cookies.join("; ")));
        let set = response.headers.all("set-cookie").map(String::from_utf8_lossy);
        cookies.extend(set.map(|field| field.split(';').next().unwrap().to_owned()).collect::<Vec<_>>());
        response
    };
    let mut response = send(Request::get(format!("{base}/default/authorize?{}", request.encode())));
    for (endpoint, values) in
        [("login", &[("username", "alice"), ("password", "wonderland")][..]), ("consent", &[("decision", "approve")])]
    {
        let page = send(Request::get(response.headers.get("location").unwrap().into_owned())).text().into_owned();
        let mut form = super::params(values);
        form.push("transaction", field(&page, "transaction"));
        form.push("csrf", field(&page, "csrf"));
        response = send(Request::post_form(format!("{base}/default/{endpoint}"), &form));
    }
    let location = response.headers.get("location").unwrap().into_owned();
    Params::parse(location.split_once('?').unwrap().1.as_bytes()).unwrap().get("code").unwrap().into_owned()
}

#[test]
fn a_request_names_one_host() {
    let server = MockServer::builder().start_blocking().unwrap();
    let status = |head: &str| {
        let answer = exchange(&server, format!("GET {head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for path in ["/default/jwks", "/_oauthspec/health"] {
        assert_eq!(status(&format!("{path} HTTP/1.1\r\n")), "400");
        assert_eq!(status(&format!("{path} HTTP/1.1\r\nHost: a\r\nHost: a\r\n")), "400");
        assert_eq!(status(&format!("{path} HTTP/1.0\r\n")), "200");
        assert_eq!(status(&format!("{path} HTTP/1.1\r\nHost: {}\r\n", server.address())), "200");
    }
}
