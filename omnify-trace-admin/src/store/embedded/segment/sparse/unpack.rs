//! Parquet's encodings, from which single values are taken. `None` is a page that is not as it
//! should be.

/// Bytes that are read from the front.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A number of as many bytes as it needs.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// The same with a sign.
    pub(super) fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A length of four bytes and what it is the length of.
    pub(super) fn sized(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.bytes(4)?.try_into().ok()?);
        self.bytes(usize::try_from(length).ok()?)
    }
}

/// The number of so many bits that begins at this bit.
fn bits(bytes: &[u8], at: usize, width: usize) -> u64 {
    let from = at / 8;
    let word = match bytes
        .get(from..from + 16)
        .and_then(|word| word.try_into().ok())
    {
        Some(word) => u128::from_le_bytes(word),
        None => {
            let mut word = [0; 16];
            let rest = bytes.get(from..).unwrap_or_default();
            word[..rest.len()].copy_from_slice(rest);
            u128::from_le_bytes(word)
        }
    };
    let mask = (1_u128 << width) - 1;
    u64::try_from(word >> (at % 8) & mask).unwrap_or(0)
}

/// Some values in a row: one many times, or each of its own.
enum Run<'a> {
    Same(usize, u64),
    Packed(usize, &'a [u8]),
}

impl Run<'_> {
    fn length(&self) -> usize {
        match self {
            Self::Same(count, _) | Self::Packed(count, _) => *count,
        }
    }

    fn value(&self, at: usize, width: usize) -> u64 {
        match self {
            Self::Same(_, value) => *value,
            Self::Packed(_, bytes) => bits(bytes, at * width, width),
        }
    }

    /// How many of the first values are one, where each has one bit.
    fn ones(&self, before: usize) -> usize {
        match self {
            Self::Same(_, value) => {
                if *value == 1 {
                    before
                } else {
                    0
                }
            }
            Self::Packed(_, bytes) => {
                let whole = bytes.iter().take(before / 8);
                let ones: u32 = whole.map(|byte| byte.count_ones()).sum();
                let last = bits(bytes, before / 8 * 8, before % 8).count_ones();
                usize::try_from(ones + last).unwrap_or(0)
            }
        }
    }
}

fn run<'a>(input: &mut Input<'a>, width: usize) -> Option<Run<'a>> {
    let head = input.size()?;
    let count = head >> 1;
    if count == 0 || width > 32 {
        return None;
    }
    if head & 1 == 1 {
        // The last group may be cut short where no values are left.
        let length = count.checked_mul(width)?.min(input.0.len());
        return Some(Run::Packed(count.checked_mul(8)?, input.bytes(length)?));
    }
    let value = input.bytes(width.div_ceil(8))?;
    Some(Run::Same(count, bits(value, 0, width)))
}

/// The place of each of these rows' values among all values of the page, if it has one. The
/// rows are in order.
pub(super) fn places(
    levels: &[u8],
    rows: impl Iterator<Item = usize>,
) -> Option<Vec<Option<usize>>> {
    let mut input = Input(levels);
    let (mut start, mut before) = (0, 0);
    let mut here = run(&mut input, 1)?;
    let mut places = Vec::with_capacity(rows.size_hint().0);
    for row in rows {
        while row - start >= here.length() {
            start += here.length();
            before += here.ones(here.length());
            here = run(&mut input, 1)?;
        }
        let is_there = here.value(row - start, 1) == 1;
        places.push(is_there.then(|| before + here.ones(row - start)));
    }
    Some(places)
}

/// The numbers at these places, which are in order, where runs alternate with packed ones.
pub(super) fn hybrid(bytes: &[u8], width: usize, places: &[usize]) -> Option<Vec<u64>> {
    let mut input = Input(bytes);
    let mut start = 0;
    let mut here = run(&mut input, width)?;
    let mut values = Vec::with_capacity(places.len());
    for place in places {
        while place - start >= here.length() {
            start += here.length();
            here = run(&mut input, width)?;
        }
        values.push(here.value(place - start, width));
    }
    Some(values)
}

/// The numbers at these places, which are in order, of a page of packed differences.
pub(super) fn delta(bytes: &[u8], places: &[usize]) -> Option<Vec<i64>> {
    let mut input = Input(bytes);
    let (block, minis) = (input.size()?, input.size()?);
    let (total, mut value) = (input.size()?, input.zigzag()?);
    let each = block.checked_div(minis).filter(|each| *each > 0)?;
    let mut values = Vec::with_capacity(places.len());
    let mut places = places.iter().copied().peekable();
    while places.next_if_eq(&0).is_some() {
        values.push(value);
    }
    let mut at = 1;
    while places.peek().is_some() {
        let least = input.zigzag()?;
        for &width in input.bytes(minis)? {
            if at >= total {
                break;
            }
            let width = usize::from(width);
            let length = each.checked_mul(width)? / 8;
            let packed = input.bytes(length.min(input.0.len()))?;
            for number in 0..each.min(total - at) {
                let more = if width == 0 {
                    0
                } else {
                    wide(packed, number * width, width)?
                };
                value = value.wrapping_add(least).wrapping_add(more.cast_signed());
                while places.next_if_eq(&at).is_some() {
                    values.push(value);
                }
                if places.peek().is_none() {
                    return Some(values);
                }
                at += 1;
            }
        }
        if at >= total && places.peek().is_some() {
            return None;
        }
    }
    Some(values)
}

fn wide(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    (width <= 64).then(|| bits(bytes, at, width))
}

/// The texts at these places, which are in order and different.
pub(super) fn texts<'a>(bytes: &'a [u8], places: &[usize]) -> Option<Vec<&'a [u8]>> {
    let mut input = Input(bytes);
    let mut next = 0;
    let mut values = Vec::with_capacity(places.len());
    for &place in places {
        for _ in next..place {
            input.sized()?;
        }
        values.push(input.sized()?);
        next = place + 1;
    }
    Some(values)
}

/// The numbers of so many bytes at these places.
pub(super) fn plain(bytes: &[u8], width: usize, places: &[usize]) -> Option<Vec<i64>> {
    let number = |&place: &usize| {
        let from = place.checked_mul(width)?;
        let bytes = bytes.get(from..from.checked_add(width)?)?;
        match width {
            4 => Some(i64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
            _ => Some(i64::from_le_bytes(bytes.try_into().ok()?)),
        }
    };
    places.iter().map(number).collect()
}
