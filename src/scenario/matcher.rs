//! What a check expects of one value.

use std::time::Duration;

use super::Template;

/// What one value has to be. A bare value in a file means [`Matcher::Equals`].
#[derive(Debug, Clone)]
pub enum Matcher {
    /// This text, after the variables are filled in; numbers and booleans compare by their JSON text.
    Equals(Template),
    /// There, with any value.
    Present,
    /// Not there.
    Absent,
    /// Matches this regular expression, somewhere.
    Matches(regex::Regex),
    /// One of these texts.
    OneOf(Vec<Template>),
    /// Contains this text, without regard to case; in a list, as an element.
    Contains(Template),
    /// Does not contain this text, without regard to case.
    Lacks(Template),
    /// Is this text, or a list with it as an element; with regard to case.
    Includes(Template),
    /// Is neither this text nor a list with it as an element; with regard to case.
    Excludes(Template),
    /// Is of this JSON type.
    Type(Kind),
    /// The same set of scope tokens.
    Scopes(Template),
    /// A number within these bounds, both inclusive.
    Range {
        /// Greater or equal.
        gte: Option<f64>,
        /// Less or equal.
        lte: Option<f64>,
    },
    /// A NumericDate (RFC 7519 section 2) between two others, both exclusive and widened by the leeway.
    Dates {
        /// Later than this one.
        after: Option<Template>,
        /// Earlier than this one.
        before: Option<Template>,
        /// By how much either bound may be missed.
        leeway: Duration,
    },
    /// base64url of so many octets.
    Octets(usize),
    /// base64url of a number of at least so many bits.
    Bits(usize),
    /// A list, or a text of words, in which nothing stands twice.
    Unique,
    /// Not there, or such.
    Optional(Box<Self>),
}

/// A JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `"…"`
    String,
    /// Any number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

impl Kind {
    /// Every type with the name that files use.
    pub const ALL: [(&'static str, Self); 6] = [
        ("string", Self::String),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    /// The name that files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether a value is of this type.
    #[must_use]
    pub fn fits(self, value: &serde_json::Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}
