//! Every open operation of the process, in shards that threads seldom share.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::op::Op;

const SHARDS: usize = 64;
/// More than a million open operations at once are not watched: memory stays bounded.
const PER_SHARD: usize = 1 << 14;

static REGISTRY: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];

/// Apart from its neighbours' cache lines.
#[repr(align(128))]
struct Shard(Mutex<Slots>);

struct Slots {
    ops: Vec<Option<Arc<Op>>>,
    free: Vec<u32>,
}

impl Shard {
    const fn new() -> Self {
        Self(Mutex::new(Slots {
            ops: Vec::new(),
            free: Vec::new(),
        }))
    }
}

/// Where an open operation is registered.
#[derive(Debug)]
pub(crate) struct Place {
    shard: u32,
    slot: u32,
}

/// Registers an operation; `None` when there are too many.
pub(crate) fn open(op: &Arc<Op>) -> Option<Place> {
    let shard = shard_of_thread();
    let mut slots = REGISTRY[shard].0.lock();
    let slot = match slots.free.pop() {
        Some(slot) => slot,
        None if slots.ops.len() < PER_SHARD => {
            slots.ops.push(None);
            (slots.ops.len() - 1) as u32
        }
        None => return None,
    };
    slots.ops[slot as usize] = Some(Arc::clone(op));
    Some(Place {
        shard: shard as u32,
        slot,
    })
}

/// Takes an operation out again.
pub(crate) fn close(place: &Place) {
    let mut slots = REGISTRY[place.shard as usize].0.lock();
    let op = slots.ops[place.slot as usize].take();
    slots.free.push(place.slot);
    drop(slots);
    // Its destructor may close spans, which is not for this lock.
    drop(op);
}

/// Calls `visit` with every open operation. Holds one shard at a time: `visit` must be quick
/// and must not open or close operations.
pub(crate) fn each(mut visit: impl FnMut(&Arc<Op>)) {
    for shard in &REGISTRY {
        shard.0.lock().ops.iter().flatten().for_each(&mut visit);
    }
}

fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    SHARD
        .try_with(|shard| {
            if shard.get() == usize::MAX {
                shard.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
            }
            shard.get()
        })
        .unwrap_or(0)
}
