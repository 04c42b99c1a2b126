//! Authorization endpoint, login, consent.

use rstest::rstest;
use serde_json::json;

use super::browser::{Browser, response_params, title};
use super::{strict, with};
use crate::oauth::{Params, Request};

#[test]
fn login_and_consent_lead_to_a_code() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let page = browser.authorize(&browser.request("web"));
    assert_eq!((page.status, title(&page).as_str()), (200, "Sign in"));
    for (name, value) in [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(page.headers.get(name).unwrap(), value);
    }
    let page = browser.submit(&page, "login", &[("username", "alice"), ("password", "wonderland")]);
    assert_eq!((page.status, title(&page).as_str()), (200, "Consent"));
    let response = browser.submit(&page, "consent", &[("decision", "approve")]);
    assert_eq!(response.status, 302);
    assert!(response.headers.get("location").unwrap().starts_with("https://client.example/callback?code="));
    let answer = response_params(&response);
    assert_eq!((answer.get("state").unwrap().as_ref(), answer.get("iss").unwrap().as_ref()), ("s t", "https://as.example/r"));
    assert_eq!(answer.get("code").unwrap().len(), 43);
    assert_eq!(browser.cookie_names(), ["oauthspec_session"]);
}

#[test]
fn a_wrong_password_shows_the_page_again() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let page = browser.authorize(&browser.request("web"));
    let again = browser.submit(&page, "login", &[("username", "alice"), ("password", "x")]);
    assert_eq!((again.status, title(&again).as_str()), (200, "Sign in"));
    assert!(again.text().contains("Wrong user name or password"));
    let on = browser.submit(&again, "login", &[("username", "alice"), ("password", "wonderland")]);
    assert_eq!(title(&on), "Consent");
}

#[test]
fn a_session_is_remembered_and_consent_asked_again() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    browser.code("web");
    let page = browser.authorize(&browser.request("web2"));
    assert_eq!(title(&page), "Consent");
    let mut request = browser.request("web2");
    request.push("prompt", "login");
    assert_eq!(title(&browser.authorize(&request)), "Sign in");
}

#[test]
fn refusal_is_an_error_for_the_client() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let answer = response_params(&browser.go(&browser.request("web"), "deny"));
    assert_eq!(answer.get("error").unwrap(), "access_denied");
    assert_eq!(answer.get("state").unwrap(), "s t");
    assert!(!answer.has("code"));
    assert_eq!(realm.journal().last().unwrap().cause, Some("denied"));
}

#[test]
fn forms_from_elsewhere_are_refused() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let page = browser.authorize(&browser.request("web"));
    let mut other = Browser::new(&realm);
    let response = other.submit(&page, "login", &[("username", "alice"), ("password", "wonderland")]);
    assert_eq!((response.status, title(&response).as_str()), (400, "Error"));
    let transaction = page.text().split_once("name=\"transaction\" value=\"").unwrap().1[..43].to_owned();
    let forged = super::params(&[("transaction", &transaction), ("username", "alice"), ("password", "wonderland")]);
    assert_eq!(browser.send(Request::post_form(super::url("login"), &forged)).status, 400);
    let lax = with(&[("pages.csrf", json!(false))]);
    let mut browser = Browser::new(&lax);
    let page = browser.authorize(&browser.request("web"));
    let response = Browser::new(&lax).submit(&page, "login", &[("username", "alice"), ("password", "wonderland")]);
    assert_eq!(title(&response), "Consent");
}

/// What may not be redirected is shown, at once.
#[rstest]
#[case::no_client(&[("client_id", None)], "client_id is missing")]
#[case::unknown_client(&[("client_id", Some("nobody"))], "not known")]
#[case::unregistered(&[("redirect_uri", Some("https://evil.example/"))], "not registered")]
#[case::extended(&[("redirect_uri", Some("https://client.example/callback/x"))], "not registered")]
#[case::absent(&[("redirect_uri", None)], "redirect_uri is missing")]
fn address_errors_are_shown(#[case] edits: &[(&str, Option<&str>)], #[case] text: &str) {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let response = browser.authorize(&edited(browser.request("web"), edits));
    assert_eq!((response.status, title(&response).as_str()), (400, "Error"));
    assert!(response.text().contains(text), "{}", response.text());
}

/// What may be redirected is, after login.
#[rstest]
#[case(&[("response_type", None)], "invalid_request")]
#[case(&[("response_type", Some("token"))], "unsupported_response_type")]
#[case(&[("scope", Some("admin"))], "invalid_scope")]
#[case(&[("scope", Some("openid  email"))], "invalid_scope")]
#[case(&[("code_challenge_method", Some("S512"))], "invalid_request")]
#[case(&[("code_challenge", Some("short"))], "invalid_request")]
#[case(&[("code_challenge", None)], "invalid_request")]
#[case(&[("state", Some("\u{7}"))], "invalid_request")]
fn other_errors_are_redirected_after_login(#[case] edits: &[(&str, Option<&str>)], #[case] code: &str) {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let request = edited(browser.request("web"), edits);
    assert_eq!(title(&browser.authorize(&request)), "Sign in");
    let response = browser.go(&request, "approve");
    assert!(response.headers.get("location").unwrap().starts_with("https://client.example/callback?error="));
    assert_eq!(response_params(&response).get("error").unwrap(), code);
    let eager = with(&[("authorize.authenticate_first", json!(false))]);
    let at_once = Browser::new(&eager).authorize(&request);
    assert_eq!(response_params(&at_once).get("error").unwrap(), code);
}

