//! The page of a realm: its clock, its faults, a form that starts a flow, its live journal.

use maud::{Markup, PreEscaped, html};

use super::super::shapes::rfc3339;
use super::exchanges::exchange;
use super::layout::{LIVE, at, page};
use crate::mock::Realm;
use crate::mock::realms::Realms;
use crate::oauth::Response;
use crate::policy::{Library, Patch, PatchKind};

/// How many exchanges are shown.
const SHOWN: usize = 200;

/// The page of a realm; with what went wrong, if anything did.
pub(super) fn realm(realms: &Realms, realm: &Realm, mistake: Option<&str>) -> Response {
    let post = |action: &str| at(realms, &format!("/page/realms/{}/{action}", realm.name()));
    let body = html! {
        @if let Some(mistake) = mistake { section { p.bad role="alert" { (mistake) } } }
        p { "Issuer " code { (realm.issuer()) } }
        div.columns {
            (clock(realm, &post("clock")))
            (flow(realm, &post("flow")))
        }
        (policy(realm, &post("switch")))
        (people(realm))
        (journal(realms, realm, &post("journal")))
    };
    page(if mistake.is_some() { 400 } else { 200 }, realms, &format!("Realm {}", realm.name()), &body)
}

fn clock(realm: &Realm, action: &str) -> Markup {
    let frozen = realm.is_frozen();
    html! {
        section {
            h2 { "Clock" }
            p { code id="clock" { (rfc3339(realm.now())) } " " span.soft { (if frozen { "stands still" } else { "runs" }) } }
            form method="post" action=(action) {
                @for (by, label) in [("1m", "+ 1 min"), ("10m", "+ 10 min"), ("1h", "+ 1 h"), ("1d", "+ 1 day")] {
                    button type="submit" name="advance" value=(by) { (label) }
                }
                button type="submit" name="frozen" value=(if frozen { "false" } else { "true" }) { (if frozen { "Let it run" } else { "Stop it" }) }
            }
            form.row method="post" action=(action) {
                label { "Set it to" input name="time" placeholder="2030-01-31T12:00:00Z" required; }
                button type="submit" { "Set" }
            }
        }
    }
}

fn flow(realm: &Realm, action: &str) -> Markup {
    let clients = realm.clients();
    let may = |grant: &str| clients.iter().filter(|client| client.may_use(grant)).collect::<Vec<_>>();
    let scope = may("authorization_code").first().map(|client| client.scopes.join(" ")).unwrap_or_default();
    html! {
        section {
            h2 { "Start a flow" }
            form method="post" action=(action) {
                div.row {
                    label { "Client" select name="client" {
                        @for client in may("authorization_code") { option value=(client.client_id) { (client.client_id) } }
                    } }
                    label { "Scope" input name="scope" value=(scope); }
                }
                div.row {
                    label { "Prompt" select name="prompt" {
                        @for prompt in ["", "login", "consent", "none"] { option value=(prompt) { (if prompt.is_empty() { "as it comes" } else { prompt }) } }
                    } }
                    label { "PKCE" select name="pkce" { option value="S256" { "S256" } option value="none" { "none" } } }
                }
                button.main type="submit" { "Authorize" }
                p.soft { "It ends at a page of this server, which is added to the client's redirect URIs." }
            }
        }
    }
}

fn policy(realm: &Realm, action: &str) -> Markup {
    let policies = realm.policies();
    let in_force: Vec<_> = policies.patches().cloned().collect();
    let library = Library::embedded();
    html! {
        section {
            h2 { "Faults and variants" }
            form method="post" action=(action) {
                @if in_force.is_empty() { p.soft { "None: the realm is strictly conformant." } }
                @for patch in &in_force {
                    @match patch.kind {
                        PatchKind::Fault | PatchKind::Variant => {
                            button type="submit" name={ "remove-" (patch.kind) } value=(patch.id) title=(patch.title) { (patch.kind) " " b { (patch.id) } " ✕" }
                        }
                        PatchKind::Profile | PatchKind::Script => span.chip title=(patch.title) { (patch.kind) " " (patch.id) },
                    }
                }
            }
            (shelf("All faults", PatchKind::Fault, library.faults(), &in_force, action))
            (shelf("All variants", PatchKind::Variant, library.variants(), &in_force, action))
        }
    }
}

/// Everything of a kind, each with its switch.
fn shelf<'a>(
    title: &str,
    kind: PatchKind,
    patches: impl Iterator<Item = &'a Patch>,
    in_force: &[std::sync::Arc<Patch>],
    action: &str,
) -> Markup {
    html! {
        details {
            summary { (title) }
            form.scroll method="post" action=(action) {
                table {
                    @for patch in patches {
                        @let on = in_force.iter().any(|known| known.kind == kind && known.id == patch.id);
                        tr {
                            td { button type="submit" name={ (if on { "remove-" } else { "add-" }) (kind) } value=(patch.id) { (if on { "off" } else { "on" }) } }
                            td.mono { (patch.id) }
                            td { (patch.title) }
                        }
                    }
                }
            }
        }
    }
}

fn people(realm: &Realm) -> Markup {
    html! {
        section {
            details {
                summary { "Clients and users" }
                table {
                    thead { tr { th { "client" } th { "secret" } th { "authenticates by" } th { "grants" } th { "redirect URIs" } } }
                    @for client in realm.clients() {
                        tr {
                            td.mono { (client.client_id) }
                            td.mono { (client.client_secret.as_deref().unwrap_or("–")) }
                            td { (client.auth_method) }
                            td { (client.grant_types.join(", ")) }
                            td.mono { (client.redirect_uris.join(" ")) }
                        }
                    }
                }
                table {
                    thead { tr { th { "user" } th { "password" } } }
                    @for user in realm.users() { tr { td { (user.username) } td.mono { (user.password) } } }
                }
            }
        }
    }
}

fn journal(realms: &Realms, realm: &Realm, action: &str) -> Markup {
    let journal = realm.journal();
    let next = journal.recorded();
    let entries = journal.entries();
    let stream = at(realms, &format!("/page/realms/{}/stream?since={next}", realm.name()));
    html! {
        section {
            form method="post" action=(action) {
                h2 { "Journal " span.soft id="live" { "reload to see more" } }
                button type="submit" name="do" value="clear" { "Clear" }
                button type="submit" name="do" value="reset" { "Reset the realm" }
            }
            @if entries.is_empty() { p.soft id="nothing" { "Nothing was asked of this realm yet." } }
            div id="exchanges" data-stream=(stream) {
                @for entry in entries.iter().rev().take(SHOWN) { (exchange(entry)) }
            }
            script { (PreEscaped(LIVE)) }
        }
    }
}
