//! A route of the control API: method and path, its handler, and what goes in and out of it. Handlers are typed, and what the document
//! says of a route follows from the types of its handler: the two cannot part.

use std::future::Future;
use std::pin::Pin;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ask::{Ask, Nothing};
use super::shape::Shape;
use super::trouble::Trouble;
use crate::oauth::Response;

/// A route.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Below the prefix; names in braces stand for one segment each.
    pub(super) path: &'static str,
    /// What programs that are generated from the document call it.
    pub(super) name: &'static str,
    /// What it does, in one sentence.
    pub(super) summary: &'static str,
    /// Parameters of the query, as the members of a schema.
    pub(super) query: SchemaOf,
    /// The body, where it takes one.
    pub(super) takes: Option<SchemaOf>,
    /// Bodies to try it with.
    pub(super) examples: Vec<Value>,
    pub(super) gives: Gives,
    pub(super) handler: Handler,
}

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers.
pub(super) struct Gives {
    pub(super) status: u16,
    pub(super) media: &'static str,
    /// `None`: no body.
    pub(super) schema: Option<SchemaOf>,
}

type Answer = Result<Response, Trouble>;
type Later = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How a route is answered.
pub(super) enum Handler {
    /// At once.
    Now(Box<dyn Fn(&Ask) -> Answer + Send + Sync>),
    /// At once, but it may take a while: on a thread of its own, so that nobody else waits.
    Slow(std::sync::Arc<dyn Fn(&Ask) -> Answer + Send + Sync>),
    /// When something happens.
    Later(Box<dyn Fn(Ask) -> Later + Send + Sync>),
    /// Bit by bit, in a response that is made elsewhere.
    Stream(fn(&Ask) -> Result<axum::response::Response, Trouble>),
}

/// What goes into a route.
pub(super) trait Input: DeserializeOwned + JsonSchema + 'static {}
impl<T: DeserializeOwned + JsonSchema + 'static> Input for T {}

/// What comes out of a route.
pub(super) trait Output: Serialize + JsonSchema + 'static {}
impl<T: Serialize + JsonSchema + 'static> Output for T {}

impl Route {
    /// A route that reads.
    pub(super) fn get<Q: Input, R: Output>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: fn(&Ask, Q) -> Result<R, Trouble>,
    ) -> Self {
        let answer = move |ask: &Ask| json(200, &handler(ask, ask.query()?)?);
        Self::new("GET", path, name, summary, gives::<R>(200), Handler::Now(Box::new(answer))).asks::<Q>()
    }

    /// A route that takes a body, and answers with that status.
    pub(super) fn body<B: Input, R: Output>(
        (method, status): (&'static str, u16),
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: fn(&Ask, &B) -> Result<R, Trouble>,
        example: Value,
    ) -> Self {
        let shape = Shape::of::<B>();
        let answer = move |ask: &Ask| {
            let Nothing {} = ask.query()?;
            json(status, &handler(ask, &ask.body(&shape)?)?)
        };
        Self::new(method, path, name, summary, gives::<R>(status), Handler::Now(Box::new(answer))).takes::<B>().example(example)
    }

    /// A route that needs no body and answers without one.
    pub(super) fn bare(
        method: &'static str,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: fn(&Ask) -> Result<(), Trouble>,
    ) -> Self {
        let gives = Gives { status: 204, media: "", schema: None };
        let shape = Shape::of::<Nothing>();
        let answer = move |ask: &Ask| {
            let Nothing {} = ask.query()?;
            let Nothing {} = ask.body(&shape)?;
            handler(ask)?;
            Ok(Response::new(204))
        };
        Self::new(method, path, name, summary, gives, Handler::Now(Box::new(answer)))
    }

    /// A route that answers when something happens.
    pub(super) fn later<B: Input, R: Output, F>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: fn(Ask, B) -> F,
        example: Value,
    ) -> Self
    where
        F: Future<Output = Result<R, Trouble>> + Send + 'static,
    {
        let shape = Shape::of::<B>();
        let answer = move |ask: Ask| -> Later {
            match ask.body(&shape) {
                Ok(body) => {
                    let result = handler(ask, body);
                    Box::pin(async move { json(200, &result.await?) })
                }
                Err(trouble) => Box::pin(async { Err(trouble) }),
            }
        };
        Self::new("POST", path, name, summary, gives::<R>(200), Handler::Later(Box::new(answer))).takes::<B>().example(example)
    }

    /// A route that answers bit by bit.
    pub(super) fn stream<Q: Input>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: fn(&Ask) -> Result<axum::response::Response, Trouble>,
    ) -> Self {
        let gives = Gives { status: 200, media: "text/event-stream", schema: Some(String::json_schema) };
        Self::new("GET", path, name, summary, gives, Handler::Stream(handler)).asks::<Q>()
    }

    /// A route that answers with a document that is ready.
    pub(super) fn document(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        media: &'static str,
        schema: SchemaOf,
        handler: fn(&Ask) -> Vec<u8>,
    ) -> Self {
        let answer = move |ask: &Ask| {
            let Nothing {} = ask.query()?;
            let mut response = Response::new(200);
            response.headers.push("Content-Type", media);
            response.body = handler(ask);
            Ok(response)
        };
        let gives = Gives { status: 200, media, schema: Some(schema) };
        Self::new("GET", path, name, summary, gives, Handler::Now(Box::new(answer)))
    }

    /// The same on a thread of its own.
    pub(super) fn slow(mut self) -> Self {
        if let Handler::Now(answer) = self.handler {
            self.handler = Handler::Slow(answer.into());
        }
        self
    }

    /// With one more body to try it with.
    pub(super) fn example(mut self, example: Value) -> Self {
        self.examples.push(example);
        self
    }

    fn new(
        method: &'static str,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        gives: Gives,
        handler: Handler,
    ) -> Self {
        let query: SchemaOf = Nothing::json_schema;
        Self { method, path, name, summary, query, takes: None, examples: Vec::new(), gives, handler }
    }

    fn asks<Q: Input>(self) -> Self {
        Self { query: Q::json_schema, ..self }
    }

    fn takes<B: Input>(self) -> Self {
        Self { takes: Some(SchemaGenerator::subschema_for::<B>), ..self }
    }

    /// The values of what stands in braces, if the path is this route's.
    pub(super) fn fits(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let (mut wanted, mut found) = (self.path.split('/'), path.split('/'));
        let mut parts = Vec::new();
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return Some(parts),
                (Some(wanted), Some(found)) => match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(_) if found.is_empty() => return None,
                    Some(name) => {
                        let value = crate::oauth::encoding::from_percent(found.as_bytes())?;
                        parts.push((name, String::from_utf8(value).ok()?));
                    }
                    None if wanted == found => {}
                    None => return None,
                },
                _ => return None,
            }
        }
    }
}

fn gives<R: Output>(status: u16) -> Gives {
    Gives { status, media: "application/json", schema: Some(SchemaGenerator::subschema_for::<R>) }
}

/// A JSON answer; it changes with every request, and may hold secrets.
pub(super) fn json<T: Serialize>(status: u16, value: &T) -> Answer {
    let body = serde_json::to_vec(value).map_err(|error| Trouble::new(500, "Internal error", error.to_string()))?;
    let mut response = Response::new(status);
    response.headers.push("Content-Type", "application/json");
    response.headers.push("Cache-Control", "no-store");
    response.body = body;
    Ok(response)
}
