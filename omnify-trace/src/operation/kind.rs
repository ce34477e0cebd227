//! What kinds of operation there are, and what an operation may wait for.

/// What an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// One run of a workflow.
    Workflow,
    /// One attempt of one step of a run.
    Step,
    /// A call of an agent or a model.
    Agent,
    /// One attempt of a call to another service.
    ExternalApi,
    /// A database query.
    DbQuery,
}

impl Kind {
    /// The stable name on the wire: `workflow`, `step`, `agent`, `external_api`, `db_query`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Step => "step",
            Self::Agent => "agent",
            Self::ExternalApi => "external_api",
            Self::DbQuery => "db_query",
        }
    }
}

/// What an open operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[repr(u8)]
pub enum WaitKind {
    /// Nothing said so.
    #[default]
    Unknown = 0,
    /// Network, disk, another service, a database.
    Io = 1,
    /// A lock.
    Lock = 2,
    /// A channel or a semaphore.
    Channel = 3,
    /// A person. Never called stuck.
    Human = 4,
}

impl WaitKind {
    /// The stable name on the wire: `io`, `lock`, `channel`, `human` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Io => "io",
            Self::Lock => "lock",
            Self::Channel => "channel",
            Self::Human => "human",
        }
    }

    pub(crate) const fn from_u8(value: u8) -> Self {
        match value {
            1 => Self::Io,
            2 => Self::Lock,
            3 => Self::Channel,
            4 => Self::Human,
            _ => Self::Unknown,
        }
    }
}
