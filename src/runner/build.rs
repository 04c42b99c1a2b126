//! Right requests, and the edits that make them deviate.

use serde_json::Value as Json;

use super::chance::Chance;
use super::context::{Names, Unset};
use super::record::Record;
use crate::oauth::{ChallengeMethod, Headers, Params, Pkce, Request, encoding};
use crate::scenario::{Auth, AuthEncoding, Authorize, DEVICE_GRANT, Edits, Value, Verb};
use crate::target::{AuthMethod, Client};

/// A form whose names and values are encoded already, in order: the only shape in which wrong encodings survive.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(Vec<u8>, Vec<u8>)>);

impl Form {
    /// Appends a pair that is not yet encoded.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.0.push((encoding::form(name).into_bytes(), encoding::form(value).into_bytes()));
    }

    /// Appends a pair that is not yet encoded, unless the name is there already.
    pub fn push_once(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let encoded = encoding::form(name).into_bytes();
        if !self.0.iter().any(|(n, _)| *n == encoded) {
            self.push(name, value);
        }
    }

    /// Sets a pair whose value is encoded already.
    pub fn set_encoded(&mut self, name: &str, value: Vec<u8>) {
        let name = encoding::form(name).into_bytes();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some(pair) => pair.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes every pair of that name.
    pub fn remove(&mut self, name: &str) {
        let name = encoding::form(name).into_bytes();
        self.0.retain(|(n, _)| *n != name);
    }

    /// As it goes out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.0 {
            if !out.is_empty() {
                out.push(b'&');
            }
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(value);
        }
        out
    }

    /// Decoded, as far as that goes.
    #[must_use]
    pub fn params(&self) -> Params {
        Params::parse_lossy(&self.encode())
    }

    /// Applies `set`, `unset` and `add`.
    ///
    /// # Errors
    /// [`Unset`] where a variable has no value.
    pub fn edit(&mut self, edits: &Edits, names: &Names<'_>) -> Result<(), Unset> {
        for name in &edits.unset {
            self.remove(name);
        }
        for (name, value) in &edits.set {
            self.set_encoded(name, names.encoded(value)?);
        }
        for (name, value) in &edits.add {
            self.0.push((encoding::form(name).into_bytes(), names.encoded(value)?));
        }
        Ok(())
    }
}

/// A request that is ready to go out, and what is remembered of it.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The request.
    pub request: Request,
    /// Its parameters, decoded.
    pub sent: Params,
    /// The verifier that belongs to its challenge.
    pub code_verifier: Option<String>,
}

/// An authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
///
/// # Errors
/// [`Unset`] where a variable has no value.
pub fn authorize(
    step: &Authorize,
    client: &Client,
    endpoint: &str,
    pushed: Option<&Record>,
    names: &Names<'_>,
    chance: &mut Chance,
) -> Result<Ready, Unset> {
    let (mut form, code_verifier) = match pushed {
        Some(pushed) => (reference(client, pushed)?, pushed.code_verifier.clone()),
        None => authorization(client, &step.grant, &step.pkce, chance),
    };
    form.edit(&step.edits, names)?;
    if pushed.is_none() {
        leave_out_needless_nonce(&mut form, &step.edits);
    }
    let method = step.edits.method.clone().unwrap_or_else(|| "GET".into());
    let mut request = if method == "POST" {
        let mut request = Request::new("POST", endpoint);
        request.headers.push("Content-Type", "application/x-www-form-urlencoded");
        request.body = form.encode();
        request
    } else {
        Request::new(method, with_query(endpoint, &form.encode()))
    };
    set_headers(&mut request.headers, &step.edits, names)?;
    // What was pushed was sent too, and comes first: it is what counts.
    let sent = pushed.map(|pushed| pushed.sent.clone()).unwrap_or_default();
    let sent = sent.iter().chain(form.params().iter()).collect();
    Ok(Ready { request, sent, code_verifier })
}

/// The parameters of a right authorization request, and the verifier that belongs to their challenge.
pub fn authorization(client: &Client, grant: &str, pkce: &str, chance: &mut Chance) -> (Form, Option<String>) {
    let mut form = Form::default();
    let implicit = grant == "implicit";
    form.push("response_type", if implicit { "token" } else { "code" });
    form.push("client_id", &client.client_id);
    if let Some(uri) = client.redirect_uris.first() {
        form.push("redirect_uri", uri);
    }
    if !client.scopes.is_empty() {
        form.push("scope", client.scopes.join(" "));
    }
    form.push("state", chance.text());
    // PKCE ties a code to its login, and a nonce an ID token: the implicit grant of RFC 6749 section 4.2 has neither.
    let pkce = proof_key(pkce, chance).filter(|_| !implicit);
    if let Some(pkce) = &pkce {
        form.push("code_challenge", &pkce.challenge);
        form.push("code_challenge_method", pkce.method.name());
    }
    if !implicit && client.scopes.iter().any(|scope| scope == "openid") {
        form.push("nonce", chance.text());
    }
    for (name, value) in &client.extra_authorize {
        form.push(name, value);
    }
    (form, pkce.map(|pkce| pkce.verifier))
}

