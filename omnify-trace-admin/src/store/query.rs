//! Questions and answers of a [`LogStore`](super::LogStore).

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

/// Which lines. Every part narrows; the default is "all".
///
/// Field names are paths into the line: `level`, `message`, `event_type`, `target`,
/// `service.name`, `context.user_id`, `extra.duration_ms`, `exception.type`. A bare name that
/// is one of the context's is short for `context.…`, any other bare name for `extra.…`.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// First nanosecond, inclusive.
    pub from: Option<i64>,
    /// Last nanosecond, exclusive.
    pub to: Option<i64>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Where to stop. Defaults to [`Budget::default`].
    pub budget: Budget,
}

/// One condition on a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// The field's text is one of these (exactly; one value is plain equality).
    OneOf {
        /// Path of the field.
        field: String,
        /// Accepted values.
        values: Vec<String>,
    },
    /// The field's text contains this, whatever the case.
    Contains {
        /// Path of the field.
        field: String,
        /// What to look for.
        text: String,
    },
    /// The field is a number and compares so.
    Compare {
        /// Path of the field.
        field: String,
        /// How.
        op: Comparison,
        /// To what.
        value: f64,
    },
    /// Message or any string field contains this, whatever the case.
    Text(String),
    /// The field is there.
    Exists(String),
    /// The inner condition does not hold.
    Not(Box<Filter>),
    /// One of the inner conditions holds.
    Any(Vec<Filter>),
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
}

/// Where a query stops even if it is not done; it then says `partial`.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Time on the clock. Defaults to 5 s.
    pub time: Duration,
    /// Bytes of working memory, and of the lines of a page. Defaults to 64 MiB.
    pub memory: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            memory: 64 << 20,
        }
    }
}

/// Which page of a search.
#[derive(Debug, Clone)]
pub struct Page {
    /// At most so many lines.
    pub limit: usize,
    /// Where the previous page ended: [`Lines::next_cursor`].
    pub cursor: Option<String>,
    /// Which end comes first.
    pub order: Order,
}

/// Which end of time comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// One stored line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Opaque, stable, URL-safe.
    pub id: String,
    /// Unix nanoseconds: the line's own time, or its arrival where it has none.
    pub timestamp: i64,
    /// The original line, byte for byte, without the line break.
    pub raw: Arc<str>,
    /// Whether `raw` is a JSON object. If not, it is a line of plain text, kept as it came.
    pub is_json: bool,
    /// Name of the file the line came from.
    pub file: Arc<str>,
}

/// A page of lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// In the page's order.
    pub lines: Vec<Line>,
    /// Ask with it for the next page; `None` at the end.
    pub next_cursor: Option<String>,
    /// The budget ended before the answer was whole.
    pub partial: Option<Partial>,
}

/// The texts of some fields of lines.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// The newest first.
    pub rows: Vec<TextRow>,
    /// Whether there are more lines than were asked for.
    pub more: bool,
    /// The budget ended before the answer was whole.
    pub partial: Option<Partial>,
}

/// The texts of some fields of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// Of the line.
    pub id: String,
    /// Unix nanoseconds.
    pub timestamp: i64,
    /// In the order asked for; `None` where the line has no string there.
    pub values: Vec<Option<Arc<str>>>,
}

/// How far a query got before its budget ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Partial {
    /// What ended: `time` or `memory`.
    pub reason: String,
    /// Everything on the near side of this time (Unix ns) was looked at.
    pub reached: i64,
}

/// Counts per time bucket.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Histogram {
    /// Width of a bucket, nanoseconds.
    pub step_ns: i64,
    /// In order of time; empty buckets are left out.
    pub buckets: Vec<Bucket>,
    /// The budget ended before the answer was whole.
    pub partial: Option<Partial>,
}

/// One time bucket.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bucket {
    /// Start, Unix nanoseconds.
    pub start: i64,
    /// Lines in it.
    pub count: u64,
    /// Lines per value of the split field, most first.
    pub by: Vec<(String, u64)>,
}

