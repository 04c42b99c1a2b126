//! The named ways in which a token that is made on demand can be broken. They are data; nothing here knows one by its name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::embedded;
use crate::policy::Rewrite;

/// A way in which a token can be broken.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Defect {
    /// What is wrong, in a sentence.
    pub(super) title: String,
    /// Claims that hold times, in seconds from now.
    pub(super) times: BTreeMap<String, i64>,
    claims: Map<String, Value>,
    omit: Vec<String>,
    jws: Map<String, Value>,
    omit_header: Vec<String>,
    pub(super) fate: Option<Fate>,
    /// The kind of token that can be broken so; `None`: each.
    pub(super) only: Option<String>,
}

/// What happened to a token or code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    /// It was revoked.
    Revoked,
    /// It was used.
    Used,
    /// It was never issued.
    Unknown,
}

/// All of them, by name.
pub(super) fn all() -> &'static BTreeMap<String, Defect> {
    static ALL: LazyLock<BTreeMap<String, Defect>> =
        LazyLock::new(|| toml::from_str(embedded::BROKEN_TOKENS).expect("a test reads the file of broken tokens"));
    &ALL
}

impl Defect {
    /// Whether it changes what only a JWT has: claims, header or signature.
    pub(super) fn is_of_jwt(&self) -> bool {
        let expired = self.times.get("exp").is_some_and(|at| *at < 0);
        let times = !self.times.is_empty() && !expired;
        times || !(self.claims.is_empty() && self.omit.is_empty() && self.jws.is_empty() && self.omit_header.is_empty())
    }

    /// Whether it would change anything about a token with these claims.
    pub(super) fn changes(&self, claims: &Map<String, Value>) -> bool {
        let elsewhere = !(self.times.is_empty() && self.claims.is_empty() && self.jws.is_empty() && self.omit_header.is_empty());
        elsewhere || self.fate.is_some() || self.omit.iter().any(|name| claims.contains_key(name))
    }

    /// What it does to claims, header and signature.
    pub(super) fn rewrite(&self, now: i64) -> Rewrite {
        let mut rewrite = Rewrite { claims: self.claims.clone(), jws: self.jws.clone(), ..Rewrite::default() };
        rewrite.claims.extend(self.times.iter().map(|(name, offset)| (name.clone(), Value::from(now + offset))));
        rewrite.claims.extend(self.omit.iter().map(|name| (name.clone(), Value::Null)));
        if !self.omit_header.is_empty() {
            let header = rewrite.jws.entry("header").or_insert_with(|| Value::Object(Map::new()));
            self.omit_header.iter().for_each(|name| header[name.as_str()] = Value::Null);
        }
        rewrite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_it_says() {
        assert!(all().len() > 20);
        for (name, defect) in all() {
            assert!(!defect.title.is_empty(), "{name}");
            assert!(defect.is_of_jwt() || defect.fate.is_some() || !defect.times.is_empty(), "{name} changes nothing");
        }
    }

    #[test]
    fn the_expired_are_expired_and_nothing_else() {
        let expired = &all()["expired"];
        assert!(!expired.is_of_jwt());
        assert_eq!(expired.rewrite(10_000).claims["exp"], 6_400);
        assert_eq!(all()["no-kid"].rewrite(0).jws["header"]["kid"], Value::Null);
    }
}
