//! Whether an answer that was made of many questions is whole.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;
use utoipa::ToSchema;

use super::logs::PartialBody;
use crate::store::{
    Facets, Histogram, Line, Lines, LogStore, Numbers, Page, Partial, Query, StoreError,
    StoreStats, Texts,
};

/// An answer, and whether one of the questions behind it ran out of its budget.
#[derive(Serialize, ToSchema)]
pub(crate) struct Answer<T> {
    #[serde(flatten)]
    body: T,
    /// Only if a question behind the answer ran out of its budget: the figures are too low.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialBody>,
}

/// A store that takes note of the first answer that was not whole.
pub(crate) struct Noting {
    inner: Arc<dyn LogStore>,
    partial: Mutex<Option<Partial>>,
}

impl Noting {
    pub(crate) fn new(inner: &Arc<dyn LogStore>) -> Self {
        Self {
            inner: Arc::clone(inner),
            partial: Mutex::default(),
        }
    }

    /// The answer that was made of this store's answers.
    pub(crate) fn answer<T>(&self, body: T) -> Answer<T> {
        Answer {
            body,
            partial: self.partial.lock().take().map(PartialBody::from),
        }
    }

    fn note(&self, partial: Option<&Partial>) {
        if let Some(partial) = partial {
            self.partial.lock().get_or_insert_with(|| partial.clone());
        }
    }
}

#[async_trait]
impl LogStore for Noting {
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        let answer = self.inner.search(query, page).await?;
        self.note(answer.partial.as_ref());
        Ok(answer)
    }

    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError> {
        self.inner.get(id).await
    }

    async fn context(
        &self,
        id: &str,
        before: usize,
        after: usize,
    ) -> Result<Vec<Line>, StoreError> {
        self.inner.context(id, before, after).await
    }

    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError> {
        let answer = self.inner.histogram(query, step_ns, by).await?;
        self.note(answer.partial.as_ref());
        Ok(answer)
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        let answer = self.inner.facets(query, fields, top).await?;
        self.note(answer.partial.as_ref());
        Ok(answer)
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        let answer = self.inner.numbers(query, value, group_by, step_ns).await?;
        self.note(answer.partial.as_ref());
        Ok(answer)
    }

    async fn texts(
        &self,
        query: &Query,
        fields: &[&str],
        most: usize,
    ) -> Result<Texts, StoreError> {
        let answer = self.inner.texts(query, fields, most).await?;
        self.note(answer.partial.as_ref());
        Ok(answer)
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Line>> {
        self.inner.tail()
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.inner.stats().await
    }
}
