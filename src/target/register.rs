//! Dynamic client registration (RFC 7591) and its undoing (RFC 7592).

use serde_json::{Value, json};

use super::{AuthMethod, Client, ClientKind, Target};
use crate::oauth::{Channel, Exchange, Failure, Request, Response};
use crate::wire::Wire;

/// The client that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name here and, with `oauthspec` in front, at the server.
    pub name: String,
    /// How it authenticates.
    pub auth_method: AuthMethod,
    /// Its redirect URIs.
    pub redirect_uris: Vec<String>,
    /// The grants it is to use.
    pub grant_types: Vec<String>,
    /// The scope tokens it may ask for; empty: nothing is said.
    pub scopes: Vec<String>,
    /// Web or native.
    pub kind: ClientKind,
}

/// Why there is no new client.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is no registration endpoint.
    #[error("the target has no registration endpoint")]
    Unsupported,
    /// No answer.
    #[error("registration failed: {failure}")]
    Failed {
        /// Why.
        failure: Failure,
        /// What was sent.
        exchange: Box<Exchange>,
    },
    /// The server does not want to.
    #[error("registration was refused with status {status}{}", told(error.as_deref(), description.as_deref()))]
    Refused {
        /// The status.
        status: u16,
        /// The `error` member.
        error: Option<String>,
        /// The `error_description` member.
        description: Option<String>,
        /// What was sent and came.
        exchange: Box<Exchange>,
    },
    /// An answer that tells no client.
    #[error("registration was answered with status {status}, but {missing}")]
    BadAnswer {
        /// The status.
        status: u16,
        /// What is not there.
        missing: &'static str,
        /// What was sent and came.
        exchange: Box<Exchange>,
    },
}

impl RegisterError {
    /// What was sent, and what came.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Unsupported => None,
            Self::Failed { exchange, .. } | Self::Refused { exchange, .. } | Self::BadAnswer { exchange, .. } => Some(exchange),
        }
    }
}

/// Registers a client. What the answer says of it wins over what was wanted (RFC 7591 section 3.2.1).
///
/// # Errors
/// [`RegisterError`], with the exchange where there was one.
pub async fn register(wire: &Wire, target: &Target, wanted: &Wanted) -> Result<(Client, Vec<Exchange>), RegisterError> {
    let endpoint = target.endpoints.registration.as_deref().ok_or(RegisterError::Unsupported)?;
    let mut request = Request::new("POST", endpoint).with("Content-Type", "application/json");
    let asked = registration(wanted);
    request.body = asked.to_string().into_bytes();
    let exchange = wire.send(Channel::Back, request).await;
    let response = match exchange.outcome.clone() {
        Ok(response) => response,
        Err(failure) => return Err(RegisterError::Failed { failure, exchange: Box::new(exchange) }),
    };
    let status = response.status;
    let body = response.json().unwrap_or_default();
    let text = |member: &str| body.get(member).and_then(Value::as_str).map(str::to_owned);
    if !matches!(status, 200 | 201) {
        let (error, description) = (text("error"), text("error_description"));
        return Err(RegisterError::Refused { status, error, description, exchange: Box::new(exchange) });
    }
    match registered(&wanted.name, &body, &asked, target) {
        Ok(client) => Ok((client, vec![exchange])),
        Err(missing) => Err(RegisterError::BadAnswer { status, missing, exchange: Box::new(exchange) }),
    }
}

