//! What can go wrong while setting up. Every error has a code with a paragraph in `docs/errors.md`.

use std::path::PathBuf;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable has a value that is not allowed.
    #[error("OT0001: {variable}={value:?} is not valid: {reason}. Allowed: {allowed}")]
    Environment {
        /// The variable's name.
        variable: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// The log directory cannot be written.
    #[error("OT0002: cannot write log files in {}: {source}. Make it writable, or set OMNIFY_LOG_DIR to a directory that is", path.display())]
    LogDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A filter directive cannot be read.
    #[error(
        "OT0003: filter {directive:?} is not valid: {reason}. Write `level` or `target=level`, with commas between; levels are off, error, warn, info, debug, trace"
    )]
    Filter {
        /// The directive as given.
        directive: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another global subscriber is set already.
    #[error(
        "OT0004: a global tracing subscriber is set already: call `init()` once, before other libraries set theirs, or add `JsonLayer` to that subscriber"
    )]
    AlreadyInstalled,
    /// The journal of the log directory cannot be opened.
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
    /// An id breaks the rule of its kind.
    #[error(transparent)]
    Id(#[from] crate::context::InvalidId),
}

impl Error {
    /// The stable code, with a paragraph in `docs/errors.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "OT0001",
            Self::LogDirectory { .. } => "OT0002",
            Self::Filter { .. } => "OT0003",
            Self::AlreadyInstalled => "OT0004",
            Self::Journal(error) => error.code(),
            Self::Id(_) => "OT0005",
        }
    }
}
