//! Client metadata of a registration request (RFC 7591 section 2): what of it is registered, replaced, ignored or refused.

use serde_json::{Map, Value};
use url::Url;

use super::call::Call;
use super::metadata;
use super::redirect_uri::Parts;
use super::state::State;
use super::{ClientKind, MockClient};
use crate::oauth::Scope;
use crate::policy::{Policy, RegistrationCause, RegistrationPolicy, Unknown, Unsupported};

/// Why a registration is refused.
pub(super) struct Fault {
    pub(super) cause: RegistrationCause,
    /// What exactly is wrong.
    pub(super) detail: String,
}

/// The members that decide what a client may do.
const DECISIVE: [&str; 7] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "scope",
    "application_type",
    "require_pushed_authorization_requests",
];

/// The members that are kept and told, and have no further effect here.
const TOLD: [&str; 10] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "contacts",
    "jwks_uri",
    "jwks",
    "software_id",
    "software_version",
];

/// Those of them that are addresses of pages and pictures.
const LINKS: [&str; 4] = ["client_uri", "logo_uri", "tos_uri", "policy_uri"];

/// The client that the metadata describe; it has no identifier and no secret yet.
pub(super) fn read(call: &Call<'_>, policy: &Policy, state: &State) -> Result<MockClient, Fault> {
    let settings = &policy.registration;
    if settings.check_content_type && call.media_type() != "application/json" {
        return Err(malformed("send application/json"));
    }
    let document: Value = serde_json::from_slice(&call.request.body).map_err(|_| malformed("the body is no JSON"))?;
    let members = document.as_object().ok_or_else(|| malformed("the body is no JSON object"))?;
    if settings.unknown == Unknown::Refuse
        && let Some(name) = members.keys().find(|name| !is_known(name))
    {
        return Err(wrong(format!("{name} is not known")));
    }
    let auth_method = auth_method(members, policy)?;
    let grant_types = grant_types(members, policy)?;
    let kind = match text(members, "application_type")? {
        None | Some("web") => ClientKind::Web,
        Some("native") => ClientKind::Native,
        Some(_) => return Err(wrong("application_type is web or native")),
    };
    Ok(MockClient {
        client_id: String::new(),
        client_secret: None,
        auth_method,
        redirect_uris: redirect_uris(members, &grant_types, kind, settings)?,
        grant_types,
        scopes: scopes(members, policy, state)?,
        kind,
        may_introspect: false,
        require_par: members.get("require_pushed_authorization_requests") == Some(&Value::Bool(true)),
        secret_expires: None,
        metadata: told(members, settings)?,
    })
}

fn auth_method(members: &Map<String, Value>, policy: &Policy) -> Result<String, Fault> {
    let asked = text(members, "token_endpoint_auth_method")?.unwrap_or("client_secret_basic");
    let offered = &policy.client_auth.methods;
    if offered.iter().any(|method| method == asked) {
        return Ok(asked.to_owned());
    }
    let secret = || offered.iter().find(|method| method.starts_with("client_secret")).or(offered.first());
    match (policy.registration.unsupported, secret()) {
        (Unsupported::Replace, Some(method)) => Ok(method.clone()),
        (Unsupported::Accept, _) => Ok(asked.to_owned()),
        _ => Err(wrong("this token_endpoint_auth_method is not supported")),
    }
}

