//! Tokens on demand: an API is tested with right and broken tokens, and nobody has to log in for them.
//!
//! `cargo run --example tokens_on_demand`

mod support;

use std::error::Error;
use std::time::Duration;

use oauthspec::mock::{Mint, MintKind, MockServer};
use support::get;

fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().start_blocking()?;
    let realm = mock.realm();
    // The API under test; here it is the mock's own.
    let api = format!("{}/userinfo", realm.issuer());
    let access = || Mint::new(MintKind::AccessToken, "web").user("alice").scope("openid email");

    let right = realm.mint(&access().lifetime(Duration::from_secs(60)))?;
    let (status, claims) = get(&api, Some(&right.value))?;
    println!("a right token: {status} {claims}");
    assert_eq!((status, &claims["sub"]), (200, &"alice".into()));

    let stale = realm.mint(&access().broken("expired"))?;
    assert_eq!(get(&api, Some(&stale.value))?.0, 401, "an expired token is refused");
    realm.advance(Duration::from_secs(61));
    assert_eq!(get(&api, Some(&right.value))?.0, 401, "and so is the right one, a minute later");

    let foreign = realm.mint(&Mint::new(MintKind::IdToken, "web").user("alice").claim("aud", "somebody-else"))?;
    println!("an ID token for somebody else: {}", foreign.value);
    for (name, what) in Mint::ways() {
        println!("{name}: {what}");
    }
    Ok(())
}
