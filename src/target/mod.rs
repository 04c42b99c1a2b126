//! What is tested, and how to reach it, log in to it and register with it.
//!
//! Floor 3. Knows no scenario and gives no verdict.

mod home;
pub mod login;
mod model;

pub use home::Home;
pub use login::{Action, End, Journey, Login, LoginStep, PageKind, Via, Visit, authorize};
pub use model::{AuthMethod, Client, ClientKind, Endpoints, Lifetimes, Target, User};
