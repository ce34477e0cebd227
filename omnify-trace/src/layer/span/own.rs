//! What a span was given itself: at its opening, and by late `record`s.

use super::{PARENT_SPAN_ID, SLOTS, SPAN_ID, piece::Piece};
use crate::{context::CorrelationContext, layer::json, schema::fields::CONTEXT_FIELDS};

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
    pub(super) context: [Piece; SLOTS],
    /// Some slot of `context` was ever set.
    pub(super) has_context: bool,
    pub(super) fields: Vec<(Name, Piece)>,
    pub(super) follows_from: Piece,
}

impl Own {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.name = Piece::default();
        if self.has_context {
            self.has_context = false;
            self.context = [Piece::default(); SLOTS];
        }
        self.fields.clear();
        self.follows_from = Piece::default();
    }

    pub(super) fn set_context(&mut self, slot: usize, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        value(&mut self.values);
        self.context[slot] = Piece::since(start, &self.values);
        self.has_context = true;
    }

    /// What a field said: `None` if none did, `Some(None)` if it makes no sense.
    pub(super) fn given<T: std::str::FromStr>(&self, slot: usize) -> Option<Option<T>> {
        if !self.has_context {
            return None;
        }
        let text = self.context[slot].of(&self.values);
        let parsed = || std::str::from_utf8(text).ok()?.parse().ok();
        (!text.is_empty()).then(parsed)
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
        context.for_each(|name, value| {
            let slot = CONTEXT_FIELDS.iter().position(|known| *known == name);
            let slot = match slot {
                Some(SPAN_ID) => PARENT_SPAN_ID,
                Some(PARENT_SPAN_ID) | None => return,
                Some(slot) => slot,
            };
            if self.context[slot].is_empty() {
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
        for slot in 0..SLOTS {
            if !fresh.context[slot].is_empty() {
                self.context[slot] = copy(fresh.context[slot]);
                self.has_context = true;
            }
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
        self.context.iter_mut().for_each(&mut keep);
        self.fields.iter_mut().for_each(|(_, piece)| keep(piece));
    }
}
