//! A scenario after it was loaded: everything in it is known to make sense.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::client::{ClientWant, Drive, MockSetup};
use super::{Json, Matcher, Template};
use crate::catalog::{Level, Severity};
use crate::problem::Source;

/// One behaviour under test.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The path below `scenarios/` without its ending: `server/code/reused-code`.
    pub id: String,
    /// The file.
    pub source: Arc<Source>,
    /// One sentence: the behaviour that is right.
    pub title: String,
    /// The harm of its gravest check, where a check does not say otherwise.
    pub severity: Severity,
    /// Why it matters.
    pub why: String,
    /// How to mend a server that fails.
    pub fix: String,
    /// What the target must offer.
    pub needs: Needs,
    /// The clients it plays, by the names its steps use, in file order.
    pub clients: Vec<(String, ClientNeed)>,
    /// Patterns of the faults it must catch.
    pub catches: Vec<toml::Spanned<String>>,
    /// How often the steps are run (races); 1 normally.
    pub rounds: u32,
    /// How the mock misbehaves while the steps run (client scenarios).
    pub mock: Vec<MockSetup>,
    /// Whether it looks at what the client sent all along, and drives it only if nothing did (client scenarios).
    pub passive: bool,
    /// The cases over which the steps are run.
    pub cases: Cases,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// What a target must offer for a scenario, or for one case of it. All of it must hold.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Grant types: `authorization_code`, `refresh_token`, `client_credentials`…
    pub grant: Vec<String>,
    /// At least so many clients.
    pub clients: Option<usize>,
    /// Endpoints by their names in the configuration.
    pub endpoint: Vec<String>,
    /// Features that metadata announces or the configuration claims.
    pub feature: Vec<String>,
    /// A client that may ask for at least so many scope tokens.
    pub scopes: Option<usize>,
    /// The format of access tokens: `jwt`.
    pub tokens: Option<String>,
    /// At least so many issuers.
    pub issuers: Option<usize>,
    /// At least so many users.
    pub users: Option<usize>,
    /// The plans in which it runs; empty means all.
    pub plan: Vec<String>,
    /// The kinds of clients that it is about: `web`, `native`, `script`; empty means all but scripts.
    pub kind: Vec<String>,
    /// Whether the client must not have talked to the mock before: metadata or keys are not what they were.
    pub fresh: bool,
}

/// Which client a scenario needs.
#[derive(Debug, Clone, Default)]
pub struct ClientNeed {
    /// `secret` (basic or post), `basic`, `post`, `none`.
    pub auth: Option<String>,
    /// Grants it must be registered for.
    pub grant: Vec<String>,
    /// A grant it must not be registered for.
    pub lacks_grant: Option<String>,
    /// `web` or `native`.
    pub kind: Option<String>,
    /// Another client of this scenario that it must not be.
    pub differs_from: Option<String>,
    /// Whether it must be allowed to introspect.
    pub may_introspect: bool,
    /// Whether its first registered redirect URI must have a query.
    pub redirect_query: bool,
    /// At least so many registered redirect URIs.
    pub redirect_uris: Option<usize>,
    /// At least so many scope tokens that it may ask for.
    pub scopes: Option<usize>,
    /// A scope token that it may ask for.
    pub scope: Option<String>,
}

/// The cases of a scenario.
#[derive(Debug, Clone)]
pub enum Cases {
    /// The steps run once, without a case.
    None,
    /// One run per case.
    Fixed(Vec<Case>),
    /// One run per element of a list that is known only at run time; the value is `{case.NAME}`.
    From {
        /// Where the list comes from.
        list: Template,
        /// The name of the value.
        name: String,
    },
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name: `id[name]`.
    pub name: String,
    /// What the target must offer for it, beyond the scenario's needs.
    pub needs: Needs,
    /// Its values: `{case.NAME}`.
    pub values: Vec<(String, Value)>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// What is done.
    pub action: Action,
    /// The name of what comes of it.
    pub name: Option<String>,
    /// How often, one after the other.
    pub times: u32,
    /// How many at once, released together.
    pub parallel: u32,
    /// What gives a verdict.
    pub expect: Vec<Check>,
    /// Whether its checks belong to other plans only: then its answer may be any.
    pub unjudged: bool,
    /// What must hold for the rest to make sense; otherwise the scenario is skipped.
    pub assume: Vec<Check>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// An authorization request in a browser session, through login and consent.
    Authorize(Box<Authorize>),
    /// A request that a client or resource server sends directly.
    Request(Box<RequestStep>),
    /// A user's visit to the verification page of a device (RFC 8628 section 3.3).
    Verify(Box<Verify>),
    /// A raw HTTP request.
    Http(Box<Http>),
    /// Makes the client under test do something.
    Drive(Box<Drive>),
    /// Lets time pass.
    Wait(Wait),
    /// Whether a token still works, seen by whichever witness exists: userinfo, resource, introspection.
    Alive(Alive),
    /// The scope that was really granted: from the response, else introspection, else the JWT, else as requested.
    GrantedScope {
        /// The step that got the token.
        from: String,
    },
    /// Whether steps were answered the same, after normalisation.
    Same(Same),
}

