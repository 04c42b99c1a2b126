//! Request and response parameters as an ordered list of byte pairs: repeats, empty values and any bytes are kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::encoding;

/// Parameters of a query, a form body or a fragment, decoded, in the order in which they stand.
///
/// Nothing is merged and nothing is lost: `state=a&state=b` are two entries, `code=` is one with an empty value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(Vec<u8>, Vec<u8>)>);

/// Up to so many parameters are compared one by one.
const FEW: usize = 16;

/// A form body or query that cannot be decoded: `%` without two hexadecimal digits behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not application/x-www-form-urlencoded: a percent sign without two hexadecimal digits")]
pub struct MalformedForm;

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes `application/x-www-form-urlencoded` bytes (RFC 6749 Appendix B).
    ///
    /// # Errors
    /// [`MalformedForm`] where a percent sign has no two hexadecimal digits behind it.
    pub fn parse(form: &[u8]) -> Result<Self, MalformedForm> {
        let mut params = Self::new();
        for pair in form.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = split_pair(pair);
            let name = encoding::from_form(name).ok_or(MalformedForm)?;
            params.0.push((name, encoding::from_form(value).ok_or(MalformedForm)?));
        }
        Ok(params)
    }

    /// Decodes what can be decoded and keeps the rest as it stands: for looking at what somebody else has sent.
    #[must_use]
    pub fn parse_lossy(form: &[u8]) -> Self {
        let decode = |part: &[u8]| encoding::from_form(part).unwrap_or_else(|| part.to_vec());
        let pairs = form.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
        Self(pairs.map(split_pair).map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// Encodes as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.0 {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(&encoding::form(name));
            out.push('=');
            out.push_str(&encoding::form(value));
        }
        out
    }

    /// Appends one parameter, even if the name is there already.
    pub fn push(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Sets a parameter: the first of that name is replaced, further ones are removed, a new name is appended.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let value = value.into();
        match self.0.iter().position(|(n, _)| n == name.as_bytes()) {
            Some(at) => {
                self.0[at].1 = value;
                let mut index = 0;
                self.0.retain(|(n, _)| {
                    index += 1;
                    index - 1 <= at || n != name.as_bytes()
                });
            }
            None => self.push(name, value),
        }
    }

    /// Removes every parameter of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name.as_bytes());
    }

    /// The first value of that name, in bytes.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| n == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// The first value of that name; bytes that are no UTF-8 become replacement characters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.bytes(name).map(String::from_utf8_lossy)
    }

    /// All values of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// Whether a parameter of that name is there, with any value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.bytes(name).is_some()
    }

    /// Every pair in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The names that stand more than once, each once, in order of their second appearance.
    #[must_use]
    pub fn repeated(&self) -> Vec<String> {
        if self.0.len() <= FEW {
            let before = |at: usize| self.0[..at].iter().filter(|(name, _)| *name == self.0[at].0).count();
            let second = (0..self.0.len()).filter(|at| before(*at) == 1);
            return second.map(|at| String::from_utf8_lossy(&self.0[at].0).into_owned()).collect();
        }
        // One look at each name: there can be as many as a body holds.
        let mut seen: HashMap<&[u8], u8> = HashMap::new();
        let mut out: Vec<String> = Vec::new();
        for (name, _) in &self.0 {
            let times = seen.entry(name).or_default();
            *times = times.saturating_add(1);
            if *times == 2 {
                out.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        out
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Params").field(&self.encode()).finish()
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&b| b == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_and_empty_values_survive() {
        let params = Params::parse(b"state=a&state=b&code=&x").unwrap();
        assert_eq!(params.repeated(), ["state"]);
        let many: Params = (0..30).chain(5..7).chain(5..6).map(|number| (number.to_string(), "")).collect();
        assert_eq!(many.repeated(), ["5", "6"]);
        let few: Params = ["a", "b", "b", "a", "a"].into_iter().map(|name| (name, "")).collect();
        assert_eq!(few.repeated(), ["b", "a"]);
        assert_eq!(params.bytes("code"), Some(&b""[..]));
        assert!(params.has("x"));
        assert_eq!(params.encode(), "state=a&state=b&code=&x=");
    }

    #[test]
    fn set_replaces_the_first_and_drops_the_rest() {
        let mut params = Params::parse(b"a=1&b=2&a=3").unwrap();
        params.set("a", "9");
        params.set("c", "4");
        assert_eq!(params.encode(), "a=9&b=2&c=4");
    }
}
