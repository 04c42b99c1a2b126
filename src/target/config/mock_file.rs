//! `[mock]` as it is written: types for serde and the JSON Schema.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::file::{self, Extra, Secret};

/// The mock authorization server, where it runs on its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Mock {
    /// Where it listens: an address and port; `127.0.0.1:0` where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(super) listen: Option<Spanned<String>>,
    /// The URL under which others reach it, where that is another one.
    #[schemars(with = "Option<String>")]
    pub(super) public_url: Option<Spanned<String>>,
    /// What the control API asks for as Bearer token; needed off the loopback interface.
    #[schemars(with = "Option<Secret>")]
    pub(super) control_token: Option<Spanned<Secret>>,
    /// What codes and tokens are made of.
    pub(super) seed: Option<u64>,
    /// Whether the login page lets a person pick a user, deny, or choose an error; yes where nothing is said.
    pub(super) login_help: Option<bool>,
    /// How the access log looks: `lines` or `json`; none where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(super) access_log: Option<Spanned<String>>,
    /// How long requests that are under way may take when it is stopped: a duration.
    #[schemars(with = "Option<String>")]
    pub(super) grace: Option<Spanned<String>>,
    /// After what time without use a realm is forgotten: a duration; never where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(super) realm_idle: Option<Spanned<String>>,
    /// How many realms there may be; at least one.
    #[schemars(with = "Option<usize>", range(min = 1))]
    pub(super) realm_limit: Option<Spanned<usize>>,
    /// Whether the first request to a path makes its realm.
    #[serde(default)]
    pub(super) realms_on_first_use: bool,
    /// How much of its past each realm remembers.
    #[serde(default)]
    pub(super) journal: Journal,
    /// How it is reached by TLS.
    #[schemars(with = "Option<Tls>")]
    pub(super) tls: Option<Spanned<Tls>>,
    /// The provider that the default realm behaves like.
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Spanned<String>>,
    /// Variants of the default realm.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) variants: Vec<Spanned<String>>,
    /// Faults of the default realm.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) faults: Vec<Spanned<String>>,
    /// A file of patches that apply at a moment, relative to this one.
    #[schemars(with = "Option<String>")]
    pub(super) script: Option<Spanned<String>>,
    /// Clients of the default realm, in place of those that every realm has.
    #[serde(default)]
    #[schemars(with = "Vec<Client>")]
    pub(super) clients: Vec<Spanned<Client>>,
    /// Users of the default realm, in place of those that every realm has.
    #[serde(default)]
    pub(super) users: Vec<MockUser>,
    /// Further realms.
    #[serde(default)]
    #[schemars(with = "Vec<Realm>")]
    pub(super) realms: Vec<Spanned<Realm>>,
}

/// How much of its past a realm remembers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// How many exchanges.
    pub(super) entries: Option<usize>,
    /// How many bytes.
    pub(super) bytes: Option<usize>,
}

/// How the mock is reached by TLS.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// A PEM file of its certificate, with those that lead to its authority behind it; without it one is made.
    #[schemars(with = "Option<String>")]
    pub(super) cert: Option<Spanned<String>>,
    /// A PEM file of the certificate's key.
    #[schemars(with = "Option<String>")]
    pub(super) key: Option<Spanned<String>>,
    /// Host names and addresses for a certificate that is made, beside those of this machine and of the public URL.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// Where the authority of a certificate that is made is written, in PEM.
    pub(super) ca_out: Option<String>,
}

/// A further realm. What is not said is as in the default realm.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Realm {
    /// Its name, and its path.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The provider that it behaves like. With it, or with `variants` or `faults`, those of the default realm do not apply.
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Spanned<String>>,
    /// Its variants.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) variants: Option<Vec<Spanned<String>>>,
    /// Its faults.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) faults: Option<Vec<Spanned<String>>>,
    /// A file of patches that apply at a moment, relative to this one.
    #[schemars(with = "Option<String>")]
    pub(super) script: Option<Spanned<String>>,
    /// What its codes and tokens are made of.
    pub(super) seed: Option<u64>,
    /// Its clients.
    #[schemars(with = "Option<Vec<Client>>")]
    pub(super) clients: Option<Vec<Spanned<Client>>>,
    /// Its users.
    pub(super) users: Option<Vec<MockUser>>,
}

/// A client of a realm. It repeats what a client of `[server]` has: a flattened table would lose the places of its mistakes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MockClient")]
pub(super) struct Client {
    /// Its name, for whoever reads the file.
    pub(super) name: Option<String>,
    /// The client identifier.
    #[schemars(with = "String")]
    pub(super) client_id: Spanned<String>,
    /// The secret of a confidential client.
    #[schemars(with = "Option<Secret>")]
    pub(super) client_secret: Option<Spanned<Secret>>,
    /// `client_secret_basic`, `client_secret_post` or `none`; the first with a secret and the last without where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(super) token_endpoint_auth_method: Option<Spanned<String>>,
    /// The registered redirect URIs; the first is the default.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) redirect_uris: Vec<Spanned<String>>,
    /// The grants that it may use; `authorization_code`, `refresh_token` and, with a secret, `client_credentials` where nothing is said.
    pub(super) grant_types: Option<Vec<String>>,
    /// The scope tokens that it may ask for; `openid profile email offline_access api:read api:write` where nothing is said.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) scopes: Option<Vec<Spanned<String>>>,
    /// `web` or `native`.
    #[schemars(with = "Option<String>")]
    pub(super) kind: Option<Spanned<String>>,
    /// Whether it may introspect tokens; yes for confidential clients where nothing is said.
    pub(super) may_introspect: Option<bool>,
    /// Whether its authorization requests must be pushed (RFC 9126).
    #[serde(default)]
    pub(super) require_pushed_authorization_requests: bool,
    /// Further metadata as of a registration (RFC 7591 section 2).
    #[serde(default)]
    pub(super) metadata: Map<String, Value>,
}

impl Client {
    /// What every client has, and what only those of the mock have.
    pub(super) fn parts(self) -> (file::Client, bool, Map<String, Value>) {
        let client = file::Client {
            name: self.name,
            client_id: self.client_id,
            client_secret: self.client_secret,
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            scopes: self.scopes,
            kind: self.kind,
            may_introspect: self.may_introspect,
            extra: Extra::default(),
        };
        (client, self.require_pushed_authorization_requests, self.metadata)
    }
}

/// A resource owner at the mock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MockUser {
    /// What is typed into the login form; also the `sub`, unless `claims` has one.
    #[schemars(with = "Secret")]
    pub(super) username: Spanned<Secret>,
    /// The password; without it the user name is the password too.
    #[schemars(with = "Option<Secret>")]
    pub(super) password: Option<Spanned<Secret>>,
    /// Claims for the UserInfo endpoint.
    #[serde(default)]
    pub(super) claims: Map<String, Value>,
}
