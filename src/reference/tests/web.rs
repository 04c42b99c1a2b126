//! The web application under the strict policy and under every variant.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_whole_life() {
    let ground = Ground::strict().await;
    let mut alice = ground.user();
    assert!(alice.home().await.contains("signed out"));
    assert_eq!(alice.api().await.0, 401);
    let page = alice.sign_in().await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("signed in as alice"), "{}", page.text());
    let (status, told) = alice.api().await;
    assert_eq!((status, &told["sub"]), (200, &json!("alice")));
    for endpoint in ["authorize", "token", "userinfo", "resource"] {
        for entry in ground.seen(endpoint) {
            assert!(entry.notes.is_empty(), "{endpoint}: {:?}", entry.notes);
            assert_eq!(entry.cause, None, "{endpoint}");
        }
    }
    alice.get(&ground.app.logout_url()).await;
    assert!(alice.home().await.contains("signed out"));
    assert_eq!(ground.seen("revoke").len(), 2);
    assert!(ground.user().home().await.contains("signed out"));
}

#[tokio::test]
async fn refused_responses_are_pages_and_end_no_session() {
    let ground = Ground::strict().await;
    let mut alice = ground.user();
    let callback = alice.until_callback().await;
    for forged in [
        format!("{}?code=c", ground.app.callback_url()),
        format!("{}?code=c&state=x", ground.app.callback_url()),
        format!("{callback}&state=x"),
        callback.replace("iss=", "iss=x"),
        format!("{}?error=access_denied&error_description=%3Cimg%3E&state=x", ground.app.callback_url()),
    ] {
        let page = alice.get(&forged).await;
        assert_eq!(page.status, 400, "{forged}");
        assert!(!page.text().contains("<img"), "{}", page.text());
    }
    assert_eq!(ground.seen("token").len(), 0);
    let page = alice.sign_in().await;
    assert!(page.text().contains("signed in as alice"), "{}", page.text());
    assert_eq!(alice.get(&callback).await.status, 400);
    assert!(alice.home().await.contains("signed in as alice"));
}

#[tokio::test]
async fn a_response_belongs_to_its_browser() {
    let ground = Ground::strict().await;
    let (mut alice, mut bob) = (ground.user(), ground.user());
    bob.name = "bob";
    let callback = bob.until_callback().await;
    assert_eq!(alice.get(&callback).await.status, 400);
    assert!(alice.home().await.contains("signed out"));
    assert!(bob.get(&callback).await.text().contains("signed in as bob"));
}

#[tokio::test]
async fn tokens_are_renewed_once_for_all_callers() {
    let ground = Ground::strict().await;
    let mut alice = ground.user();
    alice.sign_in().await;
    // The clock of the client does not move: it finds out by a 401.
    ground.expire(&[]);
    let (url, browser) = (ground.app.api_url(), &alice.browser);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (mut browser, request) = (browser.clone(), Request::get(url.as_str()));
        calls.spawn(async move { browser.send(request).await.outcome.unwrap().status });
    }
    assert_eq!(calls.join_all().await, [200; 4]);
    assert_eq!(ground.asked("refresh_token"), 1);
    assert_eq!(alice.api().await.0, 200);
    ground.expire(&[]);
    assert_eq!(alice.api().await.0, 200);
    assert_eq!(ground.asked("refresh_token"), 2);
}

#[tokio::test]
async fn lifetimes_by_policy_lead_to_a_refresh() {
    let ground = Ground::new(&[("access_token.lifetime", json!(0))], ClientPolicy::default()).await;
    let mut alice = ground.user();
    alice.sign_in().await;
    // The server takes no token of this kind, however often it is renewed.
    assert_eq!(alice.api().await.0, 401);
    assert_eq!(ground.asked("refresh_token"), 1);
}

#[tokio::test]
async fn a_refused_refresh_token_is_thrown_away() {
    let ground = Ground::strict().await;
    let mut alice = ground.user();
    alice.sign_in().await;
    ground.mock.advance(Duration::from_secs(3_000_000));
    assert_eq!(alice.api().await.0, 401);
    assert_eq!(alice.api().await.0, 401);
    assert_eq!(ground.asked("refresh_token"), 1);
}

#[tokio::test]
async fn two_servers_are_kept_apart() {
    let mock = MockServer::start().await.unwrap();
    let second = mock.create(crate::mock::RealmSpec::new("second")).unwrap();
    let own = Settings { second_issuer: Some(second.issuer().to_owned()), ..settings(&mock) };
    let app = WebApp::start(own, ClientPolicy::default()).await.unwrap();
    for realm in [mock.realm(), second.clone()] {
        realm.register(MockClient { redirect_uris: vec![app.callback_url()], ..client() });
    }
    let ground = Ground { mock, app };
    let mut alice = ground.user();
    let callback = alice.begin(&ground.app.second_start_url()).await.unwrap();
    // A login at the first server meanwhile changes nothing.
    alice.until_callback().await;
    assert_eq!(alice.get(&callback.replace("second", "default")).await.status, 400);
    assert_eq!(second.journal().iter().filter(|entry| entry.endpoint == "token").count(), 0);
    let callback = alice.begin(&ground.app.second_start_url()).await.unwrap();
    assert!(alice.get(&callback).await.text().contains("signed in as alice"));
    assert_eq!(alice.api().await.0, 200);
    assert_eq!(ground.seen("token").len(), 0);
}

#[tokio::test]
async fn every_variant_signs_in() {
    for variant in Library::embedded().variants() {
        let policy = ClientPolicy::with([variant]).unwrap();
        // Registered as the variant needs it.
        let ground = Ground::new(&[("client_auth.registered_method_only", json!(false))], policy).await;
        let mut alice = ground.user();
        let page = alice.sign_in().await;
        assert!(page.text().contains("signed in as alice"), "{}: {}", variant.id, page.text());
        assert_eq!(alice.api().await.0, 200, "{}", variant.id);
    }
}
