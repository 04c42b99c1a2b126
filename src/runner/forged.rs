//! Requests to a client under test that are not what its own pages lead to: authorization responses that were changed on their way,
//! kept or made up, and starts with something added.

use super::play::{Play, Stop};
use super::record::Record;
use crate::oauth::{Params, Request};
use crate::scenario::{Edits, Template};
use crate::target::driver::Callback;
use crate::target::login::Via;

impl Play<'_> {
    /// A page of the client, with parameters and header fields that its own links do not have.
    pub(super) fn edited_visit(&self, url: &str, edits: &Edits) -> Result<Request, Stop> {
        let plain = |value| self.names.plain(value).map_err(|unset| self.unset(&unset));
        let mut params = Params::new();
        for (name, value) in edits.set.iter().chain(&edits.add) {
            params.push(name.as_bytes(), plain(value)?);
        }
        let mut request = Request::get(with_query(url, &params));
        for (name, value) in &edits.headers {
            request.headers.set(name, plain(value)?);
        }
        Ok(request)
    }

    /// An authorization response that was changed on its way, or made up.
    pub(super) fn forged(&self, url: &Template, at: Option<&Template>, edits: &Edits) -> Result<Request, Stop> {
        let fill = |template: &Template| self.names.fill(template).map_err(|unset| self.unset(&unset));
        let url = fill(url)?;
        let given = callback_of(&self.names.records, &url);
        let (base, query) = url.split_once('?').unwrap_or((&url, ""));
        let base = at.map(fill).transpose()?.unwrap_or_else(|| base.to_owned());
        let mut params = match &given {
            Some(callback) if callback.via == Via::FormPost => callback.params.clone(),
            _ => Params::parse_lossy(query.as_bytes()),
        };
        let plain = |value| self.names.plain(value).map_err(|unset| self.unset(&unset));
        edits.unset.iter().for_each(|name| params.remove(name));
        for (name, value) in &edits.set {
            params.set(name, plain(value)?);
        }
        for (name, value) in &edits.add {
            params.push(name.as_bytes(), plain(value)?);
        }
        let post = edits.method.as_deref() == Some("POST") || given.is_some_and(|callback| callback.via == Via::FormPost);
        let (url, via) = if post { (base, Via::FormPost) } else { (with_query(&base, &params), Via::Query) };
        let mut request = Callback { url, via, params }.request();
        for (name, value) in &edits.headers {
            request.headers.set(name, plain(value)?);
        }
        Ok(request)
    }
}

/// A URL with parameters behind those that it has.
fn with_query(url: &str, params: &Params) -> String {
    if params.is_empty() {
        return url.to_owned();
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{}", params.encode())
}

/// The authorization response of an earlier step that has this URL.
fn callback_of(records: &std::collections::BTreeMap<String, Vec<Record>>, url: &str) -> Option<Callback> {
    let mut all = records.values().flatten();
    let record = all.find(|record| record.callback.as_deref() == Some(url))?;
    let via = if record.via == Some("form_post") { Via::FormPost } else { Via::Query };
    Some(Callback { url: url.to_owned(), via, params: record.delivered.clone() })
}
