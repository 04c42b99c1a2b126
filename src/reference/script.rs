//! The script: a client without a browser, which gets a token for itself or renews one that it was given.

use super::account::{Account, Tokens};
use super::client::Client;
use super::native::end;
use super::trouble::Trouble;
use super::{ClientPolicy, NativeEnd, Settings};

/// How a script comes by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// By its own credentials (RFC 6749 section 4.4).
    ClientCredentials,
    /// By a refresh token that it was given (RFC 6749 section 6).
    RefreshToken(String),
}

/// Gets a token and calls the API once. The status is 0 where it has a token that works.
pub async fn script(settings: Settings, policy: ClientPolicy, grant: Grant) -> NativeEnd {
    let client = match Client::new(settings, policy) {
        Ok(client) => client,
        Err(error) => return NativeEnd { status: 2, output: format!("{error}\n") },
    };
    match begin(&client, grant).await {
        Ok(account) => end(&client, &account).await,
        Err(trouble) => trouble.end(&client.policy).await,
    }
}

async fn begin(client: &Client, grant: Grant) -> Result<Account, Trouble> {
    let provider = client.provider(1).await?;
    let subject = client.settings.client_id.clone();
    let asked = client.asked_scope();
    match grant {
        Grant::ClientCredentials => {
            let tokens = client.own_tokens(&provider).await?;
            Ok(Account { subject, name: None, provider, asked, tokens: Some(tokens).into() })
        }
        Grant::RefreshToken(token) => {
            // An access token that is over already: renewing it is the first thing that happens.
            let (access, scope) = (String::new(), asked.clone());
            let given = Tokens { access, refresh: Some(token), id_token: None, scope, expires: Some(0) };
            // Whose token it is comes out with the refresh.
            let unknown = String::new();
            let account = Account { subject: unknown, name: None, provider, asked, tokens: Some(given).into() };
            let new = client.renew(&account, "").await?;
            let subject = match new.as_ref().and_then(|new| new.id_token.as_ref().map(|token| (new, token))) {
                Some((new, token)) => client.validate(&account.provider, token, None, &new.access).await?.subject,
                None => {
                    let access = new.as_ref().map_or("", |new| new.access.as_str());
                    // A token that is not for UserInfo is as good as any other here.
                    client.userinfo(&account.provider, access, None).await.ok().flatten().map_or(subject, |person| person.subject)
                }
            };
            Ok(Account { subject, ..account })
        }
    }
}
