//! A client that is slow: its code has expired when it comes to the token endpoint, and only a new login helps.
//!
//! `cargo run --example expired_code`

mod support;

use std::error::Error;
use std::time::Duration;

use oauthspec::mock::{Expectation, MockClient, MockServer};
use support::{VERIFIER, authorization_url, parameter, token};

const REDIRECT_URI: &str = "http://127.0.0.1/callback";

fn main() -> Result<(), Box<dyn Error>> {
    let client = MockClient::public("app").redirect_uri(REDIRECT_URI);
    let mock = MockServer::builder().client(client).start_blocking()?;
    let callback = mock.realm().approve(&authorization_url(&mock.issuer()), "alice")?;
    let code = parameter(&callback, "code").ok_or("no code")?;

    // Nobody waits: the realm has a clock of its own.
    mock.advance(Duration::from_secs(3_600));

    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let (status, body) = token(&mock.issuer(), &form)?;
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")));

    // The journal knows why, and a dropped server verifies what is expected of it.
    mock.expect(Expectation::token().grant("authorization_code").error("invalid_grant").times(1));
    let entry = mock.journal().last().ok_or("no exchange")?;
    println!("refused: {}", entry.cause.unwrap_or("-"));
    Ok(())
}
