//! The sessions of the web application: which logins are under way in which browser, and who is signed in there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::account::Account;
use super::super::begin::Pending;
use super::super::callback::Candidates;
use super::super::{LoginStore, SessionPolicy};

/// The name of the cookie.
pub(super) const COOKIE: &str = "session";

/// How many logins are kept of one browser; older ones are forgotten.
const LOGINS: usize = 20;
/// How many sessions are kept; beyond it all are forgotten.
const SESSIONS: usize = 10_000;

/// What is known of one browser.
#[derive(Debug, Clone, Default)]
struct Session {
    logins: Vec<Pending>,
    account: Option<Arc<Account>>,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: Mutex<HashMap<String, Session>>,
    /// The one login that is under way, where all browsers share one.
    shared: Mutex<Vec<Pending>>,
}

impl Sessions {
    /// Notes a login.
    pub(super) fn begin(&self, id: &str, login: Pending, store: LoginStore) {
        if store == LoginStore::Shared {
            *lock(&self.shared) = vec![login.clone()];
        }
        let mut sessions = lock(&self.by_id);
        if sessions.len() >= SESSIONS {
            sessions.clear();
        }
        let logins = &mut sessions.entry(id.to_owned()).or_default().logins;
        if store == LoginStore::Latest {
            logins.clear();
        }
        logins.push(login);
        let old = logins.len().saturating_sub(LOGINS);
        logins.drain(..old);
    }

    /// Calls back with the logins to which a response in that session could belong.
    pub(super) fn logins<T>(&self, id: Option<&str>, store: LoginStore, choose: impl FnOnce(Candidates<'_>) -> T) -> T {
        if store == LoginStore::Shared {
            let shared = lock(&self.shared);
            return choose(Candidates { own: &shared, all: &shared });
        }
        let sessions = lock(&self.by_id);
        let all: Vec<Pending> = sessions.values().flat_map(|session| &session.logins).cloned().collect();
        let own = id.and_then(|id| sessions.get(id)).map_or(&[][..], |session| &session.logins);
        choose(Candidates { own, all: &all })
    }

    /// Forgets a login, in whatever session it is.
    pub(super) fn forget(&self, login: &Pending) {
        let other =
            |known: &Pending| known.state != login.state || known.nonce != login.nonce || known.verifier != login.verifier;
        lock(&self.by_id).values_mut().for_each(|session| session.logins.retain(&other));
        lock(&self.shared).retain(other);
    }

    /// Signs somebody in.
    pub(super) fn sign_in(&self, old: Option<&str>, id: &str, account: Arc<Account>) {
        let mut sessions = lock(&self.by_id);
        let kept = old.and_then(|old| sessions.remove(old)).unwrap_or_default();
        sessions.insert(id.to_owned(), Session { account: Some(account), ..kept });
    }

    /// Who is signed in.
    pub(super) fn account(&self, id: Option<&str>) -> Option<Arc<Account>> {
        lock(&self.by_id).get(id?)?.account.clone()
    }

    /// Whether there is such a session.
    pub(super) fn knows(&self, id: &str) -> bool {
        lock(&self.by_id).contains_key(id)
    }

    /// Ends a session.
    pub(super) fn end(&self, id: &str) {
        lock(&self.by_id).remove(id);
    }
}

/// The `Set-Cookie` field of a session.
pub(super) fn cookie(id: &str, policy: &SessionPolicy) -> String {
    let http_only = if policy.http_only { "; HttpOnly" } else { "" };
    let same_site = if policy.same_site { "; SameSite=Lax" } else { "" };
    format!("{COOKIE}={id}; Path=/{http_only}{same_site}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
