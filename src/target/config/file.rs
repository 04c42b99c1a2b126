//! The file as it is written: types for serde and the JSON Schema. Says nothing about what makes sense together.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use toml::Spanned;

use super::mock_file::Mock;

/// The configuration of oauthspec.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "oauthspec.toml")]
pub(super) struct File {
    /// The authorization server under test.
    pub(super) server: Option<Server>,
    /// The client under test.
    pub(super) client: Option<DrivenClient>,
    /// The mock authorization server, where it runs on its own.
    pub(super) mock: Option<Mock>,
    /// Excuses for known failures.
    #[serde(default)]
    #[schemars(with = "Vec<Waiver>")]
    pub(super) waivers: Vec<Spanned<Waiver>>,
}

/// The authorization server under test.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// Its name, for reports.
    pub(super) name: Option<String>,
    /// Where its metadata is looked for, by RFC 8414 or OpenID discovery.
    #[schemars(with = "Option<String>")]
    pub(super) issuer: Option<Spanned<String>>,
    /// Endpoints, which win over metadata.
    #[serde(default)]
    pub(super) endpoints: Endpoints,
    /// How long things live, where known.
    #[serde(default)]
    pub(super) lifetimes: Lifetimes,
    /// For targets that need care.
    #[serde(default)]
    pub(super) limits: Limits,
    /// What discovery cannot tell: `pkce = "required"`, `refresh_rotation = true`…
    #[serde(default)]
    pub(super) features: BTreeMap<String, Value>,
    /// How TLS is verified.
    #[serde(default)]
    pub(super) tls: Tls,
    /// Clients that are registered there.
    #[serde(default)]
    #[schemars(with = "Vec<Client>")]
    pub(super) clients: Vec<Spanned<Client>>,
    /// Users; the first is the default.
    #[serde(default)]
    pub(super) users: Vec<User>,
    /// How to log in.
    #[schemars(with = "Option<Login>")]
    pub(super) login: Option<Spanned<Login>>,
}

macro_rules! tables_of_texts {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Default, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name {
                $($(#[$doc])* #[schemars(with = "Option<String>")] pub(super) $field: Option<Spanned<String>>,)*
            }
        )*
    };
}

tables_of_texts! {
    /// Absolute URLs.
    Endpoints {
        /// RFC 6749 section 3.1.
        authorization,
        /// RFC 6749 section 3.2.
        token,
        /// RFC 7009.
        revocation,
        /// RFC 7662.
        introspection,
        /// OpenID Connect Core section 5.3.
        userinfo,
        /// RFC 7517.
        jwks,
        /// RFC 7591.
        registration,
        /// RFC 8628.
        device_authorization,
        /// RFC 9126.
        pushed_authorization_request,
        /// An API that takes the token.
        resource,
    }
    /// Durations: `10m`, `1h 30m`.
    Lifetimes {
        /// Authorization codes.
        code,
        /// Access tokens.
        access_token,
        /// Refresh tokens.
        refresh_token,
        /// How long a rotated refresh token still works.
        refresh_grace,
        /// Pushed authorization requests.
        request_uri,
        /// Device codes.
        device_code,
    }
}

/// For targets that need care.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// How many scenarios run at once.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// The least time between two grants: a duration.
    #[schemars(with = "Option<String>")]
    pub(super) min_interval: Option<Spanned<String>>,
    /// The limit of one exchange: a duration.
    #[schemars(with = "Option<String>")]
    pub(super) timeout: Option<Spanned<String>>,
}

/// How TLS is verified.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// A PEM file of certificates that are trusted beside those of the platform.
    pub(super) ca_file: Option<String>,
}

/// A client that is registered at the server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    /// Its name, for messages; `client_id` where there is none.
    pub(super) name: Option<String>,
    /// The client identifier.
    #[schemars(with = "String")]
    pub(super) client_id: Spanned<String>,
    /// The secret of a confidential client.
    #[schemars(with = "Option<Secret>")]
    pub(super) client_secret: Option<Spanned<Secret>>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    #[schemars(with = "Option<String>")]
    pub(super) token_endpoint_auth_method: Option<Spanned<String>>,
    /// Its registered redirect URIs. They need not exist.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) redirect_uris: Vec<Spanned<String>>,
    /// The grants it is registered for; `authorization_code` where nothing is said.
    pub(super) grant_types: Option<Vec<String>>,
    /// The scope tokens it may ask for.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) scopes: Option<Vec<Spanned<String>>>,
    /// `web` or `native`.
    #[schemars(with = "Option<String>")]
    pub(super) kind: Option<Spanned<String>>,
    /// Whether it may introspect; yes for confidential clients where nothing is said.
    pub(super) may_introspect: Option<bool>,
    /// Parameters that are sent along.
    #[serde(default)]
    pub(super) extra: Extra,
}

/// Parameters that the server wants beside the standard ones.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Extra {
    /// With every authorization request.
    #[serde(default)]
    pub(super) authorize: Map<String, Value>,
    /// With every token request.
    #[serde(default)]
    pub(super) token: Map<String, Value>,
}

/// A resource owner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    /// What is typed into the login form.
    #[schemars(with = "Secret")]
    pub(super) username: Spanned<Secret>,
    /// The password.
    #[schemars(with = "Secret")]
    pub(super) password: Spanned<Secret>,
}

