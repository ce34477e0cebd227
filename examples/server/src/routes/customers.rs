//! A small piece of ordinary business: customers in a database, every query seen.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::get,
};
use omnify_trace::operation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{AnyPool, Row as _, any::AnyRow};

use super::{App, Problem};
use crate::workflow::runs::make_table;

/// Rows that a new database begins with.
const FIRST_CUSTOMERS: i64 = 200;
/// Rows that one answer holds at most.
const MAX_PAGE: i64 = 100;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS server_customers (id BIGINT PRIMARY KEY, company TEXT NOT NULL, plan TEXT NOT NULL, monthly_revenue DOUBLE PRECISION NOT NULL)";

/// The table of customers.
#[derive(Clone)]
pub(crate) struct Customers(AnyPool);

#[derive(Debug, Serialize)]
struct Customer {
    id: i64,
    company: String,
    plan: String,
    monthly_revenue: f64,
}

impl Customers {
    /// Makes the table, with some customers in it, if need be.
    pub(crate) async fn open(pool: AnyPool) -> sqlx::Result<Self> {
        make_table(&pool, SCHEMA).await?;
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM server_customers")
            .fetch_one(&pool)
            .await?
            .try_get(0)?;
        if count == 0 {
            let mut transaction = pool.begin().await?;
            for id in 1..=FIRST_CUSTOMERS {
                let plan =
                    ["starter", "growth", "enterprise"][usize::try_from(id % 3).unwrap_or(0)];
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let revenue = (id % 17) as f64 * 49.5;
                sqlx::query("INSERT INTO server_customers (id, company, plan, monthly_revenue) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING")
                    .bind(id)
                    .bind(format!("Customer {id:03}"))
                    .bind(plan)
                    .bind(revenue)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(Self(pool))
    }

    async fn page(&self, after: i64, limit: i64) -> sqlx::Result<Vec<Customer>> {
        const SQL: &str = "SELECT id, company, plan, monthly_revenue FROM server_customers WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = operation::db_query(SQL)
            .run(sqlx::query(SQL).bind(after).bind(limit).fetch_all(&self.0))
            .await?;
        rows.iter().map(from_row).collect()
    }

    async fn one(&self, id: i64) -> sqlx::Result<Option<Customer>> {
        const SQL: &str =
            "SELECT id, company, plan, monthly_revenue FROM server_customers WHERE id = $1";
        let row = operation::db_query(SQL)
            .run(sqlx::query(SQL).bind(id).fetch_optional(&self.0))
            .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// A report whose query grows with the cube of the rows it looks at: the kind that is found in production.
    async fn revenue(&self, rows: i64) -> sqlx::Result<f64> {
        const SQL: &str = "SELECT SUM(a.monthly_revenue * b.monthly_revenue) AS total FROM server_customers a, server_customers b, server_customers c WHERE a.id <= $1 AND b.id <= $1 AND c.id <= $1";
        let row = operation::db_query(SQL)
            .run(sqlx::query(SQL).bind(rows).fetch_one(&self.0))
            .await?;
        row.try_get("total")
    }
}

fn from_row(row: &AnyRow) -> sqlx::Result<Customer> {
    Ok(Customer {
        id: row.try_get("id")?,
        company: row.try_get("company")?,
        plan: row.try_get("plan")?,
        monthly_revenue: row.try_get("monthly_revenue")?,
    })
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/api/customers", get(list))
        .route("/api/customers/{id}", get(show))
        .route("/api/reports/revenue", get(revenue))
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after: i64,
    limit: Option<i64>,
}

async fn list(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Problem> {
    let limit = page.limit.unwrap_or(20).clamp(1, MAX_PAGE);
    let customers = app
        .customers
        .page(page.after, limit)
        .await
        .map_err(|error| Problem::database(&error))?;
    Ok(Json(json!({ "customers": customers })))
}

async fn show(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Customer>, Problem> {
    match app.customers.one(id).await {
        Ok(Some(customer)) => Ok(Json(customer)),
        Ok(None) => Err(Problem::not_found("such customer")),
        Err(error) => Err(Problem::database(&error)),
    }
}

#[derive(Deserialize)]
struct Report {
    rows: Option<i64>,
}

async fn revenue(
    State(app): State<App>,
    Query(report): Query<Report>,
) -> Result<Json<Value>, Problem> {
    let rows = report.rows.unwrap_or(50).clamp(1, FIRST_CUSTOMERS);
    let total = app
        .customers
        .revenue(rows)
        .await
        .map_err(|error| Problem::database(&error))?;
    Ok(Json(json!({ "total": total })))
}
