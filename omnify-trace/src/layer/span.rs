//! What the layer keeps of an open span: its own fields, and a ready fragment of the line that
//! holds those of all its ancestors too.
//!
//! The fragment of span creation never changes and is read without a lock. A late `record`
//! anywhere in a tree of spans raises the tree's epoch; from then on events in that tree look at a
//! second fragment, behind a lock, that is rendered anew whenever it is older than the epoch.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use parking_lot::{Mutex, MutexGuard};
use tracing_core::{
    field::{Field, Visit},
    span,
};
use tracing_subscriber::registry::{Extensions, ExtensionsMut};

use super::{
    json,
    plan::{self, Class, Plan},
    policy::Recording,
    redaction,
};
use crate::{
    context::{CorrelationContext, SpanId, TraceId, hex_u64, rng},
    redact::Redactor,
    schema::fields::CONTEXT_FIELDS,
};

pub(crate) const SLOTS: usize = CONTEXT_FIELDS.len();
pub(crate) const TRACE_ID: usize = 1;
pub(crate) const SPAN_ID: usize = 2;
pub(crate) const PARENT_SPAN_ID: usize = 3;

/// A stretch of a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    start: u32,
    end: u32,
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

    fn moved(self, by: u32) -> Self {
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

/// A field's name, and as it stands in the line: `,"name":`.
#[derive(Clone, Copy)]
struct Name {
    text: &'static str,
    key: &'static [u8],
}

/// One span's own fields, as they were given.
#[derive(Default)]
pub(crate) struct Own {
    values: Vec<u8>,
    name: Piece,
    context: [Piece; SLOTS],
    /// Some slot of `context` was ever set.
    has_context: bool,
    fields: Vec<(Name, Piece)>,
    follows_from: Piece,
}

/// The ids that a span has where its fields give none.
#[derive(Clone, Copy, Default)]
struct Ids {
    /// Empty (zero) if the parent's text has it.
    trace: u128,
    span: u64,
    /// Zero for none.
    parent: u64,
}

/// The part of a line that a span decides: `,"context":{…},"span":{…}`.
#[derive(Default)]
pub(crate) struct Fragment {
    bytes: Vec<u8>,
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
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn context(&self, slot: usize) -> &[u8] {
        self.context[slot].of(&self.bytes)
    }

    pub(crate) fn span(&self) -> &[u8] {
        self.span.of(&self.bytes)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.span = Piece::default();
        self.inside = Piece::default();
        self.fields.clear();
    }

    /// `opening`: `,"span":{"name":"x"`, as the callsite has it.
    fn render(&mut self, opening: &[u8], own: &Own, ids: Ids, parent: Option<&Self>) {
        self.clear();
        match parent {
            Some(parent) if !own.has_context && ids.parent != 0 => {
                self.render_plain_child(ids, parent);
            }
            _ => self.render_context(own, ids, parent),
        }
        self.render_span(opening, own, parent);
    }

    fn render_context(&mut self, own: &Own, ids: Ids, parent: Option<&Self>) {
        self.bytes.extend_from_slice(b",\"context\":{");
        self.context = [Piece::default(); SLOTS];
        let mut comma = false;
        for slot in 0..SLOTS {
            let mut value = own.context[slot].of(&own.values);
            let digits;
            if value.is_empty() {
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
                self.context[slot] = context_member(&mut self.bytes, slot, comma, value);
                comma = true;
            }
        }
        self.bytes.push(b'}');
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

impl Ids {
    /// The digits of one of the three, or nothing.
    fn digits(self, slot: usize) -> Digits {
        let mut digits = Digits {
            bytes: [0; 32],
            length: 0,
        };
        let id = match slot {
            TRACE_ID => {
                digits.bytes[16..].copy_from_slice(&hex_u64(self.trace as u64));
                (self.trace >> 64) as u64
            }
            SPAN_ID => self.span,
            PARENT_SPAN_ID => self.parent,
            _ => return digits,
        };
        digits.bytes[..16].copy_from_slice(&hex_u64(id));
        if slot == TRACE_ID && self.trace != 0 {
            digits.length = 32;
        } else if slot != TRACE_ID && id != 0 {
            digits.length = 16;
        }
        digits
    }
}

struct Digits {
    bytes: [u8; 32],
    length: usize,
}

impl Digits {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// `,"name":"` of each member of the context.
const KEYS: [&[u8]; SLOTS] = [
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

/// Appends `"name":"value"` of the context and tells where the value is.
pub(crate) fn context_member(out: &mut Vec<u8>, slot: usize, comma: bool, value: &[u8]) -> Piece {
    let key = KEYS[slot];
    out.extend_from_slice(&key[usize::from(!comma)..]);
    let start = out.len();
    out.extend_from_slice(value);
    let piece = Piece::since(start, out);
    out.push(b'"');
    piece
}

#[derive(Default)]
struct Late {
    epoch: u32,
    fragment: Fragment,
}

/// An open span.
pub(crate) struct SpanState {
    parent: Option<Arc<Self>>,
    root: Option<Arc<Self>>,
    /// `,"span":{"name":"x"`
    opening: &'static [u8],
    ids: Ids,
    /// Of the whole tree; only the root's is used.
    epoch: AtomicU32,
    own: Mutex<Own>,
    first: Fragment,
    late: Mutex<Late>,
    /// What came from the wire and is no field: flags, `tracestate`, baggage.
    carrier: Option<CorrelationContext>,
    trace_id: u128,
    span_id: u64,
    /// Of the whole tree; only the root's is used, and only by the flight recorder.
    pub(crate) recording: Mutex<Recording>,
}

impl SpanState {
    fn empty() -> Self {
        Self {
            parent: None,
            root: None,
            opening: b"",
            ids: Ids::default(),
            epoch: AtomicU32::new(0),
            own: Mutex::default(),
            first: Fragment::default(),
            late: Mutex::default(),
            carrier: None,
            trace_id: 0,
            span_id: 0,
            recording: Mutex::default(),
        }
    }

    pub(crate) fn open(
        attributes: &span::Attributes<'_>,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        parent: Option<Arc<Self>>,
        attached: Option<CorrelationContext>,
    ) -> Arc<Self> {
        let mut state = super::pool::take().unwrap_or_else(|| Arc::new(Self::empty()));
        if let Some(span) = Arc::get_mut(&mut state) {
            span.fill(attributes, plan, redactor, parent, attached);
        }
        state
    }

    fn fill(
        &mut self,
        attributes: &span::Attributes<'_>,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        parent: Option<Arc<Self>>,
        attached: Option<CorrelationContext>,
    ) {
        self.opening = &plan.span;
        self.root = parent
            .as_ref()
            .map(|parent| Arc::clone(parent.root.as_ref().unwrap_or(parent)));
        self.parent = parent;
        let own = self.own.get_mut();
        attributes.record(&mut SpanVisitor {
            own,
            plan,
            redactor,
        });
        if let Some(context) = &attached {
            own.attach(context);
        }
        self.carrier = attached.or_else(|| self.parent.as_ref()?.carrier.clone());
        self.identify();
        let parent = self.parent.as_deref();
        // A context of another trace was attached: what the parent knows is not about this work.
        let inherits = parent.is_none_or(|parent| parent.trace_id == self.trace_id);
        let (opening, ids) = (self.opening, self.ids);
        let own = self.own.get_mut();
        let first = &mut self.first;
        match parent.filter(|_| inherits) {
            Some(parent) => {
                parent.with_fragment(|parent| first.render(opening, own, ids, Some(parent)));
            }
            None => first.render(opening, own, ids, None),
        }
        if !inherits {
            self.parent = None;
            self.root = None;
        }
    }

    /// Decides trace id, span id and parent span id, where the fields did not.
    fn identify(&mut self) {
        let parent = self.parent.as_deref();
        let own = self.own.get_mut();
        self.ids = Ids::default();
        self.trace_id = match (own.given::<TraceId>(TRACE_ID), parent) {
            (Some(given), _) => given.map_or_else(|| rng::nonzero_u128().get(), TraceId::to_u128),
            (None, Some(parent)) => parent.trace_id,
            (None, None) => {
                self.ids.trace = rng::nonzero_u128().get();
                self.ids.trace
            }
        };
        self.span_id = match own.given::<SpanId>(SPAN_ID) {
            Some(Some(id)) => id.to_u64(),
            given => {
                if given.is_some() {
                    own.context[SPAN_ID] = Piece::default();
                }
                self.ids.span = rng::nonzero_u64().get();
                self.ids.span
            }
        };
        if let Some(parent) = parent.filter(|parent| parent.trace_id == self.trace_id)
            && own.context[PARENT_SPAN_ID].is_empty()
        {
            self.ids.parent = parent.span_id;
        }
    }

    /// The outermost span of this one's tree.
    pub(crate) fn root(&self) -> &Self {
        self.root.as_deref().unwrap_or(self)
    }

    pub(crate) fn is_root(&self) -> bool {
        self.root.is_none()
    }

    pub(crate) fn trace_id(&self) -> u128 {
        self.trace_id
    }

    fn tree_epoch(&self) -> u32 {
        self.root().epoch.load(Ordering::Acquire)
    }

    fn raise_epoch(&self) {
        self.root().epoch.fetch_add(1, Ordering::Release);
    }

    /// Calls `read` with the fragment that holds everything recorded so far.
    #[inline]
    pub(crate) fn with_fragment<R>(&self, read: impl FnOnce(&Fragment) -> R) -> R {
        let epoch = self.tree_epoch();
        if epoch == 0 {
            return read(&self.first);
        }
        read(&self.fresh(epoch).fragment)
    }

    /// The late fragment, rendered anew if it is older than `epoch`. Locks go from child to parent.
    #[cold]
    fn fresh(&self, epoch: u32) -> MutexGuard<'_, Late> {
        let mut late = self.late.lock();
        if late.epoch != epoch {
            let own = self.own.lock();
            let parent = self.parent.as_deref().map(|parent| parent.fresh(epoch));
            let parent = parent.as_ref().map(|parent| &parent.fragment);
            late.fragment.render(self.opening, &own, self.ids, parent);
            late.epoch = epoch;
        }
        late
    }

    pub(crate) fn record(
        &self,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        values: &span::Record<'_>,
    ) {
        // The user's Debug code runs before the lock is taken: it may log in this very span.
        let mut fresh = Own::default();
        values.record(&mut SpanVisitor {
            own: &mut fresh,
            plan,
            redactor,
        });
        self.own.lock().merge(&fresh);
        self.raise_epoch();
    }

    pub(crate) fn follow(&self, other: &Self) {
        let mut own = self.own.lock();
        let earlier = own.follows_from.of(&own.values).to_vec();
        let start = own.values.len();
        own.values.extend_from_slice(&earlier);
        if !earlier.is_empty() {
            own.values.push(b',');
        }
        own.values.push(b'"');
        json::hex(&mut own.values, &other.span_id.to_be_bytes());
        own.values.push(b'"');
        own.follows_from = Piece::since(start, &own.values);
        drop(own);
        self.raise_epoch();
    }

    /// Everything known here, typed.
    pub(crate) fn context(&self) -> CorrelationContext {
        let builder = self
            .carrier
            .as_ref()
            .map_or_else(CorrelationContext::builder, |carrier| {
                carrier.carried_only()
            });
        self.with_fragment(|fragment| {
            let text = |slot| unescape(fragment.context(slot));
            builder
                .request_id(text(0).and_then(|t| t.parse().ok()))
                .trace_id(text(TRACE_ID).and_then(|t| t.parse().ok()))
                .span_id(text(SPAN_ID).and_then(|t| t.parse().ok()))
                .parent_span_id(text(PARENT_SPAN_ID).and_then(|t| t.parse().ok()))
                .session_id(text(4).and_then(|t| t.parse().ok()))
                .user_id(text(5).and_then(|t| t.parse().ok()))
                .organization_id(text(6).and_then(|t| t.parse().ok()))
                .workflow_id(text(7).and_then(|t| t.parse().ok()))
                .run_id(text(8).and_then(|t| t.parse().ok()))
                .step_id(text(9).and_then(|t| t.parse().ok()))
                .agent(text(10).and_then(|t| t.parse().ok()))
                .build()
        })
    }

    /// Makes the memory ready for another span; gives back what it held on to.
    pub(crate) fn reset(&mut self) -> (Option<Arc<Self>>, Option<Arc<Self>>) {
        self.own.get_mut().clear();
        let late = self.late.get_mut();
        if late.epoch != 0 {
            late.epoch = 0;
            late.fragment.clear();
        }
        *self.epoch.get_mut() = 0;
        self.recording.get_mut().clear();
        self.carrier = None;
        (self.parent.take(), self.root.take())
    }

    /// Bytes of buffers kept for reuse.
    pub(crate) fn footprint(&self) -> usize {
        self.first.bytes.capacity()
    }
}

fn unescape(escaped: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    if escaped.is_empty() {
        return None;
    }
    if !escaped.contains(&b'\\') {
        return std::str::from_utf8(escaped).ok().map(Into::into);
    }
    let quoted = [b"\"", escaped, b"\""].concat();
    serde_json::from_slice::<String>(&quoted)
        .ok()
        .map(Into::into)
}

impl Own {
    fn clear(&mut self) {
        self.values.clear();
        self.name = Piece::default();
        if self.has_context {
            self.has_context = false;
            self.context = [Piece::default(); SLOTS];
        }
        self.fields.clear();
        self.follows_from = Piece::default();
    }

    fn set_context(&mut self, slot: usize, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        value(&mut self.values);
        self.context[slot] = Piece::since(start, &self.values);
        self.has_context = true;
    }

    /// What a field said: `None` if none did, `Some(None)` if it makes no sense.
    fn given<T: std::str::FromStr>(&self, slot: usize) -> Option<Option<T>> {
        if !self.has_context {
            return None;
        }
        let text = self.context[slot].of(&self.values);
        let parsed = || std::str::from_utf8(text).ok()?.parse().ok();
        (!text.is_empty()).then(parsed)
    }

    fn set_field(&mut self, name: Name, piece: Piece) {
        let same = |known: &&mut (Name, Piece)| known.0.text == name.text;
        match self.fields.iter_mut().find(same) {
            Some((_, known)) => *known = piece,
            None => self.fields.push((name, piece)),
        }
    }

    /// The context's ids become this span's own; its current span becomes the parent.
    fn attach(&mut self, context: &CorrelationContext) {
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

    fn merge(&mut self, fresh: &Self) {
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

/// Takes a span's fields in.
struct SpanVisitor<'a> {
    own: &'a mut Own,
    plan: &'static Plan,
    redactor: Option<&'a Redactor>,
}

impl SpanVisitor<'_> {
    /// `text`: the value without quotes; `quoted`: whether a plain field needs them.
    #[inline]
    fn put(&mut self, field: &Field, quoted: bool, text: impl FnOnce(&mut Vec<u8>)) {
        let class = self.class(field);
        let own = &mut *self.own;
        match class {
            Class::Context(slot) => own.set_context(usize::from(slot), text),
            Class::SpanName => {
                let start = own.values.len();
                text(&mut own.values);
                own.name = Piece::since(start, &own.values);
            }
            _ => {
                let start = own.values.len();
                if quoted {
                    own.values.push(b'"');
                }
                text(&mut own.values);
                if quoted {
                    own.values.push(b'"');
                }
                if let Some(redactor) = self.redactor
                    && (self.plan.secrets || redactor.looks_further())
                {
                    let known = self.plan.fields.get(field.index());
                    let secret = known.is_some_and(|known| known.secret);
                    redaction::value(redactor, &mut own.values, start, field.name(), secret);
                }
                let name = Name {
                    text: plan::wire_name(field.name()),
                    key: self.plan.key(field),
                };
                own.set_field(name, Piece::since(start, &own.values));
            }
        }
    }

    fn class(&self, field: &Field) -> Class {
        let known = self.plan.fields.get(field.index());
        known.map_or(Class::Plain, |field| field.class)
    }

    fn slot(&self, field: &Field) -> Option<usize> {
        match self.class(field) {
            Class::Context(slot) => Some(usize::from(slot)),
            _ => None,
        }
    }
}

impl Visit for SpanVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.class(field) == Class::Json {
            self.put(field, false, |out| json::raw(out, value));
        } else {
            self.put(field, true, |out| json::escape(out, value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.slot(field) {
            Some(SPAN_ID | PARENT_SPAN_ID) => {
                self.put(field, false, |out| json::hex(out, &value.to_be_bytes()));
            }
            _ => self.put(field, false, |out| json::integer(out, value)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, false, |out| json::integer(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match self.slot(field) {
            Some(TRACE_ID) => self.put(field, false, |out| json::hex(out, &value.to_be_bytes())),
            _ => self.put(field, false, |out| json::integer(out, value)),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, false, |out| json::integer(out, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.slot(field).is_some() {
            self.put(field, false, |out| {
                json::write(out, format_args!("{value}"));
            });
        } else {
            self.put(field, false, |out| json::float(out, value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, false, |out| json::boolean(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.put(field, true, |out| json::hex(out, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, true, |out| super::exception::one_line(out, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if self.class(field) == Class::Json {
            self.record_str(field, &format!("{value:?}"));
        } else {
            self.put(field, true, |out| json::debug(out, value));
        }
    }
}

/// A layer's handle on a span, kept in the registry.
pub(crate) struct Handle {
    layer: usize,
    state: Arc<SpanState>,
    /// Another JSON layer's, where several are at work.
    other: Option<Box<Self>>,
}

impl Handle {
    /// Keeps a layer's state beside those of other layers.
    pub(crate) fn insert(extensions: &mut ExtensionsMut<'_>, layer: usize, state: Arc<SpanState>) {
        let mut handle = Self {
            layer,
            state,
            other: None,
        };
        if let Some(first) = extensions.get_mut::<Self>() {
            std::mem::swap(first, &mut handle);
            first.other = Some(Box::new(handle));
        } else {
            extensions.insert(handle);
        }
    }

    /// The state that this layer keeps.
    pub(crate) fn find(extensions: &Extensions<'_>, layer: usize) -> Option<Arc<SpanState>> {
        let first = extensions.get::<Self>();
        let mut all = std::iter::successors(first, |handle| handle.other.as_deref());
        let handle = all.find(|handle| handle.layer == layer)?;
        Some(Arc::clone(&handle.state))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        super::pool::give(&mut self.state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_keys_are_those_of_the_schema() {
        for (key, name) in KEYS.iter().zip(CONTEXT_FIELDS) {
            assert_eq!(*key, format!(",\"{name}\":\"").as_bytes());
        }
    }
}
