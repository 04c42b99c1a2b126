//! Scenario files from text to type: the example of the README, and each mistake with its place and message.

use std::fmt::Write as _;

use super::load::load;
use super::reading::{Faults, Known, Origin};
use super::*;
use crate::catalog::{Catalogue, Level};
use crate::policy::{Library, PatchKind};
use crate::problem::{Problem, Source};

/// The first lines of a scenario with one client and one login; what is appended begins in line 9.
const HEAD: &str = "title = \"T\"\nseverity = \"high\"\nwhy = \"W\"\nfix = \"F\"\ncatches = [\"code-race\"]\nclients = { a = {} }\n[[steps]]\nauthorize = { client = \"a\", as = \"login\" }\n";

/// A check that is always right after a token request.
const GOOD: &str =
    "[[steps]]\ntoken = { from = \"login\", as = \"first\" }\nexpect = { name = \"good\", outcome = \"accepted\" }\n";

fn catalogue() -> Catalogue {
    let mut text = String::new();
    for (id, keyword) in [("RFC6749-4.1.2-05", "MUST"), ("RFC6749-4.1.2-06", "SHOULD"), ("RFC6749-5.2-a", "must")] {
        write!(text, "[{:?}]\nkeyword = {keyword:?}\nbinds = \"server\"\ntext = \"x\"\nseverity = \"high\"\n", id).unwrap();
    }
    let mut catalogue = Catalogue::default();
    catalogue.load(&Source::new("requirements.toml", text)).unwrap();
    catalogue
}

fn library() -> Library {
    let fault = |id: &str, each: &str| {
        format!(
            "[{id}]\ntitle = \"T\"\nbreaks = [\"RFC6749-4.1.2-05\"]\n{each}\n[[{id}.patch]]\nset = {{ \"code.prefix\" = \"{{v}}\" }}\n"
        )
    };
    let text = fault("code-reusable", "each = { v = [\"always\", \"within-grace\"] }")
        + &fault("code-reuse-keeps-tokens", "")
        + &fault("code-race", "");
    let mut library = Library::empty();
    library.load_file(PatchKind::Fault, &Source::new("faults.toml", text)).unwrap();
    library
}

fn read(text: &str, origin: Origin) -> Result<Scenario, Vec<Problem>> {
    let (catalogue, library) = (catalogue(), library());
    load(
        &Source::new("s.toml", text),
        "server/x/s",
        Known { catalogue: &catalogue, faults: Some(Faults { library: &library, of_clients: &[] }), origin },
    )
}

