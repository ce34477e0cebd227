//! Names for requests that came without one.

use std::time::Duration;

use omnify_trace::context::TraceId;

/// A UUID of version 7 as text: sorts by time, costs no system call and no allocation. `now` is
/// the time since 1970.
pub(crate) fn mint(now: Duration) -> Minted {
    Minted(format(now.as_millis() as u64, TraceId::random().to_u128()))
}

/// An id of our own. Aligned, because text that is not is looked at byte by byte.
#[repr(align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minted([u8; 36]);

impl Minted {
    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn format(milliseconds: u64, random: u128) -> [u8; 36] {
    const VERSION: u128 = 0x7 << 76;
    const VARIANT: u128 = 0b10 << 62;
    const RANDOM: u128 = (0xfff << 64) | ((1 << 62) - 1);
    let id = (u128::from(milliseconds) << 80) | VERSION | VARIANT | (random & RANDOM);
    // The version makes it never 0.
    let digits = TraceId::from_u128(id).map_or([b'0'; 32], TraceId::to_hex);
    let mut out = [b'-'; 36];
    out[..8].copy_from_slice(&digits[..8]);
    out[9..13].copy_from_slice(&digits[8..12]);
    out[14..18].copy_from_slice(&digits[12..16]);
    out[19..23].copy_from_slice(&digits[16..20]);
    out[24..].copy_from_slice(&digits[20..]);
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
        let now = Duration::from_secs(1_795_252_211);
        assert_ne!(mint(now), mint(now));
        let id = mint(now);
        assert_eq!(id.as_bytes()[14], b'7');
        assert!(omnify_trace::propagation::request_id::valid(id.as_bytes()).is_some());
    }
}
