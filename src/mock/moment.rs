//! What is known of a request before it is decided about: that by which patches choose (`policy::Moment`).

use std::borrow::Cow;
use std::time::Duration;

use super::bearer;
use super::call::{Call, Endpoint};
use super::client_auth::{self, Method};
use super::interaction;
use super::state::{Said, State};
use crate::oauth::Params;
use crate::policy::{ClientAuthPolicy, Moment, Policy};

/// The owned parts of a [`Moment`].
pub(super) struct Sketch {
    pub(super) params: Params,
    pub(super) grant: Option<String>,
    pub(super) client: Option<String>,
    pub(super) auth: Option<Method>,
    pub(super) user: Option<String>,
}

impl Sketch {
    /// Looks at a request without judging it; `policy` is the one without conditions.
    pub(super) fn of(call: &Call<'_>, policy: &Policy, state: &State) -> Self {
        let request = call.request;
        let in_body = request.method == "POST" && !request.body.is_empty();
        let encoded = if in_body { &request.body[..] } else { request.query().unwrap_or("").as_bytes() };
        let params = Params::parse_lossy(encoded);
        let mut sketch = Self { grant: None, client: text(&params, "client_id"), auth: None, user: None, params };
        match call.endpoint {
            Endpoint::Authorize | Endpoint::EndSession => {
                sketch.user = interaction::session(call, policy, state).map(|session| session.user);
            }
            Endpoint::Login | Endpoint::Consent => sketch.look_at_page(call, policy, state),
            Endpoint::Verification => sketch.look_at_verification(call, policy, state),
            Endpoint::Token | Endpoint::Revoke | Endpoint::Introspect | Endpoint::Par | Endpoint::DeviceAuthorization => {
                sketch.look_at_back_channel(call, state);
            }
            Endpoint::Userinfo | Endpoint::Resource => sketch.look_at_token(bearer::presented(request), state),
            Endpoint::Registration(id) => sketch.client = Some(id.clone()),
            Endpoint::Jwks
            | Endpoint::OauthMetadata
            | Endpoint::OpenidMetadata
            | Endpoint::Register
            | Endpoint::ErrorPage
            | Endpoint::Unknown => {}
        }
        sketch
    }

    /// As patches see it.
    pub(super) fn moment<'a>(&'a self, call: &Call<'a>, elapsed: Duration) -> Moment<'a> {
        Moment {
            endpoint: call.endpoint.name(),
            grant: self.grant.as_deref(),
            client: self.client.as_deref(),
            auth: self.auth.map(Method::name),
            user: self.user.as_deref(),
            params: &self.params,
            request: call.request,
            elapsed,
            answered: None,
        }
    }

    fn look_at_page(&mut self, call: &Call<'_>, policy: &Policy, state: &State) {
        let transaction = interaction::transaction_of(&self.params).and_then(|id| state.transactions.get(&id));
        let in_query = || text(&Params::parse_lossy(call.request.query().unwrap_or("").as_bytes()), "client_id");
        self.client = transaction.map(|transaction| transaction.asked.client.clone()).or_else(in_query);
        let session =
            transaction.and_then(|transaction| transaction.session.clone()).or_else(|| interaction::session(call, policy, state));
        self.user = text(&self.params, "username").or_else(|| session.map(|session| session.user));
    }

    fn look_at_verification(&mut self, call: &Call<'_>, policy: &Policy, state: &State) {
        let visit = interaction::transaction_of(&self.params).and_then(|id| state.verifications.get(&id));
        let device = visit.and_then(|visit| state.device(visit.device.as_deref()?));
        self.client = device.map(|device| device.client.clone());
        let session = visit.and_then(|visit| visit.session.clone()).or_else(|| interaction::session(call, policy, state));
        self.user = text(&self.params, "username").or_else(|| session.map(|session| session.user));
    }

    fn look_at_back_channel(&mut self, call: &Call<'_>, state: &State) {
        let header = call.request.headers.get("authorization");
        let basic = header.as_deref().and_then(|value| client_auth::basic(value, &ClientAuthPolicy::default()));
        self.auth = Some(match (&header, self.params.has("client_secret")) {
            (Some(_), _) => Method::Basic,
            (None, true) => Method::Post,
            (None, false) => Method::None,
        });
        self.client = basic.map(|(id, _)| id).or_else(|| self.client.take());
        if *call.endpoint != Endpoint::Token {
            return self.look_at_token(text(&self.params, "token"), state);
        }
        self.grant = text(&self.params, "grant_type");
        self.user = text(&self.params, "device_code").and_then(|code| state.device(&code)?.said.as_ref().map(said_by));
        let code = text(&self.params, "code").and_then(|code| state.codes.get(&code));
        match code {
            Some(code) => self.user = Some(code.user.clone()),
            None if self.user.is_some() => {}
            None => self.look_at_token(text(&self.params, "refresh_token"), state),
        }
        self.user = self.user.take().or_else(|| text(&self.params, "username"));
    }

    fn look_at_token(&mut self, value: Option<String>, state: &State) {
        let Some(token) = value.and_then(|value| state.token(&value).cloned()) else { return };
        self.client = self.client.take().or(Some(token.client));
        self.user = token.user;
    }
}

fn said_by(said: &Said) -> String {
    match said {
        Said::Approved { user, .. } | Said::Denied { user } => user.clone(),
    }
}

fn text(params: &Params, name: &str) -> Option<String> {
    params.get(name).map(Cow::into_owned)
}
