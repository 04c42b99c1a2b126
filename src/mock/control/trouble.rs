//! What is wrong with a control request, as a problem document (RFC 9457) that names the member and says how to mend it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::oauth::Response;
use crate::problem::{Problem, nearest};

/// The longest sentence, in characters.
const LONGEST: usize = 1000;

/// Why a control request is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Trouble {
    /// What kind of trouble it is, in a few words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Where in the request it is wrong; absent where no member of it is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    errors: Vec<Flaw>,
    /// The `Allow` field of the answer.
    #[serde(skip)]
    allow: Option<String>,
}

/// One mistake in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Flaw {
    /// The member of the body that is wrong: a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// The parameter of the query or the path that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// What is wrong with it.
    pub(super) detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<String>,
}

impl Trouble {
    pub(super) fn new(status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self { title: title.to_owned(), status, detail: detail.into(), ..Self::default() }
    }

    /// Mistakes in the request; what is said of the whole is what is said of the first.
    pub(super) fn flaws(flaws: Vec<Flaw>) -> Self {
        let detail = flaws.first().map_or_else(String::new, Flaw::sentence);
        Self { errors: flaws, ..Self::new(400, "Malformed request", detail) }
    }

    /// A mistake in a member of the body.
    pub(super) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::flaws(vec![Flaw { pointer: Some(pointer.into()), detail: detail.into(), ..Flaw::default() }])
    }

    /// A mistake in a parameter of the query or the path.
    pub(super) fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::flaws(vec![Flaw { parameter: Some(name.into()), detail: detail.into(), ..Flaw::default() }])
    }

    /// Mistakes in what stands at a member of the body.
    pub(super) fn problems(pointer: &str, problems: &[Problem]) -> Self {
        let flaw = |problem: &Problem| Flaw {
            pointer: Some(format!("{pointer}{}", problem.pointer.as_deref().unwrap_or_default())),
            parameter: None,
            detail: problem.message.clone(),
            help: problem.help.clone(),
        };
        Self::flaws(problems.iter().map(flaw).collect())
    }

    /// Nothing of that name is there.
    pub(super) fn missing<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let help = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        let detail = format!("there is no {what} `{name}`");
        let detail = help.map_or(detail.clone(), |help| format!("{detail} ({help})"));
        Self::new(404, "Not found", detail)
    }

    /// The same with a word on how to mend its first mistake.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(flaw) = self.errors.first_mut() {
            flaw.help = Some(help.into());
            self.detail = flaw.sentence();
        }
        self
    }

    /// The same for what stands at a pointer within the whole.
    pub(super) fn below(mut self, at: &str) -> Self {
        for flaw in &mut self.errors {
            flaw.pointer = flaw.pointer.take().map(|pointer| format!("{at}{pointer}"));
        }
        self.detail = self.errors.first().map_or(self.detail, Flaw::sentence);
        self
    }

    /// The same at another status.
    pub(super) fn status(self, status: u16, title: &str) -> Self {
        Self { status, title: title.to_owned(), ..self }
    }

    /// The same with the methods that would work.
    pub(super) fn allow(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Its status.
    pub(super) fn code(&self) -> u16 {
        self.status
    }

    pub(super) fn response(&self) -> Response {
        let mut response = Response::new(self.status);
        response.headers.push("Content-Type", "application/problem+json");
        response.headers.push("Cache-Control", "no-store");
        if self.status == 401 {
            response.headers.push("WWW-Authenticate", "Bearer realm=\"oauthspec control\"");
        }
        if let Some(methods) = &self.allow {
            response.headers.push("Allow", methods.as_str());
        }
        response.body = serde_json::to_vec(&self.told()).unwrap_or_default();
        response
    }

    /// The same with everything in it short enough to be read: what was sent can be a megabyte long.
    fn told(&self) -> Self {
        let flaw =
            |flaw: &Flaw| Flaw { detail: shortened(&flaw.detail), help: flaw.help.as_deref().map(shortened), ..flaw.clone() };
        Self { detail: shortened(&self.detail), errors: self.errors.iter().map(flaw).collect(), ..self.clone() }
    }
}

fn shortened(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(LONGEST) else { return text.to_owned() };
    format!("{}… ({} bytes)", &text[..cut], text.len())
}

impl Flaw {
    /// Where it is, what is wrong, how to mend it.
    fn sentence(&self) -> String {
        let place = match (&self.pointer, &self.parameter) {
            (Some(pointer), _) if !pointer.is_empty() => format!("{pointer}: "),
            (_, Some(parameter)) => format!("parameter `{parameter}`: "),
            _ => String::new(),
        };
        let help = self.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        format!("{place}{}{help}", self.detail)
    }
}
