//! The log store: one trait, [`LogStore`], and the questions one can ask it.
//!
//! The log files are the truth; a store is an index over them that can be thrown away and
//! rebuilt. Engines: the embedded Parquet segments (default) and Loki.

mod embedded;
mod fields;
pub mod grammar;
mod json;
mod loki;
mod matcher;
mod neighbours;
mod query;
pub(crate) mod scan;
mod texts;
mod time;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;

pub use embedded::{EmbeddedStore, StoreOptions};
pub use loki::{LokiOptions, LokiStore};
pub use matcher::{Matcher, TEXT_EVENT_TYPE, TEXT_LEVEL};
pub use query::*;

/// What an engine must answer. All times are Unix nanoseconds, all ranges half open `[from, to)`.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// The newest lines first (or oldest first, as the page asks), a page at a time.
    /// A cursor stays valid and stable while new lines arrive.
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError>;

    /// One line by its id.
    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError>;

    /// The lines around one, of the same service, oldest first, the line itself included.
    async fn context(&self, id: &str, before: usize, after: usize)
    -> Result<Vec<Line>, StoreError>;

    /// Counts per time bucket, split by the values of `by` (usually `level`).
    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError>;

    /// The most frequent values of each field, with counts.
    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError>;

    /// Count, sum and exact percentiles of a numeric field per group; with a step also per
    /// time bucket of that width.
    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError>;

    /// The strings that the newest lines have in some fields, at most `most` lines: what a search
    /// finds, without the lines.
    async fn texts(
        &self,
        query: &Query,
        fields: &[&str],
        most: usize,
    ) -> Result<Texts, StoreError> {
        texts::by_search(self, query, fields, most).await
    }

    /// Every new line as it becomes searchable. A receiver that lags is told how many it missed.
    fn tail(&self) -> broadcast::Receiver<Arc<Line>>;

    /// Size and health of the store.
    async fn stats(&self) -> Result<StoreStats, StoreError>;

    /// Brings what is under way to its end. Nothing is asked of the store after it. Defaults to
    /// doing nothing.
    async fn close(&self) {}
}
