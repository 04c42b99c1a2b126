//! The mock as a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};

use oauthspec::oauth::{Channel, Request, Response};
use oauthspec::wire::{Wire, WireOptions};
use serde_json::Value;
use tempfile::tempdir;

use crate::oauthspec::{command, run};

#[tokio::test]
async fn the_process_says_when_it_is_ready() {
    let folder = tempdir().unwrap();
    let mock = Mock::start(folder.path(), &[]);
    let keys = fetch(Request::get(format!("{}/jwks", mock.issuer()))).await.json().unwrap();
    assert!(keys["keys"].as_array().unwrap().len() >= 2);
}

#[test]
fn it_ends_with_its_input_where_that_is_asked_for() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["mock", "--until-stdin-ends"]).exits(0).shows("issuer http://127.0.0.1:");
    let output = command(folder.path(), &["mock"]).env("OAUTHSPEC_MOCK_UNTIL_STDIN_ENDS", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn clients_and_users_come_from_a_configuration() {
    let folder = tempdir().unwrap();
    let text = r#"
[server]
issuer = "http://127.0.0.1:1"
[[server.clients]]
name = "mine"
client_id = "mine"
client_secret = "a-secret-of-mine"
token_endpoint_auth_method = "client_secret_post"
redirect_uris = ["https://mine.example/callback"]
grant_types = ["client_credentials"]
"#;
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let mock = Mock::start(folder.path(), &["--config", "mine.toml"]);
    let form = [("grant_type", "client_credentials"), ("client_id", "mine"), ("client_secret", "a-secret-of-mine")];
    let answer = fetch(Request::post_form(format!("{}/token", mock.issuer()), &form.into_iter().collect())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn control_paths_ask_for_the_token() {
    let folder = tempdir().unwrap();
    let mock = Mock::start(folder.path(), &["--control-token", "let-me-in"]);
    let control = mock.ready["control"].as_str().unwrap();
    assert_eq!(fetch(Request::get(format!("{control}health"))).await.status, 200);
    let refused = fetch(Request::get(format!("{control}realms"))).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers.get("www-authenticate").unwrap().starts_with("Bearer"));
    let allowed = fetch(Request::get(format!("{control}realms")).with("Authorization", "Bearer let-me-in")).await;
    assert_eq!(allowed.status, 200);
}

const CONFIGURATION: &str = r#"
[mock]
profile = "strict"
control_token = { env = "MY_TOKEN" }
faults = ["code-reusable.accept"]
variants = ["no-iss"]
[mock.journal]
entries = 3
[[mock.clients]]
client_id = "app"
client_secret = "app-secret"
redirect_uris = ["https://app.example/cb"]
grant_types = ["client_credentials"]
[[mock.users]]
username = "carol"
password = "pw"
claims = { email = "carol@example.com" }
[[mock.realms]]
name = "other"
faults = []
seed = 9
"#;

#[tokio::test]
async fn a_configuration_makes_realms_and_options_win_over_it() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("mock.toml"), CONFIGURATION).unwrap();
    let environment =
        [("OAUTHSPEC_MOCK_CONFIG", "mock.toml"), ("MY_TOKEN", "t0ken"), ("OAUTHSPEC_MOCK_FAULT", "code-reusable.within-grace")];
    let mock = Mock::with_environment(folder.path(), &[], &environment);
    let realm = async |name: &str| {
        let request = Request::get(mock.control(&format!("realms/{name}"))).with("Authorization", "Bearer t0ken");
        fetch(request).await.json().unwrap()
    };
    let (first, other) = (realm("default").await, realm("other").await);
    assert_eq!(first["policy"]["faults"][0], "code-reusable.within-grace");
    assert_eq!(first["users"][0]["claims"]["email"], "carol@example.com");
    assert_eq!(
        (&first["policy"]["variants"][0], &other["policy"]["variants"][0]),
        (&Value::from("no-iss"), &Value::from("no-iss"))
    );
    assert_eq!((&other["policy"]["faults"], &other["clients"][0]["client_id"]), (&Value::Array(Vec::new()), &Value::from("app")));
}

#[test]
fn mistakes_in_a_configuration_are_told_with_their_places() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("mock.toml"), "[mock]\nlisten = \"9400\"\nfault = []\n").unwrap();
    run(folder.path(), &["mock", "--config", "mock.toml"]).exits(2).says("mock.toml:3:1").says("did you mean `faults`?");
    fs::write(folder.path().join("mock.toml"), "[mock]\nlisten = \"9400\"\naccess_log = \"xml\"\n[mock.tls]\ncert = \"c\"\n")
        .unwrap();
    let ran = run(folder.path(), &["mock", "--config", "mock.toml"]).exits(2);
    ran.says("mock.toml:2:10").says("mock.toml:3:14").says("a certificate needs its key");
}

#[test]
fn off_the_loopback_interface_a_token_is_needed() {
    let folder = tempdir().unwrap();
    let ran = run(folder.path(), &["mock", "--listen", "0.0.0.0:0"]).exits(2);
    ran.says("nothing guards the control API there").says("--control-token");
    let mock = Mock::start(folder.path(), &["--listen", "0.0.0.0:0", "--control-token", "t"]);
    assert!(mock.issuer().starts_with("http://0.0.0.0:"));
    #[cfg(unix)]
    assert!(mock.terminate().1.contains("give --public-url"));
}

