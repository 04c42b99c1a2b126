//! The servers that are measured: how each is started, where its endpoints are, and who its client is.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde::Deserialize;

use crate::http::{Connection, Request};

/// A server as its `peer.json` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// As the table calls it.
    pub name: String,
    /// A port that it cannot be talked out of.
    pub port: Option<u16>,
    /// What it can sign access tokens with that a client gets for itself; `-` where it cannot say.
    pub algorithms: Vec<String>,
    /// The path of the token endpoint.
    pub token: String,
    /// The path of the authorization endpoint.
    pub authorize: String,
    /// Where clients register; `service` and `client` need no secrets then.
    pub register: Option<String>,
    /// Who asks for tokens of its own: id and secret.
    pub service: (String, String),
    /// Who uses the authorization code grant: id and secret.
    pub client: (String, String),
    /// The redirect URI of the latter.
    pub redirect_uri: String,
    /// The scope that is asked for in a code flow.
    pub scope: String,
    /// Where `setup` and `start` are; none for this project's own binary.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

/// A server that runs. It is stopped when this is dropped.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    /// Id and secret of the client for its own tokens.
    pub service: (String, String),
    /// Id and secret of the client for code flows.
    pub client: (String, String),
    /// From the start of the process to its first token.
    pub first_token: Duration,
}

impl Subject {
    /// This project's own mock.
    pub fn own() -> Self {
        Self {
            name: "oauthspec mock".into(),
            port: None,
            algorithms: vec!["RS256".into(), "ES256".into()],
            token: "/default/token".into(),
            authorize: "/default/authorize".into(),
            register: None,
            service: ("service".into(), "service-secret-0b6e2f94a8d14c53".into()),
            client: ("web".into(), "web-secret-e4f1c0a9d2b84b7f".into()),
            redirect_uri: "https://client.example/callback".into(),
            scope: "openid profile".into(),
            folder: None,
        }
    }

    /// The one that a folder under `benches/peers/` describes, set up and ready to start.
    pub fn peer(folder: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(folder.join("peer.json"))?;
        let subject: Self = serde_json::from_str(&text)?;
        let status = Command::new(folder.join("setup")).stdout(Stdio::null()).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("the set-up of {} failed", subject.name)));
        }
        Ok(Self { folder: Some(folder.to_owned()), ..subject })
    }

    /// Starts it and gets a first token: by the client credentials grant where it has one, else by a code flow.
    pub fn start(&self, algorithm: &str) -> io::Result<Running> {
        let port = match self.port {
            Some(port) => port,
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = self.command(port, algorithm);
        let begun = Instant::now();
        let child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let (service, client) = (self.service.clone(), self.client.clone());
        let mut running = Running { child, address, service, client, first_token: Duration::ZERO };
        running.wait_for_port()?;
        if let Some(path) = &self.register {
            running.service = self.registered(address, path)?;
            running.client = running.service.clone();
        }
        if self.algorithms.is_empty() {
            crate::flow::Flow::new(self, &running).run()?;
        } else {
            crate::load::token(&mut Connection::new(address), &self.token, &running.service)?;
        }
        running.first_token = begun.elapsed();
        Ok(running)
    }

    fn command(&self, port: u16, algorithm: &str) -> Command {
        let Some(folder) = &self.folder else {
            let mut command = Command::new(env!("CARGO_BIN_EXE_oauthspec"));
            command.args(["mock", "--format", "json", "--listen", &format!("127.0.0.1:{port}")]);
            if algorithm == "RS256" {
                command.args(["--variant", "rs256-access-tokens"]);
            }
            return command;
        };
        let mut command = Command::new(folder.join("start"));
        command.env("PORT", port.to_string()).env("ALGORITHM", algorithm);
        command
    }

    /// Registers a client (RFC 7591).
    fn registered(&self, address: SocketAddr, path: &str) -> io::Result<(String, String)> {
        let body = serde_json::json!({
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "client_credentials"],
            "scope": self.scope,
        });
        let fields = "Content-Type: application/json\r\n";
        let request = Request { method: "POST", target: path, fields, body: &body.to_string() };
        let response = Connection::new(address).send(&request)?;
        let id = response.member("client_id").ok_or_else(|| io::Error::other(response.body.clone()))?;
        Ok((id, response.member("client_secret").unwrap_or_default()))
    }
}

impl Running {
    /// Waits until something listens; the longest start known takes some seconds.
    fn wait_for_port(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while Connection::new(self.address).send(&Request { method: "GET", target: "/", fields: "", body: "" }).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::park_timeout(Duration::from_micros(200));
        }
        Ok(())
    }

    /// User and system time of the process so far; the kernel counts hundredths of a second.
    pub fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }

    /// Memory that it holds now, in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time of a process so far.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}
