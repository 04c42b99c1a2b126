//! The page of a realm: its clock, its faults, a form that starts a flow, its live journal.

use maud::{Markup, html};

use super::super::shapes::rfc3339;
use super::layout::{Mistake, at, page};
use super::view::View;
use super::{journal, switches};
use crate::mock::Realm;
use crate::mock::realms::Realms;
use crate::oauth::Response;

/// The page of a realm; with what went wrong, if anything did.
pub(super) fn realm(realms: &Realms, realm: &Realm, view: &View, mistake: Option<Mistake<'_>>) -> Response {
    let post = |action: &str| at(realms, &format!("/page/realms/{}/{action}", realm.name()));
    let body = html! {
        @if let Some(mistake) = mistake && !mistake.is_at("time") { section { p.bad role="alert" { (mistake.text) } } }
        p { "Issuer " code { (realm.issuer()) } }
        div.columns {
            (clock(realm, &post("clock"), mistake.filter(|mistake| mistake.is_at("time"))))
            (flow(realm, &post("flow")))
        }
        (switches::policy(realms, realm, view))
        (people(realm))
        (journal::journal(realms, realm, view))
    };
    page(if mistake.is_some() { 400 } else { 200 }, realms, &format!("Realm {}", realm.name()), &body)
}

fn clock(realm: &Realm, action: &str, mistake: Option<Mistake<'_>>) -> Markup {
    let frozen = realm.is_frozen();
    html! {
        section {
            h2 { "Clock" }
            p { code id="clock" { (shown_time(realm)) } " " span.soft id="runs" { (if frozen { "stands still" } else { "runs" }) } }
            form method="post" action=(action) {
                @for (by, label) in [("1m", "+ 1 min"), ("10m", "+ 10 min"), ("1h", "+ 1 h"), ("1d", "+ 1 day")] {
                    button type="submit" id={ "advance-" (by) } name="advance" value=(by) { (label) }
                }
                button type="submit" id="frozen" name="frozen" value=(if frozen { "false" } else { "true" }) { (if frozen { "Let it run" } else { "Stop it" }) }
            }
            form.row method="post" action=(action) {
                label {
                    "Set it to"
                    @match mistake {
                        // What was typed stays, to be mended.
                        Some(mistake) => input name="time" value=(mistake.typed("time")) required autofocus aria-invalid="true" aria-describedby="mistake";,
                        None => input name="time" placeholder="2030-01-31T12:00:00Z" required;,
                    }
                }
                button type="submit" id="time" { "Set" }
            }
            @if let Some(mistake) = mistake { p.bad id="mistake" role="alert" { (mistake.text) } }
        }
    }
}

/// What the clock of a realm shows, in whole seconds.
pub(super) fn shown_time(realm: &Realm) -> String {
    let time = rfc3339(realm.now());
    time.split_once('.').map_or(time.clone(), |(whole, _)| format!("{whole}Z"))
}

fn flow(realm: &Realm, action: &str) -> Markup {
    let clients = realm.clients();
    let may = |grant: &str| clients.iter().filter(|client| client.may_use(grant)).collect::<Vec<_>>();
    html! {
        section {
            h2 { "Start a flow" }
            form method="post" action=(action) {
                div.row {
                    label { "Client, and what it may ask for" select name="client" {
                        @for client in may("authorization_code") {
                            option value=(client.client_id) data-scopes=(client.scopes.join(" ")) { (client.client_id) ": " (client.scopes.join(" ")) }
                        }
                    } }
                    label { "Scope, or nothing for all of the client's" input name="scope" autocomplete="off"; }
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

fn people(realm: &Realm) -> Markup {
    html! {
        section {
            details {
                summary { "Clients and users" }
                table.stack {
                    thead { tr { th { "client" } th { "secret" } th { "authenticates by" } th { "grants" } th { "scopes" } th { "redirect URIs" } } }
                    tbody { @for client in realm.clients() {
                        tr {
                            (cell("client", &client.client_id))
                            (cell("secret", client.client_secret.as_deref().unwrap_or("–")))
                            (cell("authenticates by", &client.auth_method))
                            (cell("grants", &client.grant_types.join(", ")))
                            (cell("scopes", &client.scopes.join(" ")))
                            (cell("redirect URIs", &client.redirect_uris.join(" ")))
                        }
                    } }
                }
                table.stack {
                    thead { tr { th { "user" } th { "password" } } }
                    tbody { @for user in realm.users() { tr { (cell("user", &user.username)) (cell("password", &user.password)) } } }
                }
            }
        }
    }
}

/// A cell that says on narrow screens what it is, and scrolls where it is long.
fn cell(name: &str, text: &str) -> Markup {
    html! { td data-name=(name) { div.mono.long { (text) } } }
}
