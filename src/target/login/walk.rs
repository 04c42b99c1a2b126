//! Walks from the authorization request to its end: redirects, refreshes, forms.

use std::collections::HashMap;

use url::Url;

use super::decide::{Memory, Move, Next, decide};
use super::landing::{delivered, ends_at};
use super::page::{self, Click, Kind, Method, Page};
use super::submit::{Submission, absolute, absolute_from};
use super::{Action, End, Journey, LoginStep, Via, Visit};
use crate::oauth::{Exchange, Request, Response};
use crate::wire::Browser;

/// How often the very same request may be made: after a login some servers begin anew.
const SAME_REQUEST: usize = 3;

/// Goes all the way.
pub(super) async fn walk(browser: &mut Browser, request: Request, visit: &Visit<'_>, steps: &[LoginStep]) -> Journey {
    let mut walk = Walk {
        visit,
        steps,
        memory: Memory::of(visit),
        seen: HashMap::new(),
        exchanges: Vec::new(),
        sent_to: Vec::new(),
        code_shown: false,
    };
    let mut end = walk.from(browser, request.clone()).await;
    if walk.was_granted_unasked(&end) {
        // No consent was asked for: the only refusal that is left is on the login page, in a new session.
        browser.forget();
        walk.memory = Memory { refuse_at_login: true, ..Memory::of(visit) };
        walk.seen.clear();
        end = walk.from(browser, request).await;
    }
    let Walk { memory, exchanges, sent_to, code_shown, .. } = walk;
    Journey { answered: memory.answered, could_refuse: memory.could_refuse, code_shown, ..Journey::new(exchanges, sent_to, end) }
}

/// Goes on from a page that is there already; its exchange is the first of the journey.
pub(super) async fn resume(browser: &mut Browser, page: Exchange, visit: &Visit<'_>, steps: &[LoginStep]) -> Journey {
    let mut walk = Walk {
        visit,
        steps,
        memory: Memory::of(visit),
        seen: HashMap::new(),
        exchanges: vec![page],
        sent_to: Vec::new(),
        code_shown: false,
    };
    let end = match walk.next() {
        Step::Send(request) => walk.from(browser, request).await,
        Step::End(end) => end,
    };
    Journey::new(walk.exchanges, walk.sent_to, end)
}

struct Walk<'a> {
    visit: &'a Visit<'a>,
    steps: &'a [LoginStep],
    memory: Memory,
    seen: HashMap<(String, String, Vec<u8>), usize>,
    exchanges: Vec<Exchange>,
    sent_to: Vec<String>,
    code_shown: bool,
}

/// What follows an answer.
enum Step {
    Send(Request),
    End(End),
}

