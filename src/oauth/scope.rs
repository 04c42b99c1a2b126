//! Scope: a set of case-sensitive tokens (RFC 6749 section 3.3).

use std::collections::BTreeSet;
use std::fmt;

use super::is_nqchar;

/// A set of scope tokens; order has no meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(BTreeSet<String>);

/// A scope that breaks the grammar: another character than `%x21 / %x23-5B / %x5D-7E` in a token, or not one blank between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: tokens of printable characters without quote and backslash, one blank between them")]
pub struct InvalidScope;

impl Scope {
    /// Parses strictly by the grammar of RFC 6749 A.4.
    ///
    /// # Errors
    /// [`InvalidScope`] on an empty token or a character outside the set.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let legal = |token: &str| !token.is_empty() && token.bytes().all(is_nqchar);
        text.split(' ').map(|token| if legal(token) { Ok(token.to_owned()) } else { Err(InvalidScope) }).collect()
    }

    /// Takes apart at white space whatever somebody else has sent.
    #[must_use]
    pub fn parse_lossy(text: &str) -> Self {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// Whether every token of `self` stands in `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The tokens that stand in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Whether the token is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromIterator<String> for Scope {
    fn from_iter<I: IntoIterator<Item = String>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}
