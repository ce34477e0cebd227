//! The part of a line that a span decides, made once.

use super::{
    PARENT_SPAN_ID, SLOTS, SPAN_ID,
    ids::Ids,
    own::{Name, Own},
    piece::{Piece, Pieces},
};
use crate::{context::hex_u64, layer::json::Out};

/// What a callsite has ready for its spans.
#[derive(Clone, Copy, Default)]
pub(super) struct Ready {
    /// `,"service":{…}`
    pub(super) service: &'static [u8],
    /// `,"span":{"name":"x"`
    pub(super) opening: &'static [u8],
}

/// The part of a line that a span decides: `,"context":{…},"span":{…}`.
#[derive(Default)]
pub(crate) struct Fragment {
    /// `,"service":{…}`, which goes before it in each line, and the part itself.
    pub(super) bytes: Vec<u8>,
    /// Where the part itself begins.
    start: usize,
    /// The values of the context in `bytes`, escaped, without quotes.
    context: Pieces,
    /// `,"span":{…}` in `bytes`.
    span: Piece,
    /// What stands between the braces of `span.fields`.
    inside: Piece,
    /// The values of `span.fields` in `bytes`.
    fields: Vec<(Name, Piece)>,
}

impl Fragment {
    /// The part itself.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The service and the part.
    #[inline]
    pub(crate) fn with_service(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn context(&self, slot: usize) -> &[u8] {
        let piece = self.context.get(slot);
        piece.map_or(&[], |piece| piece.of(&self.bytes))
    }

    pub(crate) fn span(&self) -> &[u8] {
        self.span.of(&self.bytes)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.span = Piece::default();
        self.inside = Piece::default();
        self.fields.clear();
    }

    /// `ready` is what the callsite has ready for its spans.
    pub(super) fn render(&mut self, ready: Ready, own: &Own, ids: Ids, parent: Option<&Self>) {
        self.clear();
        match parent {
            Some(parent)
                if own.context.is_empty()
                    && ids.parent != 0
                    && parent.context.get(SPAN_ID).is_some() =>
            {
                self.render_plain_child(ids, parent);
            }
            _ => self.render_context(ready.service, own, ids, parent),
        }
        self.render_span(ready.opening, own, parent);
    }

    fn render_context(&mut self, service: &[u8], own: &Own, ids: Ids, parent: Option<&Self>) {
        self.bytes.extend_from_slice(service);
        self.start = service.len();
        self.bytes.extend_from_slice(b",\"context\":");
        let start = self.bytes.len();
        let made = ids.made() & !own.context.known();
        let inherited = parent.map_or(0, |parent| parent.context.known() & !(1 << PARENT_SPAN_ID));
        let bytes = &mut self.bytes;
        self.context
            .fill(own.context.known() | made | inherited, |slot| {
                if let Some(given) = own.context.get(slot) {
                    context_member(bytes, slot, given.of(&own.values))
                } else if made >> slot & 1 == 1 {
                    made_member(bytes, slot, ids)
                } else {
                    context_member(
                        bytes,
                        slot,
                        parent.map_or(&[], |parent| parent.context(slot)),
                    )
                }
            });
        close_context(&mut self.bytes, start);
    }

    /// Most spans bring no ids but their own two: the parent's context is copied in two stretches.
    fn render_plain_child(&mut self, ids: Ids, parent: &Self) {
        const BETWEEN: &[u8; 32] = b"\",\"parent_span_id\":\"            ";
        const BETWEEN_LENGTH: usize = 20;
        let of = |slot| parent.context.get(slot).unwrap_or_default();
        let before = of(SPAN_ID).start as usize;
        // From the quote behind the ids on.
        let after = of(SPAN_ID).end.max(of(PARENT_SPAN_ID).end) as usize;
        let end = parent.span.start as usize;
        self.start = parent.start;
        self.bytes
            .extend_from_slice(parent.bytes.get(..before).unwrap_or_default());
        self.bytes.put_cut(&hex_u64(ids.span), 16);
        self.bytes.put_cut(BETWEEN, BETWEEN_LENGTH);
        self.bytes.put_cut(&hex_u64(ids.parent), 16);
        let moved = self.bytes.len().wrapping_sub(after) as u32;
        self.bytes
            .extend_from_slice(parent.bytes.get(after..end).unwrap_or_default());
        self.context = parent.context;
        self.context.move_after(PARENT_SPAN_ID, moved);
        let piece = |at: usize| Piece {
            start: (before + at) as u32,
            end: (before + at) as u32 + 16,
        };
        self.context.set(SPAN_ID, piece(0));
        self.context.set(PARENT_SPAN_ID, piece(16 + BETWEEN_LENGTH));
    }

    fn render_span(&mut self, opening: &[u8], own: &Own, parent: Option<&Self>) {
        let start = self.bytes.len();
        if own.name.is_empty() {
            self.bytes.extend_from_slice(opening);
        } else {
            self.bytes.extend_from_slice(b",\"span\":{\"name\":\"");
            self.bytes.extend_from_slice(own.name.of(&own.values));
            self.bytes.push(b'"');
        }
        self.render_fields(own, parent);
        if !own.follows_from.is_empty() {
            self.bytes.extend_from_slice(b",\"follows_from\":[");
            self.bytes
                .extend_from_slice(own.follows_from.of(&own.values));
            self.bytes.push(b']');
        }
        self.bytes.push(b'}');
        self.span = Piece::since(start, &self.bytes);
    }

    fn render_fields(&mut self, own: &Own, parent: Option<&Self>) {
        let inherited = parent.filter(|parent| !parent.fields.is_empty());
        if inherited.is_none() && own.fields.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(b",\"fields\":{");
        let start = self.bytes.len();
        if let Some(parent) = inherited {
            let replaced = |name: &Name| own.fields.iter().any(|(mine, _)| mine.text == name.text);
            if parent.fields.iter().any(|(name, _)| replaced(name)) {
                for (name, piece) in parent.fields.iter().filter(|(name, _)| !replaced(name)) {
                    self.field(*name, start, piece.of(&parent.bytes));
                }
            } else {
                let moved = (start as u32).wrapping_sub(parent.inside.start);
                self.bytes
                    .extend_from_slice(parent.inside.of(&parent.bytes));
                let all = parent.fields.iter();
                self.fields
                    .extend(all.map(|(name, piece)| (*name, piece.moved(moved))));
            }
        }
        for (name, piece) in &own.fields {
            self.field(*name, start, piece.of(&own.values));
        }
        self.inside = Piece::since(start, &self.bytes);
        self.bytes.push(b'}');
    }

    /// A member of the object that began at `start`.
    fn field(&mut self, name: Name, start: usize, value: &[u8]) {
        let no_comma = usize::from(self.bytes.len() == start);
        self.bytes
            .extend_from_slice(name.key.get(no_comma..).unwrap_or_default());
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.fields.push((name, Piece::since(start, &self.bytes)));
    }
}

/// `,"name":"` of each member of the context, in blocks of one size.
const KEYS: [([u8; 24], usize); SLOTS] = {
    let names: [&[u8]; SLOTS] = [
        b",\"request_id\":\"",
        b",\"trace_id\":\"",
        b",\"span_id\":\"",
        b",\"parent_span_id\":\"",
        b",\"session_id\":\"",
        b",\"user_id\":\"",
        b",\"organization_id\":\"",
        b",\"workflow_id\":\"",
        b",\"run_id\":\"",
        b",\"step_id\":\"",
        b",\"agent\":\"",
    ];
    let mut keys = [([0; 24], 0); SLOTS];
    let mut slot = 0;
    while slot < SLOTS {
        let (start, _) = keys[slot].0.split_at_mut(names[slot].len());
        start.copy_from_slice(names[slot]);
        keys[slot].1 = names[slot].len();
        slot += 1;
    }
    keys
};

/// Appends `,"name":"value"` of the context and tells where the value is.
#[inline]
pub(crate) fn context_member(out: &mut Vec<u8>, slot: usize, value: &[u8]) -> Piece {
    let (key, length) = &KEYS[slot];
    out.put_cut(key, *length);
    let start = out.len();
    out.put_short(value);
    let piece = Piece::since(start, out);
    out.push(b'"');
    piece
}

/// The same of an id that the span was given by us.
fn made_member(out: &mut Vec<u8>, slot: usize, ids: Ids) -> Piece {
    let (key, length) = &KEYS[slot];
    out.put_cut(key, *length);
    let start = out.len();
    let (first, second) = ids.halves(slot);
    // Straight from the registers: what is read right after it was written in parts has to wait.
    if let Some(first) = first {
        out.put_cut(&hex_u64(first), 16);
    }
    out.put_cut(&hex_u64(second), 16);
    let piece = Piece::since(start, out);
    out.push(b'"');
    piece
}

/// Puts braces around the members from `start` on.
pub(crate) fn close_context(out: &mut Vec<u8>, start: usize) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::fields::CONTEXT_FIELDS;

    #[test]
    fn ready_keys_are_those_of_the_schema() {
        for (key, name) in KEYS.iter().zip(CONTEXT_FIELDS) {
            assert_eq!(key.0[..key.1], *format!(",\"{name}\":\"").as_bytes());
        }
    }
}
