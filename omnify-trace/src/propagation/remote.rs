//! What a caller told us about its trace, whatever the format it used.

/// The flags of W3C Trace Context level 2. Bits without a meaning are written as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The caller may have recorded this trace.
    pub const SAMPLED: Self = Self(1);
    /// The right-most 7 bytes of the trace id are random.
    pub const RANDOM: Self = Self(2);

    /// The known flags among `bits`.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 3)
    }

    /// As on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the caller may have recorded this trace.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the right-most 7 bytes of the trace id are random.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.0 & 2 != 0
    }

    /// Both sets of flags.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// [`SAMPLED`](Self::SAMPLED) or nothing.
    #[must_use]
    pub const fn sampled(sampled: bool) -> Self {
        Self(sampled as u8)
    }
}

/// The caller's place in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteContext {
    /// Never 0. Ids of 64 bits are padded with zeros on the left.
    pub trace_id: u128,
    /// The caller's span, never 0. AWS load balancers name a trace without a span.
    pub parent_span_id: Option<u64>,
    /// The caller's flags, translated.
    pub flags: TraceFlags,
}

/// Why a trace was not continued although a header asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestartReason {
    /// The header does not follow its grammar.
    Malformed,
    /// Version `ff` of `traceparent`.
    ForbiddenVersion,
    /// A trace id or span id of zeros only.
    ZeroId,
    /// The header came more than once.
    Duplicate,
}

impl RestartReason {
    /// A short name for a log field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ForbiddenVersion => "forbidden_version",
            Self::ZeroId => "zero_id",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The formats that are read, in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// `traceparent` and `tracestate`.
    W3c,
    /// `b3` or `X-B3-*`.
    B3,
    /// `x-datadog-*`.
    Datadog,
    /// `X-Amzn-Trace-Id`.
    XRay,
}

impl Format {
    /// A short name for a log field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::W3c => "w3c",
            Self::B3 => "b3",
            Self::Datadog => "datadog",
            Self::XRay => "xray",
        }
    }
}
