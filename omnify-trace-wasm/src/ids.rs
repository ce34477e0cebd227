//! Ids: unique, not secret. One seed from the browser's `crypto`, then xoshiro256++.

use alloc::vec::Vec;

use crate::json::hex_byte;

/// Letters that people do not mix up when they read them out (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A generator of ids.
pub(crate) struct Ids {
    state: [u64; 4],
}

impl Ids {
    /// A generator for this seed; 32 random bytes are wanted.
    pub(crate) fn new(seed: &[u8]) -> Self {
        let mut state: [u64; 4] = [
            0x9E37_79B9_7F4A_7C15,
            0xBF58_476D_1CE4_E5B9,
            0x94D0_49BB_1331_11EB,
            0x2545_F491_4F6C_DD1D,
        ];
        for (word, bytes) in state.iter_mut().zip(seed.chunks(8)) {
            for &byte in bytes {
                *word = word.rotate_left(8) ^ u64::from(byte);
            }
        }
        Self { state }
    }

    /// The next 64 random bits (xoshiro256++, Blackman and Vigna).
    pub(crate) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A trace or session id: 32 hexadecimal digits, not all zero.
    pub(crate) fn long(&mut self) -> Vec<u8> {
        self.hex(2)
    }

    /// A span id: 16 hexadecimal digits, not all zero.
    pub(crate) fn short(&mut self) -> Vec<u8> {
        self.hex(1)
    }

    /// A request or run id in the form of a UUID, version 4.
    pub(crate) fn uuid(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(36);
        let (high, low) = (self.next(), self.next());
        let high = high & !0xF000 | 0x4000;
        let low = low & !(3 << 62) | (2 << 62);
        for (index, byte) in high
            .to_be_bytes()
            .into_iter()
            .chain(low.to_be_bytes())
            .enumerate()
        {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            hex_byte(&mut out, byte);
        }
        out
    }

    /// What a person reads out to support: `7K3F-9QXM`.
    pub(crate) fn reference(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(9);
        let mut bits = self.next();
        for index in 0..8 {
            if index == 4 {
                out.push(b'-');
            }
            out.push(LETTERS[(bits & 31) as usize]);
            bits >>= 5;
        }
        out
    }

    fn hex(&mut self, parts: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        for _ in 0..parts {
            // All zero is not an id.
            for byte in self.next().max(1).to_be_bytes() {
                hex_byte(&mut out, byte);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_forms_and_differ() {
        let mut ids = Ids::new(&[7; 32]);
        let (a, b) = (ids.long(), ids.long());
        assert_eq!((a.len(), ids.short().len()), (32, 16));
        assert_ne!(a, b);
        let uuid = ids.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid[14], b'4');
        assert!(matches!(uuid[19], b'8' | b'9' | b'a' | b'b'));
        assert_eq!(ids.reference().len(), 9);
        assert!((0.0..1.0).contains(&ids.fraction()));
    }

    #[test]
    fn another_seed_gives_other_ids() {
        assert_ne!(Ids::new(&[1; 32]).long(), Ids::new(&[2; 32]).long());
    }
}
