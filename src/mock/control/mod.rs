//! The control API below `/_oauthspec/`: makes realms, moves their clocks, reads their journals, says how they misbehave.
//!
//! `guard` says who may use it, `table` lists the routes, `route` binds each to a typed handler, `openapi` describes them.

mod ask;
mod catalog;
mod clients;
mod clock;
mod exchange;
mod expectations;
mod guard;
mod index;
mod journal;
mod keys;
mod openapi;
mod page;
mod policy;
mod realms;
mod route;
mod shape;
mod shapes;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod trouble;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::extract::Request as AxumRequest;
use axum::response::Response as AxumResponse;

use self::ask::Ask;
use self::guard::Foreign;
#[cfg(feature = "cli")]
pub(crate) use self::guard::is_loopback;
pub(super) use self::page::Flows;
use self::page::Wish;
use self::route::{Handler, Route};
use self::table::routes;
use self::trouble::Trouble;
use super::realms::Realms;
use super::{MockError, edge};
use crate::oauth::Response;
use crate::problem::nearest;

/// Where the control paths begin.
pub(super) const PREFIX: &str = "/_oauthspec";

/// Whether a path, as realms know it, is a control path.
pub(super) fn is_control(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request to a control path.
pub(super) async fn answer(realms: Arc<Realms>, request: AxumRequest) -> AxumResponse {
    let wants_page = wants_page(&request);
    match attend(Arc::clone(&realms), request).await {
        Ok(response) => response,
        Err(trouble) if wants_page => edge::plain(page::trouble(&realms, &trouble)),
        Err(trouble) => edge::plain(trouble.response()),
    }
}

/// Whether a person's browser asks.
fn wants_page(request: &AxumRequest) -> bool {
    let accept = request.headers().get("accept").and_then(|accept| accept.to_str().ok());
    ask::wants_page(accept.unwrap_or_default())
}

/// The answer to a request for which no realm could be made: what the control API says of it.
pub(super) fn refusal(error: &MockError) -> Response {
    realms::refused(error).response()
}

async fn attend(realms: Arc<Realms>, request: AxumRequest) -> Result<AxumResponse, Trouble> {
    let path = realms.local(request.uri().path()).strip_prefix(PREFIX).unwrap_or_default().to_owned();
    if path.is_empty() {
        let mut response = Response::new(308);
        response.headers.push("Location", format!("{}{PREFIX}/", realms.base_path()));
        return Ok(edge::plain(response));
    }
    if let Some(wish) = page::wish(request.method().as_str(), &path, wants_page(&request)) {
        return attend_person(realms, request, &path, &wish).await;
    }
    if path != HEALTH {
        guard::check(&realms, request.headers(), Foreign::Refused)?;
    }
    let (route, parts) = find(request.method().as_str(), &path)?;
    let request = match edge::read(request, &realms).await {
        Ok(request) => request,
        Err(refusal) => return Ok(edge::plain(refusal)),
    };
    let ask = Ask { realms, request, path: parts };
    match &route.handler {
        Handler::Now(handler) => Ok(edge::plain(guarded(|| handler(&ask))?)),
        Handler::Slow(handler) => {
            let handler = Arc::clone(handler);
            let answer = tokio::task::spawn_blocking(move || handler(&ask)).await;
            answer.unwrap_or_else(|_| Err(defect())).map(edge::plain)
        }
        Handler::Later(handler) => handler(ask).await.map(edge::plain),
        Handler::Stream(handler) => handler(&ask),
    }
}

/// Answers a person's browser.
async fn attend_person(realms: Arc<Realms>, request: AxumRequest, path: &str, wish: &Wish) -> Result<AxumResponse, Trouble> {
    let foreign = if wish.may_be_foreign() { Foreign::Allowed } else { Foreign::Refused };
    let allowed = guard::check(&realms, request.headers(), foreign);
    let request = match edge::read(request, &realms).await {
        Ok(request) => request,
        Err(refusal) => return Ok(edge::plain(refusal)),
    };
    match allowed {
        Err(trouble) if trouble.code() == 401 && *wish != Wish::SignIn => return Ok(edge::plain(page::sign_in(&realms, path))),
        Err(trouble) if trouble.code() != 401 => return Err(trouble),
        _ => {}
    }
    let ask = Ask { realms, request, path: Vec::new() };
    catch_unwind(AssertUnwindSafe(|| page::fulfil(&ask, wish))).unwrap_or_else(|_| Err(defect()))
}

/// The only path that needs no token: whoever looks after containers has none.
const HEALTH: &str = "/health";

/// The values of what stands in braces in the path of a route.
type Parts = Vec<(&'static str, String)>;

fn find(method: &str, path: &str) -> Result<(&'static Route, Parts), Trouble> {
    let here: Vec<_> = routes().iter().filter_map(|route| Some((route, route.fits(path)?))).collect();
    // A name that stands in full goes before one that may be anything.
    let fewest = here.iter().map(|(_, parts)| parts.len()).min();
    let methods: Vec<&str> =
        here.iter().filter(|(_, parts)| Some(parts.len()) == fewest).map(|(route, _)| route.method).collect();
    if methods.is_empty() {
        let near = nearest(path, routes().iter().map(|route| route.path));
        let near = near.map_or_else(String::new, |near| format!(", did you mean `{PREFIX}{near}`?"));
        return Err(Trouble::new(404, "Not found", format!("no control path is `{PREFIX}{path}`{near}")));
    }
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut found = here.into_iter().filter(|(route, parts)| route.method == wanted && Some(parts.len()) == fewest);
    found.next().ok_or_else(|| {
        let methods = methods.join(", ");
        Trouble::new(405, "Method not allowed", format!("`{PREFIX}{path}` takes {methods}, not {method}")).allow(methods)
    })
}

/// A panic costs this one request its answer, and nobody else anything.
fn guarded(answer: impl FnOnce() -> Result<Response, Trouble>) -> Result<Response, Trouble> {
    catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| Err(defect()))
}

fn defect() -> Trouble {
    Trouble::new(500, "Internal error", "the mock has a defect; please report it")
}
