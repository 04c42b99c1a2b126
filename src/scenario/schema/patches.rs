//! The grammar of patch files, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value as Json;

use super::OneOrMany;

either! {
    /// What a parameter, header field or member has to be: one of these values, or as a test says.
    Value { Is(String), OneOf(Vec<String>), Test(ValueTest), }
}

words! {
    /// To which answers a rewrite is done.
    Answer { Success = "success", Error = "error", }
    /// A kind of token.
    Token { Access = "access_token", Id = "id_token", }
    /// What is done to a signature.
    Signature { None = "none", Flip = "flip", OtherKey = "other-key", EmptyKey = "empty-key", }
}

grammar! {
    /// A named change of the mock. `breaks` is for faults; `plans`, `declines` and `skips` are for variants; `base` is for profiles.
    Patch {
        /// One sentence: what the server does under it.
        title: Option<String>,
        /// More about it.
        why: Option<String>,
        /// The requirements that a fault breaks.
        breaks: Option<OneOrMany<String>>,
        /// The profile that a profile begins with.
        base: Option<String>,
        /// What must be there for it to apply.
        requires: Option<Requires>,
        /// Lists from which members of a family are made; {key} in strings stands for the element.
        each: Option<BTreeMap<String, Vec<Json>>>,
        /// The plans under which a variant is conformant.
        plans: Option<OneOrMany<String>>,
        /// Checks that may warn: scenario#check.
        declines: Option<OneOrMany<String>>,
        /// Scenarios that may be skipped.
        skips: Option<OneOrMany<String>>,
        /// Of a script: its rules apply one after the other; one begins when the one before it is used up.
        sequence: Option<bool>,
        /// Of a script: it is no failure that a rule never applied.
        optional: Option<bool>,
        /// What it does.
        patch: OneOrMany<Rule>,
    }

    /// What must hold for a patch to apply.
    Requires {
        /// Grant types on offer.
        grants: Option<OneOrMany<String>>,
        /// Endpoints that are there: introspection, metadata, registration, revocation, userinfo.
        endpoint: Option<OneOrMany<String>>,
        /// supported, required, or challenge methods on offer.
        pkce: Option<OneOrMany<String>>,
    }

    /// A change with its condition: either `set` and `unset`, or `rewrite`, or `respond`, or `fault` and `variant`.
    Rule {
        /// When it applies; always if nothing is said.
        when: Option<When>,
        /// Settings by their dotted paths.
        set: Option<BTreeMap<String, Json>>,
        /// Settings that get their default back, or entries that are removed.
        unset: Option<OneOrMany<String>>,
        /// A defect of one answer.
        rewrite: Option<Rewrite>,
        /// What is answered instead of anything that would be decided.
        respond: Option<Respond>,
        /// Of a script: what the built-in faults of these ids do.
        fault: Option<OneOrMany<String>>,
        /// Of a script: what the built-in variants of these ids do.
        variant: Option<OneOrMany<String>>,
    }

    /// When a rule applies. All that is given must hold.
    When {
        /// authorize, login, consent, token, revoke, introspect, userinfo, resource, jwks, metadata, register,
        /// device_authorization, verification, end_session, error, unknown.
        endpoint: Option<OneOrMany<String>>,
        /// Methods.
        method: Option<OneOrMany<String>>,
        /// One of these paths, as they are sent; `*` stands for any characters.
        path: Option<OneOrMany<String>>,
        /// Grant types.
        grant: Option<OneOrMany<String>>,
        /// Client identifiers.
        client: Option<OneOrMany<String>>,
        /// basic, post, none.
        auth: Option<OneOrMany<String>>,
        /// Users.
        user: Option<OneOrMany<String>>,
        /// What parameters have to be, wherever they stand.
        parameter: Option<BTreeMap<String, Value>>,
        /// What parameters of the body have to be.
        form: Option<BTreeMap<String, Value>>,
        /// What parameters of the query have to be.
        query: Option<BTreeMap<String, Value>>,
        /// What header fields have to be.
        header: Option<BTreeMap<String, Value>>,
        /// What members of a JSON body have to be.
        json: Option<BTreeMap<String, Value>>,
        /// Only the request with this number, from 1, of those for which all else holds.
        nth: Option<u64>,
        /// Only the first so many of them.
        first: Option<u64>,
        /// Not the first so many of them.
        skip: Option<u64>,
        /// Not before so much time has passed on the realm's clock: `30s`.
        after: Option<String>,
        /// Only before so much time has passed on the realm's clock: `30s`.
        until: Option<String>,
        /// Only the first time that it applies; in a sequence, unless something else is said.
        once: Option<bool>,
        /// So likely, by the seed: 0 to 1.
        probability: Option<f64>,
        /// To which answers a rewrite is done.
        answer: Option<Answer>,
    }

    /// A test of a value.
    ValueTest {
        /// A part of it matches this regular expression.
        matches: Option<String>,
        /// It is there.
        present: Option<bool>,
        /// It is not there.
        absent: Option<bool>,
    }

    /// A defect of one answer.
    Rewrite {
        /// Of the message.
        message: Option<Message>,
        /// Whose claims and signature are changed; of all tokens of the answer if nothing is said.
        of: Option<Token>,
        /// Of the claims of tokens, before they are signed.
        claims: Option<Claims>,
        /// Of a token's signature and header.
        jws: Option<Jws>,
        /// Of the bytes on the connection.
        bytes: Option<Bytes>,
    }

    /// A defect of the message.
    Message {
        /// Another status.
        status: Option<u16>,
        /// Header fields that are set.
        headers: Option<BTreeMap<String, OneOrMany<String>>>,
        /// Header fields that are removed.
        unset_headers: Option<OneOrMany<String>>,
        /// Members of the JSON body, or parameters of the authorization response, that are set.
        members: Option<BTreeMap<String, Json>>,
        /// Those that are removed.
        unset_members: Option<OneOrMany<String>>,
        /// Another body.
        body: Option<String>,
    }

    /// A literal answer, for which nothing is decided, used up or issued. Its body is one of `body`, `json` and `hex`.
    Respond {
        /// The status; 200 if nothing is said.
        status: Option<u16>,
        /// Header fields.
        headers: Option<BTreeMap<String, OneOrMany<String>>>,
        /// A text.
        body: Option<String>,
        /// A JSON document.
        json: Option<Json>,
        /// Bytes, in hexadecimal digits.
        hex: Option<String>,
        /// How it goes over the connection.
        bytes: Option<Bytes>,
    }

    /// A defect of the claims.
    Claims {
        /// Claims that are set.
        set: Option<BTreeMap<String, Json>>,
        /// Claims that are removed.
        unset: Option<OneOrMany<String>>,
    }

    /// A defect of the signature or header.
    Jws {
        /// Another algorithm in the header.
        alg: Option<String>,
        /// Another key identifier.
        kid: Option<String>,
        /// Another type.
        typ: Option<String>,
        /// Further members of the header.
        header: Option<BTreeMap<String, Json>>,
        /// Claims that stand in the token a second time, behind the others.
        again: Option<BTreeMap<String, Json>>,
        /// What is done to the signature.
        signature: Option<Signature>,
    }

    /// A defect of the bytes.
    Bytes {
        /// The body ends after so many bytes, though more were announced.
        truncate: Option<usize>,
        /// The answer waits so long: `2s`.
        delay: Option<String>,
        /// So many bytes of the body go out in a second.
        bandwidth: Option<u64>,
        /// The connection is reset instead of an answer; with `truncate`, after so many bytes of the body.
        reset: Option<bool>,
        /// The connection is closed in order, without an answer.
        drop: Option<bool>,
    }
}

/// Patches by id: lower-case letters, digits and hyphens.
#[derive(JsonSchema)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[schemars(title = "oauthspec patches")]
#[serde(transparent)]
pub(super) struct PatchFile(BTreeMap<String, Patch>);
