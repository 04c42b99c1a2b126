//! The page: what it shows, what its forms do, and that nothing hostile comes through.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use super::{Got, exchange, get, post, send, start};
use crate::mock::MockServer;
use crate::oauth::{Params, Request};
use serde_json::json;

const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn see(server: &MockServer, path: &str) -> String {
    let got = send(server, "GET", path, &[BROWSER], "");
    assert_eq!(got.status, 200, "{path}: {got:?}");
    assert!(got.head.contains("default-src 'none'"), "{}", got.head);
    got.body
}

fn submit(server: &MockServer, path: &str, fields: &[(&str, &str)]) -> Got {
    let form: Params = fields.iter().copied().collect();
    let origin = server.base_url().to_owned();
    send(
        server,
        "POST",
        &format!("/page{path}"),
        &[BROWSER, ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")],
        &form.encode(),
    )
}

/// The field of a redirect.
fn location(got: &Got) -> String {
    assert_eq!(got.status, 303, "{got:?}");
    let line = got.head.lines().find_map(|line| line.strip_prefix("location: ").or_else(|| line.strip_prefix("Location: ")));
    line.unwrap().to_owned()
}

#[test]
fn a_person_sees_realms_and_a_program_sees_json() {
    let server = start();
    assert!(see(&server, "/").contains("/_oauthspec/realms/default"));
    assert!(see(&server, "/realms/default").contains("Start a flow"));
    assert_eq!(get(&server, "/realms/default")["name"], "default");
    assert_eq!(get(&server, "/")["openapi"], format!("{}/_oauthspec/openapi.json", server.base_url()));
    assert_eq!(location(&submit(&server, "/create", &[("name", "mine"), ("profile", "strict")])), "/_oauthspec/realms/mine");
    assert!(see(&server, "/").contains("/_oauthspec/realms/mine"));
    let twice = submit(&server, "/create", &[("name", "mine")]);
    assert!(twice.status == 400 && twice.body.contains("exists already") && twice.body.contains("value=\"mine\""), "{twice:?}");
    assert_eq!(location(&submit(&server, "/remove", &[("realm", "mine")])), "/_oauthspec/#realms");
    let gone = send(&server, "GET", "/realms/mine", &[BROWSER], "");
    assert!(gone.status == 404 && gone.head.contains("text/html") && gone.body.contains("there is no realm `mine`"), "{gone:?}");
    assert!(gone.body.contains("<a href=\"/_oauthspec/\">All realms</a>"), "{gone:?}");
    assert!(send(&server, "PUT", "/realms", &[BROWSER], "").head.to_lowercase().contains("allow: get, post"));
    assert!(send(&server, "GET", "/realms/mine", &[], "").head.contains("application/problem+json"));
}

#[test]
fn scripts_are_read_and_removed() {
    let server = start();
    let text = "[busy]\n[[busy.patch]]\nwhen = { endpoint = \"jwks\" }\nrespond = { status = 503 }\n";
    server.realm().add_script(&crate::policy::Script::from_toml("busy.toml", text).unwrap()).unwrap();
    let scripts = json!({ "short": { "patch": [{ "when": { "endpoint": "token" }, "set": { "code.lifetime": 5 } }] } });
    post(&server, "/realms/default/scripts", &scripts);
    let page = see(&server, "/realms/default");
    assert!(page.contains("Remove script busy") && page.contains("when = { endpoint = &quot;jwks&quot; }"), "{page}");
    assert!(page.contains("With endpoint = token: <ul class=\"mono\"><li>set code.lifetime = 5"), "{page}");
    let removed = submit(&server, "/realms/default/scripts", &[("remove", "busy")]);
    assert_eq!(location(&removed), "/_oauthspec/realms/default#policy");
    assert_eq!(get(&server, "/realms/default")["policy"]["scripts"], json!(["short"]));
    assert_eq!(submit(&server, "/realms/default/scripts", &[("remove", "busy")]).status, 400);
    submit(&server, "/realms/default/scripts", &[("remove", "short")]);
    assert!(!see(&server, "/realms/default").contains("Remove script"));
}

#[test]
fn switches_and_clock_work_by_forms() {
    let server = start();
    let form = |action: &str, field: (&str, &str)| submit(&server, &format!("/realms/default/{action}"), &[field]);
    let switched = location(&form("switch", ("add-fault", "code-reusable.accept")));
    assert_eq!(switched, "/_oauthspec/realms/default#fault-code-reusable.accept");
    assert!(see(&server, "/realms/default").contains("fault <b>code-reusable.accept</b>"));
    form("switch", ("remove-fault", "code-reusable.accept"));
    assert!(see(&server, "/realms/default").contains("strictly conformant"));
    form("clock", ("time", "2031-05-01T00:00:00Z"));
    form("clock", ("frozen", "true"));
    form("clock", ("advance", "1h"));
    assert!(get(&server, "/realms/default/clock")["time"].as_str().unwrap().starts_with("2031-05-01T01:00:"));
    let wrong = form("clock", ("time", "<b>noon"));
    assert!(wrong.status == 400 && wrong.body.contains("name=\"time\" value=\"&lt;b&gt;noon\""), "{wrong:?}");
    assert!(wrong.body.contains("id=\"mistake\" role=\"alert\">/time: `&lt;b&gt;noon` is no time"), "{wrong:?}");
}

#[test]
fn a_fault_is_searched_for_and_switched_where_it_was_found() {
    let server = start();
    // The rows of a list that are shown, and whether the list is open.
    let shown = |page: &str, list: &str| {
        let (_, rest) = page.split_once(&format!("id=\"{list}\"")).unwrap();
        let list = rest.split("</details>").next().unwrap();
        (list.matches("<tr>").count(), list.starts_with(" open"))
    };
    let page = see(&server, "/realms/default");
    let all = crate::policy::Library::embedded().faults().count();
    assert_eq!(shown(&page, "faults"), (all, false));
    assert!(page.contains("aria-label=\"Switch on code-reusable.accept\">Switch on</button>"), "{page}");

    let page = see(&server, "/realms/default?fault=REUSABLE+accept&variant=%3Cb%3E");
    assert!(matches!(shown(&page, "faults"), (found, true) if found > 0 && found < all / 10), "{:?}", shown(&page, "faults"));
    assert_eq!(shown(&page, "variants"), (0, true));
    assert!(page.contains("value=\"REUSABLE accept\"") && page.contains("value=\"&lt;b&gt;\""), "{page}");

    let form = |fields: &[(&str, &str)]| location(&submit(&server, "/realms/default/switch", fields));
    let back = form(&[("fault", "reusable accept"), ("add-fault", "code-reusable.accept")]);
    assert_eq!(back, "/_oauthspec/realms/default?fault=reusable+accept#fault-code-reusable.accept");
    let page = see(&server, "/realms/default?fault=reusable+accept");
    assert!(page.contains("id=\"fault-code-reusable.accept\" name=\"remove-fault\""), "{page}");
    assert!(page.contains("aria-label=\"Switch off code-reusable.accept\">Switch off</button>"), "{page}");
    let back = form(&[("back", "policy"), ("fault", ""), ("remove-fault", "code-reusable.accept")]);
    assert_eq!(back, "/_oauthspec/realms/default?fault=#policy");
}

#[test]
fn every_realm_is_reached_by_pages_and_by_its_name() {
    let server = start();
    for number in 0..250 {
        post(&server, "/realms", &json!({ "name": format!("t-{number:03}") }));
    }
    let links = |page: &str| page.matches("aria-label=\"Remove ").count();
    let first = see(&server, "/");
    assert!(links(&first) == 100 && first.contains("Remove t-249") && !first.contains("Remove default"), "{first}");
    assert!(first.contains("251 realms; 1 to 100, the newest first") && first.contains("/_oauthspec/?page=2#realms"), "{first}");
    let last = see(&server, "/?page=99");
    assert!(links(&last) == 51 && last.contains("Remove default") && last.contains("?page=2#realms"), "{last}");
    let found = see(&server, "/?realm=T-00");
    assert!(links(&found) == 10 && found.contains("10 of 251 realms. ") && found.contains("value=\"T-00\""), "{found}");
    let removed = submit(&server, "/remove", &[("search", "t-00"), ("page", "1"), ("realm", "t-001")]);
    assert_eq!(location(&removed), "/_oauthspec/?realm=t-00#realms");
}

#[test]
fn the_journal_is_seen_page_by_page_and_by_endpoint() {
    let server = start();
    for _ in 0..300 {
        exchange(&server, "default");
    }
    let _keys = server.realm().handle(&Request::get(format!("{}/jwks", server.issuer())));
    let shown = |page: &str| page.matches("<details class=\"exchange\"").count();
    let latest = see(&server, "/realms/default");
    assert!(shown(&latest) == 200 && latest.contains("The latest 200 of 301.") && latest.contains("id=\"x300\""), "{latest}");
    assert!(latest.contains("/stream?since=301\"") && latest.contains("?before=101#journal\">Older"), "{latest}");
    let older = see(&server, "/realms/default?before=101");
    assert!(shown(&older) == 101 && older.contains("#0 to #100, 101 of 301.") && older.contains("?#journal\">Newer"), "{older}");
    // What is older grows no more.
    assert!(older.contains("/stream?before=101\""), "{older}");
    let middle = see(&server, "/realms/default?before=50");
    assert!(middle.contains("?before=250#journal\">Newer"), "{middle}");
    let keys = see(&server, "/realms/default?endpoint=jwks");
    assert!(shown(&keys) == 1 && keys.contains("All 1.") && keys.contains("<option value=\"jwks\" selected>"), "{keys}");
    assert!(keys.contains("/stream?endpoint=jwks&amp;since=301\""), "{keys}");
}

#[test]
fn what_is_hostile_is_escaped() {
    let server = start();
    let realm = server.realm();
    let hostile = "\"><script>alert(1)</script>";
    let form: Params = [("grant_type", hostile), ("client_id", hostile)].into_iter().collect();
    let _refused = realm.handle(&Request::post_form(format!("{}/token", realm.issuer()), &form).with("X-Evil", hostile));
    let client = json!({ "client_id": hostile, "redirect_uris": [] });
    assert_eq!(super::call(&server, "PUT", "/realms/default/clients", &client).status, 200);
    for path in ["/realms/default", "/callback/default?code=%3Cscript%3Ealert(1)%3C/script%3E&state=%22%3E"] {
        let page = see(&server, path);
        assert!(page.contains("alert(1)") && !page.contains("<script>alert"), "{path}");
    }
}

#[test]
fn the_flow_asks_for_what_the_client_may_have() {
    let server = MockServer::builder().profile("guide").start_blocking().unwrap();
    let client = server.realm().clients().into_iter().find(|client| client.may_use("authorization_code")).unwrap();
    let scopes = client.scopes.join(" ");
    let page = see(&server, "/realms/default");
    assert!(page.contains(&format!(">{}: {scopes}</option>", client.client_id)), "{page}");
    let asked = |scope: &str| {
        let fields = [("client", client.client_id.as_str()), ("scope", scope), ("pkce", "S256")];
        let asked = location(&submit(&server, "/realms/default/flow", &fields));
        let params = Params::parse(asked.split_once('?').unwrap().1.as_bytes()).unwrap();
        params.get("scope").unwrap().into_owned()
    };
    assert_eq!(asked(" "), scopes);
    assert_eq!(asked("openid"), "openid");
}

#[test]
fn a_flow_starts_comes_back_and_is_redeemed() {
    let server = start();
    let asked = location(&submit(&server, "/realms/default/flow", &[("client", "web"), ("scope", "openid"), ("pkce", "S256")]));
    let (address, query) = asked.split_once('?').unwrap();
    assert_eq!(address, format!("{}/authorize", server.issuer()));
    let params = Params::parse(query.as_bytes()).unwrap();
    let state = params.get("state").unwrap().into_owned();
    let mint = crate::mock::Mint::new(crate::mock::MintKind::Code, "web")
        .user("alice")
        .scope("openid")
        .nonce("n")
        .redirect_uri(params.get("redirect_uri").unwrap())
        .challenge(params.get("code_challenge").unwrap(), "S256");
    let code = server.realm().mint(&mint).unwrap().value;
    let page = see(&server, &format!("/callback/default?code={code}&state={state}&iss={}", server.issuer()));
    assert!(
        page.contains("The state is that of a flow that was started here, for web") && page.contains("iss is the issuer"),
        "{page}"
    );
    let redeemed = submit(&server, "/realms/default/redeem", &[("state", &state), ("code", &code)]);
    assert!(redeemed.body.contains("access_token") && redeemed.body.contains("Token: response id_token"), "{redeemed:?}");
    assert!(see(&server, "/callback/default?code=c&state=other").contains("none of a flow that was started here"));
}

#[test]
fn a_page_hears_what_becomes_of_its_realm() {
    let server = start();
    post(&server, "/realms", &json!({ "name": "open", "clock": { "time": "2030-01-31T12:00:00Z", "frozen": true } }));
    exchange(&server, "open");
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let head = format!("GET /_oauthspec/page/realms/open/stream?since=1 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    connection.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(connection).lines().map(Result::unwrap);
    let mut state = || {
        let line = lines.find(|line| line.starts_with("data: {")).unwrap();
        serde_json::from_str::<serde_json::Value>(&line["data: ".len()..]).unwrap()
    };
    let before = json!({ "time": "2030-01-31T12:00:00Z", "frozen": true, "first": 0, "pages": "All 1. " });
    assert_eq!(state(), before);
    assert_eq!(super::call(&server, "DELETE", "/realms/open/journal", &serde_json::Value::Null).status, 204);
    post(&server, "/realms/open/clock", &json!({ "advance": "1h" }));
    let after = json!({ "time": "2030-01-31T13:00:00Z", "frozen": true, "first": 1, "pages": "Nothing is in the journal. " });
    assert!(state() == after || state() == after);
    assert_eq!(super::call(&server, "DELETE", "/realms/open", &serde_json::Value::Null).status, 204);
    assert!(lines.any(|line| line == "event: gone"));
}

#[test]
fn the_journal_comes_rendered_over_the_stream() {
    let server = start();
    assert_eq!(super::call(&server, "PUT", "/realms/default/faults/code-reusable.accept", &json!({})).status, 200);
    exchange(&server, "default");
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let head = format!("GET /_oauthspec/page/realms/default/stream?since=0 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    connection.write_all(head.as_bytes()).unwrap();
    let line = BufReader::new(connection).lines().map(Result::unwrap).find(|line| line.starts_with("data: <details")).unwrap();
    assert!(line.contains("POST /default/token"), "{line}");
    assert!(line.contains("rule 1 of code-reusable.accept: <span class=\"mono\">set code.reuse</span>"), "{line}");
    post(&server, "/realms/default/reset", &json!({}));
    assert!(see(&server, "/realms/default").contains("Nothing is in the journal"));
}

#[test]
fn the_token_is_asked_for_once_and_kept_as_a_cookie() {
    let server = MockServer::builder().control_token("right").start_blocking().unwrap();
    let asked = send(&server, "GET", "/realms/default", &[BROWSER], "");
    assert!(asked.status == 401 && asked.body.contains("type=\"password\""), "{asked:?}");
    assert_eq!(submit(&server, "/sign-in", &[("token", "wrong"), ("path", "/")]).status, 401);
    let signed_in = submit(&server, "/sign-in", &[("token", "right"), ("path", "/realms/default")]);
    assert_eq!(location(&signed_in), "/_oauthspec/realms/default");
    let cookie = signed_in.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(!cookie.contains("right") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let with = |fields: &[(&str, &str)]| {
        send(&server, "GET", "/realms/default", &[fields, &[BROWSER, ("Cookie", cookie)]].concat(), "").status
    };
    assert_eq!(with(&[]), 200);
    assert_eq!(with(&[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(location(&submit(&server, "/sign-in", &[("token", "right"), ("path", "//evil.example")])), "/_oauthspec/");
}
