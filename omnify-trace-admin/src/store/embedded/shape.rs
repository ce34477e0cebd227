//! Shapes: what the lines of one kind share, stored once.
//!
//! A line is cut into its *values*, which go to columns, and its *skeleton* (keys, braces,
//! blanks), which with the kinds of the values is its shape. Skeleton and values together give
//! the line back byte for byte, whatever wrote it.

use std::collections::HashMap;

use omnify_trace::schema::fields;
use serde::{Deserialize, Serialize};

use crate::store::{
    json::{self, Token},
    time,
};

/// Shape of a line that is not JSON: its text is in [`RAW_COLUMN`].
pub(crate) const SHAPE_TEXT: u32 = 0;
/// Shape of a JSON line that has no columns of its own (repeated keys, too many fields).
pub(crate) const SHAPE_RAW: u32 = 1;
/// The first shape of cut lines.
pub(crate) const FIRST_SHAPE: u32 = 2;
/// The column of whole lines.
pub(crate) const RAW_COLUMN: usize = 0;

/// Beyond these a segment keeps lines with yet other fields whole, so that a stream of ever
/// new field names costs no more than the lines themselves.
const MAX_COLUMNS: usize = 400;
const MAX_SHAPES: usize = 4096;
const MAX_SKELETON_BYTES: usize = 4 << 20;
/// Decimals that a number column can keep.
pub(crate) const MAX_DIGITS: u8 = 9;
/// Integers up to here are exact as doubles.
pub(crate) const MAX_EXACT: i64 = 1 << 53;

/// How a column's values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// Strings, unescaped.
    Text,
    /// Numbers as integers with a common decimal scale.
    Number,
    /// Anything else, as written.
    Json,
}

/// One column: a path and a storage. A path whose type differs between lines has several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) path: String,
    pub(crate) storage: Storage,
}

/// A place in a skeleton where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hole {
    /// The row's own time, with so many decimals.
    #[serde(rename = "t")]
    Time(u8),
    /// A string of a text column, between quotes that the skeleton has.
    #[serde(rename = "s")]
    Text(u16),
    /// A number with so many decimals.
    #[serde(rename = "n")]
    Number(u16, u8),
    /// A value as written.
    #[serde(rename = "j")]
    Json(u16),
}

/// Skeleton and holes of one kind of line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// What stands before each hole, and after the last.
    pub(crate) literals: Vec<String>,
    pub(crate) holes: Vec<Hole>,
}

/// The columns and shapes of a memory part or a segment.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) columns: Vec<Column>,
    pub(crate) shapes: Vec<Shape>,
    columns_by_path: HashMap<Column, u16>,
    shapes_by_key: HashMap<Vec<u8>, u32>,
    skeleton_bytes: usize,
}

impl Default for Tables {
    fn default() -> Self {
        let raw = Column {
            path: "_raw".to_owned(),
            storage: Storage::Text,
        };
        let none = Shape {
            literals: vec![String::new()],
            holes: Vec::new(),
        };
        Self::from_parts(vec![raw], vec![none.clone(), none])
    }
}

impl Tables {
    /// Tables to read with, as they came from a footer.
    pub(crate) fn from_parts(columns: Vec<Column>, shapes: Vec<Shape>) -> Self {
        Self {
            columns,
            shapes,
            columns_by_path: HashMap::new(),
            shapes_by_key: HashMap::new(),
            skeleton_bytes: 0,
        }
    }

    /// The columns of a path, of any storage.
    pub(crate) fn columns_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_it = move |(at, column): &(usize, &Column)| *at != RAW_COLUMN && column.path == path;
        self.columns
            .iter()
            .enumerate()
            .filter(is_it)
            .map(|(at, _)| at)
    }

    fn column(&mut self, path: &str, storage: Storage) -> Option<u16> {
        let column = Column {
            path: path.to_owned(),
            storage,
        };
        if let Some(&at) = self.columns_by_path.get(&column) {
            return Some(at);
        }
        let at = u16::try_from(self.columns.len())
            .ok()
            .filter(|_| self.columns.len() < MAX_COLUMNS)?;
        self.columns.push(column.clone());
        self.columns_by_path.insert(column, at);
        Some(at)
    }

    fn shape(&mut self, key: &[u8], literals: &[&str], holes: &[Hole]) -> Option<u32> {
        let full =
            self.shapes.len() >= MAX_SHAPES || self.skeleton_bytes + key.len() > MAX_SKELETON_BYTES;
        let at = u32::try_from(self.shapes.len()).ok().filter(|_| !full)?;
        let literals = literals.iter().map(|&literal| literal.to_owned()).collect();
        self.shapes.push(Shape {
            literals,
            holes: holes.to_vec(),
        });
        self.shapes_by_key.insert(key.to_vec(), at);
        self.skeleton_bytes += key.len();
        Some(at)
    }
}

