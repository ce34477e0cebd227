//! The three streams of lines, one rolling file each.

/// Where a line goes: `backend.log`, `frontend.log` or `workflow.log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stream {
    /// Everything that is not one of the others.
    Backend = 0,
    /// What browsers sent.
    Frontend = 1,
    /// Workflow runs, steps and agents.
    Workflow = 2,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 3] = [Self::Backend, Self::Frontend, Self::Workflow];

    /// The file's stem: `backend`, `frontend`, `workflow`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Frontend => "frontend",
            Self::Workflow => "workflow",
        }
    }
}
