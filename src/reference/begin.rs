//! Begins a login: makes up what ties the response to it, and writes the authorization request (RFC 6749 section 4.1.1).

use super::client::{Client, with_query};
use super::provider::Provider;
use super::trouble::Trouble;
use super::{Method, ResponseMode, ResponseType, Source, StateCheck, Unadvertised};
use crate::oauth::encoding::base64url;
use crate::oauth::{ChallengeMethod, Params};

/// The value that is sent as `state` where it is always the same.
pub(super) const CONSTANT_STATE: &str = "oauth-state";

/// A login that is under way.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) state: Option<String>,
    pub(super) verifier: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    /// The number of the server.
    pub(super) provider: usize,
    pub(super) redirect_uri: String,
    /// What was asked for; empty where no scope was sent.
    pub(super) scope: String,
    /// The page that comes after the login.
    pub(super) return_to: Option<String>,
}

impl Client {
    /// A login at that server, and the URL that begins it.
    pub(super) fn begin(
        &self,
        provider: &Provider,
        redirect_uri: &str,
        return_to: Option<String>,
        method: Method,
    ) -> Result<(String, Pending), Trouble> {
        let verifier = self.verifier(provider, method)?;
        let challenge = verifier.as_ref().map(|verifier| match method {
            Method::Plain => verifier.clone(),
            _ => ChallengeMethod::S256.challenge(verifier),
        });
        let scope = if self.policy.authorization.scope { self.asked_scope() } else { String::new() };
        let state = self.state(&scope, return_to.as_deref(), verifier.as_deref());
        let openid = scope.split(' ').any(|token| token == "openid");
        let nonce = (self.policy.nonce.sent && openid).then(|| self.random.value(self.policy.nonce.source, 32));
        let pending = Pending {
            state,
            verifier,
            challenge,
            nonce,
            provider: provider.number,
            redirect_uri: redirect_uri.to_owned(),
            scope,
            return_to,
        };
        let query = self.query(&pending, method).encode();
        Ok((with_query(&provider.authorization, &query, self.policy.authorization.keeps_query), pending))
    }

    /// The scope that is asked for.
    pub(super) fn asked_scope(&self) -> String {
        let more = &self.policy.authorization.more_scope;
        self.settings.scopes.iter().chain(more).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn verifier(&self, provider: &Provider, method: Method) -> Result<Option<String>, Trouble> {
        let pkce = &self.policy.pkce;
        let announced = !provider.challenge_methods.is_empty();
        match pkce.unadvertised {
            _ if method == Method::None => return Ok(None),
            Unadvertised::Skip if !announced => return Ok(None),
            Unadvertised::Refuse if !announced => return Err(Trouble::malformed("the server does not support PKCE")),
            _ => {}
        }
        if pkce.fresh {
            return Ok(Some(self.made_verifier()));
        }
        Ok(Some(self.verifier.get_or_init(|| self.made_verifier()).clone()))
    }

    fn made_verifier(&self) -> String {
        let pkce = &self.policy.pkce;
        let mut verifier = self.random.characters(pkce.source, pkce.length);
        if pkce.illegal_characters {
            verifier.replace_range(..verifier.len().min(3), "+/=");
        }
        verifier
    }

    fn state(&self, scope: &str, return_to: Option<&str>, verifier: Option<&str>) -> Option<String> {
        let policy = &self.policy.state;
        if !policy.sent {
            return None;
        }
        if policy.check == StateCheck::Constant || policy.source == Source::Constant {
            return Some(CONSTANT_STATE.to_owned());
        }
        let mut state = self.random.value(policy.source, policy.bytes);
        if policy.readable {
            let told = format!("{{\"scope\":\"{scope}\",\"return_to\":\"{}\"}}", return_to.unwrap_or("/"));
            state = format!("{state}.{}", base64url(told));
        }
        if let (true, Some(verifier)) = (policy.carries_verifier, verifier) {
            state = format!("{state}.{verifier}");
        }
        Some(state)
    }

    fn query(&self, pending: &Pending, method: Method) -> Params {
        let policy = &self.policy.authorization;
        let response_type = match policy.response_type {
            ResponseType::Code => "code",
            ResponseType::Token => "token",
        };
        let mut query = Params::new();
        let mut push = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                query.push(name, value);
            }
        };
        push("response_type", Some(response_type));
        push("client_id", Some(&self.settings.client_id));
        push("redirect_uri", policy.sends_redirect_uri.then_some(pending.redirect_uri.as_str()));
        push("scope", Some(pending.scope.as_str()).filter(|scope| !scope.is_empty()));
        push("scope", Some(pending.scope.as_str()).filter(|_| policy.repeats_scope));
        push("state", pending.state.as_deref());
        push("nonce", pending.nonce.as_deref());
        push("response_mode", (policy.response_mode == ResponseMode::FormPost).then_some("form_post"));
        push("code_challenge", pending.challenge.as_deref());
        let name = if method == Method::Plain { "plain" } else { "S256" };
        push("code_challenge_method", pending.challenge.as_ref().map(|_| name));
        push("code_verifier", pending.verifier.as_deref().filter(|_| policy.verifier));
        push("client_secret", self.settings.client_secret.as_deref().filter(|_| policy.secret));
        query
    }
}
