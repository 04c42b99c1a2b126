//! A browser with a user in front of it: goes from page to page of a web application, logs in at the mock, and comes back.

use url::Url;

use super::{Callback, Landing};
use crate::oauth::{Exchange, Failure, Params, Request, Response};
use crate::target::login::{self, Action, End, Login, PAGE_LIMIT, Visit};
use crate::target::{Home, User};
use crate::wire::Browser;

/// What a browser is sent to do.
pub struct Errand<'a> {
    /// The first request.
    pub request: Request,
    /// The mock, and whoever else plays an authorization server.
    pub servers: &'a Home,
    /// The client itself: the browser goes nowhere else.
    pub site: &'a Home,
    /// Who logs in there.
    pub user: &'a User,
    /// What the user does there.
    pub action: Action,
    /// Where it ends.
    pub stop: Stop,
    /// Is told each authorization request before it is sent.
    pub asks: &'a (dyn Fn(&str, &Params) + Sync),
}

/// Where an errand ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Where the last page is.
    AtThePage,
    /// Before an authorization response is delivered.
    BeforeTheCallback,
}

/// How many redirects of the client are followed.
const REDIRECTS: usize = 20;

/// Runs an errand.
pub async fn go(browser: &mut Browser, errand: Errand<'_>) -> Landing {
    let mut landing = Landing::default();
    let mut request = errand.request.clone();
    for _ in 0..REDIRECTS {
        let next = if errand.servers.contains(&request.url) {
            at_the_server(browser, request, &errand, &mut landing).await
        } else if errand.site.contains(&request.url) {
            at_the_client(browser, request, &mut landing).await
        } else {
            landing.elsewhere = Some(format!("the client sends the browser to {}, which is not its own", request.url));
            None
        };
        match next {
            Some(next) => request = next,
            None => return landing,
        }
    }
    landing.elsewhere = Some(format!("no end after {REDIRECTS} redirects, the last to {}", request.url));
    landing
}

/// One page of the client; the request that follows from it.
async fn at_the_client(browser: &mut Browser, request: Request, landing: &mut Landing) -> Option<Request> {
    let exchange = browser.send(request).await;
    let next = next_of(&exchange);
    landing.sent_to.extend(next.iter().map(|next| next.url.clone()));
    landing.add(exchange);
    next
}

impl Landing {
    /// Of one request to the client, whose redirects are not followed.
    #[must_use]
    pub fn at(exchange: Exchange) -> Self {
        let mut landing = Self::default();
        landing.add(exchange);
        landing
    }

    /// Adds a page of the client.
    fn add(&mut self, exchange: Exchange) {
        match &exchange.outcome {
            Ok(response) => {
                self.page = Some(response.clone());
                let cookies = response.headers.all("set-cookie");
                self.set_cookie.extend(cookies.map(|value| String::from_utf8_lossy(value).into_owned()));
            }
            Err(failure) => {
                self.page = None;
                self.hung = matches!(failure, Failure::Timeout(_));
                self.cut = !self.hung;
            }
        }
        self.page_url = Some(exchange.request.url.clone());
        self.exchanges.push(exchange);
    }
}

/// The user's way through the mock.
async fn at_the_server(browser: &mut Browser, request: Request, errand: &Errand<'_>, landing: &mut Landing) -> Option<Request> {
    let asked = Params::parse_lossy(request.query().unwrap_or_default().as_bytes());
    let redirect_uris = asked.get("redirect_uri").map(|uri| vec![uri.into_owned()]).unwrap_or_default();
    if asked.has("response_type") || asked.has("client_id") || asked.has("request_uri") {
        (errand.asks)(&request.url, &asked);
        landing.asked = Some(asked);
    }
    let form = Login::Form(Vec::new());
    let visit = Visit {
        user: errand.user,
        action: errand.action,
        redirect_uris,
        login: &form,
        home: errand.servers,
        page_limit: PAGE_LIMIT,
        user_code: None,
    };
    let journey = login::authorize(browser, request, &visit).await;
    landing.exchanges.extend(journey.exchanges);
    match journey.end {
        End::Delivered { url, via, params, .. } => {
            let callback = Callback { url, via, params };
            let request = (errand.stop == Stop::AtThePage).then(|| callback.request());
            landing.callback = Some(callback);
            request
        }
        End::Shown { title, .. } | End::Waiting { title, .. } => {
            landing.elsewhere = Some(format!("the authorization server shows: {title}"));
            None
        }
        End::Stuck { reason, .. } => {
            landing.elsewhere = Some(reason);
            None
        }
        End::Failed { .. } => {
            landing.elsewhere = Some("the authorization server gave no answer".into());
            None
        }
    }
}

/// The request that a redirect asks for (RFC 9110 section 15.4).
fn next_of(exchange: &Exchange) -> Option<Request> {
    let response = exchange.response()?;
    let location = redirect(response)?;
    let base = Url::parse(&exchange.request.url).ok()?;
    let url = resolved(&base, &location)?;
    let mut next = Request::get(url.as_str());
    if matches!(response.status, 307 | 308) {
        next.method = exchange.request.method.clone();
        next.body = exchange.request.body.clone();
        if let Some(kind) = exchange.request.headers.get("content-type") {
            next.headers.set("Content-Type", kind.as_bytes());
        }
    }
    Some(next)
}

/// Where a browser goes. To it, more than two slashes before a host are two (URL Standard, "special authority ignore slashes").
fn resolved(base: &Url, location: &str) -> Option<Url> {
    let rest = location.trim_start_matches(['/', '\\']);
    let slashes = location.len() - rest.len();
    if slashes > 2 { base.join(&format!("//{rest}")).ok() } else { base.join(location).ok() }
}

fn redirect(response: &Response) -> Option<String> {
    let found = (300..400).contains(&response.status).then(|| response.headers.get("location")).flatten();
    found.map(std::borrow::Cow::into_owned)
}
