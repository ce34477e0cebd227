//! Headers that protect browsers, and an eye for requests that look like attacks.
//!
//! What lives here: `headers` (the OWASP set), `csp` (a builder), [`score`] (what an attack looks
//! like), `layer` and `service`.

pub mod csp;
mod headers;
mod layer;
pub mod score;
mod service;

pub use headers::SecurityHeaders;
pub use layer::SecurityLayer;
pub use service::{SecurityFuture, SecurityService};
