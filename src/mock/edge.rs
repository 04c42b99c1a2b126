//! The edge: sockets, HTTP, limits. The only place that knows axum and hyper; also where answers are delayed, cut or refused.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use axum::response::Response as AxumResponse;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::access::{self, Access, Listener};
use super::call::Endpoint;
use super::control;
use super::journal::Entry;
use super::realm::{Answer, Realm, host_of};
use super::realms::Realms;
use super::render;
use super::rewrite::Delivery;
use super::slow::{Chunked, Paced};
use super::socket::{Socket, Stream};
use crate::oauth::{Headers, Request, Response};

/// The longest request body, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// The longest request head, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// How long a client may take for the head of a request, and again for its body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What connections have in common.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) realms: Arc<Realms>,
    pub(super) access: Option<Listener>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<tokio_rustls::TlsAcceptor>,
}

/// Accepts connections until it is told to stop, and then lets those that are under way finish within the time that it is given.
pub(super) async fn serve(listener: TcpListener, serving: Serving, stop: oneshot::Receiver<Duration>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let realms = Arc::clone(&serving.realms);
    if let Some(idle) = realms.rules().idle {
        tokio::spawn(forget(Arc::clone(&realms), idle));
    }
    let router = Router::new().fallback(control).with_state(Arc::clone(&realms));
    let graceful = GracefulShutdown::new();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    drop(tokio::spawn(connection(stream, peer, router.clone(), serving.clone(), graceful.watcher())));
                }
                // Out of file descriptors, most likely: connections that end give some back. Nothing tells when one does, and
                // without the pause this loop would take a whole core meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let bound = tokio::select! {
        () = accept => Duration::ZERO,
        bound = stop => bound.unwrap_or_default(),
    };
    drop(listener);
    realms.stop();
    if !bound.is_zero() {
        // Whoever is not done by then is cut off.
        let _late = tokio::time::timeout(bound, graceful.shutdown()).await;
    }
}

/// Looks now and then for realms that were idle for too long.
async fn forget(realms: Arc<Realms>, idle: Duration) {
    let mut rounds = tokio::time::interval((idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(60)));
    loop {
        rounds.tick().await;
        realms.forget_idle();
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, serving: Serving, watcher: Watcher) {
    // Small answers to requests on a kept connection would otherwise wait for acknowledgements.
    let _best_effort = stream.set_nodelay(true);
    let Some(stream) = secured(stream, &serving).await else { return };
    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Socket::new(stream, Arc::clone(&reset)));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, realms) = (router.clone(), Arc::clone(&serving.realms));
        let reset = Arc::clone(&reset);
        let noted = serving.access.clone().map(|listener| (listener, Noted::of(&request, peer)));
        async move {
            let response = answer(realms, router, request).await;
            let ending = response.extensions().get::<Ending>().copied();
            let answered = matches!(ending, Some(Ending::ResetLater) | None);
            if let Some((listener, noted)) = noted {
                listener.tell(&noted.access(answered.then_some(response.status())));
            }
            reset.store(matches!(ending, Some(Ending::Reset | Ending::ResetLater)), Ordering::SeqCst);
            if answered { Ok(response) } else { Err(io::Error::from(io::ErrorKind::ConnectionReset)) }
        }
    });
    let mut builder = http1::Builder::new();
    // A client that has said all it has to say, and closes its half, gets its answer.
    builder.half_close(true).timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT).max_buf_size(HEAD_LIMIT);
    // Connections end by errors of all kinds, some of them made here on purpose.
    let _ended = watcher.watch(builder.serve_connection(io, service)).await;
}

/// The connection as it is, or after its handshake.
#[cfg(feature = "tls")]
async fn secured(stream: TcpStream, serving: &Serving) -> Option<Stream> {
    let Some(acceptor) = &serving.tls else { return Some(Stream::Plain(stream)) };
    let shaken = tokio::time::timeout(READ_TIMEOUT, acceptor.accept(stream)).await;
    shaken.ok()?.ok().map(|stream| Stream::Tls(Box::new(stream)))
}

/// The connection as it is.
#[cfg(not(feature = "tls"))]
#[expect(clippy::unused_async, reason = "with TLS there is a handshake to wait for")]
async fn secured(stream: TcpStream, _: &Serving) -> Option<Stream> {
    Some(Stream::Plain(stream))
}

/// A request that somebody wants to hear of once it is answered.
struct Noted {
    peer: SocketAddr,
    method: String,
    target: String,
    begun: Instant,
}

impl Noted {
    fn of(request: &hyper::Request<Incoming>, peer: SocketAddr) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        Self { peer, method: request.method().to_string(), target: access::redacted(target), begun: Instant::now() }
    }

    fn access(self, status: Option<StatusCode>) -> Access {
        let Self { peer, method, target, begun } = self;
        let (at, took) = (SystemTime::now(), begun.elapsed());
        Access { at, peer, method, target, status: status.map(|status| status.as_u16()), took }
    }
}

/// How a connection ends that is not kept: marks the response.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// It is reset instead of an answer.
    Reset,
    /// It is closed in order, without an answer.
    Closed,
    /// It is reset where the body breaks off.
    ResetLater,
}

/// What drives the mock: a handler of axum's.
async fn control(State(realms): State<Arc<Realms>>, request: AxumRequest) -> AxumResponse {
    control::answer(realms, request).await
}

