//! What the web application does at each of its addresses.

use std::sync::Arc;

use super::super::account::Account;
use super::super::api::Called;
use super::super::begin::Pending;
use super::super::callback::Response;
use super::super::client::{Client, with_query};
use super::super::trouble::{Kind, Trouble};
use super::super::{Landing, LoginIssuer, Method, RedirectUri, ReturnTo};
use super::page::{self, Page};
use super::session::{self, Sessions};
use crate::oauth::Params;
use crate::oauth::encoding::form;

/// The application behind its sockets.
#[derive(Debug)]
pub(super) struct App {
    client: Client,
    origin: String,
    sessions: Sessions,
}

/// A request of a browser.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Params,
    pub(super) form: Params,
    /// The session of its cookie; it need not exist.
    pub(super) session: Option<String>,
    /// How the browser, or a proxy, calls this application.
    pub(super) host: Option<String>,
}

impl App {
    pub(super) fn new(client: Client, origin: &str) -> Self {
        Self { client, origin: origin.to_owned(), sessions: Sessions::default() }
    }

    pub(super) async fn answer(&self, asked: &Asked) -> Page {
        let outcome = match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/login") => self.login(asked, self.client.policy.pkce.method).await,
            ("GET", "/callback") => self.callback(asked, &asked.query).await,
            ("POST", "/callback") if self.client.policy.callback.post => self.callback(asked, &asked.form).await,
            ("GET", "/api") => self.api(asked).await,
            ("GET" | "POST", "/logout") => Ok(self.logout(asked).await),
            ("GET", path) if path == "/" || path.starts_with("/welcome") => Ok(self.home(asked).await),
            (_, "/" | "/login" | "/callback" | "/api" | "/logout") => Ok(Page::new(405, "this method is of no use here")),
            _ => Ok(Page::new(404, "there is no such page")),
        };
        let page = match outcome {
            Ok(page) => page,
            Err(trouble) => page::trouble(&trouble, &self.client.policy).await,
        };
        if self.client.policy.session.no_referrer { page.with("Referrer-Policy", "no-referrer") } else { page }
    }

    async fn login(&self, asked: &Asked, method: Method) -> Result<Page, Trouble> {
        let number = asked.query.get("issuer").map_or(Some(1), |number| number.parse().ok());
        let provider = self.client.provider(number.unwrap_or_default()).await?;
        let return_to = asked.query.get("return_to").map(std::borrow::Cow::into_owned);
        let (url, login) = self.client.begin(&provider, &self.redirect_uri(asked), return_to, method)?;
        let known = asked.session.clone().filter(|id| self.sessions.knows(id));
        let id = known.unwrap_or_else(|| self.new_session());
        self.sessions.begin(&id, login, self.client.policy.login.store);
        Ok(Page::redirect(url).with("Set-Cookie", session::cookie(&id, &self.client.policy.session)))
    }

    async fn callback(&self, asked: &Asked, params: &Params) -> Result<Page, Trouble> {
        let policy = &self.client.policy;
        let was_plain = self.latest_is_plain(asked);
        let outcome = self.finish(asked, params).await;
        if let (Err(_), true, Some(id)) = (&outcome, policy.session.lost_on_failure, &asked.session) {
            self.sessions.end(id);
        }
        let (account, return_to) = match outcome {
            Ok(signed_in) => signed_in,
            // What the verifier is for is defeated by trying again without it (RFC 7636 section 7.2).
            Err(trouble) if policy.pkce.falls_back && !was_plain && trouble.kind != Kind::BadCallback => {
                return self.login(asked, Method::Plain).await;
            }
            Err(trouble) => return Err(trouble),
        };
        let id = match asked.session.clone().filter(|id| !policy.session.renewed && self.sessions.knows(id)) {
            Some(id) => id,
            None => self.new_session(),
        };
        let account = Arc::new(account);
        self.sessions.sign_in(asked.session.as_deref(), &id, Arc::clone(&account));
        let page = match policy.session.landing {
            Landing::Redirect => Page::redirect(self.landing(return_to.as_deref(), &account).await),
            Landing::Page => self.page_of(&account).await,
        };
        let page = page.with("Set-Cookie", session::cookie(&id, &policy.session));
        let tokens = account.tokens.lock().await;
        match tokens.as_ref().filter(|_| policy.session.token_cookie) {
            Some(tokens) => Ok(page.with("Set-Cookie", format!("access_token={}; Path=/", tokens.access))),
            None => Ok(page),
        }
    }

    /// Whether this browser's latest login has a challenge that is its verifier.
    fn latest_is_plain(&self, asked: &Asked) -> bool {
        self.sessions.logins(asked.session.as_deref(), self.client.policy.login.store, |logins| {
            logins.own.last().is_some_and(|login| login.verifier.is_some() && login.challenge == login.verifier)
        })
    }

    /// Who a response signs in, and where the browser goes then.
    async fn finish(&self, asked: &Asked, params: &Params) -> Result<(Account, Option<String>), Trouble> {
        let policy = &self.client.policy;
        let response = self.client.read(params)?;
        let (login, number) = self.login_of(asked, &response)?;
        if let Some(login) = login.as_ref().filter(|_| policy.state.single_use) {
            self.sessions.forget(login);
        }
        let provider = self.client.provider(number).await?;
        let return_to = login.as_ref().and_then(|login| login.return_to.clone());
        if let Some(token) = response.access_token.as_deref().filter(|_| policy.callback.access_token) {
            let person = self.client.userinfo(&provider, token, None).await?;
            let tokens = super::super::account::Tokens {
                access: token.to_owned(),
                refresh: None,
                id_token: None,
                scope: self.client.asked_scope(),
                expires: None,
            };
            let person = person.ok_or_else(|| Trouble::malformed("the server does not say who the user is"))?;
            let name = self.client.name_of(&provider, &person);
            let tokens = tokio::sync::Mutex::new(Some(tokens));
            return Ok((
                Account { subject: person.subject, name, provider, asked: self.client.asked_scope(), tokens },
                return_to,
            ));
        }
        let code = self.client.code(&response, &provider)?;
        let account = self.client.sign_in(provider, login.as_ref(), &code, &self.redirect_uri(asked)).await?;
        Ok((account, return_to))
    }

    /// The login of a response, and the server that it is taken to be from.
    fn login_of(&self, asked: &Asked, response: &Response) -> Result<(Option<Pending>, usize), Trouble> {
        let policy = &self.client.policy.login;
        self.sessions.logins(asked.session.as_deref(), policy.store, |logins| {
            let login = self.client.belongs(response, logins)?.cloned();
            let number = match policy.issuer {
                LoginIssuer::Login => login.as_ref().map(|login| login.provider),
                LoginIssuer::Latest => logins.own.last().map(|login| login.provider),
                LoginIssuer::First => None,
            };
            Ok((login, number.unwrap_or(1)))
        })
    }

    async fn api(&self, asked: &Asked) -> Result<Page, Trouble> {
        let Some(account) = self.sessions.account(asked.session.as_deref()) else {
            return Ok(Page::json(401, r#"{"error":"signed out"}"#));
        };
        match self.client.call(&account).await {
            Called::Served(response) => Ok(Page::json(200, response.text().into_owned())),
            Called::Unauthorized => Ok(Page::json(401, r#"{"error":"sign in again"}"#)),
            Called::Failed(status) => Ok(Page::json(502, format!(r#"{{"error":"the API answered with status {status}"}}"#))),
            Called::Trouble(trouble) => match trouble.ending(&self.client.policy) {
                super::super::Ending::Message => Ok(Page::json(502, r#"{"error":"the API or its server is in trouble"}"#)),
                _ => Err(trouble),
            },
        }
    }

    async fn logout(&self, asked: &Asked) -> Page {
        let policy = &self.client.policy;
        if let Some(account) = self.sessions.account(asked.session.as_deref()) {
            self.client.revoke(&account).await;
        }
        match asked.session.as_deref().filter(|_| policy.logout.ends_session) {
            Some(id) => {
                self.sessions.end(id);
                let over = format!("{}; Max-Age=0", session::cookie("", &policy.session));
                Page::redirect("/").with("Set-Cookie", over)
            }
            None => Page::redirect("/"),
        }
    }

    async fn home(&self, asked: &Asked) -> Page {
        match self.sessions.account(asked.session.as_deref()) {
            Some(account) => self.page_of(&account).await,
            None => page::home(None, false),
        }
    }

    async fn page_of(&self, account: &Account) -> Page {
        let tokens = account.tokens.lock().await;
        page::home(Some((account, tokens.as_ref())), self.client.policy.session.tokens_in_page)
    }

    /// The page after a login.
    async fn landing(&self, return_to: Option<&str>, account: &Account) -> String {
        let policy = &self.client.policy.session;
        let target = return_to.filter(|to| match policy.return_to {
            ReturnTo::Local => is_local(to),
            ReturnTo::Slash => to.starts_with('/'),
            ReturnTo::Prefix => is_local(to) || self.origin.rsplit_once(':').is_some_and(|(host, _)| to.starts_with(host)),
            ReturnTo::Any => true,
            ReturnTo::Ignored => false,
        });
        let target = target.unwrap_or("/").to_owned();
        let tokens = account.tokens.lock().await;
        let Some(tokens) = tokens.as_ref().filter(|_| policy.tokens_in_url) else { return target };
        let refresh = tokens.refresh.as_deref().unwrap_or_default();
        with_query(&target, &format!("access_token={}&refresh_token={}", form(&tokens.access), form(refresh)), true)
    }

    fn redirect_uri(&self, asked: &Asked) -> String {
        match (self.client.policy.authorization.redirect_uri, &asked.host) {
            (RedirectUri::Request, Some(host)) => format!("http://{host}/callback"),
            _ => format!("{}/callback", self.origin),
        }
    }

    fn new_session(&self) -> String {
        self.client.random.value(self.client.policy.session.source, 32)
    }
}

/// Whether that leads to a page of this application: one slash, and neither another one nor a backslash behind it, where browsers
/// would read a host.
fn is_local(target: &str) -> bool {
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && target.starts_with('/') && !target.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_are_returned_to() {
        assert!(is_local("/") && is_local("/a?b=//c"));
        for target in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\t/evil.example", "javascript:x"]
        {
            assert!(!is_local(target), "{target}");
        }
    }
}
