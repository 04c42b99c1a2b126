//! Which part of a realm's page is seen, as its URL says it: what is searched for, and which exchanges.

use crate::oauth::Params;
use crate::policy::PatchKind;

/// What is shown of a realm. A form that changes the realm sends it along, so that what comes after shows the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// What faults are searched for; their list is open then, though the text may be empty.
    fault: Option<String>,
    /// The same for variants.
    variant: Option<String>,
    /// Only exchanges with this endpoint.
    endpoint: Option<String>,
    /// Only exchanges before the one of this index.
    before: Option<u64>,
}

impl View {
    /// As the query of the page, or a form of it, says.
    pub(super) fn of(params: &Params) -> Self {
        let text = |name: &str| params.get(name).map(|text| text.trim().to_owned());
        let endpoint = text("endpoint").filter(|endpoint| !endpoint.is_empty());
        let before = text("before").and_then(|before| before.parse().ok());
        Self { fault: text("fault"), variant: text("variant"), endpoint, before }
    }

    /// The same with another part of the journal.
    pub(super) fn with_before(&self, before: Option<u64>) -> Self {
        Self { before, ..self.clone() }
    }

    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    pub(super) fn before(&self) -> Option<u64> {
        self.before
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
        let before = self.before.map(|before| before.to_string());
        let members = [("fault", &self.fault), ("variant", &self.variant), ("endpoint", &self.endpoint), ("before", &before)];
        members.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))).collect()
    }

    /// The parameters by which an open page hears what becomes of what it shows. Exchanges come to the latest part of the journal only.
    pub(super) fn following(&self, next: u64) -> Params {
        let mut params = Self { fault: None, variant: None, ..self.clone() }.params();
        if self.before.is_none() {
            params.push("since", next.to_string());
        }
        params
    }
}

/// Whether a text has every word that is searched for, whatever the case.
pub(super) fn finds(search: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| text.contains(word))
}