fn good(text: &str) -> Scenario {
    read(text, Origin::BuiltIn).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn all(text: &str) -> Vec<String> {
    read(text, Origin::BuiltIn).map(drop).expect_err("there is a mistake").iter().map(ToString::to_string).collect()
}

/// The only problem of a scenario with these further lines, the first of them is line 9.
#[track_caller]
fn mistake(lines: &str) -> String {
    let all = all(&format!("{HEAD}{lines}"));
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

/// The only problem of a token step with this inside, in line 10, and a check.
#[track_caller]
fn in_token(members: &str) -> String {
    mistake(&format!(
        "[[steps]]\ntoken = {{ from = \"login\", {members} }}\nexpect = {{ name = \"n\", outcome = \"refused\" }}\n"
    ))
}

/// The only problem of a check with this inside, in line 11.
#[track_caller]
fn in_check(members: &str) -> String {
    mistake(&format!("[[steps]]\ntoken = {{ from = \"login\", unset = [\"code\"] }}\nexpect = {{ {members} }}\n"))
}

#[test]
fn the_example_of_the_readme() {
    let readme = include_str!("../../scenarios/README.md");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let scenario = good(rest.split_once("```").unwrap().0);
    assert_eq!(scenario.requirements(), ["RFC6749-4.1.2-05", "RFC6749-5.2-a", "RFC6749-4.1.2-06"]);
    assert_eq!((scenario.level(&catalogue()), scenario.steps.len()), (Level::Must, 5));
    assert_eq!(
        scenario.checks().map(|check| check.level(&catalogue())).collect::<Vec<_>>(),
        [Level::Must, Level::Must, Level::Should]
    );
    assert_eq!(scenario.clients[0].1.auth.as_deref(), Some("secret"));
    let Action::Request(request) = &scenario.steps[3].action else { panic!("a request") };
    assert_eq!((request.verb, request.from.as_deref()), (Verb::Token, Some("login")));
    assert_eq!(scenario.steps[3].expect.len(), 2);
}

/// Everything that the format has. The schema is held against it too.
pub(super) const EVERYTHING: &str = include_str!("everything.toml");

/// The same of client scenarios.
pub(super) const EVERYTHING_OF_CLIENTS: &str = include_str!("everything_of_clients.toml");

#[test]
fn everything_at_once() {
    let scenario = good(EVERYTHING);
    assert_eq!(scenario.rounds, 2);
    let Cases::Fixed(cases) = &scenario.cases else { panic!("cases") };
    assert_eq!(cases[0].values[1].1, Value::Hex(vec![0x00, 0xff]));
    let Action::Authorize(first) = &scenario.steps[0].action else { panic!("authorize") };
    assert_eq!((first.edits.add.len(), first.edits.unset.len(), scenario.steps[0].times), (1, 1, 2));
    assert_eq!(scenario.steps[2].parallel, 3);
}

#[test]
fn everything_of_clients_at_once() {
    let scenario = good(EVERYTHING_OF_CLIENTS);
    assert!(scenario.is_about_clients() && scenario.passive && scenario.needs.fresh);
    assert_eq!((scenario.mock.len(), scenario.steps.len()), (2, 4));
    let Action::Drive(drive) = &scenario.steps[2].action else { panic!("drive") };
    assert_eq!(drive.cookies, Cookies::Of("v".into()));
    assert_eq!(scenario.steps[2].parallel, 2);
}

#[test]
fn the_embedded_suite_is_sound() {
    let problems = Suite::embedded().map(drop).err().unwrap_or_default();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_folder_of_the_suite_is_about_one_party() {
    for (folder, clients) in [("server", false), ("client", true)] {
        let part = Suite::embedded_below(folder).unwrap();
        let stray: Vec<&str> = part.iter().filter(|one| one.is_about_clients() != clients).map(|one| one.id.as_str()).collect();
        assert_eq!((stray, part.iter().count() > 100), (Vec::new(), true), "{folder}");
    }
}

#[test]
fn embedded_faults_break_known_requirements() {
    let known: Vec<&str> = Catalogue::embedded().iter().map(|requirement| requirement.id.as_str()).collect();
    let problems = Library::embedded().faults().flat_map(|fault| fault.unknown_requirements(&known));
    assert_eq!(problems.map(|problem| problem.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn mistakes_of_the_head() {
    assert_eq!(
        all("titel = \"T\"\n"),
        [
            "s.toml:1:1: `title` is missing",
            "s.toml:1:1: `severity` is missing",
            "s.toml:1:1: `why` is missing",
            "s.toml:1:1: `fix` is missing",
            "s.toml:1:1: this scenario catches no fault (a check that cannot fail is no check: name faults in `catches`)",
            "s.toml:1:1: `steps` is missing",
            "s.toml:1:1: unknown key `titel` (did you mean `title`?)",
        ]
    );
    let head = |from: &str, to: &str| {
        let all = all(&format!("{HEAD}{GOOD}").replace(from, to));
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    };
    assert_eq!(
        head("\"high\"", "\"grave\""),
        "s.toml:2:12: expected one of `low`, `medium`, `high`, `critical`, found \"grave\""
    );
    assert_eq!(head("code-race", "code-rase"), "s.toml:5:12: no fault is called `code-rase` (did you mean `code-race`?)");
    assert_eq!(
        head("code-race", "code-reusable"),
        "s.toml:5:12: no fault is called `code-reusable` (it is a family: write `code-reusable.*`)"
    );
    assert_eq!(
        head("code-race", "code-reusables.*"),
        "s.toml:5:12: no fault is called `code-reusables.*` (did you mean `code-reusable`?)"
    );
    assert_eq!(head("{ a = {} }", "{ a = {}, b = {} }"), "s.toml:6:21: no step uses the client `b`");
    assert_eq!(head("a = {}", "a = { differs_from = \"b\" }"), "s.toml:6:34: unknown client `b` (did you mean `a`?)");
    assert_eq!(head("a = {}", "a = { differs_from = \"a\" }"), "s.toml:6:34: a client cannot differ from itself");
    assert_eq!(
        head("a = {}", "a = { auth = \"mtls\" }"),
        "s.toml:6:26: expected one of `secret`, `basic`, `post`, `none`, found \"mtls\""
    );
    assert_eq!(
        head("a = {}", "a = { grant = \"refresh\" }"),
        "s.toml:6:27: unknown grant `refresh` (known: `authorization_code`, `client_credentials`, `implicit`, `password`, `refresh_token`, `urn:ietf:params:oauth:grant-type:device_code`)"
    );
    assert_eq!(
        head("[[steps]]\nauth", "passive = true\n[[steps]]\nauth"),
        "s.toml:7:1: `passive` is for client scenarios, and no step drives a client"
    );
    assert_eq!(all("title = \n")[0], "s.toml:1:9: string values must be quoted, expected literal string");
}

#[test]
fn mistakes_of_needs() {
    let needs = |text: &str| {
        let all = all(&format!("{HEAD}{GOOD}").replacen("[[steps]]", &format!("needs = {{ {text} }}\n[[steps]]"), 1));
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    };
    assert_eq!(
        needs("feature = \"refresh_rotatoin\""),
        "s.toml:7:21: unknown feature `refresh_rotatoin` (did you mean `refresh_rotation`?)"
    );
    assert_eq!(needs("endpoint = [\"tokens\"]"), "s.toml:7:23: unknown endpoint `tokens` (did you mean `token`?)");
    assert_eq!(needs("plan = \"fapi\""), "s.toml:7:18: unknown plan `fapi` (known: `rfc6749`, `bcp`, `oauth2.1`)");
    assert_eq!(needs("tokens = \"opaque\""), "s.toml:7:20: expected one of `jwt`, found \"opaque\"");
    assert_eq!(needs("users = 0"), "s.toml:7:19: expected a whole number from 1, found the number 0");
    assert_eq!(needs("user = 2"), "s.toml:7:11: unknown key `user` (did you mean `users`?)");
    let own = format!("{HEAD}{GOOD}").replacen("[[steps]]", "needs = { feature = \"moon_phase\" }\n[[steps]]", 1);
    assert!(read(&own, Origin::User).is_ok(), "[server.features] may claim it");
}

#[test]
fn mistakes_of_verbs() {
    assert_eq!(mistake(&format!("{GOOD}[[steps]]\ntokn = {{}}\n")), "s.toml:13:1: unknown key `tokn` (did you mean `token`?)");
    assert!(
        mistake(&format!("{GOOD}[[steps]]\n"))
            .starts_with("s.toml:12:1: this step has no verb (give it one of authorize, token,")
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{}}\njwks = {{}}\n")),
        "s.toml:14:1: a step has one verb, and this one has `metadata` and `jwks`"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nauthorize = {{ from = \"login\" }}\n")),
        "s.toml:13:22: expected a `par` step, and `login` is `authorize`"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nregister = {{ add = [[\"a\", \"b\"]] }}\n")),
        "s.toml:13:14: `add` is no edit of a JSON body"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\ndrive = {{}}\n")),
        "s.toml:13:9: a `drive` does one thing (login = \"approve\" or \"deny\", api = true, logout = true, or open = \"{x.callback}\")"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nwait = {{ lifetime = \"codes\" }}\n")),
        "s.toml:13:21: unknown lifetime `codes` (did you mean `code`?)"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nwait = {{ for = \"5\" }}\n")),
        "s.toml:13:16: \"5\" is no length of time (write a number and a unit: 250ms, 5s, 10m, 2h, 1d)".to_owned()
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nsame = {{ of = [\"login\", \"first\"], in = \"cookies\" }}\n")),
        "s.toml:13:40: unknown part `cookies` (known: `status`, `headers`, `json`)"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nauthorize = {{ client = \"a\", user = 1 }}\n")),
        "s.toml:12:1: there may be no user 1 (say needs = { users = 2 })"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nverify = {{ device = \"login\" }}\n")),
        "s.toml:13:21: expected a `device` step, and `login` is `authorize`"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nwait = {{ interval = \"first\" }}\n")),
        "s.toml:13:21: expected a `device` step, and `first` is `token`"
    );
    assert_eq!(
        mistake(&format!(
            "{GOOD}[[steps]]\ndevice = {{ as = \"x\" }}\n[[steps]]\nverify = {{ device = \"x\", typed = \"upper\" }}\n"
        )),
        "s.toml:15:34: expected one of `as-shown`, `lower`, `bare`, found \"upper\""
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nauthorize = {{ client = \"a\", body = \"x\" }}\n")),
        "s.toml:13:29: `body` is an edit of back-channel requests"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\ntoken = {{}}\n")),
        "s.toml:13:9: this token request redeems nothing (name a step in `from`, or give a `grant`)"
    );
    assert_eq!(mistake(&format!("{GOOD}[[steps]]\nuserinfo = {{}}\n")), "s.toml:13:12: `token` is missing");
}

#[test]
fn mistakes_of_edits() {
    assert_eq!(in_token("sett = {}"), "s.toml:10:27: unknown key `sett` (did you mean `set`?)");
    assert_eq!(in_token("add = [\"a\"]"), "s.toml:10:34: expected pairs: add = [[\"name\", \"value\"]]");
    assert_eq!(
        in_token("set = { code = { raw = \"a\", hex = \"00\" } }"),
        "s.toml:10:42: expected a string, { raw = \"…\" }, { hex = \"…\" } or { repeat = \"…\", times = N }"
    );
    assert_eq!(in_token("set = { code = { hex = \"0\" } }"), "s.toml:10:50: \"0\" is no sequence of hexadecimal byte pairs");
    assert_eq!(
        in_token("auth = \"digest\""),
        "s.toml:10:34: unknown client authentication `digest` (`basic`, `post`, `both`, `none`, { id = …, secret = … } or { header = … })"
    );
    assert_eq!(in_token("auth = { id = \"x\" }"), "s.toml:10:34: `secret` is missing");
    assert_eq!(
        in_token("set = { code = \"{\" }"),
        "s.toml:10:43: this brace is never closed (write {{ or }} for a brace itself)"
    );
    assert_eq!(in_token("times = 0"), "s.toml:10:35: expected a whole number from 1, found the number 0");
    assert_eq!(in_token("client = \"c\""), "s.toml:10:36: unknown client `c` (did you mean `a`?)");
}

#[test]
fn mistakes_of_names() {
    let set = |value: &str| in_token(&format!("set = {{ code = \"{value}\" }}"));
    assert_eq!(set("{logn.code}"), "s.toml:10:43: unknown variable `logn` (did you mean `login`?)");
    assert_eq!(
        set("x{first.code}"),
        "s.toml:10:44: unknown variable `first` (known: `login`, `a`, `attacker`, `case`, `endpoint`, `issuer`, `metadata`, `now`, `openid_configuration`, `random`)"
    );
    assert_eq!(
        set("{login.sent}"),
        "s.toml:10:43: this is no part of what came of `login` (write {login.sent.NAME}, {login.got.NAME}, {login.headers.NAME}, {login.status} or {login.NAME})"
    );
    assert_eq!(
        set("{a.client}"),
        "s.toml:10:43: unknown variable of a client `client` (known: `client_id`, `client_secret`, `client_secret_swapped`, `redirect_uri`, `redirect_uri_2`, `scope`, `scope_first`, `scope_last`, `scope_reversed`, `start_url`)"
    );
    assert_eq!(set("{a.redirect_uri.hots}"), "s.toml:10:43: unknown part of redirect_uri `hots` (did you mean `host`?)");
    assert_eq!(
        set("{a.redirect_uri_2}"),
        "s.toml:10:43: the client `a` need not have a second redirect URI (say so: a = { redirect_uris = 2, … })"
    );
    assert_eq!(set("{endpoint.tokens}"), "s.toml:10:43: unknown endpoint `tokens` (did you mean `token`?)");
    assert_eq!(set("{case.uri}"), "s.toml:10:43: there are no cases");
    assert_eq!(set("{random.x}"), "s.toml:10:43: {random} has no members");
    assert_eq!(
        mistake(&format!("[[steps]]\nalive = {{ token = \"{{first.access_token}}\" }}\n{GOOD}")),
        "s.toml:10:20: the step `first` has not run yet here"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\ntoken = {{ from = \"frist\" }}\n")),
        "s.toml:13:18: no step is called `frist` (did you mean `first`?)"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\ntoken = {{ from = \"next\" }}\n[[steps]]\nauthorize = {{ as = \"next\" }}\n")),
        "s.toml:13:18: the step `next` does not come before this one"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{ as = \"first\" }}\n")),
        "s.toml:13:19: `first` is the name of a step already"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{ as = \"a\" }}\n")),
        "s.toml:13:19: `a` is the name of a client already"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{ as = \"case\" }}\n")),
        "s.toml:13:19: `case` is the name of a variable of its own already"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{ as = \"a.b\" }}\n")),
        "s.toml:13:19: \"a.b\" is no name (use letters, digits, hyphens and underscores)"
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nmetadata = {{ as = \"doc\" }}\n[[steps]]\ntoken = {{ from = \"doc\" }}\n")),
        "s.toml:15:18: expected an `authorize`, `token` or `device` step, and `doc` is `metadata`"
    );
}

#[test]
fn mistakes_of_cases() {
    let cases = |cases: &str, value: &str| {
        mistake(&format!(
            "[[steps]]\ntoken = {{ from = \"login\", set = {{ code = \"{value}\" }} }}\nexpect = {{ name = \"n\", outcome = \"refused\" }}\n{cases}"
        ))
    };
    let x = "{case.x}";
    assert_eq!(cases("[[cases]]\nname = \"one\"\nx = \"1\"\ny = \"2\"\n", x), "s.toml:15:1: {case.y} is used nowhere");
    assert_eq!(
        cases("[[cases]]\nname = \"one\"\nx = \"1\"\n[[cases]]\nname = \"two\"\n", x),
        "s.toml:10:43: the case `two` has no value `x`"
    );
    assert_eq!(
        cases("[[cases]]\nname = \"one\"\nx = \"1\"\n[[cases]]\nname = \"one\"\nx = \"2\"\n", x),
        "s.toml:15:1: there is a case `one` already"
    );
    assert_eq!(cases("[[cases]]\n", "z"), "s.toml:12:1: `name` is missing");
    assert_eq!(
        cases("[[cases]]\nname = \"o[n]e\"\nx = \"1\"\n", x),
        "s.toml:13:8: \"o[n]e\" is no name (use letters, digits, hyphens, underscores, dots and colons)"
    );
    assert_eq!(
        cases("[[cases]]\nname = \"one\"\nx = \"{login.code}{late.code}\"\n[[steps]]\nauthorize = { as = \"late\" }\n", x),
        "s.toml:14:18: the step `late` has not run yet here"
    );
    assert_eq!(
        cases("[[cases]]\nname = \"one\"\nx = \"{case.x}\"\n", x),
        "s.toml:14:6: a value of a case cannot refer to another"
    );
    assert_eq!(
        cases("[cases]\nfrom = \"{issuer}\"\nas = \"x\"\n", x),
        "s.toml:13:8: cases come from a list of the metadata (write { from = \"{metadata.MEMBER}\", as = \"NAME\" })"
    );
    good(&format!(
        "{HEAD}{GOOD}[[steps]]\ntoken = {{ from = \"login\", set = {{ a = \"{{case.x}}\" }} }}\n[cases]\nfrom = \"{{metadata.m}}\"\nas = \"x\"\n"
    ));
}

#[test]
fn mistakes_of_checks() {
    assert_eq!(in_check("outcome = \"refused\""), "s.toml:11:10: `name` is missing");
    assert_eq!(
        in_check("name = \"n\""),
        "s.toml:11:10: this check has no condition (say what the answer has to be: outcome, status, error, headers, json…)"
    );
    let want = |want: &str| in_check(&format!("name = \"n\", {want}"));
    assert_eq!(want("outcom = \"refused\""), "s.toml:11:24: unknown key `outcom` (did you mean `outcome`?)");
    assert_eq!(
        want("outcome = \"denied\""),
        "s.toml:11:34: unknown outcome of the back channel `denied` (known: `accepted`, `refused`, `throttled`, `broken`, `none`)"
    );
    assert_eq!(
        want("outcome = { one_of = [\"refused\", \"brokn\"] }"),
        "s.toml:11:57: unknown outcome of the back channel `brokn` (did you mean `broken`?)"
    );
    assert_eq!(
        want("outcome = \"refused\", requirement = \"RFC6749-4.1.2-5\""),
        "s.toml:11:59: unknown requirement `RFC6749-4.1.2-5` (did you mean `RFC6749-4.1.2-05`?)"
    );
    assert_eq!(
        want("outcome = \"refused\", severity = \"x\""),
        "s.toml:11:56: expected one of `low`, `medium`, `high`, `critical`, found \"x\""
    );
    assert_eq!(want("status = { matchs = \"4..\" }"), "s.toml:11:35: unknown key `matchs` (did you mean `matches`?)");
    assert_eq!(
        want("status = { gte = 1, present = true }"),
        "s.toml:11:33: a matcher has one condition (gte and lte count as one)"
    );
    assert_eq!(want("status = {}"), "s.toml:11:33: this matcher has no condition");
    assert_eq!(want("body = { matches = \"(\" }"), "s.toml:11:43: this regular expression cannot be read: unclosed group");
    assert_eq!(
        want("json = { a = { type = \"text\" } }"),
        "s.toml:11:46: expected one of `string`, `number`, `integer`, `boolean`, `array`, `object`, found \"text\""
    );
    assert_eq!(want("via = \"query\""), "s.toml:11:24: `via` is about `authorize` steps, and this is `token`");
    assert_eq!(want("alive = false"), "s.toml:11:24: `alive` is about `alive` steps, and this is `token`");
    assert_eq!(want("outcome = \"refused\", tolerate = { status = 500 }"), "s.toml:11:56: `note` is missing");
    assert_eq!(want("outcome = \"refused\", tolerate = { note = \"x\" }"), "s.toml:11:56: this tolerates any answer: say which");
    assert_eq!(
        want("status = 400, jwt = { token = \"{login.code}\", verify = \"jwks\" }"),
        "s.toml:11:38: `jwt` stands alone: make the other conditions checks of their own"
    );
}

#[test]
fn mistakes_of_levels() {
    let level = |text: &str| in_check(&format!("name = \"n\", outcome = \"refused\", {text}"));
    let must = "requirement = \"RFC6749-4.1.2-05\"";
    assert_eq!(level(&format!("{must}, level = \"SHOULD\"")), "s.toml:11:79: a lowered `level` needs a `because`");
    assert_eq!(
        level("requirement = \"RFC6749-4.1.2-06\", level = \"MUST\", because = \"x\""),
        "s.toml:11:79: `level` may lower, never raise: RFC6749-4.1.2-06 is a SHOULD"
    );
    assert_eq!(
        level("level = \"SHOULD\", because = \"x\""),
        "s.toml:11:45: a check without `requirement` warns at most: it has no `level` to lower"
    );
    assert_eq!(level(&format!("{must}, because = \"x\"")), "s.toml:11:79: `because` explains a `level`, and there is none");
    assert_eq!(
        level(&format!("{must}, level = \"should\", because = \"x\"")),
        "s.toml:11:87: expected one of `MUST`, `SHOULD`, `MAY`, found \"should\""
    );
}

#[test]
fn mistakes_of_the_whole() {
    assert_eq!(all(HEAD), ["s.toml:1:1: this scenario expects nothing"]);
    assert_eq!(mistake(&format!("{GOOD}{}", GOOD.replace("first", "second"))), "s.toml:14:10: there is a check `good` already");
    let several = |check: &str| {
        mistake(&format!("[[steps]]\ntoken = {{ from = \"login\", as = \"t\" }}\nexpect = {{ name = \"n\", {check} }}\n"))
    };
    let help = "(give the step `times` or `parallel`, or the scenario `rounds`)";
    assert_eq!(
        several("guessable = \"{t.access_token}\""),
        format!("s.toml:11:10: `guessable` is about several results, and there is one {help}")
    );
    assert_eq!(
        several("distinct = \"{t.access_token}\""),
        format!("s.toml:11:10: `distinct` is about several results, and there is one {help}")
    );
    assert_eq!(
        several("among = { where = { outcome = \"accepted\" }, count = 1 }"),
        format!("s.toml:11:10: `among` is about several results, and there is one {help}")
    );
    assert_eq!(
        mistake(
            "[[steps]]\ntoken = { from = \"login\", as = \"t\", times = 2 }\nexpect = { name = \"n\", guessable = \"x{t.code}\" }\n"
        ),
        "s.toml:11:36: expected a single variable: \"{x.code}\""
    );
    assert_eq!(
        mistake(&format!("{GOOD}[[steps]]\nauthorize = {{ parallel = 2 }}\n")),
        "s.toml:12:1: only requests of the back channel, and pages of a client, can be released in parallel"
    );
    assert_eq!(
        mistake("[[steps]]\nwait = { for = \"1s\" }\nexpect = { name = \"n\", status = 200 }\n"),
        "s.toml:11:10: nothing comes of a `wait` that could be checked"
    );
    assert_eq!(
        mistake(&format!(
            "{GOOD}[[steps]]\nalive = {{ token = \"{{first.access_token}}\" }}\nexpect = {{ name = \"n\", alive = false }}\n"
        )),
        "s.toml:14:10: a token's death proves nothing where it was never seen alive (put a step before it: alive = { token = \"{first.access_token}\" })"
    );
}

#[test]
fn refusals_without_a_control() {
    let refused = "expect = { name = \"n\", outcome = \"refused\" }\n";
    let help = "(name the step in which the same thing works: control = \"…\")";
    let step = |step: &str, check: &str| mistake(&format!("{GOOD}[[steps]]\n{step}\n{check}"));
    assert_eq!(
        step("http = { url = \"{issuer}\" }", refused),
        format!("s.toml:14:10: a refused `http` request proves nothing without a `control` {help}")
    );
    assert_eq!(
        step("http = { url = \"{issuer}\" }", "expect = { name = \"n\", error = \"invalid_grant\" }\n"),
        format!("s.toml:14:10: a refused `http` request proves nothing without a `control` {help}")
    );
    assert_eq!(
        step("token = { from = \"login\", auth = { header = \"Basic\" } }", refused),
        format!("s.toml:14:10: a refusal of a request with `auth.header` proves nothing without a `control` {help}")
    );
    assert_eq!(
        step("token = { from = \"login\", body = \"x\" }", refused),
        format!("s.toml:14:10: a refusal of a request with `body` proves nothing without a `control` {help}")
    );
    assert_eq!(
        step("token = { grant = \"client_credentials\" }", refused),
        format!("s.toml:14:10: this request has no edit: its refusal proves nothing without a `control` {help}")
    );
    assert_eq!(
        step("http = { url = \"{issuer}\", control = \"frist\" }", refused),
        "s.toml:13:38: no step is called `frist` (did you mean `first`?)"
    );
    good(&format!("{HEAD}{GOOD}[[steps]]\ntoken = {{ from = \"login\", body = \"x\", control = \"first\" }}\n{refused}"));
    good(&format!("{HEAD}{GOOD}[[steps]]\ntoken = {{ from = \"login\" }}\n{refused}"));
}

#[test]
fn every_step_gets_its_mistakes_told() {
    let text = format!("{HEAD}{GOOD}[[steps]]\ntoken = {{ from = \"x\", sett = {{}} }}\n[[steps]]\nwait = {{}}\n");
    assert_eq!(
        all(&text).iter().map(|problem| problem.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>(),
        ["s.toml:13:18", "s.toml:13:23", "s.toml:15:8"]
    );
}
