//! Log store, analysis and admin API for omnify-trace: a router that any axum service can mount.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let admin = omnify_trace_admin::Admin::builder()
//!     .log_dir("data/logs")
//!     .data_dir("data")
//!     .build()
//!     .await?;
//! if let Some(token) = admin.first_token() {
//!     eprintln!("admin token, shown once: {token}");
//! }
//! let app: axum::Router = axum::Router::new().merge(admin.router());
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! Rooms: [`store`] finds lines, [`analysis`] makes sense of them, [`alerts`] keeps watch,
//! [`access`] says who may ask, [`state`] keeps the little that is not in the log files, [`Redis`] is what
//! several instances share, [`api`] answers over HTTP.

pub mod access;
mod admin;
pub mod alerts;
pub mod analysis;
pub mod api;
mod instances;
pub mod memory;
pub mod state;
pub mod store;
#[cfg(test)]
mod tests;
mod time;
mod tls;

pub use admin::{Admin, AdminBuilder, BuildError};
pub use instances::Redis;
