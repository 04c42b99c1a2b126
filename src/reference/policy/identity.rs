//! Settings about whom and what the client believes: ID tokens, UserInfo, metadata, key sets.

use serde::{Deserialize, Serialize};

use super::{Duplicates, IssuerComparison, Strictness};
use crate::policy::{choices, settings_tree};

choices! {
    /// How signatures are verified.
    SignatureCheck {
        /// With the keys of the server.
        Verify,
        /// Not at all.
        Ignore,
    }
}

choices! {
    /// Which key verifies a token that is signed with HMAC.
    HmacKey {
        /// None: such tokens are refused.
        None,
        /// The client secret.
        Secret,
        /// The public RSA key of the server in PEM.
        PublicKey,
        /// The empty key.
        Empty,
    }
}

choices! {
    /// Which keys may verify a token.
    KeyChoice {
        /// Those with the token's `kid`; all that fit its algorithm where it has none.
        Kid,
        /// Any key of the set.
        Any,
        /// The first key of the set that fits the token's algorithm.
        First,
        /// The key in the header of the token, where there is one.
        Embedded,
    }
}

choices! {
    /// How `aud` is judged.
    AudienceCheck {
        /// It names the client and nobody else.
        Strict,
        /// It names the client, and anybody else.
        Contains,
        /// It names the client, where it is there.
        IfPresent,
        /// It is not looked at.
        Ignore,
    }
}

choices! {
    /// How a time is judged.
    TimeCheck {
        /// It is there and right.
        Required,
        /// It is right, where it is there.
        IfPresent,
        /// It is not looked at.
        Ignore,
    }
}

choices! {
    /// Which claim says who the user is.
    IdentityClaim {
        /// `sub`.
        Sub,
        /// `email`.
        Email,
        /// `preferred_username`.
        PreferredUsername,
        /// `name`.
        Name,
    }
}

choices! {
    /// How `sub` is judged.
    SubjectCheck {
        /// It is a string with something in it.
        Required,
        /// It may be anything; a list counts as its first element.
        Lenient,
        /// It may be absent.
        Optional,
    }
}

settings_tree! {
    /// ID tokens (OpenID Connect Core section 3.1.3.7).
    IdTokenCheck {
        /// What a missing ID token does, where `openid` was asked for.
        missing: Strictness = Strictness::Refuse,
        /// How the signature is verified.
        signature: SignatureCheck = SignatureCheck::Verify,
        /// What the algorithm `none` does.
        none: Strictness = Strictness::Refuse,
        /// Which key verifies HMAC.
        hmac: HmacKey = HmacKey::None,
        /// What an algorithm does that the server does not announce.
        unadvertised_alg: Strictness = Strictness::Refuse,
        /// Which keys may verify it.
        key: KeyChoice = KeyChoice::Kid,
        /// How `iss` is compared.
        issuer: IssuerComparison = IssuerComparison::Exact,
        /// How `aud` is judged.
        audience: AudienceCheck = AudienceCheck::Strict,
        /// What an `azp` does that is not the client.
        azp: Strictness = Strictness::Refuse,
        /// How `exp` is judged.
        exp: TimeCheck = TimeCheck::Required,
        /// How `iat` is judged: not in the future.
        iat: TimeCheck = TimeCheck::Required,
        /// How `nbf` is judged: not in the future.
        nbf: TimeCheck = TimeCheck::IfPresent,
        /// By how many seconds the clocks may differ.
        leeway: i64 = 60,
        /// What an `at_hash` does that does not fit the access token.
        at_hash: Strictness = Strictness::Refuse,
        /// How `sub` is judged.
        subject: SubjectCheck = SubjectCheck::Required,
        /// What claims do that stand more than once.
        duplicates: Duplicates = Duplicates::Refuse,
        /// Which claim says who the user is.
        identity: IdentityClaim = IdentityClaim::Sub,
    }
}

choices! {
    /// When the UserInfo endpoint is asked.
    UserinfoCall {
        /// After every login.
        Always,
        /// Where there is no ID token.
        WithoutIdToken,
        /// Never.
        Never,
    }
}

settings_tree! {
    /// UserInfo endpoint.
    UserinfoUse {
        /// When it is asked.
        called: UserinfoCall = UserinfoCall::Always,
        /// What a `sub` does that is not that of the ID token; accepting believes it.
        other_sub: Strictness = Strictness::Refuse,
        /// What members do that stand more than once.
        duplicates: Duplicates = Duplicates::Refuse,
    }
}

choices! {
    /// What is done where metadata lacks an endpoint.
    MissingEndpoint {
        /// The server cannot be used.
        Refuse,
        /// The address is guessed below the issuer.
        Guess,
    }
}

choices! {
    /// Which document is asked for first; the other one is asked for where it is not there.
    FirstDocument {
        /// That of RFC 8414.
        Oauth,
        /// That of OpenID Connect Discovery.
        Openid,
    }
}

settings_tree! {
    /// Metadata of the server (RFC 8414).
    DiscoveryPolicy {
        /// How its `issuer` is compared.
        issuer: IssuerComparison = IssuerComparison::Exact,
        /// Which document is asked for first.
        first: FirstDocument = FirstDocument::Oauth,
        /// What is done where an endpoint is missing.
        missing: MissingEndpoint = MissingEndpoint::Refuse,
        /// What endpoints on another host than the issuer's do.
        other_host: Strictness = Strictness::Accept,
        /// What endpoints do that are no `http` or `https` URLs.
        other_scheme: Strictness = Strictness::Refuse,
        /// Whether it is asked for once and kept.
        cached: bool = true,
    }
}

choices! {
    /// What a `kid` does that is not in the key set.
    UnknownKid {
        /// The set is fetched once more.
        FetchOnce,
        /// The token is refused at once.
        Refuse,
        /// The set is fetched over and over.
        FetchAlways,
    }
}

settings_tree! {
    /// Key set of the server.
    JwksUse {
        /// Whether it is kept.
        cached: bool = true,
        /// What a `kid` does that is not in it.
        unknown_kid: UnknownKid = UnknownKid::FetchOnce,
        /// Whether its address is guessed below the issuer, and not taken from metadata.
        guessed: bool = false,
        /// Whether the keys of all servers are taken together.
        pooled: bool = false,
    }
}
