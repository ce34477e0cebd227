//! What became of each run, in the database: SQLite by default, Postgres by URL.
//!
//! This is the application's own state. The admin API does not read it: it rebuilds runs from
//! the log, and shows more.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sqlx::{AnyPool, Row as _, any::AnyRow};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Completed,
    Failed,
    /// The server ended before the run did.
    Interrupted,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "completed" => Self::Completed,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

/// One run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    pub(crate) run_id: String,
    pub(crate) workflow_id: String,
    pub(crate) status: Status,
    pub(crate) request_id: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) input: Value,
    pub(crate) output: Value,
    pub(crate) error: Option<String>,
    pub(crate) started_at: String,
    pub(crate) ended_at: Option<String>,
}

/// The table of runs.
#[derive(Clone)]
pub(crate) struct Runs {
    pool: AnyPool,
    /// Whose runs these are, of the several servers that may share a database.
    instance: Arc<str>,
}

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS server_runs (
    run_id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL, status TEXT NOT NULL,
    request_id TEXT, trace_id TEXT, user_id TEXT, organization_id TEXT,
    input TEXT NOT NULL, output TEXT NOT NULL, error TEXT, started_at TEXT NOT NULL, ended_at TEXT, instance TEXT)";

impl Runs {
    /// Makes the table if need be. Runs that this instance's last process left open are interrupted
    /// now; those of other instances go on.
    pub(crate) async fn open(pool: AnyPool, instance: &str) -> sqlx::Result<Self> {
        make_table(&pool, SCHEMA).await?;
        // The first versions' table did not say whose a run was.
        let known = sqlx::query("SELECT instance FROM server_runs LIMIT 1");
        if known.fetch_optional(&pool).await.is_err() {
            sqlx::query("ALTER TABLE server_runs ADD COLUMN instance TEXT")
                .execute(&pool)
                .await?;
        }
        sqlx::query(
            "UPDATE server_runs SET status = 'interrupted', ended_at = $1
             WHERE status = 'active' AND (instance = $2 OR instance IS NULL)",
        )
        .bind(now())
        .bind(instance)
        .execute(&pool)
        .await?;
        let instance = instance.into();
        Ok(Self { pool, instance })
    }

    /// A run began.
    pub(crate) async fn begin(&self, run: &Run) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO server_runs (run_id, workflow_id, status, request_id, trace_id, user_id, organization_id, input, output, started_at, instance)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'null', $9, $10)",
        )
        .bind(run.run_id.as_str())
        .bind(run.workflow_id.as_str())
        .bind(run.status.as_str())
        .bind(run.request_id.as_deref())
        .bind(run.trace_id.as_deref())
        .bind(run.user_id.as_deref())
        .bind(run.organization_id.as_deref())
        .bind(run.input.to_string())
        .bind(run.started_at.as_str())
        .bind(&*self.instance)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A run ended, well or not.
    pub(crate) async fn end(
        &self,
        run_id: &str,
        result: &Result<Value, String>,
    ) -> sqlx::Result<()> {
        let (status, output, error) = match result {
            Ok(output) => (Status::Completed, output.to_string(), None),
            Err(error) => (Status::Failed, "null".to_owned(), Some(error.as_str())),
        };
        sqlx::query("UPDATE server_runs SET status = $1, output = $2, error = $3, ended_at = $4 WHERE run_id = $5")
            .bind(status.as_str())
            .bind(output)
            .bind(error)
            .bind(now())
            .bind(run_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// One run by id.
    pub(crate) async fn get(&self, run_id: &str) -> sqlx::Result<Option<Run>> {
        let row = sqlx::query("SELECT * FROM server_runs WHERE run_id = $1")
            .bind(run_id)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| from_row(&row)).transpose()
    }
}

/// Runs `CREATE TABLE IF NOT EXISTS …`. Where two servers do at the same instant, PostgreSQL tells one of
/// them that the table exists after all: then it does, and the second try finds it.
pub(crate) async fn make_table(pool: &AnyPool, schema: &'static str) -> sqlx::Result<()> {
    if sqlx::query(schema).execute(pool).await.is_err() {
        sqlx::query(schema).execute(pool).await?;
    }
    Ok(())
}