#[test]
fn repeated_parameters_are_refused() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.push("redirect_uri", "https://client.example/callback");
    assert_eq!(title(&browser.authorize(&request)), "Error");
    let mut request = browser.request("web");
    request.push("state", "two");
    assert_eq!(browser.complete(&request).get("error").unwrap(), "invalid_request");
    let last = with(&[("authorize.repeated", json!("last"))]);
    assert_eq!(Browser::new(&last).complete(&request).get("state").unwrap(), "two");
}

#[test]
fn public_clients_need_a_challenge_and_confidential_ones_do_not() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let without = |request| edited(request, &[("code_challenge", None), ("code_challenge_method", None)]);
    assert_eq!(browser.complete(&without(browser.request("public"))).get("error").unwrap(), "invalid_request");
    assert!(browser.complete(&without(browser.request("web"))).has("code"));
}

#[test]
fn silent_requests_show_no_page() {
    let realm = with(&[("pages.consent", json!("once"))]);
    let mut browser = Browser::new(&realm);
    let mut request = browser.request("web");
    request.push("prompt", "none");
    let error =
        |browser: &mut Browser<'_>| response_params(&browser.authorize(&request)).get("error").map(std::borrow::Cow::into_owned);
    assert_eq!(error(&mut browser).as_deref(), Some("login_required"));
    browser.code("web2");
    assert_eq!(error(&mut browser).as_deref(), Some("consent_required"));
    browser.code("web");
    assert_eq!(error(&mut browser), None);
}

#[test]
fn post_works_like_get() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let response = browser.send(Request::post_form(super::url("authorize"), &browser.request("web")));
    assert!(response.headers.get("location").unwrap().starts_with("https://as.example/r/login?transaction="));
    let response = browser.send(Request::new("PUT", super::url("authorize")));
    assert_eq!((response.status, response.headers.get("allow").unwrap().as_ref()), (405, "GET, POST"));
}

#[test]
fn responses_go_where_the_policy_puts_them() {
    let fragment = with(&[("authorize.via", json!("fragment"))]);
    let mut browser = Browser::new(&fragment);
    let response = browser.go(&browser.request("web"), "approve");
    assert!(response.headers.get("location").unwrap().starts_with("https://client.example/callback#code="));
    let posted = with(&[("authorize.response_modes", json!(["query", "form_post"]))]);
    let mut browser = Browser::new(&posted);
    let mut request = browser.request("web");
    request.push("response_mode", "form_post");
    let response = browser.go(&request, "approve");
    assert_eq!((response.status, title(&response).as_str()), (200, "Continue"));
    assert!(response.text().contains(r#"action="https://client.example/callback""#));
    assert!(response.headers.get("content-security-policy").unwrap().contains("script-src 'sha256-"));
    let mut browser = Browser::new(&posted);
    let location = browser.go(&browser.request("code-only"), "approve").headers.get("location").unwrap().into_owned();
    assert!(location.starts_with("https://query.example/cb?tenant=1&code="), "{location}");
}

#[test]
fn implicit_where_a_policy_turns_it_on() {
    let settings =
        [("authorize.response_types", json!(["code", "id_token token"])), ("token.check_registered_grants", json!(false))];
    let realm = with(&settings);
    let mut browser = Browser::new(&realm);
    let request = edited(browser.request("public"), &[("response_type", Some("token id_token"))]);
    let location = browser.go(&request, "approve").headers.get("location").unwrap().into_owned();
    let params = Params::parse(location.split_once('#').unwrap().1.as_bytes()).unwrap();
    assert!(params.has("access_token") && params.has("id_token") && !params.has("code"));
    assert_eq!(super::resource(&realm, &json!(params.get("access_token").unwrap())), 200);
}

#[test]
fn combined_pages_ask_once() {
    let realm = with(&[("pages.combined", json!(true))]);
    let mut browser = Browser::new(&realm);
    let page = browser.authorize(&browser.request("web"));
    assert!(page.text().contains(r#"value="approve""#));
    let values = [("username", "alice"), ("password", "wonderland"), ("decision", "approve")];
    assert!(response_params(&browser.submit(&page, "login", &values)).has("code"));
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let realm = with(&[("errors.authorize.unknown_client.description", json!("<script>"))]);
    let mut browser = Browser::new(&realm);
    let request = edited(browser.request("web"), &[("client_id", Some("<img>"))]);
    let text = browser.authorize(&request).text().into_owned();
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script>") && !text.contains("<img"));
}

#[test]
fn scripts_of_other_origins_may_not_read_the_endpoint() {
    let origin = |realm: &crate::mock::Realm| {
        let request = Request::get(format!("{}?{}", super::url("authorize"), Browser::new(realm).request("web").encode()));
        realm
            .handle(&request.with("Origin", "https://evil.example"))
            .headers
            .get("access-control-allow-origin")
            .map(std::borrow::Cow::into_owned)
    };
    assert_eq!(origin(&strict()), None);
    assert_eq!(origin(&with(&[("authorize.cors", json!(true))])).as_deref(), Some("*"));
}

#[test]
fn native_clients_may_use_any_loopback_port() {
    let realm = strict();
    let mut browser = Browser::new(&realm);
    let request = edited(browser.request("native"), &[("redirect_uri", Some("http://127.0.0.1:50123/callback"))]);
    let location = browser.go(&request, "approve").headers.get("location").unwrap().into_owned();
    assert!(location.starts_with("http://127.0.0.1:50123/callback?code="));
    let request = edited(browser.request("web"), &[("redirect_uri", Some("https://client.example:444/callback"))]);
    assert_eq!(title(&browser.authorize(&request)), "Error");
}

fn edited(mut params: Params, edits: &[(&str, Option<&str>)]) -> Params {
    for (name, value) in edits {
        match value {
            Some(value) => params.set(name, *value),
            None => params.remove(name),
        }
    }
    params
}
