//! Reads an authorization response: finds the login it belongs to, judges `state`, `iss` and errors, and hands on the code.

use super::begin::{CONSTANT_STATE, Pending};
use super::client::Client;
use super::provider::{Provider, same_issuer};
use super::trouble::{Kind, Trouble};
use super::{ErrorResponse, IssCheck, RepeatedParameter, StateCheck, Strictness};
use crate::oauth::Params;

/// The parameters that a response may have (RFC 6749, RFC 9207, OpenID Connect Core and Session Management).
const KNOWN: [&str; 8] = ["code", "state", "iss", "error", "error_description", "error_uri", "session_state", "id_token"];

/// The parameters of a response, each of them once.
#[derive(Debug, Clone, Default)]
pub(super) struct Response {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) access_token: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// The logins to which a response could belong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidates<'a> {
    /// Those of this browser, the latest last.
    pub(super) own: &'a [Pending],
    /// Those of all browsers.
    pub(super) all: &'a [Pending],
}

impl Client {
    /// The parameters, with repeats treated as the policy says.
    pub(super) fn read(&self, params: &Params) -> Result<Response, Trouble> {
        let policy = &self.policy.callback;
        if policy.repeated == RepeatedParameter::Refuse
            && let Some(name) = params.repeated().first()
        {
            return Err(Trouble::callback(format!("the response has {name} more than once")));
        }
        let foreign = |name: &[u8]| !KNOWN.iter().any(|known| known.as_bytes() == name);
        if policy.unknown == Strictness::Refuse && params.iter().any(|(name, _)| foreign(name)) {
            return Err(Trouble::callback("the response has a parameter that is not known"));
        }
        let get = |name: &str| {
            let mut all = params.all(name);
            let value = if policy.repeated == RepeatedParameter::Last { all.last() } else { all.next() };
            value.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        Ok(Response {
            code: get("code"),
            state: get("state"),
            access_token: get("access_token"),
            iss: get("iss"),
            error: get("error"),
            description: get("error_description"),
        })
    }

    /// The login to which a response belongs; `Ok(None)` where the policy does not ask for one and there is none.
    pub(super) fn belongs<'a>(&self, response: &Response, logins: Candidates<'a>) -> Result<Option<&'a Pending>, Trouble> {
        let policy = &self.policy.state;
        let latest = logins.own.last();
        let state = response.state.as_deref();
        let with = |known: &'a [Pending]| known.iter().rev().find(|login| state.is_some() && login.state.as_deref() == state);
        let fits = |login: &Option<&Pending>, test: &dyn Fn(&str, &str) -> bool| {
            let sent = login.and_then(|login| login.state.as_deref());
            sent.zip(state).is_some_and(|(sent, state)| test(sent, state))
        };
        let found = match policy.check {
            // Nothing was sent, so that there is nothing to compare: the browser's latest login is the one.
            StateCheck::Compare | StateCheck::AnySession if !policy.sent => latest.map(Some),
            StateCheck::Compare => with(logins.own).map(Some),
            StateCheck::AnySession => with(logins.own).or_else(|| with(logins.all)).map(Some),
            StateCheck::Present => state.map(|_| latest),
            StateCheck::None => Some(latest),
            StateCheck::IfBoth => {
                let both = state.is_some() && latest.is_some_and(|login| login.state.is_some());
                (!both || fits(&latest, &|sent, state| sent == state)).then_some(latest)
            }
            StateCheck::AbsentIsEqual => (latest.and_then(|login| login.state.as_deref()) == state).then_some(latest),
            StateCheck::Constant => (state == Some(CONSTANT_STATE)).then_some(latest),
            StateCheck::Prefix => {
                let begins = |sent: &str, state: &str| !state.is_empty() && (sent.starts_with(state) || state.starts_with(sent));
                fits(&latest, &begins).then_some(latest)
            }
        };
        found.ok_or_else(|| Trouble::callback("the response belongs to no login of this browser"))
    }

    /// The code of a response from that server.
    pub(super) fn code(&self, response: &Response, provider: &Provider) -> Result<String, Trouble> {
        let policy = &self.policy.callback;
        if response.error.is_none() || self.policy.iss.on_error {
            self.judge_iss(response, provider)?;
        }
        let code = response.code.as_deref().filter(|code| !code.is_empty());
        let ends = match policy.error {
            ErrorResponse::Ends => true,
            ErrorResponse::UnlessCode => code.is_none(),
            ErrorResponse::Ignored => return Ok(code.unwrap_or("undefined").to_owned()),
        };
        if let (true, Some(error)) = (ends, &response.error) {
            let trouble = Trouble::new(Kind::AuthorizationError, format!("the server refused: {error}"));
            return Err(trouble.with_code(error).with_detail(response.description.clone(), policy.description));
        }
        code.map(str::to_owned).ok_or_else(|| Trouble::callback("the response has no code"))
    }

    /// RFC 9207 section 2.4.
    fn judge_iss(&self, response: &Response, provider: &Provider) -> Result<(), Trouble> {
        let policy = &self.policy.iss;
        let wrong = || Err(Trouble::callback("the response is from another server"));
        match (policy.check, &response.iss) {
            (IssCheck::Never, _) | (IssCheck::IfPresent, None) => Ok(()),
            (IssCheck::WhenAdvertised, None) => {
                if provider.sends_iss {
                    wrong()
                } else {
                    Ok(())
                }
            }
            (IssCheck::WhenAdvertised, Some(_)) if !provider.sends_iss && policy.unadvertised == Strictness::Refuse => {
                Err(Trouble::callback("the response names its server, which the server does not announce"))
            }
            (_, Some(iss)) if same_issuer(&provider.issuer, iss, policy.comparison) => Ok(()),
            _ => wrong(),
        }
    }
}
