//! Short ready texts.

use super::Out;

/// A short text that is copied as a block of fixed size and then cut: no call, no loop.
#[derive(Clone)]
pub(crate) struct Block<const N: usize = 32> {
    bytes: [u8; N],
    length: usize,
    long: Box<[u8]>,
}

impl<const N: usize> Block<N> {
    pub(crate) fn new(text: Vec<u8>) -> Self {
        let mut bytes = [0; N];
        match bytes.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(&text),
            None => {
                return Self {
                    bytes,
                    length: N + 1,
                    long: text.into(),
                };
            }
        }
        Self {
            bytes,
            length: text.len(),
            long: Box::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn write(&self, out: &mut impl Out) {
        if self.length <= N {
            out.put_cut(&self.bytes, self.length);
        } else {
            out.put(&self.long);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.long)
    }
}