/// An authorization request.
#[derive(Debug, Clone)]
pub struct Authorize {
    /// The client, by its name in the scenario.
    pub client: String,
    /// What the user does.
    pub login: Login,
    /// The step that pushed it (RFC 9126); only `client_id` and `request_uri` are sent then.
    pub from: Option<String>,
    /// Whether it is pushed where the server takes no others.
    pub direct: Direct,
    /// The browser session; steps of one name share cookies.
    pub session: Option<String>,
    /// The user, by position in the configuration: 0 is the default.
    pub user: usize,
    /// `authorization_code` (default) or `implicit`: what the request is for, a code or a token.
    pub grant: String,
    /// `S256` (default), `plain` or `none`: which PKCE a right request has here.
    pub pkce: String,
    /// An earlier step whose last page is gone on with, in this session, instead of a new request.
    pub resume: Option<String>,
    /// The deviations.
    pub edits: Edits,
}

/// Whether an authorization request goes straight to the authorization endpoint (RFC 9126 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// It does, unless the server wants every request pushed: then it is pushed first.
    WhereAllowed,
    /// It does, even then.
    Always,
}

/// A visit to the verification page of a device.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The `device` step.
    pub device: String,
    /// What the user does.
    pub login: Login,
    /// The browser session; steps of one name share cookies.
    pub session: Option<String>,
    /// The user, by position in the configuration: 0 is the default.
    pub user: usize,
    /// By which of the two addresses.
    pub via: VerifyVia,
    /// How the user types the code.
    pub typed: Typed,
    /// Another user code than that of the device.
    pub code: Option<Value>,
}

/// The address by which a user comes to the verification page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerifyVia {
    /// `verification_uri`: the user types the code.
    Uri,
    /// `verification_uri_complete`: the code is in it.
    Complete,
}

/// How a user types a user code (RFC 8628 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Typed {
    /// As it is shown.
    AsShown,
    /// In lower case.
    Lower,
    /// Without hyphens and other punctuation.
    Bare,
}

/// What the user does at login and consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Logs in and approves.
    Approve,
    /// Logs in and refuses.
    Deny,
    /// Does nothing: the first page that wants something of the user ends the step.
    Stop,
}

/// A request of a fixed kind.
#[derive(Debug, Clone)]
pub struct RequestStep {
    /// Which.
    pub verb: Verb,
    /// The step whose result it continues: `login` for a code, `first` for a refresh token.
    pub from: Option<String>,
    /// The client that sends it, where it is not that of `from`.
    pub client: Option<String>,
    /// The grant type, where it does not follow from `from`.
    pub grant: Option<String>,
    /// The token it is about (revoke, introspect, userinfo, resource).
    pub token: Option<Template>,
    /// `S256`, `plain` or `none`: which PKCE a right pushed request has.
    pub pkce: String,
    /// The deviations.
    pub edits: Edits,
}

impl RequestStep {
    /// A right request of that kind which continues nothing and names nobody.
    #[must_use]
    pub fn new(verb: Verb) -> Self {
        let edits = Edits::default();
        Self { verb, from: None, client: None, grant: None, token: None, pkce: "S256".into(), edits }
    }
}

/// The requests of a fixed kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Token endpoint (RFC 6749 section 3.2).
    Token,
    /// Revocation endpoint (RFC 7009).
    Revoke,
    /// Introspection endpoint (RFC 7662).
    Introspect,
    /// Pushed authorization request endpoint (RFC 9126).
    Par,
    /// Registration endpoint (RFC 7591).
    Register,
    /// UserInfo endpoint (OpenID Connect Core section 5.3).
    Userinfo,
    /// A protected resource (RFC 6750).
    Resource,
    /// The metadata document (RFC 8414), or the OpenID one where only that exists.
    Metadata,
    /// The key set.
    Jwks,
    /// Device authorization endpoint (RFC 8628 section 3.1).
    Device,
}

