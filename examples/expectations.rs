//! What a client sends on its way, asserted on the journal: in order, how often, and never. Here one of them is not met on purpose.
//!
//! `cargo run --example expectations`

mod support;

use std::error::Error;

use oauthspec::mock::{Expectation, Expectations, MockServer};
use oauthspec::policy::Test;
use support::token;

fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().start_blocking()?;
    mock.expect(Expectations::in_order([
        Expectation::token().client("service").succeeded().named("a token"),
        Expectation::token().client("service").form("scope", "api:write").named("more of it"),
    ]));
    mock.expect(Expectation::any().query("client_secret", Test::Present).never());

    let secret = mock.realm().clients().into_iter().find(|client| client.client_id == "service").and_then(|it| it.client_secret);
    let secret = secret.ok_or("the service has a secret")?;
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", secret.as_str())];
    let _refused = token(&mock.issuer(), &form)?;

    // A server that is dropped would panic with this text.
    let unmet = mock.verify().expect_err("the service authenticated in the wrong way, and asked once");
    println!("{unmet}");
    Ok(())
}
