//! The record of every exchange in a realm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use crate::oauth::{Exchange, Response};

/// How many entries are kept.
const CAPACITY: usize = 10_000;

/// One exchange, with what the mock thought of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts from 0 over the life of the realm.
    pub index: u64,
    /// When it was answered, on the realm's clock.
    pub at: SystemTime,
    /// `authorize`, `login`, `consent`, `token`, `revoke`, `introspect`, `userinfo`, `resource`, `jwks`, `metadata`, `register`,
    /// and `unknown` where nothing is.
    pub endpoint: &'static str,
    /// What came in and what went out.
    pub exchange: Exchange,
    /// The answer as it would have been without rewrites, where it was rewritten.
    pub original: Option<Response>,
    /// The client that the request comes from, or claims to.
    pub client: Option<String>,
    /// The user concerned.
    pub user: Option<String>,
    /// The ids of the patches that applied.
    pub applied: Vec<String>,
    /// Why it was refused, in the words of the policy's tables of causes; `None` where it was not.
    pub cause: Option<&'static str>,
    /// What a careful client would have done otherwise, one sentence each.
    pub notes: Vec<String>,
}

/// The latest entries.
#[derive(Default)]
pub(super) struct Journal {
    entries: VecDeque<Arc<Entry>>,
    next: u64,
}

impl Journal {
    pub(super) fn push(&mut self, mut entry: Entry) {
        entry.index = self.next;
        self.next += 1;
        self.entries.push_back(Arc::new(entry));
        if self.entries.len() > CAPACITY {
            self.entries.pop_front();
        }
    }

    /// The entries from an index on.
    pub(super) fn since(&self, index: u64) -> Vec<Arc<Entry>> {
        self.entries.iter().filter(|entry| entry.index >= index).cloned().collect()
    }

    /// The index of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
