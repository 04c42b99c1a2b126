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
use crate::mock::Journal;
use crate::policy::Matcher;

/// How many events wait for a slow reader; then the stream waits with it.
const AHEAD: usize = 16;
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

/// Each event is an exchange, its id the exchange's index.
pub(super) fn stream(ask: &Ask) -> Result<Response, Trouble> {
    let from: From = ask.query()?;
    let realm = ask.realm()?;
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
    let (realms, name) = (Arc::clone(&ask.realms), realm.name().to_owned());
    tokio::spawn(async move {
        let mut next = next;
        // Whoever listens uses the realm.
        while realms.get(&name).is_some() {
            let event = tokio::select! {
                event = following(&journal, &matcher, next) => event,
                () = tokio::time::sleep(SILENCE) => (next, Bytes::from_static(b":\n\n")),
                () = sender.closed() => return,
            };
            next = event.0;
            if sender.send(event.1).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(Body::new(Events(receiver)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather what they pass on would keep events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The next exchange as an event, and the index after it.
async fn following(journal: &Journal, matcher: &Matcher, from: u64) -> (u64, Bytes) {
    let entry = journal.since(from).next(matcher).await;
    let data = serde_json::to_string(&view(&entry)).unwrap_or_default();
    (entry.index + 1, Bytes::from(format!("id: {}\nevent: exchange\ndata: {data}\n\n", entry.index)))
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
