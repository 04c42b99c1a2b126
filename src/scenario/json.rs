//! JSON values with `{variables}` in their strings: members of a registration request.

use super::Template;

/// A JSON value; its strings are filled in when they are used.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// A string.
    Text(Template),
    /// A list.
    Array(Vec<Json>),
    /// An object, in the order in which it was written.
    Object(Vec<(String, Json)>),
    /// A number or flag.
    Plain(serde_json::Value),
}