/// The most frequent values of several fields.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facets {
    /// In the order asked for.
    pub facets: Vec<Facet>,
    /// The budget ended before the answer was whole.
    pub partial: Option<Partial>,
}

impl IntoIterator for Facets {
    type Item = Facet;
    type IntoIter = std::vec::IntoIter<Facet>;

    fn into_iter(self) -> Self::IntoIter {
        self.facets.into_iter()
    }
}

/// The most frequent values of a field.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facet {
    /// Path of the field.
    pub field: String,
    /// Value and count, most first.
    pub values: Vec<(String, u64)>,
    /// Lines that have the field at all.
    pub present: u64,
}

/// Numbers of all groups.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Numbers {
    /// Oldest bucket first; within a bucket the group with the most lines first.
    pub groups: Vec<Group>,
    /// The budget ended before the answer was whole.
    pub partial: Option<Partial>,
}

impl IntoIterator for Numbers {
    type Item = Group;
    type IntoIter = std::vec::IntoIter<Group>;

    fn into_iter(self) -> Self::IntoIter {
        self.groups.into_iter()
    }
}

/// Numbers of one group.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Group {
    /// Start of the time bucket, Unix nanoseconds; `None` if there are no buckets.
    pub start: Option<i64>,
    /// The group's values, in the order asked for; an absent field is an empty string.
    pub key: Vec<String>,
    /// Lines with the value.
    pub count: u64,
    /// Sum of the value.
    pub sum: f64,
    /// Least.
    pub min: f64,
    /// Exact percentiles, nearest rank.
    pub p50: f64,
    /// 75th.
    pub p75: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
    /// Greatest.
    pub max: f64,
}

/// Size and health of the store.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StoreStats {
    /// Lines searchable now.
    pub lines: u64,
    /// Of them, lines that were not JSON.
    pub malformed: u64,
    /// Of `lines`, those still in memory only.
    pub in_memory: u64,
    /// Sealed segments.
    pub segments: u64,
    /// Bytes of the segments on disk.
    pub bytes: u64,
    /// Oldest line, Unix nanoseconds.
    pub oldest: Option<i64>,
    /// Newest line, Unix nanoseconds.
    pub newest: Option<i64>,
    /// Bytes of log files not yet read.
    pub behind_bytes: u64,
    /// Segments that failed their checks and were set aside.
    pub quarantined: u64,
    /// Log files that are not read to their end yet, the longest way to go first.
    pub reading: Vec<Reading>,
    /// What went wrong last in the background (a full disk, say), if it still stands.
    pub last_error: Option<String>,
}

/// How far a log file has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Its name.
    pub file: String,
    /// Bytes read. Of a compressed file, zero until it is done.
    pub read: u64,
    /// Bytes it has.
    pub size: u64,
}

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The cursor or id is not one of ours.
    #[error(
        "OT0301: `{0}` is not a cursor or line id of this store; start again from the first page"
    )]
    BadCursor(String),
    /// Reading or writing failed.
    #[error("OT0302: the log store could not {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A segment is damaged.
    #[error(
        "OT0303: segment {path} is damaged: {reason}; it was set aside and is rebuilt from the log files where they still exist"
    )]
    Damaged {
        /// Which.
        path: String,
        /// How.
        reason: String,
    },
    /// The engine behind the trait is not reachable.
    #[error("OT0304: the log store does not answer: {0}")]
    Unavailable(String),
    /// Another process works on the same data.
    #[error("OT0305: the data directory {0} is in use by another process")]
    InUse(String),
    /// The engine behind the trait answers, but not this.
    #[error("OT0306: Loki refused with status {status}: {says}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its reason.
        says: String,
    },
    /// The address of the segments' object store cannot be used.
    #[error("OT0309: {address:?} cannot be used as the segments' object store: {reason}")]
    BadSegmentsUrl {
        /// As given, without a password.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The engine's address cannot be used.
    #[error("OT0307: {address:?} cannot be used as Loki's address: {reason}")]
    BadAddress {
        /// As given, without a password.
        address: String,
        /// Why not.
        reason: String,
    },
}
