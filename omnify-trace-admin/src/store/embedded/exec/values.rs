//! A field's value in each row, as text or number.

use std::borrow::Cow;

use arrow_array::Array;
use foldhash::HashMap;

use crate::store::{
    embedded::{
        chunk::{Chunk, POWERS, Texts, as_number, write_decimal},
        shape::{Hole, RAW_COLUMN, SHAPE_RAW, SHAPE_TEXT, Storage, Tables},
    },
    json,
    matcher::Leaves,
    time,
};

/// Each row's value as a number into a list of values; 0 is "absent".
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) ids: Vec<u32>,
    pub(crate) values: Vec<Option<String>>,
}

/// The columns that may hold a value of these paths.
pub(crate) fn columns(tables: &Tables, paths: &[String]) -> Vec<usize> {
    paths
        .iter()
        .flat_map(|path| tables.columns_of(path))
        .collect()
}

/// The number of decimals that each shape has in a number column.
pub(crate) fn digits_by_shape(tables: &Tables, column: usize) -> Vec<Option<u8>> {
    let digits = |hole: &Hole| match hole {
        Hole::Number(at, digits) if usize::from(*at) == column => Some(*digits),
        _ => None,
    };
    tables
        .shapes
        .iter()
        .map(|shape| shape.holes.iter().find_map(digits))
        .collect()
}

/// The number as it was written.
pub(crate) fn number_text(value: i64, scale: u8, digits: u8) -> String {
    let mut text = Vec::with_capacity(20);
    let surplus = usize::from(scale.saturating_sub(digits)).min(9);
    write_decimal(&mut text, value / POWERS[surplus], digits);
    String::from_utf8(text).unwrap_or_default()
}

/// What a value of a JSON column says.
pub(crate) fn json_text(written: &str) -> Cow<'_, str> {
    let inner = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .and_then(json::unescape)
        .unwrap_or(Cow::Borrowed(written))
}

/// The number that a value of a JSON column is.
pub(crate) fn json_number(written: &str) -> Option<f64> {
    let first = written.as_bytes().first()?;
    (*first == b'-' || first.is_ascii_digit()).then(|| json::number(written.as_bytes()))?
}

/// The row's own time, as it was written in the line.
pub(crate) fn time_text(chunk: &Chunk, row: usize) -> Option<String> {
    let shape = chunk.tables.shapes.get(chunk.shape.value(row) as usize)?;
    let digits = shape.holes.iter().find_map(|hole| match hole {
        Hole::Time(digits) => Some(*digits),
        _ => None,
    })?;
    let mut text = Vec::with_capacity(32);
    time::write_rfc3339(&mut text, chunk.time.value(row), digits);
    String::from_utf8(text).ok()
}

/// Calls `each` with the rows that are whole lines and their values.
pub(crate) fn each_whole(chunk: &Chunk, mut each: impl FnMut(usize, &Leaves<'_>)) {
    let Some(raw) = chunk
        .columns
        .get(RAW_COLUMN)
        .filter(|column| column.array.null_count() < column.array.len())
        .and_then(|column| Texts::of(&column.array))
    else {
        return;
    };
    for (row, &shape) in chunk.shape.values().iter().enumerate() {
        if (shape == SHAPE_TEXT || shape == SHAPE_RAW)
            && let Some(line) = raw.get(row)
        {
            each(row, &Leaves::of(line, shape == SHAPE_RAW));
        }
    }
}

/// Which values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    All,
    Texts,
}

impl Groups {
    /// The values of the first of these paths that each row has.
    pub(crate) fn of(chunk: &Chunk, paths: &[String]) -> Self {
        Self::taking(chunk, paths, Take::All)
    }

    /// The same for strings only.
    pub(crate) fn of_texts(chunk: &Chunk, paths: &[String]) -> Self {
        Self::taking(chunk, paths, Take::Texts)
    }

    fn taking(chunk: &Chunk, paths: &[String], take: Take) -> Self {
        let mut groups = Self {
            ids: vec![0; chunk.rows()],
            values: vec![None],
        };
        let mut known: HashMap<String, u32> = HashMap::default();
        for path in paths {
            for column in chunk.tables.columns_of(path) {
                groups.add_column(chunk, column, take, &mut known);
            }
            if path == omnify_trace::schema::fields::TIMESTAMP {
                for row in 0..chunk.rows() {
                    if let Some(text) = time_text(chunk, row) {
                        groups.ids[row] = groups.id(&mut known, &text);
                    }
                }
            }
        }
        each_whole(chunk, |row, leaves| {
            let mut found = paths.iter().filter_map(|path| leaves.get(path));
            if let Some(leaf) = found.find(|leaf| take == Take::All || leaf.is_text) {
                groups.ids[row] = groups.id(&mut known, &leaf.text);
            }
        });
        groups
    }

