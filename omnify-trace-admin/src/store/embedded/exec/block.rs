//! One run of sorted rows, in memory or sealed.

use std::{ops::Range, sync::Arc};

use arrow_array::{Array, ArrayRef, cast::AsArray};

use crate::store::{
    StoreError,
    embedded::{
        chunk::Chunk,
        index::{BLOCK, Index, bit},
        kept::{Kept, Key, Which},
        segment::{Group, Own, Segment},
        shape::Tables,
        shared::View,
    },
};

/// Who asks for more columns than this does not aggregate.
const MOST_KEPT: usize = 8;

/// A chunk or a group of a segment.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    Memory(Arc<Chunk>),
    Sealed(Sealed),
}

/// A group of a segment, and the columns that are kept decoded.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) segment: Arc<Segment>,
    group: usize,
    kept: Arc<Kept>,
}

/// Rows that were loaded: row `n` of the chunk is the `n`th of `ranges`.
pub(crate) struct Loaded {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) ranges: Vec<Range<usize>>,
}

impl Block {
    /// The blocks that may have lines in `[from, to)`, the newest end first.
    pub(crate) fn of(view: &View, from: i64, to: i64) -> Vec<Self> {
        let groups = |segment: &Arc<Segment>| {
            let segment = segment.clone();
            (0..segment.groups.len()).map(move |group| {
                Self::Sealed(Sealed {
                    segment: segment.clone(),
                    group,
                    kept: view.kept.clone(),
                })
            })
        };
        let sealed = view.segments.iter().flat_map(groups);
        let memory = view.chunks().cloned().map(Self::Memory);
        let overlaps =
            |block: &Self| block.rows() > 0 && block.first() < to && block.last() >= from;
        let mut blocks: Vec<Self> = memory.chain(sealed).filter(overlaps).collect();
        blocks.sort_by_key(|block| std::cmp::Reverse(block.last()));
        blocks
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Memory(chunk) => chunk.rows(),
            Self::Sealed(sealed) => sealed.group().rows,
        }
    }

    /// Time of the first row.
    pub(crate) fn first(&self) -> i64 {
        match self {
            Self::Memory(chunk) => chunk.time.value(0),
            Self::Sealed(sealed) => sealed.group().first,
        }
    }

    /// Time of the last row.
    pub(crate) fn last(&self) -> i64 {
        match self {
            Self::Memory(chunk) => chunk.time.value(chunk.rows() - 1),
            Self::Sealed(sealed) => sealed.group().last,
        }
    }

    pub(crate) fn tables(&self) -> &Tables {
        match self {
            Self::Memory(chunk) => &chunk.tables,
            Self::Sealed(sealed) => &sealed.segment.tables,
        }
    }

    pub(crate) fn index(&self) -> Option<&Index> {
        match self {
            Self::Memory(_) => None,
            Self::Sealed(sealed) => Some(&sealed.group().index),
        }
    }

    /// Where what all rows add to the answer of a question is kept, if it is.
    pub(crate) fn answer_key(&self, question: &Arc<str>) -> Option<Key> {
        let part = Which::Answer(question.clone());
        match self {
            Self::Memory(chunk) => (chunk.number != 0).then_some(Key {
                number: chunk.number,
                group: 0,
                part,
            }),
            Self::Sealed(sealed) => Some(sealed.key(part)),
        }
    }

    /// Loads columns of the rows. A chunk in memory is given as it is.
    pub(crate) fn load(
        &self,
        columns: &[usize],
        own: Own,
        ranges: Vec<Range<usize>>,
    ) -> Result<Loaded, StoreError> {
        match self {
            Self::Memory(chunk) => Ok(Loaded {
                chunk: chunk.clone(),
                ranges: std::iter::once(0..chunk.rows()).collect(),
            }),
            Self::Sealed(sealed) => {
                let chunk = Arc::new(sealed.read(columns, own, &ranges)?);
                Ok(Loaded { chunk, ranges })
            }
        }
    }

    /// The windows to look at, the near end first: ranges of rows that stand in the masked
    /// pages. They grow, so that a query which finds enough at once reads little.
    pub(crate) fn windows(&self, mask: u64, newest: bool, whole: bool) -> Vec<Vec<Range<usize>>> {
        let rows = self.rows();
        if matches!(self, Self::Memory(_)) {
            return if mask == 0 {
                Vec::new()
            } else {
                vec![std::iter::once(0..rows).collect()]
            };
        }
        let mut pages: Vec<usize> = (0..rows.div_ceil(BLOCK))
            .filter(|&page| mask & bit(page) != 0)
            .collect();
        if newest {
            pages.reverse();
        }
        let mut windows = Vec::new();
        let (mut at, mut size) = (0, if whole { usize::MAX } else { 4 });
        while at < pages.len() {
            let end = at.saturating_add(size).min(pages.len());
            let mut window = pages[at..end].to_vec();
            window.sort_unstable();
            windows.push(join(
                window
                    .into_iter()
                    .map(|page| page * BLOCK..rows.min((page + 1) * BLOCK)),
            ));
            at = end;
            size = size.saturating_mul(2).min(32);
        }
        windows
    }

    /// Whether all rows of the pages in these ranges lie in `[from, to)`.
    pub(crate) fn inside(&self, ranges: &[Range<usize>], from: i64, to: i64) -> bool {
        if self.first() >= from && self.last() < to {
            return true;
        }
        let (Some(index), Some(first), Some(last)) = (self.index(), ranges.first(), ranges.last())
        else {
            return false;
        };
        let begins = index
            .times
            .get(first.start / BLOCK)
            .is_some_and(|&time| time >= from);
        let ends = index
            .times
            .get(last.end.div_ceil(BLOCK))
            .copied()
            .unwrap_or(self.last());
        begins && ends < to
    }

    /// The pages that may have rows in `[from, to)`.
    pub(crate) fn within(&self, from: i64, to: i64) -> u64 {
        self.index()
            .map_or(u64::MAX, |index| index.within(from, to))
    }
}

