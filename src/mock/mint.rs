//! Tokens on demand: any token or code for a client and a user, without a flow, right or broken in a named way.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::call::{Call, Endpoint, Identity};
use super::decision::{AccessForm, IdToken};
use super::defect::{self, Defect, Fate};
use super::issue::{self, Authority};
use super::jwt;
use super::state::{Challenge, Code, OpenidAsked, State, TokenKind, Used};
use super::surface::Stamp;
use super::{MockClient, Realm};
use crate::oauth::{Compact, Request, Scope};
use crate::policy::{Policy, Rewrite, Tokens};
use crate::problem::nearest;

/// What is made on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintKind {
    /// An access token, opaque or a JWT, as the policy has them.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An ID token.
    IdToken,
    /// An authorization code.
    Code,
}

/// A token that is to be made.
///
/// ```
/// use oauthspec::mock::{Mint, MintKind, MockServer};
///
/// let server = MockServer::builder().start_blocking()?;
/// let right = server.realm().mint(&Mint::new(MintKind::IdToken, "web").user("alice").claim("email", "a@example.com"))?;
/// let stale = server.realm().mint(&Mint::new(MintKind::AccessToken, "web").user("alice").broken("expired"))?;
/// assert!(right.expires > stale.expires);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mint {
    kind: MintKind,
    client: String,
    user: Option<String>,
    scope: Option<String>,
    lifetime: Option<Duration>,
    alg: Option<String>,
    jwt: bool,
    nonce: Option<String>,
    redirect_uri: Option<String>,
    challenge: Option<(String, String)>,
    claims: Map<String, Value>,
    header: Map<String, Value>,
    broken: Vec<String>,
}

/// Claims that say whether a token is good, and for what (RFC 7519 section 4.1, RFC 9068 section 2.2).
const JUDGED_CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "client_id", "scope"];
/// Members of the header that say how a token is verified (RFC 7515 section 4.1).
const JUDGED_HEADER: [&str; 11] = ["alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"];

/// A token that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Minted {
    /// As it goes over the wire.
    pub value: String,
    /// Header and claims, where it is a JWT.
    pub jwt: Option<Compact>,
    /// When the mock takes it for expired, on the realm's clock.
    pub expires: SystemTime,
    /// Whether the mock knows it: whether its own endpoints treat it as one that was issued.
    pub known: bool,
}

/// Why a token cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// No client of that identifier is registered.
    #[error("there is no client `{id}`{}", did_you_mean(.near.as_ref()))]
    Client {
        /// The identifier.
        id: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// There is no such user, or none at all.
    #[error("there is no user `{name}`{}", did_you_mean(.near.as_ref()))]
    User {
        /// The name.
        name: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// A scope that breaks the grammar of RFC 6749 section 3.3.
    #[error("`{0}` is no scope: write tokens separated by single blanks")]
    Scope(String),
    /// No way of being broken has that name.
    #[error("tokens are not broken in the way `{name}`{}", did_you_mean(.near.as_ref()))]
    Broken {
        /// The name.
        name: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// A token of this kind cannot be broken so.
    #[error("`{name}` cannot befall {what}; what can: {fitting}")]
    Unfit {
        /// The name of the way.
        name: String,
        /// What was to be made.
        what: &'static str,
        /// The names of the ways that fit.
        fitting: String,
    },
    /// Claims, header or algorithm for what is no JWT.
    #[error("{what} has no {member}: only JSON Web Tokens have")]
    NoJwt {
        /// What was to be made.
        what: &'static str,
        /// What it was to have.
        member: &'static str,
    },
    /// An algorithm that the mock does not sign with.
    #[error("`{0}` is no algorithm of the mock: ES256 or RS256")]
    Alg(String),
}

impl Mint {
    /// A right token for a client.
    #[must_use]
    pub fn new(kind: MintKind, client: impl Into<String>) -> Self {
        Self {
            kind,
            client: client.into(),
            user: None,
            scope: None,
            lifetime: None,
            alg: None,
            jwt: false,
            nonce: None,
            redirect_uri: None,
            challenge: None,
            claims: Map::new(),
            header: Map::new(),
            broken: Vec::new(),
        }
    }

    /// In whose name; without it, access and refresh tokens are the client's own, and the rest is the first user's.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Scope tokens, separated by blanks; without it all that the client may ask for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// How long it is valid; without it as long as the policy says.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// `ES256` or `RS256`, where it is a JWT.
    #[must_use]
    pub fn alg(mut self, alg: impl Into<String>) -> Self {
        self.alg = Some(alg.into());
        self
    }

    /// An access token that is a JWT, whatever the policy says.
    #[must_use]
    pub fn jwt(mut self) -> Self {
        self.jwt = true;
        self
    }

    /// The nonce of an ID token.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The redirect URI that a code is bound to; without it the client's first one.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The challenge that a code is bound to, and its method (RFC 7636 section 4.3).
    #[must_use]
    pub fn challenge(mut self, challenge: impl Into<String>, method: impl Into<String>) -> Self {
        self.challenge = Some((challenge.into(), method.into()));
        self
    }

    /// With a claim; `null` takes one away. The mock still knows the token, unless it is a claim by which tokens are judged: `iss`, `sub`,
    /// `aud`, `exp`, `nbf`, `iat`, `client_id`, `scope`.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// With a member of the header; `null` takes one away. The mock knows the token no more, if it is one that RFC 7515 defines.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Broken in a named way; more than once for several.
    #[must_use]
    pub fn broken(mut self, name: impl Into<String>) -> Self {
        self.broken.push(name.into());
        self
    }

    /// Whether it sets what tokens are judged by, so that it is none that was issued.
    fn alters(&self) -> bool {
        let judged = |name: &String| JUDGED_CLAIMS.contains(&name.as_str());
        let verified = |name: &String| JUDGED_HEADER.contains(&name.as_str());
        self.claims.keys().any(judged) || self.header.keys().any(verified)
    }

    /// The names of the ways in which tokens can be broken, each with what is wrong then.
    pub fn ways() -> impl Iterator<Item = (&'static str, &'static str)> {
        defect::all().iter().map(|(name, defect)| (name.as_str(), defect.title.as_str()))
    }
}

impl MintKind {
    fn what(self) -> &'static str {
        match self {
            Self::AccessToken => "an access token",
            Self::RefreshToken => "a refresh token",
            Self::IdToken => "an ID token",
            Self::Code => "an authorization code",
        }
    }

    /// Whether a token of this kind can be broken so; `jwt`: whether this one is a JWT.
    fn can_be(self, defect: &Defect, jwt: bool) -> bool {
        let fate = match (defect.fate, self) {
            (None | Some(Fate::Unknown), _) => true,
            (Some(Fate::Revoked), _) => matches!(self, Self::AccessToken | Self::RefreshToken),
            (Some(Fate::Used), _) => matches!(self, Self::Code | Self::RefreshToken),
        };
        let named = match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
            Self::Code => "code",
        };
        fate && (jwt || !defect.is_of_jwt()) && defect.only.as_deref().is_none_or(|only| only == named)
    }
}

