//! What every query means, computed the slow and plain way from the lines themselves.

use std::collections::{BTreeMap, HashMap};

use crate::store::{
    Bucket, Facet, Group, Line, Matcher, Order, Query, fields::candidates, matcher::Leaves,
};

/// The order of lines: time, then source and offset, which the id tells.
pub(super) fn key(line: &Line) -> (i64, u64, u64) {
    let (source, offset) = line.id.split_once('-').unwrap();
    let number = |text| u64::from_str_radix(text, 16).unwrap();
    (line.timestamp, number(source), number(offset))
}

pub(super) fn search(lines: &[Line], query: &Query, order: Order) -> Vec<Line> {
    let matcher = Matcher::new(query);
    let mut found: Vec<Line> = lines
        .iter()
        .filter(|line| matcher.matches(line))
        .cloned()
        .collect();
    found.sort_by_key(key);
    if order == Order::Newest {
        found.reverse();
    }
    found
}

fn value(line: &Line, field: &str) -> Option<String> {
    let leaves = Leaves::of(&line.raw, line.is_json);
    leaves
        .first(&candidates(field))
        .map(|leaf| leaf.text.to_string())
}

pub(super) fn histogram(lines: &[Line], query: &Query, step: i64, by: Option<&str>) -> Vec<Bucket> {
    let mut counts: BTreeMap<i64, HashMap<String, u64>> = BTreeMap::new();
    for line in search(lines, query, Order::Oldest) {
        let start = line.timestamp.div_euclid(step) * step;
        let value = by.and_then(|by| value(&line, by)).unwrap_or_default();
        *counts.entry(start).or_default().entry(value).or_default() += 1;
    }
    let bucket = |(start, values): (i64, HashMap<String, u64>)| Bucket {
        start,
        count: values.values().sum(),
        by: if by.is_some() {
            ranked(values, usize::MAX)
        } else {
            Vec::new()
        },
    };
    counts.into_iter().map(bucket).collect()
}

fn ranked(counts: HashMap<String, u64>, top: usize) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}

pub(super) fn facet(lines: &[Line], query: &Query, field: &str, top: usize) -> Facet {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for value in search(lines, query, Order::Oldest)
        .iter()
        .filter_map(|line| value(line, field))
    {
        *counts.entry(value).or_default() += 1;
    }
    Facet {
        field: field.to_owned(),
        present: counts.values().sum(),
        values: ranked(counts, top),
    }
}

pub(super) fn numbers(
    lines: &[Line],
    query: &Query,
    field: &str,
    group_by: &[&str],
    step: Option<i64>,
) -> Vec<Group> {
    let mut groups: HashMap<(Option<i64>, Vec<String>), Vec<f64>> = HashMap::new();
    for line in search(lines, query, Order::Oldest) {
        let leaves = Leaves::of(&line.raw, line.is_json);
        if let Some(number) = candidates(field)
            .iter()
            .find_map(|path| leaves.get(path)?.number)
        {
            let key = group_by
                .iter()
                .map(|by| value(&line, by).unwrap_or_default());
            let start = step.map(|step| line.timestamp.div_euclid(step) * step);
            groups
                .entry((start, key.collect()))
                .or_default()
                .push(number);
        }
    }
    let group = |((start, key), mut values): ((Option<i64>, Vec<String>), Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        let rank = |percent: f64| {
            let rank = (values.len() as f64 * percent / 100.0).ceil() as usize;
            values[rank.max(1) - 1]
        };
        Group {
            start,
            key,
            count: values.len() as u64,
            sum: values.iter().sum(),
            min: values[0],
            p50: rank(50.0),
            p75: rank(75.0),
            p95: rank(95.0),
            p99: rank(99.0),
            max: values[values.len() - 1],
        }
    };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by(|a, b| (a.start, b.count, &a.key).cmp(&(b.start, a.count, &b.key)));
    groups
}