/// How to log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// `form` (fills HTML forms), `cookies` (of a session that exists) or `command`.
    #[schemars(with = "Option<String>")]
    pub(super) driver: Option<Spanned<String>>,
    /// Cookies of a session, as in `Set-Cookie`.
    #[serde(default)]
    pub(super) cookies: Vec<Secret>,
    /// A program that is given the authorization URL and prints the URL it was finally redirected to.
    #[serde(default)]
    pub(super) command: Vec<String>,
    /// How long the program may take: a duration.
    #[schemars(with = "Option<String>")]
    pub(super) timeout: Option<Spanned<String>>,
    /// What to do on a page that the heuristics do not understand.
    #[serde(default)]
    pub(super) steps: Vec<LoginStep>,
}

/// What to do on a page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginStep {
    /// A CSS selector that finds something on this page only.
    #[schemars(with = "String")]
    pub(super) when: Spanned<String>,
    /// Selectors of fields, and what goes into them: `{username}`, `{password}`, `{user_code}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) fill: BTreeMap<Spanned<String>, String>,
    /// The selector of the button or link that goes on.
    #[schemars(with = "Option<String>")]
    pub(super) click: Option<Spanned<String>>,
    /// The selector of the button or link that refuses.
    #[schemars(with = "Option<String>")]
    pub(super) deny: Option<Spanned<String>>,
}

/// The client under test.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrivenClient {
    /// `web`, `native` or `script`.
    #[schemars(with = "String")]
    pub(super) kind: Spanned<String>,
    /// How the mock registers it.
    pub(super) client_id: Option<String>,
    /// Its secret.
    #[schemars(with = "Option<Secret>")]
    pub(super) client_secret: Option<Spanned<Secret>>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    #[schemars(with = "Option<String>")]
    pub(super) token_endpoint_auth_method: Option<Spanned<String>>,
    /// Without them the first loopback one that it sends is pinned.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) redirect_uris: Vec<Spanned<String>>,
    /// The grants it may use.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) grant_types: Option<Vec<Spanned<String>>>,
    /// The scope tokens it may ask for.
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    /// Where a login starts (web).
    #[schemars(with = "Option<String>")]
    pub(super) start_url: Option<Spanned<String>>,
    /// Makes the client use, and when needed refresh, its token.
    #[schemars(with = "Option<String>")]
    pub(super) api_url: Option<Spanned<String>>,
    /// Ends the session.
    #[schemars(with = "Option<String>")]
    pub(super) logout_url: Option<Spanned<String>>,
    /// How success looks.
    #[serde(default)]
    pub(super) success: Success,
    /// Run once per scenario (native and script).
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) command: Option<Spanned<Vec<String>>>,
    /// Starts the web application.
    pub(super) serve: Option<Serve>,
    /// The environment of its commands.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub(super) env: BTreeMap<String, Spanned<Value>>,
    /// Where the mock stands, for clients configured in advance.
    #[schemars(with = "Option<String>")]
    pub(super) listen: Option<Spanned<String>>,
    /// How long a request that may never come is waited for, where the client gave no answer (`300ms`).
    #[schemars(with = "Option<String>")]
    pub(super) quiet: Option<Spanned<String>>,
    /// What it claims.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(super) features: BTreeMap<Spanned<String>, Value>,
    /// Further issuers that it can use.
    #[serde(default)]
    pub(super) issuers: Vec<Issuer>,
}

/// How success looks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Success {
    /// The status of the last page.
    pub(super) status: Option<u16>,
    /// What stands on it.
    pub(super) contains: Option<String>,
}

/// How the web application is started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Serve {
    /// The program and its arguments.
    #[schemars(with = "Vec<String>")]
    pub(super) command: Spanned<Vec<String>>,
    /// Answers once it is ready.
    #[schemars(with = "String")]
    pub(super) ready_url: Spanned<String>,
    /// `per-run` or `per-scenario`.
    #[schemars(with = "Option<String>")]
    pub(super) restart: Option<Spanned<String>>,
}

/// A further issuer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    /// Where a login with it starts.
    #[schemars(with = "String")]
    pub(super) start_url: Spanned<String>,
    /// Redirect URIs that belong to this issuer alone.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) redirect_uris: Vec<Spanned<String>>,
}

/// An excuse for known failures.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    /// A glob on ids; `id#check` for one check.
    #[schemars(with = "String")]
    pub(super) scenario: Spanned<String>,
    /// Why.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
    /// The last day on which it counts, UTC: a date.
    #[schemars(with = "Option<String>")]
    pub(super) expires: Option<Spanned<toml::Value>>,
}

/// A secret: itself, or where it stands.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum Secret {
    /// Itself.
    Literal(String),
    /// In an environment variable.
    Env(EnvSecret),
    /// In a file, relative to this one; white space at its end does not count.
    File(FileSecret),
}

/// In an environment variable.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct EnvSecret {
    /// Its name.
    pub(super) env: String,
}

/// In a file.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct FileSecret {
    /// Its path.
    pub(super) file: String,
}

/// By hand, for `untagged` would lose the place of a mistake.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, { env = \"NAME\" } or { file = \"PATH\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::Literal(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            env: Option<String>,
            file: Option<String>,
        }
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        match (table.env, table.file) {
            (Some(env), None) => Ok(Secret::Env(EnvSecret { env })),
            (None, Some(file)) => Ok(Secret::File(FileSecret { file })),
            _ => Err(serde::de::Error::custom("a secret is a string, { env = \"NAME\" } or { file = \"PATH\" }")),
        }
    }
}
