//! Settings about tokens: how they are asked for, what is made of the answer, where they are used and how they are renewed.

use serde::{Deserialize, Serialize};

use super::{Duplicates, Rendering, Strictness};
use crate::policy::{choices, settings_tree};

choices! {
    /// How the client authenticates.
    AuthMethod {
        /// As it is registered.
        Registered,
        /// By HTTP Basic.
        Basic,
        /// In the body.
        Post,
        /// By HTTP Basic and in the body at once.
        Both,
        /// In the URL.
        Url,
        /// Not at all: its identifier only.
        None,
    }
}

choices! {
    /// How identifier and secret are encoded for HTTP Basic.
    BasicEncoding {
        /// Form-encoded (RFC 6749 section 2.3.1).
        Form,
        /// As they are.
        Raw,
    }
}

settings_tree! {
    /// How the client authenticates.
    ClientAuthUse {
        /// The method.
        method: AuthMethod = AuthMethod::Registered,
        /// Encoding for HTTP Basic.
        basic: BasicEncoding = BasicEncoding::Form,
        /// Whether it authenticates when it refreshes.
        on_refresh: bool = true,
    }
}

choices! {
    /// What is sent for `redirect_uri` with a code.
    RepeatedRedirectUri {
        /// That of the login.
        Same,
        /// The same with a slash behind it.
        Slash,
        /// Nothing.
        Nothing,
    }
}

choices! {
    /// The form of a token request.
    RequestForm {
        /// A POST with a form.
        Form,
        /// A POST with JSON.
        Json,
        /// A GET with everything in the URL.
        Query,
    }
}

settings_tree! {
    /// Token request.
    TokenRequestPolicy {
        /// `redirect_uri` with a code.
        redirect_uri: RepeatedRedirectUri = RepeatedRedirectUri::Same,
        /// Its form.
        form: RequestForm = RequestForm::Form,
        /// Whether a query that the endpoint has is kept (RFC 6749 section 3.2).
        keeps_query: bool = true,
        /// Whether `grant_type` is sent twice.
        repeats_grant: bool = false,
        /// How often one code is sent.
        times: u8 = 1,
    }
}

choices! {
    /// What `expires_in` may be.
    Lifetime {
        /// What is no whole number above zero counts as unknown.
        Lenient,
        /// What is no whole number above zero makes the response malformed.
        Strict,
    }
}

choices! {
    /// What is believed to be granted.
    GrantedScope {
        /// What the response says; what was asked for where it says nothing.
        Response,
        /// What was asked for, whatever the response says.
        Asked,
    }
}

settings_tree! {
    /// Token response.
    TokenResponsePolicy {
        /// What a status other than 200 does where the body has a token.
        status: Strictness = Strictness::Refuse,
        /// What another media type than JSON does.
        media_type: Strictness = Strictness::Accept,
        /// What a missing access token does.
        missing_access_token: Strictness = Strictness::Refuse,
        /// What a missing token type does.
        missing_token_type: Strictness = Strictness::Refuse,
        /// What a token type does that the client does not know.
        unknown_token_type: Strictness = Strictness::Refuse,
        /// Whether upper and lower case matter in token types.
        case_sensitive_type: bool = false,
        /// What an error with status 200 does.
        error_in_success: Strictness = Strictness::Refuse,
        /// What a body does that is cut off.
        truncated: Strictness = Strictness::Refuse,
        /// What a body does that is no JSON object; accepting reads it as a form.
        not_json: Strictness = Strictness::Refuse,
        /// What `expires_in` may be.
        lifetime: Lifetime = Lifetime::Lenient,
        /// Whether `expires_in` must be there.
        lifetime_required: bool = false,
        /// What members do that nobody knows.
        unknown_members: Strictness = Strictness::Accept,
        /// What is believed to be granted.
        scope: GrantedScope = GrantedScope::Response,
        /// What members do that stand more than once.
        duplicates: Duplicates = Duplicates::Last,
        /// How `error_description` reaches the page.
        description: Rendering = Rendering::Escaped,
    }
}

