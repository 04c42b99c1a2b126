//! The tokens that a realm remembers, found by value and number. Bounded: the oldest are forgotten.
//!
//! A value can be a JWT of a kilobyte: only its fingerprint is kept.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::state::{Print, Token, TokenKind};

/// How many tokens a realm keeps.
pub(super) const CAPACITY: usize = 20_000;

/// The hash of what is a hash already: its first bytes.
#[derive(Default)]
struct Leading(u64);

impl Hasher for Leading {
    fn write(&mut self, bytes: &[u8]) {
        for (place, byte) in bytes.iter().take(8).enumerate() {
            self.0 ^= u64::from(*byte) << (8 * place);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Tokens in the order of their numbers, without gaps.
#[derive(Default)]
pub(super) struct TokenStore {
    kept: VecDeque<Token>,
    /// The number of the first of them.
    first: u64,
    by_value: HashMap<Print, u64, BuildHasherDefault<Leading>>,
}

impl TokenStore {
    /// Keeps a token; its number is set here.
    pub(super) fn keep(&mut self, mut token: Token) -> u64 {
        let id = self.first + self.kept.len() as u64;
        token.id = id;
        if let Some(print) = token.print {
            self.by_value.insert(print, id);
        }
        self.kept.push_back(token);
        if self.kept.len() > CAPACITY {
            self.forget_oldest();
        }
        id
    }

    /// Says how a token looks.
    pub(super) fn bind(&mut self, id: u64, value: &str) {
        let print = Print::of(value);
        if let Some(token) = self.by_id_mut(id) {
            token.print = Some(print);
            self.by_value.insert(print, id);
        }
    }

    pub(super) fn get(&self, value: &str) -> Option<&Token> {
        let id = *self.by_value.get(&Print::of(value))?;
        self.kept.get(self.position(id)?)
    }

    /// Forgets that a value was issued.
    pub(super) fn disown(&mut self, value: &str) {
        self.by_value.remove(&Print::of(value));
    }

    pub(super) fn by_id_mut(&mut self, id: u64) -> Option<&mut Token> {
        let position = self.position(id)?;
        self.kept.get_mut(position)
    }

    /// Revokes tokens of an authorization: all, or those of one kind.
    pub(super) fn revoke_grant(&mut self, grant: u64, kind: Option<TokenKind>) {
        // They are few and revoked seldom; an index would cost every token.
        let own = |token: &&mut Token| token.grant == grant && kind.is_none_or(|kind| kind == token.kind);
        self.kept.iter_mut().filter(own).for_each(|token| token.revoked = true);
    }

    /// Revokes every token of a client.
    pub(super) fn revoke_client(&mut self, client: &str) {
        self.kept.iter_mut().filter(|token| token.client == client).for_each(|token| token.revoked = true);
    }

    /// Revokes every token in the name of a user.
    pub(super) fn revoke_user(&mut self, username: &str) {
        self.kept.iter_mut().filter(|token| token.user.as_deref() == Some(username)).for_each(|token| token.revoked = true);
    }

    /// Forgets all of them; numbers go on.
    pub(super) fn clear(&mut self) {
        *self = Self { first: self.first + self.kept.len() as u64, ..Self::default() };
    }

    fn forget_oldest(&mut self) {
        let Some(token) = self.kept.pop_front() else { return };
        self.first += 1;
        if let Some(print) = token.print.filter(|print| self.by_value.get(print) == Some(&token.id)) {
            self.by_value.remove(&print);
        }
    }

    fn position(&self, id: u64) -> Option<usize> {
        usize::try_from(id.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::oauth::Scope;

    fn token(grant: u64, value: &str) -> Token {
        Token {
            id: 0,
            kind: TokenKind::Access,
            grant,
            client: "c".into(),
            user: None,
            auth_time: None,
            resource: None,
            scope: Scope::default(),
            issued: Duration::ZERO,
            expires: Duration::ZERO,
            revoked: false,
            used: None,
            print: Some(Print::of(value)),
        }
    }

    #[test]
    fn tokens_are_found_and_the_oldest_forgotten() {
        let mut store = TokenStore::default();
        let count = CAPACITY as u64 + 10;
        (0..count).for_each(|number| assert_eq!(store.keep(token(number / 2, &number.to_string())), number));
        assert!(store.get("9").is_none() && store.by_id_mut(9).is_none());
        assert_eq!(store.get("10").unwrap().id, 10);
        assert_eq!((store.kept.len(), store.by_value.len()), (CAPACITY, CAPACITY));
        store.revoke_grant(5, None);
        assert!(store.get("10").unwrap().revoked && store.get("11").unwrap().revoked && !store.get("12").unwrap().revoked);
        store.clear();
        assert!(store.get("12").is_none());
        assert_eq!(store.keep(token(1, "new")), count);
    }

    #[test]
    fn the_latest_of_equal_values_counts() {
        let mut store = TokenStore::default();
        let (_, second) = (store.keep(token(1, "same")), store.keep(token(2, "same")));
        assert_eq!(store.get("same").unwrap().id, second);
    }
}
