//! Asks the UserInfo endpoint who the user is (OpenID Connect Core section 5.3).

use serde_json::Value;

use super::account::Person;
use super::client::{Attempts, Client};
use super::provider::Provider;
use super::trouble::Trouble;
use super::{IdentityClaim, Strictness, json};

impl Client {
    /// What the endpoint says, if there is one that answers. Its subject is that of the ID token (section 5.3.2).
    pub(super) async fn userinfo(
        &self,
        provider: &Provider,
        access_token: &str,
        identity: Option<&str>,
    ) -> Result<Option<Person>, Trouble> {
        let Some(url) = &provider.userinfo else { return Ok(None) };
        let policy = &self.policy.userinfo;
        let response = self.send(&self.with_token(url, access_token), Attempts::Other).await?;
        if response.status != 200 || response.truncated {
            // Who has an ID token needs nothing else.
            return match identity {
                Some(_) => Ok(None),
                None if self.policy.id_token.missing == Strictness::Accept => Ok(None),
                None => Err(Trouble::malformed("the server does not say who the user is")),
            };
        }
        let members = json::object(&response.body, policy.duplicates)
            .map_err(|_| Trouble::malformed("the answer about the user cannot be read"))?;
        let name = match self.policy.id_token.identity {
            IdentityClaim::Sub => "sub",
            IdentityClaim::Email => "email",
            IdentityClaim::PreferredUsername => "preferred_username",
            IdentityClaim::Name => "name",
        };
        let told = members.get(name).and_then(Value::as_str).filter(|told| !told.is_empty());
        match (told, identity) {
            (Some(told), Some(identity)) if told != identity && policy.other_sub == Strictness::Refuse && name == "sub" => {
                Err(Trouble::id_token("the server names two different users"))
            }
            (None, _) if policy.other_sub == Strictness::Refuse && name == "sub" => {
                Err(Trouble::malformed("the answer about the user has no subject"))
            }
            (told, _) => Ok(told.map(|told| Person { subject: told.to_owned(), name: Person::name_in(&members) })),
        }
    }
}
