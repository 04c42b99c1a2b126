//! A known provider: paths, clients, users and peculiarities are those of the profile, and what your account has otherwise is a script.
//!
//! `cargo run --example provider_profile`

mod support;

use std::error::Error;

use oauthspec::mock::MockServer;
use oauthspec::policy::{Change, Script, When};
use support::get;

fn main() -> Result<(), Box<dyn Error>> {
    // Amazon Cognito has its issuer on another host than its endpoints: `localhost` and `127.0.0.1` here.
    let rotating = Script::new("rotating").rule(When::default(), Change::set("refresh.rotation", "always")).optional();
    let mock = MockServer::builder().profile("cognito").script(rotating).start_blocking()?;
    let realm = mock.realm();
    println!("issuer    {}", realm.issuer());
    println!("endpoints {}", realm.base_url());
    for client in realm.clients() {
        println!("client    {} ({})", client.client_id, client.grant_types.join(", "));
    }
    let (status, metadata) = get(&format!("{}/.well-known/openid-configuration", realm.issuer()), None)?;
    assert_eq!((status, &metadata["issuer"]), (200, &realm.issuer().into()));
    assert_eq!(metadata["token_endpoint"], realm.token_endpoint());
    Ok(())
}
