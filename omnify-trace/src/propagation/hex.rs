//! Hexadecimal ids without allocation.

/// What a digit is worth; `0xff` for anything that is not one. Uppercase has bit 4 set.
const fn value_of(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => (byte - b'A' + 10) | 0x10,
        _ => 0xff,
    }
}

const VALUES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "i < 256")]
        {
            table[i] = value_of(i as u8);
        }
        i += 1;
    }
    table
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// 1 to 32 lowercase digits; anything else is `None`.
pub(crate) fn lower(digits: &[u8]) -> Option<u128> {
    decode(digits, 0x0f)
}

/// 1 to 32 digits of either case; anything else is `None`.
pub(crate) fn any_case(digits: &[u8]) -> Option<u128> {
    decode(digits, 0x1f)
}

fn decode(digits: &[u8], greatest: u8) -> Option<u128> {
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let mut number = 0u128;
    let mut worst = 0;
    for &digit in digits {
        let value = VALUES[usize::from(digit)];
        worst |= value;
        number = (number << 4) | u128::from(value & 0x0f);
    }
    (worst <= greatest).then_some(number)
}

/// Writes `number` as exactly `out.len()` lowercase digits.
pub(crate) fn write(mut number: u128, out: &mut [u8]) {
    for slot in out.iter_mut().rev() {
        *slot = DIGITS[(number & 0x0f) as usize];
        number >>= 4;
    }
}

/// Exactly 32 digits.
#[cfg(test)]
pub(crate) fn string(number: u128, digits: usize) -> String {
    let mut out = vec![0; digits];
    write(number, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_there_and_back() {
        assert_eq!(lower(b"00ff"), Some(255));
        assert_eq!(lower(b"00FF"), None);
        assert_eq!(any_case(b"00Ff"), Some(255));
        assert_eq!(any_case(b"00Fg"), None);
        assert_eq!(lower(b""), None);
        assert_eq!(lower(&[b'1'; 33]), None);
        assert_eq!(string(255, 4), "00ff");
        assert_eq!(lower(&[b'f'; 32]), Some(u128::MAX));
    }
}
