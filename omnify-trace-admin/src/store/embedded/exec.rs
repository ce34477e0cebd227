//! Queries over memory and segments.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::{
    chunk::Chunk,
    line,
    shared::{Shared, View},
};
use crate::store::{
    Bucket, Facet, Group, Histogram, Line, Lines, Order, Page, Partial, Query, StoreError,
    StoreStats,
    fields::candidates,
    matcher::{Leaves, Matcher},
};

/// Tells a query that nobody waits for its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A guard whose drop stops the query.
    pub(crate) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stops a query when dropped.
pub(crate) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

type Key = (i64, u64, u64);

/// All chunks that may hold lines of the range, whole.
fn chunks(
    view: &View,
    from: i64,
    to: i64,
) -> impl Iterator<Item = Result<Arc<Chunk>, StoreError>> + '_ {
    let segments = view
        .segments
        .iter()
        .filter(move |segment| segment.meta.first < to && segment.meta.last >= from)
        .map(|segment| segment.chunk(None).map(Arc::new));
    let memory = view.chunks().map(|chunk| Ok(chunk.clone()));
    segments.chain(memory)
}

/// Calls `each` with every line of the query. Gives what was cut short.
fn scan(
    view: &View,
    query: &Query,
    stop: &Stop,
    mut each: impl FnMut(Key, &Line),
) -> Result<Option<Partial>, StoreError> {
    let matcher = Matcher::new(query);
    let end = Instant::now() + query.budget.time;
    for chunk in chunks(
        view,
        query.from.unwrap_or(i64::MIN),
        query.to.unwrap_or(i64::MAX),
    ) {
        let chunk = chunk?;
        for row in 0..chunk.rows() {
            if row % 1024 == 0 && (stop.is_set() || Instant::now() > end) {
                let reached = chunk.time.value(row);
                return Ok(Some(Partial {
                    reason: "time".to_owned(),
                    reached,
                }));
            }
            let line = line(&chunk, row);
            if matcher.matches(&line) {
                each(chunk.key(row), &line);
            }
        }
    }
    Ok(None)
}

fn parse_cursor(text: &str) -> Result<Key, StoreError> {
    let mut parts = text.split('.');
    let mut part = || u64::from_str_radix(parts.next()?, 16).ok();
    match (part(), part(), part()) {
        (Some(time), Some(source), Some(offset)) => Ok((time.cast_signed(), source, offset)),
        _ => Err(StoreError::BadCursor(text.to_owned())),
    }
}

fn write_cursor((time, source, offset): Key) -> String {
    format!("{:x}.{source:x}.{offset:x}", time.cast_unsigned())
}

fn parse_id(text: &str) -> Result<(u64, u64), StoreError> {
    let bad = || StoreError::BadCursor(text.to_owned());
    let (source, offset) = text.split_once('-').ok_or_else(bad)?;
    let number = |text| u64::from_str_radix(text, 16).map_err(|_| bad());
    Ok((number(source)?, number(offset)?))
}

pub(crate) fn search(
    view: &View,
    query: &Query,
    page: &Page,
    stop: &Stop,
) -> Result<Lines, StoreError> {
    let cursor = page.cursor.as_deref().map(parse_cursor).transpose()?;
    let newest = page.order == Order::Newest;
    let mut found: BTreeMap<Key, Line> = BTreeMap::new();
    let mut more = false;
    let partial = scan(view, query, stop, |key, line| {
        let beyond = cursor.is_none_or(|cursor| if newest { key < cursor } else { key > cursor });
        if !beyond {
            return;
        }
        found.insert(key, line.clone());
        if found.len() > page.limit {
            more = true;
            if newest {
                found.pop_first()
            } else {
                found.pop_last()
            };
        }
    })?;
    let mut found: Vec<(Key, Line)> = found.into_iter().collect();
    if newest {
        found.reverse();
    }
    let last = found.last().map(|(key, _)| *key);
    Ok(Lines {
        next_cursor: last.filter(|_| more).map(write_cursor),
        lines: found.into_iter().map(|(_, line)| line).collect(),
        partial,
    })
}

fn find(view: &View, id: &str, stop: &Stop) -> Result<Option<(Key, Line)>, StoreError> {
    let (source, offset) = parse_id(id)?;
    let mut found = None;
    scan(view, &Query::default(), stop, |key, line| {
        if (key.1, key.2) == (source, offset) {
            found = Some((key, line.clone()));
        }
    })?;
    Ok(found)
}

pub(crate) fn get(view: &View, id: &str, stop: &Stop) -> Result<Option<Line>, StoreError> {
    Ok(find(view, id, stop)?.map(|(_, line)| line))
}

pub(crate) fn context(
    view: &View,
    id: &str,
    before: usize,
    after: usize,
    stop: &Stop,
) -> Result<Vec<Line>, StoreError> {
    let Some((key, line)) = find(view, id, stop)? else {
        return Ok(Vec::new());
    };
    let service = service_of(&line);
    let (mut earlier, mut later) = (BTreeMap::new(), BTreeMap::new());
    scan(view, &Query::default(), stop, |other, line| {
        if service_of(line) != service {
            return;
        }
        if other < key {
            earlier.insert(other, line.clone());
            if earlier.len() > before {
                earlier.pop_first();
            }
        } else if other > key {
            later.insert(other, line.clone());
            if later.len() > after {
                later.pop_last();
            }
        }
    })?;
    Ok(earlier
        .into_values()
        .chain([line])
        .chain(later.into_values())
        .collect())
}

