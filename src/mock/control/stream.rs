//! The journal as it is written, by server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::ask::Ask;
use super::exchange::view;
use super::trouble::Trouble;
use crate::mock::realms::Realms;
use crate::mock::{Journal, Realm};
use crate::policy::Matcher;

/// How many events wait for a slow reader; then the stream waits with it.
pub(super) const AHEAD: usize = 16;
/// How often a word is said where nothing happens, so that nobody in between takes the connection for dead.
const SILENCE: Duration = Duration::from_secs(15);

/// From where on the journal is streamed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// The index of the first exchange that is sent, if it is there already; without it only those to come. A browser that comes back
    /// says by `Last-Event-ID` where it left off.
    since: Option<String>,
    /// Only at this endpoint.
    endpoint: Option<String>,
}

/// Each event is an exchange as JSON, its id the exchange's index.
pub(super) fn stream(ask: &Ask) -> Result<Response, Trouble> {
    let realm = ask.realm()?;
    let from: From = ask.query()?;
    let journal = realm.journal();
    let last = ask.request.headers.get("last-event-id").and_then(|id| id.parse::<u64>().ok()).map(|id| id.saturating_add(1));
    let since = match &from.since {
        Some(text) => {
            let number = text.parse::<u64>();
            Some(number.map_err(|_| Trouble::parameter("since", format!("`{text}` is no whole number from 0")))?)
        }
        None => None,
    };
    let members: Map<String, Value> = from.endpoint.into_iter().map(|name| ("endpoint".to_owned(), Value::from(name))).collect();
    let matcher = Matcher::from_json(&Value::Object(members))
        .map_err(|problems| Trouble::parameter("endpoint", problems.first().map_or_else(String::new, ToString::to_string)))?;
    let next = last.or(since).unwrap_or_else(|| journal.recorded());
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(send(Arc::clone(&ask.realms), realm, Following { journal, matcher, next }, sender));
    Ok(answer(receiver))
}

/// An answer of events.
pub(super) fn answer(receiver: mpsc::Receiver<Bytes>) -> Response {
    let mut response = Response::new(Body::new(Events(receiver)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather what they pass on would keep events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// An event; the id is what a browser that comes back tells.
pub(super) fn event(kind: &str, id: Option<u64>, text: &str) -> Bytes {
    // Carriage returns end lines of an event too.
    let lines: String = text.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    Bytes::from(format!("{id}event: {kind}\n{lines}\n"))
}

/// A comment line at intervals keeps proxies from closing a silent stream.
pub(super) fn silence() -> Bytes {
    Bytes::from_static(b":\n\n")
}

/// What is sent, and from where on.
struct Following {
    journal: Journal,
    matcher: Matcher,
    next: u64,
}

impl Following {
    /// The next exchange as an event.
    async fn event(&mut self) -> Bytes {
        let entry = self.journal.since(self.next).next(&self.matcher).await;
        self.next = entry.index + 1;
        event("exchange", Some(entry.index), &serde_json::to_string(&view(&entry)).unwrap_or_default())
    }
}

/// Sends events until nobody listens, the realm is gone, or the server stops.
async fn send(realms: Arc<Realms>, realm: Realm, mut following: Following, sender: mpsc::Sender<Bytes>) {
    // Whoever listens uses the realm.
    while realms.get(realm.name()).is_some() {
        let event = tokio::select! {
            event = tokio::time::timeout(SILENCE, following.event()) => event.unwrap_or_else(|_| silence()),
            () = sender.closed() => return,
            () = realms.gone(&realm) => return,
            () = realms.stopped() => return,
        };
        if sender.send(event).await.is_err() {
            return;
        }
    }
}

/// A body of events as they come.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
