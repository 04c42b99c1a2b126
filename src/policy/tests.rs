//! Patch files from text to effect: each mistake with its message, families, merging, conditions, the library.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::oauth::{Params, Request};
use crate::problem::Source;

const FAULT: &str = "[f]\ntitle = \"T\"\nbreaks = [\"RFC6749-4.1.2-05\"]\n";

fn problems(kind: PatchKind, text: &str) -> Vec<String> {
    let problems = Patch::parse(kind, &Source::new("f.toml", text)).map(drop).expect_err("there is a mistake");
    problems.iter().map(ToString::to_string).collect()
}

/// The only problem of a fault with these further lines (the first of them is line 4).
fn mistake(lines: &str) -> String {
    let all = problems(PatchKind::Fault, &format!("{FAULT}{lines}"));
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

fn patches(kind: PatchKind, text: &str) -> Vec<Patch> {
    Patch::parse(kind, &Source::new("f.toml", text)).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn script(lines: &str) -> Vec<Patch> {
    patches(PatchKind::Script, &format!("[s]\n{lines}"))
}

fn moment<'a>(endpoint: &'a str, params: &'a Params) -> Moment<'a> {
    static REQUEST: LazyLock<Request> = LazyLock::new(|| Request::get("https://as.example/r/x"));
    let (request, elapsed) = (&*REQUEST, Duration::ZERO);
    Moment { endpoint, grant: None, client: None, auth: None, user: None, params, request, elapsed, answered: None }
}

#[test]
fn mistakes_in_settings() {
    assert_eq!(
        mistake("[[f.patch]]\nset = { \"code.reus\" = \"accept\" }"),
        "f.toml:5:9: unknown setting `code.reus` (did you mean `code.reuse`?)"
    );
    assert_eq!(
        mistake("[[f.patch]]\nset = { \"code.reuse\" = \"acept\" }"),
        "f.toml:5:24: `code.reuse` is one of `refuse`, `accept`, `within-grace`, `from-others`, not \"acept\""
    );
    assert_eq!(
        mistake("[[f.patch]]\nset = { \"code.lifetime\" = true }"),
        "f.toml:5:27: `code.lifetime` is a whole number from 0, not true"
    );
    assert_eq!(
        mistake("[[f.patch]]\nset = { code = 1 }"),
        "f.toml:5:9: `code` is a group of settings (name one of them: `code.lifetime`, `code.check_expiry`, `code.reuse`…)"
    );
    assert_eq!(
        mistake("[[f.patch]]\nset.code.lifetme = 1"),
        "f.toml:5:10: unknown setting `code.lifetme` (did you mean `code.lifetime`?)"
    );
    assert_eq!(
        mistake("[[f.patch]]\nunset = [\"nothing.like.this.exists\"]"),
        "f.toml:5:10: unknown setting `nothing.like.this.exists`"
    );
    assert_eq!(
        mistake("[[f.patch]]\nset = { \"metadata.set\" = 1 }"),
        "f.toml:5:26: `metadata.set` is a table, not the number 1"
    );
}

#[test]
fn mistakes_in_rules() {
    let unset = "unset = [\"code.reuse\"]";
    let when = |condition: &str| mistake(&format!("[[f.patch]]\nwhen = {{ {condition} }}\n{unset}"));
    assert_eq!(when("endpont = \"token\""), "f.toml:5:10: unknown key `endpont` (did you mean `endpoint`?)");
    assert_eq!(when("endpoint = \"tokens\""), "f.toml:5:21: unknown endpoint `tokens` (did you mean `token`?)");
    assert_eq!(when("auth = \"digest\""), "f.toml:5:17: unknown client authentication `digest` (known: `basic`, `post`, `none`)");
    assert_eq!(when("nth = 0"), "f.toml:5:16: expected a whole number from 1, found the number 0");
    assert_eq!(when("after = 30"), "f.toml:5:18: expected a string, found the number 30");
    assert_eq!(
        when("after = \"30\""),
        "f.toml:5:18: \"30\" is no length of time (write a number and a unit: 250ms, 5s, 10m, 2h, 1d)"
    );
    assert_eq!(when("probability = 2"), "f.toml:5:24: a probability is from 0 to 1, not 2");
    assert_eq!(
        when("parameter = { state = {} }"),
        "f.toml:5:32: expected a string, a list of strings, { matches = \"…\" }, { present = true } or { absent = true }"
    );
    assert_eq!(when("answer = \"error\""), "f.toml:5:10: `answer` is for rewrites: a decision is made before there is an answer");
    assert_eq!(
        mistake("[[f.patch]]\nwhen = {}"),
        "f.toml:4:1: this rule does nothing: it has neither `set`, `unset`, `rewrite`, `respond`, `fault` nor `variant`"
    );
    assert_eq!(
        mistake("[[f.patch]]\nunset = [\"code.reuse\"]\nrewrite.bytes = { reset = true }"),
        "f.toml:6:1: a rule has one of `set`, `rewrite`, `respond` and `fault` (a decision, a defect of one answer, a literal answer, or a fault by its id: make a rule of each)"
    );
    assert_eq!(
        mistake("[[f.patch]]\nrewrite = {}"),
        "f.toml:5:11: this rewrite changes nothing (give it `message`, `claims`, `jws` or `bytes`)"
    );
    assert_eq!(
        mistake("[[f.patch]]\nrewrite.message = { status = 99 }"),
        "f.toml:5:30: expected a whole number from 100, found the number 99"
    );
    assert_eq!(
        mistake("[[f.patch]]\nrewrite.message = { members = { a = 1 }, unset_members = [\"a\"] }"),
        "f.toml:5:59: `a` is both set and unset"
    );
    assert_eq!(
        mistake("[[f.patch]]\nrewrite.jws = { signature = \"bad\" }"),
        "f.toml:5:29: expected one of `none`, `flip`, `other-key`, `empty-key`, found \"bad\""
    );
}

#[test]
fn answers_are_such_as_http_carries() {
    let respond = |members: &str| mistake(&format!("[[f.patch]]\nrespond = {{ {members} }}"));
    assert_eq!(respond(r#"headers = { "X Y" = "z" }"#), "f.toml:5:25: `X Y` cannot name a header field (RFC 9110 section 5.1)");
    assert_eq!(
        respond(r#"headers = { X = "a\r\nb: c" }"#),
        "f.toml:5:29: a header field holds no control characters (RFC 9110 section 5.5)"
    );
    assert_eq!(
        respond(r#"headers = { content-length = "3" }"#),
        "f.toml:5:25: `content-length` follows from the body (for a body that is shorter than announced, write bytes = { truncate = 10 })"
    );
    assert_eq!(respond(r#"status = 204, body = "x""#), "f.toml:5:27: an answer with status 204 has no body");
    let empty = "[s]\n[[s.patch]]\nrewrite.message = { status = 204, body = \"\" }";
    assert!(Script::from_toml("s.toml", empty).is_ok());
    assert_eq!(
        mistake("[[f.patch]]\nrewrite.message = { headers = { X = \"\\u0000\" } }"),
        "f.toml:5:37: a header field holds no control characters (RFC 9110 section 5.5)"
    );
}

#[test]
fn mistakes_in_patches() {
    assert_eq!(
        mistake("brakes = []\n[[f.patch]]\nunset = [\"code.reuse\"]"),
        "f.toml:4:1: unknown key `brakes` (did you mean `breaks`?)"
    );
    assert_eq!(mistake(""), "f.toml:1:2: `f` changes nothing (add [[f.patch]] with `set` or `rewrite`)");
    assert_eq!(
        mistake("plans = [\"bcp\"]\n[[f.patch]]\nunset = [\"code.reuse\"]"),
        "f.toml:4:1: `plans` belongs to variants, and this is a fault"
    );
    assert_eq!(
        mistake("requires = { endpoint = \"revoke\" }\n[[f.patch]]\nunset = [\"code.reuse\"]"),
        "f.toml:4:25: unknown endpoint `revoke` (known: `introspection`, `metadata`, `registration`, `revocation`, `userinfo`)"
    );
    assert_eq!(
        problems(PatchKind::Fault, "[f]\n[[f.patch]]\nunset = [\"code.reuse\"]"),
        [
            "f.toml:1:1: `title` is missing",
            "f.toml:1:2: `f` does not say what it `breaks` (name the requirements: breaks = [\"RFC6749-4.1.2-05\"])"
        ]
    );
    assert_eq!(
        problems(
            PatchKind::Variant,
            "[v]\ntitle = \"\"\nbreaks = [\"x\"]\ndeclines = [\"server/*\"]\n[[v.patch]]\nunset = [\"code.reuse\"]"
        ),
        [
            "f.toml:3:1: `breaks` belongs to faults, and this is a variant",
            "f.toml:4:13: `server/*` names no check (write scenario-id#check-name; both may be patterns)"
        ]
    );
    assert_eq!(
        problems(PatchKind::Script, "[\"A.b\"]\n"),
        ["f.toml:1:2: `A.b` is no id of a patch (use lower-case letters, digits and hyphens)"]
    );
}

#[test]
fn mistakes_in_families() {
    let tail = "\n[[f.patch]]\nset = { \"code.reuse\" = \"{value}\" }";
    let each = |each: &str| mistake(&format!("each = {each}{tail}"));
    assert_eq!(
        each("{ value = [\"accept\"], other = [1] }"),
        "f.toml:4:30: `other` is never used: write {other} where its value belongs"
    );
    assert_eq!(each("{ value = [\"accept\"], other = [] }"), "f.toml:4:38: a family has at least one member");
    assert_eq!(each("{ value = \"accept\" }"), "f.toml:4:18: expected a list, found the string \"accept\"");
    assert_eq!(
        each("{ value = [\"accept\", \"Accept\"] }"),
        "f.toml:4:29: two members are called `f.accept` (the names come from `value`, the first key of `each`)"
    );
    assert_eq!(
        each("{ name = [\"a\"], value = [\"accept\", \"refuse\"] }"),
        "f.toml:4:24: `value` has 2 elements and `name` has 1: they are taken in pairs"
    );
    assert_eq!(
        each("{ value = [\"accept\", \"never\"] }"),
        "f.toml:6:24: `code.reuse` is one of `refuse`, `accept`, `within-grace`, `from-others`, not \"never\""
    );
}

#[test]
fn a_first_key_may_be_only_the_name() {
    let text = format!(
        "{FAULT}each = {{ name = [\"long\"], value = [9] }}\n[[f.patch]]\nset = {{ \"code.lifetime\" = \"{{value}}\" }}\n"
    );
    assert_eq!(patches(PatchKind::Fault, &text)[0].id, "f.long");
}

#[test]
fn a_star_means_every_setting_that_fits() {
    let set = |key: &str| format!("[x]\n[[x.patch]]\nset = {{ \"{key}\" = 418, \"errors.token.used_code.status\" = 409 }}");
    let patch = &patches(PatchKind::Script, &set("errors.token.*.status"))[0];
    let policy = PolicySet::new([patch]).unwrap();
    let errors = &policy.base().errors.token;
    assert_eq!((errors.expired_code.status, errors.method.status, errors.used_code.status), (418, 418, 409));
    assert_eq!(problems(PatchKind::Script, &set("errors.*.nothing")), ["f.toml:3:9: no setting fits `errors.*.nothing`"]);
}

#[test]
fn a_profile_begins_with_another_one() {
    let text = r#"
[plain]
title = "A"
[[plain.patch]]
set = { "code.lifetime" = 1, "code.grace" = 2 }
[tenant]
title = "B"
base = "plain"
[[tenant.patch]]
set = { "code.lifetime" = 3 }
"#;
    let mut library = Library::empty();
    library.load_file(PatchKind::Profile, &Source::new("p.toml", text)).unwrap();
    let policy = PolicySet::new([library.profile("tenant").unwrap()]).unwrap();
    assert_eq!((policy.base().code.lifetime, policy.base().code.grace), (3, 2));
    let later =
        Source::new("q.toml", "[x]\ntitle = \"C\"\nbase = \"y\"\n[y]\ntitle = \"D\"\n[[y.patch]]\nunset = \"code.grace\"");
    let problems = library.load_file(PatchKind::Profile, &later).unwrap_err();
    assert_eq!(problems[0].message, "there is no profile `y` before this one");
    assert_eq!(
        mistake("base = \"plain\"\n[[f.patch]]\nunset = \"code.grace\""),
        "f.toml:4:1: `base` belongs to profiles, and this is a fault"
    );
}

#[test]
fn members_of_a_family() {
    let text = "[f]\ntitle = \"Lives {seconds} s, {checked}\"\nbreaks = [\"R-1-a\"]\neach = { seconds = [0, 86400], checked = [true, false] }\n[[f.patch]]\nset = { \"code.lifetime\" = \"{seconds}\", \"code.check_expiry\" = \"{checked}\", \"code.prefix\" = \"p{seconds}\" }\n";
    let family = patches(PatchKind::Fault, text);
    assert_eq!(family.iter().map(|patch| patch.id.as_str()).collect::<Vec<_>>(), ["f.0", "f.86400"]);
    assert_eq!(family[1].title, "Lives 86400 s, false");
    let policy = PolicySet::new([&family[1]]).unwrap();
    let code = &policy.base().code;
    assert_eq!((code.lifetime, code.check_expiry, code.prefix.as_str()), (86400, false, "p86400"));
}

#[test]
fn merging_is_key_by_key_and_the_last_wins() {
    let first = script(
        "[[s.patch]]\nset = { \"metadata.set.foo\" = 1, \"metadata.set.bar\" = [1, 2], \"token.grants\" = [\"password\"], \"code.length\" = 10 }\n",
    );
    let second = script("[[s.patch]]\nset.metadata.set = { bar = { a = 1 } }\nunset = [\"metadata.set.foo\", \"code.length\"]\n");
    let policy = PolicySet::new(first.iter().chain(&second)).unwrap();
    let policy = policy.base();
    assert_eq!(policy.metadata.set, [("bar".to_owned(), json!({"a": 1}))].into());
    assert_eq!((policy.token.grants.clone(), policy.code.length), (vec!["password".to_owned()], 43));
    assert_eq!(policy.code.lifetime, Policy::default().code.lifetime);
}

#[test]
fn a_conditional_rule_changes_only_its_moments() {
    let rules = script(
        "[[s.patch]]\nwhen = { endpoint = \"token\", parameter = { code = { present = true }, x = \"1\" } }\nset = { \"code.reuse\" = \"accept\" }\n",
    );
    let set = PolicySet::new(&rules).unwrap();
    assert_eq!(set.base().code.reuse, Reuse::Refuse);
    assert_eq!(set.unmatched()[0].nearest, None);
    let none = Params::new();
    assert_eq!(set.at(&moment("token", &none)).policy.code.reuse, Reuse::Refuse);
    assert_eq!(set.at(&moment("jwks", &none)).applied, Vec::<String>::new());
    let near = "GET /r/x: parameter `code` present, but there was none; parameter `x` = \"1\", but there was none";
    assert_eq!(set.unmatched()[0].nearest.as_ref().unwrap().to_string(), near);
    let params: Params = [("code", "c"), ("x", "1")].into_iter().collect();
    let effective = set.at(&moment("token", &params));
    assert_eq!((effective.policy.code.reuse, effective.applied), (Reuse::Accept, vec!["s".to_owned()]));
    assert!(Arc::ptr_eq(&effective.policy, &set.at(&moment("token", &params)).policy), "made once");
    assert!(set.unmatched().is_empty());
}

#[test]
fn a_later_patch_wins_over_an_earlier_condition() {
    let first = script("[[s.patch]]\nwhen = { endpoint = \"token\" }\nset = { \"code.reuse\" = \"accept\" }\n");
    let second = script("[[s.patch]]\nset = { \"code.reuse\" = \"within-grace\" }\n");
    let params = Params::new();
    let reuse = |patches: Vec<&Patch>| PolicySet::new(patches).unwrap().at(&moment("token", &params)).policy.code.reuse;
    assert_eq!(reuse(vec![&first[0], &second[0]]), Reuse::WithinGrace);
    assert_eq!(reuse(vec![&second[0], &first[0]]), Reuse::Accept);
}

#[test]
fn counting_conditions() {
    let params = Params::new();
    let applied = |condition: &str| {
        let rules =
            script(&format!("[[s.patch]]\nwhen = {{ endpoint = \"token\", {condition} }}\nrewrite.bytes = {{ reset = true }}\n"));
        let set = PolicySet::new(&rules).unwrap().with_seed(7);
        let one = |number: u64| {
            let _other = set.at(&moment("jwks", &params));
            let moment = Moment { elapsed: Duration::from_secs(number), ..moment("token", &params) };
            u32::try_from(set.at(&moment).rewrites.len()).unwrap()
        };
        (0..100).map(one).collect::<Vec<_>>()
    };
    assert_eq!(applied("nth = 2")[..4], [0, 1, 0, 0]);
    assert_eq!(applied("once = true")[..3], [1, 0, 0]);
    assert_eq!(applied("after = \"2s\"")[..4], [0, 0, 1, 1]);
    assert_eq!(applied("once = true, after = \"2s\"")[..4], [0, 0, 1, 0]);
    assert_eq!(applied("probability = 0"), [0; 100]);
    assert_eq!(applied("probability = 1"), [1; 100]);
    assert_eq!(applied("probability = 0.5"), applied("probability = 0.5"), "reproducible");
    assert!((30..70).contains(&applied("probability = 0.5").iter().sum::<u32>()));
}

#[test]
fn a_rewrite_in_full() {
    let rules = script(concat!(
        "[[s.patch]]\nwhen = { endpoint = \"token\", answer = \"success\" }\n",
        "rewrite.message = { status = 201, headers = { \"Cache-Control\" = \"public\" }, unset_headers = [\"Pragma\"], members = { token_type = \"mac\" }, unset_members = [\"expires_in\"] }\n",
        "rewrite.claims = { set = { iss = \"x\" }, unset = [\"aud\"] }\n",
        "rewrite.jws = { alg = \"none\", header = { crit = [\"x\"] }, signature = \"flip\" }\n",
        "rewrite.bytes = { truncate = 10, delay = \"2s\" }\n",
    ));
    let Change::Answer(rewrite) = &rules[0].rules[0].change else { panic!("a rewrite") };
    assert_eq!(
        (rewrite.on, rewrite.status, rewrite.delivery.truncate, rewrite.delivery.delay),
        (Answer::Success, Some(201), Some(10), Some(Duration::from_secs(2)))
    );
    assert_eq!(json!(rewrite.members), json!({"token_type": "mac", "expires_in": null}));
    assert_eq!(json!(rewrite.claims), json!({"iss": "x", "aud": null}));
    assert_eq!(json!(rewrite.jws), json!({"alg": "none", "header": {"crit": ["x"]}, "signature": "flip"}));
    assert_eq!(rewrite.headers, [("Cache-Control".to_owned(), Some("public".to_owned())), ("Pragma".to_owned(), None)]);
}

#[test]
fn patches_that_cannot_be_together() {
    let variant = |id: &str, set: &str| {
        patches(PatchKind::Variant, &format!("[{id}]\ntitle = \"\"\n[[{id}.patch]]\nset = {{ {set} }}\n")).remove(0)
    };
    let (a, b, c) =
        (variant("a", "\"code.length\" = 1"), variant("b", "\"code.length\" = 2"), variant("c", "\"code.lifetime\" = 2"));
    assert_eq!(
        PolicySet::new([&a, &b]).unwrap_err().to_string(),
        "the variants `a` and `b` both write `code.length`: they cannot be combined"
    );
    assert!(PolicySet::new([&a, &c]).is_ok());
    let needs = script("requires = { grants = \"password\", pkce = \"S256\" }\n[[s.patch]]\nset = { \"code.length\" = 1 }\n");
    assert_eq!(
        PolicySet::new(&needs).unwrap_err().to_string(),
        "`s` cannot apply here: it needs the grant `password`, and the other patches take it away"
    );
    let gives = Patch::new("profile").set("token.grants", json!(["password"]));
    assert!(PolicySet::new(needs.iter().chain([&gives])).is_ok());
    let wrong = Patch::new("mine").set("code.lengh", 5);
    assert_eq!(
        PolicySet::new([&wrong]).unwrap_err().to_string(),
        "`mine`: unknown setting `code.lengh`, did you mean `code.length`?"
    );
    let wrong = Patch::new("mine").set("code.length", "x");
    assert_eq!(PolicySet::new([&wrong]).unwrap_err().to_string(), "`mine`: `code.length` is a whole number from 0, not \"x\"");
}

#[test]
fn patches_as_json() {
    let given = json!({"s": {"patch": [{"when": {"once": true}, "set": {"code.reuse": "accept", "code.length": null}}]}});
    assert_eq!(
        Patch::parse_json(PatchKind::Script, "script", &given).unwrap()[0].writes().into_iter().collect::<Vec<_>>(),
        ["code.length", "code.reuse"]
    );
    let wrong = json!({"s": {"patch": {"set": {"code.reuse": 5}}}});
    let problems = Patch::parse_json(PatchKind::Script, "script", &wrong).unwrap_err();
    assert_eq!(problems[0].message, "`code.reuse` is one of `refuse`, `accept`, `within-grace`, `from-others`, not 5");
}

#[test]
fn the_library_finds_by_id_and_pattern() {
    let text = format!(
        "{FAULT}each = {{ value = [\"accept\", \"within-grace\"] }}\n[[f.patch]]\nset = {{ \"code.reuse\" = \"{{value}}\" }}\n"
    );
    let mut library = Library::empty();
    let source = Source::new("f.toml", text);
    library.load_file(PatchKind::Fault, &source).unwrap();
    assert_eq!(library.fault("f.accept").unwrap().id, "f.accept");
    assert_eq!(library.faults_matching("f.*").count(), 2);
    assert_eq!(library.fault("f").unwrap_err().to_string(), "unknown fault `f` (there is `f.accept`, `f.within-grace`)");
    assert_eq!(
        library.fault("f.acept").unwrap_err().to_string(),
        "unknown fault `f.acept` (there is `f.accept`, `f.within-grace`)"
    );
    assert_eq!(library.fault("g.accept").unwrap_err().to_string(), "unknown fault `g.accept` (did you mean `f.accept`?)");
    assert_eq!(library.profile("x").unwrap_err().to_string(), "unknown profile `x`");
    let again = library.load_file(PatchKind::Fault, &source).unwrap_err();
    assert_eq!(again.iter().map(ToString::to_string).collect::<Vec<_>>(), ["f.toml:1:2: there is a fault `f` already"]);
    let missing = library.fault("f.accept").unwrap().unknown_requirements(&["RFC6749-4.1.2-06"]);
    assert_eq!(missing[0].to_string(), "f.toml:3:11: unknown requirement `RFC6749-4.1.2-05` (did you mean `RFC6749-4.1.2-06`?)");
}

#[test]
fn the_embedded_patches_are_sound() {
    let problems: Vec<String> = Library::check_embedded().iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    // Read one by one they are the same as read file by file.
    for (kind, files) in [
        (PatchKind::Fault, crate::embedded::faults()),
        (PatchKind::Variant, crate::embedded::variants()),
        (PatchKind::Profile, crate::embedded::profiles()),
    ] {
        let whole = files.iter().flat_map(|(name, text)| Patch::parse(kind, &Source::new(name, *text)).unwrap_or_default());
        let whole: Vec<String> = whole.map(|patch| patch.id).collect();
        assert_eq!(Library::embedded().all(kind).map(|patch| patch.id.clone()).collect::<Vec<_>>(), whole);
        for patch in Library::embedded().all(kind) {
            let others = if patch.requires.is_empty() { PolicySet::new([patch]).map(drop) } else { Ok(()) };
            assert_eq!(others, Ok(()), "{}", patch.id);
        }
    }
}

#[test]
fn patterns() {
    for (pattern, text, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a.*", "a.b.c", true),
        ("a.*", "a", false),
        ("*", "", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
        ("*é", "aé", true),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}
