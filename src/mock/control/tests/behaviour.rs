//! What the control API does, topic by topic.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{call, exchange, get, object, post, refusal, send_to, start};
use crate::mock::MockServer;
use crate::oauth::{Params, Request};

#[test]
fn a_realm_is_made_read_reset_and_removed() {
    let server = start();
    let made = post(
        &server,
        "/realms",
        &json!({
            "name": "t-1", "faults": ["code-reusable.accept"], "clock": { "time": "2030-01-31T12:00:00Z", "frozen": true },
            "clients": [{ "client_id": "app", "redirect_uris": ["https://app.example/cb"] }], "users": [{ "username": "carol" }],
        }),
    );
    assert_eq!(made["issuer"], format!("{}/t-1", server.base_url()));
    assert_eq!(made["clock"], json!({ "time": "2030-01-31T12:00:00Z", "frozen": true }));
    assert_eq!(made["policy"]["faults"], json!(["code-reusable.accept"]));
    assert_eq!(made["clients"][0]["token_endpoint_auth_method"], "none");
    assert_eq!(made["users"], json!([{ "username": "carol", "password": "carol" }]));
    exchange(&server, "t-1");
    assert_eq!(get(&server, "/realms/t-1")["recorded"], 1);
    let reset = post(&server, "/realms/t-1/reset", &json!({ "profile": "strict" }));
    assert_eq!(reset["policy"]["faults"], json!([]));
    assert_eq!(get(&server, "/realms/t-1/journal")["entries"], json!([]));
    assert_eq!(call(&server, "DELETE", "/realms/t-1", &Value::Null).status, 204);
    assert_eq!(call(&server, "GET", "/realms/t-1", &Value::Null).status, 404);
    let names: Vec<String> = (0..2).map(|_| post(&server, "/realms", &object())["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["realm-1", "realm-2"]);
}

#[test]
fn what_is_not_said_is_as_the_server_was_started_with() {
    let fault = crate::policy::Library::embedded().fault("code-reusable.accept").unwrap();
    let policies = crate::policy::PolicySet::new([fault]).unwrap();
    let server = MockServer::builder().policies(policies).start_blocking().unwrap();
    assert_eq!(post(&server, "/realms", &object())["policy"]["faults"], json!(["code-reusable.accept"]));
    assert_eq!(post(&server, "/realms", &json!({ "faults": [] }))["policy"]["faults"], json!([]));
}

#[test]
fn what_is_named_leaves_the_rest_as_the_server_was_started_with() {
    let script = r#"
        [busy]
        [[busy.patch]]
        when = { endpoint = "par" }
        respond = { status = 503 }
        "#;
    let script = crate::policy::Script::from_toml("busy.toml", script).unwrap();
    let builder = MockServer::builder().without_verification().profile("guide").variant("no-iss").fault("code-reusable.accept");
    let server = builder.script(script).start_blocking().unwrap();
    let made = |body: Value| {
        let policy = post(&server, "/realms", &body)["policy"].clone();
        ["profile", "variants", "faults", "scripts"].map(|name| policy[name].clone())
    };
    let (profile, variants, faults, scripts) =
        (json!("guide"), json!(["no-iss"]), json!(["code-reusable.accept"]), json!(["busy"]));
    let other = json!({ "faults": ["openid-nonce-missing"] });
    assert_eq!(made(other), [profile.clone(), variants.clone(), json!(["openid-nonce-missing"]), scripts.clone()]);
    let none = json!({ "profile": "strict", "variants": [] });
    assert_eq!(made(none), [Value::Null, json!([]), faults.clone(), scripts]);
    let mine = json!({ "mine": { "patch": [{ "when": { "endpoint": "jwks" }, "respond": { "status": 503 } }] } });
    assert_eq!(made(json!({ "scripts": mine })), [profile, variants, faults, json!(["mine"])]);
}

#[test]
fn users_are_put_and_removed() {
    let server = start();
    let carol = json!({ "username": "carol", "password": "pw", "claims": { "email": "carol@example.com" } });
    assert_eq!(call(&server, "PUT", "/realms/default/users", &carol).json(), carol);
    let names = || {
        let users = get(&server, "/realms/default/users")["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names().last().unwrap(), "carol");
    let token = post(
        &server,
        "/realms/default/tokens",
        &json!({ "kind": "access_token", "client": "web", "user": "carol", "scope": "openid email" }),
    );
    let realm = server.realm();
    let userinfo = || {
        let field = format!("Bearer {}", token["token"].as_str().unwrap());
        realm.handle(&Request::get(format!("{}/userinfo", realm.issuer())).with("Authorization", field))
    };
    assert_eq!(userinfo().json().unwrap()["email"], "carol@example.com");
    assert_eq!(call(&server, "PUT", "/realms/default/users", &json!({ "username": "carol" })).status, 200);
    assert_eq!((names().len(), userinfo().json().unwrap().get("email")), (realm.users().len(), None));
    assert_eq!(call(&server, "DELETE", "/realms/default/users/carol", &Value::Null).status, 204);
    assert!(!names().contains(&"carol".to_owned()));
    assert_eq!(userinfo().status, 401);
    let gone = call(&server, "DELETE", "/realms/default/users/alcie", &Value::Null);
    assert_eq!(refusal(&gone), (404, "-: there is no user `alcie` (did you mean `alice`?)".to_owned()));
}

#[test]
fn mistakes_are_told_with_their_places() {
    let server = start();
    let refused = |body: Value| refusal(&call(&server, "POST", "/realms", &body));
    for (body, wanted) in [
        (json!({ "fault": [] }), "/fault: unknown member `fault` (did you mean `faults`?)"),
        (json!({ "faults": ["code-reusable.alway"] }), "/faults/0: unknown fault `code-reusable.alway`"),
        (json!({ "faults": ["code-reuseable"] }), "/faults/0: unknown fault `code-reuseable` (did you mean `code-reusable`?)"),
        (json!({ "clients": [{}] }), "/clients/0/client_id: `client_id` is missing"),
        (json!({ "clients": [{ "client_id": "a" }, { "client_id": 5 }] }), "/clients/1/client_id: expected text, but it is 5"),
        (
            json!({ "clients": [{ "client_id": "a", "redirect_uris": ["/cb"] }] }),
            "/clients/0/redirect_uris/0: not an absolute URI",
        ),
        (
            json!({ "clock": { "time": "noon" } }),
            "/clock/time: `noon` is no time in RFC 3339 (write it as `2030-01-31T12:00:00Z`)",
        ),
        (json!({ "clock": { "advance": "soon" } }), "/clock/advance: `soon` is no length of time"),
        (json!({ "name": "a/b" }), "/name: `a/b` cannot name a realm"),
        (
            json!({ "patches": { "p": { "patch": [{ "set": { "code.lifetme": 5 } }] } } }),
            "/patches/p/patch/0/set/code.lifetme: unknown setting `code.lifetme` (did you mean `code.lifetime`?)",
        ),
        (
            json!({ "scripts": { "s": { "patch": [{ "when": { "endpoint": "tokn" }, "respond": { "status": 503 } }] } } }),
            "/scripts/s/patch/0/when/endpoint: unknown endpoint `tokn` (did you mean `token`?)",
        ),
    ] {
        let (status, told) = refused(body.clone());
        assert_eq!(status, 400, "{body}");
        assert!(told.starts_with(wanted), "{body}: {told}");
    }
    assert_eq!(refused(json!({ "name": "default" })).0, 409);
    let got = super::send(&server, "POST", "/realms", &[], "{ name: x }");
    assert!(refusal(&got).1.starts_with(": the body is no JSON"), "{got:?}");
    assert_eq!(call(&server, "PATCH", "/realms", &Value::Null).status, 405);
    let missing = call(&server, "GET", "/realms/defualt", &Value::Null);
    assert_eq!(refusal(&missing).1, "-: there is no realm `defualt` (did you mean `default`?)");
    let unknown = call(&server, "GET", "/realm", &Value::Null);
    assert_eq!(refusal(&unknown).1, "-: no control path is `/_oauthspec/realm`, did you mean `/_oauthspec/realms`?");
}

#[test]
fn nothing_stands_in_for_what_is_asked_for() {
    let server = start();
    let refused = |path: &str, body: &str| refusal(&super::send(&server, "POST", path, &[], body));
    for (path, body, wanted) in [
        ("/realms", r#"["positional", null]"#, ": expected an object, but it is a list"),
        ("/realms/default/clock", r#"[null, "1h", false]"#, ": expected an object, but it is a list"),
        ("/realms", r#"{"users": [["u1", "p", {}]]}"#, "/users/0: expected an object, but it is a list"),
        ("/realms", r#"{"clock": ["2030-01-01T00:00:00Z"]}"#, "/clock: expected an object, but it is a list"),
        ("/realms", r#"{"name": "a", "name": "b"}"#, "/name: `name` stands twice"),
        ("/realms", r#"{"users": [{"username": "a", "username": "b"}]}"#, "/users/0/username: `username` stands twice"),
        ("/realms", r#"{"clients": [{"client_id": "a"}, {"client_id": "a"}]}"#, "/clients/1/client_id: `a` stands twice"),
        ("/realms", r#"{"users": [{"username": "a"}, {"username": "a"}]}"#, "/users/1/username: `a` stands twice"),
        ("/realms", r#"{"users": [{"username": ""}]}"#, "/users/0/username: a user name has at least one character"),
        ("/realms", r#"{"clients": [{"client_id": "\u00e9"}]}"#, "/clients/0/client_id: a client identifier has printable"),
        ("/realms", r#"{"clients": [{"client_id": "a", "scopes": ["b", "a b"]}]}"#, "/clients/0/scopes/1: not a scope token"),
        (
            "/realms",
            r#"{"clients": [{"client_id": "a", "redirect_uris": ["https://a.example/#f"]}]}"#,
            "/clients/0/redirect_uris/0: a redirect URI has no fragment",
        ),
        ("/realms", r#"{"seed": 9007199254740992}"#, "/seed: expected a whole number from 0 to 9007199254740991"),
        ("/realms", r#"{"seed": -1}"#, "/seed: expected a whole number from 0 to 9007199254740991, but it is -1"),
        ("/realms", r#"{"seed": 1.5}"#, "/seed: expected a whole number, but it is 1.5"),
        ("/realms", r#"{"keys": "stale"}"#, "/keys: unknown value `stale` (known here: shared, fresh)"),
        (
            "/realms/default/clock",
            r#"{"time": "1969-12-31T23:59:59Z"}"#,
            "/time: `1969-12-31T23:59:59Z` is not from 1970 to 9999",
        ),
        ("/realms/default/clock", r#"{"advance": "4000000d"}"#, "/advance: it ends after the year 9999"),
        ("/realms/default/journal/search", r#"{"since": "x"}"#, "/since: expected a whole number, but it is text"),
        ("/realms/default/tokens", r#"{"kind": "code"}"#, "/client: `client` is missing"),
        (
            "/realms/default/tokens",
            r#"{"kind": "code", "client": "web", "lifetime": "200000000000d"}"#,
            "/lifetime: it ends after the year 9999",
        ),
        ("/realms/default/scripts", "[]", ": expected an object, but it is a list"),
    ] {
        let (status, told) = refused(path, body);
        assert_eq!(status, 400, "{path} {body}: {told}");
        assert!(told.starts_with(wanted), "{path} {body}: {told}");
    }
}

#[test]
fn a_clock_is_set_advanced_and_stopped() {
    let server = start();
    let change = |body: Value| post(&server, "/realms/default/clock", &body);
    assert_eq!(
        change(json!({ "time": "2030-01-01T00:00:00Z", "advance": "1d", "frozen": true }))["time"],
        "2030-01-02T00:00:00Z"
    );
    assert_eq!(change(json!({ "advance": "90s" })), json!({ "time": "2030-01-02T00:01:30Z", "frozen": true }));
    assert_eq!(change(json!({ "frozen": false }))["frozen"], false);
    let realm = server.realm();
    assert!(realm.now() >= std::time::UNIX_EPOCH + Duration::from_secs(1_893_542_490));
}

#[test]
fn faults_are_switched_while_a_realm_runs() {
    let server = start();
    let path = "/realms/default/faults/code-reusable.accept";
    for _ in 0..2 {
        assert_eq!(call(&server, "PUT", path, &Value::Null).json()["faults"], json!(["code-reusable.accept"]));
    }
    let settings = get(&server, "/realms/default/policy");
    assert_ne!(settings["settings"]["code"], serde_json::to_value(crate::policy::CodePolicy::default()).unwrap());
    assert_eq!(call(&server, "DELETE", path, &Value::Null).status, 204);
    assert_eq!(call(&server, "DELETE", path, &Value::Null).status, 404);
    let got = call(&server, "PUT", "/realms/default/faults/code-reusable.allways", &Value::Null);
    assert_eq!(got.status, 404, "{got:?}");
    let chosen = json!({ "patches": { "p": { "patch": [{ "set": { "code.lifetime": 5 } }] } } });
    let put = call(&server, "PUT", "/realms/default/policy", &chosen).json();
    assert_eq!((&put["patches"], &put["settings"]["code"]["lifetime"]), (&json!(["p"]), &json!(5)));
}

#[test]
fn a_script_keeps_its_counts_when_a_fault_is_switched() {
    let server = start();
    let script = json!({ "busy": { "patch": [{ "when": { "endpoint": "jwks", "first": 1 }, "respond": { "status": 503 } }] } });
    assert_eq!(post(&server, "/realms/default/scripts", &script)["scripts"], json!(["busy"]));
    let realm = server.realm();
    let status = || realm.handle(&Request::get(format!("{}/jwks", realm.issuer()))).status;
    assert_eq!(status(), 503);
    let rules = json!([{ "patch": "busy", "rule": 1, "does": "respond 503" }]);
    assert_eq!(get(&server, "/realms/default/journal/0")["rules"], rules);
    assert_eq!(call(&server, "PUT", "/realms/default/faults/code-reusable.accept", &Value::Null).status, 200);
    assert_eq!(status(), 200);
    let rules = json!([{ "patch": "code-reusable.accept", "rule": 1, "does": "set code.reuse" }]);
    assert_eq!(get(&server, "/realms/default/journal/1")["rules"], rules);
    assert_eq!(call(&server, "DELETE", "/realms/default/scripts/busi", &Value::Null).status, 404);
    assert_eq!(call(&server, "DELETE", "/realms/default/scripts/busy", &Value::Null).status, 204);
}

#[test]
fn the_journal_is_filtered_and_searched() {
    let server = start();
    exchange(&server, "default");
    let realm = server.realm();
    let _answer = realm.handle(&Request::get(format!("{}/jwks", realm.issuer())));
    let count = |query: &str| get(&server, &format!("/realms/default/journal{query}"))["entries"].as_array().unwrap().len();
    assert_eq!((count(""), count("?endpoint=token"), count("?since=1"), count("?status=4xx&limit=5")), (2, 1, 1, 1));
    let found = post(&server, "/realms/default/journal/search", &json!({ "match": { "form": { "client_id": "service" } } }));
    assert_eq!(found["entries"][0]["request"]["parameters"]["client_id"], "service");
    let wrong = call(&server, "GET", "/realms/default/journal?endpoint=tokne", &Value::Null);
    assert_eq!(refusal(&wrong).1, "endpoint: unknown endpoint `tokne` (did you mean `token`?)");
    assert_eq!(call(&server, "GET", "/realms/default/journal/7", &Value::Null).status, 404);
    assert_eq!(call(&server, "DELETE", "/realms/default/journal", &Value::Null).status, 204);
    assert_eq!((count(""), &get(&server, "/realms/default/journal")["next"]), (0, &json!(2)));
}

#[test]
fn whoever_waits_is_woken_by_what_matches() {
    let server = start();
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            post(
                &server,
                "/realms/default/journal/wait",
                &json!({ "match": { "endpoint": "token" }, "since": 0, "timeout": "30s" }),
            )
        });
        exchange(&server, "default");
        assert_eq!(waits.join().unwrap()["entry"]["endpoint"], "token");
    });
    let wait = json!({ "match": { "endpoint": "token", "client": "web" }, "since": 0, "timeout": "1ms" });
    let got = call(&server, "POST", "/realms/default/journal/wait", &wait);
    assert_eq!(got.status, 408, "{got:?}");
    assert!(got.body.contains("client = web, but it was \\\"service\\\""), "{got:?}");
}

#[test]
fn what_did_not_happen_is_told_with_its_nearest_miss() {
    let server = start();
    let expected = json!({ "expect": [{ "name": "web asks", "when": { "endpoint": "token", "client": "web" } }] });
    assert_eq!(post(&server, "/realms/default/expectations", &expected)["met"], false);
    exchange(&server, "default");
    let verified = get(&server, "/realms/default/verification");
    assert_eq!(verified["met"], false);
    assert!(verified["report"].as_str().unwrap().contains("not   client = web: it was \"service\""), "{verified}");
    assert_eq!(call(&server, "DELETE", "/realms/default/expectations", &Value::Null).status, 204);
    assert_eq!(get(&server, "/realms/default/verification")["met"], true);
    let wrong = json!({ "expect": [{ "when": {}, "times": -1 }] });
    assert!(refusal(&call(&server, "POST", "/realms/default/expectations", &wrong)).1.starts_with("/expect/0/times: "));
}

#[test]
fn tokens_are_made_right_and_broken() {
    let server = start();
    let realm = server.realm();
    let make = |body: Value| post(&server, "/realms/default/tokens", &body);
    let alive = |token: &Value| {
        let field = format!("Bearer {}", token["token"].as_str().unwrap());
        realm.handle(&Request::get(format!("{}/userinfo", realm.issuer())).with("Authorization", field)).status
    };
    let right = make(json!({ "kind": "access_token", "client": "web", "user": "alice", "scope": "openid" }));
    assert_eq!((alive(&right), &right["known"]), (200, &json!(true)));
    let broken = |name: &str| json!({ "kind": "access_token", "client": "web", "user": "alice", "jwt": true, "broken": [name] });
    for name in crate::mock::Mint::ways().map(|(name, _)| name).filter(|name| !matches!(*name, "used" | "wrong-nonce")) {
        assert_eq!(alive(&make(broken(name))), 401, "{name}");
    }
    let id = make(
        json!({ "kind": "id_token", "client": "web", "claims": { "groups": ["x"], "sub": null }, "broken": ["unknown-kid"] }),
    );
    assert_eq!(
        (&id["claims"]["groups"], id["claims"].get("sub"), &id["header"]["kid"]),
        (&json!(["x"]), None, &json!("unknown-key"))
    );
    let stale = make(json!({ "kind": "id_token", "client": "web", "broken": ["expired"] }))["claims"].clone();
    let time = |name: &str| stale[name].as_u64().unwrap();
    assert!(time("auth_time") <= time("iat") && time("iat") < time("exp"), "{stale}");
    let with = |member: &str, value: Value| {
        let mut body = json!({ "kind": "access_token", "client": "web", "user": "alice", "scope": "openid", "jwt": true });
        body[member] = value;
        let token = make(body);
        (alive(&token), token["known"].clone())
    };
    assert_eq!(with("claims", json!({ "groups": ["admins"] })), (200, json!(true)));
    assert_eq!(with("claims", json!({ "exp": 1 })), (401, json!(false)));
    assert_eq!(with("claims", json!({ "iss": "https://evil.example" })), (401, json!(false)));
    assert_eq!(with("header", json!({ "alg": "none" })), (401, json!(false)));
    let code = make(json!({ "kind": "code", "client": "web", "user": "alice", "scope": "openid" }));
    let uri = "https://client.example/callback";
    let secret = realm.clients()[0].client_secret.clone().unwrap();
    let redeemed = || {
        let fields = [("grant_type", "authorization_code"), ("code", code["token"].as_str().unwrap()), ("redirect_uri", uri)];
        let form: Params = fields.into_iter().collect();
        let basic = crate::oauth::encoding::base64(format!("web:{secret}"));
        let request =
            Request::post_form(format!("{}/token", realm.issuer()), &form).with("Authorization", format!("Basic {basic}"));
        realm.handle(&request)
    };
    // The client has to bring a verifier where the policy wants PKCE: without a challenge the strict mock refuses.
    assert!(matches!(redeemed().status, 200 | 400));
    for (body, wanted) in [
        (json!({ "kind": "code", "client": "wbe" }), "/client: there is no client `wbe`, did you mean `web`?"),
        (json!({ "kind": "code", "client": "web", "user": "alcie" }), "/user: there is no user `alcie`, did you mean `alice`?"),
        (
            json!({ "kind": "id_token", "client": "web", "broken": ["expird"] }),
            "/broken/0: tokens are not broken in the way `expird`, did you mean `expired`?",
        ),
        (
            json!({ "kind": "refresh_token", "client": "web", "broken": ["alg-none"] }),
            "/broken/0: `alg-none` cannot befall a refresh token; what can: expired, revoked, unknown, used",
        ),
        (json!({ "kind": "code", "client": "web", "claims": { "a": 1 } }), "/claims: an authorization code has no claims"),
        (json!({ "kind": "cod", "client": "web" }), "/kind: unknown value `cod` (did you mean `code`?)"),
    ] {
        let (status, told) = refusal(&call(&server, "POST", "/realms/default/tokens", &body));
        assert_eq!(status, 400, "{body}");
        assert!(told.starts_with(wanted), "{body}: {told}");
    }
}

#[test]
fn whoever_waits_for_a_realm_that_is_removed_is_told_at_once() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let server = start();
    for name in ["one", "two"] {
        post(&server, "/realms", &json!({ "name": name }));
    }
    let mut connection = std::net::TcpStream::connect(server.address()).unwrap();
    let head =
        format!("GET /_oauthspec/realms/one/journal/stream HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address());
    connection.write_all(head.as_bytes()).unwrap();
    let mut stream = BufReader::new(connection).lines().map(Result::unwrap);
    assert!(stream.next().unwrap().contains("200"));
    let begun = Instant::now();
    thread::scope(|scope| {
        let wait = scope.spawn(|| call(&server, "POST", "/realms/two/journal/wait", &json!({ "timeout": "1m" })));
        for name in ["one", "two"] {
            assert_eq!(call(&server, "DELETE", &format!("/realms/{name}"), &Value::Null).status, 204);
        }
        // The wait may begin after the realm is gone.
        assert!(matches!(wait.join().unwrap().status, 410 | 404));
    });
    assert!(stream.last().is_some() && begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn keys_are_replaced_hidden_and_shown() {
    let server = start();
    let realm = server.realm();
    let published = || {
        let keys = realm.handle(&Request::get(format!("{}/jwks", realm.issuer()))).json().unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys["keys"].as_array().unwrap().iter().map(kid).collect::<HashSet<_>>()
    };
    let set = |kids: &[&str]| kids.iter().map(|kid| (*kid).to_owned()).collect::<HashSet<_>>();
    post(&server, "/realms/default/keys/rotate", &json!({ "alg": "ES256", "publish": false }));
    assert_eq!(published(), set(&["ec-1", "rsa-1"]));
    let token = post(&server, "/realms/default/tokens", &json!({ "kind": "id_token", "client": "web", "alg": "ES256" }));
    assert_eq!(token["header"]["kid"], "ec-2");
    assert_eq!(call(&server, "PUT", "/realms/default/keys/ec-2", &json!({ "published": true })).status, 200);
    assert_eq!(published(), set(&["ec-2", "ec-1", "rsa-1"]));
    post(&server, "/realms/default/keys/rotate", &json!({ "alg": "RS256", "keep_old": false }));
    assert_eq!(published(), set(&["ec-2", "ec-1", "rsa-3"]));
    let got = call(&server, "PUT", "/realms/default/keys/ec-3", &json!({ "published": true }));
    assert_eq!(got.status, 404, "{got:?}");
}

#[test]
fn keys_are_named_as_they_are_published_and_the_second_one_is_among_them() {
    let server = MockServer::builder().profile("cognito").start_blocking().unwrap();
    let realm = server.realm();
    let set = || {
        let request = Request::get(format!("{}/.well-known/jwks.json", realm.issuer()));
        let keys = realm.handle(&request).json().unwrap()["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let listed = || {
        let keys = get(&server, "/realms/default/keys")["keys"].as_array().unwrap().clone();
        keys.iter().filter(|key| key["published"] == true).map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let kid = || {
        let client = realm.clients()[0].client_id.clone();
        post(&server, "/realms/default/tokens", &json!({ "kind": "access_token", "client": client }))["header"]["kid"].clone()
    };
    let (before, signed) = (set(), kid());
    assert_eq!((listed(), before.len(), before.contains(&signed)), (before.clone(), 2, true));
    let path = format!("/realms/default/keys/{}", crate::oauth::encoding::percent(signed.as_str().unwrap()));
    assert_eq!(call(&server, "PUT", &path, &json!({ "published": false })).status, 200);
    assert!(!set().contains(&signed) && !listed().contains(&signed));
    post(&server, "/realms/default/keys/rotate", &json!({ "alg": "RS256", "keep_old": false }));
    let after = set();
    assert_eq!((listed(), after.len(), after.contains(&kid())), (after.clone(), 2, true));
    assert!(before.iter().all(|old| !after.contains(old)));
}

#[test]
fn first_use_makes_a_realm_where_that_is_allowed() {
    let closed = start();
    let open = MockServer::builder().realms_on_first_use().start_blocking().unwrap();
    let status = |server: &MockServer, path: &str| send_to(server, "GET", path, &[], "").status;
    assert_eq!((status(&closed, "/_oauthspec/../x"), status(&closed, "/new/jwks")), (404, 404));
    assert_eq!((status(&open, "/new/jwks"), status(&open, "/other/favicon.ico")), (200, 404));
    let names: Vec<_> = get(&open, "/realms")["realms"].as_array().unwrap().iter().map(|realm| realm["name"].clone()).collect();
    assert_eq!(names, ["default", "new"]);
}

#[test]
fn idle_realms_go_and_the_limit_holds() {
    let server = MockServer::builder().realm_idle(Duration::ZERO).realm_limit(2).start_blocking().unwrap();
    server.create(crate::mock::RealmSpec::new("a")).unwrap();
    server.realms.forget_idle();
    assert!(server.realms.peek("a").is_none() && server.realms.peek("default").is_some());
    let server = MockServer::builder().realm_limit(2).start_blocking().unwrap();
    post(&server, "/realms", &object());
    assert_eq!(call(&server, "POST", "/realms", &object()).status, 503);
    let open = MockServer::builder().realm_limit(1).realms_on_first_use().start_blocking().unwrap();
    let refused = send_to(&open, "GET", "/new/jwks", &[], "");
    assert_eq!((refused.status, refused.json()["title"].clone()), (503, "No room".into()));
    assert_eq!(send_to(&open, "GET", "/-new/jwks", &[], "").status, 404);
}

#[test]
fn thousands_of_realms_live_side_by_side() {
    let server = start();
    let begun = Instant::now();
    for number in 0..3_000 {
        server.create(crate::mock::RealmSpec::new(format!("r{number}"))).unwrap();
    }
    let each = begun.elapsed() / 3_000;
    exchange(&server, "r2999");
    assert_eq!(get(&server, "/realms")["realms"].as_array().unwrap().len(), 3_001);
    // A debug build on a busy machine: far above what is measured, far below what anything that makes keys would take.
    assert!(each < Duration::from_millis(2), "{each:?} for each realm");
}
