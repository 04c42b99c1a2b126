//! Errors as a table of causes: a decision returns a typed cause, and the policy says how it is rendered.

use serde::{Deserialize, Serialize};

/// How an error of the authorization endpoint is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeError {
    /// `redirect` (to the redirect URI) or `page` (shown to the user, nothing delivered).
    pub show: String,
    /// Status of the page; for a redirect `authorize.redirect_status` rules.
    pub status: u16,
    /// The `error` parameter.
    pub error: String,
    /// The `error_description` parameter.
    pub description: String,
    /// Which of the parameters of a redirect comes first: `error-first`, or `error-last` (after description and state).
    pub order: String,
    /// Where the parameters of a redirect stand: `as-asked`, or `query` or `fragment` whatever the response type.
    pub via: String,
    /// Whether the error page is told the `client_id`.
    pub tell_client: bool,
}

/// How an error of the token endpoint, or of another back-channel endpoint of the server, is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenError {
    /// The status.
    pub status: u16,
    /// The `error` member; empty: no JSON body at all.
    pub error: String,
    /// The `error_description` member.
    pub description: String,
    /// When a `WWW-Authenticate` field is sent: `never`, `when-header-used`, `always`.
    pub challenge: String,
}

/// How a protected resource refuses a request (RFC 6750 section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BearerError {
    /// The status.
    pub status: u16,
    /// The `error` attribute of the challenge; empty: none.
    pub error: String,
    /// The `error_description` attribute.
    pub description: String,
}

/// How the registration endpoint refuses (RFC 7591 section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationError {
    /// The status.
    pub status: u16,
    /// The `error` member.
    pub error: String,
    /// The `error_description` member.
    pub description: String,
}

