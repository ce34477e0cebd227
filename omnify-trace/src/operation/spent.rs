//! What took the time of a piece of work: the operations inside it, ended lately or still open.
//!
//! Operations that ended are remembered for a while in small rings, one per few threads; those
//! that took less than a tenth of a millisecond explain nothing and are not, which keeps this off
//! the path of the quick ones.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::dispatcher;

use super::clock;
use super::kind::Kind;
use super::op::{Detail, Op, Text};
use super::registry;
use super::shards::{SHARDS, shard_of_thread};
use crate::context::CorrelationContext;

/// Shorter operations are not remembered.
const WORTH: Duration = Duration::from_micros(100);
/// Ended operations that a shard remembers.
const REMEMBERED: usize = 512;
/// Longest part of a name (a statement, mostly) that is kept.
const NAME: usize = 200;

static RECENT: [Ring; SHARDS] = [const { Ring(Mutex::new(Entries::new())) }; SHARDS];

/// Apart from its neighbours' cache lines.
#[repr(align(128))]
struct Ring(Mutex<Entries>);

struct Entries {
    entries: Vec<Ended>,
    next: usize,
}

impl Entries {
    const fn new() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
        }
    }

    fn push(&mut self, ended: Ended) {
        match self.entries.get_mut(self.next) {
            Some(oldest) => *oldest = ended,
            None => self.entries.push(ended),
        }
        self.next = (self.next + 1) % REMEMBERED;
    }
}

#[derive(Debug)]
struct Ended {
    key: Key,
    kind: Kind,
    name: Text,
    /// By the operations' raw clock.
    started: u64,
    took: Duration,
}

/// Whose work: the trace, and the request in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    trace: u128,
    request: u64,
}

impl Key {
    fn of(context: &CorrelationContext) -> Option<Self> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let request = context.request_id();
        Some(Self {
            trace: context.trace_id()?.to_u128(),
            request: request.map_or(0, |id| hasher.hash_one(id.as_str())),
        })
    }
}

/// Operations of one kind and name, and the time that they took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// What they are.
    pub kind: Kind,
    /// The id of a workflow or step, the name of an agent, API, method and route of a call, the
    /// statement of a query.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Those of them that have not ended.
    pub open: u32,
    /// Their durations together. Those that ran side by side add up to more than the wall's time.
    pub total: Duration,
}

/// What took the time of the request that `context` belongs to, the most expensive first:
/// operations that began at `since` or later, whether they ended or are open. Those shorter than
/// a tenth of a millisecond are left out, and of hundreds that ended since the earliest may be.
///
/// ```
/// use std::time::{Duration, Instant};
/// use omnify_trace::{CorrelationContext, operation};
/// # let sink = omnify_trace::layer::MemorySink::new();
/// # use tracing_subscriber::layer::SubscriberExt as _;
/// # let layer = omnify_trace::layer::JsonLayer::new(sink);
/// # let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
/// # let span = tracing::info_span!("request", request_id = "r-1").entered();
/// let since = Instant::now();
/// operation::db_query("select * from orders where id = 7")
///     .run_sync_any(|| std::thread::sleep(Duration::from_millis(1)));
/// let context = CorrelationContext::current().expect("inside a span");
/// let spent = operation::spent(&context, since);
/// assert_eq!(spent[0].name, "select * from orders where id = ?");
/// ```
#[must_use]
pub fn spent(context: &CorrelationContext, since: Instant) -> Vec<Spent> {
    let Some(key) = Key::of(context) else {
        return Vec::new();
    };
    let since = clock::raw_at(since);
    let mut groups: Vec<Spent> = Vec::new();
    for ring in &RECENT {
        for ended in &ring.0.lock().entries {
            if ended.key == key && ended.started >= since {
                add(&mut groups, ended.kind, &ended.name, ended.took, false);
            }
        }
    }
    let mut open: Vec<Arc<Op>> = Vec::new();
    registry::each(|op| {
        if op.started >= since {
            open.push(Arc::clone(op));
        }
    });
    for op in open {
        if !op.watch.has_ended() && key_of(&op) == Some(key) {
            add(&mut groups, op.kind(), &label(&op), op.elapsed(), true);
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.total));
    groups
}

/// Remembers an operation that has just ended.
pub(super) fn remember(op: &Op, took: Duration) {
    if took < WORTH {
        return;
    }
    let Some(key) = key_of(op) else { return };
    let ended = Ended {
        key,
        kind: op.kind(),
        name: label(op),
        started: op.started,
        took,
    };
    RECENT[shard_of_thread()].0.lock().push(ended);
}

fn key_of(op: &Op) -> Option<Key> {
    // Another thread may have another subscriber: the span is asked in its own.
    let context = op.span.with_subscriber(|(_, dispatch)| {
        dispatcher::with_default(dispatch, || op.span.in_scope(CorrelationContext::current))
    });
    Key::of(&context.flatten()?)
}

fn label(op: &Op) -> Text {
    let name: Text = match &op.detail {
        Detail::ExternalApi(call) => format!("{} {} {}", call.api, call.method, call.route).into(),
        Detail::Workflow(workflow) => workflow.id.clone(),
        Detail::Step(step) => step.id.clone(),
        Detail::Agent(agent) => agent.name.clone(),
        Detail::DbQuery(query) => query.statement.clone(),
    };
    if name.len() <= NAME {
        return name;
    }
    name[..name.floor_char_boundary(NAME)].to_owned().into()
}

fn add(groups: &mut Vec<Spent>, kind: Kind, name: &str, took: Duration, is_open: bool) {
    let known = groups
        .iter_mut()
        .find(|group| group.kind == kind && group.name == name);
    if let Some(group) = known {
        group.count += 1;
        group.open += u32::from(is_open);
        group.total += took;
    } else {
        groups.push(Spent {
            kind,
            name: name.to_owned(),
            count: 1,
            open: u32::from(is_open),
            total: took,
        });
    }
}
