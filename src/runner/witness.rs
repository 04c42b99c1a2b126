//! Witnesses of a token: whether it works, and what scope it has.

use super::answer::{self, Body, Outcome};
use super::play::{Play, Stop};
use super::record::{Record, text_of};
use crate::oauth::{Channel, Exchange, Headers, Params, Request, Scope, encoding};
use crate::target::{AuthMethod, Client};

/// Who saw a token alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    /// OpenID Connect Core section 5.3.
    Userinfo,
    /// RFC 7662.
    Introspection,
    /// A protected resource, perhaps of another party.
    Resource,
}

impl Witness {
    const ALL: [Self; 3] = [Self::Userinfo, Self::Introspection, Self::Resource];

    fn word(self) -> &'static str {
        match self {
            Self::Userinfo => "userinfo",
            Self::Introspection => "introspection",
            Self::Resource => "resource",
        }
    }
}

impl Play<'_> {
    /// Whether a token works. The witness that saw it alive first is asked again later.
    pub(super) async fn alive(&mut self, index: usize, token: &str) -> Result<Record, Stop> {
        self.vault.learn("token", token.as_bytes());
        let mut record = Record::new(index, Outcome::Accepted);
        let known = self.witnesses.get(token).copied();
        let candidates = known.map_or_else(|| Witness::ALL.to_vec(), |witness| vec![witness]);
        for witness in candidates {
            let Some((exchange, active)) = self.ask(witness, token).await else { continue };
            let outcome = answer::back_channel(&exchange, Body::Any);
            record.exchange = Some(self.keep("alive", exchange));
            self.fill_from_exchange(&mut record);
            record.note = Some(witness.word().to_owned());
            if outcome.proves_nothing() {
                record.outcome = outcome;
                return Ok(record);
            }
            record.alive = Some(active);
            if active {
                self.witnesses.insert(token.to_owned(), witness);
                break;
            }
        }
        Ok(record)
    }

    /// The scope of the token that a step got.
    pub(super) async fn granted_scope(&mut self, index: usize, from: &str) -> Result<Record, Stop> {
        let source = self.record_of(Some(from))?.unwrap_or_else(|| Record::new(index, Outcome::None));
        let mut record = Record::new(index, Outcome::Accepted);
        record.exchange = source.exchange;
        if let Some(scope) = source.got("scope") {
            record.granted = Some(Scope::parse_lossy(&text_of(&scope)));
            return Ok(record);
        }
        let token = source.got("access_token").as_ref().map(text_of).unwrap_or_default();
        if let Some((exchange, true)) = self.ask(Witness::Introspection, &token).await {
            let scope = exchange.response().and_then(crate::oauth::Response::json).and_then(|json| json.get("scope").cloned());
            record.exchange = Some(self.keep("granted_scope", exchange));
            record.granted = scope.as_ref().map(|scope| Scope::parse_lossy(&text_of(scope)));
        }
        if record.granted.is_none() {
            record.granted = scope_claim(&token).or_else(|| source.scope.as_deref().map(Scope::parse_lossy));
        }
        Ok(record)
    }

    async fn ask(&self, witness: Witness, token: &str) -> Option<(Exchange, bool)> {
        let endpoints = &self.ground.target.endpoints;
        let bearer = |url: &str| Request::get(url).with("Authorization", format!("Bearer {token}"));
        match witness {
            Witness::Userinfo | Witness::Resource => {
                let url = if witness == Witness::Userinfo { &endpoints.userinfo } else { &endpoints.resource };
                let exchange = self.stage.wire.send(Channel::Back, bearer(url.as_ref()?)).await;
                let active = exchange.response().is_some_and(|response| (200..300).contains(&response.status));
                Some((exchange, active))
            }
            Witness::Introspection => {
                let url = endpoints.introspection.as_ref()?;
                let client = self.introspector()?;
                let exchange = self.stage.wire.send(Channel::Back, introspection(url, client, token)).await;
                let json = exchange.response().and_then(crate::oauth::Response::json);
                let active = json.is_some_and(|json| json.get("active").and_then(serde_json::Value::as_bool) == Some(true));
                Some((exchange, active))
            }
        }
    }

    /// A client that may introspect: one of the scenario's own where possible.
    fn introspector(&self) -> Option<&Client> {
        let own = self.ground.clients.values().find(|client| client.may_introspect);
        own.or_else(|| self.ground.target.clients.iter().find(|client| client.may_introspect))
    }
}

fn introspection(url: &str, client: &Client, token: &str) -> Request {
    let mut form: Params = [("token", token)].into_iter().collect();
    let secret = client.client_secret.as_deref().unwrap_or_default();
    let mut headers = Headers::new();
    match client.auth_method {
        AuthMethod::Basic => {
            let pair = format!("{}:{}", encoding::form(&client.client_id), encoding::form(secret));
            headers.push("Authorization", format!("Basic {}", encoding::base64(pair)));
        }
        AuthMethod::Post => {
            form.push("client_id", client.client_id.as_str());
            form.push("client_secret", secret);
        }
        AuthMethod::None => form.push("client_id", client.client_id.as_str()),
    }
    let mut request = Request::post_form(url, &form);
    for (name, value) in headers.iter() {
        request.headers.push(name, value);
    }
    request
}

/// The `scope` claim of a JWT access token (RFC 9068 section 2.2.3).
fn scope_claim(token: &str) -> Option<Scope> {
    let claims = encoding::from_base64url(token.split('.').nth(1)?)?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims.get("scope").map(|scope| Scope::parse_lossy(&text_of(scope)))
}
