//! The grammar of checks, as types for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::OneOrMany;
use super::clients::{JournalWant, PageWant};
use super::file::*;
use crate::catalog::{Level, Severity};

grammar! {
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
        /// A client did not fall for an attack.
        defended: Option<bool>,
        /// A client did what it was asked to.
        works: Option<bool>,
        /// A client neither crashed nor hung.
        copes: Option<bool>,
        /// What a client sent to the mock.
        journal: Option<JournalWant>,
        /// What the last page of a client is like.
        page: Option<PageWant>,
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
        /// A client did not fall for an attack.
        defended: Option<bool>,
        /// A client did what it was asked to.
        works: Option<bool>,
        /// A client neither crashed nor hung.
        copes: Option<bool>,
        /// What a client sent to the mock.
        journal: Option<JournalWant>,
        /// What the last page of a client is like.
        page: Option<PageWant>,
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
