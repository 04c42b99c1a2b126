//! A whole authorization code flow, as a browser and a client do it: redirects, forms, cookies, and the exchange of the code.

use std::collections::BTreeMap;
use std::io;

use oauthspec::oauth::{ChallengeMethod, Params, Pkce};

use crate::http::{Connection, Request, Response};
use crate::load;
use crate::subject::{Running, Subject};

/// What a user types and presses, by the names that the forms give it.
const ANSWERS: [(&str, &str); 5] =
    [("username", "alice"), ("password", "wonderland"), ("login", "alice"), ("sub", "alice"), ("decision", "approve")];

/// No flow takes as many steps.
const LONGEST: usize = 20;

/// One flow after another.
pub struct Flow<'a> {
    subject: &'a Subject,
    running: &'a Running,
    connection: Connection,
    count: u8,
    /// How many requests the latest flow took.
    pub requests: usize,
}

impl<'a> Flow<'a> {
    pub fn new(subject: &'a Subject, running: &'a Running) -> Self {
        Self { subject, running, connection: Connection::new(running.address), count: 0, requests: 0 }
    }

    /// One flow, in a new browser.
    pub fn run(&mut self) -> io::Result<()> {
        self.count = self.count.wrapping_add(1);
        let pkce = Pkce::from_octets([self.count; 32], ChallengeMethod::S256);
        let mut params = Params::new();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", &self.running.client.0),
            ("redirect_uri", &self.subject.redirect_uri),
            ("scope", &self.subject.scope),
            ("state", "state-0123456789"),
            ("nonce", "nonce-0123456789"),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
        ] {
            params.push(name, value);
        }
        self.requests = 0;
        let code = self.code(format!("{}?{}", self.subject.authorize, params.encode()))?;
        self.requests += 1;
        let mut params = Params::new();
        params.push("grant_type", "authorization_code");
        params.push("code", code);
        params.push("redirect_uri", self.subject.redirect_uri.as_str());
        params.push("code_verifier", pkce.verifier.as_str());
        let response = load::post(&mut self.connection, &self.subject.token, &self.running.client, params)?;
        if response.member("access_token").is_some() { Ok(()) } else { Err(unexpected(&response)) }
    }

    /// From the authorization request to the code.
    fn code(&mut self, first: String) -> io::Result<String> {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let (mut target, mut body): (_, Option<String>) = (first, None);
        for _ in 0..LONGEST {
            let response = self.visit(&target, body.as_deref(), &cookies)?;
            for (name, value) in response.fields("set-cookie").filter_map(|field| field.split(';').next()?.split_once('=')) {
                cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(location) = response.fields("location").next().filter(|_| (300..400).contains(&response.status)) {
                if let Some(query) = location.strip_prefix(&self.subject.redirect_uri) {
                    let params = Params::parse_lossy(query.trim_start_matches('?').as_bytes());
                    return params.get("code").map(std::borrow::Cow::into_owned).ok_or_else(|| unexpected(&response));
                }
                target = local(location, &target);
                body = None;
                continue;
            }
            let (action, params) = form(&response.body).ok_or_else(|| unexpected(&response))?;
            target = local(&action, &target);
            body = Some(params.encode());
        }
        Err(io::Error::other("the flow has no end"))
    }

    fn visit(&mut self, target: &str, body: Option<&str>, cookies: &BTreeMap<String, String>) -> io::Result<Response> {
        self.requests += 1;
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut fields = String::from("Accept: text/html\r\n");
        if !cookies.is_empty() {
            fields.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        if body.is_some() {
            fields.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        let method = if body.is_some() { "POST" } else { "GET" };
        self.connection.send(&Request { method, target, fields: &fields, body: body.unwrap_or_default() })
    }
}

fn unexpected(response: &Response) -> io::Error {
    io::Error::other(format!("unexpected answer: {} {}", response.head, response.body))
}

/// Path and query of a URL that a page or a redirect names.
fn local(url: &str, page: &str) -> String {
    let url = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url,
    };
    if url.is_empty() { page.to_owned() } else { url.replace("&amp;", "&") }
}

/// Where the first form of a page goes, and what is in it once it is filled in.
fn form(html: &str) -> Option<(String, Params)> {
    let form = &html[html.find("<form")?..];
    let form = &form[..form.find("</form").unwrap_or(form.len())];
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&").replace("&#43;", "+"))
    };
    let tag = |text: &str| text.split('>').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut tags = form.split('<').skip(1).map(tag);
    let action = attribute(&tags.next()?, "action").unwrap_or_default();
    let mut params = Params::new();
    for tag in tags.filter(|tag| tag.starts_with("input") || tag.starts_with("button")) {
        let Some(name) = attribute(&tag, "name") else { continue };
        let typed = ANSWERS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let value = typed.or_else(|| attribute(&tag, "value")).unwrap_or_default();
        // Of several buttons of one name one is pressed.
        params.set(&name, value);
    }
    Some((action, params))
}
