//! Where JSON is appended to.

/// A buffer that JSON is appended to.
pub(crate) trait Out {
    /// Appends all of `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// Appends the first `length` bytes of a block of fixed size: no call, no loop. What the block
    /// has beyond them may be written behind the end.
    fn put_cut<const N: usize>(&mut self, block: &[u8; N], length: usize);

    /// Appends all of `bytes`, which are mostly 4 to 48: as two blocks that overlap.
    #[inline]
    fn put_short(&mut self, bytes: &[u8]) {
        let rest = bytes.len().saturating_sub(16);
        match (bytes.first_chunk::<32>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) if rest <= 32 => {
                self.put_cut(first, rest);
                self.put_cut(last, 16);
            }
            (None, Some(last)) => {
                self.put_cut::<16>(bytes.first_chunk().unwrap_or(last), rest);
                self.put_cut(last, 16);
            }
            _ => self.put_shorter(bytes),
        }
    }

    /// The same of fewer than 16, or of more than 48.
    #[inline]
    fn put_shorter(&mut self, bytes: &[u8]) {
        let length = bytes.len();
        if let (8..16, Some(first), Some(last)) =
            (length, bytes.first_chunk::<8>(), bytes.last_chunk::<8>())
        {
            self.put_cut(first, length - 8);
            self.put_cut(last, 8);
        } else if let (4..8, Some(first), Some(last)) =
            (length, bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
        {
            self.put_cut(first, length - 4);
            self.put_cut(last, 4);
        } else {
            self.put(bytes);
        }
    }
}

impl Out for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_cut<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        let start = self.len();
        self.extend_from_slice(block);
        self.truncate(start + length);
    }
}
