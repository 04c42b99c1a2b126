use std::time::Duration;

use super::*;
use crate::oauth::{Channel, Party, Request, Response};

const SECRET: &str = "s3cR/t+v=l~ü&<\"'x";

fn exchange(request: Request, response: Response) -> Exchange {
    Exchange { channel: Channel::Back, party: Party::Harness, request, outcome: Ok(response), duration: Duration::ZERO }
}

fn response(name: &str, value: &str, body: &str) -> Response {
    let mut response = Response::new(200);
    response.headers.push(name, value);
    response.body = body.as_bytes().to_vec();
    response
}

fn sealed(vault: &Vault, exchange: &Exchange) -> SealedExchange {
    vault.observe(exchange);
    vault.exchange(exchange, "step")
}

/// Every text of a sealed exchange.
fn texts(sealed: &SealedExchange) -> String {
    format!("{sealed:?}")
}

#[test]
fn a_known_secret_survives_in_no_encoding_and_no_place() {
    let vault = Vault::new(Show::Redacted);
    vault.learn("client_secret", SECRET.as_bytes());
    let encoded = [
        SECRET.to_owned(),
        encoding::percent(SECRET),
        encoding::percent(SECRET).to_lowercase().replace("s3cr", "s3cR"),
        encoding::form(SECRET),
        encoding::percent(encoding::percent(SECRET)),
        encoding::base64(SECRET),
        encoding::base64url(SECRET),
        encoding::base64(format!("web:{SECRET}")),
        encoding::base64(format!("web:{}", encoding::form(SECRET))),
        encoding::base64url(format!("a-client:{SECRET}!!")),
        serde_json::Value::from(SECRET).to_string(),
        maud::html! { (SECRET) }.into_string(),
        SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect(),
    ];
    for text in &encoded {
        let mut request = Request::new("POST", format!("http://h/p/{text}?x={text}#{text}")).with("X-A", text.as_bytes());
        request.body = format!("a={text}&b").into_bytes();
        let sealed = sealed(&vault, &exchange(request, response("Location", text, text)));
        let seen = texts(&sealed);
        assert!(!seen.contains(text.as_str()) && !seen.contains("s3cR"), "{text}: {seen}");
        assert_eq!(seen.matches("<client_secret#1>").count(), 7, "{text}: {seen}");
    }
}

#[test]
fn secrets_are_learnt_by_the_names_under_which_they_stand() {
    const V: &str = "Zq7-plantedValue_0";
    let get = || Request::get("http://h/");
    let ok = || Response::new(200);
    let with_body = |body: String| {
        let mut request = Request::new("POST", "http://h/");
        request.body = body.into_bytes();
        request
    };
    let page = format!("<form><input type=hidden name=x value='{V}'><input type=\"HIDDEN\" name=_csrf value=\"{V}\"></form>");
    let places = [
        (Request::get(format!("http://h/cb?code={V}&x=1")), ok()),
        (with_body(format!("grant_type=x&refresh_token={V}")), ok()),
        (with_body(format!("{{\"a\":[{{\"client_secret\":\"{V}\"}}]}}")), ok()),
        (get().with("Authorization", format!("Bearer {V}")), ok()),
        (get().with("authorization", format!("DPoP {V}")), ok()),
        (get().with("Authorization", format!("Basic {}", encoding::base64(format!("web:{V}")))), ok()),
        (get().with("Cookie", format!("a=1; sess={V}")), ok()),
        (get().with("X-CSRF-Token", V), ok()),
        (get(), response("Set-Cookie", &format!("sess={V}; Path=/"), "")),
        (get(), response("Location", &format!("https://c/cb?state={V}"), "")),
        (get(), response("Location", &format!("https://c/cb#access_token={V}&x=y"), "")),
        (get(), response("Location", &format!("/login?return_to={}", encoding::form(format!("/a?x=1&state={V}"))), "")),
        (get(), response("X", "y", &format!("{{\"access_token\":\"{V}\",\"token_type\":\"Bearer\"}}"))),
        (get(), response("X", "y", &format!("{{\"access_token\":\"{V}\",\"token_ty"))),
        (get(), response("X", "y", &page)),
        (get(), response("X", "y", &format!("<a href=\"/cb?a=b&amp;code={V}\">x</a> {{\"id_token\":\"{V}\"}}"))),
    ];
    for (request, response) in places {
        let vault = Vault::new(Show::Redacted);
        let seen = texts(&sealed(&vault, &exchange(request, response)));
        assert!(!seen.contains(V) && seen.contains("#1>"), "{seen}");
        assert!(!seen.contains(&encoding::base64(format!("web:{V}"))), "{seen}");
        assert!(!vault.seal(&format!("elsewhere: {V}!")).as_str().contains(V));
    }
}

