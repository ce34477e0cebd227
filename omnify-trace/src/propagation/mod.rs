//! Correlation context over a wire: read from any [`Extractor`], written to any [`Injector`].
//!
//! Read: W3C Trace Context level 2 and Baggage, B3, Datadog, AWS X-Ray, `X-Request-ID` and
//! `X-Correlation-ID`. Written: W3C and `X-Request-ID`; the others on request. A trace is taken
//! from the first format that has one, in the order of [`Format`]; a second one that disagrees is
//! reported as a [`Conflict`], never mixed in.
//!
//! Pure functions over bytes: compiles for wasm32, needs no runtime, and allocates only where a
//! header has to be rewritten.
//!
//! ```
//! use omnify_trace::propagation::{extract, Trace};
//! let headers = vec![("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
//! let extraction = extract(&headers);
//! let Trace::Continued(remote) = extraction.trace else { unreachable!() };
//! assert_eq!(remote.parent_span_id, Some(0xb7ad6b7169203331));
//! ```
//!
//! A call to another service, over HTTP or a queue (any map of attributes is a carrier): the trace and
//! the request go on there. `TracingLayer` of omnify-trace-axum does the second half by itself.
//!
#![cfg_attr(all(feature = "runtime", feature = "http"), doc = "```")]
#![cfg_attr(not(all(feature = "runtime", feature = "http")), doc = "```ignore")]
//! # use omnify_trace::{CorrelationContext, JsonLayer, layer::MemorySink};
//! # use tracing_subscriber::prelude::*;
//! use omnify_trace::propagation::{extract, inject};
//! # let sink = MemorySink::new();
//! # let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
//! # let _guard = tracing::subscriber::set_default(subscriber);
//! let mut headers = http::HeaderMap::new();
//! let mut attributes = std::collections::HashMap::<String, String>::new();
//! tracing::info_span!("caller", request_id = "req-1").in_scope(|| {
//!     tracing::info!("calls");
//!     let context = CorrelationContext::current().unwrap_or_default();
//!     inject(&context, &mut headers);
//!     inject(&context, &mut attributes);
//! });
//! for extraction in [extract(&headers), extract(&attributes)] {
//!     let remote = extraction.trace.remote().ok_or("no trace")?;
//!     let span = tracing::info_span!(
//!         "called",
//!         trace_id = remote.trace_id,
//!         parent_span_id = remote.parent_span_id,
//!         request_id = extraction.request_id.valid(),
//!     );
//!     span.in_scope(|| tracing::info!("is called"));
//! }
//! let lines = sink.events();
//! for called in &lines[1..] {
//!     assert_eq!(called["context"]["trace_id"], lines[0]["context"]["trace_id"]);
//!     assert_eq!(called["context"]["parent_span_id"], lines[0]["context"]["span_id"]);
//!     assert_eq!(called["context"]["request_id"], "req-1");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod b3;
pub mod baggage;
mod carrier;
pub mod datadog;
mod extract;
pub(crate) mod hex;
mod inject;
mod remote;
pub mod request_id;
pub mod traceparent;
pub mod tracestate;
pub mod xray;

pub use baggage::Baggage;
pub use carrier::{Extractor, Injector};
pub use extract::{Conflict, Extraction, RequestId, Trace, extract};
pub use inject::{Outgoing, inject, inject_into, inject_with_baggage};
pub use remote::{Format, RemoteContext, RestartReason, TraceFlags};

/// `text` without the spaces and tabs around it, which HTTP calls optional white space.
fn trim_ows(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
