//! The tree of settings. Scalars, lists and structs only, so that patches can be merged key by key.

use serde::{Deserialize, Serialize};

use super::{AuthorizeErrors, BearerErrors, RegistrationErrors, TokenErrors};

/// Declares an enumeration whose values are written in kebab case.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$doc])* $variant,)* }
    };
}

/// Declares a struct of settings with its defaults.
macro_rules! settings {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
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
