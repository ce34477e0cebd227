//! Filters compiled against a block's columns: which pages may have hits, which rows are hits.

use arrow_array::{Array, StringArray};
use omnify_trace::schema::fields;

use super::{
    block::Block,
    values::{
        digits_by_shape, each_whole, json_number, json_text, number_text, scale_unit, scaled,
        time_text,
    },
};
use crate::store::{
    embedded::{
        chunk::{Chunk, ColumnData, Texts, as_number},
        index::{ColumnIndex, Index},
        segment::Own,
        shape::{self, RAW_COLUMN, Storage, Tables},
    },
    matcher::{Needle, Ready, is_under},
};

/// All conditions of a query, for one block.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    nodes: Vec<Node<'a>>,
    /// Pages that may have hits.
    pub(crate) mask: u64,
    /// Columns to load.
    pub(crate) columns: Vec<usize>,
    /// Our own columns to load.
    pub(crate) own: Own,
    /// Rows of the block.
    rows: usize,
}

#[derive(Debug)]
enum Node<'a> {
    /// Holds for every row of the block: its index says so.
    All,
    Not(Box<Node<'a>>),
    Any(Vec<Node<'a>>),
    Test {
        test: Test<'a>,
        columns: Vec<usize>,
        time: bool,
        ready: &'a Ready,
    },
}

#[derive(Debug)]
enum Test<'a> {
    OneOf(&'a [String]),
    Contains(&'a Needle),
    /// As `Contains`, on strings and arrays only.
    Text(&'a Needle),
    Compare(crate::store::Comparison, f64),
    Exists,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(filters: &'a [Ready], block: &Block) -> Self {
        let index = block.index();
        let mut plan = Self {
            nodes: Vec::new(),
            mask: u64::MAX,
            columns: Vec::new(),
            own: Own::NONE,
            rows: block.rows(),
        };
        for ready in filters {
            let (node, mask) = compile(ready, block.tables(), index, &mut plan);
            plan.mask &= mask;
            plan.nodes.push(node);
        }
        let raw = index.is_none_or(|index| index.raw != 0);
        if raw && !filters.is_empty() {
            plan.columns.push(RAW_COLUMN);
            plan.own = plan.own.with(Own::SHAPE);
        }
        plan.columns.sort_unstable();
        plan.columns.dedup();
        plan
    }

    /// Whether there are no conditions.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Which rows hold all conditions.
    pub(crate) fn hits(&self, chunk: &Chunk) -> Vec<bool> {
        let mut hits = vec![true; chunk.rows()];
        for node in &self.nodes {
            and(&mut hits, &node.hits(chunk));
        }
        hits
    }
}

fn and(left: &mut [bool], right: &[bool]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left &= *right);
}

fn or(left: &mut [bool], right: &[bool]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left |= *right);
}

/// The node, and the pages where it may hold.
fn compile<'a>(
    ready: &'a Ready,
    tables: &Tables,
    index: Option<&Index>,
    plan: &mut Plan<'a>,
) -> (Node<'a>, u64) {
    let (test, columns) = match ready {
        Ready::Not(inner) => {
            let (inner, _) = compile(inner, tables, index, plan);
            return (Node::Not(Box::new(inner)), u64::MAX);
        }
        Ready::Any(inner) => {
            let compiled = inner
                .iter()
                .map(|ready| compile(ready, tables, index, plan));
            let (nodes, masks): (Vec<_>, Vec<u64>) = compiled.unzip();
            return (
                Node::Any(nodes),
                masks.iter().fold(0, |all, mask| all | mask),
            );
        }
        Ready::OneOf { paths, values } => {
            (Test::OneOf(values), super::values::columns(tables, paths))
        }
        Ready::Contains { paths, needle } => (
            Test::Contains(needle),
            super::values::columns(tables, paths),
        ),
        Ready::Compare { paths, op, value } => (
            Test::Compare(*op, *value),
            super::values::columns(tables, paths),
        ),
        Ready::Text(needle) => (Test::Text(needle), texts(tables)),
        Ready::Exists(paths) => (Test::Exists, under(tables, paths)),
    };
    let time = has_time(ready);
    let always = |column: &usize| {
        let own = index.and_then(|index| index.columns.get(*column));
        own.is_some_and(|own| test.always(own, tables.columns[*column].storage, plan.rows))
    };
    if columns.iter().any(always) {
        return (Node::All, u64::MAX);
    }
    let mut mask = index.map_or(u64::MAX, |index| index.raw);
    let mut kept = Vec::with_capacity(columns.len());
    for column in columns {
        let own = index.and_then(|index| index.columns.get(column));
        let pages = match (index, own) {
            (None, _) => u64::MAX,
            (Some(_), None) => 0,
            (Some(_), Some(own)) => test.pages(own, tables.columns[column].storage),
        };
        if pages != 0 {
            kept.push(column);
            mask |= pages;
        }
    }
    if time {
        mask = u64::MAX;
        plan.own = plan.own.with(Own::TIME).with(Own::SHAPE);
    }
    if kept
        .iter()
        .any(|&column| tables.columns[column].storage == Storage::Number)
    {
        plan.own = plan.own.with(Own::SHAPE);
    }
    plan.columns.extend(&kept);
    (
        Node::Test {
            test,
            columns: kept,
            time,
            ready,
        },
        mask,
    )
}