/// Deviations from the right request.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    /// Parameters that get another value, or are added.
    pub set: Vec<(String, Value)>,
    /// Members of the JSON body that get another value, or are added (`register`).
    pub members: Vec<(String, Json)>,
    /// Parameters or members that are left out.
    pub unset: Vec<String>,
    /// Parameters that are added once more, even if they are there.
    pub add: Vec<(String, Value)>,
    /// Parameters that are added to the query of the URL (back channel).
    pub query: Vec<(String, Value)>,
    /// Another client authentication.
    pub auth: Option<Auth>,
    /// Another method.
    pub method: Option<String>,
    /// Another content type; empty: none.
    pub content_type: Option<Value>,
    /// Header fields that are set.
    pub headers: Vec<(String, Value)>,
    /// Header fields that are added once more, even if they are there.
    pub add_headers: Vec<(String, Value)>,
    /// Another body, byte for byte.
    pub body: Option<Value>,
    /// Whether the body goes out in chunks (RFC 9112 section 7.1; back channel).
    pub chunked: bool,
    /// The step that is the control, where it cannot be derived.
    pub control: Option<String>,
}

impl Edits {
    /// Whether nothing deviates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let lists = self.set.is_empty() && self.unset.is_empty() && self.add.is_empty() && self.query.is_empty();
        let request = self.auth.is_none() && self.method.is_none() && self.content_type.is_none();
        let message = self.headers.is_empty() && self.add_headers.is_empty() && self.body.is_none() && !self.chunked;
        lists && request && self.members.is_empty() && message
    }
}

/// A client authentication that replaces the right one.
#[derive(Debug, Clone)]
pub enum Auth {
    /// HTTP Basic with the client's own credentials.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
    /// Both at once.
    Both,
    /// Neither; `client_id` in the body.
    None,
    /// HTTP Basic with these credentials.
    Credentials {
        /// The client identifier.
        id: Value,
        /// The secret.
        secret: Value,
        /// Whether they are form-encoded first.
        encode: AuthEncoding,
    },
    /// This Authorization header, as it is.
    Header(Value),
}

/// How id and secret go into HTTP Basic (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthEncoding {
    /// Form-encoded first, as the RFC wants it.
    Form,
    /// As they are.
    Raw,
}

/// A value in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text that the runner encodes as its place demands.
    Text(Template),
    /// Text that goes out as it is, encoded already or wrongly.
    Raw(Template),
    /// Bytes.
    Hex(Vec<u8>),
    /// Text that goes out as it is, so many times over.
    Repeat {
        /// The text, encoded already.
        text: String,
        /// How often.
        times: u32,
    },
}

/// A raw HTTP request.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where to.
    pub url: Template,
    /// `GET` where nothing is said.
    pub method: String,
    /// Header fields.
    pub headers: Vec<(String, Value)>,
    /// Header fields that are added once more.
    pub add_headers: Vec<(String, Value)>,
    /// The body.
    pub body: Option<Value>,
    /// The browser session whose cookies it carries and fills.
    pub session: Option<String>,
    /// The step that is the control of a refusal.
    pub control: Option<String>,
}

/// How much time passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// As long as something lives, and a little more.
    Lifetime {
        /// `code`, `access_token`, `refresh_token`, `refresh_grace`, `request_uri`, `device_code`.
        of: String,
        /// How much more.
        plus: Duration,
    },
    /// So long.
    For(Duration),
    /// As long as a device waits between two polls, and a little more.
    Interval {
        /// The `device` step.
        of: String,
        /// How much more.
        plus: Duration,
    },
}

/// Whether a token works.
#[derive(Debug, Clone)]
pub struct Alive {
    /// The token.
    pub token: Template,
}

/// A comparison of steps.
#[derive(Debug, Clone)]
pub struct Same {
    /// The steps.
    pub of: Vec<String>,
    /// What is compared: `status`, `headers`, `json`.
    pub parts: Vec<String>,
}

