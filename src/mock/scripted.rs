//! What a test tells a realm and asks of it: scripts while it runs, expectations, verification.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Realm;
use super::expectation::Expectations;
use super::ledger::Unmet;
use crate::policy::{Patch, PatchError, Script, Unmatched};

impl Realm {
    /// Adds a script over everything that is in force. What other rules counted so far stays counted.
    ///
    /// ```
    /// use oauthspec::mock::MockServer;
    /// use oauthspec::policy::{Respond, Script, When};
    ///
    /// let server = MockServer::builder().start_blocking()?;
    /// let realm = server.realm();
    /// realm.add_script(&Script::new("busy").rule(When::at("token").first(2), Respond::new(503)))?;
    /// assert_eq!(realm.unmatched()[0].to_string(), "rule 1 of `busy` (endpoint = token, first = 2) never applied; no request came");
    /// realm.clear_scripts();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where a setting does not fit, or a fault cannot apply here; then nothing changes.
    pub fn add_script(&self, script: &Script) -> Result<(), PatchError> {
        self.change_policies(|policies| policies.with_scripts(script.patches()))?;
        self.verified().store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Takes the script of that id away; an unknown one is no error.
    pub fn remove_script(&self, id: &str) {
        self.without_scripts(Some(id));
    }

    /// Takes all scripts away that were added.
    pub fn clear_scripts(&self) {
        self.without_scripts(None);
    }

    /// The scripts that were added, in the order in which they apply.
    #[must_use]
    pub fn scripts(&self) -> Vec<Arc<Patch>> {
        self.policies().scripts().cloned().collect()
    }

    /// The rules of scripts that never applied so far, with the request that came nearest to each.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Unmatched> {
        self.policies().unmatched()
    }

    /// Expects exchanges: those that are in the journal count, and those that are still to come.
    pub fn expect(&self, expectations: impl Into<Expectations>) {
        self.journal().expect(&expectations.into());
        self.verified().store(false, Ordering::SeqCst);
    }

    /// Forgets what was expected.
    pub fn clear_expectations(&self) {
        self.journal().forget_expectations();
    }

    /// Whether everything that is expected happened, and every rule of the scripts that were added applied, but those of optional ones.
    ///
    /// ```
    /// use oauthspec::mock::{Expectation, MockServer};
    ///
    /// let server = MockServer::builder().start_blocking()?;
    /// server.realm().expect(Expectation::token().grant("refresh_token").times(1..));
    /// let unmet = server.realm().verify().unwrap_err();
    /// assert!(unmet.to_string().contains("expected at least 1 exchange with endpoint = token, grant = refresh_token; there was none"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What is not met, each with its nearest miss.
    pub fn verify(&self) -> Result<(), Unmet> {
        self.verified().store(true, Ordering::SeqCst);
        let (expectations, rules) = (self.journal().unmet(), self.policies().unmatched_scripts());
        if expectations.is_empty() && rules.is_empty() {
            return Ok(());
        }
        Err(Unmet { realm: self.name().to_owned(), expectations, rules })
    }

    /// The same, where there is something to verify that was not verified since.
    pub(super) fn verify_if_due(&self) -> Result<(), Unmet> {
        if self.verified().load(Ordering::SeqCst) { Ok(()) } else { self.verify() }
    }

    fn without_scripts(&self, id: Option<&str>) {
        let changed: Result<(), PatchError> = self.change_policies(|policies| Ok(policies.without_scripts(id)));
        debug_assert!(changed.is_ok(), "nothing was checked");
    }
}
