//! The journal of a realm: listed, searched, waited for, forgotten.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::{Ask, Nothing};
use super::exchange::{EntryView, view};
use super::shapes::duration;
use super::trouble::Trouble;
use crate::mock::journal::Entry;
use crate::mock::realms::Awaited;
use crate::mock::{Journal, Realm};
use crate::policy::Matcher;

/// How many exchanges a list holds at most, and where nothing is said.
const PAGE: usize = 1_000;
/// How long is waited where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited at most: proxies and clients give up on silent connections sooner or later.
const LONGEST: Duration = Duration::from_secs(300);

/// Which exchanges are listed. Everything that is given must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Only from this index on.
    since: Option<String>,
    /// At most so many, the earliest of those that are left; 1000 where nothing is said.
    limit: Option<String>,
    /// Only at this endpoint.
    endpoint: Option<String>,
    /// Only with this method.
    method: Option<String>,
    /// Only at this path; `*` stands for any characters.
    path: Option<String>,
    /// Only with this grant type.
    grant: Option<String>,
    /// Only of this client.
    client: Option<String>,
    /// Only of this user.
    user: Option<String>,
    /// Only with this status: `400`, `4xx`.
    status: Option<String>,
    /// Only with this error code in the answer.
    error: Option<String>,
    /// Only under this patch.
    applied: Option<String>,
}

/// Exchanges, the earliest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Journal")]
pub(super) struct Entries {
    entries: Vec<EntryView>,
    /// The index from which to ask for what is not in this list.
    next: u64,
    /// How many exchanges were recorded in the life of the realm.
    recorded: u64,
    /// How many were dropped to keep the limits.
    dropped: u64,
}

/// What is searched for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// A matcher: `endpoint`, `method`, `path`, `grant`, `client`, `auth`, `user`, `parameter`, `form`, `query`, `header`, `json`, `status`,
    /// `error`, `cause`, `applied`, `answer`. Nothing: every exchange.
    #[serde(default, rename = "match")]
    matching: Map<String, Value>,
    /// Only from this index on.
    #[serde(default)]
    since: u64,
}

/// What is waited for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// A matcher, as of a search.
    #[serde(default, rename = "match")]
    matching: Map<String, Value>,
    /// From which index on exchanges count, so that nothing is missed; without it only what comes from now on.
    since: Option<u64>,
    /// How long to wait in real time: `10s`; at most five minutes.
    timeout: Option<String>,
}

/// What came.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arrival {
    entry: EntryView,
    /// The index from which to wait for the next one.
    next: u64,
}

pub(super) fn list(ask: &Ask, filter: Filter) -> Result<Entries, Trouble> {
    let number = |name: &str, text: &Option<String>| -> Result<Option<u64>, Trouble> {
        let Some(text) = text else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Trouble::parameter(name, format!("`{text}` is no whole number from 0")))
    };
    let since = number("since", &filter.since)?.unwrap_or(0);
    let limit = number("limit", &filter.limit)?.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE).min(PAGE));
    let mut members = Map::new();
    for (name, value) in [
        ("endpoint", filter.endpoint),
        ("method", filter.method),
        ("path", filter.path),
        ("grant", filter.grant),
        ("client", filter.client),
        ("user", filter.user),
        ("status", filter.status),
        ("error", filter.error),
        ("applied", filter.applied),
    ] {
        members.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    }
    let matcher = Matcher::from_json(&Value::Object(members)).map_err(|problems| {
        let first = problems.first();
        let name = first.and_then(|problem| problem.pointer.as_deref()).unwrap_or_default().trim_start_matches('/');
        let trouble = Trouble::parameter(name, first.map_or("", |problem| problem.message.as_str()));
        match first.and_then(|problem| problem.help.clone()) {
            Some(help) => trouble.help(help),
            None => trouble,
        }
    })?;
    Ok(entries(&ask.realm()?, since, limit, &matcher))
}

pub(super) fn search(ask: &Ask, search: &Search) -> Result<Entries, Trouble> {
    Ok(entries(&ask.realm()?, search.since, PAGE, &matcher(&search.matching)?))
}

pub(super) fn read(ask: &Ask, _: Nothing) -> Result<EntryView, Trouble> {
    let text = ask.part("index");
    let index: u64 = text.parse().map_err(|_| Trouble::parameter("index", format!("`{text}` is no whole number from 0")))?;
    let journal = ask.realm()?.journal();
    let found = journal.since(index).iter().find(|entry| entry.index == index);
    found.map(|entry| view(&entry)).ok_or_else(|| Trouble::missing("exchange", text, []))
}

pub(super) fn clear(ask: &Ask) -> Result<(), Trouble> {
    ask.realm()?.journal().forget();
    Ok(())
}

pub(super) async fn wait(ask: Ask, wait: Wait) -> Result<Arrival, Trouble> {
    let realm = ask.realm()?;
    let journal = realm.journal();
    let matcher = matcher(&wait.matching)?;
    let timeout = match &wait.timeout {
        Some(text) => duration(text).map_err(|wrong| Trouble::at("/timeout", wrong))?,
        None => TIMEOUT,
    };
    if timeout > LONGEST {
        return Err(Trouble::at("/timeout", "at most five minutes").help("ask again from `since`"));
    }
    let from = wait.since.unwrap_or_else(|| journal.recorded());
    // Whoever drives a test by it uses the realm, however long nothing comes.
    let _awaited = ask.realms.peek(realm.name()).map(Awaited::new);
    let waited = journal.since(from);
    let found = tokio::select! {
        found = waited.wait_for(&matcher, timeout) => found,
        () = ask.realms.gone(&realm) => return Err(Trouble::new(410, "Gone", format!("the realm `{}` was removed", realm.name()))),
        () = ask.realms.stopped() => return Err(Trouble::new(503, "Stopping", "the server is about to stop")),
    };
    drop(ask.realm());
    let entry: Arc<Entry> = found.map_err(|unseen| Trouble::new(408, "Nothing came", unseen.to_string()))?;
    Ok(Arrival { next: entry.index + 1, entry: view(&entry) })
}

/// A matcher from the member `match`.
pub(super) fn matcher(members: &Map<String, Value>) -> Result<Matcher, Trouble> {
    Matcher::from_json(&Value::Object(members.clone())).map_err(|problems| Trouble::problems("/match", &problems))
}

fn entries(realm: &Realm, since: u64, limit: usize, matcher: &Matcher) -> Entries {
    let journal: Journal = realm.journal();
    let recorded = journal.recorded();
    let found = journal.since(since).filter(matcher);
    let next = if found.len() > limit { found[limit].index } else { recorded };
    Entries { entries: found.iter().take(limit).map(|entry| view(entry)).collect(), next, recorded, dropped: journal.dropped() }
}
