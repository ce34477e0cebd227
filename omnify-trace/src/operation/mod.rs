//! Operations: workflow runs, steps, agents, calls to other services, database queries.
//!
//! Each is a builder that runs a future, a closure, or hands out a guard. While it runs, every
//! line inside carries its ids; its beginning and its end are events of schema v1; and it is
//! registered, so that the watchdog can tell stuck from slow from waiting.
//!
//! ```
//! use omnify_trace::operation;
//! # async fn charge() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn example() -> Result<(), std::io::Error> {
//! operation::workflow("client-onboarding")
//!     .name("Client onboarding")
//!     .run(async {
//!         operation::step("charge").attempt(1).run(charge()).await
//!     })
//!     .await
//! # }
//! ```
//!
//! What lives here: `builder`, `agent` and `calls` (what a caller says), `launch` (from there to one that
//! runs), `op` and `notes` (what is known of it), `pool` (their memory, used again), `active` (the guard),
//! `run` (the future), `emit` (the events), `outcome` (success or failure),
//! `registry` (all open ones), `watchdog` (who looks at them), `learned` (their usual durations),
//! `watched` (other work that it looks at), `starved` (threads that the machine does not let run), `spent` (what took a request's time), `current` (the innermost operation, and what code inside
//! says of it), `sqlx` (its events as queries).

mod active;
mod agent;
mod builder;
mod calls;
pub(crate) mod clock;
mod current;
#[cfg(feature = "macros")]
mod definition;
mod emit;
mod in_flight;
mod kind;
mod launch;
mod learned;
mod notes;
mod op;
mod outcome;
mod pool;
mod prices;
mod registry;
mod run;
mod settings;
pub(crate) mod shards;
mod spent;
pub(crate) mod sqlx;
mod starved;
mod statement;
mod watch;
pub(crate) mod watchdog;
mod watched;

pub use active::Active;
pub use agent::{Agent, agent, tool};
pub use builder::{Step, Workflow, new_run_id, step, workflow};
pub use calls::{DbQuery, ExternalApi, db_query, external_api};
pub use current::{
    carry, current, no_retry, record_answer, record_cost, record_output_bytes, record_prompt,
    record_response_model, record_rows, record_status, record_usage, waiting, waiting_for_human,
};
#[cfg(feature = "macros")]
pub use definition::{StepDefinition, measure_output};
pub use kind::{Kind, WaitKind};
pub use op::Handle;
pub use outcome::{Cancelled, Failure, Outcome, Panicked, Verdict};
pub use prices::Prices;
pub use run::{Carried, Run, Waiting};

pub(crate) use current::{carried, current_op, excuse, heard, with_current_op};
pub(crate) use op::Op;
pub use registry::unwatched;
pub use settings::Settings;
pub use spent::{Spent, spent};
pub use statement::normalize as normalize_statement;
#[cfg(feature = "tokio")]
pub use watchdog::watch_runtime;
pub use watched::{Watched, Watching, watch};

#[doc(hidden)]
pub use outcome::{probe, via};
