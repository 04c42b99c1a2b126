//! The document says what the handlers do: every operation is tried, and every answer is held against its schema.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{call, exchange, get, post, start};
use crate::mock::MockServer;
use crate::mock::control::routes;

/// A server on which every operation can succeed.
fn prepared() -> MockServer {
    let server = MockServer::builder().without_verification().start_blocking().unwrap();
    exchange(&server, "default");
    for (path, body) in
        [("/realms/default/faults/code-reusable.accept", json!({})), ("/realms/default/variants/no-iss", json!({}))]
    {
        assert_eq!(call(&server, "PUT", path, &body).status, 200, "{path}");
    }
    let script = json!({ "mine": { "patch": [{ "when": { "endpoint": "par" }, "respond": { "status": 503 } }] } });
    post(&server, "/realms/default/scripts", &script);
    server
}

/// A schema of the document as one that stands alone.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    jsonschema::draft202012::new(&json!({ "allOf": [schema], "components": document["components"] })).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut out = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            out.push((path.clone(), method.to_ascii_uppercase(), operation.clone()));
        }
    }
    out
}

/// A path with the example of each of its parameters.
fn filled(document: &Value, path: &str) -> String {
    let parameters = document["paths"][path]["parameters"].as_array().cloned().unwrap_or_default();
    let filled = parameters.iter().fold(path.to_owned(), |path, parameter| {
        path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), parameter["example"].as_str().unwrap())
    });
    assert!(!filled.contains('{'), "{path} has parameters that are not described");
    filled
}

#[test]
fn the_document_and_the_routes_are_the_same() {
    let document = get(&start(), "/openapi.json");
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    let handled: BTreeSet<_> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, handled);
    let names: BTreeSet<_> = routes().iter().map(|route| route.name).collect();
    assert_eq!(names.len(), routes().len(), "an operationId stands twice");
}

#[test]
fn every_operation_answers_as_the_document_says() {
    let document = get(&start(), "/openapi.json");
    for (path, method, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/json"];
        let examples = content["examples"].as_object().cloned().unwrap_or_default();
        let bodies: Vec<Value> = examples.values().map(|example| example["value"].clone()).collect();
        let (answer, status) = answer(&operation);
        for body in if bodies.is_empty() { vec![Value::Null] } else { bodies } {
            let what = format!("{method} {path} {body}");
            if !body.is_null() {
                assert!(validator(&document, &content["schema"]).is_valid(&body), "{what} is no valid example");
            }
            let server = prepared();
            if answer["content"].get("text/event-stream").is_some() {
                stream(&server, &filled(&document, &path));
                continue;
            }
            let got = call(&server, &method, &filled(&document, &path), &body);
            assert_eq!(got.status.to_string(), status, "{what}: {got:?}");
            match answer["content"]["application/json"].get("schema") {
                Some(schema) => {
                    let errors: Vec<_> = validator(&document, schema)
                        .iter_errors(&got.json())
                        .map(|error| format!("{error} at {}", error.instance_path()))
                        .collect();
                    assert!(errors.is_empty(), "{what}: {errors:#?}\n{}", got.body);
                }
                None => assert!(answer.get("content").is_some() || got.body.is_empty(), "{what}: {got:?}"),
            }
        }
    }
}

#[test]
fn every_operation_refuses_what_it_does_not_know() {
    let document = get(&start(), "/openapi.json");
    let server = prepared();
    let trouble = validator(&document, &json!({ "$ref": "#/components/schemas/Trouble" }));
    for (path, method, operation) in operations(&document) {
        let filled = filled(&document, &path);
        let schema = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/Trouble", "{method} {path}");
        let mut tries = vec![call(&server, &method, &format!("{filled}?colour=green"), &Value::Null)];
        if operation.get("requestBody").is_some() {
            tries.push(call(&server, &method, &filled, &json!("text")));
            tries.push(call(&server, &method, &filled, &json!({ "colour": 3 })));
        }
        for got in tries {
            let what = format!("{method} {path}: {got:?}");
            assert!((400..500).contains(&got.status), "{what}");
            assert!(trouble.is_valid(&got.json()), "{what}");
        }
    }
}

/// The one answer that is no refusal.
fn answer(operation: &Value) -> (Value, String) {
    let responses = operation["responses"].as_object().unwrap();
    let (status, answer) = responses.iter().find(|(status, _)| *status != "default").unwrap();
    (answer.clone(), status.clone())
}

/// The first event of a stream.
fn stream(server: &MockServer, path: &str) {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let head = format!("GET /_oauthspec{path}?since=0 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    connection.write_all(head.as_bytes()).unwrap();
    let lines: Vec<String> =
        BufReader::new(connection).lines().map(Result::unwrap).take_while(|line| !line.starts_with("data:")).collect();
    assert!(lines.iter().any(|line| line.eq_ignore_ascii_case("content-type: text/event-stream")), "{lines:?}");
    assert!(lines.contains(&"event: exchange".to_owned()) && lines.contains(&"id: 0".to_owned()), "{lines:?}");
}