impl Walk<'_> {
    async fn from(&mut self, browser: &mut Browser, mut request: Request) -> End {
        let begun = self.exchanges.len();
        loop {
            let asked = (request.method.clone(), request.url.clone(), request.body.clone());
            let times = self.seen.entry(asked).or_default();
            *times += 1;
            let last = self.exchanges.len().checked_sub(1);
            if *times > SAME_REQUEST {
                return End::Stuck {
                    exchange: last,
                    reason: format!("goes round in circles: {} was asked for again", request.url),
                };
            }
            if self.exchanges.len() - begun >= self.visit.page_limit {
                return End::Stuck {
                    exchange: last,
                    reason: format!("no end after {} requests, the last for {}", self.visit.page_limit, request.url),
                };
            }
            self.exchanges.push(browser.send(request).await);
            match self.next() {
                Step::Send(next) => request = next,
                Step::End(end) => return end,
            }
        }
    }

    fn was_granted_unasked(&self, end: &End) -> bool {
        let granted = matches!(end, End::Delivered { params, .. } if !params.has("error"));
        let possible = self.memory.may_refuse_at_login && !self.memory.refuse_at_login;
        self.visit.action == Action::Deny && granted && possible && !self.memory.saw_consent
    }

    /// What the last answer asks for.
    fn next(&mut self) -> Step {
        let at = self.exchanges.len() - 1;
        let exchange = &self.exchanges[at];
        let Some(response) = exchange.response() else { return Step::End(End::Failed { exchange: at }) };
        let Ok(url) = Url::parse(&exchange.request.url) else {
            return Step::End(End::Shown { exchange: at, title: String::new() });
        };
        let status = response.status;
        if let Some(location) = redirect_of(response) {
            return match absolute_from(&url, location.trim()) {
                Some(target) => {
                    let request = exchange.request.clone();
                    self.go(&target, |url| redirected(&request, status, url))
                }
                None => self.stuck(format!("the redirect of {url} leads to no URL: {location:?}")),
            };
        }
        if !is_html(response) {
            return Step::End(End::Shown { exchange: at, title: String::new() });
        }
        let mut page = page::read(&response.text(), &url, self.steps);
        page.refresh = page.refresh.or_else(|| header_refresh(response));
        self.on_page(page, status)
    }

    fn on_page(&mut self, page: Page, status: u16) -> Step {
        let at = self.exchanges.len() - 1;
        let title = page.title.clone();
        self.code_shown |= self.visit.user_code.as_ref().is_some_and(|code| page.shows(code));
        match decide(&page, status, self.visit.user, self.visit.action, &mut self.memory) {
            Next::Act(chosen) => self.act(page, &chosen),
            Next::Refresh(target) => match absolute(&page, &target) {
                Some(target) => self.go(&target, Request::get),
                None => self.stuck(format!("a refresh leads to no URL: {target:?}")),
            },
            Next::PostsItself(form) => self.submit(&page, form, None),
            Next::Wait(kind) => Step::End(End::Waiting { exchange: at, page: kind, title }),
            Next::Nothing => Step::End(End::Shown { exchange: at, title }),
            Next::Stuck(why) => {
                let url = self.exchanges[at].request.url.split('?').next().unwrap_or_default();
                self.stuck(format!("page '{title}' ({status}, {url}) {why}"))
            }
        }
    }

    fn act(&mut self, mut page: Page, chosen: &Move) -> Step {
        for (form, control, value) in &chosen.fill {
            let control = &mut page.forms[*form].controls[*control];
            control.value.clone_from(value);
            if matches!(control.kind, Kind::Unticked | Kind::Radio) {
                control.kind = Kind::Ticked;
            }
        }
        for (form, control) in &chosen.tick {
            page.forms[*form].controls[*control].kind = Kind::Ticked;
        }
        match chosen.click {
            Click::Button(form, control) => self.submit(&page, form, Some(control)),
            Click::Form(form) => self.submit(&page, form, None),
            Click::Link(link) => match absolute(&page, &page.links[link].href) {
                Some(target) => self.go(&target, Request::get),
                None => self.stuck(format!("a link leads to no URL: {:?}", page.links[link].href)),
            },
        }
    }

    fn submit(&mut self, page: &Page, form: usize, pressed: Option<usize>) -> Step {
        let Some(submission) = Submission::of(page, &page.forms[form], pressed) else {
            return self.stuck(format!("a form leads to no URL: {:?}", page.forms[form].action));
        };
        if submission.method == Method::Get {
            return self.go(&submission.get_url(), Request::get);
        }
        self.sent_to.push(submission.url.clone());
        if ends_at(&submission.url, self.visit) {
            let exchange = self.exchanges.len() - 1;
            return Step::End(End::Delivered { url: submission.url, via: Via::FormPost, params: submission.params, exchange });
        }
        Step::Send(self.with_origin(submission.request()))
    }

    /// With the `Origin` and `Referer` that a browser sends with a form, for servers that look at them against forgery.
    fn with_origin(&self, mut request: Request) -> Request {
        let Some(page) = self.exchanges.last() else { return request };
        let policy = page.response().and_then(|response| response.headers.joined("referrer-policy"));
        if let Ok(mut url) = Url::parse(&page.request.url)
            && !policy.is_some_and(|policy| policy.contains("no-referrer"))
        {
            url.set_fragment(None);
            request.headers.push("Origin", url.origin().ascii_serialization());
            request.headers.push("Referer", url.as_str());
        }
        request
    }

    /// The browser is told to go there: the end, or the next request.
    fn go(&mut self, target: &str, request: impl FnOnce(String) -> Request) -> Step {
        self.sent_to.push(target.to_owned());
        if ends_at(target, self.visit) {
            return Step::End(delivered(target, self.exchanges.len() - 1));
        }
        // A browser normalises what it follows; what is told is kept above as it was written.
        match Url::parse(target) {
            Ok(url) => Step::Send(request(url.into())),
            Err(_) => self.stuck(format!("told to go to what is no URL: {target:?}")),
        }
    }

    fn stuck(&self, reason: String) -> Step {
        Step::End(End::Stuck { exchange: self.exchanges.len().checked_sub(1), reason })
    }
}

/// The target of a redirect that browsers follow.
fn redirect_of(response: &Response) -> Option<String> {
    let follows = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    if follows { response.headers.get("location").map(std::borrow::Cow::into_owned) } else { None }
}

/// The request after a redirect: 307 and 308 keep method and body, else a POST becomes a GET.
fn redirected(request: &Request, status: u16, url: String) -> Request {
    if matches!(status, 307 | 308) {
        let mut next = Request { method: request.method.clone(), url, headers: Default::default(), body: request.body.clone() };
        if let Some(kind) = request.headers.get("content-type") {
            next.headers.push("Content-Type", kind.as_bytes());
        }
        return next;
    }
    Request::get(url)
}

fn is_html(response: &Response) -> bool {
    match response.media_type().as_str() {
        "text/html" | "application/xhtml+xml" => true,
        "" => response.text().trim_start().starts_with('<'),
        _ => false,
    }
}

/// `Refresh: 0; url=/next`, which browsers obey like the meta element.
fn header_refresh(response: &Response) -> Option<String> {
    let value = response.headers.get("refresh")?;
    let at = value.to_ascii_lowercase().find("url=")?;
    let target = value.get(at + 4..)?.trim().trim_matches(['"', '\'']);
    if target.is_empty() { None } else { Some(target.to_owned()) }
}
