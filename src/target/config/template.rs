//! The commented `oauthspec.toml` that `oauthspec init` writes.

use crate::target::discovery::Discovery;

const TEMPLATE: &str = include_str!("../../../fixtures/oauthspec.toml");

/// The template, filled in with what the metadata says.
#[must_use]
pub fn template(discovery: Option<&Discovery>) -> String {
    let Some(discovery) = discovery else { return TEMPLATE.to_owned() };
    let mut out = TEMPLATE.replace("issuer = \"http://127.0.0.1:3000\"", &format!("issuer = {}", quoted(&discovery.issuer)));
    out = fill_endpoints(&out, discovery);
    if let Some(scopes) = list(discovery, "scopes_supported") {
        out = out.replace("scopes = [\"openid\"]", &format!("scopes = {scopes}"));
    }
    if let Some(grants) = list(discovery, "grant_types_supported") {
        out = out.replace("# grant_types it offers: unknown", &format!("# grant_types it offers: {grants}"));
    }
    if let Some(methods) = list(discovery, "token_endpoint_auth_methods_supported") {
        out = out.replace("# methods it offers: unknown", &format!("# methods it offers: {methods}"));
    }
    out
}

/// Puts the endpoints that were found behind those that stand commented out.
fn fill_endpoints(text: &str, discovery: &Discovery) -> String {
    let endpoints = discovery.endpoints();
    let fill = |line: &str| {
        let found = line
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once(" = "))
            .and_then(|(name, _)| endpoints.get(name).map(|url| (name, url)));
        match found {
            Some((name, url)) if line.contains("://as.example/") => format!("# {name} = {}", quoted(url)),
            _ => line.to_owned(),
        }
    };
    text.lines().map(|line| fill(line) + "\n").collect()
}

fn list(discovery: &Discovery, member: &str) -> Option<String> {
    let values = discovery.metadata.get(member)?.as_array()?;
    let texts: Vec<String> = values.iter().filter_map(|value| value.as_str()).map(quoted).collect();
    if texts.is_empty() { None } else { Some(format!("[{}]", texts.join(", "))) }
}

/// A TOML string; JSON's escapes are TOML's too, and what the server says must not end the line.
fn quoted(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    serde_json::Value::from(clean).to_string()
}
