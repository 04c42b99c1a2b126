//! Uses the access token at an API (RFC 6750), and renews it where that is due.

use super::account::{Account, Tokens};
use super::client::{Attempts, Client, with_query};
use super::trouble::Trouble;
use super::{OnUnauthorized, TokenPlace};
use crate::oauth::encoding::form;
use crate::oauth::{Params, Request, Response};

/// How often the API is called, where the policy has no bound.
const OVER_AND_OVER: usize = 25;

/// What came of a call.
#[derive(Debug)]
pub(super) enum Called {
    /// The API served it.
    Served(Response),
    /// There is no token that works: the user has to sign in again.
    Unauthorized,
    /// The API refused or failed otherwise.
    Failed(u16),
    /// The API, or the server that renews tokens, is in trouble.
    Trouble(Trouble),
}

impl Client {
    /// Calls the API in the name of an account.
    pub(super) async fn call(&self, account: &Account) -> Called {
        let Some(mut tokens) = account.tokens.lock().await.clone() else { return Called::Unauthorized };
        if self.policy.refresh.on_expiry && self.is_over(&tokens) && self.may_renew(&tokens) {
            tokens = match self.renew(account, &tokens.access).await {
                Ok(Some(new)) => new,
                Ok(None) => return Called::Unauthorized,
                Err(trouble) => return failed(trouble),
            };
        }
        let mut calls = 0;
        loop {
            let response = match self.send(&self.with_token(&self.resource(account), &tokens.access), Attempts::Other).await {
                Ok(response) => response,
                Err(trouble) => return Called::Trouble(trouble),
            };
            calls += 1;
            if !self.renews_after(response.status, calls) || !self.may_renew(&tokens) {
                return self.told(response);
            }
            tokens = match self.renew(account, &tokens.access).await {
                Ok(Some(new)) => new,
                Ok(None) => return Called::Unauthorized,
                Err(trouble) => return failed(trouble),
            };
        }
    }

    /// A request to an endpoint that takes the access token.
    pub(super) fn with_token(&self, url: &str, token: &str) -> Request {
        let header = format!("Bearer {token}");
        let in_url = || with_query(url, &format!("access_token={}", form(token)), true);
        match self.policy.resource.place {
            TokenPlace::Header => Request::get(url).with("Authorization", header),
            TokenPlace::Body => Request::post_form(url, &[("access_token", token)].into_iter().collect::<Params>()),
            TokenPlace::Query => Request::get(in_url()),
            TokenPlace::HeaderAndQuery => Request::get(in_url()).with("Authorization", header),
        }
    }

    /// The API: that of the configuration, else the one beside the server to which the account belongs.
    fn resource(&self, account: &Account) -> String {
        let own = || format!("{}/resource", account.provider.issuer.trim_end_matches('/'));
        self.settings.resource.clone().unwrap_or_else(own)
    }

    fn is_over(&self, tokens: &Tokens) -> bool {
        tokens.expires.is_some_and(|expires| self.now() >= expires)
    }

    fn may_renew(&self, tokens: &Tokens) -> bool {
        let policy = &self.policy.refresh;
        policy.used && (tokens.refresh.is_some() || policy.without_token)
    }

    fn renews_after(&self, status: u16, calls: usize) -> bool {
        let policy = &self.policy.resource;
        let due = status == 401 || status == 403 && policy.forbidden_refreshes;
        due && match policy.unauthorized {
            OnUnauthorized::Never => false,
            OnUnauthorized::Once => calls < 2,
            OnUnauthorized::Loop => calls < OVER_AND_OVER,
        }
    }

    fn told(&self, response: Response) -> Called {
        match response.status {
            200..=299 => Called::Served(response),
            _ if self.policy.resource.ignores_status => Called::Served(response),
            401 => Called::Unauthorized,
            other => Called::Failed(other),
        }
    }
}

/// A refresh that the server refused leaves the user without a token.
fn failed(trouble: Trouble) -> Called {
    if trouble.is("invalid_grant") { Called::Unauthorized } else { Called::Trouble(trouble) }
}