impl Realm {
    /// Makes a token or code without a flow. It is not in the journal.
    ///
    /// # Errors
    /// [`MintError`], where there is no such client, user or way of being broken, or where they do not go together.
    pub fn mint(&self, mint: &Mint) -> Result<Minted, MintError> {
        let policy = wanted_policy(&Arc::clone(self.policies().base()), mint);
        self.with_state(|realm, state, now| Plan::new(realm, state, now, &policy, mint)?.carry_out(state))
    }
}

/// The policy in force, with what is asked for in place of what it says.
fn wanted_policy(base: &Policy, mint: &Mint) -> Policy {
    let mut policy = base.clone();
    if let Some(lifetime) = mint.lifetime.map(|lifetime| lifetime.as_secs()) {
        policy.access_token.lifetime = lifetime;
        policy.refresh.lifetime = lifetime;
        policy.id_token.lifetime = lifetime;
        policy.code.lifetime = lifetime;
    }
    if let Some(alg) = &mint.alg {
        policy.access_token.alg.clone_from(alg);
        policy.id_token.alg.clone_from(alg);
    }
    if mint.jwt {
        policy.access_token.format = "jwt".into();
    }
    policy.id_token.issue = true;
    policy
}

/// A token that can be made.
struct Plan<'a> {
    realm: &'a Identity,
    now: Duration,
    policy: &'a Policy,
    mint: &'a Mint,
    client: Arc<MockClient>,
    user: Option<String>,
    scope: Scope,
    defects: Vec<&'static Defect>,
}

impl<'a> Plan<'a> {
    fn new(realm: &'a Identity, state: &State, now: Duration, policy: &'a Policy, mint: &'a Mint) -> Result<Self, MintError> {
        let client = state.client(&mint.client).ok_or_else(|| {
            let clients = state.clients();
            let near = nearest(&mint.client, clients.iter().map(|client| client.client_id.as_str())).map(str::to_owned);
            MintError::Client { id: mint.client.clone(), near }
        })?;
        let user = user(realm, mint)?;
        let scope = match &mint.scope {
            Some(text) => Scope::parse(text).map_err(|_| MintError::Scope(text.clone()))?,
            None => Scope::parse_lossy(&client.scopes.join(" ")),
        };
        let plan = Self { realm, now, policy, mint, client, user, scope, defects: Vec::new() };
        let defects = mint.broken.iter().map(|name| plan.defect(name)).collect::<Result<_, _>>()?;
        plan.check_jwt()?;
        Ok(Self { defects, ..plan })
    }