/// The line's service; of a line that names none, its file.
fn service_of(line: &Line) -> String {
    let leaves = Leaves::of(&line.raw, line.is_json);
    leaves
        .get("service.name")
        .map_or_else(|| line.file.to_string(), |leaf| leaf.text.to_string())
}

pub(crate) fn histogram(
    view: &View,
    query: &Query,
    step_ns: i64,
    by: Option<&str>,
    stop: &Stop,
) -> Result<Histogram, StoreError> {
    let step_ns = step_ns.max(1);
    let paths = by.map(candidates);
    let mut counts: BTreeMap<i64, HashMap<String, u64>> = BTreeMap::new();
    let partial = scan(view, query, stop, |key, line| {
        let start = key.0.div_euclid(step_ns) * step_ns;
        let value = paths.as_ref().map_or_else(String::new, |paths| {
            let leaves = Leaves::of(&line.raw, line.is_json);
            leaves
                .first(paths)
                .map_or_else(String::new, |leaf| leaf.text.to_string())
        });
        *counts.entry(start).or_default().entry(value).or_default() += 1;
    })?;
    let buckets = counts.into_iter().map(|(start, by_value)| Bucket {
        start,
        count: by_value.values().sum(),
        by: if by.is_some() {
            ranked(by_value, usize::MAX)
        } else {
            Vec::new()
        },
    });
    Ok(Histogram {
        step_ns,
        buckets: buckets.collect(),
        partial,
    })
}

/// Values by count, most first; equal counts by name.
fn ranked(counts: HashMap<String, u64>, top: usize) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}

pub(crate) fn facets(
    view: &View,
    query: &Query,
    fields: &[String],
    top: usize,
    stop: &Stop,
) -> Result<Vec<Facet>, StoreError> {
    let paths: Vec<Vec<String>> = fields.iter().map(|field| candidates(field)).collect();
    let mut counts: Vec<HashMap<String, u64>> = vec![HashMap::new(); fields.len()];
    scan(view, query, stop, |_, line| {
        let leaves = Leaves::of(&line.raw, line.is_json);
        for (paths, counts) in paths.iter().zip(&mut counts) {
            if let Some(leaf) = leaves.first(paths) {
                *counts.entry(leaf.text.to_string()).or_default() += 1;
            }
        }
    })?;
    let facet = |(field, counts): (&String, HashMap<String, u64>)| Facet {
        field: field.clone(),
        present: counts.values().sum(),
        values: ranked(counts, top),
    };
    Ok(fields.iter().zip(counts).map(facet).collect())
}

pub(crate) fn numbers(
    view: &View,
    query: &Query,
    value: &str,
    group_by: &[String],
    stop: &Stop,
) -> Result<Vec<Group>, StoreError> {
    let value = candidates(value);
    let group_by: Vec<Vec<String>> = group_by.iter().map(|field| candidates(field)).collect();
    let mut groups: HashMap<Vec<String>, Vec<f64>> = HashMap::new();
    scan(view, query, stop, |_, line| {
        let leaves = Leaves::of(&line.raw, line.is_json);
        let Some(number) = value.iter().find_map(|path| leaves.get(path)?.number) else {
            return;
        };
        let text = |paths: &Vec<String>| {
            leaves
                .first(paths)
                .map_or_else(String::new, |leaf| leaf.text.to_string())
        };
        groups
            .entry(group_by.iter().map(text).collect())
            .or_default()
            .push(number);
    })?;
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(key, values)| summarise(key, values))
        .collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
    Ok(groups)
}

fn summarise(key: Vec<String>, mut values: Vec<f64>) -> Group {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let rank = |percent: usize| {
        let at = (count * percent).div_ceil(100).saturating_sub(1);
        values.get(at).copied().unwrap_or(0.0)
    };
    Group {
        key,
        count: count as u64,
        sum: values.iter().sum(),
        min: values.first().copied().unwrap_or(0.0),
        p50: rank(50),
        p75: rank(75),
        p95: rank(95),
        p99: rank(99),
        max: values.last().copied().unwrap_or(0.0),
    }
}

pub(crate) fn stats(shared: &Shared) -> StoreStats {
    let view = shared.view();
    let mut stats = StoreStats {
        segments: view.segments.len() as u64,
        behind_bytes: shared.behind(),
        quarantined: shared.quarantined.load(Ordering::Relaxed),
        ..StoreStats::default()
    };
    let mut span = |first: i64, last: i64| {
        stats.oldest = Some(stats.oldest.map_or(first, |oldest| oldest.min(first)));
        stats.newest = Some(stats.newest.map_or(last, |newest| newest.max(last)));
    };
    for segment in &view.segments {
        stats.lines += segment.meta.rows;
        stats.malformed += segment.meta.malformed;
        stats.bytes += segment.bytes;
        span(segment.meta.first, segment.meta.last);
    }
    for chunk in view.chunks().filter(|chunk| chunk.rows() > 0) {
        let rows = chunk.rows();
        stats.lines += rows as u64;
        stats.in_memory += rows as u64;
        stats.malformed += (0..rows).filter(|&row| !chunk.is_json(row)).count() as u64;
        span(chunk.time.value(0), chunk.time.value(rows - 1));
    }
    stats
}
