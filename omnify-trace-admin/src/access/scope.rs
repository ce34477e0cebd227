//! A store that shows one organization's lines only.

use std::sync::Arc;

use async_trait::async_trait;
use omnify_trace::schema::fields;
use tokio::sync::broadcast;

use crate::{
    analysis::Event,
    store::{
        Facets, Filter, Histogram, Line, Lines, LogStore, Numbers, Page, Query, StoreError,
        StoreStats, Texts,
    },
};

/// Whether a line is of this organization.
#[must_use]
pub fn belongs_to(line: &Line, organization_id: &str) -> bool {
    Event::parse(line.clone()).context(fields::ORGANIZATION_ID) == Some(organization_id)
}

/// Adds the organization to every question, and checks every line that is asked for by id.
///
/// [`LogStore::tail`] cannot be narrowed here: whoever listens to it has to ask [`belongs_to`].
pub struct Scoped {
    inner: Arc<dyn LogStore>,
    organization_id: String,
}

impl Scoped {
    /// The lines of one organization.
    #[must_use]
    pub fn new(inner: Arc<dyn LogStore>, organization_id: String) -> Self {
        Self {
            inner,
            organization_id,
        }
    }

    fn narrow(&self, query: &Query) -> Query {
        let mut query = query.clone();
        query.filters.push(Filter::OneOf {
            field: "context.organization_id".to_owned(),
            values: vec![self.organization_id.clone()],
        });
        query
    }
}

#[async_trait]
impl LogStore for Scoped {
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        self.inner.search(&self.narrow(query), page).await
    }

    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError> {
        let line = self.inner.get(id).await?;
        Ok(line.filter(|line| belongs_to(line, &self.organization_id)))
    }

    async fn context(
        &self,
        id: &str,
        before: usize,
        after: usize,
    ) -> Result<Vec<Line>, StoreError> {
        if self.get(id).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut lines = self.inner.context(id, before, after).await?;
        lines.retain(|line| belongs_to(line, &self.organization_id));
        Ok(lines)
    }

    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError> {
        self.inner.histogram(&self.narrow(query), step_ns, by).await
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        self.inner.facets(&self.narrow(query), fields, top).await
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        self.inner
            .numbers(&self.narrow(query), value, group_by, step_ns)
            .await
    }

    async fn texts(
        &self,
        query: &Query,
        fields: &[&str],
        most: usize,
    ) -> Result<Texts, StoreError> {
        self.inner.texts(&self.narrow(query), fields, most).await
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Line>> {
        self.inner.tail()
    }

    /// How the store fares, without the figures that tell of other organizations.
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let stats = self.inner.stats().await?;
        Ok(StoreStats {
            behind_bytes: stats.behind_bytes,
            quarantined: stats.quarantined,
            last_error: stats.last_error,
            ..StoreStats::default()
        })
    }
}
