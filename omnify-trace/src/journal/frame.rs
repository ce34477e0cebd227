//! How a line lies in the ring: one 8-byte word, then the bytes, padded to a multiple of eight.
//!
//! The word says what follows and proves it. From the lowest bit: 24 bits of length, 2 of stream,
//! 6 of state, 32 of check. The check binds the line's bytes to its place in the ring and to this
//! run of the ring, so that recovery takes neither torn bytes nor a line of an earlier lap.

use crate::schema::Stream;

/// The longest line that a frame can hold.
pub(super) const MAX_LINE: usize = (1 << 24) - 1;
/// Bytes of the word before each line.
pub(super) const WORD: usize = 8;

const RESERVED: u32 = 0b01_0011;
const COMMITTED: u32 = 0b10_1101;
const K: [u64; 5] = [
    0x9E37_79B9_7F4A_7C15,
    0xA076_1D64_78BD_642F,
    0xE703_7ED1_A0B4_28DB,
    0x8EBC_6AF0_9C88_C6E3,
    0x5899_65CC_7537_4CC3,
];

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing has been written here yet.
    Empty,
    /// A producer reserved these bytes and has not finished.
    Reserved { len: usize },
    /// A whole line.
    Committed { stream: Stream, len: usize },
    /// Not a word of ours.
    Damaged,
}

/// Bytes that a line of `len` bytes takes in the ring.
pub(super) const fn span(len: usize) -> u64 {
    ((len + WORD + 7) & !7) as u64
}

/// The word of a line that is still being copied.
pub(super) fn reserved(stream: Stream, len: usize, place: u64) -> u64 {
    pack(len, stream, RESERVED, place_tag(place))
}

/// The word of a whole line, where `content` is [`content`] of its bytes.
pub(super) fn committed(stream: Stream, len: usize, place: u64, content: u64) -> u64 {
    pack(len, stream, COMMITTED, line_tag(place, content))
}

/// Reads a word without proving it: enough while the ring is ours.
pub(super) fn read(word: u64) -> Word {
    if word == 0 {
        return Word::Empty;
    }
    let low = word as u32;
    let len = (low & 0x00FF_FFFF) as usize;
    let stream = match (low >> 24) & 0b11 {
        0 => Stream::Backend,
        1 => Stream::Frontend,
        2 => Stream::Workflow,
        _ => return Word::Damaged,
    };
    match low >> 26 {
        RESERVED => Word::Reserved { len },
        COMMITTED => Word::Committed { stream, len },
        _ => Word::Damaged,
    }
}

/// Whether a reserved word belongs at this place.
pub(super) fn proves_reserved(word: u64, place: u64) -> bool {
    (word >> 32) as u32 == place_tag(place)
}

/// Whether a committed word belongs at this place and to these bytes.
pub(super) fn proves_committed(word: u64, place: u64, content: u64) -> bool {
    (word >> 32) as u32 == line_tag(place, content)
}

/// A 64-bit check of a line's bytes: four independent lanes of folded multiplication, so that a
/// 400-byte line costs hardly more than copying it.
pub(super) fn content(line: &[u8]) -> u64 {
    let mut lanes = [K[0], K[1], K[2], K[3]];
    let (blocks, rest) = line.as_chunks::<64>();
    for block in blocks {
        mix(&mut lanes, block);
    }
    if let (false, Some(last)) = (rest.is_empty(), line.last_chunk()) {
        // Some bytes count twice, which is quicker than counting the rest one by one.
        mix(&mut lanes, last);
    } else if !rest.is_empty() {
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        mix(&mut lanes, &last);
    }
    let low = fold(lanes[0] ^ line.len() as u64, lanes[1] ^ K[2]);
    let high = fold(lanes[2], lanes[3] ^ K[1]);
    low ^ high.rotate_left(17)
}

#[inline]
fn mix(lanes: &mut [u64; 4], block: &[u8; 64]) {
    let words = block.as_chunks::<8>().0.as_chunks::<2>().0;
    for (lane, [a, b]) in lanes.iter_mut().zip(words) {
        *lane = fold(
            u64::from_le_bytes(*a) ^ *lane,
            u64::from_le_bytes(*b) ^ K[4],
        );
    }
}

fn pack(len: usize, stream: Stream, state: u32, tag: u32) -> u64 {
    debug_assert!(len <= MAX_LINE);
    let low = len as u32 | (stream as u32) << 24 | state << 26;
    u64::from(tag) << 32 | u64::from(low)
}

fn place_tag(place: u64) -> u32 {
    (place ^ (place >> 32)) as u32
}

fn line_tag(place: u64, content: u64) -> u32 {
    (fold(content ^ K[0], place ^ K[1]) >> 16) as u32
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_was_packed() {
        for stream in Stream::ALL {
            for len in [0, 1, 400, MAX_LINE] {
                assert_eq!(
                    read(committed(stream, len, 77, 5)),
                    Word::Committed { stream, len }
                );
                assert_eq!(read(reserved(stream, len, 77)), Word::Reserved { len });
            }
        }
        assert_eq!(read(0), Word::Empty);
        assert_eq!(read(1), Word::Damaged);
    }

    #[test]
    fn every_single_byte_and_place_counts() {
        let line: Vec<u8> = (0..300_u32).map(|i| (i * 7) as u8).collect();
        for len in 0..line.len() {
            let whole = content(&line[..len]);
            for at in 0..len {
                let mut other = line[..len].to_vec();
                other[at] ^= 0x20;
                assert_ne!(content(&other), whole, "byte {at} of {len}");
            }
            assert_ne!(content(&line[..len + 1]), whole);
        }
        // Whole blocks that changed places.
        let mut swapped = line.clone();
        swapped[..128].rotate_left(64);
        assert_ne!(content(&swapped), content(&line));
        let word = committed(Stream::Backend, 5, 64, content(b"hello"));
        assert!(proves_committed(word, 64, content(b"hello")));
        assert!(!proves_committed(word, 72, content(b"hello")));
    }
}
