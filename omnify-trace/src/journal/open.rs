//! Opening: take a slot, recover what earlier runs left, make the ring new, start the drainer.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher as _;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use super::drain::Drainer;
use super::error::{Dropped, JournalError};
use super::header::{Checkpoint, MAGIC};
use super::housekeeping;
use super::options::JournalOptions;
use super::recover::{self, EarlierRun, Recovery};
use super::ring::{DATA_AT, Ring};
use super::shared::Shared;
use super::slot::{SLOTS, Slot};

type Opened = (Arc<Shared>, JoinHandle<()>, Recovery);

pub(super) fn open(options: JournalOptions) -> Result<Opened, JournalError> {
    options.check()?;
    for dir in [&*options.dir, options.rings()] {
        fs::create_dir_all(dir).map_err(|source| JournalError::Directory {
            path: dir.to_owned(),
            source,
        })?;
    }
    let mut recovery = Recovery::default();
    let slot = own_slot(&options, &mut recovery)?;
    let ring = own_ring(&options, slot.as_ref(), &mut recovery)?;
    recover_others(&options, &mut recovery);
    carry_losses(&ring, &recovery);
    if !ring.is_volatile() {
        ring.watch_signals();
    }
    let (ring, consumer) = ring.split();
    let shared = Arc::new(Shared::new(options, ring, slot));
    let drainer = Drainer::new(Arc::clone(&shared), consumer);
    let drainer = thread::Builder::new()
        .name("omnify-journal".into())
        .spawn(move || drainer.run())
        .map_err(JournalError::Thread)?;
    housekeeping::start(&shared.options);
    Ok((shared, drainer, recovery))
}

/// The first slot that is free and whose ring can be recovered. `None` if no ring file can be
/// opened at all.
fn own_slot(
    options: &JournalOptions,
    recovery: &mut Recovery,
) -> Result<Option<Slot>, JournalError> {
    let mut held = 0;
    for number in 0..SLOTS {
        let recovered = match Slot::take(options.rings(), number) {
            Ok(Some(slot)) => recover_slot(options, &slot).map(|run| (slot, run)),
            Ok(None) => {
                held += 1;
                continue;
            }
            Err(error) => Err(error),
        };
        match recovered {
            Ok((slot, run)) => {
                recovery.runs.extend(run);
                recovery.slot = number;
                return Ok(Some(slot));
            }
            Err(error) => recovery.failed.push((number, error.to_string())),
        }
    }
    if held == SLOTS {
        let path = options.rings().to_owned();
        return Err(JournalError::NoSlot { path, slots: SLOTS });
    }
    Ok(None)
}

/// A ring in the slot's file, or else in plain memory.
fn own_ring(
    options: &JournalOptions,
    slot: Option<&Slot>,
    recovery: &mut Recovery,
) -> Result<Ring, JournalError> {
    let Some(slot) = slot else {
        recovery.volatile = recovery.failed.first().map(|(_, error)| error.clone());
        recovery.failed.clear();
        return plain_ring(options);
    };
    new_ring(slot, options.capacity()).or_else(|error| {
        recovery.volatile = Some(error.to_string());
        // It has been drained; half a ring is of use to nobody.
        let _ = slot.file().and_then(|file| file.set_len(0));
        plain_ring(options)
    })
}

fn recover_slot(options: &JournalOptions, slot: &Slot) -> io::Result<Option<EarlierRun>> {
    recover::open_ring(slot)?
        .map(|mut ring| recover::recover(&mut ring, &options.dir, slot.number))
        .transpose()
}

/// Rings of other processes that are no more are drained and emptied.
fn recover_others(options: &JournalOptions, recovery: &mut Recovery) {
    for number in 0..SLOTS {
        let Ok(Some(slot)) = Slot::take_existing(options.rings(), number) else {
            continue;
        };
        if recovery.failed.iter().any(|(failed, _)| *failed == number) {
            continue;
        }
        let recovered = recover_slot(options, &slot).and_then(|run| {
            slot.file()?.set_len(0)?;
            Ok(run)
        });
        match recovered {
            Ok(run) => recovery.runs.extend(run),
            Err(error) => recovery.failed.push((number, error.to_string())),
        }
    }
}

pub(super) fn new_ring(slot: &Slot, capacity: usize) -> io::Result<Ring> {
    let file = slot.file()?;
    file.set_len((DATA_AT + capacity) as u64)?;
    // Blocks are had now or never: a full disk under a memory map is a fatal signal.
    #[cfg(target_os = "linux")]
    rustix::fs::fallocate(
        file,
        rustix::fs::FallocateFlags::empty(),
        0,
        (DATA_AT + capacity) as u64,
    )?;
    let mut ring = Ring::map(file, capacity)?;
    make_new(&mut ring);
    Ok(ring)
}

fn plain_ring(options: &JournalOptions) -> Result<Ring, JournalError> {
    let bytes = options.capacity();
    let mut ring = Ring::heap(bytes).map_err(|source| JournalError::Memory { bytes, source })?;
    make_new(&mut ring);
    Ok(ring)
}

fn make_new(ring: &mut Ring) {
    ring.initialise(RandomState::new().hash_one(process::id()));
    let header = ring.header();
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    header.pid.store(u64::from(process::id()), Relaxed);
    header.started.store(since.as_nanos() as u64, Relaxed);
    header.publish(&Checkpoint::default());
    header.magic.store(MAGIC, Release);
}

/// Losses that earlier runs did not tell of are told by this one.
fn carry_losses(ring: &Ring, recovery: &Recovery) {
    for (reason, count) in recovery.runs.iter().flat_map(|run| &run.untold_losses) {
        let reason: Dropped = *reason;
        ring.header().dropped[reason as usize].fetch_add(*count, Relaxed);
    }
}
