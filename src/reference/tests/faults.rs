//! Faults do what they say.

use serde_json::json;

use super::*;
use crate::oauth::encoding::form as encoded;
use crate::policy::{Patch as MockPatch, PatchKind};
use crate::problem::Source;

/// The mock misbehaves as the patch says while a client with that fault signs somebody in, and while the strict one does.
async fn both(rule: &str, fault: &str) -> (Response, Response) {
    let patches = MockPatch::parse(PatchKind::Script, &Source::new("p", format!("[p]\n[[p.patch]]\n{rule}\n"))).unwrap();
    let mut pages = Vec::new();
    for policy in [ClientPolicy::default(), policy(fault)] {
        let ground = Ground::new(&[], policy).await;
        ground.mock.realm().set_policies(PolicySet::new(&patches).unwrap());
        let mut alice = ground.user();
        pages.push(alice.sign_in().await);
    }
    let bad = pages.pop().unwrap();
    (pages.pop().unwrap(), bad)
}

fn is_in(page: &Response, who: &str) -> bool {
    page.status == 200 && page.text().contains(&format!("signed in as {who}"))
}

#[tokio::test]
async fn id_tokens() {
    let token = "when = { endpoint = \"token\" }\nrewrite";
    for (rule, fault, who) in [
        (format!("{token}.claims = {{ set = {{ aud = \"other\" }} }}"), "id-token-aud.ignore", "alice"),
        (format!("{token}.claims = {{ set = {{ iss = \"https://other.example\" }} }}"), "id-token-iss.ignore", "alice"),
        (format!("{token}.claims = {{ set = {{ exp = 1 }} }}"), "id-token-exp.ignore", "alice"),
        (format!("{token}.claims = {{ set = {{ nonce = \"other\" }} }}"), "id-token-nonce.none", "alice"),
        (format!("{token}.claims = {{ set = {{ at_hash = \"other\" }} }}"), "id-token-at-hash", "alice"),
        (format!("{token}.jws = {{ signature = \"flip\" }}"), "id-token-unsigned", "alice"),
        (format!("{token}.jws = {{ alg = \"none\" }}"), "id-token-alg-none", "alice"),
        (format!("{token}.jws = {{ alg = \"HS256\" }}"), "id-token-hmac.public-key", "alice"),
        (format!("{token}.jws = {{ alg = \"ES256\" }}"), "id-token-other-alg", "alice"),
        ("when = { endpoint = \"userinfo\" }\nrewrite.message = { members = { sub = \"bob\" } }".into(), "userinfo-sub", "bob"),
    ] {
        let (strict, faulty) = both(&rule, fault).await;
        assert_eq!(strict.status, 400, "{fault}: {}", strict.text());
        assert!(is_in(&faulty, who), "{fault}: {}", faulty.text());
    }
}

#[tokio::test]
async fn token_responses() {
    let message = "when = { endpoint = \"token\" }\nrewrite.message";
    for (rule, fault, taken) in [
        ("{ members = { token_type = \"mac\" } }", "response-token-type-unknown", true),
        ("{ unset_members = [\"access_token\"] }", "response-no-access-token", true),
        ("{ members = { error = \"bad_verification_code\" } }", "response-error-in-success", true),
        ("{ status = 400 }", "response-status-ignored", true),
        ("{ body = \"<html>\" }", "response-malformed-ending.crash", false),
    ] {
        let (strict, faulty) = both(&format!("{message} = {rule}"), fault).await;
        assert_eq!(strict.status, 400, "{fault}: {}", strict.text());
        assert_eq!(is_in(&faulty, "alice"), taken, "{fault}: {}", faulty.text());
        assert!(taken || faulty.status == 500, "{fault}");
    }
    for (rule, fault) in [
        ("{ members = { token_type = \"BEARER\" } }", "response-token-type-case"),
        ("{ members = { x = 1, expires_in = \"soon\" } }", "response-unknown-refused"),
        ("{ unset_members = [\"expires_in\"] }", "response-lifetime-required"),
    ] {
        let (strict, faulty) = both(&format!("{message} = {rule}"), fault).await;
        assert!(is_in(&strict, "alice"), "{fault}: {}", strict.text());
        assert_eq!(faulty.status, 400, "{fault}");
    }
}

