//! A user who has signed in: who it is, and the tokens that came of it.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::begin::Pending;
use super::client::Client;
use super::exchange::GrantType;
use super::provider::Provider;
use super::trouble::Trouble;
use super::{Strictness, UserinfoCall};
use crate::oauth::Params;

/// Who has signed in, where the server does not say.
const SOMEBODY: &str = "somebody";

/// The tokens of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) id_token: Option<String>,
    pub(super) scope: String,
    /// When the access token ends on the client's clock, in seconds since 1970; `None` where nobody knows.
    pub(super) expires: Option<i64>,
}

/// Who the server says has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// By what the account is found.
    pub(super) subject: String,
    /// What the account is called from now on; `None`: as it was.
    pub(super) name: Option<String>,
}

impl Person {
    /// The name among claims.
    pub(super) fn name_in(claims: &Map<String, Value>) -> Option<String> {
        claims.get("name").and_then(Value::as_str).map(str::to_owned)
    }
}

/// Somebody who has signed in.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) subject: String,
    /// What it is called on its page.
    pub(super) name: Option<String>,
    pub(super) provider: Arc<Provider>,
    /// What was asked for.
    pub(super) asked: String,
    /// `None` once they are lost.
    pub(super) tokens: Mutex<Option<Tokens>>,
}

impl Client {
    /// Redeems a code, and finds out who has signed in.
    pub(super) async fn sign_in(
        &self,
        provider: Arc<Provider>,
        login: Option<&Pending>,
        code: &str,
        home: &str,
    ) -> Result<Account, Trouble> {
        let tokens = self.redeem(&provider, login, code, home).await?;
        self.account(provider, login, tokens).await
    }

    /// The account to which tokens belong.
    pub(super) async fn account(
        &self,
        provider: Arc<Provider>,
        login: Option<&Pending>,
        tokens: Tokens,
    ) -> Result<Account, Trouble> {
        let asked = login.map_or_else(|| self.asked_scope(), |login| login.scope.clone());
        let openid = asked.split(' ').any(|scope| scope == "openid");
        let nonce = login.and_then(|login| login.nonce.as_deref());
        let identity = match &tokens.id_token {
            Some(token) => Some(self.validate(&provider, token, nonce, &tokens.access).await?),
            None if openid && self.policy.id_token.missing == Strictness::Refuse => {
                return Err(Trouble::id_token("the token response has no ID token"));
            }
            None => None,
        };
        let asks = match self.policy.userinfo.called {
            UserinfoCall::Always => openid,
            UserinfoCall::WithoutIdToken => openid && identity.is_none(),
            UserinfoCall::Never => false,
        };
        let subject = identity.as_ref().map(|person| person.subject.as_str());
        let told = if asks { self.userinfo(&provider, &tokens.access, subject).await? } else { None };
        let person = told.or(identity).unwrap_or_else(|| Person { subject: SOMEBODY.to_owned(), name: None });
        let name = self.name_of(&provider, &person);
        Ok(Account { subject: person.subject, name, provider, asked, tokens: Mutex::new(Some(tokens)) })
    }

    /// What the account of a person is called: as the server said last. Accounts are the issuer's (OpenID Connect Core section 5.7).
    pub(super) fn name_of(&self, provider: &Provider, person: &Person) -> Option<String> {
        let key = (provider.issuer.clone(), person.subject.clone());
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = &person.name {
            accounts.insert(key.clone(), name.clone());
        }
        accounts.get(&key).cloned()
    }

    /// Revokes the tokens of an account at its server (RFC 7009): the refresh token, and the access token.
    pub(super) async fn revoke(&self, account: &Account) {
        let Some(url) = account.provider.revocation.as_deref().filter(|_| self.policy.logout.revokes) else { return };
        let Some(tokens) = account.tokens.lock().await.take() else { return };
        let access = Some(("access_token", tokens.access));
        for (hint, token) in tokens.refresh.map(|token| ("refresh_token", token)).into_iter().chain(access) {
            let params: Params = [("token", token.as_str()), ("token_type_hint", hint)].into_iter().collect();
            let request = self.back_channel(url, params, true);
            // The user is signed out of this client whatever the server says.
            let _answer = self.send(&request, super::client::Attempts::Other).await;
        }
    }

    /// Tokens without a user.
    pub(super) async fn own_tokens(&self, provider: &Provider) -> Result<Tokens, Trouble> {
        let asked = self.asked_scope();
        let mut params = Params::new();
        if self.policy.authorization.scope && !asked.is_empty() {
            params.push("scope", asked.as_str());
        }
        self.request_tokens(provider, GrantType::ClientCredentials, params, &asked).await
    }
}
