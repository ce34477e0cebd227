//! One span per request, and exactly two events: `request_start`, then one of
//! `request_complete`, `request_error`, `request_cancelled`.
//!
//! The second event comes when the body has been sent or given up, not when the headers are
//! ready. A client that goes away is `request_cancelled`. A handler that panics is answered with
//! `application/problem+json`. Health checks are quiet: their events have level DEBUG.
//!
//! Inside the service the request's ids are the current
//! [`CorrelationContext`](omnify_trace::CorrelationContext).
//!
//! What lives here: `layer` (configuration), `service`, `future`, `arrival` (what all layers want
//! to know of a request), `active` (an open one, whose drop is its end), `hooks` (what is said, and
//! to whom), and small parts: `head` (headers noted in one pass), client
//! addresses, known callers, request ids, redaction of queries.

mod active;
pub(crate) mod arrival;
mod caller;
pub(crate) mod client_address;
mod future;
mod head;
pub mod hooks;
mod layer;
mod query;
mod request_id;
mod service;

pub use active::{Active, StreamKind};
pub use client_address::TrustedProxies;
pub use future::ResponseFuture;
pub use hooks::{DefaultOnEnd, DefaultOnRequest, End, OnEnd, OnRequest, Start};
pub use layer::TracingLayer;
pub use query::redact_query;
pub use service::TracingService;

pub(crate) use future::REQUEST_ID;
pub(crate) use query::cut;

/// A response body that tells its request's end.
pub type ResponseBody<B, C, R, E> = crate::follow::Followed<B, Active<C, R, E>>;
