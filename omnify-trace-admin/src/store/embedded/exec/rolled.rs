//! Answers from a segment's rollup: counts per minute, level and event type, without its rows.

use super::block::Block;
use crate::store::{embedded::index::Rollup, matcher::Ready};

/// The field that a rollup counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Level,
    Type,
}

/// A block's rollup in `[from, to)`, whole minutes, under conditions that it can decide.
pub(crate) struct Rolled<'a> {
    rollup: &'a Rollup,
    counts: &'a [(i64, u16, u16, u64)],
    /// Whether the conditions hold, by level and type; `None` if there are none.
    good: Option<Vec<Vec<bool>>>,
}

impl<'a> Rolled<'a> {
    /// `None` if the block has no rollup, or a condition is on something else.
    pub(crate) fn of(block: &'a Block, filters: &[Ready], from: i64, to: i64) -> Option<Self> {
        let rollup = &block.index()?.rollup;
        if !rollup.is_there() {
            return None;
        }
        let good = if filters.is_empty() {
            None
        } else {
            let level = |level: &Option<String>| {
                let kind = |kind: &Option<String>| {
                    let holds = |ready: &Ready| holds(ready, level.as_deref(), kind.as_deref());
                    let each: Option<Vec<bool>> = filters.iter().map(holds).collect();
                    each.map(|each| !each.contains(&false))
                };
                rollup.types.iter().map(kind).collect::<Option<Vec<bool>>>()
            };
            Some(rollup.levels.iter().map(level).collect::<Option<_>>()?)
        };
        let first = rollup.counts.partition_point(|count| count.0 < from);
        let last = rollup.counts.partition_point(|count| count.0 < to);
        Some(Self {
            rollup,
            counts: &rollup.counts[first..last.max(first)],
            good,
        })
    }

    /// Which of its fields these paths are, if one.
    pub(crate) fn by(&self, paths: &[String]) -> Option<By> {
        by(paths)
    }

    /// The values of a field; counts name them by their place here.
    pub(crate) fn values(&self, by: By) -> &'a [Option<String>] {
        match by {
            By::Level => &self.rollup.levels,
            By::Type => &self.rollup.types,
        }
    }

    /// Minute, value, count.
    pub(crate) fn counts(&self, by: By) -> impl Iterator<Item = (i64, usize, u64)> + '_ {
        let good = move |count: &&(i64, u16, u16, u64)| {
            let is = |good: &Vec<Vec<bool>>| good[usize::from(count.1)][usize::from(count.2)];
            self.good.as_ref().is_none_or(is)
        };
        let value = move |&(minute, level, kind, count): &(i64, u16, u16, u64)| {
            let value = if by == By::Level { level } else { kind };
            (minute, usize::from(value), count)
        };
        self.counts.iter().filter(good).map(value)
    }
}

fn by(paths: &[String]) -> Option<By> {
    match paths {
        [path] if path == "level" => Some(By::Level),
        [path] if path == "event_type" => Some(By::Type),
        _ => None,
    }
}

/// Whether a condition holds for lines of this level and type; `None` if they do not decide it.
fn holds(ready: &Ready, level: Option<&str>, kind: Option<&str>) -> Option<bool> {
    let value = |paths: &[String]| {
        by(paths).map(|by| match by {
            By::Level => level,
            By::Type => kind,
        })
    };
    match ready {
        Ready::OneOf { paths, values } => {
            let is = |text: &str| values.iter().any(|value| value == text);
            Some(value(paths)?.is_some_and(is))
        }
        Ready::Contains { paths, needle } => {
            Some(value(paths)?.is_some_and(|text| needle.is_in(text)))
        }
        Ready::Not(inner) => Some(!holds(inner, level, kind)?),
        Ready::Any(inner) => {
            let each = inner.iter().map(|ready| holds(ready, level, kind));
            Some(each.collect::<Option<Vec<bool>>>()?.contains(&true))
        }
        _ => None,
    }
}
