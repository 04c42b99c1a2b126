//! Scope: a set of case-sensitive tokens (RFC 6749 section 3.3).

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::is_nqchar;

/// A set of scope tokens. They stay in the order in which they came, which has no meaning: two scopes of the same tokens are equal.
#[derive(Debug, Clone)]
pub struct Scope(Arc<[String]>);

/// Up to so many tokens are compared one by one.
const FEW: usize = 16;

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
        self.iter().all(|token| other.contains(token))
    }

    /// The tokens that stand in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.iter().filter(|token| other.contains(token)).cloned().collect()
    }

    /// Whether the token is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|known| known == token)
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

    /// The tokens in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.within(other)
    }
}

impl Eq for Scope {}

impl FromIterator<String> for Scope {
    fn from_iter<I: IntoIterator<Item = String>>(tokens: I) -> Self {
        let mut kept: Vec<String> = Vec::new();
        // A request may bring a hundred thousand of them.
        let mut seen: HashSet<String> = HashSet::new();
        for token in tokens {
            let known = if kept.len() <= FEW { kept.contains(&token) } else { seen.contains(&token) };
            if known {
                continue;
            }
            if kept.len() == FEW {
                seen.extend(kept.iter().cloned());
            }
            if kept.len() >= FEW {
                seen.insert(token.clone());
            }
            kept.push(token);
        }
        Self(kept.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_has_no_meaning() {
        let scope = Scope::parse("b a b c").unwrap();
        assert_eq!((scope.to_string().as_str(), scope.len()), ("b a c", 3));
        assert_eq!(scope, Scope::parse("c b a").unwrap());
        assert_ne!(scope, Scope::parse("a b d").unwrap());
        assert_eq!(scope.intersection(&Scope::parse("c b").unwrap()).to_string(), "b c");
        let many: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
        let twice: Scope = many.iter().chain(&many).cloned().collect();
        assert_eq!(twice.iter().collect::<Vec<_>>(), many);
    }
}
