//! What keeps an open page of a realm true: exchanges as they come, and every second what else became of the realm.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response as AxumResponse;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::super::ask::Ask;
use super::super::stream::{self, AHEAD};
use super::exchanges::exchange;
use super::journal;
use super::realm::shown_time;
use super::view::View;
use crate::mock::Realm;
use crate::mock::journal::Entry;
use crate::mock::realms::Realms;
use crate::oauth::Params;
use crate::policy::Matcher;

/// How often is looked what became of the realm.
const TICK: Duration = Duration::from_secs(1);
/// After how many looks at which nothing was new a word is said, so that nobody in between takes the connection for dead.
const QUIET: u32 = 15;

/// Events: `exchange` is one as it stands in the list, `state` what else the page shows, `gone` the end of the realm.
pub(super) fn follow(ask: &Ask, realm: Realm, params: &Params) -> AxumResponse {
    let number = |text: &str| text.parse::<u64>().ok();
    let last = ask.request.headers.get("last-event-id").and_then(|id| number(&id)).map(|id| id.saturating_add(1));
    // An older part of the journal grows no more.
    let next = last.or_else(|| params.get("since").and_then(|since| number(&since)));
    let (sender, receiver) = mpsc::channel(AHEAD);
    let following =
        Following { realms: Arc::clone(&ask.realms), realm, view: View::of(params), next, told: String::new(), quiet: 0 };
    tokio::spawn(following.send(sender));
    stream::answer(receiver)
}

struct Following {
    realms: Arc<Realms>,
    realm: Realm,
    view: View,
    /// The index of the next exchange; `None` where none is wanted.
    next: Option<u64>,
    /// The state that the page knows.
    told: String,
    quiet: u32,
}

impl Following {
    /// Sends events until nobody listens, the realm is gone, or the server stops.
    async fn send(mut self, sender: mpsc::Sender<Bytes>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (realms, realm) = (Arc::clone(&self.realms), self.realm.clone());
        loop {
            let event = tokio::select! {
                entry = arrival(&realm, self.next) => self.exchange(&entry),
                _ = ticks.tick() => self.state(),
                () = sender.closed() => return,
                () = realms.gone(&realm) => {
                    // Whether somebody still hears it does not matter any more.
                    let _sent = sender.send(stream::event("gone", None, "")).await;
                    return;
                }
                () = realms.stopped() => return,
            };
            let Some(event) = event else { continue };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }

    fn exchange(&mut self, entry: &Entry) -> Option<Bytes> {
        self.next = Some(entry.index + 1);
        let wanted = self.view.endpoint().is_none_or(|endpoint| entry.endpoint == endpoint);
        wanted.then(|| stream::event("exchange", Some(entry.index), &exchange(entry).into_string()))
    }

    /// What the page shows of the realm beside exchanges, where it is new.
    fn state(&mut self) -> Option<Bytes> {
        // Whoever looks at a realm uses it.
        let _used = self.realms.get(self.realm.name());
        let journal = self.realm.journal();
        let first = journal.recorded().saturating_sub(u64::try_from(journal.len()).unwrap_or(u64::MAX));
        let pages = journal::pages(&self.realms, &self.realm, &self.view).into_string();
        let state = json!({
            "time": shown_time(&self.realm), "frozen": self.realm.is_frozen(), "first": first, "pages": pages,
        });
        let state = state.to_string();
        self.quiet = if state == self.told { self.quiet + 1 } else { 0 };
        match self.quiet {
            0 => {
                self.told.clone_from(&state);
                Some(stream::event("state", None, &state))
            }
            quiet => (quiet % QUIET == 0).then(stream::silence),
        }
    }
}

/// The next exchange; none ever comes where none is wanted.
async fn arrival(realm: &Realm, next: Option<u64>) -> Arc<Entry> {
    match next {
        Some(next) => realm.journal().since(next).next(&Matcher::any()).await,
        None => std::future::pending().await,
    }
}
