//! The tree of settings. Scalars, lists and structs only, so that patches can be merged key by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AuthorizeErrors, BearerErrors, RegistrationErrors, TokenErrors};

/// Declares an enumeration whose values are written in kebab case.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $crate::policy::Documented for $name {}
    };
}

/// Declares a struct of settings with its defaults.
macro_rules! settings {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $field:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[doc = $doc])* pub $field: $kind,)* }

        impl $crate::policy::Documented for $name {
            fn document(path: &str, out: &mut Vec<(String, &'static str)>) {
                $(
                    let below = $crate::policy::below(path, stringify!($field));
                    out.push((below.clone(), concat!($($doc),*)));
                    <$kind as $crate::policy::Documented>::document(&below, out);
                )*
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

/// What settings are for, as their own comments say.
pub(crate) trait Documented {
    /// Adds the settings below a path, each with what it is for. Below a value there are none.
    fn document(_path: &str, _out: &mut Vec<(String, &'static str)>) {}
}

impl Documented for bool {}
impl Documented for u8 {}
impl Documented for u16 {}
impl Documented for i64 {}
impl Documented for u64 {}
impl Documented for usize {}
impl Documented for String {}
impl<T> Documented for Vec<T> {}
impl<K, V> Documented for BTreeMap<K, V> {}

/// The longest name of a realm, in bytes.
const LONGEST_NAME: usize = 128;

/// Whether a realm can have that name: it is a segment of a path.
pub(crate) fn is_realm_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    name.len() <= LONGEST_NAME && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()) && name.bytes().all(legal)
}

/// The path of a setting below another one.
pub(crate) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(feature = "cli")]
pub(crate) use choices;
#[cfg(feature = "cli")]
pub(crate) use settings as settings_tree;

// After the macros, so that these see them.
mod endpoints;
mod front;
mod grants;
mod surface;
mod token_endpoint;
mod tokens;

pub use endpoints::*;
pub use front::*;
pub use grants::*;
pub use surface::*;
pub use token_endpoint::*;
pub use tokens::*;

settings! {
    /// Everything the mock decides. The default is strictly conformant.
    Policy {
        /// Where the endpoints are.
        paths: PathsPolicy = PathsPolicy::default(),
        /// The issuer.
        issuer: IssuerPolicy = IssuerPolicy::default(),
        /// Header fields.
        headers: HeadersPolicy = HeadersPolicy::default(),
        /// Metadata documents (RFC 8414, OpenID Connect Discovery).
        metadata: MetadataPolicy = MetadataPolicy::default(),
        /// Authorization endpoint.
        authorize: AuthorizePolicy = AuthorizePolicy::default(),
        /// Redirect URIs, at both endpoints.
        redirect_uri: RedirectUriPolicy = RedirectUriPolicy::default(),
        /// Login and consent pages.
        pages: PagesPolicy = PagesPolicy::default(),
        /// Scope.
        scope: ScopePolicy = ScopePolicy::default(),
        /// Proof Key for Code Exchange.
        pkce: PkcePolicy = PkcePolicy::default(),
        /// Authorization codes.
        code: CodePolicy = CodePolicy::default(),
        /// Token endpoint: the request.
        token: TokenPolicy = TokenPolicy::default(),
        /// Client authentication.
        client_auth: ClientAuthPolicy = ClientAuthPolicy::default(),
        /// Token endpoint: the response.
        response: ResponsePolicy = ResponsePolicy::default(),
        /// Signed tokens.
        jws: JwsPolicy = JwsPolicy::default(),
        /// Access tokens.
        access_token: AccessTokenPolicy = AccessTokenPolicy::default(),
        /// Refresh tokens.
        refresh: RefreshPolicy = RefreshPolicy::default(),
        /// ID tokens.
        id_token: IdTokenPolicy = IdTokenPolicy::default(),
        /// Client credentials grant.
        client_credentials: ClientCredentialsPolicy = ClientCredentialsPolicy::default(),
        /// Device authorization grant; whether it is on offer is a matter of `token.grants`.
        device: DevicePolicy = DevicePolicy::default(),
        /// Implicit grant.
        implicit: ImplicitPolicy = ImplicitPolicy::default(),
        /// Password grant.
        password: PasswordPolicy = PasswordPolicy::default(),
        /// Revocation endpoint.
        revocation: RevocationPolicy = RevocationPolicy::default(),
        /// Introspection endpoint.
        introspection: IntrospectionPolicy = IntrospectionPolicy::default(),
        /// Pushed authorization requests.
        par: ParPolicy = ParPolicy::default(),
        /// UserInfo and the protected resource.
        resource: ResourcePolicy = ResourcePolicy::default(),
        /// The UserInfo response.
        userinfo: UserinfoPolicy = UserinfoPolicy::default(),
        /// Where sessions end.
        end_session: EndSessionPolicy = EndSessionPolicy::default(),
        /// Key set.
        jwks: JwksPolicy = JwksPolicy::default(),
        /// Dynamic client registration.
        registration: RegistrationPolicy = RegistrationPolicy::default(),
        /// What a realm begins with.
        realm: RealmPolicy = RealmPolicy::default(),
        /// Requests of strange form.
        robustness: RobustnessPolicy = RobustnessPolicy::default(),
        /// How each cause of an error is rendered.
        errors: ErrorsPolicy = ErrorsPolicy::default(),
    }
}

choices! {
    /// A property by which a request is strange.
    Strange {
        /// A parameter of more than 4096 bytes.
        LongParameter,
        /// A header field of more than 4096 bytes.
        LongHeader,
        /// More than 500 parameters.
        ManyParameters,
        /// A percent sign without two hexadecimal digits.
        BadPercent,
        /// A zero byte, in a parameter or in Basic credentials.
        Nul,
        /// Bytes that are no UTF-8, in a parameter or in Basic credentials.
        NotUtf8,
        /// Letters outside of ASCII, in a parameter or in Basic credentials.
        NotAscii,
        /// A body in chunks.
        Chunked,
        /// Two fields for one of Authorization and Content-Type.
        RepeatedHeader,
        /// A Content-Type that is neither a plain form nor absent.
        ContentType,
        /// Another method than GET and POST.
        Method,
        /// A POST without a body.
        EmptyBody,
    }
}

settings! {
    /// Requests of strange form.
    RobustnessPolicy {
        /// Those that end in status 500.
        crash_on: Vec<Strange> = vec![],
    }
}

settings! {
    /// How each cause of an error is rendered.
    ErrorsPolicy {
        /// Authorization endpoint.
        authorize: AuthorizeErrors = AuthorizeErrors::default(),
        /// Token endpoint, revocation, introspection.
        token: TokenErrors = TokenErrors::default(),
        /// Protected resource and UserInfo.
        bearer: BearerErrors = BearerErrors::default(),
        /// Client registration.
        registration: RegistrationErrors = RegistrationErrors::default(),
    }
}

impl Policy {
    /// The response types on offer.
    #[must_use]
    pub fn response_types(&self) -> Vec<String> {
        let mut types = self.authorize.response_types.clone();
        if self.implicit.offered && !types.iter().any(|kind| kind == "token") {
            types.push("token".into());
        }
        types
    }

    /// The grants on offer, at both endpoints.
    #[must_use]
    pub fn grants(&self) -> Vec<String> {
        let mut grants = self.token.grants.clone();
        if self.password.offered && !grants.iter().any(|grant| grant == "password") {
            grants.push("password".into());
        }
        if self.response_types().iter().any(|types| types.split(' ').any(|kind| kind != "code")) {
            grants.push("implicit".into());
        }
        grants
    }
}
