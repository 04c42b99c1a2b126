//! A user with a browser, for tests of clients that have none: follows redirects, fills in the realm's pages, stops at the client's door.

use super::Realm;
use crate::oauth::{Params, Request, Response};

/// How many pages and redirects a visit may take.
const STEPS: usize = 10;

/// A visit that did not end at the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the visit ended at {url}, answered {status}: {text}")]
pub struct Stuck {
    /// Where.
    pub url: String,
    /// With which status.
    pub status: u16,
    /// What stood there, without markup.
    pub text: String,
}

/// What the user answers on the consent page.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Approve,
    Deny,
}

/// A browser with its cookies.
struct Visit<'a> {
    realm: &'a Realm,
    username: &'a str,
    answer: Answer,
    cookies: Vec<(String, String)>,
}

impl Realm {
    /// Opens an authorization request as a user of the realm would, logs in, agrees, and gives the URL at which the browser then
    /// leaves the realm: the redirect URI with the authorization response. The client itself is not called.
    ///
    /// ```
    /// use oauthspec::mock::{MockClient, MockServer};
    ///
    /// let client = MockClient::public("app").redirect_uri("http://127.0.0.1/callback");
    /// let server = MockServer::builder().client(client).start_blocking()?;
    /// let request = format!(
    ///     "{}/authorize?response_type=code&client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&state=s&scope=profile\
    ///      &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
    ///     server.issuer()
    /// );
    /// assert!(server.realm().approve(&request, "alice")?.starts_with("http://127.0.0.1/callback?code="));
    /// assert!(server.realm().deny(&request, "alice")?.contains("error=access_denied"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Stuck`] where it ends elsewhere: on an error page, or for a user that the realm does not have.
    pub fn approve(&self, authorization_url: &str, username: &str) -> Result<String, Stuck> {
        Visit { realm: self, username, answer: Answer::Approve, cookies: Vec::new() }.go(authorization_url)
    }

    /// The same, but the user refuses consent.
    ///
    /// # Errors
    /// As [`Realm::approve`].
    pub fn deny(&self, authorization_url: &str, username: &str) -> Result<String, Stuck> {
        Visit { realm: self, username, answer: Answer::Deny, cookies: Vec::new() }.go(authorization_url)
    }
}

impl Visit<'_> {
    fn go(mut self, url: &str) -> Result<String, Stuck> {
        let origin = origin(url).to_owned();
        let here = |target: &str| if target.starts_with('/') { format!("{origin}{target}") } else { target.to_owned() };
        let mut request = Request::get(url);
        let mut response = self.send(&request);
        for _ in 0..STEPS {
            let next = match response.headers.get("location") {
                Some(location) => Request::get(here(&location)),
                None => match Form::read(&response.text()) {
                    Some(form) => Request::post_form(here(&form.action), &self.filled(&form)),
                    None => break,
                },
            };
            if !next.url.starts_with(&format!("{origin}/")) {
                let body = String::from_utf8_lossy(&next.body);
                return Ok(if body.is_empty() { next.url } else { format!("{}?{body}", next.url) });
            }
            request = next;
            response = self.send(&request);
        }
        let text = text_of(&response.text());
        Err(Stuck { url: request.url, status: response.status, text })
    }

    fn send(&mut self, request: &Request) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.clone().with("Accept", "text/html").with("Cookie", cookies.join("; "));
        let response = self.realm.handle(&request);
        for field in response.headers.all("set-cookie").map(String::from_utf8_lossy) {
            if let Some((name, value)) = field.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    fn filled(&self, form: &Form) -> Params {
        let users = self.realm.users();
        let password = users.iter().find(|user| user.username == self.username).map_or("", |user| user.password.as_str());
        let mut params = Params::new();
        for (name, value) in &form.inputs {
            match name.as_str() {
                "username" => params.push("username", self.username),
                "password" => params.push("password", password),
                _ => params.push(name.as_str(), value.as_str()),
            }
        }
        if form.asks {
            params.push("decision", if matches!(self.answer, Answer::Approve) { "approve" } else { "deny" });
        }
        params
    }
}

/// A form of the realm's own pages.
struct Form {
    action: String,
    inputs: Vec<(String, String)>,
    /// Whether it has the buttons that decide.
    asks: bool,
}

impl Form {
    fn read(page: &str) -> Option<Self> {
        let (_, rest) = page.split_once("<form")?;
        let form = rest.split("</form>").next()?;
        let tag = form.split('>').next()?;
        let inputs = form.split("<input").skip(1).filter_map(|input| {
            let tag = input.split('>').next()?;
            Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
        });
        Some(Self { action: attribute(tag, "action")?, inputs: inputs.collect(), asks: form.contains("name=\"decision\"") })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

/// What a page says, for messages.
fn text_of(page: &str) -> String {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let words = body.split('<').filter_map(|part| part.split_once('>').map_or(Some(part), |(_, text)| Some(text)));
    let text: Vec<&str> = words.flat_map(str::split_whitespace).take(60).collect();
    text.join(" ")
}
