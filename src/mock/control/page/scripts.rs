//! The scripts in force, each with its text or its rules in words, and a button that removes it.

use maud::{Markup, html};

use crate::mock::Realm;
use crate::policy::{Change, Patch, PatchKind, Rule};

/// Scripts that were added, and patches that the realm was given.
pub(super) fn scripts(realm: &Realm, action: &str) -> Markup {
    let (policies, added) = (realm.policies(), realm.scripts());
    let given: Vec<_> = policies.standing().filter(|patch| patch.kind == PatchKind::Script).collect();
    html! {
        @if !added.is_empty() || !given.is_empty() {
            form id="scripts" method="post" action=(action) {
                @for patch in &given { (script(patch, &html! { span.soft { "patch" } })) }
                @for patch in &added {
                    (script(patch, &html! {
                        button type="submit" name="remove" value=(patch.id) aria-label={ "Remove script " (patch.id) } { "Remove" }
                    }))
                }
            }
        }
    }
}

fn script(patch: &Patch, does: &Markup) -> Markup {
    html! {
        div.script {
            (does)
            details {
                summary { "Script " b.mono { (patch.id) } @if patch.title != patch.id { " – " (patch.title) } }
                @if patch.source.text.is_empty() {
                    ol { @for rule in &patch.rules { li { (described(rule)) } } }
                } @else {
                    p.soft { (patch.source.name) }
                    pre { (patch.source.text) }
                }
            }
        }
    }
}

/// A rule in words, with what it sets: of what came as JSON there is no text.
fn described(rule: &Rule) -> Markup {
    html! {
        "With " (rule.when.describe()) ": "
        @match &rule.change {
            Change::Settings(settings) => ul.mono {
                @for (path, value) in settings {
                    li { "set " (path) " = " @match value { Some(value) => (value.to_string()), None => "its default" } }
                }
            },
            Change::Respond(respond) => {
                "respond " (respond.status)
                @let response = respond.response();
                @if !response.body.is_empty() { pre { (String::from_utf8_lossy(&response.body)) } }
            },
            change => span.mono { (change.to_string()) },
        }
    }
}
