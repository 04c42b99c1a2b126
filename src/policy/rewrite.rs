//! Defects of one answer, and how those of the message are made. Claims and signatures are the business of whoever signs; bytes, of
//! whoever writes to the connection.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::oauth::{Params, Response, encoding};

/// A defect of one answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewrite {
    /// To which answers it is done.
    pub on: Answer,
    /// To which tokens of the answer claims and signatures are changed.
    pub of: Tokens,
    /// Members merged into the claims of tokens before they are signed; `null` removes.
    pub claims: Map<String, Value>,
    /// Changes to a token's JWS: `alg`, `kid`, `typ`, `header` (merged members), `again` (claims that stand in it a second time),
    /// `signature` (`none`, `flip`, `other-key`, `empty-key`: an HMAC).
    pub jws: Map<String, Value>,
    /// Another status.
    pub status: Option<u16>,
    /// Header fields that are set; `None` removes.
    pub headers: Vec<(String, Option<String>)>,
    /// Members of the JSON body (or parameters of the authorization response) that are set; `null` removes.
    pub members: Map<String, Value>,
    /// Another body altogether.
    pub body: Option<String>,
    /// How the answer goes over the connection.
    pub delivery: Delivery,
}

/// How an answer goes over the connection; as it should, unless something is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The body ends after so many bytes, though more were announced.
    pub truncate: Option<usize>,
    /// The answer waits so long, in real time.
    pub delay: Option<Duration>,
    /// So many bytes of the body go out in a second.
    pub bandwidth: Option<u64>,
    /// The connection is reset instead of an answer; with `truncate`, after so many bytes of the body.
    pub reset: bool,
    /// The connection is closed in order, without an answer.
    pub drop: bool,
}

impl Delivery {
    /// What it says, by the names of files.
    pub(super) fn writes(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            (self.truncate.is_some(), "truncate"),
            (self.delay.is_some(), "delay"),
            (self.bandwidth.is_some(), "bandwidth"),
            (self.reset, "reset"),
            (self.drop, "drop"),
        ];
        given.into_iter().filter(|(given, _)| *given).map(|(_, name)| name)
    }
}

/// Whether an answer gives what was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answer {
    /// Either.
    #[default]
    Any,
    /// It does.
    Success,
    /// It is an error.
    Error,
}

/// Which tokens of an answer are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tokens {
    /// All of them.
    #[default]
    All,
    /// The access token.
    Access,
    /// The ID token.
    Id,
}

impl Tokens {
    /// Whether a token of that kind is among them.
    #[must_use]
    pub fn cover(self, kind: Self) -> bool {
        self == Self::All || self == kind
    }
}

/// What makes a redirect an authorization response (RFC 6749 sections 4.1.2, 4.2.2, RFC 9207), and not one to a login page.
const RESPONSE_PARAMETERS: [&str; 6] = ["code", "error", "state", "iss", "access_token", "id_token"];

impl Answer {
    /// The word in files and messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Success => "success",
            Self::Error => "error",
        }
    }

    /// What an answer is: an error where its status says so, or where its body or Location carries `error`.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        let location = || response.headers.get("location").is_some_and(|location| Location::split(&location).has(&["error"]));
        let member = || response.json().is_some_and(|body| body.get("error").is_some());
        if response.status >= 400 || location() || member() { Self::Error } else { Self::Success }
    }
}

impl Rewrite {
    /// Whether it is done to such an answer.
    #[must_use]
    pub fn fits(&self, answer: Answer) -> bool {
        self.on == Answer::Any || self.on == answer
    }

    /// Does what concerns the message: status, header fields, members, body; nothing if the answer is not of the kind it is for.
    ///
    /// Members are set and removed in the JSON object of the body. Of a redirect that carries an authorization response they are set
    /// and removed in the query of its Location, or in its fragment if the parameters are there; every other byte stays. Elsewhere
    /// there are no members, and nothing happens to them.
    pub fn apply_message(&self, response: &mut Response) {
        if !self.fits(Answer::of(response)) {
            return;
        }
        if !self.members.is_empty() {
            self.apply_members(response);
        }
        if let Some(status) = self.status {
            response.status = status;
        }
        // One that is set more than once stands so often; what was there goes.
        self.headers.iter().for_each(|(name, _)| response.headers.remove(name));
        for (name, value) in self.headers.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            response.headers.push(name, value);
        }
        if let Some(body) = &self.body {
            response.body = body.clone().into_bytes();
        }
    }

    /// What it writes, for telling whether two patches meet.
    pub(super) fn writes(&self) -> BTreeSet<String> {
        // A rewrite of all tokens meets those of each kind.
        let kinds: &[&str] = match self.of {
            Tokens::All => &["access", "id"],
            Tokens::Access => &["access"],
            Tokens::Id => &["id"],
        };
        let of_tokens = |part: &str, names: &Map<String, Value>| -> Vec<String> {
            let paths = |kind: &&str| names.keys().map(|name| format!("answer.{kind}.{part}.{name}")).collect::<Vec<_>>();
            kinds.iter().flat_map(paths).collect()
        };
        let claims = of_tokens("claims", &self.claims).into_iter();
        let jws = of_tokens("jws", &self.jws).into_iter();
        let headers = self.headers.iter().map(|(name, _)| format!("answer.headers.{}", name.to_ascii_lowercase()));
        let members = self.members.keys().map(|name| format!("answer.members.{name}"));
        let single = [(self.status.is_some(), "answer.status"), (self.body.is_some(), "answer.body")];
        let single = single.into_iter().filter(|(given, _)| *given).map(|(_, name)| name.to_owned());
        let delivery = self.delivery.writes().map(|name| format!("answer.{name}"));
        claims.chain(jws).chain(headers).chain(members).chain(single).chain(delivery).collect()
    }

    fn apply_members(&self, response: &mut Response) {
        let location = response.headers.get("location").filter(|_| (300..400).contains(&response.status)).map(Cow::into_owned);
        if let Some(location) = location {
            let mut location = Location::split(&location);
            if location.has(&RESPONSE_PARAMETERS) {
                location.edit(&self.members);
                response.headers.set("Location", location.join());
            }
            return;
        }
        if let Some(Value::Object(mut body)) = response.json() {
            for (name, value) in &self.members {
                match value {
                    Value::Null => drop(body.shift_remove(name)),
                    value => drop(body.insert(name.clone(), value.clone())),
                }
            }
            response.body = Value::Object(body).to_string().into_bytes();
        }
    }
}

