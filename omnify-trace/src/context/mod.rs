//! Who asked for this work: typed ids, and the context that carries them.
//!
//! Ids are parsed once, at the edge; inside, a wrong one cannot exist.
//!
//! ```
//! use omnify_trace::context::{CorrelationContext, TraceId, UserId};
//! let trace: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse()?;
//! let context = CorrelationContext::builder().trace_id(trace).user_id("u-1".parse::<UserId>()?).build();
//! assert_eq!(context.user_id().map(UserId::as_str), Some("u-1"));
//! # Ok::<(), omnify_trace::context::InvalidId>(())
//! ```

mod correlation;
mod ids;
mod names;
#[cfg(feature = "runtime")]
pub(crate) mod rng;

pub use correlation::{ContextBuilder, CorrelationContext};
pub use ids::{SpanId, TraceId};
#[cfg(feature = "runtime")]
pub(crate) use ids::{hex_into, hex_u64};
pub use names::{
    AgentName, InvalidId, OrganizationId, RequestId, RunId, SessionId, StepId, UserId, WorkflowId,
};
