//! The one way out: sends a request exactly as it is written, through reqwest where that keeps every byte, else as own bytes.
//!
//! No redirect is followed, no cookie kept and nothing sent twice.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::task::JoinSet;
use url::Url;

use super::flight::Meter;
use super::raw::{self, Primed};
use super::tls::Roots;
use super::{USER_AGENT, exact};
use crate::oauth::{Channel, Exchange, Failure, Headers, Party, Request, Response};

/// How the harness sends.
#[derive(Debug, Clone)]
pub struct WireOptions {
    /// The limit of a whole exchange, from the connection to the last byte of the body.
    pub timeout: Duration,
    /// How much of a body is read, in bytes; the rest is dropped together with the connection.
    pub body_limit: usize,
    /// Certificates in PEM that are trusted beside those of the platform.
    pub ca_file: Option<PathBuf>,
    /// Whether certificates are not looked at.
    pub insecure_tls: bool,
}

impl Default for WireOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), body_limit: 1 << 20, ca_file: None, insecure_tls: false }
    }
}

/// Why nothing can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The file of certificates cannot be read, or is no PEM.
    #[error("cannot read certificates from {}: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP library refuses to start.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(#[from] reqwest::Error),
}

/// Sends requests. One per run; clones share connections.
#[derive(Debug, Clone)]
pub struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    timeout: Duration,
    body_limit: usize,
    roots: Roots,
    plain: reqwest::Client,
    /// Made when the first https URL is met: reading the platform's certificates takes tens of milliseconds.
    secure: OnceLock<Result<Secure, String>>,
    meter: Meter,
}

#[derive(Debug)]
struct Secure {
    client: reqwest::Client,
    config: Arc<ClientConfig>,
}

impl Wire {
    /// With these options.
    ///
    /// # Errors
    /// [`WireError`] where the file of certificates cannot be used.
    pub fn new(options: WireOptions) -> Result<Self, WireError> {
        // Another part of the program may have installed a provider already: that one is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let roots = Roots::load(options.ca_file, options.insecure_tls)?;
        let plain = builder().tls_certs_only([]).build()?;
        let WireOptions { timeout, body_limit, .. } = options;
        Ok(Self(Arc::new(Inner { timeout, body_limit, roots, plain, secure: OnceLock::new(), meter: Meter::default() })))
    }

    /// The limit of one exchange.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// For how long at least one exchange was under way so far.
    #[must_use]
    pub fn in_flight(&self) -> Duration {
        self.0.meter.total()
    }

