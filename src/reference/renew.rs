//! Renews access tokens with a refresh token (RFC 6749 section 6).

use super::account::{Account, Tokens};
use super::client::Client;
use super::exchange::GrantType;
use super::trouble::Trouble;
use super::{AbsentToken, InvalidGrant, RefreshScope, RotatedToken};
use crate::oauth::Params;

/// How often a refused refresh token is sent, where the policy has no bound.
const OVER_AND_OVER: usize = 25;

impl Client {
    /// Renews the tokens of an account, unless somebody else has done so since that access token was read. `None`: there are no
    /// tokens any more.
    pub(super) async fn renew(&self, account: &Account, used: &str) -> Result<Option<Tokens>, Trouble> {
        let policy = &self.policy.refresh;
        if !policy.shared {
            let old = account.tokens.lock().await.clone();
            let Some(old) = old else { return Ok(None) };
            let outcome = self.refresh(account, &old).await;
            let mut tokens = account.tokens.lock().await;
            return self.keep(&mut tokens, &old, outcome);
        }
        // The lock is held while the server is asked: whoever comes meanwhile waits, and finds the new tokens.
        let mut tokens = account.tokens.lock().await;
        let Some(old) = tokens.clone() else { return Ok(None) };
        if old.access != used {
            return Ok(Some(old));
        }
        let outcome = self.refresh(account, &old).await;
        self.keep(&mut tokens, &old, outcome)
    }

    async fn refresh(&self, account: &Account, old: &Tokens) -> Result<Tokens, Trouble> {
        let policy = &self.policy.refresh;
        let mut params = Params::new();
        params.push("refresh_token", old.refresh.as_deref().unwrap_or("undefined"));
        match policy.scope {
            RefreshScope::Omitted => {}
            RefreshScope::Granted => params.push("scope", old.scope.as_str()),
            RefreshScope::Wider => params.push("scope", format!("{} admin", account.asked)),
        }
        let mut sent = 0;
        let new = loop {
            let answer = self.request_tokens(&account.provider, GrantType::RefreshToken, params.clone(), &old.scope).await;
            sent += 1;
            let refused = answer.as_ref().is_err_and(|trouble| trouble.is("invalid_grant"));
            if !refused || policy.invalid_grant != InvalidGrant::Loop || sent >= OVER_AND_OVER {
                break answer?;
            }
        };
        if let Some(token) = new.id_token.as_ref().filter(|_| policy.checks_id_token) {
            let subject = self.validate(&account.provider, token, None, &new.access).await?.subject;
            // The same user as before (OpenID Connect Core section 12.2).
            if !account.subject.is_empty() && subject != account.subject {
                return Err(Trouble::id_token("the refresh names another user"));
            }
        }
        Ok(new)
    }

    /// What is left of the old tokens after a refresh.
    fn keep(
        &self,
        tokens: &mut Option<Tokens>,
        old: &Tokens,
        outcome: Result<Tokens, Trouble>,
    ) -> Result<Option<Tokens>, Trouble> {
        let policy = &self.policy.refresh;
        match outcome {
            Ok(mut new) => {
                new.refresh = match (new.refresh, policy.rotation, policy.absent) {
                    (Some(new), RotatedToken::Stored, _) => Some(new),
                    (Some(_), RotatedToken::OldKept, _) | (None, _, AbsentToken::OldKept) => old.refresh.clone(),
                    (None, _, AbsentToken::Dropped) => None,
                };
                *tokens = Some(new.clone());
                Ok(Some(new))
            }
            Err(trouble) => {
                let over = trouble.is("invalid_grant") && policy.invalid_grant == InvalidGrant::Dropped;
                if over || policy.failure_drops {
                    *tokens = None;
                }
                Err(trouble)
            }
        }
    }
}
