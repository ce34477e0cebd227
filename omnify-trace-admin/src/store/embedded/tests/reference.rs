//! What every query means, computed the slow and plain way from the lines themselves.

use crate::store::{
    Bucket, Facet, Group, Line, Matcher, Order, Query,
    scan::{Counting, Measuring, Tops},
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

pub(super) fn histogram(lines: &[Line], query: &Query, step: i64, by: Option<&str>) -> Vec<Bucket> {
    let mut counting = Counting::new(step, by);
    for line in search(lines, query, Order::Oldest) {
        counting.add(&line);
    }
    counting.buckets()
}

pub(super) fn facet(lines: &[Line], query: &Query, field: &str, top: usize) -> Facet {
    let mut tops = Tops::new(&[field]);
    for line in search(lines, query, Order::Oldest) {
        tops.add(&line);
    }
    tops.facets(top).remove(0)
}

pub(super) fn numbers(
    lines: &[Line],
    query: &Query,
    field: &str,
    group_by: &[&str],
    step: Option<i64>,
) -> Vec<Group> {
    let mut measuring = Measuring::new(field, group_by, step);
    for line in search(lines, query, Order::Oldest) {
        measuring.add(&line);
    }
    measuring.groups()
}
