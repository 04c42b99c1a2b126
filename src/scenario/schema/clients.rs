//! The grammar of what client scenarios have beside the rest, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::OneOrMany;
use super::file::{Json, Matcher, Value};

words! {
    /// One of the two issuers of a client scenario.
    Realm { Own = "own", Attacker = "attacker", }
    /// What the user does at the mock.
    UserDoes { Approve = "approve", Deny = "deny", }
    /// Where the browser stops.
    Until { Callback = "callback", }
    /// What a client is.
    DrivenKind { Web = "web", Native = "native", Script = "script", }
}

grammar! {
    /// How the mock misbehaves while the steps run.
    Mock {
        /// The issuer that misbehaves: the client's own, or the attacker's.
        realm: Option<Realm>,
        /// Faults by their ids.
        faults: Option<OneOrMany<String>>,
        /// Rules as in patch files, or {variables} that are rules; `json:…` is the JSON value that follows.
        patch: Option<OneOrMany<Json>>,
    }

    /// Makes the client do something: exactly one of `login`, `api`, `logout` and `open`.
    Drive {
        /// A login, or a run of the program; what the user does.
        login: Option<UserDoes>,
        /// The client uses its token.
        api: Option<bool>,
        /// The client ends its session.
        logout: Option<bool>,
        /// An authorization response is delivered: `{x.callback}`, or another URL.
        open: Option<String>,
        /// Where it is delivered instead, with the same parameters.
        at: Option<String>,
        /// The host to which it goes instead, at the same port.
        host: Option<String>,
        /// Where the browser stops.
        until: Option<Until>,
        /// The issuer that the client is asked to use, from 1.
        issuer: Option<usize>,
        /// The browser session; steps of one name share cookies.
        session: Option<String>,
        /// `http-only`, or the step whose cookies the session goes on with.
        cookies: Option<String>,
        /// The user, from 0.
        user: Option<usize>,
        /// The name of what comes of the step.
        #[serde(rename = "as")]
        name: Option<String>,
        /// Parameters that get another value, or are added.
        set: Option<BTreeMap<String, Value>>,
        /// Parameters that are left out.
        unset: Option<OneOrMany<String>>,
        /// Parameters that are added once more, even if they are there.
        add: Option<Vec<(String, Value)>>,
        /// Header fields that are set.
        headers: Option<BTreeMap<String, Value>>,
        /// Another method.
        method: Option<String>,
        /// How often, one after the other.
        times: Option<u32>,
        /// How many at once, released together.
        parallel: Option<u32>,
    }

    /// How many exchanges of the mock are such.
    JournalWant {
        /// The endpoint, by its name in the journal.
        endpoint: Option<OneOrMany<String>>,
        /// The issuer.
        realm: Option<Realm>,
        /// From the step of that name on.
        since: Option<String>,
        /// The method.
        method: Option<Matcher>,
        /// Parameters of the body.
        form: Option<BTreeMap<String, Matcher>>,
        /// Parameters of the URL.
        query: Option<BTreeMap<String, Matcher>>,
        /// Header fields.
        headers: Option<BTreeMap<String, Matcher>>,
        /// The status that the mock answered with.
        status: Option<Matcher>,
        /// How many there have to be; without it at least one.
        count: Option<Matcher>,
        /// Every exchange with the endpoint is such.
        each: Option<bool>,
        /// A parameter that has another value in each.
        distinct: Option<String>,
    }

    /// What the last page of a client is like.
    PageWant {
        /// Whether there is one.
        answered: Option<bool>,
        /// Text that does not stand in it as it is, unless it is no HTML.
        raw_html_absent: Option<String>,
        /// Its address.
        url: Option<Matcher>,
        /// Where the client sends the browser, a line each.
        redirects: Option<Matcher>,
        /// The `Set-Cookie` fields of the way, a line each.
        set_cookie: Option<Matcher>,
    }
}
