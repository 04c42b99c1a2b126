//! Everything the mock decides, as one typed tree of settings, and the patches that change it.
//!
//! Floor 2. The default is strictly conformant. No profile, fault or variant is known here by name: they are files.

mod causes;
mod criterion;
mod family;
mod installed;
mod library;
mod matcher;
mod parse;
mod patch;
mod placeholder;
mod read_answer;
mod read_when;
mod respond;
mod rewrite;
mod script;
mod set;
mod settings;
#[cfg(test)]
mod tests;
mod tree;
mod when;

pub use causes::{
    AuthorizeCause, AuthorizeError, AuthorizeErrors, BearerCause, BearerError, BearerErrors, RegistrationCause,
    RegistrationError, RegistrationErrors, TokenCause, TokenError, TokenErrors,
};
#[cfg(feature = "cli")]
pub(crate) use family::expand as expand_family;
pub use installed::{AppliedRule, Unmatched};
pub use library::{Library, UnknownPatch, matches};
pub use matcher::{Answered, Condition, Matcher, Moment, Nearest, Pattern, Test};
pub use patch::{Change, Patch, PatchKind, Requires, Rule, Settings};
pub(crate) use placeholder::{Piece, pieces};
pub(crate) use read_when::{from_json, matcher as read_matcher};
pub use respond::Respond;
pub use rewrite::{Answer, Delivery, Rewrite, Tokens};
pub use script::Script;
pub use set::{Effective, PatchError, PolicySet};
pub use settings::Setting;
pub use tree::*;
pub(crate) use tree::{Documented, below, is_realm_name};
pub use when::When;