/// A value on its way into a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Unescaped.
    Text(std::borrow::Cow<'a, str>),
    /// Integer and number of decimals.
    Number(i64, u8),
    /// As written.
    Json(&'a str),
}

/// What became of a line.
#[derive(Debug)]
pub(crate) struct Cut<'a> {
    pub(crate) shape: u32,
    /// The line's own time, Unix nanoseconds.
    pub(crate) time: Option<i64>,
    pub(crate) values: Vec<(u16, Value<'a>)>,
}

impl<'a> Cut<'a> {
    fn whole(shape: u32, time: Option<i64>, line: &'a str) -> Self {
        let raw = (0, Value::Text(line.into()));
        Self {
            shape,
            time,
            values: vec![raw],
        }
    }
}

/// Cuts a line into shape and values, making shapes and columns as needed.
pub(crate) fn cut<'a>(tables: &mut std::sync::Arc<Tables>, line: &'a str) -> Cut<'a> {
    let mut leaves: Vec<(String, bool, Token, std::ops::Range<usize>)> = Vec::with_capacity(24);
    let walked = json::walk(line, |path, plain, token, range| {
        leaves.push((path.to_owned(), plain, token, range));
    });
    if walked.is_err() {
        return Cut::whole(SHAPE_TEXT, None, line);
    }
    let time = line_time(line, &leaves);
    let mut cutter = Cutter::default();
    for (path, plain, token, range) in &leaves {
        if !plain
            || cutter
                .leaf(tables, line, path, *token, range.clone())
                .is_none()
        {
            return Cut::whole(SHAPE_RAW, time, line);
        }
    }
    cutter.literal(&line[cutter.end..]);
    let shape = match tables.shapes_by_key.get(&cutter.key) {
        Some(&shape) => Some(shape),
        None => {
            std::sync::Arc::make_mut(tables).shape(&cutter.key, &cutter.literals, &cutter.holes)
        }
    };
    match shape {
        Some(shape) => Cut {
            shape,
            time,
            values: cutter.values,
        },
        None => Cut::whole(SHAPE_RAW, time, line),
    }
}

#[derive(Default)]
struct Cutter<'a> {
    end: usize,
    key: Vec<u8>,
    literals: Vec<&'a str>,
    holes: Vec<Hole>,
    values: Vec<(u16, Value<'a>)>,
}

impl<'a> Cutter<'a> {
    fn literal(&mut self, literal: &'a str) {
        self.key.extend_from_slice(literal.as_bytes());
        self.literals.push(literal);
    }

