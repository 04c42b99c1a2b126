//! Whether a body has the shape that the document says: the same schema, held against what came, so that every mistake has its place.

use std::fmt;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ask::{escaped, unknown};
use super::trouble::Flaw;

/// The shape of a type.
pub(super) struct Shape {
    schema: Value,
}

impl Shape {
    pub(super) fn of<T: JsonSchema>() -> Self {
        Self { schema: SchemaGenerator::default().into_root_schema_for::<T>().to_value() }
    }

    /// The first mistake in a value.
    pub(super) fn flaw(&self, value: &Value) -> Option<Flaw> {
        self.check(&self.schema, value, "").err()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), Flaw> {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            return self.check(&self.schema["$defs"][name], value, at);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let some = choices.iter().find(|choice| choice["type"] != "null");
            return if value.is_null() { Ok(()) } else { some.map_or(Ok(()), |schema| self.check(schema, value, at)) };
        }
        check_choice(schema, value, at)?;
        check_type(schema, value, at)?;
        match value {
            Value::Object(members) => self.check_members(schema, members, at),
            Value::Array(items) => {
                let one = |(index, item)| self.check(&schema["items"], item, &format!("{at}/{index}"));
                items.iter().enumerate().try_for_each(one)
            }
            _ => Ok(()),
        }
    }

    fn check_members(&self, schema: &Value, members: &Map<String, Value>, at: &str) -> Result<(), Flaw> {
        let none = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&none);
        let closed = schema["additionalProperties"] == false;
        for (name, value) in members {
            let place = format!("{at}/{}", escaped(name));
            match known.get(name) {
                Some(schema) => self.check(schema, value, &place)?,
                None if closed => {
                    let (detail, help) = unknown("member", name, known.keys().map(String::as_str));
                    return Err(Flaw { pointer: Some(place), detail, help, ..Flaw::default() });
                }
                None => {}
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        match required.into_iter().find(|name| !members.contains_key(*name)) {
            Some(name) => Err(flaw(&format!("{at}/{}", escaped(name)), format!("`{name}` is missing"))),
            None => Ok(()),
        }
    }
}

/// Of words that are listed, it has to be one.
fn check_choice(schema: &Value, value: &Value, at: &str) -> Result<(), Flaw> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"].as_array().into_iter().flatten().filter_map(|choice| choice.get("const"));
    let words: Vec<&str> = listed.chain(described).filter_map(Value::as_str).collect();
    match value.as_str() {
        Some(word) if !words.is_empty() && !words.contains(&word) => {
            let (detail, help) = unknown("value", word, words.into_iter());
            Err(Flaw { pointer: Some(at.to_owned()), detail, help, ..Flaw::default() })
        }
        None if !words.is_empty() => Err(expected("text", value, at)),
        _ => Ok(()),
    }
}

fn check_type(schema: &Value, value: &Value, at: &str) -> Result<(), Flaw> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let fits = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    };
    if !types.iter().any(|kind| fits(kind)) {
        let wanted = types.iter().find(|kind| **kind != "null").map_or("nothing", |kind| in_words(kind));
        return Err(expected(wanted, value, at));
    }
    let bound = |name: &str| schema[name].as_f64();
    let (least, most) = (bound("minimum"), bound("maximum"));
    let Some(number) = value.as_f64() else { return Ok(()) };
    if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
        let from = schema["minimum"].as_u64().unwrap_or_default();
        let to = schema["maximum"].as_u64().map_or_else(String::new, |most| format!(" to {most}"));
        return Err(flaw(at, format!("expected a whole number from {from}{to}, but it is {value}")));
    }
    Ok(())
}

fn expected(wanted: &str, found: &Value, at: &str) -> Flaw {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => found.to_string(),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    flaw(at, format!("expected {wanted}, but it is {found}"))
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "object" => "an object",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "null",
    }
}

fn flaw(at: &str, detail: String) -> Flaw {
    Flaw { pointer: Some(at.to_owned()), detail, ..Flaw::default() }
}

/// A JSON value in which no member stands twice.
pub(super) struct Unique(pub(super) Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members).map(Self)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            let Unique(value) = members.next_value()?;
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}
