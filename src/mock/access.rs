//! What a server tells of each request to whoever listens: enough to see what happens, and no secrets.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::oauth::Params;

/// The parameters whose values are told. All others may hold codes, tokens, secrets, or what belongs to users.
const TOLD: [&str; 10] = [
    "client_id",
    "code_challenge_method",
    "endpoint",
    "error",
    "grant_type",
    "prompt",
    "response_mode",
    "response_type",
    "scope",
    "since",
];

/// A request and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// When it was answered, by the time of day.
    pub at: SystemTime,
    /// Where it came from.
    pub peer: SocketAddr,
    /// The method.
    pub method: String,
    /// Path and query; of most parameters only their names.
    pub target: String,
    /// The status; `None` where the connection was ended on purpose instead.
    pub status: Option<u16>,
    /// From the head of the request to the head of the answer.
    pub took: Duration,
}

/// Whoever listens.
#[derive(Clone)]
pub(super) struct Listener(Arc<dyn Fn(&Access) + Send + Sync>);

impl Listener {
    pub(super) fn new(listen: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listen))
    }

    pub(super) fn tell(&self, access: &Access) {
        (self.0)(access);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// A path and query without the values of parameters that may be secret.
pub(super) fn redacted(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let shown = |(name, value): (&[u8], &[u8])| {
        let name = String::from_utf8_lossy(name);
        let told = TOLD.contains(&&*name);
        let mut pair = Params::new();
        pair.push(name.as_bytes(), if told { value } else { b"" });
        if told { pair.encode() } else { format!("{}…", pair.encode()) }
    };
    let pairs: Vec<String> = Params::parse_lossy(query.as_bytes()).iter().map(shown).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_may_be_secret_are_not_told() {
        let target = "/r/authorize?client_id=web&state=s3cret&code=c%0Aode&scope=openid+email&x%0Ay=1";
        assert_eq!(redacted(target), "/r/authorize?client_id=web&state=…&code=…&scope=openid+email&x%0Ay=…");
        assert_eq!(redacted("/r/token"), "/r/token");
    }
}