    /// Sends exactly this request, once. Where no `User-Agent` or `Accept` is set, the usual ones of the channel are added.
    pub async fn send(&self, channel: Channel, request: Request) -> Exchange {
        let request = dressed(channel, request);
        let _under_way = self.0.meter.begin();
        let start = Instant::now();
        let sending = async {
            if let Some(url) = exact::kept_whole(&request) {
                return self.send_through_library(url, &request).await;
            }
            let primed = raw::prime(&request, self.tls_for(&request)?, raw::HoldBack::Nothing).await?;
            primed.finish(self.0.body_limit).await
        };
        let outcome = match tokio::time::timeout(self.0.timeout, sending).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Timeout(self.0.timeout)),
        };
        Exchange { channel, party: Party::Harness, request, outcome, duration: start.elapsed() }
    }

    /// Sends these requests as nearly at once as can be: each on a connection of its own, its last byte held back until all
    /// the others have come as far. The answers stand in the order of the requests.
    pub async fn race(&self, channel: Channel, requests: Vec<Request>) -> Vec<Exchange> {
        let requests: Vec<Request> = requests.into_iter().map(|request| dressed(channel, request)).collect();
        let limit = self.0.timeout;
        let _under_way = self.0.meter.begin();
        let mut primed = self.prime_all(&requests).await;
        let start = Instant::now();
        for connection in primed.iter_mut().flatten() {
            connection.release(limit).await;
        }
        let mut reading = JoinSet::new();
        for (index, connection) in primed.into_iter().enumerate() {
            let body_limit = self.0.body_limit;
            reading.spawn(async move {
                let outcome = match connection {
                    Ok(connection) => {
                        tokio::time::timeout(limit, connection.finish(body_limit)).await.unwrap_or(Err(Failure::Timeout(limit)))
                    }
                    Err(failure) => Err(failure),
                };
                (index, outcome, start.elapsed())
            });
        }
        let mut answers = reading.join_all().await;
        answers.sort_by_key(|(index, ..)| *index);
        let exchange =
            |(request, (_, outcome, duration))| Exchange { channel, party: Party::Harness, request, outcome, duration };
        requests.into_iter().zip(answers).map(exchange).collect()
    }

    /// Connects for every request at once and sends all but the last byte.
    async fn prime_all(&self, requests: &[Request]) -> Vec<Result<Primed, Failure>> {
        let limit = self.0.timeout;
        let mut priming = JoinSet::new();
        for (index, request) in requests.iter().enumerate() {
            let tls = self.tls_for(request);
            let request = request.clone();
            priming.spawn(async move {
                let prime = async { raw::prime(&request, tls?, raw::HoldBack::LastByte).await };
                (index, tokio::time::timeout(limit, prime).await.unwrap_or(Err(Failure::Timeout(limit))))
            });
        }
        let mut primed = priming.join_all().await;
        primed.sort_by_key(|(index, _)| *index);
        primed.into_iter().map(|(_, connection)| connection).collect()
    }

    async fn send_through_library(&self, url: Url, request: &Request) -> Result<Response, Failure> {
        let client = if is_https(&request.url) { &self.secure()?.client } else { &self.0.plain };
        // `exact` has seen that method, URL and header fields are acceptable.
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|e| Failure::NotSent(e.to_string()))?;
        let mut building = client.request(method, url);
        for (name, value) in request.headers.iter() {
            building = building.header(name, value);
        }
        if !request.body.is_empty() {
            building = building.body(request.body.clone());
        }
        let incoming = building.send().await.map_err(|error| failure(&error))?;
        Ok(self.read(incoming).await)
    }

    async fn read(&self, mut incoming: reqwest::Response) -> Response {
        let mut response = Response::new(incoming.status().as_u16());
        response.headers = incoming.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Headers>();
        loop {
            match incoming.chunk().await {
                Ok(Some(chunk)) => {
                    let room = self.0.body_limit - response.body.len();
                    response.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        response.truncated = true;
                        return response;
                    }
                }
                Ok(None) => return response,
                // The head has come, so there is an answer; its body ended too early.
                Err(_) => {
                    response.truncated = true;
                    return response;
                }
            }
        }
    }

    fn tls_for(&self, request: &Request) -> Result<Option<Arc<ClientConfig>>, Failure> {
        if is_https(&request.url) { Ok(Some(Arc::clone(&self.secure()?.config))) } else { Ok(None) }
    }

    fn secure(&self) -> Result<&Secure, Failure> {
        let made = self.0.secure.get_or_init(|| {
            let config = self.0.roots.client_config()?;
            let client = builder().tls_backend_preconfigured(config.clone()).build().map_err(|e| chain(&e))?;
            Ok(Secure { client, config: Arc::new(config) })
        });
        made.as_ref().map_err(|reason| Failure::Tls(reason.clone()))
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        // Servers close idle connections after five seconds and more; a request on a dying connection would be lost.
        .pool_idle_timeout(Duration::from_millis(1500))
}

/// The request with the header fields that every piece of software of its channel sends.
fn dressed(channel: Channel, mut request: Request) -> Request {
    let accept = match channel {
        Channel::Front => "*/*",
        Channel::Back => "application/json",
    };
    for (name, value) in [("User-Agent", USER_AGENT), ("Accept", accept)] {
        if !request.headers.has(name) {
            request.headers.push(name, value);
        }
    }
    request
}

fn is_https(url: &str) -> bool {
    url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
}

/// What the library's error means for the exchange.
fn failure(error: &reqwest::Error) -> Failure {
    if let Some(tls) = find::<rustls::Error>(error) {
        return Failure::Tls(tls.to_string());
    }
    if error.is_connect() {
        let reason = innermost(error);
        // The peer hung up on the handshake: no error of rustls, only its words.
        return if reason.contains("tls handshake") { Failure::Tls(reason) } else { Failure::Connect(reason) };
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse() => Failure::Malformed(innermost(error)),
        _ if error.is_builder() => Failure::NotSent(chain(error)),
        _ => Failure::Reset(innermost(error)),
    }
}

/// The first error of that type in a chain; also looks inside `io::Error`, which hides what it wraps.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match hidden {
            Some(hidden) => Some(hidden),
            None => error.source(),
        };
    }
    None
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
