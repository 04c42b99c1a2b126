//! The clients and users of a realm, and those that every realm has unless it is given others.

use serde_json::{Map, Value, json};

use super::device::GRANT as DEVICE;
use crate::policy::{ClientEntry, ClientType, RealmPolicy, UserEntry};

/// What kind of application a client is (RFC 6749 section 2.1, RFC 8252).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientKind {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Runs on the user's device: any port of a registered loopback address will do (RFC 8252 section 7.3).
    Native,
}

/// A registered client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MockClient {
    /// The client identifier.
    pub client_id: String,
    /// The secret of a confidential client.
    pub client_secret: Option<String>,
    /// `client_secret_basic`, `client_secret_post` or `none` (RFC 7591 section 2).
    pub auth_method: String,
    /// The registered redirect URIs; the first is the default.
    pub redirect_uris: Vec<String>,
    /// The grants it may use.
    pub grant_types: Vec<String>,
    /// The scope tokens it may ask for.
    pub scopes: Vec<String>,
    /// Web or native.
    pub kind: ClientKind,
    /// Whether it may introspect tokens.
    pub may_introspect: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 section 6).
    pub require_par: bool,
    /// When its secret expires, in seconds since 1970; `None`: never (RFC 7591 section 3.2.1).
    pub secret_expires: Option<u64>,
    /// Further metadata as registered: names, addresses, contacts, keys (RFC 7591 section 2).
    pub metadata: Map<String, Value>,
}

impl MockClient {
    /// A client with a secret, which it sends by HTTP Basic. It may use the authorization code, refresh and client credentials grants,
    /// and ask for `openid`, `profile`, `email` and `offline_access`.
    ///
    /// ```
    /// use oauthspec::mock::MockClient;
    ///
    /// let app = MockClient::confidential("app", "s3cret").redirect_uri("http://127.0.0.1:8080/callback").scope("api:read");
    /// assert!(app.may_use("refresh_token"));
    /// ```
    #[must_use]
    pub fn confidential(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: Some(secret.into()),
            auth_method: "client_secret_basic".into(),
            grant_types: strings(&["authorization_code", "refresh_token", "client_credentials"]),
            scopes: strings(&["openid", "profile", "email", "offline_access"]),
            ..Self::default()
        }
    }

    /// A client without a secret: a browser or native application. It may use the authorization code and refresh grants.
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self {
            client_secret: None,
            auth_method: "none".into(),
            grant_types: strings(&["authorization_code", "refresh_token"]),
            ..Self::confidential(client_id, "")
        }
    }

    /// With one more redirect URI.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// With one more grant that it may use.
    #[must_use]
    pub fn grant(mut self, grant_type: impl Into<String>) -> Self {
        self.grant_types.push(grant_type.into());
        self
    }

    /// With one more scope token that it may ask for.
    #[must_use]
    pub fn scope(mut self, token: impl Into<String>) -> Self {
        self.scopes.push(token.into());
        self
    }

    /// Whether it has no secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.auth_method == "none"
    }

    /// Whether it is registered for a grant.
    #[must_use]
    pub fn may_use(&self, grant: &str) -> bool {
        self.grant_types.iter().any(|registered| registered == grant)
    }
}

/// A resource owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MockUser {
    /// What is typed into the login form; also the `sub`, unless `claims` has one.
    pub username: String,
    /// The password.
    pub password: String,
    /// Claims for the UserInfo endpoint.
    pub claims: Map<String, Value>,
}

impl MockUser {
    /// A user with that name and password.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into(), claims: Map::new() }
    }

    /// With one more claim.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// The subject identifier.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims.get("sub").and_then(Value::as_str).unwrap_or(&self.username)
    }
}

/// The clients of a realm that is given none: those of the policy, or the usual ones.
pub(super) fn clients_of(policy: &RealmPolicy) -> Vec<MockClient> {
    if policy.clients.is_empty() { default_clients() } else { policy.clients.iter().map(MockClient::from).collect() }
}

/// The users of a realm that is given none: those of the policy, or the usual ones.
pub(super) fn users_of(policy: &RealmPolicy) -> Vec<MockUser> {
    if policy.users.is_empty() { default_users() } else { policy.users.iter().map(MockUser::from).collect() }
}

impl From<&ClientEntry> for MockClient {
    fn from(entry: &ClientEntry) -> Self {
        Self {
            client_id: entry.client_id.clone(),
            client_secret: Some(entry.client_secret.clone()).filter(|secret| !secret.is_empty()),
            auth_method: entry.token_endpoint_auth_method.clone(),
            redirect_uris: entry.redirect_uris.clone(),
            grant_types: entry.grant_types.clone(),
            scopes: entry.scopes.clone(),
            kind: match entry.kind {
                ClientType::Web => ClientKind::Web,
                ClientType::Native => ClientKind::Native,
            },
            may_introspect: entry.may_introspect,
            metadata: entry.metadata.clone().into_iter().collect(),
            ..Self::default()
        }
    }
}

