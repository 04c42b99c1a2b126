//! How a client is configured, and what comes of one that runs once.

/// What a client knows before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer of the server.
    pub issuer: String,
    /// The issuer of a second server at which the client is registered too, with the same credentials.
    pub second_issuer: Option<String>,
    /// The client identifier.
    pub client_id: String,
    /// The secret of a confidential client.
    pub client_secret: Option<String>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    pub auth_method: String,
    /// The scope tokens it asks for.
    pub scopes: Vec<String>,
    /// The URL of an API that takes its tokens; `None`: the issuer with `/resource` behind it.
    pub resource: Option<String>,
    /// By how many seconds the client's clock is ahead of the time of day.
    pub now_skew: i64,
}

impl Settings {
    /// A public client with the scope `openid`.
    #[must_use]
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            second_issuer: None,
            client_id: client_id.into(),
            client_secret: None,
            auth_method: "none".into(),
            scopes: vec!["openid".into()],
            resource: None,
            now_skew: 0,
        }
    }

    /// The issuer of that number, counted from 1.
    #[must_use]
    pub fn issuer(&self, number: usize) -> Option<&str> {
        match number {
            1 => Some(&self.issuer),
            2 => self.second_issuer.as_deref(),
            _ => None,
        }
    }
}

/// How a client ended that runs once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeEnd {
    /// Its exit status: 0 where it has a token that works.
    pub status: i32,
    /// What it printed.
    pub output: String,
}
