//! The grammar of steps, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::OneOrMany;
use super::checks::Check;
use super::clients::Drive;
use super::file::*;

grammar! {
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
        /// Makes the client under test do something.
        drive: Option<Drive>,
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
}
