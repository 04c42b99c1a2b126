//! What the three kinds of client share: configuration, policy, clock, and the way requests go out.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

use super::provider::Providers;
use super::random::Random;
use super::trouble::Trouble;
use super::{BackRedirects, ClientPolicy, Settings, unhurried};
use crate::oauth::{Channel, Request, Response};
use crate::wire::{Wire, WireError, WireOptions};

/// The longest time that is waited before a request is sent again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How many redirects are followed, where any are.
const MOST_REDIRECTS: usize = 5;
/// Stands for a time-out that never comes.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// A client, whatever its kind.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) settings: Settings,
    pub(super) policy: ClientPolicy,
    pub(super) random: Random,
    pub(super) providers: Providers,
    /// The verifier of all logins, where the policy has only one.
    pub(super) verifier: OnceLock<String>,
    /// What accounts are called, by issuer and subject.
    pub(super) accounts: Mutex<HashMap<(String, String), String>>,
    wire: Wire,
}

/// Which rule says how often a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// That for codes.
    Code,
    /// That for everything else.
    Other,
}

impl Client {
    pub(super) fn new(settings: Settings, policy: ClientPolicy) -> Result<Self, WireError> {
        let transport = &policy.transport;
        let timeout = match transport.timeout_ms {
            0 => FOR_EVER,
            millis => unhurried(Duration::from_millis(millis)),
        };
        let body_limit = if transport.body_limit == 0 { usize::MAX } else { transport.body_limit };
        let wire = Wire::new(WireOptions { timeout, body_limit, ..WireOptions::default() })?;
        let (random, providers) = (Random::default(), Providers::default());
        Ok(Self { settings, policy, random, providers, verifier: OnceLock::new(), accounts: Mutex::default(), wire })
    }

    /// Seconds since 1970, on the client's clock.
    pub(super) fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.settings.now_skew)
    }

    /// Sends a request to a server or an API, again where the policy says so.
    pub(super) async fn send(&self, request: &Request, attempts: Attempts) -> Result<Response, Trouble> {
        let transport = &self.policy.transport;
        let most = if attempts == Attempts::Code { transport.code_retries } else { transport.retries };
        let mut sent = 0;
        loop {
            let outcome = self.follow(request.clone()).await;
            let failed = outcome.as_ref().map_or(true, |response| response.status == 429 || response.status >= 500);
            if !failed || sent >= most {
                return outcome;
            }
            let Some(pause) = self.pause(outcome.as_ref().ok(), sent) else { return outcome };
            // The server's own Retry-After (RFC 9110 section 10.2.3): there is nothing else to wait for.
            tokio::time::sleep(pause).await;
            sent += 1;
        }
    }

    /// How long to wait before the next attempt; `None` where the server wants more patience than the client has.
    fn pause(&self, answer: Option<&Response>, sent: u8) -> Option<Duration> {
        if !self.policy.transport.retry_after {
            return Some(Duration::ZERO);
        }
        let wanted = answer.and_then(|response| response.headers.get("retry-after"));
        let pause = match wanted {
            // A date, or anything else that is no number, asks for patience too.
            Some(seconds) => Duration::from_secs(seconds.trim().parse().ok()?),
            None => Duration::from_millis(50) * 2_u32.saturating_pow(u32::from(sent)),
        };
        (pause <= LONGEST_PAUSE).then_some(pause)
    }

    async fn follow(&self, mut request: Request) -> Result<Response, Trouble> {
        if !request.headers.has("user-agent") {
            request.headers.push("User-Agent", concat!("oauthspec-reference-client/", env!("CARGO_PKG_VERSION")));
        }
        for _ in 0..MOST_REDIRECTS {
            let exchange = self.wire.send(Channel::Back, request.clone()).await;
            let response = exchange.outcome.map_err(|failure| Trouble::no_answer(&failure))?;
            let location = response.headers.get("location").map(std::borrow::Cow::into_owned);
            let target = location.filter(|_| matches!(response.status, 301 | 302 | 303 | 307 | 308));
            let target = target.and_then(|to| Url::parse(&request.url).ok()?.join(&to).ok());
            request = match (target, self.policy.transport.redirects) {
                (Some(to), BackRedirects::WithCredentials) => Request { url: to.into(), ..request },
                (Some(to), BackRedirects::Bare) => Request::get(to),
                _ => return Ok(response),
            };
        }
        Err(Trouble::malformed("the server redirects for ever"))
    }
}

/// A URL with more parameters; a query that is there is kept or dropped.
pub(super) fn with_query(url: &str, query: &str, keeps: bool) -> String {
    let url = url.split('#').next().unwrap_or_default();
    match url.split_once('?') {
        Some((base, old)) if keeps && !old.is_empty() => format!("{base}?{old}&{query}"),
        Some((base, _)) => format!("{base}?{query}"),
        None => format!("{url}?{query}"),
    }
}

/// A URL as it is, or without its query.
pub(super) fn own_query(url: &str, keeps: bool) -> &str {
    if keeps { url } else { url.split('?').next().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_kept() {
        assert_eq!(with_query("http://h/a?t=1#f", "b=2", true), "http://h/a?t=1&b=2");
        assert_eq!(with_query("http://h/a?t=1", "b=2", false), "http://h/a?b=2");
        assert_eq!(with_query("http://h/a", "b=2", true), "http://h/a?b=2");
        assert_eq!(own_query("http://h/a?t=1", false), "http://h/a");
    }
}