#[test]
fn json_web_tokens_are_secrets_wherever_they_stand() {
    let vault = Vault::new(Show::Redacted);
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.";
    assert_eq!(vault.seal(&format!("odd {token} end")).as_str(), "odd <jwt#1> end");
    assert_eq!(vault.seal(token).as_str(), "<jwt#1>");
}

#[test]
fn words_of_the_protocol_stay_readable_though_they_are_the_secret() {
    let vault = Vault::new(Show::Redacted);
    vault.learn("client_secret", b"secret");
    vault.learn("password", b"pw");
    for text in ["client_secret_basic", "the client secret is wrong", "secret=x", "{\"secret\": 1}", "<input name=\"secret\">"] {
        assert_eq!(vault.seal(text).as_str(), text);
    }
    for (text, expected) in [
        ("client_secret=secret&a=pw", "client_secret=<client_secret#1>&a=<password#1>"),
        ("{\"client_secret\":\"secret\"}", "{\"client_secret\":\"<client_secret#1>\"}"),
        ("secret", "<client_secret#1>"),
        ("Authorization: Bearer secret", "Authorization: Bearer <client_secret#1>"),
        ("\"a\": \"secret\"", "\"a\": \"<client_secret#1>\""),
    ] {
        assert_eq!(vault.seal(text).as_str(), expected);
    }
    assert_eq!(vault.seal(&encoding::base64("web:secret")).as_str(), "<client_secret#1>");
}

#[test]
fn error_words_in_json_are_no_secrets() {
    let vault = Vault::new(Show::Redacted);
    let body = r#"{"code":"invalid_request","state":"ACTIVE","token":"not found here"}"#;
    let sealed = sealed(&vault, &exchange(Request::get("http://h/"), response("X", "y", body)));
    assert_eq!(sealed.response.unwrap().body.as_str(), body);
}

#[test]
fn a_child_knows_its_parent_and_numbers_on() {
    let parent = Vault::new(Show::Redacted);
    parent.learn("code", b"parent-code-1");
    let child = parent.child();
    child.learn("code", b"child-code-22");
    child.learn("code", b"parent-code-1");
    parent.learn("password", b"late-password-9");
    let text = "child-code-22 parent-code-1 late-password-9";
    assert_eq!(child.seal(text).as_str(), "<code#2> <code#1> <password#1>");
    assert_eq!(parent.seal(text).as_str(), "child-code-22 <code#1> <password#1>");
    assert_eq!(parent.child().seal(text).as_str(), "child-code-22 <code#1> <password#1>");
}

#[test]
fn the_longest_value_wins_and_a_torn_one_is_taken_off() {
    let vault = Vault::new(Show::Redacted);
    vault.learn("code", b"aaaa1111");
    vault.learn("access_token", b"aaaa1111bbbb2222");
    assert_eq!(vault.seal("aaaa1111bbbb2222 aaaa1111").as_str(), "<access_token#1> <code#1>");
    let mut cut = response("X", "y", "seen aaaa1111bbbb2");
    cut.truncated = true;
    let sealed = sealed(&vault, &exchange(Request::get("http://h/"), cut));
    assert_eq!(sealed.response.unwrap().body.as_str(), "seen ");
}

#[test]
fn bytes_that_are_no_text_go_as_base64_unless_a_secret_is_inside() {
    let vault = Vault::new(Show::Redacted);
    vault.learn("code", b"aaaa1111");
    assert_eq!(vault.seal_bytes(b"\xff\x00"), (Sealed::default(), Some("/wA=".to_owned())));
    let (text, base64) = vault.seal_bytes(b"\xffaaaa1111");
    assert!(base64.is_none() && !text.as_str().contains("aaaa"));
}

#[test]
fn shown_secrets_are_unchanged_but_snapshots_never_show_them() {
    let vault = Vault::new(Show::Secrets);
    vault.learn("code", b"aaaa1111bbbb");
    assert_eq!(vault.seal("aaaa1111bbbb").as_str(), "aaaa1111bbbb");
    assert_eq!(vault.volatile("x=aaaa1111bbbb&t=http://localhost:1/").as_str(), "x=<code#1>&t=<origin>/");
}