/// Whether the condition is on the timestamp, which has no column of its own.
fn has_time(ready: &Ready) -> bool {
    let is_time = |path: &String| path == fields::TIMESTAMP;
    match ready {
        Ready::OneOf { paths, .. }
        | Ready::Contains { paths, .. }
        | Ready::Compare { paths, .. }
        | Ready::Exists(paths) => paths.iter().any(is_time),
        _ => false,
    }
}

fn texts(tables: &Tables) -> Vec<usize> {
    let is_text = |(at, column): &(usize, &shape::Column)| {
        *at != RAW_COLUMN && column.storage != Storage::Number && column.path != fields::TIMESTAMP
    };
    tables
        .columns
        .iter()
        .enumerate()
        .filter(is_text)
        .map(|(at, _)| at)
        .collect()
}

fn under(tables: &Tables, paths: &[String]) -> Vec<usize> {
    let is_it = |(at, column): &(usize, &shape::Column)| {
        *at != RAW_COLUMN && paths.iter().any(|path| is_under(&column.path, path))
    };
    tables
        .columns
        .iter()
        .enumerate()
        .filter(is_it)
        .map(|(at, _)| at)
        .collect()
}

impl Test<'_> {
    /// The pages of a column where the test may hold.
    fn pages(&self, column: &ColumnIndex, storage: Storage) -> u64 {
        match (self, storage) {
            (Self::OneOf(values), Storage::Text) => values
                .iter()
                .fold(0, |mask, value| mask | column.may_be(value)),
            (Self::Contains(needle) | Self::Text(needle), Storage::Text) => {
                column.may_contain(needle)
            }
            (Self::Text(_), Storage::Json) => {
                let searchable = |value: &str| value.starts_with(['"', '[']);
                match &column.distinct {
                    Some(values) if !values.iter().any(|(value, _)| searchable(value)) => 0,
                    _ => column.present,
                }
            }
            (Self::Compare(..), Storage::Text) | (Self::Text(_), Storage::Number) => 0,
            _ => column.present,
        }
    }

    /// Whether the test holds for all rows, as far as the column's index tells.
    fn always(&self, column: &ColumnIndex, storage: Storage, rows: usize) -> bool {
        let decides = matches!(self, Self::OneOf(_) | Self::Contains(_) | Self::Text(_));
        let values = column.distinct.as_deref().unwrap_or_default();
        let lines: u64 = values.iter().map(|(_, count)| count).sum();
        decides
            && storage == Storage::Text
            && rows > 0
            && lines == rows as u64
            && values.iter().all(|(value, _)| self.on_text(value))
    }

    /// Whether the test holds for a text.
    fn on_text(&self, text: &str) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|value| value == text),
            Self::Contains(needle) | Self::Text(needle) => needle.is_in(text),
            Self::Compare(..) => false,
            Self::Exists => true,
        }
    }

    fn on_json(&self, written: &str) -> bool {
        match self {
            Self::Compare(op, value) => {
                json_number(written).is_some_and(|number| op.holds(number, *value))
            }
            Self::Text(needle) => {
                written.starts_with(['"', '[']) && needle.is_in(&json_text(written))
            }
            _ => self.on_text(&json_text(written)),
        }
    }
}

impl Node<'_> {
    fn hits(&self, chunk: &Chunk) -> Vec<bool> {
        match self {
            Self::All => vec![true; chunk.rows()],
            Self::Not(inner) => {
                let mut hits = inner.hits(chunk);
                hits.iter_mut().for_each(|hit| *hit = !*hit);
                hits
            }
            Self::Any(nodes) => {
                let mut hits = vec![false; chunk.rows()];
                nodes
                    .iter()
                    .for_each(|node| or(&mut hits, &node.hits(chunk)));
                hits
            }
            Self::Test {
                test,
                columns,
                time,
                ready,
            } => {
                let mut hits = vec![false; chunk.rows()];
                for &column in columns {
                    if let Some(data) = chunk.columns.get(column) {
                        test_column(test, chunk, column, data, &mut hits);
                    }
                }
                if *time {
                    for (row, hit) in hits.iter_mut().enumerate() {
                        *hit |= time_text(chunk, row).is_some_and(|text| test.on_text(&text));
                    }
                }
                each_whole(chunk, |row, leaves| hits[row] = ready.holds(leaves));
                hits
            }
        }
    }
}

