//! The grammar of patch files, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value as Json;

use super::OneOrMany;

either! {
    /// What a parameter has to be.
    Parameter { Is(String), Test(ParameterTest), }
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
    /// A named change of the mock. `breaks` is for faults; `plans`, `declines` and `skips` are for variants.
    Patch {
        /// One sentence: what the server does under it.
        title: Option<String>,
        /// More about it.
        why: Option<String>,
        /// The requirements that a fault breaks.
        breaks: Option<OneOrMany<String>>,
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

    /// A change with its condition: either `set` and `unset`, or `rewrite`.
    Rule {
        /// When it applies; always if nothing is said.
        when: Option<When>,
        /// Settings by their dotted paths.
        set: Option<BTreeMap<String, Json>>,
        /// Settings that get their default back, or entries that are removed.
        unset: Option<OneOrMany<String>>,
        /// A defect of one answer.
        rewrite: Option<Rewrite>,
    }

    /// When a rule applies. All that is given must hold.
    When {
        /// authorize, login, consent, token, revoke, introspect, userinfo, resource, jwks, metadata, register,
        /// device_authorization, verification.
        endpoint: Option<OneOrMany<String>>,
        /// Grant types.
        grant: Option<OneOrMany<String>>,
        /// Client identifiers.
        client: Option<OneOrMany<String>>,
        /// basic, post, none.
        auth: Option<OneOrMany<String>>,
        /// Users.
        user: Option<OneOrMany<String>>,
        /// What parameters have to be.
        parameter: Option<BTreeMap<String, Parameter>>,
        /// Only the request with this number, from 1.
        nth: Option<u64>,
        /// Not before so much time has passed on the realm's clock: `30s`.
        after: Option<String>,
        /// Only the first time.
        once: Option<bool>,
        /// So likely, by the seed: 0 to 1.
        probability: Option<f64>,
        /// To which answers a rewrite is done.
        answer: Option<Answer>,
    }

    /// Whether a parameter is there.
    ParameterTest {
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
        headers: Option<BTreeMap<String, String>>,
        /// Header fields that are removed.
        unset_headers: Option<OneOrMany<String>>,
        /// Members of the JSON body, or parameters of the authorization response, that are set.
        members: Option<BTreeMap<String, Json>>,
        /// Those that are removed.
        unset_members: Option<OneOrMany<String>>,
        /// Another body.
        body: Option<String>,
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
        /// The connection is closed instead of an answer.
        reset: Option<bool>,
    }
}

/// Patches by id: lower-case letters, digits and hyphens.
#[derive(JsonSchema)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[schemars(title = "oauthspec patches")]
#[serde(transparent)]
pub(super) struct PatchFile(BTreeMap<String, Patch>);
