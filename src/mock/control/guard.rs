//! Who may use the control paths: whoever has the token; without one, whoever is on this machine and no web page of somebody else.

use aws_lc_rs::{constant_time, digest, hmac};
use axum::http::HeaderMap;
use url::{Host, Url};

use super::trouble::Trouble;
use crate::mock::realms::Realms;
use crate::oauth::encoding::base64url;

/// The cookie of a browser in which the token was entered.
pub(super) const COOKIE: &str = "oauthspec_control";

/// Whether a request may come from a page of another site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    Refused,
    Allowed,
}

/// Lets a request through, or says why not.
pub(super) fn check(realms: &Realms, headers: &HeaderMap, foreign: Foreign) -> Result<(), Trouble> {
    let same_site = |realms: &Realms, headers: &HeaderMap| match foreign {
        Foreign::Refused => same_site(realms, headers),
        Foreign::Allowed => Ok(()),
    };
    let rules = realms.rules();
    match &rules.control_token {
        Some(token) if bearer(headers).is_some_and(|given| same(given, token)) => Ok(()),
        Some(token) if cookie(headers).is_some_and(|given| same(given, &pass(token))) => same_site(realms, headers),
        Some(_) => {
            let detail = "the control paths ask for the token that was given at start, as `Authorization: Bearer TOKEN`";
            Err(Trouble::new(401, "Unauthorized", detail))
        }
        None if rules.open_control => {
            own_host(realms, headers)?;
            same_site(realms, headers)
        }
        None => {
            let detail = "the server listens beyond the loopback interface and no control token was given at start";
            Err(Trouble::new(403, "Forbidden", detail))
        }
    }
}

/// Whether a token that was typed in is the right one.
pub(super) fn is_token(realms: &Realms, given: &str) -> bool {
    realms.rules().control_token.as_deref().is_some_and(|token| same(given, token))
}

/// What the cookie of a browser holds: it proves that the token was known, and does not tell it.
pub(super) fn pass(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    base64url(hmac::sign(&key, b"oauthspec control page"))
}

/// No page of another site may send requests in the name of the person before the browser: with their cookie, or, where there is no
/// token, by their being on this machine.
fn same_site(realms: &Realms, headers: &HeaderMap) -> Result<(), Trouble> {
    let foreign =
        |what: &str| Err(Trouble::new(403, "Forbidden", format!("the request comes from a page of another site ({what})")));
    if let Some(site) = text(headers, "sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return foreign(&format!("Sec-Fetch-Site: {site}"));
    }
    match text(headers, "origin") {
        Some(origin) if !is_own_origin(realms, headers, origin) => foreign(&format!("Origin: {origin}")),
        _ => Ok(()),
    }
}

/// A name that somebody made to point to this machine is none of ours (DNS rebinding).
fn own_host(realms: &Realms, headers: &HeaderMap) -> Result<(), Trouble> {
    let host = text(headers, "host").unwrap_or_default();
    let named = Url::parse(&format!("http://{host}/")).ok();
    let loopback = named.as_ref().is_some_and(is_loopback);
    let own = Url::parse(realms.base_url()).ok();
    let public = own.as_ref().and_then(Url::host_str).is_some_and(|own| named.as_ref().and_then(Url::host_str) == Some(own));
    if loopback || public {
        return Ok(());
    }
    let detail =
        format!("the request is for the host `{host}`, and without a control token only this machine may use the control paths");
    Err(Trouble::new(403, "Forbidden", detail))
}

/// Whether a URL leads to whichever machine it is used on.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

/// An origin is ours if it names the host that the request is for, or the public one.
fn is_own_origin(realms: &Realms, headers: &HeaderMap, origin: &str) -> bool {
    let host = text(headers, "host").unwrap_or_default();
    origin == realms.origin() || origin.split_once("://").is_some_and(|(_, authority)| !host.is_empty() && authority == host)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all("cookie").into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Compares in a time that tells neither where two texts differ nor how long they are.
fn same(given: &str, wanted: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    constant_time::verify_slices_are_equal(hash(given).as_ref(), hash(wanted).as_ref()).is_ok()
}
