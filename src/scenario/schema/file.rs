//! The grammar of scenario files, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::OneOrMany;
use crate::catalog::{Level, Severity};

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

    /// One step: a verb, and what is expected of it.
    Step {
        /// An authorization request in a browser session, through login and consent.
        authorize: Option<Authorize>,
        /// A token request.
        token: Option<Request>,
        /// A revocation request.
        revoke: Option<Request>,
        /// An introspection request.
        introspect: Option<Request>,
        /// A pushed authorization request.
        par: Option<Request>,
        /// A registration request.
        register: Option<Register>,
        /// A request to the UserInfo endpoint.
        userinfo: Option<Request>,
        /// A request to a protected resource.
        resource: Option<Request>,
        /// Reads the metadata document.
        metadata: Option<Request>,
        /// Reads the key set.
        jwks: Option<Request>,
        /// A device authorization request.
        device: Option<Request>,
        /// A user's visit to the verification page of a device.
        verify: Option<Verify>,
        /// A raw request; nothing is added.
        http: Option<Http>,
        /// Lets time pass.
        wait: Option<Wait>,
        /// Whether a token works.
        alive: Option<Alive>,
        /// The scope really granted.
        granted_scope: Option<GrantedScope>,
        /// Whether steps were answered the same.
        same: Option<Same>,
        /// What gives a verdict.
        expect: Option<OneOrMany<Check>>,
        /// What must hold for the rest to make sense; otherwise the scenario is skipped.
        assume: Option<OneOrMany<Check>>,
        /// How often, one after the other.
        times: Option<u32>,
        /// How many at once, released together.
        parallel: Option<u32>,
    }

    /// An authorization request.
    Authorize {
        /// The client, by its name in the scenario.
        client: Option<String>,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
        /// The `par` step whose request is used.
        from: Option<String>,
        /// Goes straight to the authorization endpoint, even where every request has to be pushed.
        direct: Option<bool>,
        /// What the user does.
        login: Option<Login>,
        /// The browser session; steps of one name share cookies.
        session: Option<String>,
        /// The user, from 0.
        user: Option<usize>,
        /// What the request is for: a code or, under `implicit`, a token.
        grant: Option<FrontGrant>,
        /// Which PKCE a right request has.
        pkce: Option<Pkce>,
        /// An earlier step whose last page is gone on with in this session, instead of a new request.
        resume: Option<String>,
        /// Parameters that get another value, or are added.
        set: Option<BTreeMap<String, Value>>,
        /// Parameters that are left out.
        unset: Option<OneOrMany<String>>,
        /// Parameters that are added once more, even if they are there.
        add: Option<Vec<(String, Value)>>,
        /// Header fields that are set.
        headers: Option<BTreeMap<String, Value>>,
        /// Header fields that are added once more, even if they are there.
        add_headers: Option<Vec<(String, Value)>>,
        /// Another method.
        method: Option<String>,
        /// The step that is the control of a refusal.
        control: Option<String>,
        /// How often, one after the other.
        times: Option<u32>,
        /// How many at once, released together.
        parallel: Option<u32>,
    }

    /// A request of the back channel.
    Request {
        /// The step whose code, device code or refresh token is redeemed.
        from: Option<String>,
        /// The client that sends it, where it is not that of `from`.
        client: Option<String>,
        /// The grant type, where it does not follow from `from`.
        grant: Option<String>,
        /// The token it is about.
        token: Option<String>,
        /// Which PKCE a right pushed request has.
        pkce: Option<Pkce>,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
        /// Parameters that get another value, or are added.
        set: Option<BTreeMap<String, Value>>,
        /// Parameters that are left out.
        unset: Option<OneOrMany<String>>,
        /// Parameters that are added once more, even if they are there.
        add: Option<Vec<(String, Value)>>,
        /// Parameters that are added to the query of the URL.
        query: Option<BTreeMap<String, Value>>,
        /// Another client authentication.
        auth: Option<Auth>,
        /// Another method.
        method: Option<String>,
        /// Another content type; empty: none.
        content_type: Option<Value>,
        /// Header fields that are set.
        headers: Option<BTreeMap<String, Value>>,
        /// Header fields that are added once more, even if they are there.
        add_headers: Option<Vec<(String, Value)>>,
        /// Another body.
        body: Option<Value>,
        /// Whether the body goes out in chunks.
        chunked: Option<bool>,
        /// The step that is the control of a refusal.
        control: Option<String>,
        /// How often, one after the other.
        times: Option<u32>,
        /// How many at once, released together.
        parallel: Option<u32>,
    }

    /// A registration request.
    Register {
        /// The name of what comes of the step, and of the new client.
        #[serde(rename = "as")]
        name: Option<String>,
        /// Members of the metadata that get another value, or are added.
        set: Option<BTreeMap<String, Json>>,
        /// Members that are left out.
        unset: Option<OneOrMany<String>>,
        /// Parameters that are added to the query of the URL.
        query: Option<BTreeMap<String, Value>>,
        /// Another method.
        method: Option<String>,
        /// Another content type; empty: none.
        content_type: Option<Value>,
        /// Header fields that are set.
        headers: Option<BTreeMap<String, Value>>,
        /// Another body.
        body: Option<Value>,
        /// The step that is the control of a refusal.
        control: Option<String>,
        /// How often, one after the other.
        times: Option<u32>,
        /// How many at once, released together.
        parallel: Option<u32>,
    }

    /// A user's visit to the verification page of a device.
    Verify {
        /// The `device` step.
        device: String,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
        /// What the user does.
        login: Option<Login>,
        /// The browser session; steps of one name share cookies.
        session: Option<String>,
        /// The user, from 0.
        user: Option<usize>,
        /// By which address.
        via: Option<Via>,
        /// How the user types the code.
        typed: Option<Typed>,
        /// Another user code.
        code: Option<Value>,
        /// How often, one after the other.
        times: Option<u32>,
    }

    /// A raw HTTP request.
    Http {
        /// Where to.
        url: String,
        /// GET where nothing is said.
        method: Option<String>,
        /// Header fields.
        headers: Option<BTreeMap<String, Value>>,
        /// Header fields that are added once more.
        add_headers: Option<Vec<(String, Value)>>,
        /// The body.
        body: Option<Value>,
        /// The browser session whose cookies it carries and fills.
        session: Option<String>,
        /// The step that is the control of a refusal.
        control: Option<String>,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
        /// How often, one after the other.
        times: Option<u32>,
    }

    /// How much time passes: a lifetime or a device's polling interval and a little more, or so long.
    Wait {
        /// What has to run out.
        lifetime: Option<Lifetime>,
        /// The `device` step whose polling interval has to run out.
        interval: Option<String>,
        /// How much more: `5s`.
        plus: Option<String>,
        /// So long: `31s`.
        #[serde(rename = "for")]
        span: Option<String>,
    }

    /// Whether a token works.
    Alive {
        /// The token.
        token: String,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
    }

    /// The scope really granted: from the response, else introspection, else the JWT, else as requested.
    GrantedScope {
        /// The token step.
        from: String,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
    }

    /// A comparison of steps after normalisation.
    Same {
        /// The steps.
        of: Option<Vec<String>>,
        /// The same as `of`.
        #[serde(rename = "as")]
        also: Option<Vec<String>>,
        /// What is compared.
        #[serde(rename = "in")]
        parts: OneOrMany<Part>,
    }

    /// What is expected of a step. Everything that is given must hold.
    Check {
        /// Its name: `id#name`.
        name: String,
        /// The requirement that it verifies; none: robustness, which warns at most.
        requirement: Option<String>,
        /// Further requirements that it verifies: the same rule in other clauses. Each plan judges by the first of its documents.
        also: Option<OneOrMany<String>>,
        /// The plans that judge it; all that hold one of its requirements if nothing is said.
        plan: Option<OneOrMany<Plan>>,
        /// Its harm, where it differs from the scenario's.
        severity: Option<Severity>,
        /// A lower level than the requirement's.
        level: Option<Level>,
        /// Why the level is lower.
        because: Option<String>,
        /// Answers that are accepted beside the preferred one.
        tolerate: Option<OneOrMany<Tolerance>>,
        /// The class of the answer.
        outcome: Option<Matcher>,
        /// The status.
        status: Option<Matcher>,
        /// The error code, of the JSON body or of the authorization response.
        error: Option<Matcher>,
        /// Header fields.
        headers: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the Bearer challenge; one that stands more than once is a list.
        challenge: Option<BTreeMap<String, Matcher>>,
        /// The media type.
        content_type: Option<Matcher>,
        /// Members of the JSON body.
        json: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the authorization response or members of the JSON body.
        got: Option<BTreeMap<String, Matcher>>,
        /// The body as text.
        body: Option<Matcher>,
        /// How an authorization response came: query, fragment, form_post.
        via: Option<Matcher>,
        /// Whether the token works (`alive` steps).
        alive: Option<bool>,
        /// The scope that was granted (`granted_scope` steps).
        scope: Option<Matcher>,
        /// Whether the answers are the same (`same` steps).
        same: Option<bool>,
        /// How many of several results are such.
        among: Option<Among>,
        /// A variable that is different in every result.
        distinct: Option<String>,
        /// A variable that cannot be guessed.
        guessable: Option<Guessable>,
        /// A JSON Web Token.
        jwt: Option<Jwt>,
        /// Nothing was delivered to this URI.
        not_sent_to: Option<String>,
        /// The cookies set on the way, as their `Set-Cookie` fields.
        cookies: Option<Matcher>,
        /// The URLs of other hosts from which a page on the way loads something.
        third_parties: Option<Matcher>,
        /// The URLs to which a redirect made the browser post the password again.
        password_sent_on: Option<Matcher>,
        /// The elements of a list in the JSON body.
        elements: Option<Elements>,
    }

    /// An answer that is accepted beside the preferred one.
    Tolerance {
        /// What it gives; a pass if nothing is said.
        verdict: Option<Tolerated>,
        /// Why it is accepted.
        note: String,
        /// The class of the answer.
        outcome: Option<Matcher>,
        /// The status.
        status: Option<Matcher>,
        /// The error code.
        error: Option<Matcher>,
        /// Header fields.
        headers: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the Bearer challenge; one that stands more than once is a list.
        challenge: Option<BTreeMap<String, Matcher>>,
        /// The media type.
        content_type: Option<Matcher>,
        /// Members of the JSON body.
        json: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the authorization response or members of the JSON body.
        got: Option<BTreeMap<String, Matcher>>,
        /// The body as text.
        body: Option<Matcher>,
        /// How an authorization response came.
        via: Option<Matcher>,
        /// Whether the token works.
        alive: Option<bool>,
        /// The scope that was granted.
        scope: Option<Matcher>,
        /// Whether the answers are the same.
        same: Option<bool>,
        /// Nothing was delivered to this URI.
        not_sent_to: Option<String>,
        /// The cookies set on the way, as their `Set-Cookie` fields.
        cookies: Option<Matcher>,
        /// The URLs of other hosts from which a page on the way loads something.
        third_parties: Option<Matcher>,
        /// The URLs to which a redirect made the browser post the password again.
        password_sent_on: Option<Matcher>,
        /// The elements of a list in the JSON body.
        elements: Option<Elements>,
    }

    /// A variable with the bits that are enough for it.
    GuessableTable {
        /// The variable.
        value: String,
        /// The bits that it must have at least.
        bits: u32,
    }

    /// How many of several results are such.
    Among {
        /// Which results are counted.
        #[serde(rename = "where")]
        filter: Filter,
        /// How many there must be.
        count: Matcher,
    }

    /// Which results are counted.
    Filter {
        /// The class of the answer.
        outcome: Option<Matcher>,
        /// The status.
        status: Option<Matcher>,
        /// The error code.
        error: Option<Matcher>,
        /// Header fields.
        headers: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the Bearer challenge; one that stands more than once is a list.
        challenge: Option<BTreeMap<String, Matcher>>,
        /// The media type.
        content_type: Option<Matcher>,
        /// Members of the JSON body.
        json: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the authorization response or members of the JSON body.
        got: Option<BTreeMap<String, Matcher>>,
        /// The body as text.
        body: Option<Matcher>,
        /// How an authorization response came.
        via: Option<Matcher>,
        /// Nothing was delivered to this URI.
        not_sent_to: Option<String>,
        /// The cookies set on the way, as their `Set-Cookie` fields.
        cookies: Option<Matcher>,
        /// The URLs of other hosts from which a page on the way loads something.
        third_parties: Option<Matcher>,
        /// The URLs to which a redirect made the browser post the password again.
        password_sent_on: Option<Matcher>,
        /// The elements of a list in the JSON body.
        elements: Option<Elements>,
    }

    /// What a JSON Web Token has to be.
    Jwt {
        /// The token.
        token: String,
        /// What its signature is verified with.
        verify: Option<VerifiedWith>,
        /// Members of its header.
        header: Option<BTreeMap<String, Matcher>>,
        /// Its claims.
        claims: Option<BTreeMap<String, Matcher>>,
        /// The token of which `at_hash`, where it is there, has to be the hash.
        at_hash: Option<String>,
    }

    /// What the elements of a list in the JSON body have to be.
    Elements {
        /// The member that is the list.
        of: String,
        /// Only elements with such members are looked at.
        #[serde(rename = "where")]
        filter: Option<BTreeMap<String, Matcher>>,
        /// The members that each of them has to have.
        have: Option<BTreeMap<String, Matcher>>,
        /// A member whose value is different in each.
        distinct: Option<String>,
        /// How many there must be.
        count: Option<Matcher>,
    }

    /// One condition; `gte` and `lte` count as one, and so do `after`, `before` and `leeway`.
    Condition {
        /// There, or not.
        present: Option<bool>,
        /// Not there, or there.
        absent: Option<bool>,
        /// A regular expression that matches somewhere.
        matches: Option<String>,
        /// One of these.
        one_of: Option<Vec<Scalar>>,
        /// Contains this, without regard to case.
        contains: Option<Scalar>,
        /// Does not contain this, without regard to case.
        lacks: Option<Scalar>,
        /// Is this, or a list with it as an element; with regard to case.
        includes: Option<Scalar>,
        /// Is not this, nor a list with it as an element; with regard to case.
        excludes: Option<Scalar>,
        /// A NumericDate later than this one.
        after: Option<String>,
        /// A NumericDate earlier than this one.
        before: Option<String>,
        /// By how much `after` and `before` may be missed: `5m`.
        leeway: Option<String>,
        /// base64url of so many octets.
        octets: Option<usize>,
        /// base64url of a number of at least so many bits.
        bits: Option<usize>,
        /// A list, or a text of words, in which nothing stands twice.
        unique: Option<bool>,
        /// Absence is right too.
        optional: Option<bool>,
        /// A JSON type.
        #[serde(rename = "type")]
        kind: Option<JsonType>,
        /// The same set of scope tokens.
        scopes: Option<String>,
        /// Greater or equal.
        gte: Option<f64>,
        /// Less or equal.
        lte: Option<f64>,
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
