//! The mock as a library.

use oauthspec::mock::{Keys, MockServer, RealmSpec};
use oauthspec::oauth::{Channel, Request, Response};
use oauthspec::wire::{Wire, WireOptions};

#[tokio::test]
async fn a_server_per_test() {
    let server = MockServer::start().await.unwrap();
    let url = format!("{}/.well-known/openid-configuration", server.issuer());
    assert_eq!(fetch(Request::get(url)).await.json().unwrap()["issuer"], server.issuer());
}

#[tokio::test]
async fn fresh_keys_are_others_than_the_fixtures() {
    let server = MockServer::start().await.unwrap();
    let mut spec = RealmSpec::new("fresh");
    spec.keys = Keys::Fresh;
    let realm = server.create(spec).unwrap();
    let keys = |issuer: &str| Request::get(format!("{issuer}/jwks"));
    let (fixed, fresh) = (fetch(keys(&server.issuer())).await, fetch(keys(realm.issuer())).await);
    assert_ne!(fixed.json().unwrap(), fresh.json().unwrap());
}

async fn fetch(request: Request) -> Response {
    Wire::new(WireOptions::default()).unwrap().send(Channel::Back, request).await.outcome.unwrap()
}
