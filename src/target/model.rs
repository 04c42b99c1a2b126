//! A target as the runner sees it: everything looked up, nothing left to be discovered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::config::Limits;
use super::{Home, Login};

/// An authorization server under test.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Its name, for reports.
    pub name: String,
    /// Its issuer identifier; empty where none is known.
    pub issuer: String,
    /// Its metadata, as served; `None` where there is none.
    pub metadata: Option<Map<String, Value>>,
    /// The URL from which the metadata came.
    pub metadata_url: Option<String>,
    /// Where its endpoints are: configured ones win over those of the metadata.
    pub endpoints: Endpoints,
    /// How long things live, where it is known.
    pub lifetimes: Lifetimes,
    /// What discovery cannot tell, as configured (`pkce = "required"`…).
    pub features: BTreeMap<String, Value>,
    /// Whether only those count, and nothing that metadata say: of a client under test, whose server is the mock.
    pub claims_only: bool,
    /// The clients that are configured; dynamic registration makes further ones.
    pub clients: Vec<Client>,
    /// The users; the first is the default.
    pub users: Vec<User>,
    /// How they log in.
    pub login: Login,
    /// What belongs to the target: nothing is sent elsewhere.
    pub home: Home,
    /// How much care it needs.
    pub limits: Limits,
}

impl Target {
    /// Whether every authorization request has to be pushed first (RFC 9126 section 5).
    #[must_use]
    pub fn requires_push(&self) -> bool {
        let announced = self.metadata.as_ref().and_then(|metadata| metadata.get("require_pushed_authorization_requests"));
        let claimed = self.features.get("par_required");
        announced.or(claimed).and_then(Value::as_bool) == Some(true)
    }
}

/// Endpoints by their names in the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// RFC 6749 section 3.1.
    pub authorization: Option<String>,
    /// RFC 6749 section 3.2.
    pub token: Option<String>,
    /// RFC 7009.
    pub revocation: Option<String>,
    /// RFC 7662.
    pub introspection: Option<String>,
    /// OpenID Connect Core section 5.3.
    pub userinfo: Option<String>,
    /// RFC 7517.
    pub jwks: Option<String>,
    /// RFC 7591.
    pub registration: Option<String>,
    /// RFC 8628.
    pub device_authorization: Option<String>,
    /// RFC 9126.
    pub pushed_authorization_request: Option<String>,
    /// An API that takes the token (RFC 6750).
    pub resource: Option<String>,
}

impl Endpoints {
    /// The names, as configuration and scenarios use them.
    pub const NAMES: [&'static str; 10] = [
        "authorization",
        "token",
        "revocation",
        "introspection",
        "userinfo",
        "jwks",
        "registration",
        "device_authorization",
        "pushed_authorization_request",
        "resource",
    ];

    /// The endpoint of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let url = match name {
            "authorization" => &self.authorization,
            "token" => &self.token,
            "revocation" => &self.revocation,
            "introspection" => &self.introspection,
            "userinfo" => &self.userinfo,
            "jwks" => &self.jwks,
            "registration" => &self.registration,
            "device_authorization" => &self.device_authorization,
            "pushed_authorization_request" => &self.pushed_authorization_request,
            "resource" => &self.resource,
            _ => return None,
        };
        url.as_deref()
    }

    /// The place of the endpoint of that name.
    pub(super) fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "authorization" => &mut self.authorization,
            "token" => &mut self.token,
            "revocation" => &mut self.revocation,
            "introspection" => &mut self.introspection,
            "userinfo" => &mut self.userinfo,
            "jwks" => &mut self.jwks,
            "registration" => &mut self.registration,
            "device_authorization" => &mut self.device_authorization,
            "pushed_authorization_request" => &mut self.pushed_authorization_request,
            "resource" => &mut self.resource,
            _ => return None,
        })
    }
}

/// How long things live, where it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// Authorization codes.
    pub code: Option<Duration>,
    /// Access tokens.
    pub access_token: Option<Duration>,
    /// Refresh tokens.
    pub refresh_token: Option<Duration>,
    /// How long a rotated refresh token still works.
    pub refresh_grace: Option<Duration>,
    /// Pushed authorization requests.
    pub request_uri: Option<Duration>,
    /// Device codes.
    pub device_code: Option<Duration>,
}

impl Lifetimes {
    /// The names, as configuration and scenarios use them.
    pub const NAMES: [&'static str; 6] = ["code", "access_token", "refresh_token", "refresh_grace", "request_uri", "device_code"];

    /// The lifetime of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Duration> {
        match name {
            "code" => self.code,
            "access_token" => self.access_token,
            "refresh_token" => self.refresh_token,
            "refresh_grace" => self.refresh_grace,
            "request_uri" => self.request_uri,
            "device_code" => self.device_code,
            _ => None,
        }
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthMethod {
    /// `client_secret_basic`
    #[default]
    Basic,
    /// `client_secret_post`
    Post,
    /// `none`: a public client.
    None,
}

impl AuthMethod {
    /// The method of that registered name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(Self::Basic),
            "client_secret_post" => Some(Self::Post),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// Whether a client runs on a server or on the user's device (OpenID Connect Registration `application_type`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientKind {
    /// `web`
    #[default]
    Web,
    /// `native`
    Native,
}

/// A client at the target.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its name in the configuration, or made up.
    pub name: String,
    /// The client identifier.
    pub client_id: String,
    /// The secret of a confidential client.
    pub client_secret: Option<String>,
    /// How it authenticates.
    pub auth_method: AuthMethod,
    /// Its registered redirect URIs; the first is the default.
    pub redirect_uris: Vec<String>,
    /// The grants it is registered for.
    pub grant_types: Vec<String>,
    /// The scope tokens it may ask for; what a right request asks for.
    pub scopes: Vec<String>,
    /// Web or native.
    pub kind: ClientKind,
    /// Whether it may introspect.
    pub may_introspect: bool,
    /// Parameters sent along with every authorization request.
    pub extra_authorize: Vec<(String, String)>,
    /// Parameters sent along with every token request.
    pub extra_token: Vec<(String, String)>,
    /// Where it can be deleted, and with which token (RFC 7592), if this run registered it.
    pub management: Option<(String, String)>,
    /// Where a login begins, if it is a web application under test.
    pub start_url: Option<String>,
}

/// A resource owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What is typed into the login form.
    pub username: String,
    /// The password.
    pub password: String,
}
