//! The ring under loom: this very code, in every order of events that the memory model allows.
//! `cargo test --manifest-path tests/loom/Cargo.toml`.
//!
//! Loom takes `SeqCst` for `AcqRel`, so it cannot judge the drainer's sleep (see `wake`).

pub(in crate::journal) mod memory;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use loom::thread;

use self::memory::{Death, die_after};
use super::*;
use crate::journal::header::Checkpoint;

/// Room for two lines of the models.
const CAPACITY: usize = 32;

/// What was pushed: producer and number, and padding to eight bytes.
type Name = [u8; 8];

fn name(producer: u8, n: u8) -> Name {
    [producer, n, 7, 7, 7, 7, 7, 7]
}

fn ring() -> (Arc<Ring>, Consumer) {
    let mut ring = Ring::heap(CAPACITY).unwrap();
    ring.initialise(0x1234_5678_9ABC_DEF0);
    ring.header().publish(&Checkpoint::default());
    ring.split()
}

fn every_order(preemptions: Option<usize>, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    builder.preemption_bound = preemptions;
    builder.check(run);
}

/// Runs `work` until it ends or dies; what it did before is what counts.
fn mortal(accesses: Option<usize>, work: impl FnOnce()) {
    die_after(accesses);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work))
        && !panic.is::<Death>()
    {
        resume_unwind(panic);
    }
    die_after(None);
}

/// Pushes `lines` lines, and notes those that the ring took, once it said so.
fn produce(ring: &Ring, producer: u8, lines: u8, taken: &Mutex<Vec<Name>>) {
    for n in 0..lines {
        let line = name(producer, n);
        if ring.push(Stream::Backend, &line).is_ok() {
            taken.lock().unwrap().push(line);
        }
    }
}

/// The drainer's order of things: lines into the file, the checkpoint, and then room.
fn drain(ring: &Ring, consumer: &mut Consumer, file: &Mutex<Vec<Name>>) {
    let mut batch: Vec<Name> = Vec::new();
    while let Some(line) = consumer.next() {
        batch.push([line.first, line.second].concat().try_into().unwrap());
    }
    if batch.is_empty() {
        if consumer.rewind() {
            let len = file.lock().unwrap().len();
            publish(ring, consumer, len);
            consumer.settle();
        }
        return;
    }
    let len = {
        let mut file = file.lock().unwrap();
        file.extend(batch);
        file.len()
    };
    publish(ring, consumer, len);
    consumer.release();
}

fn publish(ring: &Ring, consumer: &Consumer, len: usize) {
    let mut checkpoint = Checkpoint {
        tail: consumer.position(),
        ..Checkpoint::default()
    };
    checkpoint.marks[0].len = len as u64;
    ring.header().publish(&checkpoint);
}

/// What the next start makes of the ring and of the file.
fn recover(ring: &mut Ring, file: &[Name]) -> Vec<Name> {
    let checkpoint = ring.header().checkpoint().expect("one of the two is whole");
    let (before, behind) = file.split_at(checkpoint.marks[0].len as usize);
    let mut lines: Vec<Name> = Vec::new();
    let damaged = ring.scan(checkpoint.tail, |_, first, second| {
        lines.push([first, second].concat().try_into().unwrap());
    });
    assert_eq!(damaged, 0);
    assert!(lines.starts_with(behind), "{lines:?} after {behind:?}");
    [before, &lines].concat()
}

/// Each line that was taken is there, no line twice, those of one producer in their order.
fn check(found: &[Name], taken: &[Name]) {
    for line in taken {
        assert!(found.contains(line), "{line:?} is missing in {found:?}");
    }
    for (at, line) in found.iter().enumerate() {
        assert_eq!(line[2..], [7; 6]);
        let later = found[at + 1..].iter().find(|later| later[0] == line[0]);
        assert!(later.is_none_or(|later| later[1] > line[1]), "{found:?}");
    }
}

/// One process from its start to its end, which comes to each thread before the given access.
fn life_and_recovery(producers: &[(u8, Option<usize>)], drains: usize, drainer: Option<usize>) {
    let (ring, mut consumer) = ring();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let file = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = producers
        .iter()
        .enumerate()
        .map(|(id, &(lines, death))| {
            let (ring, taken) = (Arc::clone(&ring), Arc::clone(&taken));
            thread::spawn(move || {
                mortal(death, || produce(&ring, id as u8, lines, &taken));
            })
        })
        .collect();
    mortal(drainer, || {
        for _ in 0..drains {
            drain(&ring, &mut consumer, &file);
        }
    });
    for thread in threads {
        thread.join().unwrap();
    }
    drop(consumer);
    let mut ring = Arc::into_inner(ring).expect("all others have ended");
    check(
        &recover(&mut ring, &file.lock().unwrap()),
        &taken.lock().unwrap(),
    );
}

/// Claim, publish, drain, lap after lap, two producers at once: no race, nothing lost or doubled.
#[test]
fn two_producers_and_the_drainer() {
    every_order(Some(3), || {
        life_and_recovery(&[(2, None), (2, None)], 2, None)
    });
}

/// The same, one producer, without a bound to loom's search.
#[test]
fn one_producer_and_the_drainer() {
    every_order(None, || life_and_recovery(&[(3, None)], 2, None));
}

/// Whatever a producer was doing when the process was killed.
#[test]
fn a_producer_dies() {
    for death in 0..=8 {
        every_order(Some(2), move || {
            life_and_recovery(&[(2, Some(death)), (1, None)], 2, None);
        });
    }
}

/// Whatever the drainer was doing when the process was killed.
#[test]
fn the_drainer_dies() {
    for death in 0..=40 {
        every_order(Some(2), move || {
            life_and_recovery(&[(3, None)], 3, Some(death));
        });
    }
}

/// Both, in the middle of something.
#[test]
fn all_die() {
    for producer in 0..=6 {
        for drainer in (0..=20).step_by(3) {
            every_order(Some(2), move || {
                life_and_recovery(&[(2, Some(producer))], 2, Some(drainer));
            });
        }
    }
}

/// A slot of the table of what is in flight belongs to one at a time.
#[test]
fn notes_do_not_mix() {
    every_order(Some(3), || {
        let (ring, consumer) = ring();
        drop(consumer);
        let threads: Vec<_> = (0..2_u8)
            .map(|id| {
                let ring = Arc::clone(&ring);
                thread::spawn(move || {
                    let first = ring.note(&[id; 4]).unwrap();
                    ring.forget(first);
                    ring.note(&[id + 10; 4]).unwrap()
                })
            })
            .collect();
        let slots: Vec<_> = threads.into_iter().map(|it| it.join().unwrap()).collect();
        assert_ne!(slots[0], slots[1]);
        let mut notes = Arc::into_inner(ring).unwrap().notes();
        notes.sort();
        assert_eq!(notes, [[10; 4], [11; 4]]);
    });
}
