//! The vocabulary of OAuth 2.0 as types, and beside it the raw layer that can say what is illegal.
//!
//! Floor 1: no I/O, no policy, no verdicts. Typed values (`Scope`, `ErrorCode`, `Pkce`…) exist only when they are valid;
//! whatever has to be sent wrong on purpose is built from [`Params`] and [`Request`], which hold bytes as they are.

mod charset;
mod compact;
pub mod encoding;
mod error_code;
mod message;
mod params;
mod pkce;
mod scope;

pub use charset::{is_nqchar, is_nqschar, is_unreserved, is_vschar};
pub use compact::Compact;
pub use error_code::{AuthorizeErrorCode, TokenErrorCode};
pub use message::{Channel, Exchange, Failure, Headers, Party, Request, Response};
pub use params::{MalformedForm, Params};
pub use pkce::{ChallengeMethod, Pkce};
pub use scope::{InvalidScope, Scope};
