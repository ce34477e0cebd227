//! Stretches of buffers.

use super::SLOTS;

/// A stretch of a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Piece {
    pub(crate) fn since(start: usize, out: &[u8]) -> Self {
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(out.len()).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn moved(self, by: u32) -> Self {
        Self {
            start: self.start.wrapping_add(by),
            end: self.end.wrapping_add(by),
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A stretch for each member of the context that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pieces {
    /// A bit for each; what stands in the other places means nothing.
    known: u16,
    pieces: [Piece; SLOTS],
}

impl Pieces {
    #[inline]
    pub(super) fn get(&self, slot: usize) -> Option<Piece> {
        (self.known >> slot & 1 == 1).then(|| self.pieces[slot])
    }

    /// An empty one makes a member unknown.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, piece: Piece) {
        self.pieces[slot] = piece;
        let bit = 1 << slot;
        self.known = if piece.is_empty() {
            self.known & !bit
        } else {
            self.known | bit
        };
    }

    /// These are known, none of them is empty, and no others are.
    #[inline]
    pub(super) fn fill(&mut self, known: u16, mut piece: impl FnMut(usize) -> Piece) {
        self.known = known;
        let pieces = self.pieces.iter_mut().enumerate();
        for (slot, place) in pieces.filter(|(slot, _)| known >> slot & 1 == 1) {
            *place = piece(slot);
        }
    }

    #[inline]
    pub(super) fn forget(&mut self, slot: usize) {
        self.known &= !(1 << slot);
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.known = 0;
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.known == 0
    }

    #[inline]
    pub(super) fn known(&self) -> u16 {
        self.known
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Piece)> {
        slots(self.known).map(|slot| (slot, self.pieces[slot]))
    }

    pub(super) fn change(&mut self, change: impl FnMut(&mut Piece)) {
        let known = self.known;
        let pieces = self.pieces.iter_mut().enumerate();
        let known = pieces.filter(|(slot, _)| known >> slot & 1 == 1);
        known.map(|(_, piece)| piece).for_each(change);
    }

    /// Those behind a slot stand somewhere else.
    #[inline]
    pub(super) fn move_after(&mut self, slot: usize, by: u32) {
        // All of them, without looking which are known: that is faster.
        for piece in &mut self.pieces[slot + 1..] {
            *piece = piece.moved(by);
        }
    }
}

/// The places of the bits that are set.
#[inline]
fn slots(mut known: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = known.trailing_zeros() as usize;
        (known != 0).then(|| {
            known &= known - 1;
            slot
        })
    })
}
