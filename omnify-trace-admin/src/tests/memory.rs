//! A store in memory, by the book: for tests of what stands on the trait.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{
    analysis::Event,
    store::{
        Bucket, Facet, Facets, Group, Histogram, Line, Lines, LogStore, Matcher, Numbers, Order,
        Page, Query, StoreError, StoreStats,
    },
    time,
};

pub(super) struct MemoryStore {
    lines: RwLock<Vec<Line>>,
    tail: broadcast::Sender<Arc<Line>>,
}

impl MemoryStore {
    pub(super) fn new() -> Self {
        Self {
            lines: RwLock::default(),
            tail: broadcast::channel(16).0,
        }
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

    fn found(&self, query: &Query) -> Vec<Event> {
        let lines = self.lines.read();
        let matcher = Matcher::new(query);
        let mut found: Vec<Event> = lines
            .iter()
            .filter(|line| matcher.matches(line))
            .map(|line| Event::parse(line.clone()))
            .collect();
        // Newest first, the later written of one instant before the earlier.
        found.reverse();
        found.sort_by_key(|event| std::cmp::Reverse(event.time()));
        found
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn most_first(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
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
        let lines = found
            .into_iter()
            .skip(skip)
            .take(page.limit)
            .map(|event| event.line)
            .collect();
        Ok(Lines {
            lines,
            next_cursor,
            partial: None,
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
        let mut buckets: BTreeMap<i64, (u64, BTreeMap<String, u64>)> = BTreeMap::new();
        for event in self.found(query) {
            let (count, split) = buckets
                .entry(event.time().div_euclid(step_ns) * step_ns)
                .or_default();
            *count += 1;
            if let Some(value) = by.and_then(|by| text(event.field(by))) {
                *split.entry(value).or_default() += 1;
            }
        }
        let buckets = buckets
            .into_iter()
            .map(|(start, (count, by))| Bucket {
                start,
                count,
                by: most_first(by),
            })
            .collect();
        Ok(Histogram {
            step_ns,
            buckets,
            partial: None,
        })
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        let found = self.found(query);
        let facet = |field: &&str| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for value in found.iter().filter_map(|event| text(event.field(field))) {
                *counts.entry(value).or_default() += 1;
            }
            let present = counts.values().sum();
            let mut values = most_first(counts);
            values.truncate(top);
            Facet {
                field: (*field).to_owned(),
                values,
                present,
            }
        };
        Ok(Facets {
            facets: fields.iter().map(facet).collect(),
            partial: None,
        })
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        let mut groups: BTreeMap<(Option<i64>, Vec<String>), Vec<f64>> = BTreeMap::new();
        for event in self.found(query) {
            if let Some(number) = event.field(value).and_then(Value::as_f64) {
                let key = group_by
                    .iter()
                    .map(|field| text(event.field(field)).unwrap_or_default())
                    .collect();
                let start = step_ns.map(|step| event.time().div_euclid(step) * step);
                groups.entry((start, key)).or_default().push(number);
            }
        }
        let group = |((start, key), mut values): ((Option<i64>, Vec<String>), Vec<f64>)| {
            values.sort_by(f64::total_cmp);
            let rank = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
            Group {
                start,
                key,
                count: values.len() as u64,
                sum: values.iter().sum(),
                min: values[0],
                p50: rank(50),
                p75: rank(75),
                p95: rank(95),
                p99: rank(99),
                max: values[values.len() - 1],
            }
        };
        Ok(Numbers {
            groups: groups.into_iter().map(group).collect(),
            partial: None,
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
