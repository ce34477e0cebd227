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
