//! The pages of the web application, as plain HTML. What comes from outside is escaped by `maud`, unless the policy says otherwise.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::account::{Account, Tokens};
use super::super::trouble::Trouble;
use super::super::{ClientPolicy, Ending, Rendering};

/// An answer on its way to the browser.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Page {
    /// A page with one line of text.
    pub(super) fn new(status: u16, line: &str) -> Self {
        Self::html(status, &html! { p { (line) } })
    }

    pub(super) fn html(status: u16, content: &Markup) -> Self {
        let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned()), ("Cache-Control", "no-store".to_owned())];
        Self { status, headers, body: small(content) }
    }

    pub(super) fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned()), ("Cache-Control", "no-store".to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(super) fn redirect(to: impl Into<String>) -> Self {
        Self { status: 303, headers: vec![("Location", to.into())], body: String::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What the user sees of trouble.
pub(super) async fn trouble(trouble: &Trouble, policy: &ClientPolicy) -> Page {
    match trouble.ending(policy) {
        Ending::Hang => std::future::pending().await,
        Ending::Crash => Page::html(500, &html! { h1 { "Internal Server Error" } pre { (trouble.trace()) } }),
        Ending::Message => Page::html(
            policy.trouble.status,
            &html! {
                h1 { "You are not signed in" }
                p { (trouble.message) }
                @match &trouble.detail {
                    Some((detail, Rendering::Escaped)) => p { (detail) },
                    Some((detail, Rendering::Raw)) => p { (PreEscaped(detail)) },
                    _ => {},
                }
            },
        ),
    }
}

/// The page that says who is signed in.
pub(super) fn home(signed_in: Option<(&Account, Option<&Tokens>)>, shows_tokens: bool) -> Page {
    let Some((account, tokens)) = signed_in else { return Page::new(200, "signed out") };
    let content = html! {
        p { "signed in as " (account.subject) }
        @if let Some(name) = &account.name {
            p { "account of " (name) }
        }
        @if let Some(tokens) = tokens {
            p { "scope: " (tokens.scope) }
            @if shows_tokens {
                p { "access token: " code { (tokens.access) } }
                @if let Some(refresh) = &tokens.refresh {
                    p { "refresh token: " code { (refresh) } }
                }
            }
        }
    };
    Page::html(200, &content)
}

/// A whole page around that.
pub(in super::super) fn small(content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Reference client" } }
            body { (content) }
        }
    };
    page.into_string()
}
