//! `[client]`: what makes sense together.

use toml::Spanned;

use serde_json::Value;

use super::check::Checks;
use super::{ClientConfig, DrivenKind, FurtherIssuer, Restart, Serve, Success, file};
use crate::problem::nearest;
use crate::target::AuthMethod;

/// The grants that the mock can give a client.
const GRANTS: [&str; 6] = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code",
];

/// What a client under test can claim.
pub const CLIENT_FEATURES: [&str; 11] = [
    "api",
    "client_secret_basic",
    "confidential",
    "id_token",
    "iss",
    "issuers",
    "logout",
    "openid",
    "refresh",
    "revocation",
    "shared_redirect_uri",
];

/// What is filled in where the environment has it in braces.
const VARIABLES: [&str; 7] = ["issuer", "issuer_2", "client_id", "client_secret", "redirect_uri", "resource", "refresh_token"];

impl Checks<'_> {
    pub(super) fn client(&mut self, client: file::DrivenClient) -> ClientConfig {
        let kind = self.driven_kind(&client);
        let secret_span = client.client_secret.as_ref().map(Spanned::span);
        let client_secret = client.client_secret.map(|secret| self.secret(secret));
        let auth_method = self.auth_method(client.token_endpoint_auth_method);
        if let (Some(AuthMethod::None), Some(span)) = (auth_method, secret_span) {
            self.problem(
                span,
                "a secret for a client that does not authenticate",
                "remove it, or name another token_endpoint_auth_method than `none`",
            );
        }
        ClientConfig {
            kind,
            client_id: client.client_id,
            client_secret,
            auth_method,
            redirect_uris: client.redirect_uris.into_iter().map(|uri| self.redirect_uri(uri)).collect(),
            grant_types: match client.grant_types {
                Some(grants) => grants.iter().filter_map(|grant| self.one_of(grant, &GRANTS)).map(str::to_owned).collect(),
                None => vec!["authorization_code".into()],
            },
            scopes: client.scopes,
            start_url: self.url(client.start_url),
            api_url: self.url(client.api_url),
            logout_url: self.url(client.logout_url),
            success: Success { status: client.success.status, contains: client.success.contains },
            command: client.command.map(|command| self.command(command.into_inner())).unwrap_or_default(),
            serve: client.serve.map(|serve| self.serve(serve)),
            env: client.env.into_iter().map(|(name, value)| (name, self.variable(value))).collect(),
            listen: self.address(client.listen),
            features: client.features.into_iter().map(|(name, value)| (self.claim(&name), value)).collect(),
            issuers: client.issuers.into_iter().filter_map(|issuer| self.further_issuer(issuer)).collect(),
            quiet: self.duration(client.quiet).unwrap_or(super::QUIET),
            folder: self.folder.to_owned(),
        }
    }

    /// What it claims, by a name that some scenario may ask for.
    fn claim(&mut self, name: &Spanned<String>) -> String {
        let _told = self.one_of(name, &CLIENT_FEATURES);
        name.get_ref().clone()
    }

    /// A value of the environment. What stands in braces may be the application's own; what is nearly one of ours is a slip.
    fn variable(&mut self, value: Spanned<Value>) -> String {
        let span = value.span();
        let text = match value.into_inner() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let braced = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        for name in braced.filter(|name| !VARIABLES.contains(name)) {
            if let Some(near) = nearest(name, VARIABLES) {
                self.problem(span.clone(), format!("`{{{name}}}` stands for nothing"), format!("did you mean `{{{near}}}`?"));
            }
        }
        text
    }

    fn further_issuer(&mut self, issuer: file::Issuer) -> Option<FurtherIssuer> {
        let redirect_uris = issuer.redirect_uris.into_iter().map(|uri| self.redirect_uri(uri)).collect();
        Some(FurtherIssuer { start_url: self.url(Some(issuer.start_url))?, redirect_uris })
    }

    fn driven_kind(&mut self, client: &file::DrivenClient) -> DrivenKind {
        let kind = match self.one_of(&client.kind, &["web", "native", "script"]) {
            Some("native") => DrivenKind::Native,
            Some("script") => DrivenKind::Script,
            _ => DrivenKind::Web,
        };
        let name = client.kind.get_ref();
        let place = client.kind.span();
        let empty = client.command.as_ref().is_none_or(|command| command.get_ref().is_empty());
        match kind {
            DrivenKind::Web if client.start_url.is_none() => {
                self.problem(place, "a web client needs a start_url", "start_url = \"http://127.0.0.1:8080/login\"");
            }
            DrivenKind::Web if !empty => {
                let help = "`serve = { command, ready_url }` starts a web application";
                self.problem(place, "`command` is for native clients and scripts", help);
            }
            DrivenKind::Native | DrivenKind::Script if empty => {
                self.problem(place, format!("a {name} client needs a command"), "command = [\"./my-cli\", \"login\"]");
            }
            DrivenKind::Native | DrivenKind::Script if client.serve.is_some() => {
                self.problem(place, format!("`serve` is for web clients, and this is a {name} one"), "use `command`");
            }
            DrivenKind::Web | DrivenKind::Native | DrivenKind::Script => {}
        }
        kind
    }

    fn serve(&mut self, serve: file::Serve) -> Serve {
        if serve.command.get_ref().is_empty() {
            self.problem(serve.command.span(), "the command is empty", "command = [\"npm\", \"start\"]");
        }
        let restart = serve.restart.and_then(|restart| self.one_of(&restart, &["per-run", "per-scenario"]));
        Serve {
            command: self.command(serve.command.into_inner()),
            ready_url: self.url(Some(serve.ready_url)).unwrap_or_default(),
            restart: if restart == Some("per-scenario") { Restart::PerScenario } else { Restart::PerRun },
        }
    }
}
