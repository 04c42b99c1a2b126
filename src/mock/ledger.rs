//! Keeps account of expectations while exchanges come, so that what the journal drops is counted all the same.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::Entry;
use super::expectation::{Expectation, Expectations, Order};
use crate::policy::{Nearest, Unmatched};

/// How many of the exchanges that fulfilled an expectation are named in messages.
const NAMED: usize = 10;

/// What was expected of a realm and did not happen, or happened though it was not to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The realm.
    pub realm: String,
    /// The expectations that are not met.
    pub expectations: Vec<UnmetExpectation>,
    /// The rules of scripts that never applied.
    pub rules: Vec<Unmatched>,
}

/// An expectation that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmetExpectation {
    /// What was expected, in words.
    pub expected: String,
    /// How many exchanges fulfilled it.
    pub count: u64,
    /// The indices of the first of them in the journal.
    pub exchanges: Vec<u64>,
    /// What had to come before it, where the order was given.
    pub after: Option<String>,
    /// The first exchange that would have fulfilled it, had it not come too early.
    pub early: Option<Early>,
    /// The exchange that came nearest of those that did not fulfil it; `None` where there was no other.
    pub nearest: Option<Nearest>,
}

/// An exchange that came before what had to come before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Early {
    /// Its index in the journal.
    pub exchange: u64,
    /// The expectation that was in turn.
    pub before: String,
}

/// The expectations of a realm.
#[derive(Default)]
pub(super) struct Ledger {
    groups: Vec<Group>,
}

struct Group {
    order: Order,
    accounts: Vec<Account>,
    /// The one that is in turn, where the order is given.
    turn: usize,
}

struct Account {
    expectation: Expectation,
    count: u64,
    exchanges: Vec<u64>,
    early: Option<Early>,
    nearest: Option<Nearest>,
}

impl Ledger {
    /// Adds expectations, to which what happened before counts too.
    pub(super) fn add<'a>(&mut self, expectations: &Expectations, past: impl Iterator<Item = &'a Arc<Entry>>) {
        let account = |expectation: &Expectation| Account {
            expectation: expectation.clone(),
            count: 0,
            exchanges: Vec::new(),
            early: None,
            nearest: None,
        };
        let accounts = expectations.list.iter().map(account).collect();
        let mut group = Group { order: expectations.order, accounts, turn: 0 };
        past.for_each(|entry| group.note(entry));
        self.groups.push(group);
    }

    /// Counts an exchange.
    pub(super) fn note(&mut self, entry: &Entry) {
        self.groups.iter_mut().for_each(|group| group.note(entry));
    }

    /// What is not met now.
    pub(super) fn unmet(&self) -> Vec<UnmetExpectation> {
        self.groups.iter().flat_map(Group::unmet).collect()
    }
}

impl Group {
    fn note(&mut self, entry: &Entry) {
        match self.order {
            Order::Any => self.accounts.iter_mut().for_each(|account| {
                if account.fits(entry) {
                    account.count(entry);
                }
            }),
            Order::Given => self.note_in_order(entry),
        }
    }

    /// The exchange counts for the one in turn; if it does not fit there, or no more of it are wanted, for the next one that it fits,
    /// provided that all before that have what they need.
    fn note_in_order(&mut self, entry: &Entry) {
        let mut over = None;
        for index in self.turn..self.accounts.len() {
            let account = &mut self.accounts[index];
            let times = account.expectation.times;
            if account.fits(entry) {
                if times.most.is_none_or(|most| account.count < most) {
                    account.count(entry);
                    self.turn = index;
                    return;
                }
                over = over.or(Some(index));
            }
            if self.accounts[index].count < times.least {
                if over.is_none() {
                    self.note_early(entry, index);
                }
                break;
            }
        }
        // Nobody wants it, and one of them had enough already.
        if let Some(index) = over {
            self.accounts[index].count(entry);
        }
    }

    /// Remembers for those behind the one in turn that the exchange would have been theirs.
    fn note_early(&mut self, entry: &Entry, turn: usize) {
        let before = self.accounts[turn].expectation.label();
        for account in &mut self.accounts[turn + 1..] {
            if account.early.is_none() && account.fits(entry) {
                account.early = Some(Early { exchange: entry.index, before: before.clone() });
            }
        }
    }

    fn unmet(&self) -> impl Iterator<Item = UnmetExpectation> {
        let wrong = |(_, account): &(usize, &Account)| !account.expectation.times.allows(account.count);
        self.accounts.iter().enumerate().filter(wrong).map(|(index, account)| {
            let before = index.checked_sub(1).filter(|_| self.order == Order::Given);
            // What came too often needs no near miss.
            let lacks = account.count < account.expectation.times.least;
            UnmetExpectation {
                expected: account.expectation.to_string(),
                count: account.count,
                exchanges: account.exchanges.clone(),
                after: before.map(|before| self.accounts[before].expectation.label()),
                early: account.early.clone().filter(|_| lacks),
                nearest: account.nearest.clone().filter(|_| lacks && account.early.is_none()),
            }
        })
    }
}

impl Account {
    /// Whether an exchange is meant; if not, how near it comes is kept.
    fn fits(&mut self, entry: &Entry) -> bool {
        let params = entry.params();
        let moment = entry.moment(&params);
        let matcher = &self.expectation.matcher;
        let Some(score) = matcher.miss(&moment) else { return true };
        matcher.nearer(&mut self.nearest, score, &moment);
        false
    }

    fn count(&mut self, entry: &Entry) {
        self.count += 1;
        if self.exchanges.len() < NAMED {
            self.exchanges.push(entry.index);
        }
    }
}

impl std::error::Error for Unmet {}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "realm `{}`: not everything went as expected", self.realm)?;
        self.expectations.iter().try_for_each(|unmet| write!(f, "\n{unmet}"))?;
        for rule in &self.rules {
            write!(f, "\nrule {} of `{}` ({}) never applied", rule.rule, rule.id, rule.when)?;
            match (rule.waits_for, &rule.nearest) {
                (Some(before), _) => write!(f, ": rule {before} before it was not used up")?,
                (None, Some(nearest)) => explain(f, nearest)?,
                (None, None) => f.write_str(": no request came")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for UnmetExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)?;
        if let Some(after) = &self.after {
            write!(f, ", after {after}")?;
        }
        match self.count {
            0 => f.write_str("; there was none")?,
            1 => f.write_str("; there was 1")?,
            count => write!(f, "; there were {count}")?,
        }
        if !self.exchanges.is_empty() {
            let indices: Vec<String> = self.exchanges.iter().map(|index| format!("#{index}")).collect();
            let more = if self.count > NAMED as u64 { "…" } else { "" };
            write!(f, ": {}{more}", indices.join(", "))?;
        }
        if let Some(Early { exchange, before }) = &self.early {
            write!(f, "\n  #{exchange} matched, but came before {before}")?;
        }
        self.nearest.as_ref().map_or(Ok(()), |nearest| explain(f, nearest))
    }
}

/// A near miss, condition by condition.
fn explain(f: &mut fmt::Formatter<'_>, nearest: &Nearest) -> fmt::Result {
    write!(f, "\n  closest was {}", nearest.request)?;
    if let Some(status) = nearest.status {
        write!(f, ", answered {status}")?;
    }
    for condition in &nearest.conditions {
        match condition.held {
            true => write!(f, "\n    held  {}", condition.wanted)?,
            false => write!(f, "\n    not   {}: {}", condition.wanted, condition.found)?,
        }
    }
    Ok(())
}