#[cfg(unix)]
#[tokio::test]
async fn requests_under_way_are_finished_and_the_log_tells_no_secrets() {
    let folder = tempdir().unwrap();
    let script = "[slow]\n[[slow.patch]]\nwhen = { endpoint = \"jwks\" }\nrewrite.bytes = { delay = \"300ms\" }\n";
    fs::write(folder.path().join("slow.toml"), script).unwrap();
    let mock = Mock::start(folder.path(), &["--script", "slow.toml", "--access-log", "json", "--grace", "20s"]);
    let answer = tokio::spawn(fetch(Request::get(format!("{}/jwks?code=s3cret", mock.issuer()))));
    let journal = format!("{}?endpoint=jwks", mock.control("realms/default/journal"));
    // The exchange is in the journal before its answer, which waits, is sent.
    while fetch(Request::get(journal.as_str())).await.json().unwrap()["entries"].as_array().unwrap().is_empty() {}
    let (status, log) = tokio::task::spawn_blocking(|| mock.terminate()).await.unwrap();
    assert_eq!(answer.await.unwrap().status, 200);
    assert_eq!(status, Some(0));
    let line: Value = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|line: &Value| line["target"].as_str().unwrap().contains("jwks?"))
        .unwrap();
    assert_eq!((&line["target"], &line["status"]), (&Value::from("/default/jwks?code=…"), &Value::from(200)));
    assert!(!log.contains("s3cret"), "{log}");
}

#[cfg(unix)]
#[test]
fn an_issuer_beside_the_public_url_is_told_until_a_script_names_its_host() {
    let folder = tempdir().unwrap();
    let arguments = ["--profile", "cognito", "--public-url", "https://auth.example"];
    let (_, said) = Mock::start(folder.path(), &arguments).terminate();
    assert!(said.contains("issuer of realm default is https://localhost/default/") && said.contains("`issuer.host`"), "{said}");
    let hosts = "[two-hosts]\n[[two-hosts.patch]]\nset = { \"issuer.host\" = \"pool.example\" }\n";
    fs::write(folder.path().join("hosts.toml"), hosts).unwrap();
    let mock = Mock::start(folder.path(), &[&arguments[..], &["--script", "hosts.toml"]].concat());
    assert!(mock.issuer().starts_with("https://pool.example/default/"), "{}", mock.issuer());
    assert!(!mock.terminate().1.contains("warning"));
}

#[cfg(unix)]
#[test]
fn rules_that_never_applied_are_told_of_every_realm() {
    let folder = tempdir().unwrap();
    for (file, id) in [("first.toml", "one"), ("second.toml", "two")] {
        let script = format!("[{id}]\n[[{id}.patch]]\nwhen = {{ endpoint = \"token\" }}\nrespond = {{ status = 503 }}\n");
        fs::write(folder.path().join(file), script).unwrap();
    }
    let config = "[mock]\nscript = \"first.toml\"\n[[mock.realms]]\nname = \"other\"\nscript = \"second.toml\"\n";
    fs::write(folder.path().join("mock.toml"), config).unwrap();
    let (_, said) = Mock::start(folder.path(), &["--config", "mock.toml"]).terminate();
    assert!(said.contains("realm default: rule 1 of `one`") && said.contains("realm other: rule 1 of `two`"), "{said}");
}

#[tokio::test]
async fn tls_with_a_certificate_that_is_made() {
    let folder = tempdir().unwrap();
    let mock = Mock::start(folder.path(), &["--tls", "--tls-ca-out", "ca.pem", "--public-url", "https://localhost"]);
    assert_eq!(mock.issuer(), "https://localhost/default");
    drop(mock);
    let mock = Mock::start(folder.path(), &["--tls", "--tls-ca-out", "ca.pem"]);
    assert!(mock.issuer().starts_with("https://127.0.0.1:"));
    let options = WireOptions { ca_file: Some(folder.path().join("ca.pem")), ..WireOptions::default() };
    let url = format!("{}/.well-known/openid-configuration", mock.issuer());
    let metadata = Wire::new(options).unwrap().send(Channel::Back, Request::get(url.as_str())).await.outcome.unwrap();
    assert_eq!(metadata.json().unwrap()["issuer"], mock.issuer());
    let distrusting = Wire::new(WireOptions::default()).unwrap().send(Channel::Back, Request::get(url)).await.outcome;
    assert!(distrusting.is_err());
}

#[tokio::test]
async fn tls_with_a_certificate_of_ones_own() {
    let folder = tempdir().unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys");
    let (cert, key) = (keys.join("tls-test.cert.pem"), keys.join("tls-test.key.pem"));
    let mock = Mock::start(folder.path(), &["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    let options = WireOptions { insecure_tls: true, ..WireOptions::default() };
    let health = Wire::new(options).unwrap().send(Channel::Back, Request::get(mock.control("health"))).await.outcome.unwrap();
    assert_eq!((health.status, &*health.text()), (200, "ok"));
    run(folder.path(), &["mock", "--tls-cert", key.to_str().unwrap(), "--tls-key", key.to_str().unwrap()])
        .exits(2)
        .says("CERTIFICATE");
}

/// A mock process; it ends with the test.
struct Mock {
    child: Child,
    ready: Value,
}

impl Mock {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::with_environment(folder, arguments, &[])
    }

    fn with_environment(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let all = [&["mock", "--format", "json"], arguments].concat();
        let mut command = command(folder, &all);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn issuer(&self) -> &str {
        self.ready["issuer"].as_str().unwrap()
    }

    fn control(&self, path: &str) -> String {
        format!("{}{path}", self.ready["control"].as_str().unwrap())
    }

    /// Asks it to stop; its exit status and what it wrote to standard error.
    #[cfg(unix)]
    fn terminate(mut self) -> (Option<i32>, String) {
        let killed = std::process::Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), err)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn fetch(request: Request) -> Response {
    Wire::new(WireOptions::default()).unwrap().send(Channel::Back, request).await.outcome.unwrap()
}
