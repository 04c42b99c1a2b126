//! A browser for tests: keeps cookies, follows redirects within the server, fills forms.

use super::{CHALLENGE, client, place, url};
use crate::mock::Realm;
use crate::oauth::{Params, Request, Response};

pub(super) struct Browser<'a> {
    realm: &'a Realm,
    cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(realm: &'a Realm) -> Self {
        Self { realm, cookies: Vec::new() }
    }

    /// A right authorization request.
    pub(super) fn request(&self, id: &str) -> Params {
        let client = client(self.realm, id);
        let mut params = super::params(&[("response_type", "code"), ("client_id", id), ("state", "s t"), ("nonce", "n")]);
        params.push("redirect_uri", client.redirect_uris[0].as_str());
        params.push("scope", client.scopes.join(" "));
        params.push("code_challenge", CHALLENGE);
        params.push("code_challenge_method", "S256");
        params
    }

    /// Logs in as alice, approves, and returns the code.
    pub(super) fn code(&mut self, id: &str) -> String {
        let answer = self.complete(&self.request(id));
        answer.get("code").unwrap_or_else(|| panic!("{answer:?}")).into_owned()
    }

    /// Logs in as alice and approves; the parameters of the authorization response.
    pub(super) fn complete(&mut self, params: &Params) -> Params {
        response_params(&self.go(params, "approve"))
    }

    /// As far as it goes, with that answer to the question for consent.
    pub(super) fn go(&mut self, params: &Params, decision: &str) -> Response {
        let mut response = self.authorize(params);
        for _ in 0..6 {
            let title = title(&response);
            response = match title.as_str() {
                "Sign in" => {
                    let user = self.realm.users()[0].clone();
                    self.fill(&response, &[("username", &user.username), ("password", &user.password), ("decision", decision)])
                }
                "Consent" => self.fill(&response, &[("decision", decision)]),
                _ => return response,
            };
        }
        response
    }

    /// The authorization request, and what it leads to before the user does anything.
    pub(super) fn authorize(&mut self, params: &Params) -> Response {
        self.open(&format!("{}?{}", place(self.realm, "authorize"), params.encode()))
    }

    /// Opens an address.
    pub(super) fn open(&mut self, url: &str) -> Response {
        let response = self.send(Request::get(url));
        self.follow(response)
    }

    /// Sends the form of a page to where the page says, with all its hidden fields.
    pub(super) fn fill(&mut self, page: &Response, values: &[(&str, &str)]) -> Response {
        let text = page.text().into_owned();
        let action = attribute(text.split_once("<form").unwrap().1, "action").unwrap();
        let mut params = super::params(values);
        for input in text.split("<input type=\"hidden\"").skip(1) {
            params.push(attribute(input, "name").unwrap(), attribute(input, "value").unwrap_or_default());
        }
        let response = self.send(Request::post_form(format!("https://as.example{action}"), &params));
        self.follow(response)
    }

    /// Sends the form of a page, with its hidden fields.
    pub(super) fn submit(&mut self, page: &Response, endpoint: &str, values: &[(&str, &str)]) -> Response {
        let mut params = super::params(values);
        for name in ["transaction", "csrf"] {
            if let Some(value) = hidden(page, name) {
                params.push(name, value);
            }
        }
        let response = self.send(Request::post_form(url(endpoint), &params));
        self.follow(response)
    }

    pub(super) fn send(&mut self, request: Request) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = self.realm.handle(&request.with("Cookie", cookies.join("; ")));
        for field in response.headers.all("set-cookie") {
            let field = String::from_utf8_lossy(field);
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !field.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    pub(super) fn cookie_names(&self) -> Vec<&str> {
        self.cookies.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn follow(&mut self, mut response: Response) -> Response {
        while let Some(to) = response.headers.get("location").filter(|to| to.starts_with("https://as.example/")) {
            if to.contains("/error?") {
                break;
            }
            let request = Request::get(to.into_owned());
            response = self.send(request);
        }
        response
    }
}

/// The parameters that a redirect brings to the client.
pub(super) fn response_params(response: &Response) -> Params {
    let location = response.headers.get("location").unwrap_or_else(|| panic!("{} {}", response.status, response.text()));
    Params::parse(location.split_once('?').unwrap().1.as_bytes()).unwrap()
}

pub(super) fn title(response: &Response) -> String {
    let text = response.text().into_owned();
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or_else(String::new, |(title, _)| title.to_owned())
}

/// The value of an attribute of the tag that a text begins in, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&"))
}

fn hidden(page: &Response, name: &str) -> Option<String> {
    let text = page.text().into_owned();
    let (_, rest) = text.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
