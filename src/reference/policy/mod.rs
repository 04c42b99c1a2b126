//! Everything the reference client decides, as one typed tree of settings. The default is strictly conformant.
//!
//! Scalars, lists and structs only, so that patches can be merged key by key. No fault or variant is known here by name: they are files.

mod identity;
mod login;
mod tokens;

pub use identity::*;
pub use login::*;
use serde::{Deserialize, Serialize};
pub use tokens::*;

use crate::policy::{choices, settings_tree};

settings_tree! {
    /// Everything the reference client decides.
    ClientPolicy {
        /// Authorization request.
        authorization: AuthorizationPolicy = AuthorizationPolicy::default(),
        /// The parameter `state`.
        state: StatePolicy = StatePolicy::default(),
        /// Proof Key for Code Exchange.
        pkce: PkceUse = PkceUse::default(),
        /// The parameter `nonce`.
        nonce: NoncePolicy = NoncePolicy::default(),
        /// The parameter `iss` (RFC 9207).
        iss: IssPolicy = IssPolicy::default(),
        /// What is remembered of a login that is under way.
        login: LoginPolicy = LoginPolicy::default(),
        /// Authorization response.
        callback: CallbackPolicy = CallbackPolicy::default(),
        /// The session between browser and client.
        session: SessionPolicy = SessionPolicy::default(),
        /// How the client authenticates.
        client_auth: ClientAuthUse = ClientAuthUse::default(),
        /// Token request.
        token_request: TokenRequestPolicy = TokenRequestPolicy::default(),
        /// Token response.
        token_response: TokenResponsePolicy = TokenResponsePolicy::default(),
        /// Outgoing HTTP.
        transport: TransportPolicy = TransportPolicy::default(),
        /// Use of the access token.
        resource: ResourceUse = ResourceUse::default(),
        /// Use of the refresh token.
        refresh: RefreshUse = RefreshUse::default(),
        /// ID tokens.
        id_token: IdTokenCheck = IdTokenCheck::default(),
        /// UserInfo endpoint.
        userinfo: UserinfoUse = UserinfoUse::default(),
        /// Metadata of the server.
        discovery: DiscoveryPolicy = DiscoveryPolicy::default(),
        /// Key set of the server.
        jwks: JwksUse = JwksUse::default(),
        /// End of a session.
        logout: LogoutPolicy = LogoutPolicy::default(),
        /// Native client (RFC 8252).
        native: NativePolicy = NativePolicy::default(),
        /// What happens when something is wrong.
        trouble: TroublePolicy = TroublePolicy::default(),
    }
}

choices! {
    /// Whether something wrong ends what the client is doing.
    Strictness {
        /// It does.
        Refuse,
        /// It passes.
        Accept,
    }
}

choices! {
    /// How a value is made up.
    Source {
        /// From a good random generator.
        Random,
        /// By counting.
        Counter,
        /// From the time of day.
        Time,
        /// It is always the same.
        Constant,
        /// Six random digits.
        Short,
    }
}

choices! {
    /// What is done about a member that stands more than once.
    Duplicates {
        /// The whole object is refused.
        Refuse,
        /// The first one counts.
        First,
        /// The last one counts.
        Last,
    }
}

choices! {
    /// How a text of somebody else's reaches a page.
    Rendering {
        /// Escaped.
        Escaped,
        /// As it is, markup included.
        Raw,
        /// Not at all.
        Hidden,
    }
}

choices! {
    /// What the user gets to see of trouble.
    Ending {
        /// A page, or a message, that says so.
        Message,
        /// The trace of an unhandled error.
        Crash,
        /// Nothing, ever.
        Hang,
    }
}

settings_tree! {
    /// What happens when something is wrong, by where it is wrong.
    TroublePolicy {
        /// The server refused the authorization.
        authorization_error: Ending = Ending::Message,
        /// The authorization response belongs to no login, or is malformed.
        bad_callback: Ending = Ending::Message,
        /// The server refused a token request.
        token_error: Ending = Ending::Message,
        /// A token response, or metadata, cannot be read or lacks something.
        malformed: Ending = Ending::Message,
        /// An answer did not come.
        no_answer: Ending = Ending::Message,
        /// An ID token is not valid.
        bad_id_token: Ending = Ending::Message,
        /// Status of the page.
        status: u16 = 400,
    }
}

settings_tree! {
    /// End of a session.
    LogoutPolicy {
        /// Whether the tokens are revoked at the server, where it can do so (RFC 7009).
        revokes: bool = true,
        /// Whether the session ends.
        ends_session: bool = true,
    }
}

choices! {
    /// How the redirect URI of a native client names its host.
    LoopbackName {
        /// `127.0.0.1` (RFC 8252 section 7.3).
        Address,
        /// `localhost`.
        Localhost,
    }
}

settings_tree! {
    /// Native client (RFC 8252).
    NativePolicy {
        /// The port of its redirect URI; 0: any free one.
        port: u16 = 0,
        /// How the redirect URI names the host.
        host: LoopbackName = LoopbackName::Address,
        /// Whether it listens on every interface, and not on the loopback one alone.
        everywhere: bool = false,
        /// The path of its redirect URI.
        path: String = "/callback".into(),
        /// Whether a response at any other path counts too.
        any_path: bool = false,
        /// For how long it waits for the redirect, in seconds.
        wait: u64 = 60,
        /// Whether the page in the browser shows the tokens.
        shows_tokens: bool = false,
        /// Whether the output shows the tokens.
        prints_tokens: bool = false,
    }
}
