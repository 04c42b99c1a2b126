//! What is expected of a realm, how that is verified, and waiting for exchanges.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use super::{post, refresh, strict, tokens};
use crate::mock::{Expectation, Expectations, JournalLimits, MockServer, Realm, RealmSpec};
use crate::oauth::Request;
use crate::policy::{Matcher, Test};

/// So long that nothing in these tests comes near it.
const LONG: Duration = Duration::from_secs(60);

fn service(realm: &Realm) {
    assert_eq!(post(realm, "token", "service", &[("grant_type", "client_credentials")]).status, 200);
}

fn jwks(realm: &Realm) {
    assert_eq!(realm.handle(&Request::get(format!("{}/jwks", realm.issuer()))).status, 200);
}

#[test]
fn counts() {
    let verified = |expectation: Expectation| {
        let realm = strict();
        service(&realm);
        // What was before counts, and so does what comes after.
        realm.expect(expectation);
        service(&realm);
        realm.verify().is_ok()
    };
    let token = Expectation::token;
    assert!(verified(token()) && verified(token().times(2)) && verified(token().times(1..=2)) && verified(token().times(2..)));
    assert!(
        !verified(token().times(1))
            && !verified(token().times(3..))
            && !verified(token().never())
            && !verified(token().times(..2))
    );
    assert!(verified(token().grant("refresh_token").never()) && !verified(token().grant("refresh_token")));
    assert!(verified(token().client("service").auth("basic").status(200).succeeded().times(2)));
    assert!(verified(token().failed().never()) && verified(Expectation::any().query("client_secret", Test::Present).never()));
}

#[test]
fn what_is_unmet_is_explained() {
    let realm = strict();
    service(&realm);
    let _refused = post(&realm, "token", "web", &[("grant_type", "refresh_token"), ("refresh_token", "wrong")]);
    realm.expect(Expectation::token().grant("refresh_token").form("scope", "api:read").succeeded().named("narrowed refresh"));
    realm.expect(Expectation::token().times(1));
    let unmet = realm.verify().unwrap_err();
    assert_eq!(
        unmet.to_string(),
        "realm `r`: not everything went as expected\n\
         expected narrowed refresh: at least 1 exchange with endpoint = token, grant = refresh_token, form `scope` = \"api:read\", \
         answer = success; there was none\n  \
         closest was POST /r/token, answered 200\n    \
         held  endpoint = token\n    \
         not   grant = refresh_token: it was \"client_credentials\"\n    \
         not   form `scope` = \"api:read\": there was none\n    \
         held  answer = success\n\
         expected exactly 1 exchange with endpoint = token; there were 2: #0, #1"
    );
    let json = serde_json::to_value(&unmet).unwrap();
    assert_eq!(json["expectations"][0]["nearest"]["conditions"][1]["held"], false);
    realm.clear_expectations();
    assert!(realm.verify().is_ok());
}

#[test]
fn what_came_too_early_is_named() {
    let realm = strict();
    realm.expect(Expectations::in_order([Expectation::token().named("A"), Expectation::at("jwks").named("B")]));
    jwks(&realm);
    service(&realm);
    let told = realm.verify().unwrap_err().to_string();
    assert!(told.contains("after A; there was none\n  #0 matched, but came before A"), "{told}");
    jwks(&realm);
    assert!(realm.verify().is_ok());
}

#[test]
fn order() {
    let expected =
        || Expectations::in_order([Expectation::at("jwks"), Expectation::token().times(1..=2), Expectation::at("jwks")]);
    let verified = |requests: &str| {
        let realm = strict();
        realm.expect(expected());
        requests.chars().for_each(|request| if request == 't' { service(&realm) } else { jwks(&realm) });
        realm.verify().map_err(|unmet| unmet.to_string())
    };
    for good in ["jtj", "jjttjj", "tjtj"] {
        assert_eq!(verified(good), Ok(()), "{good}");
    }
    for bad in ["", "tj", "jt", "jj", "jtttj"] {
        assert!(verified(bad).is_err(), "{bad}");
    }
    let unmet = verified("jj").unwrap_err();
    assert!(
        unmet.contains("1 to 2 exchanges with endpoint = token, after at least 1 exchange with endpoint = jwks; there was none"),
        "{unmet}"
    );
}

#[test]
fn what_the_journal_dropped_was_counted() {
    let limits = JournalLimits { entries: 3, ..JournalLimits::default() };
    let realm = Realm::new("https://as.example", RealmSpec { journal: limits, ..RealmSpec::new("r") }).unwrap();
    realm.expect(Expectation::at("jwks").times(5));
    (0..5).for_each(|_| jwks(&realm));
    assert!(realm.verify().is_ok());
    let journal = realm.journal();
    assert_eq!((journal.len(), journal.dropped(), journal.recorded()), (3, 2, 5));
    assert_eq!(journal.since(4).entries()[0].index, 4);
    assert_eq!(journal.since(0).entries()[0].index, 2);
    assert!(journal.since(5).is_empty() && journal.since(9).last().is_none());
}

