//! What people decided about error groups: resolved, ticket, note.

use serde::{Deserialize, Serialize};

use super::{State, StateError, change, with_pool};

/// Where an error group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// First seen within the last day.
    New,
    /// Seen before, not resolved.
    Ongoing,
    /// Somebody said that it is mended, and it has not been seen since.
    Resolved,
    /// Seen again after it was resolved.
    Regressed,
    /// Somebody said that it does not matter.
    Ignored,
}

impl IssueState {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Resolved => "resolved",
            Self::Regressed => "regressed",
            Self::Ignored => "ignored",
        }
    }
}

/// One decided issue.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct IssueRow {
    /// Of the error group.
    pub fingerprint: String,
    /// `ongoing`, `resolved` or `ignored`, as a person set it.
    pub state: String,
    /// Unix nanoseconds: the earliest sighting that anybody was shown.
    pub first_seen: i64,
    /// Unix nanoseconds.
    pub resolved_at: Option<i64>,
    /// Link to a ticket.
    pub ticket_url: Option<String>,
    /// Who looks after it.
    pub assignee: Option<String>,
    /// Free text.
    pub note: Option<String>,
    /// Unix nanoseconds.
    pub updated_at: i64,
    /// Who last changed it.
    pub updated_by: String,
}

impl State {
    /// Keeps an issue, replacing the one of the same fingerprint.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn put_issue(&self, row: &IssueRow) -> Result<(), StateError> {
        change!(self, "keep an issue", sqlx::query(
            "INSERT INTO issues (fingerprint, state, first_seen, resolved_at, ticket_url, assignee, note, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (fingerprint) DO UPDATE SET state = excluded.state,
                resolved_at = excluded.resolved_at, ticket_url = excluded.ticket_url,
                assignee = excluded.assignee, note = excluded.note,
                updated_at = excluded.updated_at, updated_by = excluded.updated_by"
        )
        .bind(&row.fingerprint)
        .bind(&row.state)
        .bind(row.first_seen)
        .bind(row.resolved_at)
        .bind(&row.ticket_url)
        .bind(&row.assignee)
        .bind(&row.note)
        .bind(row.updated_at)
        .bind(&row.updated_by))
        .map(|_| ())
    }

    /// The issue of a fingerprint.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn issue(&self, fingerprint: &str) -> Result<Option<IssueRow>, StateError> {
        with_pool!(self, "look for an issue", |pool| sqlx::query_as(
            "SELECT * FROM issues WHERE fingerprint = $1"
        )
        .bind(fingerprint)
        .fetch_optional(pool))
    }

    /// Every decided issue, last changed first.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn issues(&self) -> Result<Vec<IssueRow>, StateError> {
        with_pool!(self, "list the issues", |pool| sqlx::query_as(
            "SELECT * FROM issues ORDER BY updated_at DESC LIMIT 10000"
        )
        .fetch_all(pool))
    }
}
