//! What an endpoint decides, as data: no HTTP, no signatures. Rendering makes a response of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::keys::Alg;
use super::state::Commit;
use crate::policy::{AuthorizeCause, BearerCause, Effective, RegistrationCause, Respond, TokenCause, Via};

/// What was decided about a request.
pub(super) struct Decision {
    pub(super) outcome: Outcome,
    /// The client that the request was found to come from, or claims to.
    pub(super) client: Option<String>,
    /// The user concerned.
    pub(super) user: Option<String>,
    /// Uses that are noted later.
    pub(super) commits: Vec<Commit>,
    /// Set-Cookie fields.
    pub(super) cookies: Vec<String>,
}

/// The kinds of answers.
pub(super) enum Outcome {
    /// What a rule wants to be sent instead of any decision.
    Literal(Arc<Respond>),
    /// A page for the user.
    Page(Page),
    /// On to another page of this server.
    Continue { url: String, status: u16 },
    /// An authorization response (RFC 6749 sections 4.1.2, 4.1.2.1).
    Authorization(Box<AuthorizationResponse>),
    /// Tokens (RFC 6749 section 5.1).
    Tokens(Box<Tokens>),
    /// An error of a back-channel endpoint (RFC 6749 section 5.2).
    TokenError {
        cause: TokenCause,
        /// Whether the client tried to authenticate by the Authorization header.
        header_used: bool,
        /// Methods that would work, for 405.
        allow: &'static str,
    },
    /// A pushed authorization request that the authorization endpoint would refuse (RFC 9126 section 2.3).
    PushRefused(AuthorizeCause),
    /// A refusal of the registration endpoint (RFC 7591 section 3.2.2).
    RegistrationError {
        cause: RegistrationCause,
        /// What exactly is wrong; empty: what the policy says.
        detail: String,
    },
    /// A refusal of a protected resource (RFC 6750 section 3).
    BearerError {
        cause: BearerCause,
        /// The scope that is needed, where that is what is missing.
        scope: Option<String>,
    },
    /// A JSON document.
    Json { status: u16, body: Map<String, Value>, cache: Cache },
    /// An answer without a body.
    Empty(u16),
    /// An error that is no matter of policy: methods of documents.
    Problem { status: u16, error: &'static str, description: String, allow: Option<&'static str> },
    /// There is nothing here.
    NotFound,
}

/// Whether an answer may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// It holds secrets, or what changes with each request.
    NoStore,
    /// It is public.
    Public,
}

/// A page for the user.
pub(super) enum Page {
    Login(Form),
    Consent(Form),
    Device(DevicePage),
    /// Says how it ended.
    Notice {
        title: &'static str,
        text: &'static str,
    },
    Error {
        status: u16,
        error: String,
        description: String,
        cause: &'static str,
        allow: Option<&'static str>,
        /// Whether the error page is told the client, where it is reached by a redirect.
        tell_client: bool,
    },
}

/// What stands on a login or consent page.
pub(super) struct Form {
    pub(super) transaction: String,
    /// The authorization request, where the page carries that instead of a transaction.
    pub(super) query: Option<String>,
    pub(super) csrf: Option<String>,
    pub(super) client: String,
    pub(super) user: Option<String>,
    pub(super) scope: Vec<String>,
    /// What went wrong on the last try.
    pub(super) mistake: Option<&'static str>,
    /// Whether login and consent stand on one page.
    pub(super) combined: bool,
    /// Parts of the authorization request that are shown as they came.
    pub(super) raw: Vec<String>,
    /// The URL of a style sheet; empty: none.
    pub(super) style_sheet: String,
    /// What a person is offered beside, for tests by hand.
    pub(super) help: Option<LoginHelp>,
}