/// What is sent in place of a pushed request (RFC 9126 section 4).
fn reference(client: &Client, pushed: &Record) -> Result<Form, Unset> {
    let uri = pushed.got("request_uri").ok_or_else(|| Unset("request_uri".into()))?;
    let mut form = Form::default();
    form.push("client_id", &client.client_id);
    form.push("request_uri", super::record::text_of(&uri));
    Ok(form)
}

/// What a back-channel request is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Which request.
    pub verb: Verb,
    /// Where it goes.
    pub endpoint: &'a str,
    /// Who sends it; requests for documents have nobody.
    pub client: Option<&'a Client>,
    /// The grant type of a token request.
    pub grant: &'a str,
    /// The result that it continues.
    pub from: Option<&'a Record>,
    /// The token that it is about.
    pub token: Option<String>,
    /// The parameters that it begins with: those of a pushed request.
    pub form: Form,
    /// The deviations.
    pub edits: &'a Edits,
}

/// A back-channel request.
///
/// # Errors
/// [`Unset`] where a variable, or what the request continues, has no value.
pub fn back_channel(parts: &Parts<'_>, names: &Names<'_>) -> Result<Ready, Unset> {
    let mut form = parts.form.clone();
    let mut headers = Headers::new();
    match parts.verb {
        Verb::Token => grant(&mut form, parts, names)?,
        Verb::Revoke | Verb::Introspect => form.push("token", parts.token.as_deref().unwrap_or_default()),
        Verb::Userinfo | Verb::Resource => bearer(&mut headers, parts, names)?,
        Verb::Device => device(&mut form, parts),
        Verb::Par | Verb::Register | Verb::Metadata | Verb::Jwks => {}
    }
    let speaks_form = matches!(parts.verb, Verb::Token | Verb::Revoke | Verb::Introspect | Verb::Par | Verb::Device);
    if let Some(client) = parts.client.filter(|_| speaks_form) {
        authenticate(&mut form, &mut headers, client, parts.edits.auth.as_ref(), names)?;
        if parts.verb == Verb::Token {
            // A scope in a refresh request narrows the grant (RFC 6749 section 6), and with a device code it was said before (RFC 8628
            // section 3.1): one that is sent along everywhere has no place there.
            let fits = |name: &str| name != "scope" || !matches!(parts.grant, "refresh_token" | DEVICE_GRANT);
            client.extra_token.iter().filter(|(name, _)| fits(name)).for_each(|(name, value)| form.push(name, value));
        }
    }
    form.edit(parts.edits, names)?;
    if parts.verb == Verb::Par {
        leave_out_needless_nonce(&mut form, parts.edits);
    }
    assemble(parts, &form, headers, speaks_form, names)
}

