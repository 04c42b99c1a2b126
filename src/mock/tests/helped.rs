//! What a person is offered on the login page, where the realm offers it.

use super::browser::{Browser, response_params, title};
use crate::mock::{Realm, RealmSpec};
use crate::oauth::Response;
use crate::policy::{Library, PolicySet};

fn realm(login_help: bool) -> Realm {
    Realm::new("https://as.example", RealmSpec { login_help, ..RealmSpec::new("r") }).unwrap()
}

/// What the form of the login page with this field leads to.
fn posted(realm: &Realm, field: (&str, &str)) -> Response {
    let mut browser = Browser::new(realm);
    let page = browser.authorize(&browser.request("web"));
    browser.submit(&page, "login", &[field])
}

#[test]
fn a_user_is_picked_without_a_password() {
    let picked = posted(&realm(true), ("pick", "bob"));
    assert_eq!(title(&picked), "Consent");
    assert!(picked.text().contains("<strong>bob</strong>"), "{}", picked.text());
    assert_eq!(title(&posted(&realm(false), ("pick", "bob"))), "Sign in");
    assert_eq!(title(&posted(&realm(true), ("pick", "nobody"))), "Sign in");
}

#[test]
fn the_client_is_answered_with_the_chosen_error() {
    for (cause, error) in [("denied", "access_denied"), ("temporarily_unavailable", "temporarily_unavailable")] {
        let params = response_params(&posted(&realm(true), ("inject", cause)));
        assert_eq!((params.get("error").as_deref(), params.get("state").as_deref()), (Some(error), Some("s t")));
    }
    assert_eq!(title(&posted(&realm(false), ("inject", "denied"))), "Sign in");
    assert_eq!(title(&posted(&realm(true), ("inject", "used_code"))), "Sign in");
}

#[test]
fn nothing_is_offered_unless_it_is_asked_for() {
    let page = |login_help| posted(&realm(login_help), ("username", "")).text().into_owned();
    assert!(page(true).contains("Continue as Bob Baumeister") && !page(false).contains("Continue as"));
}

#[test]
fn it_is_offered_under_every_profile() {
    for (profile, id) in Library::embedded().profiles().map(|profile| (profile, profile.id.as_str())) {
        let policies = PolicySet::new([profile]).unwrap();
        let realm = Realm::new("https://as.example", RealmSpec { login_help: true, policies, ..RealmSpec::new("r") }).unwrap();
        let client = realm.clients().into_iter().find(|client| !client.redirect_uris.is_empty()).unwrap().client_id;
        let posted = |field: (&str, &str)| {
            let mut browser = Browser::new(&realm);
            let page = browser.authorize(&browser.request(&client));
            assert!(page.text().contains("Continue as"), "{id}: {}", page.text());
            browser.fill(&page, &[field])
        };
        let refused = posted(("inject", "server_error"));
        let location = refused.headers.get("location").unwrap_or_else(|| panic!("{id}: {}", refused.text()));
        assert!(location.contains("error="), "{id}: {location}");
        let picked = posted(("pick", &realm.users()[0].username));
        let signed_in = title(&picked) == "Consent" || picked.headers.get("location").is_some_and(|to| to.contains("code="));
        assert!(signed_in, "{id}: {}", picked.text());
    }
}
