//! Rules that apply at a moment: in a running realm, by conditions, in sequence, with literal answers; and what is said of them.

use std::time::Duration;

use serde_json::json;

use super::browser::Browser;
use super::{error, post, redeem, refresh, refused, resource, strict, tokens, under};
use crate::mock::Realm;
use crate::oauth::Response;
use crate::policy::{Change, PolicySet, Respond, Script, Test, When};

fn scripted(text: &str) -> Realm {
    let realm = strict();
    realm.add_script(&Script::from_toml("script.toml", text).unwrap_or_else(|problems| panic!("{}", problems[0]))).unwrap();
    realm
}

fn service(realm: &Realm) -> Response {
    post(realm, "token", "service", &[("grant_type", "client_credentials")])
}

fn statuses(realm: &Realm, count: usize) -> Vec<u16> {
    (0..count).map(|_| service(realm).status).collect()
}

#[test]
fn a_literal_answer_uses_nothing_up() {
    let realm = scripted(
        r#"
        [busy]
        [[busy.patch]]
        when = { endpoint = "token", grant = "authorization_code", once = true }
        respond = { status = 503, headers = { Retry-After = "1" }, json = { error = "temporarily_unavailable" } }
        "#,
    );
    let code = Browser::new(&realm).code("web");
    let busy = redeem(&realm, "web", &code);
    assert_eq!(error(&busy), refused(503, "temporarily_unavailable"));
    assert_eq!((busy.headers.get("retry-after").as_deref(), busy.media_type().as_str()), (Some("1"), "application/json"));
    let entry = realm.journal().last().unwrap();
    assert_eq!((entry.applied.as_slice(), entry.cause), (&["busy".to_owned()][..], Some("scripted")));
    let rule = &entry.rules[0];
    assert_eq!((rule.patch.as_str(), rule.rule, rule.does.as_str()), ("busy", 1, "respond 503"));
    assert_eq!(redeem(&realm, "web", &code).status, 200);
    assert!(realm.unmatched().is_empty());
}