/// What a person who tests by hand is offered on the login page.
pub(super) struct LoginHelp {
    /// User names, and the names of the users.
    pub(super) users: Vec<(String, String)>,
    /// Causes of errors, and the codes that they are answered with.
    pub(super) errors: Vec<(&'static str, String)>,
}

/// What stands on the verification page (RFC 8628 section 3.3).
pub(super) struct DevicePage {
    pub(super) transaction: String,
    pub(super) csrf: Option<String>,
    /// What went wrong on the last try.
    pub(super) mistake: Option<&'static str>,
    /// Whether it asks for user name and password.
    pub(super) login: bool,
    /// Whether it asks for the user code, and what stands in the field already.
    pub(super) code: Option<String>,
    /// Whether it asks for the approval.
    pub(super) question: bool,
    /// The user code that the user compares with the device's.
    pub(super) confirm: Option<String>,
    /// The client on the device, once it is known.
    pub(super) client: Option<String>,
    pub(super) scope: Vec<String>,
}

/// What goes back to the client through the user agent.
pub(super) struct AuthorizationResponse {
    pub(super) redirect_uri: String,
    /// As it was sent.
    pub(super) state: Option<String>,
    /// A state made up, for policies that invent one.
    pub(super) invented_state: Option<String>,
    /// Where the client asked to have the parameters put, if that is offered.
    pub(super) via: Option<Via>,
    pub(super) result: Result<Success, AuthorizeCause>,
    /// The policy of the authorization request, which rules its response too.
    pub(super) effective: Arc<Effective>,
}

/// A successful authorization.
#[derive(Default)]
pub(super) struct Success {
    pub(super) code: Option<String>,
    pub(super) access: Option<Access>,
    pub(super) scope: Option<String>,
    pub(super) id_token: Option<IdToken>,
}

/// What the token endpoint issues.
pub(super) struct Tokens {
    pub(super) access: Access,
    pub(super) refresh: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) id_token: Option<IdToken>,
}

/// An access token to be.
pub(super) struct Access {
    /// Its number in the realm's memory.
    pub(super) id: u64,
    pub(super) form: AccessForm,
    /// Seconds.
    pub(super) lifetime: u64,
}

/// What an access token looks like.
pub(super) enum AccessForm {
    Opaque(String),
    Jwt { alg: Alg, claims: Map<String, Value> },
}

/// An ID token to be.
pub(super) struct IdToken {
    pub(super) alg: Alg,
    pub(super) claims: Map<String, Value>,
}

impl Decision {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self { outcome, client: None, user: None, commits: Vec::new(), cookies: Vec::new() }
    }

    pub(super) fn client(mut self, client: impl Into<Option<String>>) -> Self {
        self.client = client.into();
        self
    }

    pub(super) fn user(mut self, user: impl Into<Option<String>>) -> Self {
        self.user = user.into();
        self
    }

    pub(super) fn cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// A document at that status.
    pub(super) fn json(status: u16, body: Map<String, Value>, cache: Cache) -> Self {
        Self::new(Outcome::Json { status, body, cache })
    }

    /// A page that says why nothing more will happen, for reasons that are no matter of policy.
    pub(super) fn stale(cause: &'static str, description: &str) -> Self {
        let (error, description) = ("invalid_request".to_owned(), description.to_owned());
        Self::new(Outcome::Page(Page::Error { status: 400, error, description, cause, allow: None, tell_client: false }))
    }

    /// A method that an endpoint without settings of its own does not know.
    pub(super) fn method(allow: &'static str) -> Self {
        let description = format!("use {allow}");
        Self::new(Outcome::Problem { status: 405, error: "invalid_request", description, allow: Some(allow) })
    }

    /// What a server that fell over its input answers.
    pub(super) fn crash() -> Self {
        let description = "something went wrong".to_owned();
        Self::new(Outcome::Problem { status: 500, error: "server_error", description, allow: None })
    }

    /// Why it is a refusal, in the words of the policy's tables of causes.
    pub(super) fn cause(&self) -> Option<&'static str> {
        match &self.outcome {
            Outcome::Page(Page::Error { cause, .. }) => Some(cause),
            Outcome::Authorization(response) => response.result.as_ref().err().map(|cause| cause.name()),
            Outcome::TokenError { cause, .. } => Some(cause.name()),
            Outcome::PushRefused(cause) => Some(cause.name()),
            Outcome::RegistrationError { cause, .. } => Some(cause.name()),
            Outcome::BearerError { cause, .. } => Some(cause.name()),
            Outcome::Problem { error, .. } => Some(error),
            Outcome::NotFound => Some("not_found"),
            Outcome::Literal(respond) => (respond.status >= 400).then_some("scripted"),
            Outcome::Page(_) | Outcome::Continue { .. } | Outcome::Tokens(_) | Outcome::Json { .. } | Outcome::Empty(_) => None,
        }
    }
}