    fn id(&mut self, known: &mut HashMap<String, u32>, text: &str) -> u32 {
        if let Some(&id) = known.get(text) {
            return id;
        }
        let id = u32::try_from(self.values.len()).unwrap_or(0);
        self.values.push(Some(text.to_owned()));
        known.insert(text.to_owned(), id);
        id
    }

    fn add_column(
        &mut self,
        chunk: &Chunk,
        at: usize,
        take: Take,
        known: &mut HashMap<String, u32>,
    ) {
        let Some(data) = chunk.columns.get(at) else {
            return;
        };
        if data.array.null_count() == data.array.len() {
            return;
        }
        let storage = chunk.tables.columns[at].storage;
        if storage == Storage::Number {
            if take == Take::All {
                self.add_numbers(chunk, at, known);
            }
            return;
        }
        let mut id_of = |groups: &mut Self, text: &str| match storage {
            Storage::Json if take == Take::Texts && !text.starts_with('"') => 0,
            Storage::Json => groups.id(known, &json_text(text)),
            _ => groups.id(known, text),
        };
        match Texts::of(&data.array) {
            Some(Texts::Dictionary(keys, values)) => {
                let mut ids: Vec<Option<u32>> = vec![None; values.len()];
                for row in (0..keys.len()).filter(|&row| keys.is_valid(row)) {
                    if self.ids[row] == 0 {
                        let key = usize::try_from(keys.value(row)).unwrap_or(0);
                        let id = match ids[key] {
                            Some(id) => id,
                            None => *ids[key].insert(id_of(self, values.value(key))),
                        };
                        self.ids[row] = id;
                    }
                }
            }
            Some(Texts::Plain(array)) => {
                let mut last: Option<(&str, u32)> = None;
                for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
                    let text = array.value(row);
                    let id = match last {
                        Some((known, id)) if known == text => id,
                        _ => id_of(self, text),
                    };
                    last = Some((text, id));
                    if self.ids[row] == 0 {
                        self.ids[row] = id;
                    }
                }
            }
            None => {}
        }
    }

    fn add_numbers(&mut self, chunk: &Chunk, at: usize, known: &mut HashMap<String, u32>) {
        let data = &chunk.columns[at];
        let Some(array) = as_number(&data.array) else {
            return;
        };
        let digits = digits_by_shape(&chunk.tables, at);
        let mut ids: HashMap<(i64, u8), u32> = HashMap::default();
        for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
            let written = digits
                .get(chunk.shape.value(row) as usize)
                .copied()
                .flatten();
            let key = (array.value(row), written.unwrap_or(0));
            if self.ids[row] == 0 {
                self.ids[row] = match ids.get(&key) {
                    Some(&id) => id,
                    None => {
                        let id = self.id(known, &number_text(key.0, data.scale, key.1));
                        ids.insert(key, id);
                        id
                    }
                };
            }
        }
    }
}

/// Each row's number of the first of these paths that is one; NaN where there is none.
pub(crate) fn numbers(chunk: &Chunk, paths: &[String]) -> Vec<f64> {
    let mut numbers = vec![f64::NAN; chunk.rows()];
    for column in columns(&chunk.tables, paths) {
        let Some(data) = chunk.columns.get(column) else {
            continue;
        };
        if data.array.null_count() == data.array.len() {
            continue;
        }
        match chunk.tables.columns[column].storage {
            Storage::Number => {
                let Some(array) = as_number(&data.array) else {
                    continue;
                };
                let unit = scale_unit(data.scale);
                for (row, number) in numbers.iter_mut().enumerate() {
                    if number.is_nan() && array.is_valid(row) {
                        *number = scaled(array.value(row), unit);
                    }
                }
            }
            Storage::Json => {
                let Some(array) = Texts::of(&data.array) else {
                    continue;
                };
                for (row, number) in numbers.iter_mut().enumerate().filter(|(_, n)| n.is_nan()) {
                    *number = array.get(row).and_then(json_number).unwrap_or(f64::NAN);
                }
            }
            Storage::Text => {}
        }
    }
    each_whole(chunk, |row, leaves| {
        let number = paths.iter().find_map(|path| leaves.get(path)?.number);
        numbers[row] = number.unwrap_or(f64::NAN);
    });
    numbers
}

#[expect(
    clippy::cast_precision_loss,
    reason = "powers of ten up to nine are exact"
)]
pub(crate) fn scale_unit(scale: u8) -> f64 {
    POWERS[usize::from(scale).min(9)] as f64
}

/// Both parts are exact doubles, so the quotient is the double nearest to the decimal.
#[expect(
    clippy::cast_precision_loss,
    reason = "number columns hold at most 2^53"
)]
pub(crate) fn scaled(value: i64, unit: f64) -> f64 {
    value as f64 / unit
}
