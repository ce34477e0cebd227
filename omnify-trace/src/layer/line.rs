//! The buffer of a thread's next line: of fixed size, so that writing to it is a comparison with a
//! constant and a copy; nothing on the way can grow, and so nothing has to be saved for a call.

use std::time::Duration;

use super::{
    clock::{self, OPENED, OPENED_TEXT, STAMP_AT},
    json::Out,
};

/// Longer lines are written the careful way.
const SIZE: usize = 8 * 1024;

/// A line that is being written. It always begins with a time stamp, of the last second used.
// In this order: what each write looks at lies beside the line's beginning, not a page behind it.
#[repr(C)]
pub(super) struct Line {
    second: u64,
    length: usize,
    /// Everything put fitted in, and nobody gave up.
    whole: bool,
    bytes: [u8; SIZE],
}

impl Line {
    pub(super) fn new() -> Self {
        let mut bytes = [0; SIZE];
        bytes[..OPENED].copy_from_slice(&OPENED_TEXT);
        Self {
            second: 0,
            length: OPENED,
            whole: true,
            bytes,
        }
    }

    /// Begins anew, with `{"timestamp":"` and the time stamp.
    #[inline]
    pub(super) fn begin(&mut self, now: Duration) {
        if self.second != now.as_secs() {
            self.turn(now.as_secs());
        }
        clock::write_nanos(&mut self.bytes, now.subsec_nanos());
        self.length = OPENED;
        self.whole = true;
    }

    /// Another second.
    #[cold]
    fn turn(&mut self, second: u64) {
        self.bytes[STAMP_AT..STAMP_AT + 20].copy_from_slice(&clock::civil(second));
        self.second = second;
    }

    /// The line is to be thrown away.
    #[inline]
    pub(super) fn give_up(&mut self) {
        self.whole = false;
    }

    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Replaces a byte.
    #[inline]
    pub(super) fn set(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.bytes.get_mut(at) {
            *place = byte;
        }
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Out for Line {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        if let Some(place) = rest.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
            self.length += bytes.len();
        } else {
            self.whole = false;
        }
    }

    #[inline(always)]
    fn put_cut<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        let at = self.length;
        if at <= SIZE - N {
            self.bytes[at..at + N].copy_from_slice(block);
            self.length = at + length;
        } else {
            self.whole = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_noticed() {
        let mut line = Line::new();
        line.begin(Duration::ZERO);
        line.put(&[b'x'; SIZE - OPENED]);
        assert!(line.is_whole());
        assert_eq!(line.as_slice().len(), SIZE);
        line.put(b"y");
        assert!(!line.is_whole());
        line.begin(Duration::from_secs(1));
        assert!(line.is_whole());
        assert_eq!(
            line.as_slice(),
            b"{\"timestamp\":\"1970-01-01T00:00:01.000000000Z"
        );
        line.put(&[b'x'; SIZE - OPENED - 31]);
        line.put_cut(&[b'y'; 32], 1);
        assert!(!line.is_whole(), "a block has no room, though its text has");
    }
}
