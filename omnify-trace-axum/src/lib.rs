#![doc = include_str!("../README.md")]

mod at_hand;
pub mod classify;
pub mod client;
pub mod follow;
pub mod frontend;
#[cfg(feature = "identity")]
pub mod identity;
pub mod performance;
pub mod problem;
pub mod security;
mod stack;
pub mod tracing;
mod upgrade;

pub use frontend::{FrontendLogs, frontend_logs};
#[cfg(feature = "identity")]
pub use identity::IdentityLayer;
pub use performance::PerformanceLayer;
pub use problem::Problem;
pub use security::SecurityLayer;
pub use stack::{StackOptions, stack};
pub use tracing::{TracingLayer, TrustedProxies};
pub use upgrade::upgraded;
