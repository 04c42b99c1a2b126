//! The authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207) and the ways in which it reaches the client.

use super::decision::{AuthorizationResponse, Success};
use super::pages;
use super::render::{self, Setting};
use crate::oauth::{Params, Response};
use crate::policy::{AuthorizeCause, AuthorizePolicy, Via};

/// Renders an authorization response. The policy of the authorization request rules, not that of the form that completed it.
pub(super) fn render(answer: &AuthorizationResponse, setting: Setting<'_>, signed: &mut Vec<(u64, String)>) -> Response {
    let setting = Setting { policy: &answer.effective.policy, ..setting };
    let settings = &setting.policy.authorize;
    let (mut params, with_state, with_iss, via) = match &answer.result {
        Ok(success) => (granted(success, setting, signed), settings.state, settings.iss, settings.via),
        Err(cause) => (refused(*cause, setting), settings.state_on_error, settings.iss_on_error, settings.error_via),
    };
    let error_last = answer.result.as_ref().is_err_and(|cause| setting.policy.errors.authorize.of(*cause).order == "error-last");
    let state = answer.state.as_deref().filter(|_| with_state).map(|state| changed(state, &settings.state_change));
    if let Some(state) = state.or_else(|| answer.invented_state.clone()) {
        params.push("state", state);
    }
    if with_iss {
        let issuer = if settings.iss_value.is_empty() { &setting.realm.issuer } else { &settings.iss_value };
        params.push("iss", issuer.as_str());
    }
    for (name, value) in &settings.extra {
        params.push(name.as_str(), value.as_str());
    }
    if error_last {
        let error = params.bytes("error").map(<[u8]>::to_vec);
        params.remove("error");
        error.into_iter().for_each(|error| params.push("error", error));
    }
    if answer.result.is_ok() && !settings.order.is_empty() {
        params = ordered(&params, &settings.order);
    }
    if answer.result.is_ok() {
        for name in &settings.twice {
            let value = params.bytes(name).map(<[u8]>::to_vec);
            value.into_iter().for_each(|value| params.push(name.as_str(), value));
        }
    }
    let own = answer.result.as_ref().err().and_then(|cause| match setting.policy.errors.authorize.of(*cause).via.as_str() {
        "query" => Some(Via::Query),
        "fragment" => Some(Via::Fragment),
        _ => None,
    });
    deliver(&answer.redirect_uri, &params, own.or(answer.via).unwrap_or(via), setting)
}

/// The parameters with those of these names in front, in this order.
fn ordered(params: &Params, order: &[String]) -> Params {
    let first = order.iter().flat_map(|name| params.iter().filter(move |(key, _)| *key == name.as_bytes()));
    let rest = params.iter().filter(|(key, _)| !order.iter().any(|name| *key == name.as_bytes()));
    first.chain(rest).collect()
}

fn granted(success: &Success, setting: Setting<'_>, signed: &mut Vec<(u64, String)>) -> Params {
    let mut params = Params::new();
    if let Some(code) = &success.code {
        params.push("code", code.as_str());
    }
    let access = success.access.as_ref().map(|access| (render::access_token(access, setting, signed), access.lifetime));
    if let Some((token, lifetime)) = &access {
        params.push("access_token", token.as_str());
        let policy = setting.policy;
        let of_implicit = Some(policy.implicit.token_type.as_str()).filter(|kind| !kind.is_empty());
        params.push("token_type", of_implicit.unwrap_or(&policy.response.token_type));
        params.push("expires_in", lifetime.to_string());
    }
    if let Some(scope) = &success.scope {
        params.push("scope", scope.as_str());
    }
    if let Some(token) = &success.id_token {
        let access = access.as_ref().map(|(token, _)| token.as_str());
        params.push("id_token", render::id_token(token, access, success.code.as_deref(), setting));
    }
    params
}

fn refused(cause: AuthorizeCause, setting: Setting<'_>) -> Params {
    let rendered = setting.policy.errors.authorize.of(cause);
    let mut params = Params::new();
    params.push("error", rendered.error.as_str());
    if setting.policy.authorize.description && !rendered.description.is_empty() {
        params.push("error_description", rendered.description.as_str());
    }
    params
}

