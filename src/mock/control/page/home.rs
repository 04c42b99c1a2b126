//! The first page: the realms, and a form for another one. And the form that asks for the token.

use std::sync::Arc;

use maud::{Markup, html};

use super::super::shapes::rfc3339;
use super::layout::{Mistake, at, page};
use super::view::finds;
use crate::mock::realms::{Held, Realms};
use crate::oauth::{Params, Response};
use crate::policy::Library;

/// How many realms are shown at once.
const SHOWN: usize = 100;

/// Which of the realms are shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// What their names have in them.
    search: String,
    /// Which page of them, from 1; what is beyond them is the nearest one.
    page: usize,
}

impl Choice {
    /// As the query of the page says, or the form that removes realms from it; `search` is what the search is called there.
    pub(super) fn of(params: &Params, search: &str) -> Self {
        let text = |name: &str| params.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        Self { search: text(search), page: text("page").parse().unwrap_or(1) }
    }

    /// The query that shows the same.
    pub(super) fn query(&self) -> String {
        let mut params = Params::new();
        if !self.search.is_empty() {
            params.push("realm", self.search.as_str());
        }
        if self.page > 1 {
            params.push("page", self.page.to_string());
        }
        if params.is_empty() { String::new() } else { format!("?{}", params.encode()) }
    }

    fn at_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }
}

/// The first page; with what went wrong, if anything did.
pub(super) fn home(realms: &Realms, choice: &Choice, mistake: Option<Mistake<'_>>) -> Response {
    let body = html! {
        @if let Some(mistake) = &mistake { section { p.bad role="alert" { (mistake.text) } } }
        (running(realms, choice))
        (another(realms, mistake))
    };
    page(if mistake.is_some() { 400 } else { 200 }, realms, "Realms", &body)
}

/// The realms, the newest first, and a search among them.
fn running(realms: &Realms, choice: &Choice) -> Markup {
    let mut found = realms.all();
    let all = found.len();
    found.retain(|held| finds(&choice.search, held.realm.name()));
    found.reverse();
    let last = found.len().div_ceil(SHOWN).max(1);
    let choice = choice.at_page(choice.page.clamp(1, last));
    let from = (choice.page - 1) * SHOWN;
    let to = (from + SHOWN).min(found.len());
    html! {
        section id="realms" {
            h2 { "Running" }
            form.row method="get" action={ (at(realms, "/")) "#realms" } {
                label { "Search by name" input type="search" name="realm" value=(choice.search) autocomplete="off"; }
                button type="submit" { "Search" }
            }
            p.soft {
                @if found.len() < all { (found.len()) " of " (all) " realms" } @else { (all) " realms" }
                @if last > 1 { "; " (from + 1) " to " (to) ", the newest first" }
                ". "
                @if choice.page > 1 { a href={ (at(realms, "/")) (choice.at_page(choice.page - 1).query()) "#realms" } { "Newer" } " " }
                @if choice.page < last { a href={ (at(realms, "/")) (choice.at_page(choice.page + 1).query()) "#realms" } { "Older" } " " }
                @if choice.page + 1 < last { a href={ (at(realms, "/")) (choice.at_page(last).query()) "#realms" } { "Oldest" } }
            }
            (table(realms, &choice, &found[from..to]))
        }
    }
}

fn table(realms: &Realms, choice: &Choice, shown: &[Arc<Held>]) -> Markup {
    html! {
        form method="post" action=(at(realms, "/page/remove")) {
            input type="hidden" name="search" value=(choice.search);
            input type="hidden" name="page" value=(choice.page);
            table.stack {
                thead { tr { th { "name" } th { "issuer" } th { "made" } th { "exchanges" } th {} } }
                tbody {
                    @for held in shown {
                        @let name = held.realm.name();
                        tr {
                            td { a href=(at(realms, &format!("/realms/{name}"))) { (name) } }
                            td.mono { (held.realm.issuer()) }
                            td.soft data-name="made" { (rfc3339(held.created)) }
                            td data-name="exchanges" { (held.realm.journal().recorded()) }
                            td { button type="submit" name="realm" value=(name) aria-label={ "Remove " (name) } { "Remove" } }
                        }
                    }
                }
            }
        }
    }
}

/// The form for another realm; what was typed into it stays where it was wrong.
fn another(realms: &Realms, mistake: Option<Mistake<'_>>) -> Markup {
    let typed = |name: &str| mistake.map(|mistake| mistake.typed(name)).unwrap_or_default();
    html! {
        section {
            h2 { "Another realm" }
            form.row method="post" action=(at(realms, "/page/create")) {
                label { "Name, or nothing for one that is made up" input name="name" value=(typed("name")) pattern="[A-Za-z0-9][A-Za-z0-9._~\\-]*"; }
                label { "Behaves like" select name="profile" {
                    option value="" { "as the server was started" }
                    @let profiles = Library::embedded().profiles().map(|profile| profile.id.as_str()).filter(|id| *id != "strict");
                    @for id in ["strict"].into_iter().chain(profiles) {
                        option value=(id) selected[typed("profile") == id] { (id) }
                    }
                } }
                button.main type="submit" { "Make it" }
            }
        }
    }
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
