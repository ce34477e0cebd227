//! Where JSON is appended to.

/// A buffer that JSON is appended to.
pub(crate) trait Out {
    /// Appends all of `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// Appends the first `length` bytes of a block of fixed size: no call, no loop. What the block
    /// has beyond them may be written behind the end.
    fn put_cut<const N: usize>(&mut self, block: &[u8; N], length: usize);
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