/// A registration request (RFC 7591 section 3.1): the metadata that are asked for, with their edits.
///
/// # Errors
/// [`Unset`] where a variable has no value.
pub fn registration(endpoint: &str, metadata: Json, edits: &Edits, names: &Names<'_>) -> Result<Ready, Unset> {
    let mut metadata = match metadata {
        Json::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for name in &edits.unset {
        metadata.shift_remove(name);
    }
    for (name, value) in &edits.members {
        metadata.insert(name.clone(), names.json(value)?);
    }
    let sent = metadata.iter().map(|(name, value)| (name.as_str(), super::record::text_of(value))).collect();
    let mut query = Form::default();
    for (name, value) in &edits.query {
        query.set_encoded(name, names.encoded(value)?);
    }
    let method = edits.method.clone().unwrap_or_else(|| "POST".into());
    let has_body = method != "GET";
    let mut request = Request::new(method, with_query(endpoint, &query.encode()));
    request.headers.push("Accept", "application/json");
    if has_body {
        request.headers.push("Content-Type", "application/json");
        request.body = Json::Object(metadata).to_string().into_bytes();
    }
    if let Some(content_type) = &edits.content_type {
        let content_type = names.plain(content_type)?;
        request.headers.remove("Content-Type");
        if !content_type.is_empty() {
            request.headers.push("Content-Type", content_type);
        }
    }
    if let Some(body) = &edits.body {
        request.body = names.plain(body)?;
    }
    set_headers(&mut request.headers, edits, names)?;
    Ok(Ready { request, sent, code_verifier: None })
}

/// Adds parameters to a URL that may have a query already.
#[must_use]
pub fn with_query(url: &str, query: &[u8]) -> String {
    if query.is_empty() {
        return url.to_owned();
    }
    let join = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    // Raw values may hold bytes that are no text: Latin-1 keeps each of them as one character, which the wire writes back as it was.
    let query = String::from_utf8(query.to_vec()).unwrap_or_else(|_| query.iter().map(|&b| char::from(b)).collect());
    format!("{url}{join}{query}")
}

/// A nonce belongs to OpenID Connect. Where an edit took `openid` out of the scope it would be a second deviation, for which
/// some servers refuse the request.
fn leave_out_needless_nonce(form: &mut Form, edits: &Edits) {
    let edited = |name: &str| edits.set.iter().chain(&edits.add).any(|(n, _)| n == name);
    let openid = form.params().all("scope").any(|scope| scope.split(|&b| b == b' ').any(|token| token == b"openid"));
    if !openid && !edited("nonce") {
        form.remove("nonce");
    }
}

fn proof_key(mode: &str, chance: &mut Chance) -> Option<Pkce> {
    let method = ChallengeMethod::parse(mode)?;
    Some(Pkce::from_octets(chance.octets(), method))
}

fn grant(form: &mut Form, parts: &Parts<'_>, names: &Names<'_>) -> Result<(), Unset> {
    form.push("grant_type", parts.grant);
    if parts.grant == "password" {
        let user = names.target.users.first().ok_or_else(|| Unset("username".into()))?;
        form.push("username", &user.username);
        form.push("password", &user.password);
    }
    let Some(from) = parts.from else { return Ok(()) };
    if parts.grant == "refresh_token" {
        form.push(
            "refresh_token",
            super::record::text_of(&from.got("refresh_token").ok_or_else(|| Unset("refresh_token".into()))?),
        );
        return Ok(());
    }
    if parts.grant == DEVICE_GRANT {
        let code = from.got("device_code").ok_or_else(|| Unset("device_code".into()))?;
        form.push("device_code", super::record::text_of(&code));
        return Ok(());
    }
    form.push("code", super::record::text_of(&from.got("code").ok_or_else(|| Unset("code".into()))?));
    if let Some(uri) = from.sent.get("redirect_uri") {
        form.push("redirect_uri", uri.as_bytes());
    }
    if let Some(verifier) = from.code_verifier.as_ref().filter(|_| from.sent.has("code_challenge")) {
        form.push("code_verifier", verifier);
    }
    Ok(())
}

/// A device authorization request (RFC 8628 section 3.1); what the client sends along with authorization requests belongs here too.
fn device(form: &mut Form, parts: &Parts<'_>) {
    let Some(client) = parts.client else { return };
    if !client.scopes.is_empty() {
        form.push("scope", client.scopes.join(" "));
    }
    client.extra_authorize.iter().for_each(|(name, value)| form.push(name, value));
}

fn bearer(headers: &mut Headers, parts: &Parts<'_>, names: &Names<'_>) -> Result<(), Unset> {
    match &parts.edits.auth {
        Some(Auth::None) => {}
        Some(Auth::Header(value)) => headers.set("Authorization", names.plain(value)?),
        _ => headers.set("Authorization", format!("Bearer {}", parts.token.as_deref().unwrap_or_default())),
    }
    Ok(())
}

fn authenticate(
    form: &mut Form,
    headers: &mut Headers,
    client: &Client,
    auth: Option<&Auth>,
    names: &Names<'_>,
) -> Result<(), Unset> {
    let id = client.client_id.as_str();
    let secret = client.client_secret.as_deref().unwrap_or_default();
    let registered = match client.auth_method {
        AuthMethod::Basic => Auth::Basic,
        AuthMethod::Post => Auth::Post,
        AuthMethod::None => Auth::None,
    };
    match auth.unwrap_or(&registered) {
        Auth::Basic => headers.set("Authorization", basic(id.as_bytes(), secret.as_bytes(), AuthEncoding::Form)),
        Auth::Post => in_body(form, id, secret),
        Auth::Both => {
            headers.set("Authorization", basic(id.as_bytes(), secret.as_bytes(), AuthEncoding::Form));
            in_body(form, id, secret);
        }
        Auth::None => form.push_once("client_id", id),
        Auth::Credentials { id, secret, encode } => {
            headers.set("Authorization", basic(&names.plain(id)?, &names.plain(secret)?, *encode));
        }
        Auth::Header(value) => headers.set("Authorization", names.plain(value)?),
    }
    Ok(())
}

fn in_body(form: &mut Form, id: &str, secret: &str) {
    form.push_once("client_id", id);
    form.push("client_secret", secret);
}

/// HTTP Basic; id and secret are form-encoded first (RFC 6749 section 2.3.1) or taken as they are.
fn basic(id: &[u8], secret: &[u8], encode: AuthEncoding) -> String {
    let pair = match encode {
        AuthEncoding::Form => format!("{}:{}", encoding::form(id), encoding::form(secret)).into_bytes(),
        AuthEncoding::Raw => [id, b":", secret].concat(),
    };
    format!("Basic {}", encoding::base64(pair))
}

fn assemble(parts: &Parts<'_>, form: &Form, mut headers: Headers, speaks_form: bool, names: &Names<'_>) -> Result<Ready, Unset> {
    let edits = parts.edits;
    let mut query = Form::default();
    for (name, value) in &edits.query {
        query.set_encoded(name, names.encoded(value)?);
    }
    let carries_form = speaks_form || !form.0.is_empty();
    let method = edits.method.clone().unwrap_or_else(|| if carries_form { "POST".into() } else { "GET".into() });
    let sent = form.params();
    // A form in a GET goes into the query: that is what a client that uses the wrong method would do.
    let in_query = carries_form && method == "GET";
    let mut encoded_query = query.encode();
    if in_query {
        if !encoded_query.is_empty() {
            encoded_query.push(b'&');
        }
        encoded_query.extend(form.encode());
    }
    let mut request = Request::new(method, with_query(parts.endpoint, &encoded_query));
    if carries_form && !in_query {
        headers.set("Content-Type", "application/x-www-form-urlencoded");
        request.body = form.encode();
    }
    if let Some(content_type) = &edits.content_type {
        let content_type = names.plain(content_type)?;
        headers.remove("Content-Type");
        if !content_type.is_empty() {
            headers.push("Content-Type", content_type);
        }
    }
    if let Some(body) = &edits.body {
        request.body = names.plain(body)?;
    }
    request.headers = headers;
    set_headers(&mut request.headers, edits, names)?;
    if edits.chunked {
        request.headers.set("Transfer-Encoding", "chunked");
        request.body = chunks(&request.body);
    }
    Ok(Ready { request, sent, code_verifier: None })
}

/// A body in chunks of a few bytes, with the last one of no bytes (RFC 9112 section 7.1).
fn chunks(body: &[u8]) -> Vec<u8> {
    const SIZE: usize = 16;
    let mut out = Vec::new();
    for chunk in body.chunks(SIZE) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn set_headers(headers: &mut Headers, edits: &Edits, names: &Names<'_>) -> Result<(), Unset> {
    for (name, value) in &edits.headers {
        headers.set(name, names.plain(value)?);
    }
    for (name, value) in &edits.add_headers {
        headers.push(name, names.plain(value)?);
    }
    Ok(())
}

/// A value as bytes for a raw request's header or body.
///
/// # Errors
/// [`Unset`] where a variable has no value.
pub fn raw<'v>(
    url: String,
    method: &str,
    headers: impl Iterator<Item = &'v (String, Value)>,
    body: Option<&Value>,
    names: &Names<'_>,
) -> Result<Ready, Unset> {
    let mut request = Request::new(method, url);
    for (name, value) in headers {
        request.headers.push(name, names.plain(value)?);
    }
    if let Some(body) = body {
        request.body = names.plain(body)?;
    }
    let sent = Params::parse_lossy(request.query().unwrap_or_default().as_bytes());
    Ok(Ready { request, sent, code_verifier: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization_request() -> Form {
        let mut form = Form::default();
        form.push("scope", "openid profile");
        form.push("nonce", "n-0S6_WzA2Mj");
        form
    }

    #[test]
    fn a_nonce_goes_with_openid() {
        for (scope, kept) in [(Some("openid"), true), (Some("profile openid"), true), (Some("profile"), false), (None, false)] {
            let mut form = authorization_request();
            form.remove("scope");
            scope.into_iter().for_each(|scope| form.push("scope", scope));
            leave_out_needless_nonce(&mut form, &Edits::default());
            assert_eq!(form.params().has("nonce"), kept, "{scope:?}");
        }
    }
}