    fn carry_out(self, state: &mut State) -> Result<Minted, MintError> {
        let request = Request::get(self.realm.issuer.as_str());
        let call =
            Call { request: &request, endpoint: &Endpoint::Token, realm: self.realm, now: self.now, stamp: &Stamp::default() };
        let by = Authority {
            grant: state.new_grant(),
            client: self.client.client_id.clone(),
            user: self.user.clone(),
            auth_time: self.user.as_ref().map(|_| self.logged_in()),
            resource: None,
        };
        match self.mint.kind {
            MintKind::AccessToken => {
                let access = issue::access(&call, self.policy, state, &by, &self.scope);
                match &access.form {
                    AccessForm::Opaque(value) => Ok(self.kept(state, access.id, value)),
                    AccessForm::Jwt { alg, claims } => {
                        self.check_effect(claims)?;
                        let token = self.signed(claims, *alg, &self.policy.access_token.typ, Tokens::Access);
                        if self.is_known() {
                            state.bind(access.id, &token);
                        }
                        Ok(self.kept(state, access.id, &token))
                    }
                }
            }
            MintKind::RefreshToken => {
                let value = issue::refresh(self.policy, state, &by, &self.scope, self.now);
                let id = state.token(&value).map_or(0, |token| token.id);
                Ok(self.kept(state, id, &value))
            }
            MintKind::IdToken => {
                let asked = OpenidAsked { nonce: self.mint.nonce.clone(), max_age: false };
                let scope = Scope::parse_lossy(&format!("openid {}", self.scope));
                let token = issue::id_token(&call, self.policy, state, &by, &scope, Some(&asked));
                let IdToken { alg, claims } = token.expect("`openid` is asked for and there is a user");
                self.check_effect(&claims)?;
                let value = self.signed(&claims, alg, &self.policy.id_token.typ, Tokens::Id);
                Ok(self.minted(value, self.expiry(self.policy.id_token.lifetime)))
            }
            MintKind::Code => Ok(self.code(state, by.grant)),
        }
    }

    fn code(&self, state: &mut State, grant: u64) -> Minted {
        let value = issue::code(self.policy, state, self.now);
        let expires = self.expiry(self.policy.code.lifetime);
        let first = || self.client.redirect_uris.first().cloned().unwrap_or_default();
        let challenge = self.mint.challenge.clone().map(|(value, method)| Challenge { value, method });
        let code = Code {
            grant,
            client: self.client.client_id.clone(),
            user: self.user.clone().unwrap_or_default(),
            auth_time: self.logged_in(),
            redirect_uri: self.mint.redirect_uri.clone().unwrap_or_else(first),
            redirect_uri_sent: true,
            scope: self.scope.clone(),
            asked_scope: Some(self.scope.to_string()),
            resource: None,
            challenge,
            openid: OpenidAsked { nonce: self.mint.nonce.clone(), max_age: false },
            expires,
            used: self.has(Fate::Used).then(|| self.use_now()),
        };
        if self.is_known() {
            state.codes.insert(value.clone(), code);
        }
        self.minted(value, expires)
    }

    /// What is kept of an access or refresh token, as the ways in which it is broken have it.
    fn kept(&self, state: &mut State, id: u64, value: &str) -> Minted {
        let lifetime = match self.mint.kind {
            MintKind::RefreshToken => self.policy.refresh.lifetime,
            _ => self.policy.access_token.lifetime,
        };
        let expires = self.expiry(lifetime);
        if !self.is_known() {
            state.disown(value);
        }
        if let Some(token) = state.token_by_id_mut(id) {
            token.expires = expires;
            token.revoked = self.has(Fate::Revoked);
            token.used = (self.has(Fate::Used) && token.kind == TokenKind::Refresh).then(|| self.use_now());
        }
        self.minted(value.to_owned(), expires)
    }

    fn minted(&self, value: String, expires: Duration) -> Minted {
        Minted { jwt: Compact::parse(&value), value, expires: UNIX_EPOCH + expires, known: self.is_known() }
    }

    fn signed(&self, claims: &Map<String, Value>, alg: super::keys::Alg, typ: &str, kind: Tokens) -> String {
        let mut claims = claims.clone();
        jwt::merge(&mut claims, &self.mint.claims);
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        let mut rewrites: Vec<Arc<Rewrite>> = self.defects.iter().map(|defect| Arc::new(defect.rewrite(now))).collect();
        if !self.mint.header.is_empty() {
            let jws = Map::from_iter([("header".to_owned(), Value::Object(self.mint.header.clone()))]);
            rewrites.insert(0, Arc::new(Rewrite { jws, ..Rewrite::default() }));
        }
        jwt::sign(
            &claims,
            alg,
            typ,
            &self.realm.keys.current(),
            self.policy,
            jwt::Making { rewrites: &rewrites, kind, memo: None },
        )
    }

