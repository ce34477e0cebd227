//! Filters compiled against a block's columns: which pages may have hits, which rows are hits.

use omnify_trace::schema::fields;

use super::{
    block::Block,
    test::{Test, test_column},
    values::{each_whole, time_text},
};
use crate::store::{
    embedded::{
        chunk::Chunk,
        index::Index,
        segment::Own,
        shape::{self, RAW_COLUMN, Storage, Tables},
    },
    matcher::{Ready, is_under},
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
