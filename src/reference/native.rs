//! The native client: opens a browser, waits on a loopback port for the redirect, and uses what it brings (RFC 8252).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::http::StatusCode;
use axum::response::Response as AxumResponse;
use http_body_util::{BodyExt as _, Limited};
use maud::html;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::account::Account;
use super::api::Called;
use super::begin::Pending;
use super::callback::Candidates;
use super::client::Client;
use super::trouble::{Kind, Trouble};
use super::web::small;
use super::{ClientPolicy, LoopbackName, NativeEnd, Settings};
use crate::oauth::Params;

/// The longest body of a response that comes by POST, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Logs in once and calls the API once.
///
/// `open` is given the URL that a browser has to open; the client goes on when it returns, so a browser that takes its time belongs
/// into a task of its own. The status is 0 where the client has a token that works.
pub async fn native(settings: Settings, policy: ClientPolicy, open: impl AsyncFnOnce(String)) -> NativeEnd {
    let client = match Client::new(settings, policy) {
        Ok(client) => client,
        Err(error) => return NativeEnd { status: 2, output: format!("{error}\n") },
    };
    match login(&client, open).await {
        Ok(account) => end(&client, &account).await,
        Err(trouble) => trouble.end(&client.policy).await,
    }
}

/// What a client says that has a token: whether it works, and for whom.
pub(super) async fn end(client: &Client, account: &Account) -> NativeEnd {
    let mut output = match client.call(account).await {
        Called::Served(_) => format!("signed in as {}\n", account.subject),
        Called::Unauthorized => return NativeEnd { status: 1, output: "the API refuses the token\n".into() },
        Called::Failed(status) => {
            return NativeEnd { status: 1, output: format!("the API answered with status {status}\n") };
        }
        Called::Trouble(trouble) => return trouble.end(&client.policy).await,
    };
    if let Some(tokens) = account.tokens.lock().await.as_ref().filter(|_| client.policy.native.prints_tokens) {
        output.push_str(&format!("access token {}\nrefresh token {}\n", tokens.access, tokens.refresh.as_deref().unwrap_or("-")));
    }
    NativeEnd { status: 0, output }
}

/// What arrives at the loopback port, and where the page for it goes.
struct Arrival {
    params: Params,
    page: oneshot::Sender<String>,
}

struct Door {
    path: Option<String>,
    arrivals: mpsc::Sender<Arrival>,
}

async fn login(client: &Client, open: impl AsyncFnOnce(String)) -> Result<Account, Trouble> {
    let policy = &client.policy.native;
    let provider = client.provider(1).await?;
    let host = if policy.everywhere { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let cannot = |error: std::io::Error| Trouble::new(Kind::NoAnswer, format!("no port can be listened on: {error}"));
    let listener = TcpListener::bind(SocketAddr::from((host, policy.port))).await.map_err(cannot)?;
    let port = listener.local_addr().map_err(cannot)?.port();
    let name = match policy.host {
        LoopbackName::Address => "127.0.0.1",
        LoopbackName::Localhost => "localhost",
    };
    let redirect_uri = format!("http://{name}:{port}{}", policy.path);
    let (url, login) = client.begin(&provider, &redirect_uri, None, client.policy.pkce.method)?;
    let (arrivals, mut arrived) = mpsc::channel(1);
    let door = Arc::new(Door { path: (!policy.any_path).then(|| policy.path.clone()), arrivals });
    let router = Router::new().fallback(receive).with_state(door);
    let (close, closed) = oneshot::channel::<()>();
    // The page is sent to its end before the port is closed.
    let serving = tokio::spawn(async move {
        let shut = async move {
            let _closed = closed.await;
        };
        let _ended = axum::serve(listener, router).with_graceful_shutdown(shut).await;
    });
    open(url).await;
    let arrival = tokio::time::timeout(Duration::from_secs(policy.wait), arrived.recv()).await.ok().flatten();
    let outcome = match arrival {
        Some(arrival) => received(client, &login, arrival).await,
        None => Err(Trouble::new(Kind::NoAnswer, "nobody came back from the browser")),
    };
    drop(arrived);
    let _told = close.send(());
    // A browser that keeps its connection open would keep the client from ending.
    let _closed = tokio::time::timeout(Duration::from_millis(500), serving).await;
    outcome
}

async fn received(client: &Client, login: &Pending, arrival: Arrival) -> Result<Account, Trouble> {
    let outcome = finish(client, login, &arrival.params).await;
    let shown = match &outcome {
        Ok(account) if client.policy.native.shows_tokens => {
            let tokens = account.tokens.lock().await;
            html! { p { "access token: " (tokens.as_ref().map_or("", |tokens| tokens.access.as_str())) } }
        }
        Ok(_) => html! { p { "You are signed in. Go back to the program." } },
        Err(trouble) => html! { p { "You are not signed in: " (trouble.message) } },
    };
    // The browser may have left.
    let _gone = arrival.page.send(small(&shown));
    outcome
}

async fn finish(client: &Client, login: &Pending, params: &Params) -> Result<Account, Trouble> {
    let response = client.read(params)?;
    let logins = std::slice::from_ref(login);
    let found = client.belongs(&response, Candidates { own: logins, all: logins })?;
    let provider = client.provider(login.provider).await?;
    let code = client.code(&response, &provider)?;
    client.sign_in(provider, found, &code, &login.redirect_uri).await
}

async fn receive(State(door): State<Arc<Door>>, request: AxumRequest) -> AxumResponse {
    let (head, body) = request.into_parts();
    if door.path.as_deref().is_some_and(|path| path != head.uri.path()) {
        return page(404, small(&html! { p { "There is no such page." } }));
    }
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else { return page(413, String::new()) };
    let query = head.uri.query().unwrap_or("");
    let params =
        if head.method == "POST" { Params::parse_lossy(&body.to_bytes()) } else { Params::parse_lossy(query.as_bytes()) };
    let (sender, shown) = oneshot::channel();
    // One response is waited for; who comes later is told so.
    if door.arrivals.send(Arrival { params, page: sender }).await.is_err() {
        return page(410, small(&html! { p { "This login is over." } }));
    }
    match shown.await {
        Ok(text) => page(200, text),
        Err(_) => page(410, small(&html! { p { "This login is over." } })),
    }
}

fn page(status: u16, text: String) -> AxumResponse {
    let mut out = AxumResponse::new(Body::from(text));
    *out.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fields = [("content-type", "text/html; charset=utf-8"), ("referrer-policy", "no-referrer"), ("connection", "close")];
    for (name, value) in fields {
        out.headers_mut().insert(name, axum::http::HeaderValue::from_static(value));
    }
    out
}
