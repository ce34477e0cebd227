//! What each attribute takes.

/// The kind of operation that an attribute makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Workflow,
    Step,
    Agent,
    ExternalApi,
    DbQuery,
}

impl Kind {
    /// The attribute, which is also the builder's constructor and the span's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Step => "step",
            Self::Agent => "agent",
            Self::ExternalApi => "external_api",
            Self::DbQuery => "db_query",
        }
    }

    /// The span field that its first argument becomes.
    pub(crate) const fn id_field(self) -> Option<&'static str> {
        match self {
            Self::Workflow => Some("workflow_id"),
            Self::Step => Some("step_id"),
            Self::Agent => Some("agent"),
            Self::ExternalApi => Some("api"),
            Self::DbQuery => None,
        }
    }

    /// The arguments without a name.
    pub(crate) const fn positional(self) -> &'static [&'static str] {
        match self {
            Self::Workflow | Self::Step => &["id"],
            Self::Agent => &["name"],
            Self::ExternalApi => &["api", "method", "route"],
            Self::DbQuery => &["statement"],
        }
    }

    /// Whether the function's name may stand for the first argument.
    pub(crate) const fn has_default_id(self) -> bool {
        matches!(self, Self::Workflow | Self::Step | Self::Agent)
    }

    /// The arguments with a name: each is a method of the builder.
    pub(crate) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Workflow => &["name", "run_id", "steps", "input_bytes", "budget"],
            Self::Step => &[
                "name",
                "attempt",
                "max_attempts",
                "will_retry",
                "depends_on",
                "agent_type",
                "input_bytes",
                "budget",
            ],
            Self::Agent => &["provider", "model", "operation", "budget"],
            Self::ExternalApi => &["host", "attempt", "budget"],
            Self::DbQuery => &["system", "slow_after", "budget"],
        }
    }

    /// Whether the size of its output can be recorded.
    pub(crate) const fn has_output_bytes(self) -> bool {
        matches!(self, Self::Workflow | Self::Step)
    }
}
