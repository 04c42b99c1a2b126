//! The refresh that got lost: the server rotated the token, but its answer never arrived. The client tries again with the old token.
//!
//! `cargo run --example reused_refresh_token`

mod support;

use std::error::Error;

use oauthspec::mock::{Expectation, MockClient, MockServer};
use oauthspec::policy::{Delivery, Rewrite, Script, When};
use support::{VERIFIER, authorization_url, parameter, token};

const REDIRECT_URI: &str = "http://127.0.0.1/callback";

fn main() -> Result<(), Box<dyn Error>> {
    // The first refresh is decided as usual, and then the connection is reset.
    let lost = Rewrite { delivery: Delivery { reset: true, ..Delivery::default() }, ..Rewrite::default() };
    let script = Script::new("lost-answer").rule(When::at("token").grant("refresh_token").nth(1), lost);
    let client = MockClient::public("app").redirect_uri(REDIRECT_URI);
    let mock = MockServer::builder().client(client).script(script).start_blocking()?;
    let issuer = mock.issuer();

    let callback = mock.realm().approve(&authorization_url(&issuer), "alice")?;
    let code = parameter(&callback, "code").ok_or("no code")?;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let (_, tokens) = token(&issuer, &form)?;
    let old = tokens["refresh_token"].as_str().ok_or("no refresh token")?;
    let refresh = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", old)];

    assert!(token(&issuer, &refresh).is_err(), "the answer is lost");
    let (status, body) = token(&issuer, &refresh)?;
    println!("the second try: {status} {body}");
    assert_eq!(body["error"], "invalid_grant");

    mock.expect(Expectation::token().grant("refresh_token").times(2));
    Ok(())
}
