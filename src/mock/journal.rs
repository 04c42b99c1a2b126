//! The record of every exchange in a realm: bounded, searched by matchers, and waited for without polling.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use super::expectation::Expectations;
use super::ledger::{Ledger, UnmetExpectation};
use crate::oauth::{Exchange, Params, Response};
use crate::policy::{Answered, AppliedRule, Matcher, Moment, Nearest};

/// One exchange, with what the mock thought of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts from 0 over the life of the realm.
    pub index: u64,
    /// When it was answered, on the realm's clock.
    pub at: SystemTime,
    /// One of [`crate::policy::When::ENDPOINTS`], and `unknown` where nothing is.
    pub endpoint: &'static str,
    /// What came in and what went out.
    pub exchange: Exchange,
    /// How the answer went out where that was not whole and at once: `reset`, `cut after 8 bytes`, one each.
    pub delivery: Vec<String>,
    /// The answer as it would have been without rewrites, where it was rewritten.
    pub original: Option<Response>,
    /// The grant type that was asked for, at the token endpoint.
    pub grant: Option<String>,
    /// The client that the request comes from, or claims to.
    pub client: Option<String>,
    /// How the client authenticated, at endpoints where clients do: `basic`, `post`, `none`.
    pub auth: Option<&'static str>,
    /// The user concerned.
    pub user: Option<String>,
    /// The ids of the patches that applied, those that a script named included.
    pub applied: Vec<String>,
    /// Their rules that applied, in order.
    pub rules: Vec<Arc<AppliedRule>>,
    /// Why it was refused, in the words of the policy's tables of causes; `None` where it was not.
    pub cause: Option<&'static str>,
    /// What a careful client would have done otherwise, one sentence each.
    pub notes: Vec<String>,
}

/// How much of its past a realm remembers. The oldest exchanges are dropped where either is exceeded, but never the latest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// How many exchanges.
    pub entries: usize,
    /// How many bytes of messages, and what goes with them.
    pub bytes: usize,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 16 * 1024 * 1024 }
    }
}

/// The journal of a realm, from some exchange on; a handle that sees what is still to come.
///
/// ```
/// use oauthspec::mock::MockServer;
/// use oauthspec::oauth::Request;
/// use oauthspec::policy::Matcher;
///
/// let server = MockServer::builder().start_blocking()?;
/// let realm = server.realm();
/// let _answer = realm.handle(&Request::get(format!("{}/jwks", realm.issuer())));
/// let entry = realm.journal().wait_for_blocking(&Matcher::at("jwks"), std::time::Duration::from_secs(5))?;
/// assert_eq!(entry.index, 0);
/// assert_eq!(realm.journal().filter(&Matcher::at("token")).len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    from: u64,
}

/// What did not come in time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no exchange with {wanted} within {waited:?}{}", .nearest.as_ref().map_or_else(String::new, |near| format!("; closest was {near}")))]
pub struct Unseen {
    /// What was waited for.
    pub wanted: String,
    /// How long.
    pub waited: Duration,
    /// The exchange that came nearest; `None` where none came at all.
    pub nearest: Option<Nearest>,
}

struct Shared {
    record: Mutex<Record>,
    /// Wakes those who block.
    arrived: Condvar,
    /// Wakes those who await.
    notify: Notify,
}

struct Record {
    entries: VecDeque<Arc<Entry>>,
    next: u64,
    bytes: usize,
    dropped: u64,
    limits: JournalLimits,
    ledger: Ledger,
    /// How many threads block until something comes.
    blocked: usize,
}

impl Journal {
    pub(super) fn new(limits: JournalLimits) -> Self {
        let (entries, ledger) = (VecDeque::new(), Ledger::default());
        let record = Mutex::new(Record { entries, next: 0, bytes: 0, dropped: 0, limits, ledger, blocked: 0 });
        Self { shared: Arc::new(Shared { record, arrived: Condvar::new(), notify: Notify::new() }), from: 0 }
    }

