//! Makes the request that a browser would make of a form (HTML, "form submission").

use super::page::{Control, Form, Kind, Method, Page};
use crate::oauth::{Params, Request};

/// What is sent where.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    /// The absolute URL of the action, as it was written where it is absolute.
    pub(super) url: String,
    pub(super) method: Method,
    pub(super) params: Params,
    multipart: bool,
}

impl Submission {
    /// Of a form, with the button that was pressed. `None` where the action is no URL.
    pub(super) fn of(page: &Page, form: &Form, pressed: Option<usize>) -> Option<Self> {
        let button = pressed.map(|index| &form.controls[index]);
        let action = button.and_then(|button| button.form_action.as_deref()).unwrap_or(&form.action);
        let method = button.and_then(|button| button.form_method).unwrap_or(form.method);
        let sent = |(index, control): (usize, &Control)| match control.kind {
            _ if control.name.is_empty() => None,
            Kind::Submit if pressed != Some(index) => None,
            Kind::Unticked | Kind::Radio => None,
            _ => Some((control.name.clone(), control.value.clone())),
        };
        let params: Params = form.controls.iter().enumerate().filter_map(sent).collect();
        let url = absolute(page, action)?;
        Some(Self { url, method, params, multipart: form.multipart })
    }

    /// As a request. A GET form replaces the query of its action.
    pub(super) fn request(&self) -> Request {
        match self.method {
            Method::Get => Request::get(self.get_url()),
            Method::Post if self.multipart => self.multipart_request(),
            Method::Post => Request::post_form(&self.url, &self.params),
        }
    }

    /// Where a GET form goes.
    pub(super) fn get_url(&self) -> String {
        let bare = self.url.split(['?', '#']).next().unwrap_or_default();
        format!("{bare}?{}", self.params.encode())
    }

    fn multipart_request(&self) -> Request {
        let boundary = "----oauthspecFormBoundary";
        let mut request = Request::new("POST", &self.url);
        for (name, value) in self.params.iter() {
            let name = String::from_utf8_lossy(name).replace('"', "%22").replace(['\r', '\n'], " ");
            request
                .body
                .extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
            request.body.extend_from_slice(value);
            request.body.extend_from_slice(b"\r\n");
        }
        request.body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        request.with("Content-Type", format!("multipart/form-data; boundary={boundary}"))
    }
}

/// The absolute form of a URL on a page: as written where it is absolute already.
pub(super) fn absolute(page: &Page, written: &str) -> Option<String> {
    absolute_from(&page.base, written)
}

/// The same, relative to any URL.
pub(super) fn absolute_from(base: &url::Url, written: &str) -> Option<String> {
    if has_scheme(written) { Some(written.to_owned()) } else { base.join(written).ok().map(String::from) }
}

fn has_scheme(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}
