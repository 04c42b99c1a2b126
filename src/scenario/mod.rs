//! Scenario files: their types, how they are loaded, and every mistake in them.
//!
//! Floor 3. Knows the format, the ids of requirements and faults, and nothing of HTTP, targets or verdicts.

mod matcher;
mod model;
mod template;

pub use matcher::{Kind, Matcher};
pub use model::{
    Action, Alive, Among, Auth, AuthEncoding, Authorize, Case, Cases, Check, ClientNeed, Edits, Http, JwtWant, Login, Needs,
    RequestStep, Same, Scenario, Step, Tolerance, Value, Verb, Wait, Want,
};
pub use template::{InvalidTemplate, Part, Template};
