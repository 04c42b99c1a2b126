//! How an exchange of the journal looks in the control API, with the JSON Web Tokens in it taken apart.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::shapes::rfc3339;
use crate::mock::journal::Entry;
use crate::oauth::encoding::base64;
use crate::oauth::{Compact, Headers, Params, Request, Response};
use crate::policy::AppliedRule;

/// An exchange.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exchange")]
pub(in crate::mock) struct EntryView {
    /// Counts from 0 over the life of the realm.
    pub(super) index: u64,
    /// When it was answered, on the realm's clock, RFC 3339.
    pub(super) at: String,
    /// `authorize`, `token`, `jwks` and the like; `unknown` where nothing is.
    pub(super) endpoint: String,
    /// The client that it comes from, or claims to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    /// The user concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    /// The grant type, at the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// How the client authenticated: `basic`, `post`, `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
    /// Why it was refused; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    /// The ids of the patches that had a say.
    pub(super) applied: Vec<String>,
    /// Their rules that applied, in order.
    pub(super) rules: Vec<RuleView>,
    /// What a careful client would have done otherwise.
    pub(super) notes: Vec<String>,
    pub(super) request: RequestView,
    pub(super) response: ResponseView,
    /// How the answer went out where that was not whole and at once: `reset`, `closed without an answer`, `cut after 8 bytes`,
    /// `delayed by 2s`, `at 64 bytes per second`.
    pub(super) delivery: Vec<String>,
    /// The answer as it would have been, where it was changed on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<ResponseView>,
    /// The JSON Web Tokens in it, taken apart and not verified.
    pub(super) tokens: Vec<TokenView>,
}

/// A rule of a patch that applied.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AppliedRule")]
pub(in crate::mock) struct RuleView {
    /// The id of the patch.
    pub(super) patch: String,
    /// Which of its rules, from 1.
    pub(super) rule: usize,
    /// What it does: the settings that it changes, or what it makes of the answer.
    pub(super) does: String,
}

/// A request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Request")]
pub(in crate::mock) struct RequestView {
    pub(super) method: String,
    pub(super) url: String,
    /// Name and value, in order.
    pub(super) headers: Vec<(String, String)>,
    /// The body as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<String>,
    /// The body in Base64, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// The parameters of the body if it is a form, else of the query; of those that are repeated the last one.
    pub(super) parameters: Map<String, Value>,
}

/// A response.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Response")]
pub(in crate::mock) struct ResponseView {
    pub(super) status: u16,
    /// Name and value, in order.
    pub(super) headers: Vec<(String, String)>,
    /// The body as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<String>,
    /// The body in Base64, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// A JSON Web Token.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DecodedToken")]
pub(in crate::mock) struct TokenView {
    /// Where it stands: `response id_token`, `request assertion`, `request authorization`.
    pub(super) place: String,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

/// What an entry looks like.
pub(in crate::mock) fn view(entry: &Entry) -> EntryView {
    let request = &entry.exchange.request;
    let response = entry.exchange.response();
    let parameters = entry.params();
    EntryView {
        index: entry.index,
        at: rfc3339(entry.at),
        delivery: entry.delivery.clone(),
        endpoint: entry.endpoint.to_owned(),
        client: entry.client.clone(),
        user: entry.user.clone(),
        grant: entry.grant.clone(),
        auth: entry.auth.map(str::to_owned),
        cause: entry.cause.map(str::to_owned),
        applied: entry.applied.clone(),
        rules: entry.rules.iter().map(|rule| RuleView::from(&**rule)).collect(),
        notes: entry.notes.clone(),
        tokens: tokens(request, &parameters, response),
        request: request_view(request, &parameters),
        response: response.map_or_else(|| response_view(&Response::new(0)), response_view),
        original: entry.original.as_ref().map(response_view),
    }
}

impl From<&AppliedRule> for RuleView {
    fn from(rule: &AppliedRule) -> Self {
        Self { patch: rule.patch.clone(), rule: rule.rule, does: rule.does.clone() }
    }
}

fn request_view(request: &Request, parameters: &Params) -> RequestView {
    let (body, body_base64) = text_or_base64(&request.body);
    RequestView {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: headers(&request.headers),
        body,
        body_base64,
        parameters: named(parameters).map(|(name, value)| (name, Value::from(value))).collect(),
    }
}

fn response_view(response: &Response) -> ResponseView {
    let (body, body_base64) = text_or_base64(&response.body);
    ResponseView { status: response.status, headers: headers(&response.headers), body, body_base64 }
}

/// Every JSON Web Token in parameters, in the Authorization field, in a JSON answer and in the URL of a redirect.
fn tokens(request: &Request, parameters: &Params, response: Option<&Response>) -> Vec<TokenView> {
    let mut found: Vec<(String, String)> = named(parameters).map(|(name, value)| (format!("request {name}"), value)).collect();
    if let Some((_, token)) = request.headers.get("authorization").as_deref().and_then(|value| value.split_once(' ')) {
        found.push(("request authorization".into(), token.to_owned()));
    }
    if let Some(response) = response {
        if let Some(Value::Object(members)) = response.json() {
            let texts = members.iter().filter_map(|(name, value)| Some((format!("response {name}"), value.as_str()?.to_owned())));
            found.extend(texts);
        }
        let location = response.headers.get("location").unwrap_or_default();
        for part in location.split(['?', '#']).skip(1) {
            let params = Params::parse_lossy(part.as_bytes());
            found.extend(named(&params).map(|(name, value)| (format!("response {name}"), value)));
        }
    }
    let token = |(place, text): (String, String)| {
        let jwt = Compact::parse(&text)?;
        Some(TokenView { place, header: jwt.header, claims: jwt.claims })
    };
    found.into_iter().filter_map(token).collect()
}

fn named(params: &Params) -> impl Iterator<Item = (String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    params.iter().map(move |(name, value)| (text(name), text(value)))
}

fn headers(headers: &Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned())).collect()
}

fn text_or_base64(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok("") => (None, None),
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(base64(bytes))),
    }
}
