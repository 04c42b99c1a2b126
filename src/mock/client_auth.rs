//! Client authentication at the back-channel endpoints (RFC 6749 section 2.3).

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::MockClient;
use super::call::{Call, Fields};
use super::state::State;
use crate::oauth::encoding::{from_base64, from_form};
use crate::policy::{BasicDecoding, ClientAuthPolicy, SecretCheck, TokenCause};

/// How a client authenticates, or tries to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Basic,
    Post,
    None,
}

impl Method {
    /// The name of RFC 7591 section 2.
    fn registered_name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }

    /// The name that patches use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Post => "post",
            Self::None => "none",
        }
    }
}

/// What a request says of its client.
struct Credentials {
    method: Method,
    id: String,
    secret: Option<String>,
}

/// The client that a request comes from. `grant` is that of a token request.
pub(super) fn authenticate(
    call: &Call<'_>,
    fields: &Fields,
    query: Option<&Fields>,
    grant: Option<&str>,
    policy: &ClientAuthPolicy,
    state: &State,
) -> Result<Arc<MockClient>, TokenCause> {
    let credentials = credentials(call, fields, query, policy)?;
    let client = state.client(&credentials.id).ok_or(TokenCause::UnknownClient)?;
    if !policy.methods.iter().any(|method| method == credentials.method.registered_name()) {
        return Err(TokenCause::WrongAuthMethod);
    }
    let right_method = client.auth_method == credentials.method.registered_name();
    match (credentials.method, client.client_secret.as_deref()) {
        (Method::None, _) if client.is_public() => {}
        (Method::None, _) if is_required(grant, policy) => return Err(TokenCause::MissingClientAuth),
        (Method::None, _) => return Ok(client),
        (_, None) => return Err(TokenCause::WrongAuthMethod),
        (method, Some(secret)) => {
            let expired = client.secret_expires.is_some_and(|expiry| call.now.as_secs() >= expiry);
            if expired || !secret_fits(secret, credentials.secret.as_deref().unwrap_or(""), method, policy.secret) {
                return Err(TokenCause::WrongSecret);
            }
        }
    }
    if policy.registered_method_only && !right_method {
        return Err(TokenCause::WrongAuthMethod);
    }
    Ok(client)
}

/// Whether the Authorization header was used, rightly or not.
pub(super) fn header_used(call: &Call<'_>) -> bool {
    call.request.headers.has("authorization")
}

/// Splits HTTP Basic credentials after base64; `None` where they are none.
pub(super) fn basic(value: &str, policy: &ClientAuthPolicy) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    let same = if policy.scheme_case_sensitive { scheme == "Basic" } else { scheme.eq_ignore_ascii_case("Basic") };
    let decoded = same.then(|| from_base64(encoded.trim())).flatten()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let text = |part: &[u8]| {
        let part = match policy.basic_decoding {
            BasicDecoding::Form => from_form(part)?,
            BasicDecoding::Latin1 => from_form(part)?.into_iter().map(char::from).collect::<String>().into_bytes(),
            BasicDecoding::Raw => part.to_vec(),
        };
        String::from_utf8(part).ok()
    };
    Some((text(&decoded[..colon])?, text(&decoded[colon + 1..])?))
}

