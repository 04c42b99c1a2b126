//! Takes an authorization request through login and consent, as a user with a browser would, and says where it ended; so too a
//! visit to the verification page of a device (RFC 8628 section 3.3).
//!
//! Sends only to addresses that belong to the target: a redirect anywhere else is where the journey ends. Judges nothing.

mod command;
mod decide;
mod landing;
mod page;
mod submit;
mod walk;

use std::time::Duration;

pub use page::check_selector;
use url::Url;

use super::{Home, User};
use crate::oauth::{Exchange, Params, Request};
use crate::wire::Browser;

/// How a user logs in at the target.
#[derive(Debug, Clone)]
pub enum Login {
    /// Fills HTML forms; the steps help where the built-in heuristics are not enough.
    Form(Vec<LoginStep>),
    /// Cookies of a session that exists, each as in `Set-Cookie`.
    Cookies(Vec<String>),
    /// A program that is given the authorization URL and prints the URL it was finally redirected to.
    Command {
        /// The program and its arguments; the URL follows them.
        command: Vec<String>,
        /// How long it may take.
        timeout: Duration,
    },
}

impl Default for Login {
    fn default() -> Self {
        Self::Form(Vec::new())
    }
}

/// What to do on a page that a CSS selector recognises.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginStep {
    /// The page is one on which this selector finds something.
    pub when: String,
    /// Selectors of fields and what goes into them, with `{username}`, `{password}` and `{user_code}`.
    pub fill: Vec<(String, String)>,
    /// The selector of the button or link that goes on.
    pub click: Option<String>,
    /// The selector of the button or link that refuses.
    pub deny: Option<String>,
}

/// What the user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Logs in and consents.
    Approve,
    /// Logs in and refuses.
    Deny,
    /// Leaves at the first page that wants something.
    Stop,
}

/// One visit to an authorization endpoint.
#[derive(Debug, Clone)]
pub struct Visit<'a> {
    /// Who logs in.
    pub user: &'a User,
    /// What the user does.
    pub action: Action,
    /// The redirect URIs, registered and sent: a redirect to one of them delivers.
    pub redirect_uris: Vec<String>,
    /// How to log in.
    pub login: &'a Login,
    /// What belongs to the target; a redirect elsewhere delivers too.
    pub home: &'a Home,
    /// How many requests a journey may take.
    pub page_limit: usize,
    /// The user code to enter, on the verification page of a device.
    pub user_code: Option<String>,
}

/// How many requests a journey takes at most, where nothing else is wanted.
pub const PAGE_LIMIT: usize = 20;

/// What came of a visit.
#[derive(Debug, Clone)]
pub struct Journey {
    /// Every request with its answer, in order.
    pub exchanges: Vec<Exchange>,
    /// Every absolute URL to which the browser was told to go, in order, as it was written.
    pub sent_to: Vec<String>,
    /// How it ended.
    pub end: End,
    /// What the user answered last, where the user was asked.
    pub answered: Option<Answered>,
    /// Whether the user could have refused where the user was asked.
    pub could_refuse: bool,
    /// Whether the user code stood on a page, to be read.
    pub code_shown: bool,
}

/// What a user answered to the question for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Yes.
    Approved,
    /// No.
    Refused,
}

impl Journey {
    /// With nothing known but where it went and how it ended.
    #[must_use]
    pub fn new(exchanges: Vec<Exchange>, sent_to: Vec<String>, end: End) -> Self {
        Self { exchanges, sent_to, end, answered: None, could_refuse: false, code_shown: false }
    }
}

/// How a journey ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The browser was told to go to a redirect URI, or away from the target.
    Delivered {
        /// Where to, as it was written.
        url: String,
        /// In which part of the message the response stands.
        via: Via,
        /// The parameters of the response.
        params: Params,
        /// The exchange that delivered.
        exchange: usize,
    },
    /// A page that wants nothing of the user: mostly an error page.
    Shown {
        /// The exchange that brought it.
        exchange: usize,
        /// Its title.
        title: String,
    },
    /// A page that waits for the user, who has left.
    Waiting {
        /// The exchange that brought it.
        exchange: usize,
        /// What kind of page it is.
        page: PageKind,
        /// Its title.
        title: String,
    },
    /// The harness did not know how to go on.
    Stuck {
        /// The exchange after which it did not.
        exchange: Option<usize>,
        /// Why: names the page.
        reason: String,
    },
    /// A request got no answer.
    Failed {
        /// The exchange without an answer.
        exchange: usize,
    },
}

/// In which part of a message an authorization response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The query of the redirect URI (RFC 6749 section 4.1.2).
    Query,
    /// Its fragment (RFC 6749 section 4.2.2).
    Fragment,
    /// A form that posts itself (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl Via {
    /// The name that scenarios use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }
}

/// What a page wants of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// To log in.
    Login,
    /// To consent.
    Consent,
    /// Something else.
    Other,
}

/// Goes through the visit.
pub async fn authorize(browser: &mut Browser, request: Request, visit: &Visit<'_>) -> Journey {
    match visit.login {
        // A program cannot be told to stop at the first page; the walk can.
        // It is given authorization URLs, and knows nothing of user codes.
        Login::Command { command, timeout } if visit.action != Action::Stop && visit.user_code.is_none() => {
            command::run(command, *timeout, request, visit).await
        }
        Login::Command { .. } => walk::walk(browser, request, visit, &[]).await,
        Login::Cookies(cookies) => {
            if let Ok(url) = Url::parse(&request.url).and_then(|url| url.join("/"))
                && browser.is_fresh()
            {
                for cookie in cookies {
                    browser.keep(cookie, &url);
                }
            }
            walk::walk(browser, request, visit, &[]).await
        }
        Login::Form(steps) => walk::walk(browser, request, visit, steps).await,
    }
}

/// Goes on with a page that was met before, perhaps by another browser: as if this one had been shown it.
pub async fn resume(browser: &mut Browser, page: Exchange, visit: &Visit<'_>) -> Journey {
    let steps: &[LoginStep] = if let Login::Form(steps) = visit.login { steps } else { &[] };
    walk::resume(browser, page, visit, steps).await
}

#[cfg(test)]
mod tests;
