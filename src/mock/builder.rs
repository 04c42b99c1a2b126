//! Settings of a server by name and one by one: profile, variants, faults, scripts, clients, users.

use super::server::OnDrop;
use super::{JournalLimits, MockBuilder, MockClient, MockError, MockUser};
use crate::policy::{Library, Patch, PatchKind, PolicySet, Script};

impl MockBuilder {
    /// Makes the default realm behave like a known provider; `strict` is what it does anyway.
    ///
    /// An id that does not exist is refused when the server starts, here as for variants and faults, with the nearest one that does.
    ///
    /// ```
    /// use oauthspec::mock::MockServer;
    ///
    /// let error = MockServer::builder().fault("code-expird").start_blocking().unwrap_err();
    /// assert!(error.to_string().starts_with("unknown fault `code-expird`"));
    /// ```
    #[must_use]
    pub fn profile(self, id: impl Into<String>) -> Self {
        self.named(PatchKind::Profile, id)
    }

    /// Makes the default realm different in one way in which it still conforms.
    #[must_use]
    pub fn variant(self, id: impl Into<String>) -> Self {
        self.named(PatchKind::Variant, id)
    }

    /// Makes the default realm break one requirement, always. For a moment only, see [`MockBuilder::script`].
    #[must_use]
    pub fn fault(self, id: impl Into<String>) -> Self {
        self.named(PatchKind::Fault, id)
    }

    /// Rules that apply at a moment, over all other policies of the default realm. A rule that never applies fails the verification.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.scripts.push(script);
        self
    }

    /// A client of the default realm. With one or more of them it has none of those that every realm has otherwise.
    #[must_use]
    pub fn client(mut self, client: MockClient) -> Self {
        self.clients.get_or_insert_default().push(client);
        self
    }

    /// A user of the default realm. With one or more of them it has none of those that every realm has otherwise.
    #[must_use]
    pub fn user(mut self, user: MockUser) -> Self {
        self.users.get_or_insert_default().push(user);
        self
    }

    /// How much of its past the default realm remembers.
    #[must_use]
    pub fn journal(mut self, limits: JournalLimits) -> Self {
        self.journal = limits;
        self
    }

    /// Does not verify when the server is dropped: neither expectations nor scripts. Whoever wants to know asks
    /// [`super::Realm::verify`].
    #[must_use]
    pub fn without_verification(mut self) -> Self {
        self.on_drop = OnDrop::Nothing;
        self
    }

    /// What the default realm decides: the profile, what was given as policies, variants, faults, in this order.
    pub(super) fn resolved(&self) -> Result<PolicySet, MockError> {
        if self.named.is_empty() {
            return Ok(self.policies.clone());
        }
        let of = |kind: PatchKind| -> Result<Vec<Patch>, MockError> {
            let ids = self.named.iter().filter(|(of, id)| *of == kind && (kind, id.as_str()) != (PatchKind::Profile, "strict"));
            ids.map(|(_, id)| Ok(Library::embedded().of_kind(kind, id)?.clone())).collect()
        };
        let given = self.policies.patches().map(|patch| Patch::clone(patch)).collect();
        let all = [of(PatchKind::Profile)?, given, of(PatchKind::Variant)?, of(PatchKind::Fault)?].concat();
        Ok(PolicySet::new(&all)?)
    }

    fn named(mut self, kind: PatchKind, id: impl Into<String>) -> Self {
        self.named.push((kind, id.into()));
        self
    }
}