fn credentials(
    call: &Call<'_>,
    fields: &Fields,
    query: Option<&Fields>,
    policy: &ClientAuthPolicy,
) -> Result<Credentials, TokenCause> {
    let from_query = |name| query.filter(|_| policy.query).and_then(|query| query.get(name));
    let id = fields.get("client_id").or_else(|| from_query("client_id"));
    let empty_counts = policy.secret == SecretCheck::EmptyPasses && fields.sent("client_secret");
    let secret = fields.get("client_secret").or_else(|| from_query("client_secret")).or_else(|| empty_counts.then_some(""));
    let asserted = fields.get("client_assertion").is_some();
    if policy.require_client_id && id.is_none() {
        return Err(TokenCause::MissingClientId);
    }
    let headers: Vec<_> = call.request.headers.all("authorization").collect();
    match headers.as_slice() {
        [] => {
            if secret.is_some() && asserted && policy.refuse_several {
                return Err(TokenCause::SeveralAuthMethods);
            }
            let id = id.ok_or(TokenCause::MissingClientAuth)?.to_owned();
            let method = if secret.is_some() { Method::Post } else { Method::None };
            Ok(Credentials { method, id, secret: secret.map(str::to_owned) })
        }
        [header, rest @ ..] if rest.is_empty() || policy.first_header => {
            let parsed = basic(&String::from_utf8_lossy(header), policy);
            let (header_id, header_secret) = parsed.ok_or(TokenCause::MalformedClientAuth)?;
            if (secret.is_some() || asserted) && policy.refuse_several {
                return Err(TokenCause::SeveralAuthMethods);
            }
            if policy.check_id_mismatch && id.is_some_and(|id| id != header_id) {
                return Err(TokenCause::ClientMismatch);
            }
            Ok(Credentials { method: Method::Basic, id: header_id, secret: Some(header_secret) })
        }
        _ => Err(TokenCause::MalformedClientAuth),
    }
}

fn is_required(grant: Option<&str>, policy: &ClientAuthPolicy) -> bool {
    match grant {
        Some("authorization_code") => policy.required && policy.required_for_code,
        Some("refresh_token") => policy.required && policy.required_for_refresh,
        _ => policy.required,
    }
}

fn secret_fits(known: &str, given: &str, method: Method, check: SecretCheck) -> bool {
    let same = |a: &str, b: &str| verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok();
    let start = |text: &str| text.chars().take(8).collect::<String>();
    match check {
        SecretCheck::Skip => true,
        SecretCheck::EmptyPasses if given.is_empty() => true,
        SecretCheck::HeaderOnly if method == Method::Post => true,
        SecretCheck::BodyOnly if method == Method::Basic => true,
        SecretCheck::IgnoreCase => known.to_lowercase() == given.to_lowercase(),
        SecretCheck::Prefix => start(known) == start(given),
        SecretCheck::Compare | SecretCheck::EmptyPasses | SecretCheck::HeaderOnly | SecretCheck::BodyOnly => same(known, given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::encoding::{base64, form};

    #[test]
    fn basic_credentials_are_form_decoded() {
        let value = format!("basic {}", base64(format!("{}:{}", form("a b"), form("s:%+é"))));
        let strict = ClientAuthPolicy::default();
        assert_eq!(basic(&value, &strict), Some(("a b".into(), "s:%+é".into())));
        let raw = ClientAuthPolicy { basic_decoding: BasicDecoding::Raw, ..ClientAuthPolicy::default() };
        assert_eq!(basic(&value, &raw), Some(("a+b".into(), "s%3A%25%2B%C3%A9".into())));
        let picky = ClientAuthPolicy { scheme_case_sensitive: true, ..ClientAuthPolicy::default() };
        assert_eq!(basic(&value, &picky), None);
        for broken in ["Basic", "Basic !!!", "Bearer YTpi", "Basic YQ==", "Basic YTolenp6"] {
            assert_eq!(basic(broken, &strict), None, "{broken}");
        }
    }

    #[test]
    fn secrets_compare_as_the_policy_says() {
        let fits = |given, method, check| secret_fits("Secret-123456", given, method, check);
        assert!(fits("Secret-123456", Method::Post, SecretCheck::Compare));
        assert!(!fits("secret-123456", Method::Post, SecretCheck::Compare));
        assert!(fits("secret-123456", Method::Post, SecretCheck::IgnoreCase));
        assert!(fits("Secret-1xxxxx", Method::Post, SecretCheck::Prefix));
        assert!(fits("", Method::Post, SecretCheck::EmptyPasses) && !fits("x", Method::Post, SecretCheck::EmptyPasses));
        assert!(fits("x", Method::Post, SecretCheck::HeaderOnly) && !fits("x", Method::Basic, SecretCheck::HeaderOnly));
        assert!(fits("x", Method::Basic, SecretCheck::BodyOnly) && !fits("x", Method::Post, SecretCheck::BodyOnly));
    }
}
