//! How strongly a statement binds, and how much harm its breach does.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How strongly a statement binds the party under test (RFC 2119). Ordered from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Permission, or robustness that no clause demands: warns at most.
    May,
    /// SHOULD, RECOMMENDED: a breach is a `warn`.
    Should,
    /// MUST, SHALL, REQUIRED: a breach is a `fail`.
    Must,
}

impl Level {
    /// The level that a keyword of RFC 2119 stands for.
    #[must_use]
    pub fn of_keyword(keyword: &str) -> Self {
        match keyword {
            "MUST" | "MUST NOT" | "SHALL" | "SHALL NOT" | "REQUIRED" => Self::Must,
            "SHOULD" | "SHOULD NOT" | "RECOMMENDED" | "NOT RECOMMENDED" => Self::Should,
            _ => Self::May,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        })
    }
}

/// How much harm a breach does. Ordered from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Interoperability suffers a little.
    Low,
    /// Interoperability breaks, or a defence in depth is missing.
    Medium,
    /// An attack becomes possible under further conditions.
    High,
    /// An account, code or token is lost.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}
