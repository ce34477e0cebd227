//! One condition on one column: which pages may have hits, which rows are hits.

use arrow_array::{Array, StringArray};

use super::values::{digits_by_shape, json_number, json_text, number_text, scale_unit, scaled};
use crate::store::{
    embedded::{
        chunk::{Chunk, ColumnData, Texts, as_number},
        index::ColumnIndex,
        shape::Storage,
    },
    matcher::Needle,
};

#[derive(Debug)]
pub(super) enum Test<'a> {
    OneOf(&'a [String]),
    Contains(&'a Needle),
    /// As `Contains`, on strings and arrays only.
    Text(&'a Needle),
    Compare(crate::store::Comparison, f64),
    Exists,
}

impl Test<'_> {
    /// The pages of a column where the test may hold.
    pub(super) fn pages(&self, column: &ColumnIndex, storage: Storage) -> u64 {
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
    pub(super) fn always(&self, column: &ColumnIndex, storage: Storage, rows: usize) -> bool {
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
    pub(super) fn on_text(&self, text: &str) -> bool {
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

pub(super) fn test_column(
    test: &Test<'_>,
    chunk: &Chunk,
    at: usize,
    data: &ColumnData,
    hits: &mut [bool],
) {
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
