//! Names for requests that came without one.

use std::time::{SystemTime, UNIX_EPOCH};

use omnify_trace::context::TraceId;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A UUID of version 7 as text: sorts by time, costs no system call and no allocation.
pub(crate) fn mint() -> [u8; 36] {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format(now.as_millis() as u64, TraceId::random().to_u128())
}

fn format(milliseconds: u64, random: u128) -> [u8; 36] {
    const VERSION: u128 = 0x7 << 76;
    const VARIANT: u128 = 0b10 << 62;
    const RANDOM: u128 = (0xfff << 64) | ((1 << 62) - 1);
    let id = (u128::from(milliseconds) << 80) | VERSION | VARIANT | (random & RANDOM);
    let mut out = [b'-'; 36];
    let mut at = 0;
    for byte in id.to_be_bytes() {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        out[at] = DIGITS[usize::from(byte >> 4)];
        out[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_ids_are_uuids_of_version_7() {
        let id = format(0x0192_1234_5678, u128::MAX);
        assert_eq!(
            std::str::from_utf8(&id).unwrap(),
            "01921234-5678-7fff-bfff-ffffffffffff"
        );
        assert_ne!(mint(), mint());
        let id = mint();
        assert_eq!(id[14], b'7');
        assert!(omnify_trace::propagation::request_id::valid(&id).is_some());
    }
}