/// The present, as the database keeps it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn from_row(row: &AnyRow) -> sqlx::Result<Run> {
    let json = |name: &str| -> sqlx::Result<Value> {
        Ok(serde_json::from_str(&row.try_get::<String, _>(name)?).unwrap_or(Value::Null))
    };
    Ok(Run {
        run_id: row.try_get("run_id")?,
        workflow_id: row.try_get("workflow_id")?,
        status: Status::parse(&row.try_get::<String, _>("status")?),
        request_id: row.try_get("request_id")?,
        trace_id: row.try_get("trace_id")?,
        user_id: row.try_get("user_id")?,
        organization_id: row.try_get("organization_id")?,
        input: json("input")?,
        output: json("output")?,
        error: row.try_get("error")?,
        started_at: row.try_get("started_at")?,
        ended_at: row.try_get("ended_at")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use omnify_trace::layer::MemorySink;
    use omnify_trace::setup::Console;
    use omnify_trace::{Telemetry, operation};

    #[tokio::test]
    async fn a_server_that_starts_interrupts_its_own_open_runs_and_no_others() {
        sqlx::any::install_default_drivers();
        let pool = sqlx::any::AnyPoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        // As the first version made it.
        let old = super::SCHEMA.replace(", instance TEXT", "");
        sqlx::query(sqlx::AssertSqlSafe(old))
            .execute(&pool)
            .await
            .unwrap();
        let mut run = Run {
            run_id: "of nobody".into(),
            workflow_id: "w".into(),
            status: Status::Active,
            request_id: None,
            trace_id: None,
            user_id: None,
            organization_id: None,
            input: Value::Null,
            output: Value::Null,
            error: None,
            started_at: now(),
            ended_at: None,
        };
        sqlx::query("INSERT INTO server_runs (run_id, workflow_id, status, input, output, started_at) VALUES ('of nobody', 'w', 'active', 'null', 'null', '')")
            .execute(&pool)
            .await
            .unwrap();
        let one = Runs::open(pool.clone(), "one").await.unwrap();
        run.run_id = "of one".into();
        one.begin(&run).await.unwrap();
        let other = Runs::open(pool.clone(), "other").await.unwrap();
        let status = async |id: &str| other.get(id).await.unwrap().unwrap().status;
        assert_eq!(status("of nobody").await, Status::Interrupted);
        assert_eq!(status("of one").await, Status::Active);
        Runs::open(pool, "one").await.unwrap();
        assert_eq!(status("of one").await, Status::Interrupted);
    }

    /// SQLite's queries run on a thread of their own: only a global subscriber sees their events.
    #[tokio::test]
    async fn queries_of_sqlx_are_told_without_their_parameters() {
        let sink = MemorySink::new();
        let telemetry = Telemetry::builder()
            .sink(sink.clone())
            .console(Console::Off)
            .filter("info,sqlx=debug".parse().unwrap())
            .install()
            .unwrap();
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        operation::step("save")
            .run(async {
                sqlx::query("SELECT 1 AS n UNION SELECT 2 WHERE 'secret' <> $1")
                    .bind("another secret")
                    .fetch_all(&pool)
                    .await
                    .unwrap();
                let one = sqlx::query("SELECT * FROM (SELECT 7 UNION SELECT 8)").fetch_all(&pool);
                operation::db_query("SELECT * FROM pair")
                    .run(one)
                    .await
                    .unwrap();
            })
            .await;
        telemetry.flush(std::time::Duration::from_secs(5));
        let events = sink.events();
        let told: Vec<_> = events
            .iter()
            .filter(|event| {
                event["event_type"] == "db_query" && event["context"]["step_id"] == "save"
            })
            .collect();
        assert_eq!(
            told.len(),
            2,
            "one from sqlx, one from the operation: {events:#?}"
        );
        let (by_sqlx, by_operation) = (&told[0]["extra"], &told[1]["extra"]);
        assert_eq!(
            by_sqlx["db.statement"],
            "SELECT ? AS n UNION SELECT ? WHERE ? <> $1"
        );
        assert_eq!(
            (&by_sqlx["rows"], &by_operation["rows"]),
            (&2.into(), &2.into())
        );
        assert_eq!(told[0]["context"]["step_id"], "save");
        assert_eq!(by_operation["db.statement"], "SELECT * FROM pair");
        assert!(!format!("{events:?}").contains("secret"));
    }
}