#[tokio::test]
async fn codes_of_others() {
    for (fault, taken) in [("state-unchecked.none", true), ("state-none", true), ("state-unchecked-with-pkce", false)] {
        let ground = Ground::fault(fault).await;
        let (mut alice, mut bob) = (ground.user(), ground.user());
        bob.name = "bob";
        let code = query(&bob.until_callback().await).get("code").unwrap().into_owned();
        let iss = encoded(ground.mock.issuer());
        let page = alice.get(&format!("{}?code={code}&iss={iss}", ground.app.callback_url())).await;
        assert_eq!(is_in(&page, "bob"), taken, "{fault}: {}", page.text());
    }
}

#[tokio::test]
async fn requests() {
    let ground = Ground::fault("auth-both").await;
    assert_eq!(ground.user().sign_in().await.status, 400);
    let ground = Ground::new(&[], policy("bearer-query")).await;
    let mut alice = ground.user();
    alice.sign_in().await;
    assert_eq!(alice.api().await.0, 401);
    assert!(ground.seen("resource").iter().any(|entry| entry.exchange.request.url.contains("access_token=")));
    let ground = Ground::fault("pkce-constant").await;
    ground.user().sign_in().await;
    ground.user().sign_in().await;
    let verifiers: Vec<_> =
        ground.seen("token").iter().map(|entry| form(&entry.exchange).get("code_verifier").unwrap().into_owned()).collect();
    assert_eq!(verifiers[0], verifiers[1]);
}

#[tokio::test]
async fn metadata_and_responses() {
    let (strict, faulty) = both("set = { \"metadata.issuer\" = \"https://other.example\" }", "discovery-issuer.ignore").await;
    assert_eq!(strict.status, 400);
    assert!(is_in(&faulty, "alice"));
}

#[tokio::test]
async fn refreshes() {
    for (fault, statuses) in [("refresh-old-kept", [200, 401]), ("refresh-dropped", [200, 200])] {
        let ground = Ground::fault(fault).await;
        let mut alice = ground.user();
        alice.sign_in().await;
        for status in statuses {
            ground.expire(&[]);
            assert_eq!(alice.api().await.0, status, "{fault}");
        }
    }
    let never = [("refresh.rotation", json!("never"))];
    let ground = Ground::new(&never, policy("refresh-dropped")).await;
    let mut alice = ground.user();
    alice.sign_in().await;
    ground.expire(&never);
    assert_eq!(alice.api().await.0, 200);
    ground.expire(&never);
    assert_eq!(alice.api().await.0, 401);
}

#[tokio::test]
async fn pages() {
    let ground = Ground::fault("callback-description-raw").await;
    let mut alice = ground.user();
    let callback = alice.until_callback().await;
    let params = query(&callback);
    let (state, iss) = (encoded(params.get("state").unwrap().as_bytes()), encoded(ground.mock.issuer()));
    let page = alice
        .get(&format!(
            "{}?error=access_denied&error_description=%3Cimg+src%3Dx%3E&state={state}&iss={iss}",
            ground.app.callback_url()
        ))
        .await;
    assert!(page.text().contains("<img src=x>"), "{}", page.text());
    let ground = Ground::fault("open-redirector.any").await;
    let mut alice = ground.user();
    let start = format!("{}?return_to={}", ground.app.start_url(), encoded("https://evil.example/"));
    let callback = alice.begin(&start).await.unwrap();
    assert_eq!(alice.step(&callback).await.headers.get("location").unwrap(), "https://evil.example/");
}

/// One deviation at a time: under a fault of what it checks, a client signs in at the strict mock as ever. Those that send wrong
/// requests are refused, and which these are is written here.
#[tokio::test]
async fn faults_leave_everything_else_alone() {
    let mut refused = Vec::new();
    for fault in Library::embedded().faults() {
        let ground = Ground::new(&[], ClientPolicy::with([fault]).unwrap()).await;
        let mut alice = ground.user();
        let callback = alice.begin(&ground.app.start_url()).await;
        let signed_in = match callback {
            Ok(callback) => alice.get(&callback).await.text().contains("signed in as "),
            Err(_) => false,
        };
        if !signed_in {
            refused.push(fault.id.as_str());
        }
    }
    assert_eq!(refused, REFUSED);
}

const REFUSED: [&str; 18] = [
    "request-implicit",
    "request-repeats-parameter",
    "pkce-length.20",
    "pkce-length.42",
    "pkce-length.129",
    "pkce-illegal-characters",
    "pkce-wrong-verifier.challenge",
    "pkce-wrong-verifier.nothing",
    "auth-both",
    "auth-url",
    "auth-none",
    "auth-basic-raw",
    "auth-post-preferred",
    "token-get",
    "token-json",
    "token-repeats-parameter",
    "token-redirect-uri.nothing",
    "token-redirect-uri.slash",
];
