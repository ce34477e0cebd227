//! The aggregations in their plain meaning, over lines as they come: for an engine that is
//! handed whole lines, and as what the embedded engine is held to in its tests.

use std::collections::{BTreeMap, HashMap};

use super::{Bucket, Facet, Group, Line, fields::candidates, matcher::Leaves};

/// The value of a field that groups and facets see: of the first place that has one.
fn value(leaves: &Leaves<'_>, paths: &[String]) -> Option<String> {
    leaves.first(paths).map(|leaf| leaf.text.to_string())
}

/// Most first; of equals, the lesser text first.
pub(crate) fn ranked(counts: HashMap<String, u64>, top: usize) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}

/// Lines per time bucket.
pub(crate) struct Counting {
    step_ns: i64,
    by: Option<Vec<String>>,
    counts: BTreeMap<i64, HashMap<String, u64>>,
}

impl Counting {
    pub(crate) fn new(step_ns: i64, by: Option<&str>) -> Self {
        Self {
            step_ns: step_ns.max(1),
            by: by.map(candidates),
            counts: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, line: &Line) {
        let by = self.by.as_ref().and_then(|paths| {
            let leaves = Leaves::of(&line.raw, line.is_json);
            value(&leaves, paths)
        });
        self.add_count(line.timestamp, by.unwrap_or_default(), 1);
    }

    /// Adds lines that somebody else has counted.
    pub(crate) fn add_count(&mut self, timestamp: i64, by: String, count: u64) {
        let start = timestamp.div_euclid(self.step_ns) * self.step_ns;
        *self.counts.entry(start).or_default().entry(by).or_default() += count;
    }

    pub(crate) fn buckets(self) -> Vec<Bucket> {
        let split = self.by.is_some();
        let bucket = |(start, values): (i64, HashMap<String, u64>)| Bucket {
            start,
            count: values.values().sum(),
            by: if split {
                ranked(values, usize::MAX)
            } else {
                Vec::new()
            },
        };
        self.counts.into_iter().map(bucket).collect()
    }
}

/// The most frequent values of fields.
pub(crate) struct Tops {
    fields: Vec<(String, Vec<String>, HashMap<String, u64>)>,
}

impl Tops {
    pub(crate) fn new(fields: &[&str]) -> Self {
        let field = |&field: &&str| (field.to_owned(), candidates(field), HashMap::new());
        Self {
            fields: fields.iter().map(field).collect(),
        }
    }

    pub(crate) fn add(&mut self, line: &Line) {
        let leaves = Leaves::of(&line.raw, line.is_json);
        for (_, paths, counts) in &mut self.fields {
            if let Some(value) = value(&leaves, paths) {
                *counts.entry(value).or_default() += 1;
            }
        }
    }

    pub(crate) fn facets(self, top: usize) -> Vec<Facet> {
        let facet = |(field, _, counts): (String, _, HashMap<String, u64>)| Facet {
            field,
            present: counts.values().sum(),
            values: ranked(counts, top),
        };
        self.fields.into_iter().map(facet).collect()
    }
}

/// Percentiles and sums of a number, by group.
pub(crate) struct Measuring {
    value: Vec<String>,
    group_by: Vec<Vec<String>>,
    step_ns: Option<i64>,
    groups: HashMap<(Option<i64>, Vec<String>), Vec<f64>>,
}

impl Measuring {
    pub(crate) fn new(value: &str, group_by: &[&str], step_ns: Option<i64>) -> Self {
        Self {
            value: candidates(value),
            group_by: group_by.iter().map(|by| candidates(by)).collect(),
            step_ns,
            groups: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, line: &Line) {
        let leaves = Leaves::of(&line.raw, line.is_json);
        let number = |path: &String| leaves.get(path)?.number;
        let Some(number) = self.value.iter().find_map(number) else {
            return;
        };
        let key = self
            .group_by
            .iter()
            .map(|paths| value(&leaves, paths).unwrap_or_default())
            .collect();
        let start = self
            .step_ns
            .map(|step| line.timestamp.div_euclid(step.max(1)) * step);
        self.groups.entry((start, key)).or_default().push(number);
    }

    pub(crate) fn groups(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .groups
            .into_iter()
            .map(|((start, key), values)| group(start, key, values))
            .collect();
        groups.sort_by(|a, b| (a.start, b.count, &a.key).cmp(&(b.start, a.count, &b.key)));
        groups
    }
}

/// Percentiles by nearest rank. `values` is not empty.
fn group(start: Option<i64>, key: Vec<String>, mut values: Vec<f64>) -> Group {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |rank: usize| values.get(rank.min(last)).copied().unwrap_or_default();
    // The smallest rank that has so many hundredths of the values at or below it.
    let rank = |percent: usize| at((values.len() * percent).div_ceil(100).saturating_sub(1));
    Group {
        start,
        key,
        count: values.len() as u64,
        sum: values.iter().sum(),
        min: at(0),
        p50: rank(50),
        p75: rank(75),
        p95: rank(95),
        p99: rank(99),
        max: at(last),
    }
}