/// A Location taken apart as it is written; nothing is normalised.
struct Location {
    before: String,
    query: Option<String>,
    fragment: Option<String>,
}

impl Location {
    fn split(location: &str) -> Self {
        let (rest, fragment) = location.split_once('#').map_or((location, None), |(rest, fragment)| (rest, Some(fragment)));
        let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
        Self { before: before.to_owned(), query: query.map(str::to_owned), fragment: fragment.map(str::to_owned) }
    }

    fn join(&self) -> String {
        let query = self.query.iter().map(|query| format!("?{query}"));
        let fragment = self.fragment.iter().map(|fragment| format!("#{fragment}"));
        std::iter::once(self.before.clone()).chain(query).chain(fragment).collect()
    }

    fn has(&self, names: &[&str]) -> bool {
        carries(self.query.as_deref(), names) || carries(self.fragment.as_deref(), names)
    }

    fn edit(&mut self, members: &Map<String, Value>) {
        let in_fragment =
            carries(self.fragment.as_deref(), &RESPONSE_PARAMETERS) && !carries(self.query.as_deref(), &RESPONSE_PARAMETERS);
        let part = if in_fragment { &mut self.fragment } else { &mut self.query };
        let mut text = part.take().unwrap_or_default();
        for (name, value) in members {
            text = edited(&text, name, value);
        }
        *part = Some(text).filter(|text| !text.is_empty());
    }
}

fn carries(part: Option<&str>, names: &[&str]) -> bool {
    let params = Params::parse_lossy(part.unwrap_or_default().as_bytes());
    names.iter().any(|name| params.has(name))
}

/// Sets or removes one parameter: the first of its name gets the value, further ones go; every other pair stays as it is written.
fn edited(form: &str, name: &str, value: &Value) -> String {
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let mut pair = value.map(|value| format!("{}={}", encoding::form(name), encoding::form(value)));
    let mut pairs: Vec<String> = Vec::new();
    for old in form.split('&').filter(|pair| !pair.is_empty()) {
        if carries(Some(old), &[name]) {
            pairs.extend(pair.take());
        } else {
            pairs.push(old.to_owned());
        }
    }
    pairs.extend(pair);
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rewrite(members: &Value) -> Rewrite {
        Rewrite { members: members.as_object().unwrap().clone(), ..Rewrite::default() }
    }

    fn redirect(location: &str) -> Response {
        let mut response = Response::new(302);
        response.headers.push("Location", location);
        response
    }

    #[test]
    fn members_of_a_json_body() {
        let mut response = Response::new(200);
        response.body = br#"{"access_token":"a","token_type":"Bearer","expires_in":1}"#.to_vec();
        rewrite(&json!({"token_type": "mac", "expires_in": null, "x": [1]})).apply_message(&mut response);
        assert_eq!(response.text(), r#"{"access_token":"a","token_type":"mac","x":[1]}"#);
    }

    #[test]
    fn parameters_of_a_redirect_keep_every_other_byte() {
        for (before, after) in [
            ("https://c.example/cb?x=%7e+&code=1&state=a&state=b#_=_", "https://c.example/cb?x=%7e+&code=1&state=n%26w#_=_"),
            ("https://c.example/cb?keep#code=1&iss=i", "https://c.example/cb?keep#code=1&state=n%26w"),
            ("https://c.example/cb?code=1&iss=i", "https://c.example/cb?code=1&state=n%26w"),
            ("/login?return=x", "/login?return=x"),
        ] {
            let mut response = redirect(before);
            rewrite(&json!({"state": "n&w", "iss": null})).apply_message(&mut response);
            assert_eq!(response.headers.get("location").unwrap(), after);
        }
    }

    #[test]
    fn status_headers_and_body() {
        let mut response = Response::new(200);
        response.headers.push("Pragma", "no-cache");
        let headers = vec![("pragma".to_owned(), None), ("X-A".to_owned(), Some("1".to_owned()))];
        Rewrite { status: Some(500), headers, body: Some("no".into()), ..Rewrite::default() }.apply_message(&mut response);
        assert_eq!((response.status, response.text().as_ref(), response.headers.has("pragma")), (500, "no", false));
        assert_eq!(response.headers.get("x-a").unwrap(), "1");
    }

    #[test]
    fn an_answer_of_the_other_kind_is_left_alone() {
        let on_error = Rewrite { on: Answer::Error, status: Some(418), ..Rewrite::default() };
        let mut success = redirect("https://c.example/?code=1");
        on_error.apply_message(&mut success);
        assert_eq!(success.status, 302);
        let mut error = redirect("https://c.example/?error=access_denied");
        on_error.apply_message(&mut error);
        assert_eq!(error.status, 418);
    }
}
