//! What all pages have in common: frame, style, and what they may load, which is nothing.

use std::borrow::Cow;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::mock::control::PREFIX;
use crate::mock::realms::Realms;
use crate::oauth::encoding::base64;
use crate::oauth::{Params, Response};

const STYLE: &str = include_str!("style.css");
/// What makes the journal live; pages are whole without it.
pub(super) const LIVE: &str = include_str!("live.js");

/// Nothing from elsewhere: this style, this script, and the events of this server.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", base64(digest::digest(&digest::SHA256, text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        hash(STYLE),
        hash(LIVE)
    )
});

/// What was typed into a form, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mistake<'a> {
    pub(super) text: &'a str,
    pub(super) fields: &'a Params,
}

impl<'a> Mistake<'a> {
    /// What was typed into a field.
    pub(super) fn typed(self, name: &str) -> Cow<'a, str> {
        self.fields.get(name).unwrap_or_default()
    }

    /// Whether it is of a form with that field.
    pub(super) fn is_at(self, name: &str) -> bool {
        self.fields.get(name).is_some()
    }
}

/// A page. Whatever comes from outside stands in it escaped.
pub(super) fn page(status: u16, realms: &Realms, title: &str, body: &Markup) -> Response {
    let home = at(realms, "/");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – oauthspec mock" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    a href=(home) { "oauthspec mock" }
                    span.soft.mono { (realms.base_url()) }
                    a.soft href=(at(realms, "/openapi.json")) { "control API" }
                }
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    let mut response = Response::new(status);
    for (name, value) in [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        // A browser that tells where a form comes from tells no path.
        ("Referrer-Policy", "same-origin"),
        ("Content-Security-Policy", POLICY.as_str()),
    ] {
        response.headers.push(name, value);
    }
    response.body = page.into_string().into_bytes();
    response
}

/// On to another page, by GET.
pub(super) fn onward(location: &str) -> Response {
    let mut response = Response::new(303);
    response.headers.push("Location", location);
    response.headers.push("Cache-Control", "no-store");
    response
}

/// The path of a control path, as the browser has to ask for it.
pub(super) fn at(realms: &Realms, path: &str) -> String {
    format!("{}{PREFIX}{path}", realms.base_path())
}
