//! Calls to other services: each attempt is a span of its own, goes out with `traceparent` and
//! `X-Request-ID`, and ends as one `external_api_call`.
//!
//! [`ClientLayer`] is for tower clients (hyper-util's among them), `ClientMiddleware` (feature `reqwest`) for
//! reqwest-middleware. Put either *inside* of what retries: then each attempt is seen. Attempts of
//! one [`Call`] are numbered and have one `call_id`.
//!
//! What lives here: `options` (names of APIs, hosts that may have baggage), `call` (one attempt),
//! `layer`, `middleware`.

mod call;
mod layer;
#[cfg(feature = "reqwest")]
mod middleware;
mod options;

pub use call::Call;
pub use layer::{CallLayer, CallService, ClientFuture, ClientLayer, ClientService};
#[cfg(feature = "reqwest")]
pub use middleware::ClientMiddleware;
pub use options::{ApiCall, ClientOptions};