/// What is expected of a step.
#[derive(Debug, Clone)]
pub struct Check {
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// Its name: `id#name`.
    pub name: String,
    /// The requirement that it verifies; none: robustness, which warns at most.
    pub requirement: Option<String>,
    /// Further requirements that it verifies: the same rule in other clauses.
    pub also: Vec<String>,
    /// The plans that judge it; empty means all that hold one of its requirements.
    pub plan: Vec<String>,
    /// Its harm, where it differs from the scenario's.
    pub severity: Option<Severity>,
    /// A lower level than the requirement's.
    pub level: Option<Level>,
    /// Why the level is lower.
    pub because: Option<String>,
    /// The preferred answer.
    pub want: Want,
    /// Answers that are accepted beside it.
    pub tolerate: Vec<Tolerance>,
}

/// An answer that is accepted beside the preferred one.
#[derive(Debug, Clone)]
pub struct Tolerance {
    /// The answer.
    pub want: Want,
    /// Whether it gives a `warn` (else a pass with the note).
    pub warns: bool,
    /// Why it is accepted.
    pub note: String,
}

/// What an answer has to be. Everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Want {
    /// The class of the answer: `refused`, `granted`…
    pub outcome: Option<Matcher>,
    /// The status.
    pub status: Option<Matcher>,
    /// The error code: of the JSON body, or of the authorization response.
    pub error: Option<Matcher>,
    /// Header fields, several of one name joined.
    pub headers: Vec<(String, Matcher)>,
    /// Parameters of the Bearer challenge; one that stands more than once is a list.
    pub challenge: Vec<(String, Matcher)>,
    /// The media type, in lower case, without parameters.
    pub content_type: Option<Matcher>,
    /// Members of the JSON body.
    pub json: Vec<(String, Matcher)>,
    /// Parameters of the authorization response, or members of the JSON body.
    pub got: Vec<(String, Matcher)>,
    /// The body as text.
    pub body: Option<Matcher>,
    /// How the authorization response was delivered: `query`, `fragment`, `form_post`.
    pub via: Option<Matcher>,
    /// Whether a token works (`alive` steps).
    pub alive: Option<bool>,
    /// The scope that was granted (`granted_scope` steps).
    pub scope: Option<Matcher>,
    /// Whether the answers are the same (`same` steps).
    pub same: Option<bool>,
    /// Over the results of `times`, `parallel` and `rounds`.
    pub among: Option<Among>,
    /// This value is different in every result.
    pub distinct: Option<Template>,
    /// This value cannot be guessed: estimated over all results.
    pub guessable: Option<Guessable>,
    /// A JSON Web Token.
    pub jwt: Option<JwtWant>,
    /// What the client under test has to have done.
    pub client: ClientWant,
    /// Nothing was delivered to this URI, nor to its origin where no registered URI has it.
    pub not_sent_to: Option<Template>,
    /// The cookies set on the way, as their `Set-Cookie` fields (`authorize` steps).
    pub cookies: Option<Matcher>,
    /// The URLs of other hosts from which a page on the way loads something (`authorize` steps).
    pub third_parties: Option<Matcher>,
    /// The URLs to which a redirect made the browser post the user's password again (`authorize` steps).
    pub password_sent_on: Option<Matcher>,
    /// The elements of a list in the JSON body.
    pub elements: Option<Elements>,
}

/// What the elements of a list in the JSON body have to be. What is no such list is not judged.
#[derive(Debug, Clone)]
pub struct Elements {
    /// The member that is the list.
    pub of: String,
    /// Only elements with such members are looked at.
    pub filter: Vec<(String, Matcher)>,
    /// The members that each of them has to have.
    pub have: Vec<(String, Matcher)>,
    /// A member whose value is different in each, where it is there.
    pub distinct: Option<String>,
    /// How many there must be.
    pub count: Option<Matcher>,
}

/// A value that must not be guessable.
#[derive(Debug, Clone)]
pub struct Guessable {
    /// The value.
    pub value: Template,
    /// The bits that it must have; `None`: what a secret needs that nobody types.
    pub bits: Option<u32>,
}

/// How many of several results are such.
#[derive(Debug, Clone)]
pub struct Among {
    /// Which results are counted.
    pub filter: Box<Want>,
    /// How many there must be.
    pub count: Matcher,
}

/// What a JSON Web Token has to be.
#[derive(Debug, Clone)]
pub struct JwtWant {
    /// The token.
    pub token: Template,
    /// Whether its signature is verified with the target's key set.
    pub verify: bool,
    /// Members of its header.
    pub header: Vec<(String, Matcher)>,
    /// Its claims.
    pub claims: Vec<(String, Matcher)>,
    /// The token of which `at_hash`, where it is there, has to be the hash (OpenID Connect Core section 3.1.3.6).
    pub at_hash: Option<Template>,
}