choices! {
    /// What a redirect of a back-channel request does.
    BackRedirects {
        /// It is an error.
        Never,
        /// It is followed without credentials.
        Bare,
        /// It is followed with method, body and credentials, wherever it leads.
        WithCredentials,
    }
}

settings_tree! {
    /// Outgoing HTTP.
    TransportPolicy {
        /// What redirects do.
        redirects: BackRedirects = BackRedirects::Never,
        /// The limit of an exchange in milliseconds, of a release build; a debug build has three times as much. 0: none.
        timeout_ms: u64 = 2_000,
        /// The longest body that is read, in bytes; 0: any.
        body_limit: usize = 1_048_576,
        /// How often a request is sent again after 429, 5xx or no answer; requests with a code are ruled by `code_retries`.
        retries: u8 = 0,
        /// How often a request with a code is sent again.
        code_retries: u8 = 0,
        /// Whether `Retry-After` is respected: a longer time than two seconds means that the request is not sent again.
        retry_after: bool = true,
    }
}

choices! {
    /// Where the access token is put.
    TokenPlace {
        /// Into the Authorization field (RFC 6750 section 2.1).
        Header,
        /// Into a form (RFC 6750 section 2.2).
        Body,
        /// Into the URL (RFC 6750 section 2.3).
        Query,
        /// Into the Authorization field and the URL.
        HeaderAndQuery,
    }
}

choices! {
    /// What a 401 of the API does.
    OnUnauthorized {
        /// One refresh and one more attempt.
        Once,
        /// It is told.
        Never,
        /// Refreshes and attempts, over and over.
        Loop,
    }
}

settings_tree! {
    /// Use of the access token.
    ResourceUse {
        /// Where it is put.
        place: TokenPlace = TokenPlace::Header,
        /// What a 401 does.
        unauthorized: OnUnauthorized = OnUnauthorized::Once,
        /// Whether a 403 does the same as a 401.
        forbidden_refreshes: bool = false,
        /// Whether the answer of the API is believed whatever its status is.
        ignores_status: bool = false,
    }
}

choices! {
    /// What is done about refresh tokens that come with a refresh.
    RotatedToken {
        /// The new one replaces the old one.
        Stored,
        /// The old one stays.
        OldKept,
    }
}

choices! {
    /// What is done where a refresh brings no refresh token.
    AbsentToken {
        /// The old one stays.
        OldKept,
        /// There is none any more.
        Dropped,
    }
}

choices! {
    /// What is done when the refresh token is refused with `invalid_grant`.
    InvalidGrant {
        /// It is thrown away: the user has to sign in again.
        Dropped,
        /// It is kept and tried again with the next call.
        Kept,
        /// It is sent again at once, over and over.
        Loop,
    }
}

choices! {
    /// The scope that a refresh asks for.
    RefreshScope {
        /// None: the same as before.
        Omitted,
        /// The one that was granted.
        Granted,
        /// More than was granted: the scope that was asked for at first, and `admin`.
        Wider,
    }
}

settings_tree! {
    /// Use of the refresh token.
    RefreshUse {
        /// Whether it is used at all.
        used: bool = true,
        /// Whether an access token is renewed as soon as its lifetime is over; else only after a 401.
        on_expiry: bool = true,
        /// What is done about a new refresh token.
        rotation: RotatedToken = RotatedToken::Stored,
        /// What is done where none comes.
        absent: AbsentToken = AbsentToken::OldKept,
        /// What is done after `invalid_grant`.
        invalid_grant: InvalidGrant = InvalidGrant::Dropped,
        /// Whether any other failure loses the tokens too.
        failure_drops: bool = false,
        /// Whether calls that come together share one refresh.
        shared: bool = true,
        /// The scope that is asked for.
        scope: RefreshScope = RefreshScope::Omitted,
        /// Whether an ID token that comes with a refresh is validated, and belongs to the same user.
        checks_id_token: bool = true,
        /// Whether a refresh is tried without a refresh token.
        without_token: bool = false,
    }
}