/// The client that the answer to a registration tells of. What it does not say is as it was asked for, or as RFC 7591 section 2 has it
/// where nothing was.
///
/// # Errors
/// What is not there, in words.
pub fn registered(name: &str, answer: &Value, asked: &Value, target: &Target) -> Result<Client, &'static str> {
    let text = |member: &str| answer.get(member).and_then(Value::as_str).map(str::to_owned);
    let either = |member: &str| text(member).or_else(|| asked.get(member).and_then(Value::as_str).map(str::to_owned));
    let lists = |member: &str| texts(answer, member).or_else(|| texts(asked, member));
    let client_id = text("client_id").ok_or("there is no client_id in it")?;
    let method = |from: &Value| from.get("token_endpoint_auth_method").and_then(Value::as_str).and_then(AuthMethod::parse);
    let auth_method = method(answer).or_else(|| method(asked)).unwrap_or(AuthMethod::Basic);
    let client_secret = text("client_secret").filter(|_| auth_method != AuthMethod::None);
    if client_secret.is_none() && auth_method != AuthMethod::None {
        return Err("there is no client_secret in it");
    }
    let management = text("registration_client_uri").zip(text("registration_access_token"));
    Ok(Client {
        name: name.to_owned(),
        client_id,
        client_secret,
        auth_method,
        redirect_uris: lists("redirect_uris").unwrap_or_default(),
        grant_types: lists("grant_types").unwrap_or_else(|| vec!["authorization_code".into()]),
        scopes: either("scope").map_or_else(Vec::new, |scope| scope.split_whitespace().map(str::to_owned).collect()),
        kind: match asked.get("application_type").and_then(Value::as_str) {
            Some("native") => ClientKind::Native,
            _ => ClientKind::Web,
        },
        may_introspect: auth_method != AuthMethod::None,
        extra_authorize: Vec::new(),
        extra_token: Vec::new(),
        // A server that names another host there would be sent the token: nobody allowed that.
        management: management.filter(|(uri, _)| target.home.contains(uri)),
        start_url: None,
    })
}

/// What came of an attempt to delete a client.
#[derive(Debug, Clone)]
pub enum Unregistered {
    /// It is gone.
    Deleted(Box<Exchange>),
    /// The server did not delete it.
    Kept {
        /// Why, in words that follow "client x was not deleted: ".
        reason: String,
        /// What was sent and came; `None` where the server offered no way.
        exchange: Option<Box<Exchange>>,
    },
}

/// Deletes a client that this run registered (RFC 7592 section 2.3).
pub async fn unregister(wire: &Wire, client: &Client) -> Unregistered {
    let Some((uri, token)) = &client.management else {
        return Unregistered::Kept { reason: "the server offers no way to do it (RFC 7592)".into(), exchange: None };
    };
    let request = Request::new("DELETE", uri).with("Authorization", format!("Bearer {token}"));
    let exchange = wire.send(Channel::Back, request).await;
    let reason = match &exchange.outcome {
        Ok(Response { status: 200 | 204, .. }) => return Unregistered::Deleted(Box::new(exchange)),
        Ok(response) => format!("the server answered with status {}", response.status),
        Err(failure) => failure.to_string(),
    };
    Unregistered::Kept { reason, exchange: Some(Box::new(exchange)) }
}

/// The metadata by which a client is asked for (RFC 7591 section 2).
#[must_use]
pub fn registration(wanted: &Wanted) -> Value {
    let kinds = [("authorization_code", "code"), ("implicit", "token")];
    let wants = |grant: &str| wanted.grant_types.iter().any(|wanted| wanted == grant);
    let response_types: Vec<&str> = kinds.iter().filter(|(grant, _)| wants(grant)).map(|(_, kind)| *kind).collect();
    let mut metadata = json!({
        "client_name": format!("oauthspec {}", wanted.name),
        "redirect_uris": wanted.redirect_uris,
        "grant_types": wanted.grant_types,
        "response_types": response_types,
        "token_endpoint_auth_method": wanted.auth_method.name(),
        "application_type": match wanted.kind {
            ClientKind::Web => "web",
            ClientKind::Native => "native",
        },
    });
    if !wanted.scopes.is_empty() {
        metadata["scope"] = wanted.scopes.join(" ").into();
    }
    metadata
}

fn texts(body: &Value, member: &str) -> Option<Vec<String>> {
    let values = body.get(member)?.as_array()?;
    Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn told(error: Option<&str>, description: Option<&str>) -> String {
    [error, description].into_iter().flatten().map(|text| format!(": {text}")).collect()
}

#[cfg(test)]
mod tests;