impl Sealed {
    fn group(&self) -> &Group {
        &self.segment.groups[self.group]
    }

    fn key(&self, part: Which) -> Key {
        Key {
            number: self.segment.number,
            group: self.group,
            part,
        }
    }

    fn read(
        &self,
        columns: &[usize],
        own: Own,
        ranges: &[Range<usize>],
    ) -> Result<Chunk, StoreError> {
        let whole = |range: &Range<usize>| *range == (0..self.group().rows);
        // Pages of lines want every column, and few rows of it.
        let keeps =
            ranges.first().is_some_and(whole) && columns.len() <= MOST_KEPT && !own.has(Own::ALL);
        if !keeps {
            return self.segment.read(self.group, columns, own, ranges);
        }
        let key = |part| self.key(part);
        let mut wanted: Vec<Which> = columns.iter().copied().map(Which::Field).collect();
        wanted.extend(own.has(Own::TIME).then_some(Which::Time));
        wanted.extend(own.has(Own::SHAPE).then_some(Which::Shape));
        let (mut missing, mut missing_own, mut known) = (Vec::new(), Own::NONE, Vec::new());
        for which in wanted {
            match (self.kept.column(&key(which.clone())), which) {
                (Some(array), which) => known.push((which, array)),
                (None, Which::Field(column)) => missing.push(column),
                (None, Which::Time) => missing_own = missing_own.with(Own::TIME),
                (None, Which::Shape) => missing_own = missing_own.with(Own::SHAPE),
                (None, Which::Answer(_)) => {}
            }
        }
        let mut chunk = self
            .segment
            .read(self.group, &missing, missing_own, ranges)?;
        for column in missing {
            if let Some(data) = chunk
                .columns
                .get(column)
                .filter(|data| !data.array.is_empty())
            {
                self.kept.put_column(key(Which::Field(column)), &data.array);
            }
        }
        if missing_own.has(Own::TIME) {
            let array: ArrayRef = Arc::new(chunk.time.clone());
            self.kept.put_column(key(Which::Time), &array);
        }
        if missing_own.has(Own::SHAPE) {
            let array: ArrayRef = Arc::new(chunk.shape.clone());
            self.kept.put_column(key(Which::Shape), &array);
        }
        for (which, array) in known {
            match which {
                Which::Field(column) => chunk.columns[column].array = array,
                Which::Time => chunk.time = array.as_primitive().clone(),
                Which::Shape => chunk.shape = array.as_primitive().clone(),
                Which::Answer(_) => {}
            }
        }
        Ok(chunk)
    }
}

/// Joins ranges that touch; they come in order.
pub(crate) fn join(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

impl Loaded {
    /// The block's row numbers, in the order of the chunk's rows.
    pub(crate) fn numbers(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten()
    }
}
