//! What client scenarios have beside the rest: how the mock misbehaves, how the client is driven, and what of it is judged.

use std::time::Duration;

use super::{Edits, Matcher, Template};

/// How the mock misbehaves while the steps of a scenario run.
#[derive(Debug, Clone, Default)]
pub struct MockSetup {
    /// The realm: the client's own, or the attacker's.
    pub realm: MockRealm,
    /// Faults by their ids.
    pub faults: Vec<String>,
    /// Rules as in patch files, as JSON; strings may hold variables.
    pub rules: Vec<serde_json::Value>,
}

impl MockSetup {
    /// The longest time, in real time, that an answer waits.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let of_rule = |rule: &serde_json::Value| {
            let written =
                ["/rewrite/bytes/delay", "/respond/bytes/delay"].into_iter().find_map(|path| rule.pointer(path)?.as_str());
            crate::reader::parse_duration(written?)
        };
        self.rules.iter().filter_map(of_rule).max().unwrap_or_default()
    }
}

/// One of the two issuers of a client scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MockRealm {
    /// The issuer that the client trusts.
    #[default]
    Own,
    /// A second issuer on an origin of its own.
    Attacker,
}

/// Makes the client do something.
#[derive(Debug, Clone)]
pub struct Drive {
    /// What.
    pub what: DriveWhat,
    /// The browser session; steps of one name share cookies.
    pub session: Option<String>,
    /// The user, by position among the mock's: 0 is the default.
    pub user: usize,
    /// Which of its issuers the client is asked to use: 1 is the first.
    pub issuer: usize,
    /// Whether the browser stops before it delivers the authorization response to the client.
    pub until_callback: bool,
    /// Deviations of the request that is opened.
    pub edits: Edits,
    /// Which cookies the browser has.
    pub cookies: Cookies,
}

/// The cookies that a browser session goes on with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cookies {
    /// Its own.
    #[default]
    Own,
    /// Its own, without those that scripts can read.
    HttpOnly,
    /// In place of its own those that another session had at the end of the step of that name: somebody took them.
    Of(String),
}

/// What the client is made to do.
#[derive(Debug, Clone)]
pub enum DriveWhat {
    /// To log a user in, or to fetch a token for itself.
    Login(UserDoes),
    /// To use its token, and to refresh it where needed.
    Api,
    /// To end the session.
    Logout,
    /// To take an authorization response: an URL of its own is opened in the browser.
    Open {
        /// The authorization response, as a URL.
        url: Template,
        /// Where it is delivered instead, with the same parameters.
        at: Option<Template>,
        /// The host to which it goes instead, at the same port.
        host: Option<String>,
    },
}

/// What the user does at the mock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserDoes {
    /// Logs in and approves.
    Approve,
    /// Logs in and refuses.
    Deny,
}

/// What a client has to have done.
#[derive(Debug, Clone, Default)]
pub struct ClientWant {
    /// It did not fall for the attack: a bad token or session was not used.
    pub defended: bool,
    /// It did what it was asked to, though something unusual came that it has to take.
    pub works: bool,
    /// It came to an end by itself: neither crashed nor hung.
    pub copes: bool,
    /// What it sent to the mock.
    pub journal: Option<JournalWant>,
    /// What its last page is like.
    pub page: Option<PageWant>,
}

/// What the last page of a web application is like.
#[derive(Debug, Clone, Default)]
pub struct PageWant {
    /// Whether there is one: whether somebody answers.
    pub answered: Option<bool>,
    /// Text that does not stand in it as it is, unless the page is no HTML.
    pub raw_html_absent: Option<Template>,
    /// Its address.
    pub url: Option<Matcher>,
    /// Where the client sends the browser, a line each.
    pub redirects: Option<Matcher>,
    /// The `Set-Cookie` fields of all its pages on the way, a line each.
    pub set_cookie: Option<Matcher>,
}

impl ClientWant {
    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.defended && !self.works && !self.copes && self.journal.is_none() && self.page.is_none()
    }
}

/// What a client sent: how many of the exchanges are such.
#[derive(Debug, Clone, Default)]
pub struct JournalWant {
    /// The endpoint, by its name in the journal.
    pub endpoint: Vec<String>,
    /// The realm.
    pub realm: MockRealm,
    /// From the beginning of the step of that name; without it from the first step on.
    pub since: Option<String>,
    /// The method.
    pub method: Option<Matcher>,
    /// Parameters of the body.
    pub form: Vec<(String, Matcher)>,
    /// Parameters of the URL.
    pub query: Vec<(String, Matcher)>,
    /// Header fields.
    pub headers: Vec<(String, Matcher)>,
    /// The status that the mock answered with.
    pub status: Option<Matcher>,
    /// How many there have to be; without it at least one.
    pub count: Option<Matcher>,
    /// Instead of counting: every exchange with the endpoint is such, and there is one.
    pub each: bool,
    /// Instead of counting: such exchanges have a parameter of that name, each with another value, and there is one.
    pub distinct: Option<String>,
}
