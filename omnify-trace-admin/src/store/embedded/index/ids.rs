//! Which blocks may hold which id.

use arrow_array::{Array, StringArray};

use super::{BLOCK, bit};
use crate::store::embedded::source::hash;

/// Bits per id, and how many are set.
const ID_BITS: usize = 14;
const ID_PROBES: u64 = 4;

/// Bit-sliced Bloom filters, one per block: word `w` tells for each block whether bit `w` of
/// its filter is set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids {
    /// Bytes of a word. Few blocks need few, and a segment's index stays in memory as long as
    /// the segment: of a group of two blocks, seven bytes of eight would say nothing.
    width: usize,
    bytes: Box<[u8]>,
}

impl Ids {
    pub(super) fn of(array: &StringArray) -> Self {
        let blocks = array.len().div_ceil(BLOCK);
        let hashes = |block: usize| {
            let rows = block * BLOCK..array.len().min((block + 1) * BLOCK);
            let mut hashes: Vec<u64> = rows
                .filter(|&row| array.is_valid(row))
                .map(|row| hash(&[array.value(row).as_bytes()]))
                .collect();
            hashes.sort_unstable();
            hashes.dedup();
            hashes
        };
        let per_block: Vec<Vec<u64>> = (0..blocks).map(hashes).collect();
        let most = per_block.iter().map(Vec::len).max().unwrap_or(0);
        let mut words = vec![0; (most * ID_BITS).max(64)];
        for (block, hashes) in per_block.iter().enumerate() {
            for &hash in hashes {
                for at in probes(hash, words.len()) {
                    words[at] |= bit(block);
                }
            }
        }
        Self::new(words.into_iter())
    }

    pub(super) fn new(words: impl Iterator<Item = u64> + Clone) -> Self {
        let used = words.clone().fold(0, |used, word| used | word);
        let bits = u64::BITS - used.leading_zeros();
        let width = usize::try_from(bits.div_ceil(8)).unwrap_or(8).max(1);
        let low = |word: u64| word.to_le_bytes().into_iter().take(width);
        Self {
            width,
            bytes: words.flat_map(low).collect(),
        }
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    pub(super) fn words(&self) -> impl Iterator<Item = u64> + Clone {
        self.bytes.chunks_exact(self.width).map(word)
    }

    /// The blocks that may hold this id.
    pub(super) fn mask(&self, id: &str) -> u64 {
        let at = |at: usize| {
            let bytes = self.bytes.get(at * self.width..(at + 1) * self.width);
            word(bytes.unwrap_or_default())
        };
        let hash = hash(&[id.as_bytes()]);
        probes(hash, self.len()).fold(u64::MAX, |mask, probe| mask & at(probe))
    }
}

fn word(bytes: &[u8]) -> u64 {
    let high_first = bytes.iter().rev();
    high_first.fold(0, |word, &byte| word << 8 | u64::from(byte))
}

fn probes(hash: u64, words: usize) -> impl Iterator<Item = usize> + use<> {
    let step = hash.rotate_left(32) | 1;
    let words = words.max(1) as u64;
    (0..ID_PROBES).map(move |probe| {
        let mixed = hash.wrapping_add(step.wrapping_mul(probe));
        usize::try_from(mixed % words).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_looked_for_where_it_is_and_hardly_elsewhere() {
        for (blocks, width) in [(1, 1), (2, 1), (9, 2), (64, 8)] {
            let rows = blocks * BLOCK;
            let array: StringArray = (0..rows).map(|row| Some(format!("id-{row:x}"))).collect();
            let ids = Ids::of(&array);
            assert_eq!(ids.width, width, "{blocks} blocks");
            assert_eq!(Ids::new(ids.words()), ids);
            assert_eq!(ids.words().count(), ids.len());
            let mut found = 0;
            for row in (0..rows).step_by(97) {
                let mask = ids.mask(array.value(row));
                assert_ne!(mask & bit(row / BLOCK), 0, "row {row} of {blocks} blocks");
                found += mask.count_ones();
            }
            let looked = rows.div_ceil(97);
            assert!(
                found as usize <= looked * 2,
                "{found} blocks for {looked} ids"
            );
        }
    }
}
