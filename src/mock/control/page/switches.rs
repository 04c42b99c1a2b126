//! What a realm decides by, as a person sees it: what is in force, and everything that can be switched on, with a search.

use std::sync::Arc;

use maud::{Markup, html};

use super::layout::at;
use super::scripts::scripts;
use super::view::{View, finds};
use crate::mock::Realm;
use crate::mock::realms::Realms;
use crate::policy::{Library, Patch, PatchKind};

/// Where a patch has its switch: the fragment to which a switched page comes back, which also keeps the keyboard there.
pub(super) fn anchor(kind: PatchKind, id: &str) -> String {
    format!("{kind}-{id}")
}

/// The part of the page that switches faults and variants.
pub(super) fn policy(realms: &Realms, realm: &Realm, view: &View) -> Markup {
    let shelf = |kind, title| {
        let in_force = realm.policies().patches().filter(|patch| patch.kind == kind).map(|patch| patch.id.clone()).collect();
        let (see, switch) = (format!("/realms/{}", realm.name()), format!("/page/realms/{}/switch", realm.name()));
        Shelf { title, kind, in_force, search: view.search(kind), see: at(realms, &see), switch: at(realms, &switch) }.show()
    };
    html! {
        section id="policy" {
            h2 { "Faults and variants" }
            (in_force(realm, view, &at(realms, &format!("/page/realms/{}/switch", realm.name()))))
            (scripts(realm, &at(realms, &format!("/page/realms/{}/scripts", realm.name()))))
            (shelf(PatchKind::Fault, "All faults"))
            (shelf(PatchKind::Variant, "All variants"))
        }
    }
}

fn in_force(realm: &Realm, view: &View, action: &str) -> Markup {
    let patches: Vec<Arc<Patch>> = realm.policies().patches().cloned().collect();
    html! {
        form method="post" action=(action) {
            input type="hidden" name="back" value="policy";
            @for (name, value) in view.params().iter() {
                input type="hidden" name=(String::from_utf8_lossy(name)) value=(String::from_utf8_lossy(value));
            }
            @if patches.is_empty() { p.soft { "None: the realm is strictly conformant." } }
            @for patch in &patches {
                @match patch.kind {
                    PatchKind::Fault | PatchKind::Variant => {
                        button type="submit" name={ "remove-" (patch.kind) } value=(patch.id) title=(patch.title) aria-label={ "Switch off " (patch.kind) " " (patch.id) } {
                            (patch.kind) " " b { (patch.id) } " ✕"
                        }
                    }
                    PatchKind::Profile => span.chip title=(patch.title) { (patch.kind) " " (patch.id) },
                    // These stand below, with their texts.
                    PatchKind::Script => {}
                }
            }
        }
    }
}

/// Everything of a kind, each with its switch.
struct Shelf<'a> {
    title: &'static str,
    kind: PatchKind,
    in_force: Vec<String>,
    /// What is searched for; `None`: the list is closed.
    search: Option<&'a str>,
    /// Where the page is seen.
    see: String,
    /// Where switches are sent.
    switch: String,
}

impl Shelf<'_> {
    fn show(&self) -> Markup {
        let patches: Vec<&Patch> = Library::embedded().all(self.kind).collect();
        let found = patches.iter().filter(|patch| self.finds(patch)).count();
        html! {
            details.shelf id={ (self.kind) "s" } open[self.search.is_some()] {
                summary { (self.title) " (" (patches.len()) ")" }
                form method="post" action=(self.switch) {
                    div.row {
                        label { "Search by id or title" input type="search" name=(self.kind) value=(self.search.unwrap_or_default()) autocomplete="off"; }
                        // The first button of the form is what Enter in the field presses.
                        button type="submit" formmethod="get" formaction={ (self.see) "#" (self.kind) "s" } { "Search" }
                        span.soft role="status" { (found) " found" }
                    }
                    div.scroll { table.stack { @for patch in &patches { (self.row(patch)) } } }
                }
            }
        }
    }

    /// What is not found is there all the same, for the script of the page to find.
    fn row(&self, patch: &Patch) -> Markup {
        let on = self.in_force.contains(&patch.id);
        let (verb, name) = if on { ("Switch off", "remove-") } else { ("Switch on", "add-") };
        html! {
            tr hidden[!self.finds(patch)] {
                td {
                    button type="submit" id=(anchor(self.kind, &patch.id)) name={ (name) (self.kind) } value=(patch.id) aria-label={ (verb) " " (patch.id) } { (verb) }
                    @if on { span.chip.on { "on" } }
                }
                td.mono { (patch.id) }
                td { (patch.title) }
            }
        }
    }

    fn finds(&self, patch: &Patch) -> bool {
        finds(self.search.unwrap_or_default(), &format!("{} {}", patch.id, patch.title))
    }
}