/// Answers a request: one to a realm straight away, for it is what is measured and what comes in floods.
async fn answer(realms: Arc<Realms>, router: Router, request: hyper::Request<Incoming>) -> AxumResponse {
    if !names_one_host(&request) {
        return plain(render::problem(400, "Bad Request", "a request has one Host field (RFC 9112 section 3.2)"));
    }
    if control::is_control(realms.local(request.uri().path())) {
        let answered = TowerToHyperService::new(router).call(request).await;
        return answered.unwrap_or_else(|never: Infallible| match never {});
    }
    let host = host(&request).to_owned();
    let mut request = match read(request, &realms).await {
        Ok(request) => request,
        Err(refusal) => return plain(refusal),
    };
    let (realm, endpoint) = match realms.find(request.path(), &host) {
        Ok(Some(found)) => found,
        Ok(None) => return plain(render::not_found()),
        Err(error) => return plain(control::refusal(&error)),
    };
    realm.localise(&mut request, &host);
    let Some(mut answer) = guarded(&realm, request, &endpoint) else {
        return plain(render::problem(500, "Internal Server Error", "the mock has a defect; please report it"));
    };
    for commit in std::mem::take(&mut answer.commits) {
        let realm = realm.clone();
        tokio::spawn(async move {
            // A use that is noted late, because the policy says so: how races are lost on purpose.
            tokio::time::sleep(commit.after).await;
            realm.commit(&commit);
        });
    }
    if let Some(delay) = answer.delivery.delay {
        // The answer is slow because a rewrite says so; a server that is about to stop does not wait for it.
        let _stopping = tokio::time::timeout(delay, realms.stopped()).await;
    }
    let Response { status, headers, .. } = answer.response();
    write(*status, headers, Bytes::from_owner(Recorded(Arc::clone(&answer.entry))), answer.delivery)
}

/// A panic in the realm costs this one request its answer, and nobody else anything.
fn guarded(realm: &Realm, request: Request, endpoint: &Endpoint) -> Option<Answer> {
    catch_unwind(AssertUnwindSafe(|| realm.answer(request, endpoint))).ok()
}

/// A body that goes out from where it was recorded.
struct Recorded(Arc<Entry>);

impl AsRef<[u8]> for Recorded {
    fn as_ref(&self) -> &[u8] {
        self.0.exchange.response().map_or(&[], |response| &response.body)
    }
}

/// Reads a request, within its limits.
pub(super) async fn read<B>(request: hyper::Request<B>, realms: &Realms) -> Result<Request, Response>
where
    B: hyper::body::Body<Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let too_large = || render::problem(413, "Content Too Large", "request bodies may have 1 MiB");
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(too_large());
    }
    let whole = async {
        let empty = body.is_end_stream();
        if empty { Ok(Vec::new()) } else { Limited::new(body, BODY_LIMIT).collect().await.map(|body| body.to_bytes().to_vec()) }
    };
    let body = match tokio::time::timeout(READ_TIMEOUT, whole).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(render::problem(400, "Bad Request", "the body ended early")),
        Err(_) => return Err(render::problem(408, "Request Timeout", "the body did not come")),
    };
    let transport = |name: &HeaderName| matches!(name.as_str(), "host" | "content-length");
    let fields = head.headers.iter().filter(|(name, _)| !transport(name));
    Ok(Request {
        method: head.method.as_str().to_owned(),
        url: format!("{}{target}", realms.origin()),
        headers: fields.map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Headers>(),
        body,
    })
}

/// Whether a request says what host it is for, once; before HTTP/1.1 it need not say so.
fn names_one_host<B>(request: &hyper::Request<B>) -> bool {
    match request.headers().get_all("host").iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// The host that a request is for, without a port: a target in absolute form says more than the Host field (RFC 9112 section 3.2.2).
fn host<B>(request: &hyper::Request<B>) -> &str {
    let field = || request.headers().get("host").and_then(|value| value.to_str().ok()).map_or("", host_of);
    request.uri().host().unwrap_or_else(field)
}

/// A response that is delivered as it is.
pub(super) fn plain(response: Response) -> AxumResponse {
    write(response.status, &response.headers, Bytes::from(response.body), Delivery::default())
}

fn write(status: u16, headers: &Headers, body: Bytes, delivery: Delivery) -> AxumResponse {
    let paced = Paced::new(body, &delivery);
    let cut = paced.as_ref().is_ok_and(Paced::is_cut);
    let mut out = AxumResponse::new(match paced {
        Ok(paced) => Body::new(paced),
        Err(body) if delivery.chunked && !body.is_empty() => Body::new(Chunked::new(body)),
        Err(body) => Body::from(body),
    });
    // Informational statuses would not end the exchange.
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    *out.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    out.headers_mut().reserve(headers.iter().count());
    for (name, value) in headers.iter() {
        // Patches may ask for fields that HTTP cannot carry.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            out.headers_mut().append(name, value);
        }
    }
    let ending = match delivery {
        Delivery { drop: true, .. } => Some(Ending::Closed),
        Delivery { reset: true, .. } if cut => Some(Ending::ResetLater),
        Delivery { reset: true, .. } => Some(Ending::Reset),
        _ => None,
    };
    if let Some(ending) = ending {
        out.extensions_mut().insert(ending);
    }
    out
}
