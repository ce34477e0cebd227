//! Trace and span ids of W3C Trace Context: binary inside, lowercase hexadecimal on the wire.

use core::{fmt, num::NonZero, str::FromStr};

use super::InvalidId;

/// The trace that a piece of work belongs to: 16 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(NonZero<u128>);

/// One span of a trace: 8 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(NonZero<u64>);

impl TraceId {
    /// A new id; its right-most seven bytes are random, as level 2 of the specification asks.
    #[cfg(feature = "runtime")]
    #[must_use]
    pub fn random() -> Self {
        Self(super::rng::nonzero_u128())
    }

    /// The id with this big-endian value, or `None` for zero.
    #[must_use]
    pub const fn from_u128(value: u128) -> Option<Self> {
        match NonZero::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The id with these bytes, or `None` if all are zero.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// The value, big-endian.
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.0.get()
    }

    /// The bytes in wire order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// The 32 lowercase hexadecimal digits, without an allocation.
    #[must_use]
    pub fn to_hex(self) -> [u8; 32] {
        let mut out = [0; 32];
        hex_into(&self.to_bytes(), &mut out);
        out
    }
}

impl SpanId {
    /// A new random id.
    #[cfg(feature = "runtime")]
    #[must_use]
    pub fn random() -> Self {
        Self(super::rng::nonzero_u64())
    }

    /// The id with this big-endian value, or `None` for zero.
    #[must_use]
    pub const fn from_u64(value: u64) -> Option<Self> {
        match NonZero::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The id with these bytes, or `None` if all are zero.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        Self::from_u64(u64::from_be_bytes(bytes))
    }

    /// The value, big-endian.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0.get()
    }

    /// The bytes in wire order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }

    /// The 16 lowercase hexadecimal digits, without an allocation.
    #[must_use]
    pub fn to_hex(self) -> [u8; 16] {
        let mut out = [0; 16];
        hex_into(&self.to_bytes(), &mut out);
        out
    }
}

impl FromStr for TraceId {
    type Err = InvalidId;

    /// Exactly 32 lowercase hexadecimal digits, not all zero.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex(text, 32)
            .and_then(Self::from_u128)
            .ok_or_else(|| {
                InvalidId::new(
                    "trace_id",
                    text,
                    "32 lowercase hexadecimal digits, not all zero",
                )
            })
    }
}

impl FromStr for SpanId {
    type Err = InvalidId;

    /// Exactly 16 lowercase hexadecimal digits, not all zero.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex(text, 16)
            .and_then(|value| u64::try_from(value).ok())
            .and_then(Self::from_u64)
            .ok_or_else(|| {
                InvalidId::new(
                    "span_id",
                    text,
                    "16 lowercase hexadecimal digits, not all zero",
                )
            })
    }
}

macro_rules! hex_display {
    ($($id:ident)*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
hex_display!(TraceId SpanId);

/// Writes two digits for each byte; `out` is twice as long as `bytes`.
pub(crate) fn hex_into(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// The sixteen digits of an id, eight at a time.
#[inline]
pub(crate) fn hex_u64(value: u64) -> [u8; 16] {
    let mut out = [0; 16];
    out[..8].copy_from_slice(&hex_u32((value >> 32) as u32));
    out[8..].copy_from_slice(&hex_u32(value as u32));
    out
}

#[inline]
fn hex_u32(value: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut x = u64::from(value);
    // One digit to each byte, in order.
    x = (x & 0xffff_0000) << 16 | x & 0xffff;
    x = (x & 0x0000_ff00_0000_ff00) << 8 | x & 0x0000_00ff_0000_00ff;
    x = (x & 0x00f0_00f0_00f0_00f0) << 4 | x & 0x000f_000f_000f_000f;
    let letters = (x + 6 * ONES) >> 4 & ONES;
    let gap = u64::from(b'a' - b'0' - 10);
    (x + u64::from(b'0') * ONES + letters * gap).to_be_bytes()
}

fn parse_hex(text: &str, digits: usize) -> Option<u128> {
    if text.len() != digits {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_at_once_are_those_one_by_one() {
        for value in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef, 0xa0b1_c2d3_e4f5_9a69] {
            let mut slow = [0; 16];
            hex_into(&value.to_be_bytes(), &mut slow);
            assert_eq!(hex_u64(value), slow);
        }
    }

    #[test]
    fn ids_round_trip_and_refuse_what_the_specification_refuses() {
        let text = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(text.parse::<TraceId>().unwrap().to_string(), text);
        assert_eq!(
            "00f067aa0ba902b7".parse::<SpanId>().unwrap().to_string(),
            "00f067aa0ba902b7"
        );
        for wrong in [
            "",
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            "00000000000000000000000000000000",
            "4bf92f3577b34da6a3ce929d0e0e473",
            "4bf92f3577b34da6a3ce929d0e0e47361",
            "4bf92f3577b34da6a3ce929d0e0e473g",
        ] {
            assert!(wrong.parse::<TraceId>().is_err(), "{wrong}");
        }
        assert!("0000000000000000".parse::<SpanId>().is_err());
    }
}