fn deliver(redirect_uri: &str, params: &Params, via: Via, setting: Setting<'_>) -> Response {
    let policy = setting.policy;
    let settings = &policy.authorize;
    if via == Via::FormPost {
        let mut response = render::html(200, pages::form_post(redirect_uri, params), policy);
        if !policy.pages.content_security_policy.is_empty() {
            let script = format!("{}; script-src {}", policy.pages.content_security_policy, pages::form_post_script());
            response.headers.set("Content-Security-Policy", script);
        }
        return response;
    }
    let mut response = Response::new(settings.redirect_status);
    response.headers.push("Location", location(redirect_uri, &params.encode(), via, settings));
    response.headers.push("Cache-Control", "no-store");
    if !policy.pages.referrer_policy.is_empty() {
        response.headers.push("Referrer-Policy", policy.pages.referrer_policy.as_str());
    }
    response
}

/// The redirect URI with the parameters added (RFC 6749 section 3.1.2: a query that is there is kept).
fn location(redirect_uri: &str, encoded: &str, via: Via, settings: &AuthorizePolicy) -> String {
    // A fragment in the redirect URI would swallow the query.
    let (uri, _) = redirect_uri.split_once('#').unwrap_or((redirect_uri, ""));
    let (bare, query) = uri.split_once('?').map_or((uri, None), |(bare, query)| (bare, Some(query)));
    let query = query.filter(|query| settings.keep_query && !query.is_empty());
    let text = match (via, query) {
        (Via::Fragment, Some(query)) => format!("{bare}?{query}#{encoded}"),
        (Via::Fragment, None) => format!("{bare}#{encoded}"),
        (_, Some(query)) => format!("{bare}?{query}&{encoded}"),
        (_, None) => format!("{bare}?{encoded}"),
    };
    let attached = via == Via::Query && !settings.fragment.is_empty();
    let text = if attached { format!("{text}#{}", settings.fragment) } else { text };
    sanitised(&text)
}

/// No byte that could end the header field or that no URI may hold: policies may let any redirect URI through.
fn sanitised(uri: &str) -> String {
    let mut out = String::with_capacity(uri.len());
    for byte in uri.bytes() {
        match byte {
            0x21..=0x7E => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What careless servers do to `state` and `nonce` on their way.
pub(super) fn changed(state: &str, change: &str) -> String {
    match change {
        "append" => format!("{state}x"),
        "lower-case" => state.to_lowercase(),
        "truncate" => state.chars().take(64).collect(),
        "html-escape" => state.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        "decode-twice" => {
            let decoded = crate::oauth::encoding::from_form(state.as_bytes());
            decoded.map_or_else(|| state.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
        }
        "plus-to-blank" => state.replace('+', " "),
        "trim" => state.trim().to_owned(),
        _ => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_kept_and_fragments_are_not() {
        let settings = AuthorizePolicy::default();
        let to = |uri, via| location(uri, "code=1", via, &settings);
        assert_eq!(to("https://c.example/cb", Via::Query), "https://c.example/cb?code=1");
        assert_eq!(to("https://c.example/cb?a=1", Via::Query), "https://c.example/cb?a=1&code=1");
        assert_eq!(to("https://c.example/cb?a=1#x", Via::Fragment), "https://c.example/cb?a=1#code=1");
        assert_eq!(to("https://c.example/c b\r\nX: y", Via::Query), "https://c.example/c%20b%0D%0AX:%20y?code=1");
        let lossy = AuthorizePolicy { keep_query: false, fragment: "_".into(), ..AuthorizePolicy::default() };
        assert_eq!(location("https://c.example/cb?a=1", "code=1", Via::Query, &lossy), "https://c.example/cb?code=1#_");
    }

    #[test]
    fn state_can_suffer() {
        assert_eq!(changed("A+b%41<", "none"), "A+b%41<");
        assert_eq!(changed("A+b%41<", "lower-case"), "a+b%41<");
        assert_eq!(changed("A+b%41<", "decode-twice"), "A bA<");
        assert_eq!(changed("A+b%41<", "html-escape"), "A+b%41&lt;");
        assert_eq!(changed("A+b", "plus-to-blank"), "A b");
        assert_eq!(changed(&"x".repeat(80), "truncate").len(), 64);
    }
}
