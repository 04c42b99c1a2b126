//! The web application: starts it, and carries requests between sockets and its routes.

mod page;
mod routes;
mod session;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response as AxumResponse;
use http_body_util::{BodyExt as _, Limited};
use page::Page;
pub(super) use page::small;
use routes::{App, Asked};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::client::Client;
use super::{ClientPolicy, Settings};
use crate::oauth::Params;

/// The longest request body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// A web application with a login, on a loopback port of its own. It stops when it is dropped.
///
/// `/login` begins a login (`?issuer=2`: at the second server; `?return_to=/path`: with a page to go to afterwards), `/callback` is
/// its redirect URI, `/` says who is signed in, `/api` uses the token, `/logout` ends the session.
#[derive(Debug)]
pub struct WebApp {
    origin: String,
    task: JoinHandle<()>,
}

impl WebApp {
    /// Starts it on the current runtime; it accepts connections when this returns.
    ///
    /// # Errors
    /// Where no port can be listened on, or no requests can be sent.
    pub async fn start(settings: Settings, policy: ClientPolicy) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let client = Client::new(settings, policy).map_err(io::Error::other)?;
        let app = Arc::new(App::new(client, &origin));
        let router = Router::new().fallback(answer).with_state(app);
        let task = tokio::spawn(async move {
            // It ends with its task only.
            let _never = axum::serve(listener, router).await;
        });
        Ok(Self { origin, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Begins a login.
    #[must_use]
    pub fn start_url(&self) -> String {
        format!("{}/login", self.origin)
    }

    /// Begins a login at the second server.
    #[must_use]
    pub fn second_start_url(&self) -> String {
        format!("{}/login?issuer=2", self.origin)
    }

    /// The redirect URI.
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}/callback", self.origin)
    }

    /// Uses the access token.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api", self.origin)
    }

    /// Ends the session.
    #[must_use]
    pub fn logout_url(&self) -> String {
        format!("{}/logout", self.origin)
    }
}

impl Drop for WebApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(app): State<Arc<App>>, request: AxumRequest) -> AxumResponse {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return write(Page::new(413, "too long"));
    };
    let field = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cookie = field("cookie").unwrap_or_default();
    let session = cookie.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == session::COOKIE);
    let asked = Asked {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: Params::parse_lossy(head.uri.query().unwrap_or("").as_bytes()),
        form: Params::parse_lossy(&body.to_bytes()),
        session: session.map(|(_, value)| value.to_owned()),
        host: field("x-forwarded-host").or_else(|| field("host")),
    };
    write(app.answer(&asked).await)
}

fn write(page: Page) -> AxumResponse {
    let mut out = AxumResponse::new(Body::from(page.body));
    *out.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in page.headers {
        // What comes from outside may hold what no field can carry.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            out.headers_mut().append(name, value);
        }
    }
    out
}
