//! Alert rules and where they stand.

use super::{State, StateError, change, with_pool};
use crate::alerts::AlertRule;

/// One rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AlertRow {
    /// Unique.
    pub id: String,
    /// The rule as JSON.
    pub definition: String,
    /// Unix nanoseconds.
    pub updated_at: i64,
    /// Who last changed it.
    pub updated_by: String,
}

impl AlertRow {
    /// The rule; `None` if a later version wrote what this one cannot read.
    #[must_use]
    pub fn rule(&self) -> Option<AlertRule> {
        serde_json::from_str(&self.definition).ok()
    }
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AlertStateRow {
    /// Of the rule.
    pub rule_id: String,
    /// `ok`, `pending` or `firing`.
    pub status: String,
    /// Unix nanoseconds.
    pub since: i64,
    /// As last measured.
    pub last_value: Option<f64>,
    /// Unix nanoseconds.
    pub last_evaluated: i64,
    /// Unix nanoseconds.
    pub last_notified: Option<i64>,
    /// Unix nanoseconds.
    pub silenced_until: Option<i64>,
}

impl State {
    /// Keeps a rule, replacing the one of the same id.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn put_alert(&self, row: &AlertRow) -> Result<(), StateError> {
        change!(
            self,
            "keep an alert rule",
            sqlx::query(
                "INSERT INTO alert_rules (id, definition, updated_at, updated_by) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO UPDATE SET definition = excluded.definition,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by"
            )
            .bind(&row.id)
            .bind(&row.definition)
            .bind(row.updated_at)
            .bind(&row.updated_by)
        )
        .map(|_| ())
    }

    /// Every rule, by id.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn alerts(&self) -> Result<Vec<AlertRow>, StateError> {
        with_pool!(self, "list the alert rules", |pool| sqlx::query_as(
            "SELECT id, definition, updated_at, updated_by FROM alert_rules ORDER BY id LIMIT 1000"
        )
        .fetch_all(pool))
    }

    /// Forgets a rule and its state; whether there was one.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn delete_alert(&self, id: &str) -> Result<bool, StateError> {
        change!(
            self,
            "remove an alert's state",
            sqlx::query("DELETE FROM alert_states WHERE rule_id = $1").bind(id)
        )?;
        change!(
            self,
            "remove an alert rule",
            sqlx::query("DELETE FROM alert_rules WHERE id = $1").bind(id)
        )
        .map(|rows| rows > 0)
    }

    /// Keeps where a rule stands.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn put_alert_state(&self, row: &AlertStateRow) -> Result<(), StateError> {
        change!(
            self,
            "keep an alert's state",
            sqlx::query(
                "INSERT INTO alert_states (rule_id, status, since, last_value, last_evaluated, last_notified, silenced_until)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (rule_id) DO UPDATE SET status = excluded.status, since = excluded.since,
                    last_value = excluded.last_value, last_evaluated = excluded.last_evaluated,
                    last_notified = excluded.last_notified"
            )
            .bind(&row.rule_id)
            .bind(&row.status)
            .bind(row.since)
            .bind(row.last_value)
            .bind(row.last_evaluated)
            .bind(row.last_notified)
            .bind(row.silenced_until)
        )
        .map(|_| ())
    }

    /// Silences a rule until then; `None` ends the silence.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn silence_alert(
        &self,
        id: &str,
        until: Option<i64>,
        now: i64,
    ) -> Result<(), StateError> {
        change!(
            self,
            "silence an alert",
            sqlx::query(
                "INSERT INTO alert_states (rule_id, status, since, last_evaluated, silenced_until)
                 VALUES ($1, 'ok', $2, 0, $3)
                 ON CONFLICT (rule_id) DO UPDATE SET silenced_until = excluded.silenced_until"
            )
            .bind(id)
            .bind(now)
            .bind(until)
        )
        .map(|_| ())
    }

    /// Where every rule stands.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn alert_states(&self) -> Result<Vec<AlertStateRow>, StateError> {
        with_pool!(self, "list the alerts' states", |pool| sqlx::query_as(
            "SELECT * FROM alert_states LIMIT 1000"
        )
        .fetch_all(pool))
    }
}
