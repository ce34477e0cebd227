//! sqlx's own events of queries, in our words.
//!
//! sqlx tells of each query in an event of the target `sqlx::query`. Such an event becomes a
//! `db_query` line, or `slow_query` if sqlx or [`SLOW_QUERY`] calls it slow: its statement
//! without literals, its parameters never. Inside a query operation of ours (`#[db_query]`) it is
//! no line of its own: the operation gets its rows.

use std::fmt;
use std::sync::Arc;

use tracing_core::callsite::DefaultCallsite;
use tracing_core::field::{Field, Value, Visit};
use tracing_core::span::Current;
use tracing_core::{Event, Kind as CallsiteKind, Level, Metadata};

use super::calls::SLOW_QUERY;
use super::current;
use super::kind::Kind;
use super::op::{Handle, Op};
use super::registry;
use super::statement;
use crate::schema::EventType;

const SQLX: &str = "sqlx::query";
const TARGET: &str = "omnify_trace::operation";

/// Whether these are of an event that [`tell`] is for.
#[inline]
pub(crate) fn is_query(metadata: &Metadata<'_>) -> bool {
    metadata.target() == SQLX
}

/// What sqlx said.
#[derive(Default)]
struct Query {
    summary: String,
    statement: String,
    rows_affected: u64,
    rows_returned: u64,
    seconds: f64,
    /// Its own threshold, which it names for slow queries only.
    threshold: Option<f64>,
}

impl Visit for Query {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_affected" => self.rows_affected = value,
            "rows_returned" => self.rows_returned = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "slow_threshold" {
            self.threshold = Some(milliseconds(&format!("{value:?}")).unwrap_or_default());
        }
    }
}

impl Query {
    fn statement(&self) -> String {
        // The whole statement is only there where the summary leaves something out.
        let said = match self.statement.as_str() {
            "" => &self.summary,
            whole => whole,
        };
        statement::normalize(said)
    }

    fn rows(&self) -> u64 {
        match self.rows_returned {
            0 => self.rows_affected,
            rows => rows,
        }
    }
}

/// A `Duration` as `Debug` writes it.
fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "s" => Some(number * 1e3),
        "ms" => Some(number),
        "µs" => Some(number / 1e3),
        "ns" => Some(number / 1e6),
        _ => None,
    }
}

macro_rules! metadata {
    ($level:ident) => {{
        static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
        static METADATA: Metadata<'static> = tracing_core::metadata! {
            name: "sqlx query",
            target: TARGET,
            level: Level::$level,
            fields: &["event_type", "message", "db.statement", "duration_ms", "budget_ms", "rows"],
            callsite: &CALLSITE,
            kind: CallsiteKind::EVENT,
        };
        &METADATA
    }};
}

fn metadata(level: Level) -> &'static Metadata<'static> {
    match level {
        Level::ERROR => metadata!(ERROR),
        Level::WARN => metadata!(WARN),
        Level::INFO => metadata!(INFO),
        Level::DEBUG => metadata!(DEBUG),
        Level::TRACE => metadata!(TRACE),
    }
}

/// Calls `write` with the event in our words, unless an operation of ours tells of the query.
#[cold]
pub(crate) fn tell(event: &Event<'_>, current: &Current, write: impl FnOnce(&Event<'_>)) {
    let mut query = Query::default();
    event.record(&mut query);
    let here = current::current_op().filter(|op| op.kind() == Kind::DbQuery);
    if let Some(op) = here.or_else(|| elsewhere(current)) {
        Handle(op).record_rows(query.rows());
        return;
    }
    let duration_ms = query.seconds * 1e3;
    let assumed = SLOW_QUERY.as_secs_f64() * 1e3;
    let slow = query.threshold.is_some() || duration_ms > assumed;
    let budget_ms = slow.then(|| query.threshold.unwrap_or(assumed));
    let (event_type, message, level) = match slow {
        true => (EventType::SlowQuery, "Slow query", Level::WARN),
        false => (EventType::DbQuery, "Query", *event.metadata().level()),
    };
    let (event_type, statement, rows) = (event_type.as_str(), query.statement(), query.rows());
    let statement = statement.as_str();
    let metadata = metadata(level);
    let values: [Option<&dyn Value>; 6] = [
        Some(&event_type),
        Some(&message),
        Some(&statement),
        Some(&duration_ms),
        budget_ms.as_ref().map(|budget| budget as &dyn Value),
        Some(&rows),
    ];
    let values = metadata.fields().value_set_all(&values);
    write(&Event::new(metadata, &values));
}

/// SQLite's queries run on a thread of sqlx's own, which enters the caller's span and no more.
fn elsewhere(current: &Current) -> Option<Arc<Op>> {
    let metadata = current.metadata()?;
    if metadata.target() != TARGET || metadata.name() != "db_query" {
        return None;
    }
    let mut found = None;
    registry::each(|op| {
        if op.kind() == Kind::DbQuery && op.span.id().as_ref() == current.id() {
            found = Some(Arc::clone(op));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{EventType, testing};

    fn query(seconds: f64) {
        tracing::debug!(
            target: "sqlx::query",
            summary = "select * from t …",
            db.statement = "\n\nselect * from t\n where id = 7\n",
            rows_affected = 0_u64,
            rows_returned = 3_u64,
            elapsed = ?Duration::from_secs_f64(seconds),
            elapsed_secs = seconds,
        );
    }

    #[test]
    fn sqlx_events_become_queries() {
        let logs = testing::capture(|| {
            query(0.004);
            query(0.3);
            tracing::warn!(
                target: "sqlx::query",
                summary = "select 'secret'",
                db.statement = "",
                rows_affected = 2_u64,
                rows_returned = 0_u64,
                elapsed_secs = 1.5,
                slow_threshold = ?Duration::from_millis(1_250),
                "slow statement: execution time exceeded alert threshold",
            );
        });
        let told = logs.only(EventType::DbQuery);
        told.extra("db.statement", "select * from t where id = ?")
            .extra("rows", 3);
        assert!((told.get(&["extra", "duration_ms"]).as_f64().unwrap() - 4.0).abs() < 1e-6);
        assert_eq!(
            (told.message(), &told.json()["level"]),
            ("Query", &"DEBUG".into())
        );
        let slow = logs.all(EventType::SlowQuery);
        slow[0]
            .extra("budget_ms", 200.0)
            .extra("duration_ms", 300.0);
        slow[1]
            .extra("db.statement", "select ?")
            .extra("budget_ms", 1250.0)
            .extra("rows", 2);
        assert_eq!((logs.len(), &slow[0].json()["level"]), (3, &"WARN".into()));
    }

    #[test]
    fn inside_a_query_of_ours_they_give_it_their_rows() {
        let logs = testing::capture(|| {
            crate::operation::db_query("select * from t where id = $1").run_sync(|| query(0.001));
        });
        assert_eq!(logs.len(), 1);
        logs.only(EventType::DbQuery).extra("rows", 3);
    }
}
