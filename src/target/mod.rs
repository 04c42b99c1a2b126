//! What is tested, and how to reach it, log in to it and register with it.
//!
//! Floor 3. Knows no scenario and gives no verdict.

pub mod config;
mod connect;
pub mod discovery;
pub mod driver;
mod home;
pub mod login;
mod model;
pub mod register;

pub use config::{Config, ConfigError, ServerConfig};
pub use connect::{Connection, TargetError, connect};
pub use discovery::{Discovery, DiscoveryError, discover};
pub use home::Home;
pub use login::{Action, End, Journey, Login, LoginStep, PageKind, Via, Visit, authorize};
pub use model::{AuthMethod, Client, ClientKind, Endpoints, Lifetimes, Target, User};
pub use register::{RegisterError, Unregistered, Wanted, register, registered, registration, unregister};
