//! Which scope a client gets for what it asks (RFC 6749 section 3.3).

use super::MockClient;
use crate::oauth::Scope;
use crate::policy::{ScopeMember, ScopePolicy, UnknownScope};

/// Why a scope is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeFault {
    Malformed,
    Unknown,
    Missing,
}

/// The scope to grant. Without a `scope` parameter it is all that the client is registered for.
pub(super) fn resolve(asked: Option<&str>, client: &MockClient, policy: &ScopePolicy) -> Result<Scope, ScopeFault> {
    let Some(text) = asked else {
        return if policy.required { Err(ScopeFault::Missing) } else { Ok(client.scopes.iter().cloned().collect()) };
    };
    let tokens = parse(text, policy)?;
    if policy.ordered && !in_order(text, client) {
        return Err(ScopeFault::Unknown);
    }
    let with_openid = |token: &str| policy.with_openid.iter().any(|known| known == token);
    if tokens.iter().any(with_openid) && !tokens.contains("openid") {
        return Err(ScopeFault::Unknown);
    }
    let mut granted = Vec::new();
    for token in tokens.iter() {
        match (registered(token, client, policy), policy.unknown) {
            (Some(known), _) => granted.push(known.to_owned()),
            (None, UnknownScope::Refuse) => return Err(ScopeFault::Unknown),
            (None, UnknownScope::Narrow | UnknownScope::Ignore) => {}
            (None, UnknownScope::Grant) => granted.push(token.to_owned()),
        }
    }
    let none_left = granted.is_empty() && policy.unknown == UnknownScope::Ignore;
    if none_left || (!policy.only_requested && !granted.is_empty()) {
        return Ok(client.scopes.iter().cloned().collect());
    }
    // A grant of nothing could not even be written down: the grammar knows no empty scope.
    if granted.is_empty() { Err(ScopeFault::Unknown) } else { Ok(granted.into_iter().collect()) }
}

/// Takes a scope apart, as strictly as the policy wants.
pub(super) fn parse(text: &str, policy: &ScopePolicy) -> Result<Scope, ScopeFault> {
    match Scope::parse(text) {
        Ok(scope) => Ok(scope),
        Err(_) if policy.check_grammar => Err(ScopeFault::Malformed),
        Err(_) => Ok(Scope::parse_lossy(text).iter().filter(|token| Scope::parse(token).is_ok()).map(str::to_owned).collect()),
    }
}

/// The `scope` member of a token response, where the policy wants one.
pub(super) fn member(asked: Option<&str>, granted: &Scope, policy: &ScopePolicy) -> Option<String> {
    let named = || (!granted.is_empty()).then(|| granted.to_string());
    match policy.member {
        ScopeMember::WhenDifferent if asked.is_some_and(|text| Scope::parse_lossy(text) == *granted) => None,
        ScopeMember::Always | ScopeMember::WhenDifferent => named(),
        ScopeMember::Never => None,
        ScopeMember::AsRequested => asked.map(str::to_owned).or_else(named),
    }
}

fn registered<'a>(token: &str, client: &'a MockClient, policy: &ScopePolicy) -> Option<&'a str> {
    let same = |known: &&String| if policy.case_sensitive { *known == token } else { known.eq_ignore_ascii_case(token) };
    client.scopes.iter().find(same).map(String::as_str)
}

fn in_order(text: &str, client: &MockClient) -> bool {
    let mut registered = client.scopes.iter();
    text.split_ascii_whitespace().all(|token| registered.any(|known| known == token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> MockClient {
        MockClient { scopes: vec!["openid".into(), "api:read".into()], ..MockClient::default() }
    }

    #[test]
    fn strict_by_default() {
        let resolve = |asked| resolve(asked, &client(), &ScopePolicy::default()).map(|scope| scope.to_string());
        assert_eq!(resolve(None), Ok("openid api:read".into()));
        assert_eq!(resolve(Some("api:read openid")), Ok("api:read openid".into()));
        assert_eq!(resolve(Some("api:read")), Ok("api:read".into()));
        assert_eq!(resolve(Some("api:write")), Err(ScopeFault::Unknown));
        assert_eq!(resolve(Some("API:READ")), Err(ScopeFault::Unknown));
        assert_eq!(resolve(Some("openid  api:read")), Err(ScopeFault::Malformed));
    }

    #[test]
    fn leniencies_are_settings() {
        let ask = |asked: &str, policy: ScopePolicy| resolve(Some(asked), &client(), &policy).map(|scope| scope.to_string());
        let base = ScopePolicy::default;
        assert_eq!(ask("openid x", ScopePolicy { unknown: UnknownScope::Narrow, ..base() }), Ok("openid".into()));
        assert_eq!(ask("x", ScopePolicy { unknown: UnknownScope::Narrow, ..base() }), Err(ScopeFault::Unknown));
        assert_eq!(ask("x", ScopePolicy { unknown: UnknownScope::Ignore, ..base() }), Ok("openid api:read".into()));
        assert_eq!(ask("openid x", ScopePolicy { unknown: UnknownScope::Ignore, ..base() }), Ok("openid".into()));
        assert_eq!(ask("openid x", ScopePolicy { unknown: UnknownScope::Grant, ..base() }), Ok("openid x".into()));
        assert_eq!(ask("API:read", ScopePolicy { case_sensitive: false, ..base() }), Ok("api:read".into()));
        assert_eq!(ask(" openid", ScopePolicy { check_grammar: false, ..base() }), Ok("openid".into()));
        assert_eq!(ask("openid", ScopePolicy { only_requested: false, ..base() }), Ok("openid api:read".into()));
        assert_eq!(ask("api:read openid", ScopePolicy { ordered: true, ..base() }), Err(ScopeFault::Unknown));
    }
}