    /// When the mock takes it for expired.
    fn expiry(&self, lifetime: u64) -> Duration {
        self.time_of("exp").unwrap_or_else(|| self.now.saturating_add(Duration::from_secs(lifetime)))
    }

    /// When the user logged in: never after the token was issued.
    fn logged_in(&self) -> Duration {
        self.time_of("iat").map_or(self.now, |issued| issued.min(self.now))
    }

    /// The time that the ways in which it is broken give to a claim.
    fn time_of(&self, claim: &str) -> Option<Duration> {
        let offset = *self.defects.iter().find_map(|defect| defect.times.get(claim))?;
        let by = Duration::from_secs(offset.unsigned_abs());
        Some(if offset < 0 { self.now.saturating_sub(by) } else { self.now.saturating_add(by) })
    }

    fn defect(&self, name: &str) -> Result<&'static Defect, MintError> {
        let all = defect::all();
        let Some(found) = all.get(name) else {
            let near = nearest(name, all.keys().map(String::as_str)).map(str::to_owned);
            return Err(MintError::Broken { name: name.to_owned(), near });
        };
        let fits = |defect: &Defect| self.mint.kind.can_be(defect, self.is_jwt());
        if fits(found) {
            return Ok(found);
        }
        let fitting: Vec<&str> = all.iter().filter(|(_, defect)| fits(defect)).map(|(name, _)| name.as_str()).collect();
        Err(MintError::Unfit { name: name.to_owned(), what: self.mint.kind.what(), fitting: fitting.join(", ") })
    }

    /// A token that is not broken though it was asked to be would be taken for one that is.
    fn check_effect(&self, claims: &Map<String, Value>) -> Result<(), MintError> {
        let all = defect::all().iter();
        let idle = |defect: &Defect| self.defects.iter().any(|asked| std::ptr::eq(*asked, defect)) && !defect.changes(claims);
        match all.clone().find(|(_, defect)| idle(defect)) {
            Some((name, _)) => {
                let fits = |defect: &Defect| self.mint.kind.can_be(defect, true) && defect.changes(claims);
                let fitting: Vec<&str> = all.filter(|(_, defect)| fits(defect)).map(|(name, _)| name.as_str()).collect();
                Err(MintError::Unfit { name: name.clone(), what: self.mint.kind.what(), fitting: fitting.join(", ") })
            }
            None => Ok(()),
        }
    }

    fn check_jwt(&self) -> Result<(), MintError> {
        let mint = self.mint;
        if let Some(alg) = mint.alg.as_ref().filter(|alg| super::keys::Alg::named(alg).is_none()) {
            return Err(MintError::Alg(alg.clone()));
        }
        let members = [("claims", !mint.claims.is_empty()), ("header", !mint.header.is_empty()), ("alg", mint.alg.is_some())];
        match members.into_iter().find(|(_, asked)| *asked && !self.is_jwt()) {
            Some((member, _)) => Err(MintError::NoJwt { what: mint.kind.what(), member }),
            None => Ok(()),
        }
    }

    fn is_jwt(&self) -> bool {
        match self.mint.kind {
            MintKind::AccessToken => self.policy.access_token.format != "opaque",
            MintKind::IdToken => true,
            MintKind::RefreshToken | MintKind::Code => false,
        }
    }

    /// Whether the mock takes it for one that was issued, be it dead or alive.
    fn is_known(&self) -> bool {
        !self.mint.alters() && !self.defects.iter().any(|defect| defect.is_of_jwt()) && !self.has(Fate::Unknown)
    }

    fn has(&self, fate: Fate) -> bool {
        self.defects.iter().any(|defect| defect.fate == Some(fate))
    }

    fn use_now(&self) -> Used {
        Used { at: self.now, client: self.client.client_id.clone() }
    }
}

/// The user who was named, or the first one where there has to be one.
fn user(realm: &Identity, mint: &Mint) -> Result<Option<String>, MintError> {
    match &mint.user {
        Some(name) if realm.user(name).is_none() => {
            let users = realm.users();
            let near = nearest(name, users.iter().map(|user| user.username.as_str())).map(str::to_owned);
            Err(MintError::User { name: name.clone(), near })
        }
        Some(name) => Ok(Some(name.clone())),
        None if matches!(mint.kind, MintKind::AccessToken | MintKind::RefreshToken) => Ok(None),
        None => match realm.first_user() {
            Some(user) => Ok(Some(user.username.clone())),
            None => Err(MintError::User { name: String::new(), near: None }),
        },
    }
}

fn did_you_mean(near: Option<&String>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}