impl From<&UserEntry> for MockUser {
    fn from(entry: &UserEntry) -> Self {
        let claims = entry.claims.clone().into_iter().collect();
        Self { username: entry.username.clone(), password: entry.password.clone(), claims }
    }
}

fn default_clients() -> Vec<MockClient> {
    let basic = MockClient {
        client_secret: Some("web-secret-e4f1c0a9d2b84b7f".into()),
        auth_method: "client_secret_basic".into(),
        grant_types: ClientEntry::usual_grants(Some(&())),
        scopes: ClientEntry::usual_scopes(),
        ..MockClient::default()
    };
    let public = MockClient {
        client_secret: None,
        auth_method: "none".into(),
        grant_types: ClientEntry::usual_grants::<()>(None),
        ..basic.clone()
    };
    vec![
        MockClient {
            client_id: "web".into(),
            redirect_uris: strings(&["https://client.example/callback", "https://client.example/callback/second"]),
            may_introspect: true,
            ..basic.clone()
        },
        MockClient {
            client_id: "web2".into(),
            // Every character here changes under the form encoding that HTTP Basic wants (RFC 6749 section 2.3.1).
            client_secret: Some("s:c%41+r&t =\u{e9}/2b7d90".into()),
            redirect_uris: strings(&["https://other.example/callback"]),
            ..basic.clone()
        },
        MockClient {
            client_id: "post".into(),
            client_secret: Some("post-secret-71d05e8a3c9f42d6".into()),
            auth_method: "client_secret_post".into(),
            redirect_uris: strings(&["https://post.example/cb"]),
            ..basic.clone()
        },
        MockClient { client_id: "public".into(), redirect_uris: strings(&["https://public.example/cb"]), ..public.clone() },
        MockClient {
            client_id: "native".into(),
            redirect_uris: strings(&["http://127.0.0.1/callback"]),
            kind: ClientKind::Native,
            ..public.clone()
        },
        MockClient {
            client_id: "service".into(),
            client_secret: Some("service-secret-0b6e2f94a8d14c53".into()),
            grant_types: strings(&["client_credentials"]),
            scopes: strings(&["api:read", "api:write"]),
            ..basic.clone()
        },
        MockClient {
            client_id: "code-only".into(),
            client_secret: Some("code-only-secret-5a3d7c1e9f604b28".into()),
            redirect_uris: strings(&["https://query.example/cb?tenant=1"]),
            grant_types: strings(&["authorization_code"]),
            ..basic.clone()
        },
        MockClient {
            client_id: "tv".into(),
            grant_types: strings(&[DEVICE, "refresh_token"]),
            kind: ClientKind::Native,
            ..public.clone()
        },
        MockClient {
            client_id: "console".into(),
            client_secret: Some("console-secret-9c4e1f7a2b6d4830".into()),
            grant_types: strings(&[DEVICE, "refresh_token"]),
            ..basic.clone()
        },
        MockClient {
            client_id: "browser".into(),
            redirect_uris: strings(&["https://browser.example/cb"]),
            grant_types: strings(&["authorization_code", "implicit"]),
            ..public
        },
        MockClient {
            client_id: "trusted".into(),
            client_secret: Some("trusted-secret-9e27b4c05d81f36a".into()),
            redirect_uris: strings(&["https://trusted.example/cb"]),
            grant_types: strings(&["password", "refresh_token"]),
            ..basic
        },
    ]
}

fn default_users() -> Vec<MockUser> {
    let user = |username: &str, password: &str, name: &str| {
        let claims = [
            ("name", json!(name)),
            ("preferred_username", json!(username)),
            ("email", json!(format!("{username}@example.com"))),
            ("email_verified", json!(true)),
        ];
        let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        MockUser { username: username.into(), password: password.into(), claims }
    };
    vec![user("alice", "wonderland", "Alice Liddell"), user("bob", "builder", "Bob Baumeister")]
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_those_who_are_there() {
        let text = include_str!("../../docs/mock.md");
        for client in default_clients() {
            let secret = client.client_secret.map_or_else(|| "none".to_owned(), |secret| format!("`{secret}`"));
            let row = format!("| `{}` | {secret} |", client.client_id);
            let line = text.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("{row}"));
            assert!(client.redirect_uris.iter().all(|uri| line.contains(&format!("`{uri}`"))), "{line}");
        }
        for user in default_users() {
            assert!(text.contains(&format!("`{}`", user.username)) && text.contains(&format!("`{}`", user.password)));
        }
    }
}
