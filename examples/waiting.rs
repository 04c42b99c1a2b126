//! Asynchronous use: a task of the application calls the server some time, and the test waits for exactly that.
//!
//! `cargo run --example waiting`

mod support;

use std::error::Error;
use std::time::Duration;

use oauthspec::mock::MockServer;
use oauthspec::policy::Matcher;
use support::token;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::start().await?;
    let issuer = mock.issuer();
    // The server has a thread of its own: a client that blocks does not stop it.
    let application = tokio::task::spawn_blocking(move || {
        let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "wrong")];
        token(&issuer, &form).is_ok()
    });
    let refused = Matcher::at("token").client("service").status(401);
    let entry = mock.journal().wait_for(&refused, Duration::from_secs(10)).await?;
    println!("exchange #{} was refused: {}", entry.index, entry.cause.unwrap_or("-"));
    assert!(application.await?);
    Ok(())
}