macro_rules! causes {
    ($(#[$meta:meta])* $cause:ident, $table:ident, $entry:ident, { $($(#[doc = $doc:literal])* $variant:ident $field:ident = $value:expr;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $cause { $($(#[doc = $doc])* $variant,)* }

        impl $cause {
            /// The name that policies use.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field),)* }
            }
        }

        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $table { $($(#[doc = $doc])* pub $field: $entry,)* }

        impl super::Documented for $table {
            fn document(path: &str, out: &mut Vec<(String, &'static str)>) {
                $(out.push((super::below(path, stringify!($field)), concat!($($doc),*)));)*
            }
        }

        impl Default for $table {
            fn default() -> Self {
                Self { $($field: $value,)* }
            }
        }

        impl $table {
            /// How that cause is rendered.
            #[must_use]
            pub fn of(&self, cause: $cause) -> &$entry {
                match cause { $($cause::$variant => &self.$field,)* }
            }
        }
    };
}

causes! {
    /// Why the authorization endpoint refuses (RFC 6749 section 4.1.2.1, RFC 7636 section 4.4.1).
    AuthorizeCause, AuthorizeErrors, AuthorizeError, {
        /// No `client_id`.
        MissingClient missing_client = page("invalid_request", "client_id is missing");
        /// No such client.
        UnknownClient unknown_client = page("invalid_request", "this client is not known");
        /// No `redirect_uri`, and none can be chosen.
        MissingRedirectUri missing_redirect_uri = page("invalid_request", "redirect_uri is missing");
        /// The redirect URI is none of the client's.
        UnknownRedirectUri unknown_redirect_uri = page("invalid_request", "this redirect URI is not registered");
        /// `client_id` or `redirect_uri` stands more than once.
        RepeatedAddress repeated_address = page("invalid_request", "client_id or redirect_uri is repeated");
        /// The query or body cannot be decoded.
        Malformed malformed = page("invalid_request", "the request cannot be decoded");
        /// Neither GET nor POST.
        Method method = AuthorizeError { status: 405, ..page("invalid_request", "use GET or POST") };
        /// Another parameter stands more than once.
        RepeatedParameter repeated_parameter = redirect("invalid_request", "a parameter is repeated");
        /// An unknown parameter, where they are refused.
        UnknownParameter unknown_parameter = redirect("invalid_request", "a parameter is not known");
        /// No `response_type`.
        MissingResponseType missing_response_type = redirect("invalid_request", "response_type is missing");
        /// A response type that is not offered.
        UnknownResponseType unknown_response_type = redirect("unsupported_response_type", "this response type is not supported");
        /// A response type that this client may not use.
        ForbiddenResponseType forbidden_response_type = redirect("unauthorized_client", "this client may not use this response type");
        /// A scope that breaks the grammar.
        MalformedScope malformed_scope = redirect("invalid_scope", "the scope is malformed");
        /// A scope that does not exist or that the client may not ask for.
        UnknownScope unknown_scope = redirect("invalid_scope", "the scope is not known");
        /// No scope, where one is needed.
        MissingScope missing_scope = redirect("invalid_scope", "the scope is missing");
        /// No `code_challenge`, where one is needed.
        MissingChallenge missing_challenge = redirect("invalid_request", "code challenge required");
        /// A `code_challenge` of the wrong form.
        MalformedChallenge malformed_challenge = redirect("invalid_request", "the code challenge is malformed");
        /// A `code_challenge_method` that is not offered.
        UnknownChallengeMethod unknown_challenge_method = redirect("invalid_request", "transform algorithm not supported");
        /// `state` holds characters that it may not.
        MalformedState malformed_state = redirect("invalid_request", "state holds characters that it may not");
        /// `prompt` holds `none` beside other values.
        PromptConflict prompt_conflict = redirect("invalid_request", "prompt holds none beside other values");
        /// `request` is not supported (OpenID Connect Core section 6.1).
        RequestNotSupported request_not_supported = redirect("request_not_supported", "request is not supported");
        /// `request_uri` is not supported (OpenID Connect Core section 6.2).
        RequestUriNotSupported request_uri_not_supported = redirect("request_uri_not_supported", "request_uri is not supported");
        /// The request had to be pushed first (RFC 9126 section 4).
        PushRequired push_required = redirect("invalid_request", "push this request first");
        /// No such `request_uri` (RFC 9126 section 4).
        UnknownRequestUri unknown_request_uri = page("invalid_request_uri", "this request_uri is not known");
        /// The `request_uri` has expired.
        ExpiredRequestUri expired_request_uri = page("invalid_request_uri", "this request_uri has expired");
        /// The `request_uri` was used before.
        UsedRequestUri used_request_uri = page("invalid_request_uri", "this request_uri was used before");
        /// The `request_uri` is another client's.
        ForeignRequestUri foreign_request_uri = page("invalid_request_uri", "this request_uri is another client's");
        /// A parameter beside `request_uri` contradicts the pushed one, where that is refused.
        ContraryParameter contrary_parameter = page("invalid_request", "a parameter differs from the pushed one");
        /// The server failed at a right request.
        ServerError server_error = redirect("server_error", "something went wrong");
        /// The server is too busy for a right request.
        TemporarilyUnavailable temporarily_unavailable = redirect("temporarily_unavailable", "try again later");
        /// The user refused.
        Denied denied = redirect("access_denied", "the resource owner refused");
        /// `prompt=none`, and nobody is logged in.
        LoginRequired login_required = redirect("login_required", "nobody is logged in");
        /// `prompt=none`, and the user has to be asked.
        ConsentRequired consent_required = redirect("consent_required", "the user has to be asked");
    }
}

causes! {
    /// Why the token endpoint, revocation, introspection or device authorization refuses (RFC 6749 section 5.2, RFC 7636 section 4.6,
    /// RFC 7009 section 2.2.1, RFC 8628 section 3.5).
    TokenCause, TokenErrors, TokenError, {
        /// Another method than POST.
        Method method = TokenError { status: 405, ..bad("invalid_request", "use POST") };
        /// Another content type than a form.
        ContentType content_type = bad("invalid_request", "send application/x-www-form-urlencoded");
        /// The body cannot be decoded.
        Malformed malformed = bad("invalid_request", "the body cannot be decoded");
        /// A parameter stands more than once.
        RepeatedParameter repeated_parameter = bad("invalid_request", "a parameter is repeated");
        /// An unknown parameter, where they are refused.
        UnknownParameter unknown_parameter = bad("invalid_request", "a parameter is not known");
        /// Parameters or credentials in the URL.
        QueryParameter query_parameter = bad("invalid_request", "send parameters in the body");
        /// No `grant_type`.
        MissingGrantType missing_grant_type = bad("invalid_request", "grant_type is missing");
        /// A grant type that is not offered.
        UnknownGrantType unknown_grant_type = bad("unsupported_grant_type", "this grant type is not supported");
        /// A grant type that this client may not use.
        ForbiddenGrantType forbidden_grant_type = bad("unauthorized_client", "this client may not use this grant type");
        /// The client credentials grant for a client without credentials.
        PublicClient public_client = bad("unauthorized_client", "this client has no credentials");
        /// A client that may use no grant at all.
        NoGrants no_grants = bad("unauthorized_client", "this client may use no grant");
        /// No `client_id` in the body, where it is wanted there.
        MissingClientId missing_client_id = bad("invalid_request", "client_id is missing");
        /// No client authentication, and no `client_id` either, or none that suffices.
        MissingClientAuth missing_client_auth = client("client authentication is missing");
        /// No such client.
        UnknownClient unknown_client = client("client authentication failed");
        /// The secret is wrong.
        WrongSecret wrong_secret = client("client authentication failed");
        /// The Authorization header cannot be read.
        MalformedClientAuth malformed_client_auth = client("the Authorization header cannot be read");
        /// A method that this client is not registered for.
        WrongAuthMethod wrong_auth_method = client("this client is not registered for this authentication method");
        /// More than one authentication method.
        SeveralAuthMethods several_auth_methods = bad("invalid_request", "use one client authentication method");
        /// `client_id` in the body is another client than the authenticated one.
        ClientMismatch client_mismatch = bad("invalid_request", "client_id is not the authenticated client");
        /// No `code`.
        MissingCode missing_code = bad("invalid_request", "code is missing");
        /// No such code.
        UnknownCode unknown_code = bad("invalid_grant", "the code is not valid");
        /// The code has expired.
        ExpiredCode expired_code = bad("invalid_grant", "the code is not valid");
        /// The code was used before.
        UsedCode used_code = bad("invalid_grant", "the code is not valid");
        /// The code is another client's.
        ForeignCode foreign_code = bad("invalid_grant", "the code is not valid");
        /// No `redirect_uri`, though one was sent to the authorization endpoint.
        MissingRedirectUri missing_redirect_uri = bad("invalid_request", "redirect_uri is missing");
        /// Another `redirect_uri` than at the authorization endpoint.
        RedirectUriMismatch redirect_uri_mismatch = bad("invalid_grant", "redirect_uri is not that of the authorization request");
        /// No `code_verifier`, though there was a challenge.
        MissingVerifier missing_verifier = bad("invalid_grant", "code_verifier is missing");
        /// A `code_verifier` of the wrong form.
        MalformedVerifier malformed_verifier = bad("invalid_grant", "code_verifier is malformed");
        /// A `code_verifier` that does not fit the challenge.
        VerifierMismatch verifier_mismatch = bad("invalid_grant", "code_verifier does not fit");
        /// A `code_verifier`, though there was no challenge.
        UnexpectedVerifier unexpected_verifier = bad("invalid_grant", "there was no code challenge");
        /// No `refresh_token`.
        MissingRefreshToken missing_refresh_token = bad("invalid_request", "refresh_token is missing");
        /// No such refresh token.
        UnknownRefreshToken unknown_refresh_token = bad("invalid_grant", "the refresh token is not valid");
        /// The refresh token has expired.
        ExpiredRefreshToken expired_refresh_token = bad("invalid_grant", "the refresh token is not valid");
        /// The refresh token was revoked.
        RevokedRefreshToken revoked_refresh_token = bad("invalid_grant", "the refresh token is not valid");
        /// The refresh token was rotated away.
        UsedRefreshToken used_refresh_token = bad("invalid_grant", "the refresh token is not valid");
        /// The refresh token is another client's.
        ForeignRefreshToken foreign_refresh_token = bad("invalid_grant", "the refresh token is not valid");
        /// A scope that breaks the grammar.
        MalformedScope malformed_scope = bad("invalid_scope", "the scope is malformed");
        /// A scope that does not exist or that the client may not ask for.
        UnknownScope unknown_scope = bad("invalid_scope", "the scope is not known");
        /// No scope, where one is needed.
        MissingScope missing_scope = bad("invalid_scope", "the scope is missing");
        /// A scope beyond what was granted.
        ExcessiveScope excessive_scope = bad("invalid_scope", "the scope exceeds the grant");
        /// No `username` or no `password` (RFC 6749 section 4.3).
        MissingPassword missing_password = bad("invalid_request", "username or password is missing");
        /// The user name or the password is wrong (RFC 6749 section 4.3).
        WrongPassword wrong_password = bad("invalid_grant", "the user name or the password is wrong");
        /// No `device_code`.
        MissingDeviceCode missing_device_code = bad("invalid_request", "device_code is missing");
        /// No such device code.
        UnknownDeviceCode unknown_device_code = bad("invalid_grant", "the device code is not valid");
        /// The device code is another client's.
        ForeignDeviceCode foreign_device_code = bad("invalid_grant", "the device code is not valid");
        /// The device code was exchanged for tokens before.
        UsedDeviceCode used_device_code = bad("invalid_grant", "the device code is not valid");
        /// The device code has expired (RFC 8628 section 3.5).
        ExpiredDeviceCode expired_device_code = bad("expired_token", "the device code has expired");
        /// The user has not answered yet (RFC 8628 section 3.5).
        AuthorizationPending authorization_pending = bad("authorization_pending", "the user has not answered yet");
        /// The device polls too fast (RFC 8628 section 3.5).
        SlowDown slow_down = bad("slow_down", "wait five seconds longer before each request");
        /// The user refused (RFC 8628 section 3.5).
        DeviceDenied device_denied = bad("access_denied", "the resource owner refused");
        /// No `token` (revocation, introspection).
        MissingToken missing_token = bad("invalid_request", "token is missing");
        /// No such token, where that is an error (revocation, introspection).
        UnknownToken unknown_token = bad("invalid_request", "the token is not known");
        /// The token is another client's (revocation).
        ForeignToken foreign_token = bad("invalid_grant", "the token is not this client's");
        /// This client may not revoke.
        MayNotRevoke may_not_revoke = bad("unauthorized_client", "this client may not revoke");
        /// A token of a type that cannot be revoked.
        UnsupportedTokenType unsupported_token_type = bad("unsupported_token_type", "this token cannot be revoked");
        /// A pushed request that holds `request_uri` (RFC 9126 section 2.1).
        PushedRequestUri pushed_request_uri = bad("invalid_request", "request_uri cannot be pushed");
        /// A pushed request that is too large (RFC 9126 section 2.3).
        TooLarge too_large = TokenError { status: 413, ..bad("invalid_request", "the request is too large") };
        /// Too many requests of this client (RFC 9126 section 2.3).
        TooMany too_many = TokenError { status: 429, ..bad("invalid_request", "too many requests") };
        /// This client may not introspect.
        MayNotIntrospect may_not_introspect = TokenError { status: 403, ..bad("access_denied", "this client may not introspect") };
    }
}

causes! {
    /// Why a protected resource refuses (RFC 6750 section 3.1).
    BearerCause, BearerErrors, BearerError, {
        /// No token.
        MissingToken missing_token = bearer(401, "", "");
        /// The token cannot be read, or stands in two places.
        Malformed malformed = bearer(400, "invalid_request", "send one token in one place");
        /// No such token.
        UnknownToken unknown_token = bearer(401, "invalid_token", "the token is not valid");
        /// The token has expired.
        ExpiredToken expired_token = bearer(401, "invalid_token", "the token has expired");
        /// The token was revoked.
        RevokedToken revoked_token = bearer(401, "invalid_token", "the token was revoked");
        /// The token is meant for somebody else.
        ForeignAudience foreign_audience = bearer(401, "invalid_token", "the token is not meant for this resource");
        /// The scope does not suffice.
        InsufficientScope insufficient_scope = bearer(403, "insufficient_scope", "the scope does not suffice");
    }
}

causes! {
    /// Why the registration endpoint refuses (RFC 7591 section 3.2.2).
    RegistrationCause, RegistrationErrors, RegistrationError, {
        /// Another method than POST.
        Method method = RegistrationError { status: 405, ..registration("invalid_request", "use POST") };
        /// The body is no JSON object, or is not sent as one.
        Malformed malformed = registration("invalid_client_metadata", "send a JSON object as application/json");
        /// A redirect URI is missing, or cannot be registered.
        RedirectUri redirect_uri = registration("invalid_redirect_uri", "a redirect URI cannot be registered");
        /// Grant types and response types do not fit together.
        Inconsistent inconsistent = registration("invalid_client_metadata", "grant_types and response_types do not fit together");
        /// Other metadata cannot be registered.
        Metadata metadata = registration("invalid_client_metadata", "the client metadata cannot be registered");
    }
}

fn registration(error: &str, description: &str) -> RegistrationError {
    RegistrationError { status: 400, error: error.into(), description: description.into() }
}

fn page(error: &str, description: &str) -> AuthorizeError {
    AuthorizeError {
        show: "page".into(),
        status: 400,
        error: error.into(),
        description: description.into(),
        order: "error-first".into(),
        via: "as-asked".into(),
        tell_client: false,
    }
}

fn redirect(error: &str, description: &str) -> AuthorizeError {
    AuthorizeError { show: "redirect".into(), ..page(error, description) }
}

fn bad(error: &str, description: &str) -> TokenError {
    TokenError { status: 400, error: error.into(), description: description.into(), challenge: "never".into() }
}

fn client(description: &str) -> TokenError {
    TokenError { status: 401, challenge: "always".into(), ..bad("invalid_client", description) }
}

fn bearer(status: u16, error: &str, description: &str) -> BearerError {
    BearerError { status, error: error.into(), description: description.into() }
}
