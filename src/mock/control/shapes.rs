//! How clients, users and times look in the control API.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::trouble::Trouble;
use crate::mock::clock::last_moment;
use crate::mock::{ClientKind, MockClient, MockUser};
use crate::oauth::{is_nqchar, is_vschar};
use crate::policy::ClientEntry;
use crate::reader::parse_duration;

/// A client.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Client")]
pub(in crate::mock) struct ClientShape {
    /// The client identifier.
    client_id: String,
    /// The secret of a confidential client.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// How it authenticates; without it `client_secret_basic` with a secret and `none` without.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<AuthMethod>,
    /// The registered redirect URIs; the first is the default.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// The grants that it may use; without it `authorization_code`, `refresh_token` and, with a secret, `client_credentials`.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_types: Option<Vec<String>>,
    /// The scope tokens that it may ask for; without it `openid profile email offline_access api:read api:write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    /// What kind of application it is.
    #[serde(default)]
    kind: Kind,
    /// Whether it may introspect tokens; without it confidential clients may.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_introspect: Option<bool>,
    /// Whether its authorization requests must be pushed (RFC 9126).
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    /// Further metadata as of a registration (RFC 7591 section 2).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

/// How a client authenticates (RFC 7591 section 2).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AuthMethod {
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

/// What kind of application a client is (RFC 6749 section 2.1).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Web,
    Native,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "User")]
pub(in crate::mock) struct UserShape {
    /// What is typed into the login form; also the `sub`, unless `claims` has one.
    username: String,
    /// The password; without it the user name is the password too.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Claims for the UserInfo endpoint.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    claims: Map<String, Value>,
}

impl ClientShape {
    pub(super) fn client(self) -> Result<MockClient, Trouble> {
        let method = match (self.token_endpoint_auth_method, &self.client_secret) {
            (None | Some(AuthMethod::None), None) => AuthMethod::None,
            (None, Some(_)) => AuthMethod::ClientSecretBasic,
            (Some(AuthMethod::None), Some(_)) => {
                return Err(Trouble::at("/client_secret", "a client that authenticates by `none` has no secret"));
            }
            (Some(method), Some(_)) => method,
            (Some(_), None) => {
                return Err(Trouble::at("/client_secret", "a client that authenticates by its secret needs one"));
            }
        };
        self.check_names()?;
        let grants = self.grant_types.unwrap_or_else(|| ClientEntry::usual_grants(self.client_secret.as_ref()));
        let confidential = self.client_secret.is_some();
        Ok(MockClient {
            client_id: self.client_id,
            client_secret: self.client_secret,
            auth_method: method.name().to_owned(),
            redirect_uris: self.redirect_uris,
            grant_types: grants,
            scopes: self.scopes.unwrap_or_else(ClientEntry::usual_scopes),
            kind: match self.kind {
                Kind::Web => ClientKind::Web,
                Kind::Native => ClientKind::Native,
            },
            may_introspect: self.may_introspect.unwrap_or(confidential),
            require_par: self.require_pushed_authorization_requests,
            secret_expires: None,
            metadata: self.metadata,
        })
    }

    /// The grammar of identifier, scope and redirect URIs.
    fn check_names(&self) -> Result<(), Trouble> {
        if self.client_id.is_empty() {
            return Err(Trouble::at("/client_id", "a client identifier has at least one character"));
        }
        if !self.client_id.bytes().all(is_vschar) {
            return Err(Trouble::at(
                "/client_id",
                "a client identifier has printable ASCII characters only (RFC 6749 appendix A.1)",
            ));
        }
        if let Some(at) = self.scopes.iter().flatten().position(|token| token.is_empty() || !token.bytes().all(is_nqchar)) {
            return Err(Trouble::at(format!("/scopes/{at}"), "not a scope token (RFC 6749 appendix A.4)"));
        }
        if let Some(at) = self.redirect_uris.iter().position(|uri| uri.contains('#')) {
            return Err(Trouble::at(format!("/redirect_uris/{at}"), "a redirect URI has no fragment (RFC 6749 section 3.1.2)"));
        }
        if let Some(at) = self.redirect_uris.iter().position(|uri| url::Url::parse(uri).is_err()) {
            let trouble = Trouble::at(format!("/redirect_uris/{at}"), "not an absolute URI (RFC 6749 section 3.1.2)");
            return Err(trouble.help("write it with its scheme: `https://client.example/callback`"));
        }
        Ok(())
    }
}

impl AuthMethod {
    fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

impl From<MockClient> for ClientShape {
    fn from(client: MockClient) -> Self {
        let methods = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::None];
        Self {
            token_endpoint_auth_method: methods.into_iter().find(|method| method.name() == client.auth_method),
            client_id: client.client_id,
            client_secret: client.client_secret,
            redirect_uris: client.redirect_uris,
            grant_types: Some(client.grant_types),
            scopes: Some(client.scopes),
            kind: match client.kind {
                ClientKind::Web => Kind::Web,
                ClientKind::Native => Kind::Native,
            },
            may_introspect: Some(client.may_introspect),
            require_pushed_authorization_requests: client.require_par,
            metadata: client.metadata,
        }
    }
}

impl UserShape {
    pub(super) fn user(self) -> Result<MockUser, Trouble> {
        if self.username.is_empty() {
            return Err(Trouble::at("/username", "a user name has at least one character"));
        }
        let password = self.password.unwrap_or_else(|| self.username.clone());
        Ok(MockUser { username: self.username, password, claims: self.claims })
    }
}

impl From<MockUser> for UserShape {
    fn from(user: MockUser) -> Self {
        Self { username: user.username, password: Some(user.password), claims: user.claims }
    }
}

/// Makes something of each member of a list; mistakes are told with their places in the whole.
pub(super) fn each<T, R>(list: Vec<T>, at: &str, make: impl Fn(T) -> Result<R, Trouble>) -> Result<Vec<R>, Trouble> {
    let one = |(index, value)| make(value).map_err(|trouble: Trouble| trouble.below(&format!("{at}/{index}")));
    list.into_iter().enumerate().map(one).collect()
}

/// Refuses a list in which a name stands twice.
pub(super) fn differ<'a>(names: impl Iterator<Item = &'a str>, list: &str, member: &str) -> Result<(), Trouble> {
    let mut seen = HashSet::new();
    match names.enumerate().find(|(_, name)| !seen.insert(*name)) {
        Some((index, name)) => Err(Trouble::at(format!("{list}/{index}/{member}"), format!("`{name}` stands twice"))),
        None => Ok(()),
    }
}

/// A time in RFC 3339, to the millisecond.
pub(in crate::mock) fn rfc3339(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let whole = time.replace_nanosecond(time.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_default()
}

/// Reads a time.
pub(super) fn time(text: &str, at: &str) -> Result<SystemTime, Trouble> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| Trouble::at(at, format!("`{text}` is no time in RFC 3339")).help("write it as `2030-01-31T12:00:00Z`"))?;
    if time < SystemTime::UNIX_EPOCH || time > last_moment() {
        return Err(Trouble::at(at, format!("`{text}` is not from 1970 to 9999")));
    }
    Ok(time)
}

/// Refuses a length of time that ends when clocks do.
pub(super) fn in_range(begins: SystemTime, by: Duration, at: &str) -> Result<(), Trouble> {
    match begins.checked_add(by) {
        Some(end) if end <= last_moment() => Ok(()),
        _ => Err(Trouble::at(at, "it ends after the year 9999, and no clock goes so far")),
    }
}

/// Reads a length of time.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| format!("`{text}` is no length of time: write a number and a unit, as 250ms, 5s, 10m, 2h, 1d"))
}
