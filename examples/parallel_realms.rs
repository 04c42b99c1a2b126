//! Tests in parallel on one server: each has a realm of its own, with its own issuer, clients, tokens, clock, journal and misbehaviour.
//!
//! `cargo run --example parallel_realms`

mod support;

use std::error::Error;
use std::thread;

use oauthspec::mock::{MockServer, RealmSpec};
use oauthspec::policy::{Respond, Script, When};
use support::token;

fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().start_blocking()?;
    thread::scope(|scope| {
        for number in 0..8 {
            let mock = &mock;
            scope.spawn(move || {
                let realm = mock.create(RealmSpec::new(format!("test-{number}"))).expect("the name is free");
                if number % 2 == 1 {
                    let busy = Script::new("busy").rule(When::at("token"), Respond::new(503));
                    realm.add_script(&busy).expect("the script is sound");
                }
                let form = [("grant_type", "client_credentials"), ("client_id", "unknown")];
                let (status, _) = token(realm.issuer(), &form).expect("there is an answer");
                assert_eq!(status, if number % 2 == 1 { 503 } else { 401 });
                assert_eq!(realm.journal().len(), 1, "what others did is in their journals");
            });
        }
    });
    println!("eight realms at {}", mock.base_url());
    Ok(())
}