    /// The part of it that begins with the exchange of that index.
    #[must_use]
    pub fn since(&self, index: u64) -> Self {
        Self { shared: Arc::clone(&self.shared), from: self.from.max(index) }
    }

    /// The exchanges, the oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.record().since(self.from).cloned().collect()
    }

    /// The exchanges that match.
    #[must_use]
    pub fn filter(&self, matcher: &Matcher) -> Vec<Arc<Entry>> {
        // Comparing can take long where there are many: others go on meanwhile.
        self.entries().into_iter().filter(|entry| entry.matches(matcher)).collect()
    }

    /// The latest exchange.
    #[must_use]
    pub fn last(&self) -> Option<Arc<Entry>> {
        self.record().since(self.from).next_back().cloned()
    }

    /// How many exchanges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record().since(self.from).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An iterator over the exchanges that there are now, the oldest first.
    #[must_use]
    pub fn iter(&self) -> std::vec::IntoIter<Arc<Entry>> {
        self.entries().into_iter()
    }

    /// How many exchanges were recorded in the life of the realm: the index of the next one.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.record().next
    }

    /// How many exchanges were dropped to keep the limits, since the realm began or was reset.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.record().dropped
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> JournalLimits {
        self.record().limits
    }

    /// The first exchange that matches: one that is there already, or the next that comes.
    ///
    /// It must run in a Tokio runtime with time enabled.
    ///
    /// # Errors
    /// [`Unseen`] where none comes in time, in real time.
    pub async fn wait_for(&self, matcher: &Matcher, timeout: Duration) -> Result<Arc<Entry>, Unseen> {
        let mut search = Search::new(self, matcher);
        let found = tokio::time::timeout(timeout, search.arrival()).await;
        found.map_err(|_| search.unseen(timeout))
    }

    /// The same for code that blocks.
    ///
    /// # Errors
    /// [`Unseen`] where none comes in time, in real time.
    pub fn wait_for_blocking(&self, matcher: &Matcher, timeout: Duration) -> Result<Arc<Entry>, Unseen> {
        let mut search = Search::new(self, matcher);
        let deadline = Instant::now().checked_add(timeout);
        loop {
            if let Some(found) = search.look() {
                return Ok(found);
            }
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            let mut record = self.record();
            if record.next > search.next {
                continue;
            }
            if left.is_zero() {
                return Err(search.unseen(timeout));
            }
            record.blocked += 1;
            let waited = self.shared.arrived.wait_timeout(record, left);
            let (mut record, _) = waited.unwrap_or_else(PoisonError::into_inner);
            record.blocked -= 1;
        }
    }

    /// The first exchange that matches, however long it takes.
    pub async fn next(&self, matcher: &Matcher) -> Arc<Entry> {
        Search::new(self, matcher).arrival().await
    }

    pub(super) fn push(&self, mut entry: Entry) -> Arc<Entry> {
        let (entry, blocked) = {
            let mut record = self.record();
            entry.index = record.next;
            let entry = Arc::new(entry);
            record.push(Arc::clone(&entry));
            (entry, record.blocked)
        };
        // To wake nobody would cost a system call.
        if blocked > 0 {
            self.shared.arrived.notify_all();
        }
        self.shared.notify.notify_waiters();
        entry
    }

    /// Forgets exchanges; indices go on, and what was counted for expectations stays.
    pub(super) fn forget(&self) {
        let mut record = self.record();
        record.entries.clear();
        (record.bytes, record.dropped) = (0, 0);
    }

    /// Forgets exchanges and expectations; indices go on.
    pub(super) fn clear(&self) {
        let mut record = self.record();
        record.entries.clear();
        (record.bytes, record.dropped) = (0, 0);
        record.ledger = Ledger::default();
    }

    pub(super) fn expect(&self, expectations: &Expectations) {
        let mut record = self.record();
        let Record { entries, ledger, .. } = &mut *record;
        ledger.add(expectations, entries.iter());
    }

    pub(super) fn forget_expectations(&self) {
        self.record().ledger = Ledger::default();
    }

    pub(super) fn unmet(&self) -> Vec<UnmetExpectation> {
        self.record().ledger.unmet()
    }

    /// A panic while the lock was held leaves at worst one entry out.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IntoIterator for Journal {
    type Item = Arc<Entry>;
    type IntoIter = std::vec::IntoIter<Arc<Entry>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for &Journal {
    type Item = Arc<Entry>;
    type IntoIter = std::vec::IntoIter<Arc<Entry>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("from", &self.from).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Entry {
    /// Whether it is such an exchange.
    #[must_use]
    pub fn matches(&self, matcher: &Matcher) -> bool {
        let params = self.params();
        matcher.holds(&self.moment(&params))
    }

    /// The parameters of the request: of its body if it is a POST with one, else of its query.
    #[must_use]
    pub fn params(&self) -> Params {
        let request = &self.exchange.request;
        let in_body = request.method == "POST" && !request.body.is_empty();
        Params::parse_lossy(if in_body { &request.body } else { request.query().unwrap_or("").as_bytes() })
    }

    /// As matchers see it, with the parameters of [`Entry::params`].
    pub(super) fn moment<'a>(&'a self, params: &'a Params) -> Moment<'a> {
        let answered = |response| Answered { response, cause: self.cause, applied: &self.applied };
        Moment {
            endpoint: self.endpoint,
            grant: self.grant.as_deref(),
            client: self.client.as_deref(),
            auth: self.auth,
            user: self.user.as_deref(),
            params,
            request: &self.exchange.request,
            elapsed: Duration::ZERO,
            answered: self.exchange.response().map(answered),
        }
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        const REST: usize = 512;
        let of_response = |response: &Response| {
            let fields: usize = response.headers.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
            fields + response.body.len()
        };
        let request = &self.exchange.request;
        let fields: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        let answers = self.exchange.response().into_iter().chain(&self.original).map(of_response).sum::<usize>();
        REST + request.url.len() + fields + request.body.len() + answers
    }
}

impl Record {
    fn push(&mut self, entry: Arc<Entry>) {
        self.next += 1;
        self.bytes += entry.size();
        self.ledger.note(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > 1 && (self.entries.len() > self.limits.entries || self.bytes > self.limits.bytes) {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.size();
                self.dropped += 1;
            }
        }
    }

    /// The entries from an index on. Indices have no gaps, but the journal can have been cleared.
    fn since(&self, index: u64) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        let first = self.entries.front().map_or(self.next, |entry| entry.index);
        let skipped = usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(skipped.min(self.entries.len())..)
    }
}

