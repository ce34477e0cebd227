//! Short ready texts.

/// A short text that is copied as a block of fixed size and then cut: no call, no loop.
#[derive(Clone)]
pub(crate) struct Block {
    bytes: [u8; BLOCK],
    length: usize,
    long: Box<[u8]>,
}

const BLOCK: usize = 32;

impl Block {
    pub(crate) fn new(text: Vec<u8>) -> Self {
        let mut bytes = [0; BLOCK];
        match bytes.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(&text),
            None => {
                return Self {
                    bytes,
                    length: BLOCK + 1,
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

    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.length <= BLOCK {
            let start = out.len();
            out.extend_from_slice(&self.bytes);
            out.truncate(start + self.length);
        } else {
            out.extend_from_slice(&self.long);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.long)
    }
}