    /// Adds one leaf; `None` if the line cannot be cut.
    fn leaf(
        &mut self,
        tables: &mut std::sync::Arc<Tables>,
        line: &'a str,
        path: &str,
        token: Token,
        range: std::ops::Range<usize>,
    ) -> Option<()> {
        let written = &line[range.clone()];
        if path == fields::TIMESTAMP
            && token == (Token::Text { escaped: false })
            && let Some((_, Some(digits))) = time::parse_rfc3339(written.as_bytes())
        {
            if self.holes.iter().any(|hole| matches!(hole, Hole::Time(_))) {
                return None;
            }
            self.hole(&line[self.end..range.start], Hole::Time(digits), range.end);
            return Some(());
        }
        let (value, start, end) = match token {
            Token::Text { escaped: false } => (Value::Text(written.into()), range.start, range.end),
            Token::Text { escaped: true } => match canonical(written) {
                Some(text) => (Value::Text(text.into()), range.start, range.end),
                None => {
                    let quoted = range.start - 1..range.end + 1;
                    (Value::Json(&line[quoted.clone()]), quoted.start, quoted.end)
                }
            },
            Token::Number => {
                let value = decimal(written.as_bytes())
                    .map_or(Value::Json(written), |(mantissa, digits)| {
                        Value::Number(mantissa, digits)
                    });
                (value, range.start, range.end)
            }
            Token::Word | Token::Array => (Value::Json(written), range.start, range.end),
        };
        let storage = match value {
            Value::Text(_) => Storage::Text,
            Value::Number(..) => Storage::Number,
            Value::Json(_) => Storage::Json,
        };
        let column = column_of(tables, path, storage)?;
        let path_repeats = |(other, _): &(u16, Value<'_>)| {
            *other == column || tables.columns[usize::from(*other)].path == path
        };
        if self.values.iter().any(path_repeats) {
            return None;
        }
        let hole = match value {
            Value::Text(_) => Hole::Text(column),
            Value::Number(_, digits) => Hole::Number(column, digits),
            Value::Json(_) => Hole::Json(column),
        };
        self.hole(&line[self.end..start], hole, end);
        self.values.push((column, value));
        Some(())
    }

    fn hole(&mut self, literal: &'a str, hole: Hole, end: usize) {
        self.literal(literal);
        // No literal holds a zero byte, as JSON escapes it: keys of shapes cannot collide.
        let kind = match hole {
            Hole::Time(digits) => [0, 1, digits],
            Hole::Text(_) => [0, 2, 0],
            Hole::Number(_, digits) => [0, 3, digits],
            Hole::Json(_) => [0, 4, 0],
        };
        self.key.extend_from_slice(&kind);
        self.holes.push(hole);
        self.end = end;
    }
}

fn column_of(tables: &mut std::sync::Arc<Tables>, path: &str, storage: Storage) -> Option<u16> {
    // A path that could be taken for one of our own columns stays in its line.
    if path.starts_with('_') && path.len() < 8 {
        return None;
    }
    let column = Column {
        path: path.to_owned(),
        storage,
    };
    match tables.columns_by_path.get(&column) {
        Some(&at) => Some(at),
        None => std::sync::Arc::make_mut(tables).column(path, storage),
    }
}

/// The text, if escaping it again gives the same.
pub(crate) fn canonical(inner: &str) -> Option<String> {
    let text = json::unescape(inner)?;
    let mut again = Vec::with_capacity(inner.len());
    json::escape(&mut again, text.as_bytes());
    (again == inner.as_bytes()).then(|| text.into_owned())
}

/// A plain decimal number as integer and decimals, if that gives the same text and double again.
pub(crate) fn decimal(text: &[u8]) -> Option<(i64, u8)> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.len() > 17 {
        return None;
    }
    let (mut value, mut decimals, mut point) = (0i64, 0u8, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                decimals += u8::from(point);
            }
            b'.' => point = true,
            _ => return None,
        }
    }
    if decimals > MAX_DIGITS || value > MAX_EXACT || (negative && value == 0) {
        return None;
    }
    Some((if negative { -value } else { value }, decimals))
}

/// The line's time: `timestamp`, or what other loggers call it.
fn line_time(line: &str, leaves: &[(String, bool, Token, std::ops::Range<usize>)]) -> Option<i64> {
    [fields::TIMESTAMP, "time", "@timestamp", "ts"]
        .into_iter()
        .find_map(|name| {
            let (_, _, token, range) = leaves.iter().rev().find(|leaf| leaf.0 == name)?;
            match token {
                Token::Text { .. } => {
                    time::parse_rfc3339(line[range.clone()].as_bytes()).map(|(ns, _)| ns)
                }
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_keep_their_text_or_stay_text() {
        assert_eq!(decimal(b"12.50"), Some((1250, 2)));
        assert_eq!(decimal(b"-3"), Some((-3, 0)));
        for odd in ["-0", "-0.0", "1e3", "0.1234567890", "123456789012345678"] {
            assert_eq!(decimal(odd.as_bytes()), None, "{odd}");
        }
    }
}
