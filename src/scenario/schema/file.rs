//! The grammar of scenario files, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::OneOrMany;
use super::checks::{Condition, GuessableTable};
use super::clients::{DrivenKind, Mock};
use super::steps::Step;
use crate::catalog::Severity;

either! {
    /// A string with {variables}, or a number or flag that stands for its text.
    Scalar { Text(String), Whole(i64), Number(f64), Flag(bool), }
    /// A value in a request: encoded as its place demands, { raw } as it is, { hex } bytes, or { repeat, times }.
    Value { Text(Scalar), Table(ValueTable), }
    /// A bare value means equals; a table has one condition.
    Matcher { Equals(Scalar), Condition(Box<Condition>), }
    /// A JSON value; strings hold {variables}.
    Json { Text(String), Whole(i64), Number(f64), Flag(bool), List(Vec<Json>), Table(BTreeMap<String, Json>), }
    /// A client authentication that replaces the right one.
    Auth { Word(AuthWord), Credentials(Credentials), Header(AuthHeader), }
    /// A variable that cannot be guessed: as a secret, or with so many bits at least.
    Guessable { Variable(String), Table(GuessableTable), }
    /// The cases over which the steps are run.
    Cases { Fixed(Vec<Case>), From(CasesFrom), }
}

words! {
    /// A way of client authentication.
    AuthWord { Basic = "basic", Post = "post", Both = "both", None = "none", }
    /// How id and secret go into HTTP Basic (RFC 6749 section 2.3.1).
    Encode { Form = "form", Raw = "raw", }
    /// What the user does at login and consent.
    Login { Approve = "approve", Deny = "deny", Stop = "stop", }
    /// By which address a user comes to the verification page of a device.
    Via { Uri = "uri", Complete = "complete", }
    /// How a user types a user code.
    Typed { AsShown = "as-shown", Lower = "lower", Bare = "bare", }
    /// What an authorization request is for.
    FrontGrant { Code = "authorization_code", Implicit = "implicit", }
    /// Which PKCE a right request has.
    Pkce { S256 = "S256", Plain = "plain", None = "none", }
    /// How a client has to authenticate: secret is basic or post.
    ClientAuth { Secret = "secret", Basic = "basic", Post = "post", None = "none", }
    /// Where a client runs.
    ClientKind { Web = "web", Native = "native", }
    /// A format of access tokens.
    Tokens { Jwt = "jwt", }
    /// A plan.
    Plan { Rfc6749 = "rfc6749", Bcp = "bcp", OAuth21 = "oauth2.1", }
    /// A JSON type.
    JsonType { String = "string", Number = "number", Integer = "integer", Boolean = "boolean", Array = "array", Object = "object", }
    /// What is compared.
    Part { Status = "status", Headers = "headers", Json = "json", }
    /// What a tolerated answer gives.
    Tolerated { Warn = "warn", Pass = "pass", }
    /// What a signature is verified with.
    VerifiedWith { Jwks = "jwks", }
    /// Something that lives for a time.
    Lifetime {
        Code = "code", AccessToken = "access_token", RefreshToken = "refresh_token", RefreshGrace = "refresh_grace",
        RequestUri = "request_uri", DeviceCode = "device_code",
    }
}

grammar! {
    /// One behaviour under test.
    #[schemars(title = "oauthspec scenario")]
    ScenarioFile {
        /// One sentence: the behaviour that is right.
        title: String,
        /// The harm of a breach, for checks that do not say.
        severity: Severity,
        /// Why it matters.
        why: String,
        /// How to mend a server that fails.
        fix: String,
        /// What the target must offer.
        needs: Option<Needs>,
        /// The clients it plays, by name.
        clients: Option<BTreeMap<String, ClientNeed>>,
        /// Faults that it must catch, as patterns; your own scenarios need none.
        catches: Option<OneOrMany<String>>,
        /// How often the steps are run (races).
        rounds: Option<u32>,
        /// How the mock misbehaves meanwhile (client scenarios).
        mock: Option<OneOrMany<Mock>>,
        /// Whether it looks at all that the client sent in the run (client scenarios).
        passive: Option<bool>,
        /// The cases over which the steps are run.
        cases: Option<Cases>,
        /// What is done, in order.
        steps: OneOrMany<Step>,
    }

    /// What a target must offer. All of it must hold.
    Needs {
        /// Grant types.
        grant: Option<OneOrMany<String>>,
        /// At least so many clients.
        clients: Option<usize>,
        /// Endpoints by their names in the configuration.
        endpoint: Option<OneOrMany<String>>,
        /// Features that metadata announces or the configuration claims.
        feature: Option<OneOrMany<String>>,
        /// A client that may ask for at least so many scope tokens.
        scopes: Option<usize>,
        /// The format of access tokens.
        tokens: Option<Tokens>,
        /// At least so many issuers.
        issuers: Option<usize>,
        /// At least so many users.
        users: Option<usize>,
        /// What the client under test is; without it web or native.
        kind: Option<OneOrMany<DrivenKind>>,
        /// Whether the client must not have talked to the mock before.
        fresh: Option<bool>,
        /// The plans in which it runs; all if nothing is said.
        plan: Option<OneOrMany<Plan>>,
    }

    /// Which client a scenario needs.
    ClientNeed {
        /// How it authenticates.
        auth: Option<ClientAuth>,
        /// Grants it is registered for.
        grant: Option<OneOrMany<String>>,
        /// A grant it is not registered for.
        lacks_grant: Option<String>,
        /// Where it runs.
        kind: Option<ClientKind>,
        /// Another client of this scenario that it is not.
        differs_from: Option<String>,
        /// Whether it may introspect.
        may_introspect: Option<bool>,
        /// At least so many registered redirect URIs.
        redirect_uris: Option<usize>,
        /// Whether its first redirect URI has a query.
        redirect_query: Option<bool>,
        /// At least so many scope tokens that it may ask for.
        scopes: Option<usize>,
        /// A scope token that it may ask for.
        scope: Option<String>,
    }

    /// Cases that are known only at run time.
    CasesFrom {
        /// `{metadata.MEMBER}`, a list.
        from: String,
        /// The name of the value: `{case.NAME}`.
        #[serde(rename = "as")]
        name: String,
    }

    /// A value that goes out as it is, bytes, or text many times over.
    ValueTable {
        /// Goes out as it is, encoded already or wrongly.
        raw: Option<String>,
        /// Bytes, as pairs of hexadecimal digits.
        hex: Option<String>,
        /// Goes out as it is, `times` over.
        repeat: Option<String>,
        /// How often `repeat` stands there.
        times: Option<u32>,
    }

    /// HTTP Basic with these credentials.
    Credentials {
        /// The client identifier.
        id: Value,
        /// The secret.
        secret: Value,
        /// Whether they are form-encoded first.
        encode: Option<Encode>,
    }

    /// This Authorization header, as it is.
    AuthHeader {
        /// Its value.
        header: Value,
    }
}

/// One case; further members are its values.
#[derive(JsonSchema)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(super) struct Case {
    /// Its name: `id[name]`.
    name: String,
    /// What the target must offer for it.
    needs: Option<Needs>,
    /// Its values: `{case.NAME}`.
    #[serde(flatten)]
    values: BTreeMap<String, Value>,
}
