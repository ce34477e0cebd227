//! What a span was given itself: at its opening, and by late `record`s.

use super::{
    PARENT_SPAN_ID, SPAN_ID,
    piece::{Piece, Pieces},
};
use crate::{context::CorrelationContext, layer::json};

/// A field's name, and as it stands in the line: `,"name":`.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) text: &'static str,
    pub(super) key: &'static [u8],
}

/// One span's own fields, as they were given.
#[derive(Default)]
pub(super) struct Own {
    pub(super) values: Vec<u8>,
    pub(super) name: Piece,
    pub(super) context: Pieces,
    pub(super) fields: Vec<(Name, Piece)>,
    pub(super) follows_from: Piece,
}

impl Own {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.name = Piece::default();
        self.context.clear();
        self.fields.clear();
        self.follows_from = Piece::default();
    }

    pub(super) fn set_context(&mut self, slot: usize, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        value(&mut self.values);
        self.context.set(slot, Piece::since(start, &self.values));
    }

    /// What a field said: `None` if none did, `Some(None)` if it makes no sense.
    #[inline]
    pub(super) fn given<T: std::str::FromStr>(&self, slot: usize) -> Option<Option<T>> {
        Some(parsed(self.context.get(slot)?.of(&self.values)))
    }

    pub(super) fn set_field(&mut self, name: Name, piece: Piece) {
        let same = |known: &&mut (Name, Piece)| known.0.text == name.text;
        match self.fields.iter_mut().find(same) {
            Some((_, known)) => *known = piece,
            None => self.fields.push((name, piece)),
        }
    }

    /// The context's ids become this span's own; its current span becomes the parent.
    pub(super) fn attach(&mut self, context: &CorrelationContext) {
        context.for_each_slot(|slot, value| {
            let slot = match slot {
                SPAN_ID => PARENT_SPAN_ID,
                PARENT_SPAN_ID => return,
                slot => slot,
            };
            if self.context.get(slot).is_none() {
                self.set_context(slot, |out| json::escape(out, value));
            }
        });
    }

    pub(super) fn merge(&mut self, fresh: &Self) {
        let mut copy = |piece: Piece| {
            let start = self.values.len();
            self.values.extend_from_slice(piece.of(&fresh.values));
            Piece::since(start, &self.values)
        };
        if !fresh.name.is_empty() {
            self.name = copy(fresh.name);
        }
        for (slot, piece) in fresh.context.iter() {
            self.context.set(slot, copy(piece));
        }
        let fields: Vec<_> = fresh
            .fields
            .iter()
            .map(|(name, piece)| (*name, copy(*piece)))
            .collect();
        for (name, piece) in fields {
            self.set_field(name, piece);
        }
        self.compact();
    }

    /// A span that is recorded to for hours must not grow: values that were replaced are let go.
    fn compact(&mut self) {
        if self.values.len() < 4096 {
            return;
        }
        let old = std::mem::take(&mut self.values);
        let mut keep = |piece: &mut Piece| {
            let start = self.values.len();
            self.values.extend_from_slice(piece.of(&old));
            *piece = Piece::since(start, &self.values);
        };
        keep(&mut self.name);
        keep(&mut self.follows_from);
        self.context.change(&mut keep);
        self.fields.iter_mut().for_each(|(_, piece)| keep(piece));
    }
}

#[cold]
fn parsed<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
