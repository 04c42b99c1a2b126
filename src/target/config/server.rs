//! `[server]`: what makes sense together.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use url::Url;

use super::check::{Checks, texts};
use super::{Limits, ServerConfig, file};
use crate::oauth::is_nqchar;
use crate::target::login::{Login, LoginStep, check_selector};
use crate::target::{AuthMethod, Client, ClientKind, Endpoints, Lifetimes, User};

/// How long a login command may take where nothing is said.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

impl Checks<'_> {
    pub(super) fn server(&mut self, server: file::Server) -> ServerConfig {
        let limits = self.limits(server.limits);
        let clients: Vec<(Client, Range<usize>)> = server.clients.into_iter().map(|client| self.registered(client)).collect();
        self.names_differ(&clients);
        ServerConfig {
            name: server.name,
            issuer: self.url(server.issuer),
            endpoints: self.endpoints(server.endpoints),
            lifetimes: self.lifetimes(server.lifetimes),
            limits,
            features: server.features,
            ca_file: server.tls.ca_file.map(|file| self.path(&file)),
            clients: clients.into_iter().map(|(client, _)| client).collect(),
            users: server.users.into_iter().map(|user| self.user(user)).collect(),
            login: server.login.map(|login| self.login(login)).unwrap_or_default(),
        }
    }

    fn endpoints(&mut self, endpoints: file::Endpoints) -> Endpoints {
        Endpoints {
            authorization: self.url(endpoints.authorization),
            token: self.url(endpoints.token),
            revocation: self.url(endpoints.revocation),
            introspection: self.url(endpoints.introspection),
            userinfo: self.url(endpoints.userinfo),
            jwks: self.url(endpoints.jwks),
            registration: self.url(endpoints.registration),
            device_authorization: self.url(endpoints.device_authorization),
            pushed_authorization_request: self.url(endpoints.pushed_authorization_request),
            resource: self.url(endpoints.resource),
        }
    }

    fn lifetimes(&mut self, lifetimes: file::Lifetimes) -> Lifetimes {
        Lifetimes {
            code: self.duration(lifetimes.code),
            access_token: self.duration(lifetimes.access_token),
            refresh_token: self.duration(lifetimes.refresh_token),
            refresh_grace: self.duration(lifetimes.refresh_grace),
            request_uri: self.duration(lifetimes.request_uri),
            device_code: self.duration(lifetimes.device_code),
        }
    }

    fn limits(&mut self, limits: file::Limits) -> Limits {
        let concurrency = limits.concurrency.and_then(|wanted| {
            let number = usize::try_from(*wanted.get_ref()).ok().filter(|number| *number > 0);
            if number.is_none() {
                self.problem(wanted.span(), "`concurrency` is at least 1", "write 1 to run one scenario after the other");
            }
            number
        });
        let timeout_span = limits.timeout.as_ref().map(Spanned::span);
        let timeout = self.duration(limits.timeout);
        if let (Some(Duration::ZERO), Some(span)) = (timeout, timeout_span) {
            self.problem(span, "`timeout` is longer than nothing", "leave it out for the default");
        }
        Limits { concurrency, min_interval: self.duration(limits.min_interval), timeout }
    }

    pub(super) fn registered(&mut self, client: Spanned<file::Client>) -> (Client, Range<usize>) {
        let client = client.into_inner();
        let place = client.client_id.span();
        let client_id = client.client_id.into_inner();
        if client_id.is_empty() {
            self.problem(place.clone(), "`client_id` is empty", "the identifier under which the server knows the client");
        }
        let secret_span = client.client_secret.as_ref().map(Spanned::span);
        let client_secret = client.client_secret.map(|secret| self.secret(secret));
        let method_span = client.token_endpoint_auth_method.as_ref().map_or(place.clone(), Spanned::span);
        let usual = if client_secret.is_some() { AuthMethod::Basic } else { AuthMethod::None };
        let auth_method = self.auth_method(client.token_endpoint_auth_method).unwrap_or(usual);
        match (auth_method, secret_span) {
            (AuthMethod::None, Some(span)) => {
                self.problem(
                    span,
                    "a secret for a client that does not authenticate",
                    "remove it, or name another token_endpoint_auth_method than `none`",
                );
            }
            (AuthMethod::Basic | AuthMethod::Post, None) => {
                self.problem(
                    method_span,
                    format!("`{}` needs a client_secret", auth_method.name()),
                    "add client_secret = { env = \"NAME\" }",
                );
            }
            _ => {}
        }
        let grant_types = client.grant_types.unwrap_or_else(|| vec!["authorization_code".into()]);
        let redirect_uris: Vec<String> = client.redirect_uris.into_iter().map(|uri| self.redirect_uri(uri)).collect();
        if redirect_uris.is_empty() && grant_types.iter().any(|grant| grant == "authorization_code") {
            self.problem(
                place.clone(),
                format!("client `{client_id}` has the grant authorization_code and no redirect_uris"),
                "add redirect_uris = [\"https://client.example/callback\"], or name its other grant_types",
            );
        }
        let scopes = client.scopes.unwrap_or_default().into_iter().map(|scope| self.scope_token(scope)).collect();
        let kind = match client.kind.as_ref().map(|kind| self.one_of(kind, &["web", "native"])) {
            Some(Some("native")) => ClientKind::Native,
            Some(_) => ClientKind::Web,
            None => guess_kind(auth_method, &redirect_uris),
        };
        let client = Client {
            name: client.name.unwrap_or_else(|| client_id.clone()),
            client_id,
            client_secret,
            auth_method,
            redirect_uris,
            grant_types,
            scopes,
            kind,
            may_introspect: client.may_introspect.unwrap_or(auth_method != AuthMethod::None),
            extra_authorize: texts(client.extra.authorize),
            extra_token: texts(client.extra.token),
            management: None,
            start_url: None,
        };
        (client, place)
    }

    fn names_differ(&mut self, clients: &[(Client, Range<usize>)]) {
        let mut seen = HashSet::new();
        for (client, place) in clients {
            if !seen.insert(&client.name) {
                self.problem(place.clone(), format!("two clients are named `{}`", client.name), "give each a `name` of its own");
            }
        }
    }

    fn scope_token(&mut self, scope: Spanned<String>) -> String {
        let token = scope.get_ref();
        if token.is_empty() || !token.bytes().all(is_nqchar) {
            self.problem(scope.span(), "not a scope token", "one token each: scopes = [\"openid\", \"api:read\"]");
        }
        scope.into_inner()
    }

    pub(super) fn user(&mut self, user: file::User) -> User {
        let password_span = user.password.span();
        let user = User { username: self.secret(user.username), password: self.secret(user.password) };
        if user.username.is_empty() {
            self.problem(password_span, "a user needs a username", "username = \"alice\"");
        }
        user
    }

    fn login(&mut self, login: Spanned<file::Login>) -> Login {
        let span = login.span();
        let login = login.into_inner();
        let driver = match &login.driver {
            None => "form",
            Some(name) => match self.one_of(name, &["form", "cookies", "command"]) {
                Some(driver) => driver,
                None => return Login::default(),
            },
        };
        let place = login.driver.as_ref().map_or(span, Spanned::span);
        for (given, belongs_to) in
            [(!login.cookies.is_empty(), "cookies"), (!login.command.is_empty(), "command"), (!login.steps.is_empty(), "form")]
        {
            if given && belongs_to != driver {
                let key = if belongs_to == "form" { "steps" } else { belongs_to };
                let message = format!("`{key}` belongs to the driver `{belongs_to}`, not to `{driver}`");
                self.problem(place.clone(), message, format!("set driver = \"{belongs_to}\", or remove `{key}`"));
            }
        }
        match driver {
            "cookies" if login.cookies.is_empty() => {
                self.problem(place, "the driver `cookies` needs cookies", "cookies = [\"session=…\"]");
                Login::default()
            }
            "cookies" => {
                let mut cookie = |secret| self.secret(Spanned::new(place.clone(), secret));
                Login::Cookies(login.cookies.into_iter().map(&mut cookie).collect())
            }
            "command" if login.command.is_empty() => {
                self.problem(
                    place,
                    "the driver `command` needs a command",
                    "command = [\"./login.sh\"]: it gets the URL as its last argument",
                );
                Login::default()
            }
            "command" => {
                let timeout = self.duration(login.timeout).unwrap_or(COMMAND_TIMEOUT);
                Login::Command { command: self.command(login.command), timeout }
            }
            _ => Login::Form(login.steps.into_iter().map(|step| self.login_step(step)).collect()),
        }
    }

    /// A program named with a path is relative to the file.
    pub(super) fn command(&self, mut command: Vec<String>) -> Vec<String> {
        if let Some(program) = command.first_mut()
            && program.starts_with('.')
        {
            *program = self.path(program).display().to_string();
        }
        command
    }

    fn login_step(&mut self, step: file::LoginStep) -> LoginStep {
        if step.fill.is_empty() && step.click.is_none() && step.deny.is_none() {
            self.problem(step.when.span(), "a login step that does nothing", "add `fill`, `click` or `deny`");
        }
        for selector in step.fill.keys().chain([&step.when]).chain(&step.click).chain(&step.deny) {
            if !check_selector(selector.get_ref()) {
                self.problem(selector.span(), "not a CSS selector", "like `form#login` or `input[name=user]`");
            }
        }
        LoginStep {
            when: step.when.into_inner(),
            fill: step.fill.into_iter().map(|(selector, value)| (selector.into_inner(), value)).collect(),
            click: step.click.map(Spanned::into_inner),
            deny: step.deny.map(Spanned::into_inner),
        }
    }
}

/// A public client that listens on a loopback address or has a scheme of its own is a native one.
fn guess_kind(auth_method: AuthMethod, redirect_uris: &[String]) -> ClientKind {
    let native = |uri: &String| match Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
        }
        Ok(_) => true,
        Err(_) => false,
    };
    if auth_method == AuthMethod::None && redirect_uris.iter().any(native) { ClientKind::Native } else { ClientKind::Web }
}
