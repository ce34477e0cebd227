//! Numbers: those that logs mostly hold in a few instructions, all others by the crates for it.

use super::Out;

/// Appends an integer.
#[inline]
pub(crate) fn integer(out: &mut impl Out, value: impl itoa::Integer) {
    out.put(itoa::Buffer::new().format(value).as_bytes());
}

/// The digits of the numbers below a thousand, without leading zeros, and how many they are.
static SMALL: [[u8; 4]; 1000] = {
    let mut table = [[0; 4]; 1000];
    let mut value = 0;
    while value < table.len() {
        let digits = [value / 100, value / 10 % 10, value % 10];
        let length = 1 + (value >= 10) as usize + (value >= 100) as usize;
        let mut at = 0;
        while at < length {
            table[value][at] = b'0' + digits[3 - length + at] as u8;
            at += 1;
        }
        table[value][3] = length as u8;
        value += 1;
    }
    table
};

/// Appends an integer that is often small: a status, a count.
#[inline]
pub(crate) fn unsigned(out: &mut impl Out, value: u64) {
    if let Some(small) = usize::try_from(value)
        .ok()
        .and_then(|value| SMALL.get(value))
    {
        out.put_cut(small, usize::from(small[3]));
    } else {
        larger_unsigned(out, value);
    }
}

#[inline(never)]
fn larger_unsigned(out: &mut impl Out, value: u64) {
    if value < 100_000_000 {
        let digits = eight(value as u32);
        // The last one stays, also if it is a zero.
        let zeros = ((digits & 0x000f_0f0f_0f0f_0f0f).trailing_zeros() / 8).min(7);
        out.put_cut(&(digits >> (zeros * 8)).to_le_bytes(), 8 - zeros as usize);
    } else {
        integer(out, value);
    }
}

/// Appends an integer that is often small and seldom negative.
#[inline]
pub(crate) fn signed(out: &mut impl Out, value: i64) {
    match u64::try_from(value) {
        Ok(value) => unsigned(out, value),
        Err(_) => integer(out, value),
    }
}

/// Eight digits of a number below a hundred million: halves, halves of them, and those's halves,
/// each side by side in one word. The first digit is the lowest byte.
#[inline]
pub(crate) fn eight(value: u32) -> u64 {
    let (high, low) = (u64::from(value / 10_000), u64::from(value % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    ones + 0x3030_3030_3030_3030
}

/// `.0`, `.125`, `.25`: numbers of thousandths as decimals, without zeros that say nothing.
static DECIMALS: [[u8; 4]; 1000] = {
    let mut table = [[b'.', 0, 0, 0]; 1000];
    let mut value = 0;
    while value < table.len() {
        table[value][1] = b'0' + (value / 100) as u8;
        if !value.is_multiple_of(100) {
            table[value][2] = b'0' + (value / 10 % 10) as u8;
        }
        if !value.is_multiple_of(10) {
            table[value][3] = b'0' + (value % 10) as u8;
        }
        value += 1;
    }
    table
};

/// Appends a number of thousandths below a hundred million.
#[inline]
fn thousandths(out: &mut impl Out, value: u32) {
    let decimals = u32::from_le_bytes(DECIMALS[(value % 1000) as usize]);
    let places = 4 - decimals.leading_zeros() as usize / 8;
    if let Some(small) = SMALL.get((value / 1000) as usize) {
        let whole = u32::from_le_bytes(*small);
        let length = (whole >> 24) as usize;
        let text = u64::from(whole & 0x00ff_ffff) | u64::from(decimals) << (length * 8);
        out.put_cut(&text.to_le_bytes(), length + places);
    } else {
        larger_thousandths(out, value);
    }
}

#[inline(never)]
fn larger_thousandths(out: &mut impl Out, value: u32) {
    let decimals = u32::from_le_bytes(DECIMALS[(value % 1000) as usize]);
    larger_unsigned(out, (value / 1000).into());
    out.put_cut(
        &decimals.to_le_bytes(),
        4 - decimals.leading_zeros() as usize / 8,
    );
}

/// Appends a float; what JSON cannot say becomes a string, as the schema defines.
#[inline(always)]
pub(crate) fn float(out: &mut impl Out, value: f64) {
    // Most are durations or amounts with few decimals. Of numbers with at most fifteen digits no
    // two are the same float, so the division proves the digits.
    let scaled = (value * 1000.0 + 0.5) as u32;
    if scaled < 100_000_000 && (f64::from(scaled) / 1000.0).to_bits() == value.to_bits() {
        thousandths(out, scaled);
    } else {
        any_float(out, value);
    }
}

#[inline(never)]
fn any_float(out: &mut impl Out, value: f64) {
    if value.is_finite() {
        out.put(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.put(b"\"NaN\"");
    } else if value > 0.0 {
        out.put(b"\"Infinity\"");
    } else {
        out.put(b"\"-Infinity\"");
    }
}
