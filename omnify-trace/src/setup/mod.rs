//! Setting up: one line, driven by the environment, or a builder.
//!
//! ```
//! use omnify_trace::{Environment, Telemetry};
//! let directory = tempfile::tempdir()?;
//! let (telemetry, dispatch) = Telemetry::builder()
//!     .service_name("shop")
//!     .environment(Environment::Test)
//!     .log_dir(directory.path())
//!     .build()?;
//! tracing::dispatcher::with_default(&dispatch, || tracing::info!(items = 3, "cart opened"));
//! drop(telemetry);
//! let lines = std::fs::read_to_string(directory.path().join("backend.log"))?;
//! assert!(lines.contains(r#""items":3"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod console;
mod env;
mod filter;
mod journal;
mod levels;
mod overrides;
mod story;
mod telemetry;
mod teller;

pub use builder::TelemetryBuilder;
pub use env::{Console, Environment};
pub use filter::Directives;
pub use levels::{LevelLayer, Levels};
pub use overrides::{Override, OverrideId, Scope};
pub(crate) use telemetry::is_global_current;
pub use telemetry::{Stats, Telemetry, levels};

use crate::Error;

/// Sets telemetry up for the whole process from environment variables; keep the guard until the end.
///
/// | variable | default | allowed |
/// |---|---|---|
/// | `OMNIFY_ENV` | `development` | `development`, `test`, `production` |
/// | `OMNIFY_LOG`, else `RUST_LOG` | `info` | `level` or `target=level`, with commas between |
/// | `OMNIFY_LOG_DIR` | `$OMNIFY_DATA_DIR/logs` | a directory that can be written |
/// | `OMNIFY_DATA_DIR` | `./data` | a directory |
/// | `OMNIFY_CONSOLE` | `pretty` in development, else `off` | `pretty`, `json`, `off` |
/// | `OMNIFY_SERVICE_NAME` | the program's name | text |
/// | `OMNIFY_SERVICE_VERSION` | none | text |
/// | `OMNIFY_INSTANCE` | host name and process id | text |
///
/// # Errors
/// A variable with a bad value (the error names it), a log directory that cannot be written, a
/// global subscriber that is set already.
pub fn init() -> Result<Telemetry, Error> {
    Telemetry::builder().install()
}
