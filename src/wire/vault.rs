//! The vault: knows every secret value, in all its encodings, and names it `<kind#n>`. Only it can make text that leaves the runner.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text in which no secret is left. Only the vault makes it of text from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Text that is written in the program itself.
    #[must_use]
    pub fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Knows secrets and takes them out.
#[derive(Debug, Clone)]
pub struct Vault;
