//! Ids as the bytes that their digits stand for.
//!
//! A random id of 36 or 32 characters says no more than 16 bytes, which take less room on disk and
//! are unpacked in half the time. Where all of a column's values are of one such form, and only
//! then, they are written as bytes: so each comes back as it was.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, StringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use serde::{Deserialize, Serialize};

/// How a column's values are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    /// As they are.
    #[default]
    Whole,
    /// Hexadecimal digits in lower case, in groups of 8, 4, 4, 4 and 12.
    Uuid,
    /// So many bytes in hexadecimal digits in lower case.
    Hex(u8),
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// Before which bytes of a UUID there is a hyphen.
const HYPHENS: [usize; 4] = [4, 6, 8, 10];
const UUID: usize = 36;
/// Ids of other lengths are few, and counted up more often than random.
const LENGTHS: [usize; 2] = [16, 32];

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl Form {
    /// The form of all values of these columns.
    pub(super) fn of(parts: &[ArrayRef]) -> Self {
        let texts = || parts.iter().filter_map(|part| part.as_any().downcast_ref());
        let values = || texts().flat_map(|part: &StringArray| part.iter().flatten());
        let Some(first) = values().next() else {
            return Self::Whole;
        };
        let form = match first.len() {
            UUID => Self::Uuid,
            length if LENGTHS.contains(&length) => Self::Hex(u8::try_from(length / 2).unwrap_or(0)),
            _ => return Self::Whole,
        };
        let mut none = Vec::with_capacity(UUID);
        let fits = |value: &str| {
            none.clear();
            form.pack(value.as_bytes(), &mut none).is_some()
        };
        if values().all(fits) {
            form
        } else {
            Self::Whole
        }
    }

    /// How many bytes a value has.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Uuid => 16,
            Self::Hex(bytes) => usize::from(bytes),
        }
    }

    /// Appends the bytes of a value.
    fn pack(self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let hyphens: &[usize] = if self == Self::Uuid { &HYPHENS } else { &[] };
        if text.len() != self.bytes() * 2 + hyphens.len() {
            return None;
        }
        let mut rest = text;
        for at in 0..self.bytes() {
            if hyphens.contains(&at) {
                rest = rest.strip_prefix(b"-")?;
            }
            let (&[high, low], after) = rest.split_first_chunk::<2>()?;
            out.push(digit(high)? << 4 | digit(low)?);
            rest = after;
        }
        Some(())
    }

    /// Appends the text of a value.
    pub(super) fn unpack(self, bytes: &[u8], out: &mut Vec<u8>) {
        for (at, byte) in bytes.iter().enumerate() {
            if self == Self::Uuid && HYPHENS.contains(&at) {
                out.push(b'-');
            }
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }

    /// A column of texts as it is written.
    pub(super) fn packed(self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let Some(texts) = array.as_any().downcast_ref::<StringArray>() else {
            return Ok(array.clone());
        };
        if self == Self::Whole {
            return Ok(array.clone());
        }
        let mut bytes = Vec::with_capacity(texts.len() * self.bytes());
        for row in 0..texts.len() {
            let end = bytes.len() + self.bytes();
            if texts.is_valid(row) {
                let odd = || ArrowError::InvalidArgumentError("an id of another form".to_owned());
                self.pack(texts.value(row).as_bytes(), &mut bytes)
                    .ok_or_else(odd)?;
            }
            bytes.resize(end, 0);
        }
        let size = i32::try_from(self.bytes()).unwrap_or(0);
        Ok(Arc::new(FixedSizeBinaryArray::try_new(
            size,
            bytes.into(),
            texts.nulls().cloned(),
        )?))
    }

    /// A column that was read, as texts.
    pub(super) fn unpacked(self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let Some(packed) = array.as_any().downcast_ref::<FixedSizeBinaryArray>() else {
            return Ok(array.clone());
        };
        let mut text = Vec::with_capacity(packed.len() * UUID);
        let mut ends = Vec::with_capacity(packed.len() + 1);
        ends.push(0);
        for row in 0..packed.len() {
            if packed.is_valid(row) {
                self.unpack(packed.value(row), &mut text);
            }
            ends.push(i32::try_from(text.len()).unwrap_or(i32::MAX));
        }
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        let nulls: Option<NullBuffer> = packed.nulls().cloned();
        Ok(Arc::new(StringArray::try_new(ends, text.into(), nulls)?))
    }
}

#[cfg(test)]
mod tests {
    use parquet::basic::LogicalType;
    use proptest::prelude::*;

    use super::*;

    fn array(values: &[Option<String>]) -> ArrayRef {
        Arc::new(values.iter().map(Option::as_deref).collect::<StringArray>())
    }

    #[test]
    fn forms_are_told_apart() {
        let form = |value: &str| Form::of(&[array(&[None, Some(value.to_owned())])]);
        assert_eq!(form("0190b1f0-7c3e-7abc-a123-0123456789ab"), Form::Uuid);
        assert_eq!(form("4bf92f3577b34da6a3ce929d0e0e4736"), Form::Hex(16));
        assert_eq!(form("00f067aa0ba902b7"), Form::Hex(8));
        for odd in [
            "0190B1F0-7c3e-7abc-a123-0123456789ab",
            "0190b1f07-c3e-7abc-a123-0123456789ab",
            "0190b1f0-7c3e-7abc-a123-0123456789a",
            "4bf92f3577b34da6a3ce929d0e0e473g",
            "00f067aa0ba902",
            "+0f067aa0ba902b7",
            "",
        ] {
            assert_eq!(form(odd), Form::Whole, "{odd}");
        }
        let mixed = ["00f067aa0ba902b7", "00f067aa0ba902B7"].map(|id| Some(id.to_owned()));
        assert_eq!(Form::of(&[array(&mixed)]), Form::Whole);
        assert_eq!(Form::of(&[array(&[None])]), Form::Whole);
    }

    #[test]
    fn other_readers_are_told_which_bytes_are_a_uuid() {
        let directory = tempfile::tempdir().unwrap();
        let segment = super::super::sparse::tests::segment(directory.path(), 9000);
        let schema = segment.reader.metadata().file_metadata().schema_descr();
        let mut forms = Vec::new();
        for column in &segment.columns {
            let Some(leaf) = column.leaf else { continue };
            let is_told = schema.column(leaf).logical_type_ref() == Some(&LogicalType::Uuid);
            assert_eq!(is_told, column.form == Form::Uuid, "{:?}", column.column);
            forms.push(column.form);
        }
        assert!(forms.contains(&Form::Uuid) && forms.contains(&Form::Hex(8)));
    }

    proptest! {
        #[test]
        fn values_come_back_as_they_were(
            values in prop_oneof![
                prop::collection::vec(
                    prop::option::of("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
                    0..20,
                ),
                prop::collection::vec(prop::option::of("[0-9a-f]{16}"), 0..20),
                prop::collection::vec(prop::option::of("[0-9a-fA-F-]{15,16}|[0-9a-f]{32}"), 0..3),
            ],
        ) {
            let array = array(&values);
            let form = Form::of(std::slice::from_ref(&array));
            let packed = form.packed(&array).unwrap();
            prop_assert_eq!(form == Form::Whole, packed.data_type() == array.data_type());
            prop_assert_eq!(&form.unpacked(&packed).unwrap(), &array);
        }
    }
}
