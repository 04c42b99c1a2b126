//! What is tested, and how to reach it, log in to it and register with it.
//!
//! Floor 3. Knows no scenario and gives no verdict.

mod model;

pub use model::{AuthMethod, Client, ClientKind, Endpoints, Lifetimes, Target, User};
