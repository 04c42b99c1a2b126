//! Token requests: their parameters, how the client authenticates, and how they are sent (RFC 6749 sections 2.3, 4.1.3, 6).

use super::account::Tokens;
use super::begin::Pending;
use super::client::{Attempts, Client, own_query, with_query};
use super::provider::Provider;
use super::trouble::Trouble;
use super::{AuthMethod, BasicEncoding, RepeatedRedirectUri, RequestForm, SentVerifier};
use crate::oauth::encoding::{base64, form};
use crate::oauth::{Params, Request};

/// Which grant a token request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GrantType {
    AuthorizationCode,
    ClientCredentials,
    RefreshToken,
}

impl GrantType {
    fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl Client {
    /// Redeems a code. Without a login it is sent with nothing that belongs to one.
    pub(super) async fn redeem(
        &self,
        provider: &Provider,
        login: Option<&Pending>,
        code: &str,
        home: &str,
    ) -> Result<Tokens, Trouble> {
        let policy = &self.policy.token_request;
        let mut params = Params::new();
        params.push("code", code);
        let redirect_uri = login.map_or(home, |login| login.redirect_uri.as_str());
        match policy.redirect_uri {
            RepeatedRedirectUri::Same => params.push("redirect_uri", redirect_uri),
            RepeatedRedirectUri::Slash => params.push("redirect_uri", format!("{redirect_uri}/")),
            RepeatedRedirectUri::Nothing => {}
        }
        let verifier = match self.policy.pkce.sent {
            SentVerifier::Verifier => login.and_then(|login| login.verifier.as_deref()),
            SentVerifier::Challenge => login.and_then(|login| login.challenge.as_deref()),
            SentVerifier::Nothing => None,
        };
        if let Some(verifier) = verifier {
            params.push("code_verifier", verifier);
        }
        let asked = login.map_or_else(|| self.asked_scope(), |login| login.scope.clone());
        let answer = self.request_tokens(provider, GrantType::AuthorizationCode, params.clone(), &asked).await;
        for _ in 1..policy.times {
            // Only the first answer counts; sending a code again is what the policy is about.
            let _unused = self.request_tokens(provider, GrantType::AuthorizationCode, params.clone(), &asked).await;
        }
        answer
    }

    /// Sends a token request and reads its answer.
    pub(super) async fn request_tokens(
        &self,
        provider: &Provider,
        grant: GrantType,
        more: Params,
        asked: &str,
    ) -> Result<Tokens, Trouble> {
        let mut params = Params::new();
        params.push("grant_type", grant.name());
        if self.policy.token_request.repeats_grant {
            params.push("grant_type", grant.name());
        }
        for (name, value) in more.iter() {
            params.push(name, value);
        }
        let attempts = if grant == GrantType::AuthorizationCode { Attempts::Code } else { Attempts::Other };
        let authenticates = grant != GrantType::RefreshToken || self.policy.client_auth.on_refresh;
        let request = self.back_channel(&provider.token, params, authenticates);
        self.read_tokens(&self.send(&request, attempts).await?, asked)
    }

    /// A request to an endpoint of the server that authenticates clients.
    pub(super) fn back_channel(&self, url: &str, mut params: Params, authenticates: bool) -> Request {
        let mut url = own_query(url, self.policy.token_request.keeps_query).to_owned();
        let id = self.settings.client_id.as_str();
        let secret = self.settings.client_secret.as_deref().filter(|_| authenticates).unwrap_or_default();
        let method = if secret.is_empty() { AuthMethod::None } else { self.auth_method() };
        let mut authorization = None;
        if matches!(method, AuthMethod::Basic | AuthMethod::Both) {
            let pair = match self.policy.client_auth.basic {
                BasicEncoding::Form => format!("{}:{}", form(id), form(secret)),
                BasicEncoding::Raw => format!("{id}:{secret}"),
            };
            authorization = Some(format!("Basic {}", base64(pair)));
        }
        match method {
            AuthMethod::Post | AuthMethod::Both => {
                params.push("client_id", id);
                params.push("client_secret", secret);
            }
            AuthMethod::Url => {
                let credentials: Params = [("client_id", id), ("client_secret", secret)].into_iter().collect();
                url = with_query(&url, &credentials.encode(), true);
            }
            AuthMethod::None => params.push("client_id", id),
            AuthMethod::Basic | AuthMethod::Registered => {}
        }
        let request = match self.policy.token_request.form {
            RequestForm::Form => Request::post_form(url, &params),
            RequestForm::Query => Request::get(with_query(&url, &params.encode(), true)),
            RequestForm::Json => json_request(url, &params),
        };
        match authorization {
            Some(authorization) => request.with("Authorization", authorization),
            None => request,
        }
    }

    fn auth_method(&self) -> AuthMethod {
        match (self.policy.client_auth.method, self.settings.auth_method.as_str()) {
            (AuthMethod::Registered, "client_secret_post") => AuthMethod::Post,
            (AuthMethod::Registered, "none") => AuthMethod::None,
            (AuthMethod::Registered, _) => AuthMethod::Basic,
            (method, _) => method,
        }
    }
}

fn json_request(url: String, params: &Params) -> Request {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let body: serde_json::Map<_, _> = params.iter().map(|(name, value)| (text(name), text(value).into())).collect();
    let mut request = Request::new("POST", url).with("Content-Type", "application/json");
    request.body = serde_json::Value::Object(body).to_string().into_bytes();
    request
}
