//! Unix milliseconds as RFC 3339, UTC, nanoseconds.

use alloc::vec::Vec;

use omnify_trace::schema::time::date_of_day;

/// Appends `2026-11-21T09:10:11.123456000Z`. Browsers' clocks know microseconds at best.
pub(crate) fn rfc3339(out: &mut Vec<u8>, unix_ms: f64) {
    let micros = (unix_ms * 1_000.0) as u64;
    let seconds = micros / 1_000_000;
    let (year, month, day) = date_of_day((seconds / 86_400) as i64);
    // From here on in 32 bits, which wasm divides faster.
    let of_day = (seconds % 86_400) as u32;
    digits(out, year as u32, 4);
    out.push(b'-');
    digits(out, month as u32, 2);
    out.push(b'-');
    digits(out, day as u32, 2);
    out.push(b'T');
    digits(out, of_day / 3_600, 2);
    out.push(b':');
    digits(out, of_day / 60 % 60, 2);
    out.push(b':');
    digits(out, of_day % 60, 2);
    out.push(b'.');
    digits(out, (micros % 1_000_000) as u32, 6);
    out.extend_from_slice(b"000Z");
}

fn digits(out: &mut Vec<u8>, mut value: u32, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out.iter_mut().skip(start).rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        let text = |ms| {
            let mut out = Vec::new();
            rfc3339(&mut out, ms);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(0.0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(text(951_782_400_000.0), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(text(1_795_252_211_123.0), "2026-11-21T09:10:11.123000000Z");
        assert_eq!(text(4_102_444_799_999.0), "2099-12-31T23:59:59.999000000Z");
    }
}