fn test_column(test: &Test<'_>, chunk: &Chunk, at: usize, data: &ColumnData, hits: &mut [bool]) {
    if data.array.null_count() == data.array.len() {
        return;
    }
    if matches!(test, Test::Exists) {
        for (row, hit) in hits.iter_mut().enumerate() {
            *hit |= data.array.is_valid(row);
        }
        return;
    }
    let storage = chunk.tables.columns[at].storage;
    if storage == Storage::Number {
        return test_numbers(test, chunk, at, data, hits);
    }
    let holds = |text: &str| match storage {
        Storage::Json => test.on_json(text),
        _ => test.on_text(text),
    };
    match Texts::of(&data.array) {
        Some(Texts::Dictionary(keys, values)) => {
            let good: Vec<bool> = (0..values.len())
                .map(|key| values.is_valid(key) && holds(values.value(key)))
                .collect();
            if !good.contains(&true) {
                return;
            }
            for (row, hit) in hits.iter_mut().enumerate() {
                if keys.is_valid(row) {
                    *hit |= good[usize::try_from(keys.value(row)).unwrap_or(0)];
                }
            }
        }
        Some(Texts::Plain(array)) => match test {
            Test::Contains(needle) | Test::Text(needle)
                if storage == Storage::Text && array.value_data().is_ascii() =>
            {
                find_all(array, needle.as_str().as_bytes(), hits);
            }
            _ => {
                for (row, hit) in hits.iter_mut().enumerate().filter(|(_, hit)| !**hit) {
                    *hit = array.is_valid(row) && holds(array.value(row));
                }
            }
        },
        None => {}
    }
}

fn test_numbers(test: &Test<'_>, chunk: &Chunk, at: usize, data: &ColumnData, hits: &mut [bool]) {
    let Some(array) = as_number(&data.array) else {
        return;
    };
    let valid = |row: usize| array.is_valid(row);
    let digits = |row: usize, all: &[Option<u8>]| {
        all.get(chunk.shape.value(row) as usize)
            .copied()
            .flatten()
            .unwrap_or(0)
    };
    match test {
        Test::Compare(op, value) => {
            let unit = scale_unit(data.scale);
            for (row, hit) in hits.iter_mut().enumerate() {
                *hit |= valid(row) && op.holds(scaled(array.value(row), unit), *value);
            }
        }
        Test::OneOf(_) | Test::Contains(_) => {
            let all = digits_by_shape(&chunk.tables, at);
            let mut last: Option<((i64, u8), bool)> = None;
            for (row, hit) in hits
                .iter_mut()
                .enumerate()
                .filter(|(row, _)| array.is_valid(*row))
            {
                let key = (array.value(row), digits(row, &all));
                let good = match last {
                    Some((known, good)) if known == key => good,
                    _ => test.on_text(&number_text(key.0, data.scale, key.1)),
                };
                last = Some((key, good));
                *hit |= good;
            }
        }
        Test::Text(_) | Test::Exists => {}
    }
}

/// Finds a lowercase ASCII needle in all values at once: they lie one after another.
fn find_all(array: &StringArray, needle: &[u8], hits: &mut [bool]) {
    let offsets = array.value_offsets();
    let at = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
    let bytes = array.value_data();
    if needle.is_empty() {
        for (row, hit) in hits.iter_mut().enumerate() {
            *hit |= array.is_valid(row);
        }
        return;
    }
    let (rare, _) = needle
        .iter()
        .enumerate()
        .min_by_key(|(_, byte)| commonness(**byte))
        .unwrap_or((0, &0));
    let (low, high) = (needle[rare], needle[rare].to_ascii_uppercase());
    let end = at(array.len());
    let mut row = 0;
    let mut from = at(0);
    while let Some(found) = memchr::memchr2(low, high, &bytes[from..end]) {
        let position = from + found;
        from = position + 1;
        while at(row + 1) <= position {
            row += 1;
        }
        let Some(start) = position.checked_sub(rare) else {
            continue;
        };
        let stop = start + needle.len();
        if start >= at(row)
            && stop <= at(row + 1)
            && bytes[start..stop].eq_ignore_ascii_case(needle)
        {
            hits[row] = true;
            from = at(row + 1);
        }
    }
}

/// Roughly how often a byte stands in log messages.
fn commonness(byte: u8) -> u8 {
    match byte {
        b' ' | b'e' => 10,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 9,
        b'0'..=b'9' => 8,
        b'd' | b'l' | b'c' | b'u' | b'm' | b'p' => 6,
        b'f' | b'g' | b'h' | b'y' | b'w' | b'b' | b'v' | b'/' | b'-' | b'_' | b'.' => 4,
        _ => 1,
    }
}
