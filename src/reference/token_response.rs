//! Reads the answer to a token request (RFC 6749 sections 5.1, 5.2).

use serde_json::{Map, Value};

use super::account::Tokens;
use super::client::Client;
use super::json::{NotAnObject, object};
use super::trouble::{Kind, Trouble};
use super::{GrantedScope, Lifetime, Strictness};
use crate::oauth::{Params, Response};

const KNOWN: [&str; 6] = ["access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"];

/// What stands for a token that is not there, in programs that do not look.
const UNDEFINED: &str = "undefined";

impl Client {
    /// The tokens of a response to a request for that scope.
    pub(super) fn read_tokens(&self, response: &Response, asked: &str) -> Result<Tokens, Trouble> {
        let policy = &self.policy.token_response;
        let members = self.members(response)?;
        self.refusal(response, &members)?;
        if policy.media_type == Strictness::Refuse && response.media_type() != "application/json" {
            return Err(Trouble::malformed("the token response is not labelled as JSON"));
        }
        if policy.unknown_members == Strictness::Refuse
            && let Some(name) = members.keys().find(|name| !KNOWN.contains(&name.as_str()))
        {
            return Err(Trouble::malformed(format!("the token response has an unknown member {name}")));
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let access = match (text("access_token"), policy.missing_access_token) {
            (Some(token), _) => token,
            (None, Strictness::Accept) => UNDEFINED.to_owned(),
            (None, Strictness::Refuse) => return Err(Trouble::malformed("the token response has no access token")),
        };
        self.judge_type(members.get("token_type"))?;
        let said = if policy.scope == GrantedScope::Response { members.get("scope").and_then(Value::as_str) } else { None };
        Ok(Tokens {
            access,
            refresh: text("refresh_token"),
            id_token: text("id_token"),
            scope: said.unwrap_or(asked).to_owned(),
            expires: self.lifetime(members.get("expires_in"))?.map(|seconds| self.now().saturating_add(seconds)),
        })
    }

    fn members(&self, response: &Response) -> Result<Map<String, Value>, Trouble> {
        let policy = &self.policy.token_response;
        if response.truncated && policy.truncated == Strictness::Refuse {
            return Err(Trouble::malformed("the token response is cut off or too long"));
        }
        match object(&response.body, policy.duplicates) {
            Ok(members) => Ok(members),
            Err(NotAnObject::Repeated(name)) => Err(Trouble::malformed(format!("the token response repeats {name}"))),
            Err(NotAnObject::Other) if response.status != 200 => {
                Err(Trouble::new(Kind::TokenError, format!("the server answered with status {}", response.status)))
            }
            Err(NotAnObject::Other) if policy.not_json == Strictness::Refuse => {
                Err(Trouble::malformed("the token response is no JSON object"))
            }
            Err(NotAnObject::Other) => {
                let form = Params::parse_lossy(&response.body);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Ok(form.iter().map(|(name, value)| (text(name), Value::from(text(value)))).collect())
            }
        }
    }

    /// Whether the server refused.
    fn refusal(&self, response: &Response, members: &Map<String, Value>) -> Result<(), Trouble> {
        let policy = &self.policy.token_response;
        let error = members.get("error").and_then(Value::as_str);
        let refused = match response.status {
            200 => members.contains_key("error") && policy.error_in_success == Strictness::Refuse,
            _ => policy.status == Strictness::Refuse || !members.contains_key("access_token"),
        };
        if !refused {
            return Ok(());
        }
        let told = error.map_or_else(|| format!("status {}", response.status), str::to_owned);
        let description = members.get("error_description").and_then(Value::as_str).map(str::to_owned);
        let trouble = Trouble::new(Kind::TokenError, format!("the server refused: {told}"));
        Err(trouble.with_code(error.unwrap_or_default()).with_detail(description, policy.description))
    }

    /// RFC 6749 section 7.1: a token of unknown type is not used.
    fn judge_type(&self, token_type: Option<&Value>) -> Result<(), Trouble> {
        let policy = &self.policy.token_response;
        let Some(token_type) = token_type else {
            return match policy.missing_token_type {
                Strictness::Accept => Ok(()),
                Strictness::Refuse => Err(Trouble::malformed("the token response has no token type")),
            };
        };
        let name = token_type.as_str().unwrap_or_default();
        let known = if policy.case_sensitive_type { name == "Bearer" } else { name.eq_ignore_ascii_case("Bearer") };
        if known || policy.unknown_token_type == Strictness::Accept {
            return Ok(());
        }
        Err(Trouble::malformed("the token is of a type that is not known"))
    }

    /// Seconds; `None` where they are not known.
    fn lifetime(&self, expires_in: Option<&Value>) -> Result<Option<i64>, Trouble> {
        let policy = &self.policy.token_response;
        let Some(value) = expires_in else {
            return if policy.lifetime_required {
                Err(Trouble::malformed("the token response has no lifetime"))
            } else {
                Ok(None)
            };
        };
        let seconds = value.as_i64().filter(|seconds| *seconds > 0);
        if seconds.is_none() && policy.lifetime == Lifetime::Strict {
            return Err(Trouble::malformed("the lifetime in the token response is no whole number above zero"));
        }
        Ok(seconds)
    }
}
