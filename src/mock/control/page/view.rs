//! Which part of a realm's page is seen, as its URL says it: what is searched for.

use crate::oauth::Params;
use crate::policy::PatchKind;

/// What is shown of a realm. A form that changes the realm sends it along, so that what comes after shows the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// What faults are searched for; their list is open then, though the text may be empty.
    fault: Option<String>,
    /// The same for variants.
    variant: Option<String>,
}

impl View {
    /// As the query of the page, or a form of it, says.
    pub(super) fn of(params: &Params) -> Self {
        let text = |name: &str| params.get(name).map(|text| text.trim().to_owned());
        Self { fault: text("fault"), variant: text("variant") }
    }

    /// What is searched for among patches of a kind; `None` where their list is closed.
    pub(super) fn search(&self, kind: PatchKind) -> Option<&str> {
        match kind {
            PatchKind::Fault => self.fault.as_deref(),
            PatchKind::Variant => self.variant.as_deref(),
            PatchKind::Profile | PatchKind::Script => None,
        }
    }

    /// The parameters that say the same again.
    pub(super) fn params(&self) -> Params {
        let members = [("fault", &self.fault), ("variant", &self.variant)];
        members.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))).collect()
    }
}

/// Whether a text has every word that is searched for, whatever the case.
pub(super) fn finds(search: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| text.contains(word))
}