#[test]
fn a_journal_has_a_budget_of_bytes() {
    let limits = JournalLimits { bytes: 100_000, ..JournalLimits::default() };
    let realm = Realm::new("https://as.example", RealmSpec { journal: limits, ..RealmSpec::new("r") }).unwrap();
    let large = format!("{}/jwks?{}", realm.issuer(), "x".repeat(30_000));
    (0..10).for_each(|_| drop(realm.handle(&Request::get(large.as_str()))));
    assert!((1..=3).contains(&realm.journal().len()));
    // What is larger than the whole budget is kept until something comes after it.
    let huge = Request { body: vec![b'x'; 200_000], ..Request::new("POST", format!("{}/token", realm.issuer())) };
    drop(realm.handle(&huge));
    assert_eq!(realm.journal().len(), 1);
}

#[test]
fn a_server_verifies_when_it_is_dropped() {
    let dropped = |prepare: fn(&MockServer)| {
        let server = MockServer::builder().start_blocking().unwrap();
        prepare(&server);
        catch_unwind(AssertUnwindSafe(|| drop(server)))
            .map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    };
    assert_eq!(dropped(|_| {}), Ok(()));
    assert_eq!(dropped(|server| server.expect(Expectation::token().never())), Ok(()));
    let message = dropped(|server| server.expect(Expectation::token())).unwrap_err();
    assert!(message.contains("expected at least 1 exchange with endpoint = token; there was none"), "{message}");
    // In every realm.
    let message = dropped(|server| server.create(RealmSpec::new("second")).unwrap().expect(Expectation::token())).unwrap_err();
    assert!(message.contains("realm `second`"), "{message}");
    // Whoever asked has the answer.
    let asked = |server: &MockServer| {
        server.expect(Expectation::token());
        assert!(server.verify().is_err());
    };
    assert_eq!(dropped(asked), Ok(()));
    let quiet = MockServer::builder().without_verification().start_blocking().unwrap();
    quiet.expect(Expectation::token());
    drop(quiet);
}

#[test]
fn a_panic_is_not_made_worse() {
    let result = catch_unwind(|| {
        let server = MockServer::builder().start_blocking().unwrap();
        server.expect(Expectation::token());
        panic!("first");
    });
    assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"first"));
}

#[test]
fn waiting_for_what_comes() {
    let realm = strict();
    let waiting = {
        let journal = realm.journal();
        thread::spawn(move || journal.wait_for_blocking(&Matcher::at("token").grant("refresh_token"), LONG))
    };
    let body = tokens(&realm, "web");
    assert_eq!(refresh(&realm, "web", &body["refresh_token"]).status, 200);
    let entry = waiting.join().unwrap().unwrap();
    assert_eq!(entry.grant.as_deref(), Some("refresh_token"));
    // What is there already is found at once; from the next one on it has to come anew.
    let matcher = Matcher::at("token").grant("refresh_token");
    assert_eq!(realm.journal().wait_for_blocking(&matcher, LONG).unwrap().index, entry.index);
    let unseen = realm.journal().since(entry.index + 1).wait_for_blocking(&matcher, Duration::ZERO).unwrap_err();
    assert_eq!(unseen.to_string(), "no exchange with endpoint = token, grant = refresh_token within 0ns");
    let unseen = realm.journal().wait_for_blocking(&Matcher::at("token").grant("password"), Duration::ZERO).unwrap_err();
    assert!(unseen.to_string().contains("closest was POST /r/token: grant = password, but it was "), "{unseen}");
}

#[tokio::test]
async fn awaiting_what_comes() {
    let realm = strict();
    let journal = realm.journal();
    let waiting = tokio::spawn(async move { journal.wait_for(&Matcher::at("jwks"), LONG).await });
    let journal = realm.journal();
    let second = tokio::spawn(async move { journal.since(1).next(&Matcher::at("jwks")).await });
    tokio::task::yield_now().await;
    jwks(&realm);
    assert_eq!(waiting.await.unwrap().unwrap().index, 0);
    jwks(&realm);
    assert_eq!(second.await.unwrap().index, 1);
    assert!(realm.journal().wait_for(&Matcher::at("token"), Duration::ZERO).await.is_err());
}

#[test]
fn expectations_as_json() {
    let read = |value: serde_json::Value| Expectations::from_json(&value);
    let one = read(
        serde_json::json!({"name": "n", "when": {"endpoint": "token", "status": ["4xx", 503]}, "times": {"gte": 1, "lte": 2}}),
    );
    assert_eq!(one.unwrap(), Expectation::token().named("n").times(1..=2).into_with_status());
    let mistakes = |value: serde_json::Value| {
        let problems = read(value).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes(serde_json::json!({"times": -1})),
        ["expectations#: `when` is missing", "expectations#/times: expected a whole number from 0, found the number -1"]
    );
    assert_eq!(
        mistakes(serde_json::json!([{"when": {"status": "4x"}}])),
        ["expectations#/0/when/status: expected a status such as 400 or \"4xx\", found the string \"4x\""]
    );
    assert_eq!(
        mistakes(serde_json::json!({"in_order": [], "any": 1})),
        ["expectations#/any: unknown key `any` (known: `in_order`)"]
    );
}

impl Expectation {
    fn into_with_status(mut self) -> Expectations {
        self.matcher.status = vec!["4xx".into(), "503".into()];
        self.into()
    }
}
