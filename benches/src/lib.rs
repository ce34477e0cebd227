//! What Omnify Trace costs, beside its peers, in one run on one machine.
//!
//! Each area is a module with a `run(&Options) -> anyhow::Result<Report>`; `report` prints the
//! table and writes the JSON; `alloc` counts allocations; `child` is a subject in a process of its
//! own, so that no global state is shared; `rounds` asks all of them in many short rounds, so that
//! the machine's mood favours none.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks on its terminal"
)]

pub mod alloc;
pub mod child;
#[cfg(feature = "emit")]
pub mod emit;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "emit")]
pub mod journal;
#[cfg(feature = "operations")]
pub mod operations;
pub mod report;
#[cfg(any(feature = "emit", feature = "http", feature = "operations"))]
pub mod rounds;
#[cfg(feature = "store")]
pub mod store;

/// How to measure.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A short run: for a first look, not for the record.
    pub quick: bool,
    /// So many lines instead of the area's own number.
    pub lines: Option<u64>,
    /// Where the data goes and stays, to be used again by the next run; otherwise it is removed.
    pub data: Option<std::path::PathBuf>,
    /// A build of VictoriaLogs to measure beside our store.
    pub victoria_logs: Option<std::path::PathBuf>,
}
