//! Scenario files: their types, how they are loaded, and every mistake in them.
//!
//! Floor 3. Knows the format, the ids of requirements and faults, and nothing of HTTP, targets or verdicts.

pub mod client;
mod computed;
mod json;
mod load;
mod matcher;
mod model;
mod reading;
mod reading_check;
mod reading_client;
mod reading_step;
mod ruling;
pub mod schema;
mod suite;
mod template;
#[cfg(test)]
mod tests;
mod validate;
mod vocabulary;

pub use client::{ClientWant, Cookies, Drive, DriveWhat, JournalWant, MockRealm, MockSetup, PageWant, UserDoes};
pub use json::Json;
pub use load::load_one;
pub use matcher::{Kind, Matcher};
pub use model::{
    Action, Alive, Among, Auth, AuthEncoding, Authorize, Case, Cases, Check, ClientNeed, Direct, Edits, Elements, Guessable,
    Http, JwtWant, Login, Needs, RequestStep, Same, Scenario, Step, Tolerance, Typed, Value, Verb, Verify, VerifyVia, Wait, Want,
};
pub use reading_client::{filled, patches};
pub use suite::{LoadError, SelectError, Selected, Suite};
pub use template::{InvalidTemplate, Part, Template};
pub use vocabulary::{
    BACK_OUTCOMES, DEVICE_GRANT, ENDPOINTS, FEATURES, FORGERIES, FRONT_OUTCOMES, GRANTS, LIFETIMES, OF_STEP, PLANS, SAME_PARTS,
};
