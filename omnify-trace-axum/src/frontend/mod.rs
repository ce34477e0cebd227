//! Lines from browsers: `POST /api/logs/frontend`.
//!
//! A body is one entry, an array, NDJSON, or `{"sent_at": …, "entries": […]}`, as
//! `application/json`, `application/x-ndjson` or `text/plain` (beacons). Everything in it comes
//! from strangers: entries are checked one by one, rewritten by the server and stamped; what is
//! wrong is named, and the rest is kept.
//!
//! The server decides `service` and `source`; the browser's application is the `target`. Levels
//! end at ERROR. Event types of the backend are refused. The time is corrected by the clock skew
//! between `sent_at` and the arrival; `received_at` and the skew are in `extra`. The user that a
//! browser claims to be is kept but marked `"identity": "claimed"`, unless
//! [`IdentityLayer`](crate::identity::IdentityLayer) knows better.
//!
//! What lives here: `logs` (configuration and router), `intake` (a request's way), `batch` (the
//! shapes of a body), `entry` (one entry's rules), `time`, `rate`.

mod batch;
mod entry;
mod intake;
mod logs;
mod rate;
mod time;

pub use logs::{FrontendLogs, frontend_logs};
