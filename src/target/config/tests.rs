use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::target::ClientKind;
use crate::target::discovery::{Discovery, MetadataKind};
use crate::target::login::LoginStep;

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let env = |name: &str| (name == "PW").then(|| "wonderland".to_owned());
    Config::parse(&Source::new("oauthspec.toml", text), Path::new("/conf"), &env)
}

/// The only mistake in a text.
fn mistake(text: &str) -> String {
    let problems = parse(text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

const CLIENT: &str = "[[server.clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://c/cb\"]\n";

#[test]
fn everything_that_is_documented_is_read() {
    let config = parse(
        r##"
[server]
name = "my-as"
issuer = "http://127.0.0.1:3000"
[server.endpoints]
token = "http://127.0.0.1:3000/token"
[server.lifetimes]
code = "60s"
refresh_grace = "1m 30s"
[server.limits]
concurrency = 2
min_interval = "200ms"
[server.features]
pkce = "required"
consent = true
[server.tls]
ca_file = "ca.pem"
[[server.clients]]
name = "a"
client_id = "web"
client_secret = { env = "PW" }
token_endpoint_auth_method = "client_secret_post"
redirect_uris = ["https://client.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
scopes = ["openid", "api:read"]
extra = { authorize = { prompt = "consent" }, token = { resource = "https://api.example", n = 1 } }
[[server.clients]]
client_id = "app"
redirect_uris = ["http://127.0.0.1/cb"]
[[server.clients]]
client_id = "machine"
client_secret = "s"
grant_types = ["client_credentials"]
[[server.users]]
username = "alice"
password = { env = "PW" }
[server.login]
driver = "form"
[[server.login.steps]]
when = "form#login"
fill = { "input[name=user]" = "{username}", "input[name=pass]" = "{password}" }
click = "button[value=accept]"
deny = "button[value=deny]"

[client]
kind = "web"
client_id = "app"
start_url = "http://127.0.0.1:8080/login"
success = { status = 200, contains = "ok" }
serve = { command = ["./start", "x"], ready_url = "http://127.0.0.1:8080/", restart = "per-run" }
env = { OAUTH_ISSUER = "{issuer}" }
listen = "127.0.0.1:9400"
[[client.issuers]]
start_url = "http://127.0.0.1:8080/other"

[[waivers]]
scenario = "server/token/*"
reason = "tracked"
expires = 2027-03-01
"##,
    )
    .unwrap();
    let server = config.server.unwrap();
    assert_eq!(server.lifetimes.refresh_grace, Some(Duration::from_secs(90)));
    assert_eq!(server.limits.min_interval, Some(Duration::from_millis(200)));
    assert_eq!(server.features["pkce"], json!("required"));
    assert_eq!(server.ca_file.unwrap(), Path::new("/conf/ca.pem"));
    let [web, app, machine] = server.clients.as_slice() else { panic!("{:?}", server.clients) };
    assert_eq!((web.client_secret.as_deref(), web.auth_method), (Some("wonderland"), AuthMethod::Post));
    assert_eq!(web.extra_token, [("n".into(), "1".into()), ("resource".into(), "https://api.example".into())]);
    assert_eq!((app.name.as_str(), app.auth_method, app.kind), ("app", AuthMethod::None, ClientKind::Native));
    assert_eq!((machine.auth_method, machine.may_introspect), (AuthMethod::Basic, true));
    assert_eq!(server.users[0].password, "wonderland");
    let step = LoginStep {
        when: "form#login".into(),
        fill: vec![("input[name=pass]".into(), "{password}".into()), ("input[name=user]".into(), "{username}".into())],
        click: Some("button[value=accept]".into()),
        deny: Some("button[value=deny]".into()),
    };
    assert!(matches!(server.login, Login::Form(steps) if steps == [step]));
    let client = config.client.unwrap();
    assert_eq!((client.kind, client.issuers.len()), (DrivenKind::Web, 1));
    assert_eq!(client.serve.unwrap().command[0], "/conf/./start");
    assert_eq!(config.waivers[0].expires.unwrap().to_string(), "2027-03-01");
}

#[test]
fn clients_of_the_mock_have_the_usual_grants_and_scopes() {
    let clients = |client: &str| {
        let text = format!("[mock]\n[[mock.clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://c/cb\"]\n{client}");
        parse(&text).unwrap().mock.unwrap().realm.clients.unwrap()
    };
    let confidential = clients("client_secret = \"s\"");
    assert_eq!(confidential[0].client.grant_types, ["authorization_code", "refresh_token", "client_credentials"]);
    assert_eq!(confidential[0].client.scopes.len(), 6);
    assert!(!confidential[0].require_par && confidential[0].metadata.is_empty());
    let further = clients("require_pushed_authorization_requests = true\nmetadata = { logo_uri = \"https://c/l\" }");
    assert!(further[0].require_par && further[0].metadata["logo_uri"] == "https://c/l");
    let text = "[mock]\n[[mock.users]]\nusername = \"carol\"\n";
    assert_eq!(parse(text).unwrap().mock.unwrap().realm.users.unwrap()[0].0.password, "carol");
    let public = clients("scopes = [\"x\"]");
    assert_eq!((public[0].client.grant_types.len(), public[0].client.scopes.as_slice()), (2, &["x".to_owned()][..]));
    let server = parse(&format!("[server]\n{CLIENT}")).unwrap().server.unwrap();
    assert_eq!(
        (server.clients[0].grant_types.as_slice(), server.clients[0].scopes.len()),
        (&["authorization_code".to_owned()][..], 0)
    );
}

#[test]
fn unknown_keys_are_told_with_their_place_and_what_was_meant() {
    assert_eq!(mistake("[server]\nisuer = \"x\"\n"), "oauthspec.toml:2:1: unknown key `isuer` (did you mean `issuer`?)");
    let text = format!("{CLIENT}client_secert = \"x\"\n");
    assert_eq!(mistake(&text), "oauthspec.toml:4:1: unknown key `client_secert` (did you mean `client_secret`?)");
    let secret = "[[server.users]]\nusername = \"a\"\npassword = { enf = \"PW\" }\n";
    assert_eq!(mistake(secret), "oauthspec.toml:3:14: unknown key `enf` (did you mean `env`?)");
    assert!(mistake("[[server.clients]]\nname = \"x\"\n").contains("`client_id` is missing"));
    assert!(mistake("[[waivers]]\nscenario = \"x\"\n").contains("`reason` is missing"));
    assert!(mistake("[servr]\n").contains("did you mean `server`?"));
    assert!(mistake("[server\n").starts_with("oauthspec.toml:1:"));
}

#[test]
fn wrong_values_and_combinations_are_mistakes() {
    for (text, message) in [
        ("[server]\nissuer = \"as.example\"", "not an absolute http"),
        ("[mock]\nfaults = [\"code-reuseable\"]", "unknown fault `code-reuseable` (did you mean `code-reusable`?)"),
        ("[mock]\nfaults = [\"no-iss\"]", "unknown fault `no-iss` (it is a variant)"),
        ("[mock]\nprofile = \"cognit\"", "did you mean `cognito`?"),
        ("[mock]\nscript = \"nope.toml\"", "cannot read /conf/nope.toml"),
        ("[mock]\nrealm_limit = 0", "at least 1"),
        ("[mock]\nrealm_idle = \"0s\"", "longer than nothing"),
        ("[[mock.realms]]\nname = \"a/b\"", "cannot name a realm"),
        ("[[mock.realms]]\nname = \"a\"\nvariants = [\"x\"]", "unknown variant `x`"),
        ("[[mock.users]]\nusername = \"a\"\n[[mock.users]]\nusername = \"a\"", "two users are named `a`"),
        (
            "[[mock.clients]]\nclient_id = \"a\"\ngrant_types = []\n[[mock.clients]]\nclient_id = \"a\"\ngrant_types = []",
            "two clients have the client_id `a`",
        ),
        ("[[mock.clients]]\nclient_id = \"ä\"\ngrant_types = []", "printable ASCII"),
        ("[server.endpoints]\ntoken = \"/token\"", "not an absolute http"),
        ("[server.lifetimes]\ncode = \"soon\"", "not a duration"),
        ("[server.limits]\nconcurrency = 0", "at least 1"),
        ("[[server.users]]\nusername = \"a\"\npassword = { env = \"NOPE\" }", "environment variable NOPE is not set"),
        ("[[server.users]]\nusername = \"a\"\npassword = { file = \"nope\" }", "/conf/nope"),
        ("[[server.clients]]\nclient_id = \"a\"", "no redirect_uris"),
        ("[[server.clients]]\nclient_id = \"a\"\nredirect_uris = [\"/cb\"]", "not an absolute URI"),
        ("[[server.clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://c/cb#x\"]", "has no fragment"),
        ("[[server.clients]]\nclient_id = \"a\"\ngrant_types = []\nscopes = [\"a b\"]", "not a scope token"),
        (
            "[[server.clients]]\nclient_id = \"a\"\ngrant_types = []\nclient_secret = \"s\"\ntoken_endpoint_auth_method = \"none\"",
            "does not authenticate",
        ),
        (
            "[[server.clients]]\nclient_id = \"a\"\ngrant_types = []\ntoken_endpoint_auth_method = \"client_secret_basic\"",
            "needs a client_secret",
        ),
        (
            "[[server.clients]]\nclient_id = \"a\"\ngrant_types = []\ntoken_endpoint_auth_method = \"client_secret_basik\"\n",
            "did you mean `client_secret_basic`",
        ),
        ("[server.login]\ndriver = \"cookies\"", "needs cookies"),
        ("[server.login]\ndriver = \"command\"", "needs a command"),
        ("[server.login]\ncookies = [\"a=b\"]", "belongs to the driver `cookies`"),
        ("[[server.login.steps]]\nwhen = \"form[\"\nclick = \"a\"", "not a CSS selector"),
        ("[[server.login.steps]]\nwhen = \"form\"", "does nothing"),
        ("[client]\nkind = \"web\"", "needs a start_url"),
        ("[client]\nkind = \"native\"", "needs a command"),
        ("[client]\nkind = \"script\"\ncommand = [\"x\"]\nlisten = \"9400\"", "not an address"),
        ("[[waivers]]\nscenario = \"x\"\nreason = \" \"", "needs a reason"),
        ("[[waivers]]\nscenario = \"x\"\nreason = \"y\"\nexpires = \"2027-03-01\"", "is a date"),
        ("[[waivers]]\nscenario = \"x\"\nreason = \"y\"\nexpires = 2027-03-01T00:00:00Z", "is a date"),
    ] {
        let problem = mistake(text);
        assert!(problem.contains(message), "{text}\n{problem}");
    }
    assert!(mistake(&format!("{CLIENT}{CLIENT}")).contains("two clients are named `web`"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let problems = parse("[server]\nissuer = \"x\"\n[server.lifetimes]\ncode = \"x\"\n").unwrap_err();
    assert_eq!(problems.len(), 2);
}

#[test]
fn the_nearest_file_upward_is_found_and_paths_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(folder.path().join("secret"), "hush\n").unwrap();
    let text = "[[server.users]]\nusername = \"a\"\npassword = { file = \"secret\" }\n";
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    let found = Config::find(&inner).unwrap();
    assert_eq!(Config::load(&found).unwrap().server.unwrap().users[0].password, "hush");
    assert!(Config::load(&inner).unwrap_err().to_string().starts_with("cannot read"));
}

#[test]
fn the_template_is_valid_before_and_after_it_is_filled_in() {
    assert!(parse(&template(None)).is_ok());
    let metadata = json!({
        "token_endpoint": "https://as.test/t\"\n[server]",
        "scopes_supported": ["openid", "x"],
        "grant_types_supported": ["authorization_code"],
    });
    let Value::Object(metadata) = metadata else { unreachable!() };
    let (url, kind) = ("https://as.test/x".to_owned(), MetadataKind::OAuth);
    let found = Discovery { issuer: "https://as.test".into(), metadata, url, kind, exchanges: Vec::new(), notes: Vec::new() };
    let text = template(Some(&found));
    assert_eq!(parse(&text).unwrap().server.unwrap().issuer.unwrap(), "https://as.test");
    assert!(text.contains("# token = \"https://as.test/t\\\"[server]\"\n"), "{text}");
    assert!(text.contains("scopes = [\"openid\", \"x\"]") && text.contains("offers: [\"authorization_code\"]"), "{text}");
    let is_pair = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let uncommented: String = template(None)
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || is_pair(rest)).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let env = |_: &str| Some("x".to_owned());
    let config = Config::parse(&Source::new("t", uncommented.clone()), Path::new("."), &env);
    assert!(config.is_ok(), "{}\n{config:?}", uncommented);
}

#[test]
fn the_schema_knows_every_table() {
    let text = schema().to_string();
    for name in ["endpoints", "lifetimes", "waivers", "start_url", "token_endpoint_auth_method", "\"env\""] {
        assert!(text.contains(name), "{name}");
    }
}
