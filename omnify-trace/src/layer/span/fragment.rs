//! The part of a line that a span decides, made once.

use super::{
    PARENT_SPAN_ID, SLOTS, SPAN_ID, TRACE_ID,
    ids::Ids,
    own::{Name, Own},
    piece::Piece,
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
    context: [Piece; SLOTS],
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
        self.context[slot].of(&self.bytes)
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
            Some(parent) if !own.has_context && ids.parent != 0 => {
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
        self.context = [Piece::default(); SLOTS];
        let start = self.bytes.len();
        for slot in 0..SLOTS {
            let mut value = own.context[slot].of(&own.values);
            let digits;
            if value.is_empty() && (TRACE_ID..=PARENT_SPAN_ID).contains(&slot) {
                digits = ids.digits(slot);
                value = digits.as_slice();
            }
            if value.is_empty()
                && slot != PARENT_SPAN_ID
                && let Some(parent) = parent
            {
                value = parent.context(slot);
            }
            if !value.is_empty() {
                self.context[slot] = context_member(&mut self.bytes, slot, value);
            }
        }
        close_context(&mut self.bytes, start);
    }

    /// Most spans bring no ids but their own two: the parent's context is copied in two stretches.
    fn render_plain_child(&mut self, ids: Ids, parent: &Self) {
        const BETWEEN: &[u8; 20] = b"\",\"parent_span_id\":\"";
        const LENGTH: usize = 16 + BETWEEN.len() + 16 + 1;
        let span_id = parent.context[SPAN_ID];
        let before = span_id.start as usize;
        let mut after = span_id.end as usize + 1;
        if !parent.context[PARENT_SPAN_ID].is_empty() {
            after = parent.context[PARENT_SPAN_ID].end as usize + 1;
        }
        let mut own = [b'"'; LENGTH];
        own[..16].copy_from_slice(&hex_u64(ids.span));
        own[16..36].copy_from_slice(BETWEEN);
        own[36..52].copy_from_slice(&hex_u64(ids.parent));
        let end = parent.span.start as usize;
        self.start = parent.start;
        self.bytes
            .extend_from_slice(parent.bytes.get(..before).unwrap_or_default());
        self.bytes.extend_from_slice(&own);
        let moved = self.bytes.len().wrapping_sub(after) as u32;
        self.bytes
            .extend_from_slice(parent.bytes.get(after..end).unwrap_or_default());
        self.context = parent.context;
        for piece in &mut self.context[PARENT_SPAN_ID + 1..] {
            // One that is empty stays so.
            *piece = piece.moved(moved);
        }
        let piece = |at: usize, length: u32| Piece {
            start: (before + at) as u32,
            end: (before + at) as u32 + length,
        };
        self.context[SPAN_ID] = piece(0, 16);
        self.context[PARENT_SPAN_ID] = piece(36, 16);
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
