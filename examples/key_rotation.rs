//! The server changes its keys: a client that keeps a key set has to fetch it again when a token names a key that is not in it.
//!
//! `cargo run --example key_rotation`

mod support;

use std::error::Error;

use oauthspec::mock::{Expectation, Mint, MintKind, MockServer, Realm};
use serde_json::Value;
use support::get;

/// The application under test, as far as it knows keys.
struct Application {
    jwks_uri: String,
    keys: Value,
}

impl Application {
    fn new(issuer: &str) -> Result<Self, Box<dyn Error>> {
        let jwks_uri = format!("{issuer}/jwks");
        let (_, keys) = get(&jwks_uri, None)?;
        Ok(Self { jwks_uri, keys })
    }

    /// Whether it has the key of a token; it looks for it once more at the server.
    fn finds(&mut self, kid: &str) -> Result<bool, Box<dyn Error>> {
        if !self.has(kid) {
            self.keys = get(&self.jwks_uri, None)?.1;
        }
        Ok(self.has(kid))
    }

    fn has(&self, kid: &str) -> bool {
        self.keys["keys"].as_array().is_some_and(|keys| keys.iter().any(|key| key["kid"] == kid))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().start_blocking()?;
    let realm = mock.realm();
    let mut application = Application::new(realm.issuer())?;
    assert!(application.finds(&signed_by(&realm)?)?);

    // New keys sign from now on; the old ones stay in the key set for tokens that are still in use.
    realm.rotate_keys(None)?;
    let new = signed_by(&realm)?;
    println!("tokens are signed by {new} now");
    assert!(!application.has(&new) && application.finds(&new)?);

    // A server that signs with a key before it publishes it.
    realm.rotate_keys(None)?;
    let early = signed_by(&realm)?;
    realm.publish_key(&early, false)?;
    assert!(!application.finds(&early)?);
    realm.publish_key(&early, true)?;
    assert!(application.finds(&early)?);

    mock.expect(Expectation::at("jwks").times(4));
    Ok(())
}

/// The key that signs an ID token of this moment.
fn signed_by(realm: &Realm) -> Result<String, Box<dyn Error>> {
    let token = realm.mint(&Mint::new(MintKind::IdToken, "web").user("alice"))?;
    let jwt = token.jwt.ok_or("an ID token is a JWT")?;
    Ok(jwt.header["kid"].as_str().ok_or("no key is named")?.to_owned())
}
