//! A request as the endpoints see it: which endpoint it is for, its cookies, and its parameters decoded.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::MockUser;
use super::keys::Keychain;
use super::realm::host_of;
use super::surface::Stamp;
use crate::oauth::{Params, Request};
use crate::policy::{IssuerPolicy, PathsPolicy, Repeated};

/// The users of a realm, in order; shared with whoever reads them.
type Users = Arc<Vec<Arc<MockUser>>>;

/// What hardly ever changes about a realm.
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) issuer: String,
    /// Where the endpoints are, without a slash at its end: the issuer, unless the policy puts that elsewhere.
    pub(super) base: String,
    /// The path of that: what cookies and forms are bound to.
    pub(super) path: String,
    /// The host of the issuer, where the endpoints have another one.
    pub(super) issuer_host: Option<String>,
    /// What follows the realm in the path of the issuer, without a slash in front; empty: nothing.
    pub(super) issuer_path: String,
    /// Whether the issuer is reached by https, so that cookies are too.
    pub(super) secure: bool,
    users: RwLock<Users>,
    pub(super) keys: Keychain,
    /// Whether the login page lets a person pick a user, deny, or choose an error.
    pub(super) login_help: bool,
}

impl Identity {
    /// A realm below a base URL, with its issuer where the policy puts it.
    pub(super) fn new(
        base_url: &str,
        name: String,
        issuer: &IssuerPolicy,
        users: Vec<MockUser>,
        keys: Keychain,
        login_help: bool,
    ) -> Self {
        let base = format!("{base_url}/{name}");
        let path = Request::get(base.as_str()).path().to_owned();
        let own = host_of(base_url);
        let issuer_host = Some(&issuer.host).filter(|host| !host.is_empty() && !host.eq_ignore_ascii_case(own)).cloned();
        let mut identifier = match &issuer_host {
            Some(host) => base.replacen(own, host, 1),
            None => base.clone(),
        };
        let issuer_path = issuer.path.trim_matches('/');
        if !issuer_path.is_empty() {
            identifier = format!("{identifier}/{issuer_path}");
        }
        let secure = base.starts_with("https://");
        Self {
            name,
            issuer: identifier,
            base,
            path,
            issuer_host,
            issuer_path: issuer_path.to_owned(),
            secure,
            users: RwLock::new(Arc::new(users.into_iter().map(Arc::new).collect())),
            keys,
            login_help,
        }
    }

    /// Its users, as they are now.
    pub(super) fn users(&self) -> Users {
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn user(&self, username: &str) -> Option<Arc<MockUser>> {
        self.users().iter().find(|user| user.username == username).cloned()
    }

    /// The user who comes first.
    pub(super) fn first_user(&self) -> Option<Arc<MockUser>> {
        self.users().first().cloned()
    }

    /// Changes the list of users.
    pub(super) fn change_users<T>(&self, change: impl FnOnce(&mut Vec<Arc<MockUser>>) -> T) -> T {
        change(Arc::make_mut(&mut self.users.write().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The `sub` of a user, or of a client that acts for itself (RFC 9068 section 2.2).
    pub(super) fn subject(&self, user: Option<&str>, client: &str) -> String {
        let name = user.unwrap_or(client);
        let known = user.and_then(|name| self.user(name));
        known.map_or_else(|| name.to_owned(), |user| user.subject().to_owned())
    }
}

/// The endpoints of a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Authorize,
    Login,
    Consent,
    Token,
    Revoke,
    Introspect,
    Par,
    Userinfo,
    Resource,
    Jwks,
    OauthMetadata,
    OpenidMetadata,
    Register,
    DeviceAuthorization,
    /// Where sessions end.
    EndSession,
    /// Where errors are shown that are not redirected to a client.
    ErrorPage,
    /// Where a user code is entered (RFC 8628 section 3.3).
    Verification,
    /// A registered client, by its identifier (RFC 7592).
    Registration(String),
    /// None of them.
    Unknown,
}

impl Endpoint {
    /// The endpoint at a path below the realm (without a slash in front), but for the documents about the issuer.
    pub(super) fn at(path: &str, paths: &PathsPolicy) -> Self {
        let places = [
            (&paths.token, Self::Token),
            (&paths.authorize, Self::Authorize),
            (&paths.login, Self::Login),
            (&paths.consent, Self::Consent),
            (&paths.revoke, Self::Revoke),
            (&paths.introspect, Self::Introspect),
            (&paths.par, Self::Par),
            (&paths.userinfo, Self::Userinfo),
            (&paths.resource, Self::Resource),
            (&paths.register, Self::Register),
            (&paths.device_authorization, Self::DeviceAuthorization),
            (&paths.device, Self::Verification),
            (&paths.end_session, Self::EndSession),
        ];
        let same = |place: &str| place == path || (!paths.case_sensitive && place.eq_ignore_ascii_case(path));
        if let Some((_, endpoint)) = places.into_iter().find(|(place, _)| same(place)) {
            return endpoint;
        }
        if paths.error.iter().any(|place| same(place)) {
            return Self::ErrorPage;
        }
        let below =
            |place: &str| path.strip_prefix(place).and_then(|rest| rest.strip_prefix('/')).filter(|rest| !rest.is_empty());
        match (below(&paths.register), below(&paths.resource)) {
            (Some(id), _) => Self::Registration(id.to_owned()),
            (None, Some(_)) => Self::Resource,
            (None, None) => Self::Unknown,
        }
    }

    /// The document at a path below the issuer.
    pub(super) fn document(path: &str, paths: &PathsPolicy) -> Option<Self> {
        match path {
            ".well-known/openid-configuration" => Some(Self::OpenidMetadata),
            _ if path == paths.jwks => Some(Self::Jwks),
            _ => None,
        }
    }

    /// The name that patches and the journal use.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::Par => "par",
            Self::Userinfo => "userinfo",
            Self::Resource => "resource",
            Self::Jwks => "jwks",
            Self::OauthMetadata | Self::OpenidMetadata => "metadata",
            Self::Register | Self::Registration(_) => "register",
            Self::DeviceAuthorization => "device_authorization",
            Self::EndSession => "end_session",
            Self::ErrorPage => "error",
            Self::Verification => "verification",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is reached through the user agent.
    pub(super) fn is_front(&self) -> bool {
        matches!(self, Self::Authorize | Self::Login | Self::Consent | Self::Verification | Self::EndSession | Self::ErrorPage)
    }
}

/// A request on its way through a realm.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) endpoint: &'a Endpoint,
    pub(super) realm: &'a Identity,
    /// On the realm's clock, since 1970.
    pub(super) now: Duration,
    /// What is made up for the answer before it is decided.
    pub(super) stamp: &'a Stamp,
}

impl Call<'_> {
    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        let fields: Vec<_> = self.request.headers.all("cookie").map(String::from_utf8_lossy).collect();
        let mut pairs = fields.iter().flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The media type of the body in lower case, without parameters; empty where none is named.
    pub(super) fn media_type(&self) -> String {
        media_type(self.request)
    }

    /// The URL of an endpoint of this realm, by its path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.realm.base)
    }

