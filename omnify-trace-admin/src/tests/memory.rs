//! A store in memory, by the book: for tests of what stands on the trait.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{
    store::{
        Facets, Histogram, Line, Lines, LogStore, Matcher, Numbers, Order, Page, Partial, Query,
        StoreError, StoreStats,
        scan::{Counting, Measuring, Tops},
    },
    time,
};

pub(super) struct MemoryStore {
    lines: RwLock<Vec<Line>>,
    tail: broadcast::Sender<Arc<Line>>,
    hurried: AtomicBool,
}

impl MemoryStore {
    pub(super) fn new() -> Self {
        Self {
            lines: RwLock::default(),
            tail: broadcast::channel(16).0,
            hurried: AtomicBool::new(false),
        }
    }

    /// From now on every answer says that it is not whole.
    pub(super) fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    fn partial(&self) -> Option<Partial> {
        self.hurried.load(Ordering::Relaxed).then(|| Partial {
            reason: "time".to_owned(),
            reached: 0,
        })
    }

    /// Adds a line; it is searchable and in the tail at once.
    pub(super) fn push(&self, raw: &str) -> String {
        let value: Option<Value> = serde_json::from_str(raw).ok().filter(Value::is_object);
        let timestamp = value
            .as_ref()
            .and_then(|value| time::parse(value["timestamp"].as_str()?))
            .unwrap_or_else(time::now);
        let mut lines = self.lines.write();
        let line = Line {
            id: format!("m-{}", lines.len()),
            timestamp,
            raw: raw.into(),
            is_json: value.is_some(),
            file: "backend.log".into(),
        };
        lines.push(line.clone());
        // Nobody may be listening.
        let _ = self.tail.send(Arc::new(line.clone()));
        line.id
    }

    /// Every line as it came.
    pub(super) fn raw(&self) -> Vec<String> {
        self.lines
            .read()
            .iter()
            .map(|line| line.raw.to_string())
            .collect()
    }

    fn found(&self, query: &Query) -> Vec<Line> {
        let lines = self.lines.read();
        let matcher = Matcher::new(query);
        let mut found: Vec<Line> = lines
            .iter()
            .filter(|line| matcher.matches(line))
            .cloned()
            .collect();
        // Newest first, the later written of one instant before the earlier.
        found.reverse();
        found.sort_by_key(|line| std::cmp::Reverse(line.timestamp));
        found
    }
}

#[async_trait]
impl LogStore for MemoryStore {
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        let mut found = self.found(query);
        if page.order == Order::Oldest {
            found.reverse();
        }
        let skip: usize = match &page.cursor {
            None => 0,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| StoreError::BadCursor(cursor.clone()))?,
        };
        let end = skip.saturating_add(page.limit);
        let next_cursor = (end < found.len()).then(|| end.to_string());
        let lines = found.into_iter().skip(skip).take(page.limit).collect();
        Ok(Lines {
            lines,
            next_cursor,
            partial: self.partial(),
        })
    }

    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError> {
        Ok(self.lines.read().iter().find(|line| line.id == id).cloned())
    }

    async fn context(
        &self,
        id: &str,
        before: usize,
        after: usize,
    ) -> Result<Vec<Line>, StoreError> {
        let lines = self.lines.read();
        let Some(place) = lines.iter().position(|line| line.id == id) else {
            return Ok(Vec::new());
        };
        let end = (place + after + 1).min(lines.len());
        Ok(lines[place.saturating_sub(before)..end].to_vec())
    }

    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError> {
        let mut counting = Counting::new(step_ns, by);
        self.found(query).iter().for_each(|line| counting.add(line));
        Ok(Histogram {
            step_ns,
            buckets: counting.buckets(),
            partial: self.partial(),
        })
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        let mut tops = Tops::new(fields);
        self.found(query).iter().for_each(|line| tops.add(line));
        Ok(Facets {
            facets: tops.facets(top),
            partial: self.partial(),
        })
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        let mut measuring = Measuring::new(value, group_by, step_ns);
        self.found(query)
            .iter()
            .for_each(|line| measuring.add(line));
        Ok(Numbers {
            groups: measuring.groups(),
            partial: self.partial(),
        })
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Line>> {
        self.tail.subscribe()
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        Ok(StoreStats {
            lines: self.lines.read().len() as u64,
            ..StoreStats::default()
        })
    }
}