/// A search that goes on where it stopped.
struct Search<'a> {
    journal: &'a Journal,
    matcher: &'a Matcher,
    /// The index of the first exchange that was not looked at.
    next: u64,
    nearest: Option<Nearest>,
}

impl<'a> Search<'a> {
    fn new(journal: &'a Journal, matcher: &'a Matcher) -> Self {
        Self { journal, matcher, next: journal.from, nearest: None }
    }

    fn look(&mut self) -> Option<Arc<Entry>> {
        let (entries, next) = {
            let record = self.journal.record();
            (record.since(self.next).cloned().collect::<Vec<_>>(), record.next)
        };
        self.next = self.next.max(next);
        for entry in entries {
            let params = entry.params();
            let moment = entry.moment(&params);
            match self.matcher.miss(&moment) {
                None => return Some(Arc::clone(&entry)),
                Some(score) => self.matcher.nearer(&mut self.nearest, score, &moment),
            }
        }
        None
    }

    async fn arrival(&mut self) -> Arc<Entry> {
        loop {
            let mut arrived = std::pin::pin!(self.journal.shared.notify.notified());
            // From here on nothing that comes is missed, though nobody polls yet.
            arrived.as_mut().enable();
            if let Some(found) = self.look() {
                return found;
            }
            arrived.await;
        }
    }

    fn unseen(self, waited: Duration) -> Unseen {
        Unseen { wanted: self.matcher.to_string(), waited, nearest: self.nearest }
    }
}
