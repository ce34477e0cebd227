//! Which blocks hold which three letters.

use arrow_array::{Array, StringArray};

use super::{BLOCK, bit};
use crate::store::matcher::fold;

/// Slots for the trigrams of a column.
const GRAM_SLOTS: usize = 1 << 18;

/// Which blocks hold which trigram.
#[derive(Debug, Default)]
pub(super) struct Grams {
    pub(super) slots: Vec<u32>,
    pub(super) masks: Vec<u64>,
}

impl Grams {
    pub(super) fn of(array: &StringArray) -> Self {
        let mut all: Vec<u64> = vec![0; GRAM_SLOTS];
        let mut seen: Vec<u64> = vec![0; GRAM_SLOTS / 64];
        for block in 0..array.len().div_ceil(BLOCK) {
            for row in block * BLOCK..array.len().min((block + 1) * BLOCK) {
                let value = array.value(row);
                let mut mark = |slot: usize| seen[slot / 64] |= 1 << (slot % 64);
                if value.is_ascii() {
                    slots(value.as_bytes()).for_each(&mut mark);
                } else {
                    slots(fold(value).as_bytes()).for_each(&mut mark);
                }
            }
            for (at, word) in seen.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
                while *word != 0 {
                    let low = usize::try_from(word.trailing_zeros()).unwrap_or(0);
                    all[at * 64 + low] |= bit(block);
                    *word &= *word - 1;
                }
            }
        }
        let used = all.iter().enumerate().filter(|(_, mask)| **mask != 0);
        let (slots, masks) = used
            .map(|(slot, &mask)| (u32::try_from(slot).unwrap_or(0), mask))
            .unzip();
        Self { slots, masks }
    }

    pub(super) fn mask(&self, text: &str) -> u64 {
        slots(text.as_bytes()).fold(u64::MAX, |mask, slot| {
            let slot = u32::try_from(slot).unwrap_or(0);
            mask & self
                .slots
                .binary_search(&slot)
                .map_or(0, |at| self.masks[at])
        })
    }
}

/// The slots of a text's trigrams, whatever the case.
fn slots(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    text.windows(3)
        .map(|three| class(three[0]) << 12 | class(three[1]) << 6 | class(three[2]))
}

fn class(byte: u8) -> usize {
    const CLASSES: [u8; 256] = classes();
    usize::from(CLASSES[usize::from(byte)])
}

/// Six bits per byte: letters without case, digits, and the rest as best they share.
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        classes[byte] = match value {
            b'a'..=b'z' => value - b'a',
            b'A'..=b'Z' => value - b'A',
            b'0'..=b'9' => 26 + value - b'0',
            _ => 36 + value % 28,
        };
        byte += 1;
    }
    classes
}
