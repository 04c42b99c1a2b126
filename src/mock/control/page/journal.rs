//! The journal of a realm as a person sees it: a page of it, with the way to older and newer exchanges, and what becomes of it while it is open.

use std::collections::BTreeSet;
use std::sync::Arc;

use maud::{Markup, PreEscaped, html};

use super::exchanges::exchange;
use super::layout::{LIVE, at};
use super::view::View;
use crate::mock::Realm;
use crate::mock::journal::Entry;
use crate::mock::realms::Realms;

/// How many exchanges are shown at once.
const SHOWN: usize = 200;

/// The part of the page that shows exchanges, the latest first.
pub(super) fn journal(realms: &Realms, realm: &Realm, view: &View) -> Markup {
    let next = realm.journal().recorded();
    let part = Part::of(realm, view);
    let see = at(realms, &format!("/realms/{}", realm.name()));
    let stream = at(realms, &format!("/page/realms/{}/stream?{}", realm.name(), view.following(next).encode()));
    html! {
        section id="journal" {
            form method="post" action=(at(realms, &format!("/page/realms/{}/journal", realm.name()))) {
                h2 { "Journal " span.soft id="live" role="status" { "reload to see more" } }
                button type="submit" name="do" value="clear" { "Clear" }
                button type="submit" name="do" value="reset" { "Reset the realm" }
            }
            (endpoints(realm, view, &see))
            p.soft id="pages" { (part.pages(&see, view)) }
            div id="exchanges" data-stream=(stream) data-shown=(SHOWN) {
                @for entry in part.entries() { (exchange(entry)) }
            }
            script { (PreEscaped(LIVE)) }
        }
    }
}

/// What is said of the pages of the journal, as it is now.
pub(super) fn pages(realms: &Realms, realm: &Realm, view: &View) -> Markup {
    Part::of(realm, view).pages(&at(realms, &format!("/realms/{}", realm.name())), view)
}

/// The choice of an endpoint, among those of which the journal has exchanges.
fn endpoints(realm: &Realm, view: &View, see: &str) -> Markup {
    let journal = realm.journal();
    let mut known: BTreeSet<&str> = journal.iter().map(|entry| entry.endpoint).collect();
    known.extend(view.endpoint());
    html! {
        form.row method="get" action={ (see) "#journal" } {
            label { "Exchanges with" select name="endpoint" {
                option value="" { "every endpoint" }
                @for endpoint in known { option value=(endpoint) selected[view.endpoint() == Some(endpoint)] { (endpoint) } }
            } }
            button type="submit" { "Show" }
        }
    }
}

/// The exchanges that are shown among those that are of interest.
struct Part {
    /// Those of interest, the oldest first.
    all: Vec<Arc<Entry>>,
    from: usize,
    to: usize,
    /// How many the journal dropped to keep its limits.
    dropped: u64,
}

impl Part {
    fn of(realm: &Realm, view: &View) -> Self {
        let journal = realm.journal();
        let mut all = journal.entries();
        all.retain(|entry| view.endpoint().is_none_or(|endpoint| entry.endpoint == endpoint));
        let to = view.before().map_or(all.len(), |before| all.partition_point(|entry| entry.index < before));
        Self { from: to.saturating_sub(SHOWN), to, all, dropped: journal.dropped() }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.all[self.from..self.to].iter().rev().map(|entry| &**entry)
    }

    /// How many there are, which of them are shown, and the way to the others.
    fn pages(&self, see: &str, view: &View) -> Markup {
        let count = self.all.len();
        let link = |before: Option<u64>| format!("{see}?{}#journal", view.with_before(before).params().encode());
        let newer = (self.to < count).then(|| self.all.get(self.to + SHOWN).map(|entry| entry.index));
        html! {
            @match (self.all.get(self.from), self.to.checked_sub(1).and_then(|last| self.all.get(last))) {
                _ if count == 0 && view.endpoint().is_some() => "No exchange with this endpoint is in the journal. ",
                _ if count == 0 => "Nothing is in the journal. ",
                (Some(_), Some(_)) if self.from == 0 && self.to == count => { "All " (count) ". " }
                (Some(_), Some(_)) if self.to == count => { "The latest " (SHOWN) " of " (count) ". " }
                (Some(first), Some(last)) => { "#" (first.index) " to #" (last.index) ", " (self.to - self.from) " of " (count) ". " }
                _ => { "None so old, of " (count) ". " }
            }
            @if self.from > 0 && let Some(first) = self.all.get(self.from) { a href=(link(Some(first.index))) { "Older" } " " }
            @if let Some(before) = newer { a href=(link(before)) { "Newer" } " " a href=(link(None)) { "Latest" } " " }
            @if self.dropped > 0 { "The journal dropped " (self.dropped) " older ones to keep its limits." }
        }
    }
}
