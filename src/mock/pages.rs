//! The pages that a user sees, as plain HTML. Everything that comes from outside is escaped by `maud`,
//! but for what a policy wants shown as it came.

use aws_lc_rs::digest;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::call::Identity;
use super::decision::{DevicePage, Form, LoginHelp};
use crate::oauth::Params;
use crate::oauth::encoding::base64;
use crate::policy::Policy;

const STYLE: &str = ":root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;overflow-wrap:anywhere}\
label,input,button{display:block;font:inherit}input{width:100%;box-sizing:border-box;margin-bottom:1rem}\
button{display:inline-block;margin:0 .6rem .6rem 0;padding:.3rem 1rem;max-width:100%;max-height:9rem;overflow:hidden;overflow-wrap:anywhere}\
strong{display:inline-block;max-width:100%;max-height:9rem;overflow:auto;vertical-align:bottom}.mistake{color:#a00}\
.help{border-top:1px solid #999;margin-top:2rem}h2{font-size:1rem}\
@media(prefers-color-scheme:dark){body{background:#15171a;color:#e6e8eb}.mistake{color:#ff8a80}}\
@media(max-width:30rem){body{margin-top:1rem}}";

const SUBMIT: &str = "document.forms[0].submit()";

/// The login page; with consent on it where the policy combines them.
pub(super) fn login(form: &Form, realm: &Identity, policy: &Policy) -> String {
    let pages = &policy.pages;
    let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let query = form.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let body = html! {
        h1 { "Sign in" }
        p { "to continue to " strong { (form.client) } }
        (mistake(form.mistake))
        form name=[named(&pages.form_name)] method="post" action={ (realm.path) "/" (policy.paths.login) (query) } {
            (hidden(form, policy))
            @for (name, value) in &pages.fields {
                input type="hidden" name=(name) value=(value);
            }
            label for="username" { "User name" }
            input id="username" name="username" type="text" autocomplete="username" required autofocus;
            label for="password" { "Password" }
            input id="password" name="password" type="password" autocomplete="current-password";
            @if form.combined {
                (scopes(&form.scope))
                (choice())
            } @else {
                button type="submit" name=[named(&pages.button_name)] { "Sign in" }
            }
        }
        @if let Some(help) = &form.help {
            (offered(form, help, realm, policy))
        }
    };
    page("Sign in", &form.style_sheet, &body)
}

/// What a person who tests by hand is offered: each user, a refusal, an error.
fn offered(form: &Form, help: &LoginHelp, realm: &Identity, policy: &Policy) -> Markup {
    let query = form.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    html! {
        form.help method="post" action={ (realm.path) "/" (policy.paths.login) (query) } {
            (hidden(form, policy))
            h2 { "Or, without a password" }
            @for (username, name) in &help.users {
                button type="submit" name="pick" value=(username) { "Continue as " (name) }
            }
            h2 { "Or answer the client with" }
            @for (cause, error) in &help.errors {
                button type="submit" name="inject" value=(cause) { (error) }
            }
        }
    }
}

/// The consent page.
pub(super) fn consent(form: &Form, realm: &Identity, policy: &Policy) -> String {
    let body = html! {
        h1 { "Consent" }
        p { strong { (form.client) } " asks for access" @if let Some(user) = &form.user { " in the name of " strong { (user) } } "." }
        (mistake(form.mistake))
        form method="post" action={ (realm.path) "/" (policy.paths.consent) } {
            (hidden(form, policy))
            (scopes(&form.scope))
            (choice())
        }
    };
    page("Consent", &form.style_sheet, &body)
}

/// The verification page (RFC 8628 section 3.3), with what it asks for now.
pub(super) fn device(form: &DevicePage, realm: &Identity, policy: &Policy) -> String {
    let body = html! {
        h1 { "Connect a device" }
        (mistake(form.mistake))
        form method="post" action={ (realm.path) "/" (policy.paths.device) } {
            (carried(Some(&form.transaction), form.csrf.as_deref(), policy, &[]))
            @if let Some(code) = &form.code {
                label for="user_code" { "Code on the device" }
                input id="user_code" name="user_code" type="text" value=(code) autocomplete="off" autocapitalize="characters" required;
            }
            @if form.login {
                label for="username" { "User name" }
                input id="username" name="username" type="text" autocomplete="username" required;
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password";
            }
            @if form.question {
                @match &form.client {
                    Some(client) => p { "A device with " strong { (client) } " asks for access in your name." },
                    None => p { "The device asks for access in your name." },
                }
                p { "Approve only if the device is in your hands" @if let Some(code) = &form.confirm { " and shows " strong { (code) } } "." }
                (scopes(&form.scope))
                (choice())
            } @else {
                button type="submit" { (if form.login && form.code.is_none() { "Sign in" } else { "Continue" }) }
            }
        }
    };
    page("Connect a device", "", &body)
}

/// A page that says how it ended.
pub(super) fn notice(title: &str, text: &str) -> String {
    page(title, "", &html! { h1 { (title) } p { (text) } })
}

/// The page for errors that are not redirected.
pub(super) fn error(error: &str, description: &str, text: &str) -> String {
    let body = html! {
        h1 { "Error" }
        @if !text.is_empty() {
            p { (text) }
        }
        p { code { (error) } }
        p { (description) }
    };
    page("Error", "", &body)
}

/// A page that posts the parameters of an authorization response (OAuth 2.0 Form Post Response Mode).
pub(super) fn form_post(action: &str, params: &Params) -> String {
    let body = html! {
        form method="post" action=(action) {
            @for (name, value) in params.iter() {
                input type="hidden" name=(String::from_utf8_lossy(name)) value=(String::from_utf8_lossy(value));
            }
            noscript { button type="submit" { "Continue" } }
        }
        script { (PreEscaped(SUBMIT)) }
    };
    page("Continue", "", &body)
}

/// The Content-Security-Policy source that lets the script of [`form_post`] run, and no other.
pub(super) fn form_post_script() -> String {
    format!("'sha256-{}'", base64(digest::digest(&digest::SHA256, SUBMIT.as_bytes())))
}

fn page(title: &str, style_sheet: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                @if !style_sheet.is_empty() {
                    link rel="stylesheet" href=(style_sheet);
                }
            }
            body { (body) }
        }
    };
    page.into_string()
}

fn hidden(form: &Form, policy: &Policy) -> Markup {
    let transaction = form.query.is_none().then_some(form.transaction.as_str());
    carried(transaction, form.csrf.as_deref(), policy, &form.raw)
}

/// What a form carries so that the server knows it again.
fn carried(transaction: Option<&str>, csrf: Option<&str>, policy: &Policy, raw: &[String]) -> Markup {
    html! {
        @if let Some(transaction) = transaction {
            input type="hidden" name="transaction" value=(transaction);
        }
        @for text in raw {
            (PreEscaped(format!("<input type=\"hidden\" name=\"shown\" value=\"{text}\">")))
        }
        @if let Some(csrf) = csrf {
            input type="hidden" name=(policy.pages.csrf_field) value=(csrf);
        }
    }
}

fn scopes(scopes: &[String]) -> Markup {
    html! {
        ul {
            @for scope in scopes {
                li { (scope) }
            }
        }
    }
}

fn choice() -> Markup {
    html! {
        button type="submit" name="decision" value="approve" { "Approve" }
        button type="submit" name="decision" value="deny" { "Deny" }
    }
}

fn mistake(mistake: Option<&str>) -> Markup {
    html! {
        @if let Some(mistake) = mistake {
            p.mistake role="alert" { (mistake) }
        }
    }
}
