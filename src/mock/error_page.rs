//! The page on which errors are shown that are not redirected to a client, with what it says in its own query.

use super::call::Call;
use super::decision::{Decision, Outcome, Page};
use crate::oauth::Params;
use crate::policy::Policy;

/// Decides about a request to the error page.
pub(super) fn decide(call: &Call<'_>, policy: &Policy) -> Decision {
    if !matches!(call.request.method.as_str(), "GET" | "HEAD")
        && policy.paths.error.first().is_some_and(|first| is_at(call, first))
    {
        return Decision::method("GET");
    }
    let query = Params::parse_lossy(call.request.query().unwrap_or("").as_bytes());
    let error = query.get("error").map_or_else(|| "invalid_request".to_owned(), std::borrow::Cow::into_owned);
    let client = query.get("client_id").map(std::borrow::Cow::into_owned);
    let page = Page::Error { status: 400, error, description: String::new(), cause: "shown", allow: None, tell_client: false };
    Decision::new(Outcome::Page(page)).client(client)
}

fn is_at(call: &Call<'_>, path: &str) -> bool {
    call.request.path().ends_with(&format!("/{path}"))
}