    /// The URL of a document about the issuer, by its path.
    pub(super) fn issuer_url(&self, path: &str) -> String {
        format!("{}/{path}", self.realm.issuer)
    }
}

/// The media type of a request's body in lower case, without parameters; empty where none is named.
pub(super) fn media_type(request: &Request) -> String {
    let value = request.headers.get("content-type").unwrap_or_default();
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Decoded parameters in which every name and value is text.
///
/// Which of several values counts, and whether an empty one does, is the policy's choice.
#[derive(Clone)]
pub(super) struct Fields {
    params: Params,
    pick: Pick,
    empty_is_absent: bool,
}

/// Which of several values of one name counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    First,
    Last,
}

/// A name or value that is no UTF-8 (RFC 6749 Appendix B asks for it).
pub(super) struct NotText;

impl Fields {
    pub(super) fn new(params: Params, repeated: Repeated, empty_is_absent: bool) -> Result<Self, NotText> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        if !params.iter().all(|(name, value)| text(name) && text(value)) {
            return Err(NotText);
        }
        let pick = if repeated == Repeated::Last { Pick::Last } else { Pick::First };
        Ok(Self { params, pick, empty_is_absent })
    }

    /// The value that counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.picked(name, self.pick)
    }

    /// The value that counts when the first, or the last, one does.
    pub(super) fn picked(&self, name: &str, pick: Pick) -> Option<&str> {
        let named = self.params.iter().filter(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value);
        let mut values = named.filter(|value| !(self.empty_is_absent && value.is_empty()));
        let value = match pick {
            Pick::First => values.next(),
            Pick::Last => values.last(),
        };
        value.and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// Whether the parameter is there, empty or not.
    pub(super) fn sent(&self, name: &str) -> bool {
        self.params.has(name)
    }

    /// The same without these names.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        let mut rest = self.clone();
        names.iter().for_each(|name| rest.params.remove(name));
        rest
    }

    /// The same with one value under that name.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.params.set(name, value);
        self
    }

    /// The names of all parameters, as often as they stand.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().filter_map(|(name, _)| std::str::from_utf8(name).ok())
    }

    /// Whether one of these names stands more than once.
    pub(super) fn repeats(&self, names: &[&str]) -> bool {
        self.params.repeated().iter().any(|name| names.contains(&name.as_str()))
    }

    /// Whether any parameter stands more than once, but those that may (RFC 8707 section 2, RFC 8693 section 2.1).
    pub(super) fn repeats_any(&self) -> bool {
        self.params.repeated().iter().any(|name| !matches!(name.as_str(), "resource" | "audience"))
    }

    /// Whether a name is none of these.
    pub(super) fn has_others(&self, known: &[&str]) -> bool {
        let known: HashSet<_> = known.iter().map(|name| name.as_bytes()).collect();
        self.params.iter().any(|(name, _)| !known.contains(name))
    }
}
