//! The most frequent values of fields.

use foldhash::HashMap;
use omnify_trace::schema::fields::TIMESTAMP;

use super::{
    Stop,
    aggregate::{Fold, Run},
    block::Block,
    rolled::Rolled,
    values::{self, Groups},
};
use crate::store::{
    Facet, Facets, Query, StoreError,
    embedded::{chunk::Chunk, segment::Own, shape::Storage, shared::View},
    fields::candidates,
};

#[derive(Default)]
struct Counts(Vec<HashMap<String, u64>>);

impl Fold for Counts {
    type Ask = Vec<Vec<String>>;
    type Part = Self;

    fn add(&mut self, ask: &Self::Ask, chunk: &Chunk, hits: &[bool]) {
        self.0.resize_with(ask.len(), HashMap::default);
        for (paths, counts) in ask.iter().zip(&mut self.0) {
            let groups = Groups::of(chunk, paths);
            let mut by_id = vec![0u64; groups.values.len()];
            for (&id, _) in groups.ids.iter().zip(hits).filter(|(_, hit)| **hit) {
                by_id[id as usize] += 1;
            }
            for (value, count) in groups
                .values
                .into_iter()
                .zip(by_id)
                .filter(|(_, count)| *count > 0)
            {
                if let Some(value) = value {
                    *counts.entry(value).or_default() += count;
                }
            }
        }
    }

    fn roll_up(&mut self, ask: &Self::Ask, rolled: &Rolled<'_>) -> bool {
        if ask.iter().any(|paths| rolled.by(paths).is_none()) {
            return false;
        }
        self.0.resize_with(ask.len(), HashMap::default);
        for (paths, counts) in ask.iter().zip(&mut self.0) {
            let Some(by) = rolled.by(paths) else {
                continue;
            };
            let values = rolled.values(by);
            let mut by_value = vec![0u64; values.len()];
            for (_, value, count) in rolled.counts(by) {
                by_value[value] += count;
            }
            for (value, count) in values.iter().zip(by_value).filter(|(_, count)| *count > 0) {
                if let Some(value) = value {
                    *counts.entry(value.clone()).or_default() += count;
                }
            }
        }
        true
    }

    fn sum_up(&mut self, ask: &Self::Ask, block: &Block) -> bool {
        let listed: Option<Vec<_>> = ask.iter().map(|paths| listed(block, paths)).collect();
        let Some(listed) = listed else {
            return false;
        };
        self.0.resize_with(ask.len(), HashMap::default);
        for (values, counts) in listed.into_iter().zip(&mut self.0) {
            for (value, count) in values {
                match counts.get_mut(value) {
                    Some(known) => *known += count,
                    None => drop(counts.insert(value.clone(), *count)),
                }
            }
        }
        true
    }

    fn join(&mut self, other: Self) {
        self.0
            .resize_with(self.0.len().max(other.0.len()), HashMap::default);
        for (counts, others) in self.0.iter_mut().zip(other.0) {
            for (value, count) in others {
                *counts.entry(value).or_default() += count;
            }
        }
    }

    fn part(self) -> Self {
        self
    }

    fn take(&mut self, part: &Self) {
        self.0
            .resize_with(self.0.len().max(part.0.len()), HashMap::default);
        for (counts, others) in self.0.iter_mut().zip(&part.0) {
            for (value, count) in others {
                match counts.get_mut(value) {
                    Some(known) => *known += count,
                    None => drop(counts.insert(value.clone(), *count)),
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|counts| counts.len() * 96).sum()
    }
}

/// All values of a field with their counts, if the block's index lists them: that is so where one
/// column of texts has all of them.
fn listed<'a>(block: &'a Block, paths: &[String]) -> Option<&'a [(String, u64)]> {
    let index = block.index().filter(|index| index.raw == 0)?;
    if paths.iter().any(|path| path == TIMESTAMP) {
        return None;
    }
    let mut found: &[(String, u64)] = &[];
    for column in values::columns(block.tables(), paths) {
        let own = index.columns.get(column)?;
        if own.present == 0 {
            continue;
        }
        let is_text = block.tables().columns[column].storage == Storage::Text;
        if !is_text || !found.is_empty() {
            return None;
        }
        found = own.distinct.as_deref()?;
    }
    Some(found)
}

pub(crate) fn facets(
    view: &View,
    query: &Query,
    fields: &[String],
    top: usize,
    stop: &Stop,
) -> Result<Facets, StoreError> {
    let ask: Vec<Vec<String>> = fields.iter().map(|field| candidates(field)).collect();
    let paths = ask.iter().flatten().cloned().collect();
    let (mut counts, partial) =
        Run::<Counts>::new(query, &ask, paths, Own::NONE, stop).all(view)?;
    counts.0.resize_with(fields.len(), HashMap::default);
    let facet = |(field, counts): (&String, HashMap<String, u64>)| Facet {
        field: field.clone(),
        present: counts.values().sum(),
        values: ranked(counts, top),
    };
    Ok(Facets {
        facets: fields.iter().zip(counts.0).map(facet).collect(),
        partial,
    })
}

/// Values by count, most first; equal counts by name.
fn ranked(counts: HashMap<String, u64>, top: usize) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    let order = |a: &(String, u64), b: &(String, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    if top < counts.len() {
        counts.select_nth_unstable_by(top, order);
        counts.truncate(top);
    }
    counts.sort_unstable_by(order);
    counts
}