/// The grant types, after they were held against the response types (RFC 7591 section 2.1).
fn grant_types(members: &Map<String, Value>, policy: &Policy) -> Result<Vec<String>, Fault> {
    let settings = &policy.registration;
    let mut grants = list(members, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".into()]);
    let offered = |grant: &String| policy.grants().contains(grant) || grant == "implicit";
    match settings.unsupported {
        Unsupported::Refuse if !grants.iter().all(offered) => return Err(wrong("one of grant_types is not supported")),
        Unsupported::Replace => grants.retain(offered),
        Unsupported::Refuse | Unsupported::Accept => {}
    }
    let Some(mut types) = list(members, "response_types")? else { return Ok(grants) };
    let offered = |kind: &String| policy.response_types().contains(kind);
    match settings.unsupported {
        Unsupported::Refuse if !types.iter().all(offered) => return Err(wrong("one of response_types is not supported")),
        Unsupported::Replace => types.retain(offered),
        Unsupported::Refuse | Unsupported::Accept => {}
    }
    let with_code = types.iter().any(|kind| kind.split(' ').any(|word| word == "code"));
    let by_code = grants.iter().any(|grant| grant == "authorization_code");
    match settings.inconsistent {
        Unsupported::Refuse if with_code != by_code => Err(Fault {
            cause: RegistrationCause::Inconsistent,
            detail: "the response type code goes with the grant type authorization_code".into(),
        }),
        Unsupported::Replace if with_code && !by_code => {
            grants.push("authorization_code".into());
            Ok(grants)
        }
        Unsupported::Refuse | Unsupported::Replace | Unsupported::Accept => Ok(grants),
    }
}

fn redirect_uris(
    members: &Map<String, Value>,
    grants: &[String],
    kind: ClientKind,
    settings: &RegistrationPolicy,
) -> Result<Vec<String>, Fault> {
    let uris = list(members, "redirect_uris")?.unwrap_or_default();
    let redirects = grants.iter().any(|grant| matches!(grant.as_str(), "authorization_code" | "implicit"));
    if uris.is_empty() && redirects && settings.require_redirect_uris {
        return Err(redirect_uri("this client needs redirect_uris"));
    }
    for uri in &uris {
        check_redirect_uri(uri, kind, settings)?;
    }
    Ok(uris)
}

/// RFC 6749 section 3.1.2: absolute, without a fragment. RFC 7591 section 5: no plain http, but to a loopback address.
fn check_redirect_uri(uri: &str, kind: ClientKind, settings: &RegistrationPolicy) -> Result<(), Fault> {
    let parts = Parts::of(uri);
    let scheme = parts.scheme.to_ascii_lowercase();
    let well_formed = Url::parse(uri).is_ok() && uri.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
    if settings.check_redirect_form && !well_formed {
        return Err(redirect_uri("a redirect URI is not absolute"));
    }
    if settings.check_redirect_fragment && parts.fragment.is_some() {
        return Err(redirect_uri("a redirect URI has a fragment"));
    }
    if !settings.check_redirect_scheme || !well_formed {
        return Ok(());
    }
    match scheme.as_str() {
        "https" if !parts.host.is_empty() => Ok(()),
        "http" if parts.is_loopback() => Ok(()),
        "http" => Err(redirect_uri("a redirect URI uses http without being a loopback address")),
        // RFC 8252 section 7.1: schemes of native applications hold a domain name in reverse order.
        scheme if kind == ClientKind::Native && scheme.contains('.') => Ok(()),
        _ => Err(redirect_uri("a redirect URI has a scheme that is not allowed")),
    }
}

fn scopes(members: &Map<String, Value>, policy: &Policy, state: &State) -> Result<Vec<String>, Fault> {
    let known = metadata::scopes(state);
    let Some(scope) = text(members, "scope")? else { return Ok(known) };
    let asked = Scope::parse(scope).map_err(|_| wrong("scope is malformed"))?;
    let (offered, others): (Vec<&str>, Vec<&str>) = asked.iter().partition(|token| known.iter().any(|other| other == token));
    match policy.registration.unsupported {
        Unsupported::Refuse if !others.is_empty() => Err(wrong("a scope is not known")),
        Unsupported::Accept => Ok(asked.iter().map(str::to_owned).collect()),
        Unsupported::Refuse | Unsupported::Replace => Ok(offered.into_iter().map(str::to_owned).collect()),
    }
}

/// The members that are kept as they are.
fn told(members: &Map<String, Value>, settings: &RegistrationPolicy) -> Result<Map<String, Value>, Fault> {
    if settings.check_keys && members.contains_key("jwks") && members.contains_key("jwks_uri") {
        return Err(wrong("jwks and jwks_uri exclude each other"));
    }
    let mut kept = Map::new();
    // Where they are not held against the grant types, they are registered as they came.
    if let (Unsupported::Accept, Some(types)) = (settings.inconsistent, members.get("response_types")) {
        kept.insert("response_types".into(), types.clone());
    }
    for (name, value) in members.iter().filter(|(name, value)| TOLD.contains(&plain(name)) && !value.is_null()) {
        let right = match plain(name) {
            "contacts" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            "jwks" => value.get("keys").is_some_and(Value::is_array),
            link if LINKS.contains(&link) => value.as_str().is_some_and(|uri| !settings.check_links || is_web_address(uri)),
            _ => value.is_string(),
        };
        if !right {
            return Err(wrong(format!("{name} is not what it has to be")));
        }
        kept.insert(name.clone(), value.clone());
    }
    Ok(kept)
}

fn is_web_address(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_known(name: &str) -> bool {
    DECISIVE.contains(&name) || TOLD.contains(&plain(name))
}

/// A name without its language tag (RFC 7591 section 2.2).
fn plain(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Fault> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(format!("{name} is no string"))),
    }
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Fault> {
    let fault = || wrong(format!("{name} is no list of strings"));
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(fault));
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(fault()),
    }
}

fn malformed(detail: &str) -> Fault {
    Fault { cause: RegistrationCause::Malformed, detail: detail.to_owned() }
}

fn redirect_uri(detail: &str) -> Fault {
    Fault { cause: RegistrationCause::RedirectUri, detail: detail.to_owned() }
}

fn wrong(detail: impl Into<String>) -> Fault {
    Fault { cause: RegistrationCause::Metadata, detail: detail.into() }
}
