//! Everything the mock decides, as one typed tree of settings, and the patches that change it.
//!
//! Floor 2. The default is strictly conformant. No profile, fault or variant is known here by name: they are files.

mod causes;
mod family;
mod library;
mod parse;
mod patch;
mod rewrite;
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
pub use library::{Library, UnknownPatch, matches};
pub use patch::{Change, Patch, PatchKind, Requires, Rule};
pub use rewrite::{Answer, Rewrite, Tokens};
pub use set::{Effective, Moment, PatchError, PolicySet, Unmatched};
pub use tree::*;
pub use when::{ParameterTest, When};
