//! Builders of calls to other services and of database queries.

use std::time::Duration;

use tracing::Span;

use super::builder::{Common, TARGET};
use super::op::{Detail, Text};
use super::statement;

/// Default of [`DbQuery::slow_after`].
pub(super) const SLOW_QUERY: Duration = Duration::from_millis(200);

/// One attempt of a call to another service: its name, the HTTP method, the route (a template
/// such as `/contacts/{id}`, never a raw path).
pub fn external_api(
    api: impl Into<Text>,
    method: impl Into<Text>,
    route: impl Into<Text>,
) -> ExternalApi {
    ExternalApi {
        api: api.into(),
        method: method.into(),
        route: route.into(),
        ..ExternalApi::default()
    }
}

/// A database query. Literals in the statement are replaced by `?`: parameters are never logged.
pub fn db_query(statement: impl Into<Text>) -> DbQuery {
    DbQuery {
        statement: statement.into(),
        ..DbQuery::NONE
    }
}

/// An external call to be: see [`external_api`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct ExternalApi {
    pub(crate) api: Text,
    pub(crate) method: Text,
    pub(crate) route: Text,
    pub(crate) host: Option<Text>,
    pub(crate) call_id: Option<Text>,
    pub(crate) attempt: Option<u32>,
    pub(super) common: Common,
}

impl ExternalApi {
    /// Host and port. Defaults to unsaid.
    pub fn host(mut self, host: impl Into<Text>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Which attempt this is, from 1. Defaults to unsaid.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// What the attempts of one call have in common. Defaults to unsaid.
    pub fn call_id(mut self, call_id: impl Into<Text>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    pub(super) fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "external_api", api = self.api.as_ref())
    }

    pub(super) fn into_detail(self) -> Detail {
        Detail::ExternalApi(self)
    }
}

/// A query to be: see [`db_query`].
#[derive(Debug)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct DbQuery {
    pub(crate) statement: Text,
    pub(crate) system: Option<Text>,
    pub(crate) slow_after: Duration,
    pub(super) common: Common,
}

impl Default for DbQuery {
    fn default() -> Self {
        Self::NONE
    }
}

impl DbQuery {
    pub(super) const NONE: Self = Self {
        statement: Text::Borrowed(""),
        system: None,
        slow_after: SLOW_QUERY,
        common: Common::NONE,
    };

    /// The database product, such as `postgresql`. Defaults to unsaid.
    pub fn system(mut self, system: impl Into<Text>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// How long it may take before it is a `slow_query`. Defaults to 200 ms.
    pub fn slow_after(mut self, threshold: Duration) -> Self {
        self.slow_after = threshold;
        self
    }

    pub(super) fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "db_query")
    }

    pub(super) fn into_detail(mut self) -> Detail {
        self.statement = statement::normalize_for(self.system.as_deref(), &self.statement).into();
        Detail::DbQuery(self)
    }
}
