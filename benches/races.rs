//! Single-use codes raced: a million on the core, and ten thousand over HTTP. Each has exactly one winner, or this fails.
//!
//! `cargo bench --bench races`; with `-- N` it races N codes on the core and a hundredth of that over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Instant;

use oauthspec::mock::{JournalLimits, MockClient, MockServer, Realm};
use oauthspec::oauth::{Params, Request};
use oauthspec::policy::{Patch, PolicySet};

/// Those who want the same code.
const CONTENDERS: usize = 4;
/// How many codes are alive at a time; a realm keeps 20,000.
const BATCH: usize = 5_000;
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Redeems a code; whether that succeeded.
type Redeem<'a> = Box<dyn FnMut(&str) -> bool + Send + 'a>;

fn main() -> ExitCode {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let server = match server() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("the mock does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let realm = server.realm();
    let token_url = format!("{}/token", realm.issuer());
    let core = |realm: &Realm, code: &str| realm.handle(&Request::post_form(token_url.as_str(), &redemption(code))).status == 200;
    let on_core = races("on the core", &realm, count, || {
        let realm = realm.clone();
        Box::new(move |code| core(&realm, code))
    });
    let address = server.address();
    let over_http = races("over HTTP", &realm, count / 100, || {
        let mut connection = TcpStream::connect(address).ok();
        Box::new(move |code| posted(&mut connection, address, code) == Some(200))
    });
    if on_core && over_http { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Opaque tokens: signatures would take most of the time, and race with nobody.
fn server() -> Result<MockServer, Box<dyn std::error::Error>> {
    let policies = PolicySet::new([&Patch::new("opaque").set("access_token.format", "opaque")])?;
    let client = MockClient::public("app").redirect_uri(REDIRECT_URI);
    let journal = JournalLimits { entries: 1_000, ..JournalLimits::default() };
    Ok(MockServer::builder().policies(policies).client(client).journal(journal).start_blocking()?)
}

/// Races codes batch by batch, and says how it went.
fn races<'a>(name: &str, realm: &Realm, count: usize, redeem: impl Fn() -> Redeem<'a> + Sync) -> bool {
    let began = Instant::now();
    let mut winners = [0_usize; 3];
    for start in (0..count).step_by(BATCH) {
        for won in race(realm, BATCH.min(count - start), &redeem) {
            winners[usize::from(won.min(2))] += 1;
        }
    }
    let [none, one, many] = winners;
    println!(
        "{count} codes raced {name} by {CONTENDERS}: {one} with one winner, {none} with none, {many} with more; {:?}",
        began.elapsed()
    );
    (none, many) == (0, 0)
}

/// How often each code of a batch was redeemed.
fn race<'a>(realm: &Realm, count: usize, redeem: &(impl Fn() -> Redeem<'a> + Sync)) -> Vec<u8> {
    let share = count.div_ceil(CONTENDERS);
    let codes: Vec<String> = thread::scope(|scope| {
        let shares: Vec<_> = (0..CONTENDERS)
            .map(|number| scope.spawn(move || codes(realm, share.min(count.saturating_sub(number * share)))))
            .collect();
        shares.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect()
    });
    let won: Vec<AtomicU8> = codes.iter().map(|_| AtomicU8::new(0)).collect();
    let start = Barrier::new(CONTENDERS);
    thread::scope(|scope| {
        for _ in 0..CONTENDERS {
            scope.spawn(|| {
                let mut redeem = redeem();
                start.wait();
                for (code, won) in codes.iter().zip(&won) {
                    won.fetch_add(u8::from(redeem(code)), Ordering::SeqCst);
                }
            });
        }
    });
    won.into_iter().map(AtomicU8::into_inner).collect()
}

/// Codes, each by a login of its own; what is not issued is missing, and then fewer are raced than were asked for.
fn codes(realm: &Realm, count: usize) -> Vec<String> {
    let request = format!(
        "{}/authorize?response_type=code&client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&scope=profile&state=s\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        realm.issuer()
    );
    let code = |_| {
        let url = realm.approve(&request, "alice").expect("alice agrees");
        let query = url.split_once('?').map_or("", |(_, query)| query);
        Params::parse_lossy(query.as_bytes()).get("code").expect("there is a code").into_owned()
    };
    (0..count).map(code).collect()
}

fn redemption(code: &str) -> Params {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    form.into_iter().collect()
}

/// The status of a token request on a connection that is kept.
fn posted(connection: &mut Option<TcpStream>, address: SocketAddr, code: &str) -> Option<u16> {
    let stream = connection.as_mut()?;
    let body = redemption(code).encode();
    let head = format!("POST /default/token HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n", body.len());
    let form = "Content-Type: application/x-www-form-urlencoded";
    stream.write_all(format!("{head}{form}\r\n\r\n{body}").as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().ok()?;
        if body.len() >= length {
            return head.split(' ').nth(1)?.parse().ok();
        }
    }
}
