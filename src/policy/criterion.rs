//! The conditions of a matcher one by one: what each looks at, whether it holds, and what to say of it.

use std::borrow::Cow;

use super::Answer;
use super::library::matches;
use super::matcher::{Matcher, Moment, Test};
use crate::oauth::{Params, Response};

/// What a condition looks at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    Endpoint,
    Method,
    Path,
    Grant,
    Client,
    Auth,
    User,
    Status,
    Error,
    Cause,
    Applied,
    Answer,
}

/// Where a named value stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Parameter,
    Form,
    Query,
    Header,
    Json,
}

/// A condition by itself.
pub(super) enum Criterion<'m> {
    Word(Word, Cow<'m, [String]>),
    Member(Part, &'m str, &'m Test),
}

/// Every condition of a matcher, in the order in which messages name them.
pub(super) fn criteria(matcher: &Matcher) -> Vec<Criterion<'_>> {
    let words = [
        (Word::Endpoint, &matcher.endpoint),
        (Word::Method, &matcher.method),
        (Word::Path, &matcher.path),
        (Word::Grant, &matcher.grant),
        (Word::Client, &matcher.client),
        (Word::Auth, &matcher.auth),
        (Word::User, &matcher.user),
    ];
    let of_answer = [
        (Word::Status, &matcher.status),
        (Word::Error, &matcher.error),
        (Word::Cause, &matcher.cause),
        (Word::Applied, &matcher.applied),
    ];
    let members = [
        (Part::Parameter, &matcher.parameters),
        (Part::Form, &matcher.form),
        (Part::Query, &matcher.query),
        (Part::Header, &matcher.headers),
        (Part::Json, &matcher.json),
    ];
    let mut out: Vec<Criterion<'_>> = Vec::new();
    let given = |(_, wanted): &(Word, &Vec<String>)| !wanted.is_empty();
    out.extend(words.into_iter().filter(given).map(|(word, wanted)| Criterion::Word(word, wanted.into())));
    for (part, tests) in members {
        out.extend(tests.iter().map(|(name, test)| Criterion::Member(part, name, test)));
    }
    out.extend(of_answer.into_iter().filter(given).map(|(word, wanted)| Criterion::Word(word, wanted.into())));
    if matcher.answer != Answer::Any {
        out.push(Criterion::Word(Word::Answer, Cow::Owned(vec![matcher.answer.word().to_owned()])));
    }
    out
}

impl Criterion<'_> {
    pub(super) fn holds(&self, moment: &Moment<'_>) -> bool {
        match self {
            Self::Word(word, wanted) => word.values(moment).iter().any(|value| wanted.iter().any(|want| word.is(want, value))),
            Self::Member(part, name, test) => test.holds(&part.values(name, moment)),
        }
    }

    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Word(word, wanted) => format!("{} = {}", word.name(), wanted.join(" or ")),
            Self::Member(part, name, test) => format!("{} `{name}` {test}", part.name()),
        }
    }

    pub(super) fn found(&self, moment: &Moment<'_>) -> String {
        let values = match self {
            Self::Word(word, _) => word.values(moment),
            Self::Member(part, name, _) => part.values(name, moment),
        };
        match values.as_slice() {
            [] => "there was none".to_owned(),
            values => {
                let quoted: Vec<String> = values.iter().map(|value| format!("{:?}", shortened(value))).collect();
                format!("it was {}", quoted.join(" and "))
            }
        }
    }
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Method => "method",
            Self::Path => "path",
            Self::Grant => "grant",
            Self::Client => "client",
            Self::Auth => "auth",
            Self::User => "user",
            Self::Status => "status",
            Self::Error => "error",
            Self::Cause => "cause",
            Self::Applied => "applied",
            Self::Answer => "answer",
        }
    }

    fn is(self, wanted: &str, value: &str) -> bool {
        wanted == value
            || matches!(self, Self::Status) && wanted.strip_suffix("xx").is_some_and(|class| value.starts_with(class))
            || matches!(self, Self::Method) && wanted.eq_ignore_ascii_case(value)
            || matches!(self, Self::Path) && matches(wanted, value)
    }

    fn values<'a>(self, moment: &Moment<'a>) -> Vec<Cow<'a, str>> {
        let answered = moment.answered;
        match self {
            Self::Endpoint => vec![moment.endpoint.into()],
            Self::Method => vec![moment.request.method.as_str().into()],
            Self::Path => vec![moment.request.path().into()],
            Self::Grant => listed(moment.grant),
            Self::Client => listed(moment.client),
            Self::Auth => listed(moment.auth),
            Self::User => listed(moment.user),
            Self::Status => answered.map(|answered| Cow::Owned(answered.response.status.to_string())).into_iter().collect(),
            Self::Error => answered.and_then(|answered| error_of(answered.response)).map(Cow::Owned).into_iter().collect(),
            Self::Cause => listed(answered.and_then(|answered| answered.cause)),
            Self::Applied => {
                answered.map_or_else(Vec::new, |answered| answered.applied.iter().map(|id| id.as_str().into()).collect())
            }
            Self::Answer => listed(answered.map(|answered| Answer::of(answered.response).word())),
        }
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Form => "form",
            Self::Query => "query",
            Self::Header => "header",
            Self::Json => "json",
        }
    }

    fn values<'a>(self, name: &str, moment: &Moment<'a>) -> Vec<Cow<'a, str>> {
        let request = moment.request;
        match self {
            Self::Parameter => named(moment.params.iter(), name),
            Self::Form => in_form(&request.body, name),
            Self::Query => in_form(request.query().unwrap_or("").as_bytes(), name),
            Self::Header => {
                let fields = request.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
                fields.map(|(_, value)| String::from_utf8_lossy(value)).collect()
            }
            Self::Json => match serde_json::from_slice::<serde_json::Value>(&request.body) {
                Ok(body) => body.get(name).map(plain).into_iter().collect(),
                Err(_) => Vec::new(),
            },
        }
    }
}

/// The error code of an answer: in its JSON body, or in the parameters of its Location.
fn error_of(response: &Response) -> Option<String> {
    if let Some(body) = response.json() {
        return body.get("error").and_then(serde_json::Value::as_str).map(str::to_owned);
    }
    let location = response.headers.get("location")?;
    let parts = location.split(['?', '#']).skip(1);
    parts.map(|part| Params::parse_lossy(part.as_bytes())).find_map(|params| params.get("error").map(Cow::into_owned))
}

fn named<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>, name: &str) -> Vec<Cow<'a, str>> {
    pairs.filter(|(key, _)| *key == name.as_bytes()).map(|(_, value)| String::from_utf8_lossy(value)).collect()
}

fn in_form<'a>(form: &[u8], name: &str) -> Vec<Cow<'a, str>> {
    let params = Params::parse_lossy(form);
    params.all(name).map(|value| Cow::Owned(String::from_utf8_lossy(value).into_owned())).collect()
}

fn listed(value: Option<&str>) -> Vec<Cow<'_, str>> {
    value.map(Cow::Borrowed).into_iter().collect()
}

fn plain(value: &serde_json::Value) -> Cow<'static, str> {
    match value {
        serde_json::Value::String(text) => Cow::Owned(text.clone()),
        other => Cow::Owned(other.to_string()),
    }
}

/// Values can be as long as their sender likes; messages cannot.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
