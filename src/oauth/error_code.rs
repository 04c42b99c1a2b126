//! The error codes of RFC 6749.

/// Error codes of the authorization endpoint, in the order of RFC 6749 section 4.1.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizeErrorCode {
    /// A parameter is missing, invalid or repeated.
    InvalidRequest,
    /// This client may not ask for a code this way.
    UnauthorizedClient,
    /// The resource owner or the server refused.
    AccessDenied,
    /// The server does not issue this response type.
    UnsupportedResponseType,
    /// The scope is invalid, unknown or malformed.
    InvalidScope,
    /// Stands for a 500 that cannot be sent by redirect.
    ServerError,
    /// Stands for a 503 that cannot be sent by redirect.
    TemporarilyUnavailable,
}

impl AuthorizeErrorCode {
    /// Every code, in the RFC's order.
    pub const ALL: [Self; 7] = [
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::AccessDenied,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::ServerError,
        Self::TemporarilyUnavailable,
    ];

    /// The value of the `error` parameter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// Error codes of the token endpoint, in the order of RFC 6749 section 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenErrorCode {
    /// A parameter is missing, unsupported or repeated, or there are several credentials.
    InvalidRequest,
    /// Client authentication failed.
    InvalidClient,
    /// The code or refresh token is invalid, expired, revoked, or another client's.
    InvalidGrant,
    /// This client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// The scope is invalid, unknown, malformed, or exceeds the grant.
    InvalidScope,
}

impl TokenErrorCode {
    /// Every code, in the RFC's order.
    pub const ALL: [Self; 6] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
    ];

    /// The value of the `error` member.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}
