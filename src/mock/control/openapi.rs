//! The OpenAPI 3.1 document of the control API, made from its routes.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::PREFIX;
use super::route::Route;
use super::trouble::Trouble;

/// What stands in braces in paths: what it is, and one that every server has.
const PARTS: [(&str, &str, &str); 9] = [
    ("realm", "The name of a realm.", "default"),
    ("index", "The number of an exchange in the journal.", "0"),
    ("kid", "The identifier of a key.", "ec-1"),
    ("client", "A client identifier.", "web"),
    ("user", "A user name.", "alice"),
    ("fault", "The id of a fault.", "code-reusable.accept"),
    ("variant", "The id of a variant.", "no-iss"),
    ("script", "The id of a script.", "mine"),
    ("expectation", "The name of an expectation.", "redeems-once"),
];

/// The document for a server that is reached by that URL.
pub(super) fn document(base_url: &str, routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let trouble = generator.subschema_for::<Trouble>();
    let mut paths = Map::new();
    for route in routes {
        let item = paths.entry(route.path).or_insert_with(|| {
            let parts: Vec<Value> = PARTS.iter().filter(|part| holds(route.path, part.0)).map(part).collect();
            if parts.is_empty() { json!({}) } else { json!({ "parameters": parts }) }
        });
        item[route.method.to_ascii_lowercase()] = operation(route, &trouble, &mut generator);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "oauthspec mock: control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Makes realms, moves their clocks, reads their journals and says how they misbehave. Unknown members are refused.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": format!("{base_url}{PREFIX}") }],
        "security": [{ "token": [] }, {}],
        "paths": paths,
    });
    document["components"] = json!({
        "schemas": generator.take_definitions(true),
        "securitySchemes": { "token": {
            "type": "http", "scheme": "bearer",
            "description": "The token that was given at start. A server on the loopback interface may go without.",
        } },
    });
    document
}

fn operation(route: &Route, trouble: &Schema, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({ "operationId": route.name, "summary": route.summary });
    let parameters = query(&(route.query)(generator));
    if !parameters.is_empty() {
        operation["parameters"] = Value::from(parameters);
    }
    if let Some(takes) = route.takes {
        let named =
            route.examples.iter().enumerate().map(|(at, value)| (format!("example-{}", at + 1), json!({ "value": value })));
        let examples: Map<String, Value> = named.collect();
        let content = json!({ "application/json": { "schema": takes(generator), "examples": examples } });
        operation["requestBody"] = json!({ "content": content });
    }
    let mut answer = json!({ "description": description(route.gives.status) });
    if let Some(schema) = route.gives.schema {
        answer["content"] = json!({ route.gives.media: { "schema": schema(generator) } });
    }
    let refusal = json!({
        "description": "What is wrong, where, and how to mend it (RFC 9457).",
        "content": { "application/problem+json": { "schema": trouble } },
    });
    operation["responses"] = json!({ route.gives.status.to_string(): answer, "default": refusal });
    operation
}

/// The members of a schema as parameters of the query.
fn query(schema: &Schema) -> Vec<Value> {
    let Some(Value::Object(members)) = schema.get("properties").cloned() else { return Vec::new() };
    let parameter = |(name, mut schema): (String, Value)| {
        let description = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
        json!({ "name": name, "in": "query", "description": description, "schema": schema })
    };
    members.into_iter().map(parameter).collect()
}

fn part((name, description, example): &(&str, &str, &str)) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": { "type": "string" }, "example": example,
    })
}

fn holds(path: &str, name: &str) -> bool {
    path.split('/').any(|segment| segment.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name))
}

fn description(status: u16) -> &'static str {
    match status {
        201 => "It was made.",
        204 => "It was done.",
        _ => "What was asked for.",
    }
}
