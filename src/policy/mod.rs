//! Everything the mock decides, as one typed tree of settings, and the patches that change it.
//!
//! Floor 2. The default is strictly conformant. No profile, fault or variant is known here by name: they are files.

mod causes;
mod set;
mod tree;

pub use causes::{
    AuthorizeCause, AuthorizeError, AuthorizeErrors, BearerCause, BearerError, BearerErrors, TokenCause, TokenError, TokenErrors,
};
pub use set::{Effective, Moment, PolicySet, Rewrite};
pub use tree::*;