#[test]
fn bodies_of_literal_answers() {
    let body = |body: &str| {
        let text = format!("[s]\n[[s.patch]]\nrespond = {{ {body} }}\n");
        service(&scripted(&text)).body
    };
    assert_eq!(body("body = \"né\""), "né".as_bytes());
    assert_eq!(body("hex = \"00fF\""), [0, 255]);
    assert_eq!(body("json = [1, { a = true }]"), br#"[1,{"a":true}]"#);
    assert_eq!(body("status = 204"), b"");
}

#[test]
fn requests_are_chosen_by_their_number() {
    let when = |condition: &str| {
        let rule = format!("when = {{ endpoint = \"token\", {condition} }}\nrespond = {{ status = 503 }}\n");
        statuses(&scripted(&format!("[s]\n[[s.patch]]\n{rule}")), 5)
    };
    assert_eq!(when("nth = 2"), [200, 503, 200, 200, 200]);
    assert_eq!(when("first = 2"), [503, 503, 200, 200, 200]);
    assert_eq!(when("skip = 2"), [200, 200, 503, 503, 503]);
    assert_eq!(when("skip = 1, first = 3"), [200, 503, 503, 200, 200]);
    assert_eq!(when("skip = 1, once = true"), [200, 503, 200, 200, 200]);
}

#[test]
fn a_sequence_goes_on_when_a_rule_is_used_up() {
    let realm = scripted(
        r#"
        [day]
        sequence = true
        [[day.patch]]
        when = { endpoint = "token" }
        respond = { status = 500 }
        [[day.patch]]
        when = { endpoint = "token", first = 2 }
        respond = { status = 503 }
        [[day.patch]]
        when = { endpoint = "jwks" }
        respond = { status = 404 }
        [[day.patch]]
        when = { endpoint = "token", once = false }
        respond = { status = 429 }
        "#,
    );
    assert_eq!(statuses(&realm, 5), [500, 503, 503, 200, 200]);
    let unmatched: Vec<String> = realm.unmatched().iter().map(ToString::to_string).collect();
    assert_eq!(
        unmatched,
        [
            "rule 3 of `day` (endpoint = jwks) never applied; closest was POST /r/token: endpoint = jwks, but it was \"token\"",
            "rule 4 of `day` (endpoint = token) never applied; rule 3 before it was not used up",
        ]
    );
    let jwks = crate::oauth::Request::get(super::url("jwks"));
    assert_eq!((realm.handle(&jwks).status, realm.handle(&jwks).status), (404, 200));
    assert_eq!(statuses(&realm, 3), [429, 429, 429]);
}

#[test]
fn a_fault_for_a_moment() {
    let rule = |id: &str| {
        let when = "when = { client = \"web\", endpoint = \"token\", skip = 1 }";
        format!("[leak]\n[[leak.patch]]\n{when}\nfault = \"{id}\"\n")
    };
    let problems = Script::from_toml("s.toml", &rule("code-reusable.acept")).unwrap_err();
    assert!(problems[0].to_string().starts_with("s.toml:4:9: unknown fault `code-reusable.acept` (there is "), "{}", problems[0]);
    let realm = scripted(&rule("code-reusable.accept"));
    let code = Browser::new(&realm).code("web");
    assert_eq!(redeem(&realm, "web", &code).status, 200);
    assert_eq!(redeem(&realm, "web", &code).status, 200);
    let entry = realm.journal().last().unwrap();
    assert_eq!(entry.applied, ["leak", "code-reusable.accept"]);
    assert_eq!(entry.rules[0].does, "fault code-reusable.accept");
    // Of another client nothing is reused.
    let code = Browser::new(&realm).code("web2");
    assert_eq!(redeem(&realm, "web2", &code).status, 200);
    assert_eq!(error(&redeem(&realm, "web2", &code)), refused(400, "invalid_grant"));
}

#[test]
fn conditions_on_the_request() {
    let matched = |condition: &str| {
        let realm = scripted(&format!("[s]\n[[s.patch]]\nwhen = {{ {condition} }}\nrespond = {{ status = 418 }}\n"));
        service(&realm).status == 418
    };
    assert!(matched("method = \"post\""));
    assert!(matched("form = { grant_type = \"client_credentials\" }"));
    assert!(matched("form = { grant_type = [\"password\", \"client_credentials\"] }"));
    assert!(matched("form = { grant_type = { matches = \"^client_\" }, scope = { absent = true } }"));
    assert!(matched("header = { authorization = { matches = \"^Basic \" }, Accept = \"application/json\" }"));
    assert!(matched("client = \"service\", auth = \"basic\", grant = \"client_credentials\""));
    for condition in [
        "method = \"GET\"",
        "query = { grant_type = { present = true } }",
        "form = { scope = { present = true } }",
        "header = { accept = \"text/html\" }",
        "json = { grant_type = { present = true } }",
        "user = \"alice\"",
    ] {
        assert!(!matched(condition), "{condition}");
    }
}

#[test]
fn moments_of_the_realms_clock() {
    let realm = scripted("[s]\n[[s.patch]]\nwhen = { after = \"1m\", until = \"2m\" }\nrespond = { status = 503 }\n");
    let minute = |_| {
        let status = service(&realm).status;
        realm.advance(Duration::from_secs(60));
        status
    };
    assert_eq!((0..3).map(minute).collect::<Vec<_>>(), [200, 503, 200]);
}

#[test]
fn scripts_come_and_go_while_counts_stay() {
    let realm = strict();
    let third = |id: &str, status: u16| Script::new(id).rule(When::at("token").nth(3), Respond::new(status));
    realm.add_script(&third("one", 501)).unwrap();
    assert_eq!(statuses(&realm, 1), [200]);
    realm.add_script(&third("two", 502)).unwrap();
    assert_eq!(statuses(&realm, 3), [200, 501, 502]);
    assert_eq!(realm.scripts().iter().map(|script| script.id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    realm.add_script(&Script::new("all").rule(When::always(), Respond::new(503))).unwrap();
    assert_eq!(statuses(&realm, 1), [503]);
    realm.remove_script("all");
    assert_eq!((statuses(&realm, 1), realm.scripts().len()), (vec![200], 2));
    realm.clear_scripts();
    assert!(realm.scripts().is_empty());
    let wrong = Script::new("wrong").rule(When::always(), Change::set("code.lifetme", 1));
    let error = realm.add_script(&wrong).unwrap_err().to_string();
    assert_eq!(error, "`wrong`: unknown setting `code.lifetme`, did you mean `code.lifetime`?");
}

#[test]
fn a_setting_for_a_moment_lies_over_the_policies() {
    let realm = under(PolicySet::new([&crate::policy::Patch::new("base").set("access_token.lifetime", 60)]).unwrap());
    realm
        .add_script(
            &Script::new("short").rule(When::at("token").client("service").once(), Change::set("access_token.lifetime", 1)),
        )
        .unwrap();
    let lifetime = || service(&realm).json().unwrap()["expires_in"].clone();
    assert_eq!((lifetime(), lifetime()), (json!(1), json!(60)));
    let entries = realm.journal().entries();
    let does: Vec<&str> = entries[0].rules.iter().map(|rule| rule.does.as_str()).collect();
    assert_eq!(does, ["set access_token.lifetime", "set access_token.lifetime"]);
}

#[test]
fn near_misses_name_what_was_wrong() {
    let realm = strict();
    let rule = When::at("token").grant("refresh_token").parameter("scope", Test::Present);
    realm.add_script(&Script::new("narrow").rule(rule.once(), Respond::new(400))).unwrap();
    assert_eq!(service(&realm).status, 200);
    let body = tokens(&realm, "web");
    let miss = || realm.unmatched()[0].nearest.as_ref().unwrap().to_string();
    assert!(
        miss().starts_with("POST /r/token: grant = refresh_token, but it was \"client_credentials\"; parameter `scope` present")
    );
    assert_eq!(refresh(&realm, "web", &body["refresh_token"]).status, 200);
    assert_eq!(miss(), "POST /r/token: parameter `scope` present, but there was none");
    assert_eq!(resource(&realm, &body["access_token"]), 200);
    let unmet = realm.verify().unwrap_err();
    assert_eq!(
        unmet.to_string(),
        "realm `r`: not everything went as expected\n\
         rule 1 of `narrow` (endpoint = token, grant = refresh_token, parameter `scope` present, once) never applied\n  \
         closest was POST /r/token\n    \
         held  endpoint = token\n    \
         held  grant = refresh_token\n    \
         not   parameter `scope` present: there was none"
    );
}

#[test]
fn json_and_toml_are_one_grammar() {
    let toml = r#"
        [day]
        sequence = true
        optional = true
        [[day.patch]]
        when = { endpoint = ["token", "par"], form = { scope = { matches = "^a" } }, first = 2, skip = 1, until = "5m" }
        respond = { status = 503, headers = { X-A = "b" }, hex = "00ff", bytes = { delay = "5ms", bandwidth = 10, drop = true } }
        [[day.patch]]
        fault = "code-reusable.accept"
        variant = ["opaque-access-tokens"]
        [[day.patch]]
        rewrite.bytes = { truncate = 3, reset = true }
    "#;
    let json = json!({"day": {"sequence": true, "optional": true, "patch": [
        {
            "when": {"endpoint": ["token", "par"], "form": {"scope": {"matches": "^a"}}, "first": 2, "skip": 1, "until": "5m"},
            "respond": {"status": 503, "headers": {"X-A": "b"}, "hex": "00ff", "bytes": {"delay": "5ms", "bandwidth": 10, "drop": true}}
        },
        {"fault": "code-reusable.accept", "variant": ["opaque-access-tokens"]},
        {"rewrite": {"bytes": {"truncate": 3, "reset": true}}}
    ]}});
    let (one, other) = (Script::from_toml("s", toml).unwrap(), Script::from_json(&json).unwrap());
    assert_eq!(format!("{:?}", one.patches()[0].rules), format!("{:?}", other.patches()[0].rules));
    assert!(other.patches()[0].sequence && other.patches()[0].optional);
}

#[test]
fn every_example_of_the_readme_is_a_script() {
    let readme = include_str!("../../../fixtures/scripts/README.md");
    let examples: Vec<&str> = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 4);
    for example in examples {
        let script = Script::from_toml("README.md", example).unwrap_or_else(|problems| panic!("{}\n{example}", problems[0]));
        strict().add_script(&script).unwrap();
    }
}

#[test]
fn mistakes_have_a_place() {
    let mistakes = |rule: &str| {
        let problems = Script::from_toml("s", &format!("[s]\n[[s.patch]]\n{rule}\n")).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes("when = { status = 400 }\nrespond = {}"),
        [
            "s:3:10: `status` is of the answer, and a rule is chosen before there is one (choose by what the request is like; `answer` says for which answers a rewrite is)"
        ]
    );
    assert_eq!(mistakes("respond = { body = \"a\", hex = \"00\" }"), ["s:3:25: a body is one of `body`, `json` and `hex`"]);
    assert_eq!(mistakes("respond = { hex = \"0\" }"), ["s:3:19: expected pairs of hexadecimal digits: hex = \"00ff\""]);
    assert_eq!(
        mistakes("when = { form = { a = { matches = \"(\" } } }\nrespond = {}"),
        ["s:3:35: this is no regular expression: unclosed group"]
    );
    assert_eq!(mistakes("respond = { status = 99 }"), ["s:3:22: expected a whole number from 200, found the number 99"]);
    let json = json!({"s": {"patch": [{"when": {"header": {"a/b": 5}}, "respond": {}}]}});
    let problems = Script::from_json(&json).unwrap_err();
    assert_eq!(problems[0].pointer.as_deref(), Some("/s/patch/0/when/header/a~1b"));
}

fn later(realm: &Realm, seconds: u64) -> u16 {
    realm.advance(Duration::from_secs(seconds));
    service(realm).status
}

#[test]
fn a_rule_for_one_kind_of_answers_counts_those() {
    let wrong = |realm: &Realm| post(realm, "token", "service", &[("grant_type", "nope")]).status;
    let script = |rules: &str| scripted(&format!("[s]\n{rules}"));
    let teapot = "rewrite.message = { status = 418 }\n";
    let once = script(&format!("[[s.patch]]\nwhen = {{ endpoint = \"token\", answer = \"error\", once = true }}\n{teapot}"));
    assert_eq!((service(&once).status, once.journal().last().unwrap().rules.len()), (200, 0));
    assert_eq!(
        once.unmatched()[0].to_string(),
        "rule 1 of `s` (endpoint = token, once, answer = error) never applied; closest was POST /r/token: answer = error, but it was \"success\""
    );
    assert_eq!((wrong(&once), wrong(&once)), (418, 400));
    assert!(once.unmatched().is_empty());
    let second = script(&format!("[[s.patch]]\nwhen = {{ endpoint = \"token\", answer = \"error\", nth = 2 }}\n{teapot}"));
    assert_eq!((wrong(&second), service(&second).status, wrong(&second), wrong(&second)), (400, 200, 418, 400));
    let turns = script(&format!(
        "sequence = true\n[[s.patch]]\nwhen = {{ endpoint = \"token\", answer = \"error\" }}\n{teapot}\
         [[s.patch]]\nwhen = {{ endpoint = \"token\" }}\nrespond = {{ status = 503 }}\n"
    ));
    assert_eq!((service(&turns).status, wrong(&turns), service(&turns).status, service(&turns).status), (200, 418, 503, 200));
}

#[test]
fn times_are_counted_from_when_a_script_is_put_in_force() {
    let rule = "[s]\n[[s.patch]]\nwhen = { endpoint = \"token\", after = \"1m\" }\nrespond = { status = 503 }\n";
    let script = Script::from_toml("s.toml", rule).unwrap();
    let realm = strict();
    realm.advance(Duration::from_secs(3600));
    realm.add_script(&script).unwrap();
    assert_eq!((service(&realm).status, later(&realm, 59), later(&realm, 1)), (200, 200, 503));
    realm.reset(realm.policies());
    assert_eq!((service(&realm).status, later(&realm, 60)), (200, 503));
}

#[test]
fn the_latest_of_those_that_came_too_early_is_the_nearest() {
    let realm = scripted(
        "[s]\n[[s.patch]]\nwhen = { endpoint = \"token\", after = \"60s\" }\nrespond = { status = 503 }\n\
         [[s.patch]]\nwhen = { endpoint = \"token\", nth = 9 }\nrespond = { status = 503 }\n",
    );
    realm.freeze();
    assert_eq!((service(&realm).status, later(&realm, 59), later(&realm, 0)), (200, 200, 200));
    let told: Vec<String> = realm.unmatched().iter().map(ToString::to_string).collect();
    assert!(told[0].contains("59s had passed") && told[1].contains("it was number 3"), "{told:?}");
}

#[test]
fn what_can_never_hold_is_refused() {
    for (when, wanted) in [
        ("first = 1, nth = 2", "s.toml:3:27: this can never hold: request 2 is not among the first 1"),
        ("nth = 2, skip = 2", "s.toml:3:16: this can never hold: request 2 is among the 2 that are skipped"),
        ("skip = 2, first = 2", "skip = 2, first = 4 are the 2 after the 2"),
        ("after = \"2m\", until = \"1m\"", "it ends after 60s, before it begins after 120s"),
        ("endpoint = \"jwks\", grant = \"password\"", "only requests to the endpoint `token` have a grant"),
        ("until = \"0s\"", "it ends before it begins"),
        ("path = \"jwks\"", "`jwks` is no path: one begins with `/` or `*`"),
        ("client = []", "an empty list names nothing (leave the member out where anything will do)"),
        ("form = { scope = [] }", "an empty list names nothing"),
    ] {
        let text = format!("[s]\n[[s.patch]]\nwhen = {{ {when} }}\nrespond = {{ status = 503 }}\n");
        let problems = Script::from_toml("s.toml", &text).unwrap_err();
        assert!(problems[0].to_string().contains(wanted), "{when}: {}", problems[0]);
    }
    let realm = strict();
    let error = realm.add_script(&Script::new("s").rule(When::at("token").first(1).nth(2), Respond::new(503))).unwrap_err();
    assert_eq!(error.to_string(), "`s`: `nth` can never hold: request 2 is not among the first 1");
}

#[test]
fn what_is_nowhere_can_be_answered_and_is_told_how_it_went_out() {
    let realm = scripted(
        "[s]\n[[s.patch]]\nwhen = { endpoint = \"unknown\" }\nrespond = { status = 200, body = \"hello\", bytes = { reset = true, delay = \"1s\" } }\n",
    );
    assert_eq!(realm.handle(&crate::oauth::Request::get(super::url("nowhere"))).status, 200);
    let entry = realm.journal().last().unwrap();
    assert_eq!((entry.endpoint, entry.delivery.as_slice()), ("unknown", &["delayed by 1s".to_owned(), "reset".to_owned()][..]));
    assert!(entry.matches(&crate::policy::Matcher::at("unknown")));
}

#[test]
fn the_original_differs_in_what_was_rewritten_alone() {
    let realm =
        scripted("[s]\n[[s.patch]]\nwhen = { endpoint = \"token\" }\nrewrite.message.members = { token_type = \"DPoP\" }\n");
    let told = service(&realm).json().unwrap();
    let entry = realm.journal().last().unwrap();
    let mut original = entry.original.as_ref().unwrap().json().unwrap();
    assert_eq!(original["token_type"], "Bearer");
    original["token_type"] = told["token_type"].clone();
    assert_eq!(original, told);
}

#[test]
fn documents_of_one_endpoint_are_told_apart_by_their_paths() {
    let realm = scripted(
        "[s]\n[[s.patch]]\nwhen = { path = \"*/openid-configuration\" }\nrewrite.message.members = { issuer = \"https://other.example\" }\n",
    );
    let issuer = |path: &str| {
        let url = format!("https://as.example{path}");
        realm.handle(&crate::oauth::Request::get(url)).json().unwrap()["issuer"].clone()
    };
    assert_eq!(issuer("/r/.well-known/openid-configuration"), "https://other.example");
    assert_eq!(issuer("/.well-known/oauth-authorization-server/r"), "https://as.example/r");
}

#[test]
fn header_fields_can_stand_more_than_once() {
    let challenges = |what: &str| {
        let realm = scripted(&format!("[s]\n[[s.patch]]\n{what} = [\"Basic\", \"Bearer\"] }}\n"));
        let answer = service(&realm);
        answer.headers.all("www-authenticate").map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(challenges("respond.headers = { WWW-Authenticate"), ["Basic", "Bearer"]);
    assert_eq!(challenges("rewrite.message.headers = { WWW-Authenticate"), ["Basic", "Bearer"]);
}
