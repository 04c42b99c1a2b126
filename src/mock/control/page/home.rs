//! The first page: the realms, and a form for another one. And the form that asks for the token.

use maud::html;

use super::super::shapes::rfc3339;
use super::layout::{at, page};
use crate::mock::realms::Realms;
use crate::oauth::Response;
use crate::policy::Library;

/// The first page; with what went wrong, if anything did.
pub(super) fn home(realms: &Realms, mistake: Option<&str>) -> Response {
    let all = realms.all();
    let body = html! {
        @if let Some(mistake) = mistake { section { p.bad role="alert" { (mistake) } } }
        section {
            h2 { "Running" }
            table {
                thead { tr { th { "name" } th { "issuer" } th { "made" } th { "exchanges" } th {} } }
                tbody {
                    @for held in all.iter().take(500) {
                        tr {
                            td { a href=(at(realms, &format!("/realms/{}", held.realm.name()))) { (held.realm.name()) } }
                            td.mono { (held.realm.issuer()) }
                            td.soft { (rfc3339(held.created)) }
                            td { (held.realm.journal().recorded()) }
                            td {
                                form method="post" action=(at(realms, "/page/remove")) {
                                    button type="submit" name="realm" value=(held.realm.name()) { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
            @if all.len() > 500 { p.soft { "… and " (all.len() - 500) " more." } }
        }
        section {
            h2 { "Another realm" }
            form.row method="post" action=(at(realms, "/page/create")) {
                label { "Name, or nothing for one that is made up" input name="name" pattern="[A-Za-z0-9][A-Za-z0-9._~\\-]*"; }
                label { "Behaves like" select name="profile" {
                    option value="" { "as the server was started" }
                    option value="strict" { "strict" }
                    @for profile in Library::embedded().profiles().filter(|profile| profile.id != "strict") {
                        option value=(profile.id) { (profile.id) }
                    }
                } }
                button.main type="submit" { "Make it" }
            }
        }
    };
    page(if mistake.is_some() { 400 } else { 200 }, realms, "Realms", &body)
}

/// The form that asks for the token.
pub(super) fn sign_in(realms: &Realms, path: &str, mistake: Option<&str>) -> Response {
    let body = html! {
        section {
            @if let Some(mistake) = mistake { p.bad role="alert" { (mistake) } }
            form.row method="post" action=(at(realms, "/page/sign-in")) {
                input type="hidden" name="path" value=(path);
                label { "The control token that was given at start" input name="token" type="password" autocomplete="off" required autofocus; }
                button.main type="submit" { "Go on" }
            }
        }
    };
    page(401, realms, "Control token", &body)
}
