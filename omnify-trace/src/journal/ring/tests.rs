//! The ring alone, in plain memory, so that Miri can watch:
//! `MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p omnify-trace --lib journal::ring`

use std::thread;

use super::*;
use crate::journal::header::Checkpoint;

const CAPACITY: usize = 4096;
const LINES: u64 = if cfg!(miri) { 25 } else { 20_000 };
const PRODUCERS: u64 = 3;

fn ring() -> (Arc<Ring>, Consumer) {
    let mut ring = Ring::heap(CAPACITY).unwrap();
    ring.initialise(0x1234_5678_9ABC_DEF0);
    ring.header().publish(&Checkpoint::default());
    ring.split()
}

/// Its length goes through all of 0 to 130 and beyond; every byte follows from producer and number.
fn line(producer: u64, n: u64) -> Vec<u8> {
    let mut line = vec![(producer * 31 + n) as u8; (n * 17 % 131) as usize];
    line.extend_from_slice(&[producer.to_le_bytes(), n.to_le_bytes()].concat());
    line
}

#[test]
fn producers_and_the_consumer_agree_lap_after_lap() {
    let (ring, mut consumer) = ring();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                for n in 0..LINES {
                    let stream = Stream::ALL[(n % 3) as usize];
                    while ring.push(stream, &line(producer, n)).is_err() {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let mut next = [0; PRODUCERS as usize];
    while next != [LINES; PRODUCERS as usize] {
        let mut any = false;
        while let Some(found) = consumer.next() {
            let bytes = [found.first, found.second].concat();
            let (producer, n) = bytes[bytes.len() - 16..].split_at(8);
            let producer = u64::from_le_bytes(producer.try_into().unwrap());
            let n = u64::from_le_bytes(n.try_into().unwrap());
            assert_eq!(n, next[producer as usize]);
            assert_eq!(bytes, line(producer, n));
            assert_eq!(found.stream, Stream::ALL[(n % 3) as usize]);
            next[producer as usize] += 1;
            any = true;
        }
        if any {
            consumer.release();
        } else {
            if consumer.rewind() {
                consumer.settle();
            }
            thread::yield_now();
        }
    }
    for producer in producers {
        producer.join().unwrap();
    }
    assert_eq!(ring.used(), 0);
}

#[test]
fn a_full_ring_says_so_and_has_room_again_after_release() {
    let (ring, mut consumer) = ring();
    let mut pushed = 0;
    while ring.push(Stream::Backend, &[7; 120]).is_ok() {
        pushed += 1;
    }
    assert_eq!(pushed, CAPACITY / 128);
    assert_eq!(ring.used(), CAPACITY as u64);
    assert_eq!(ring.push(Stream::Backend, b""), Err(Full));
    while consumer.next().is_some() {}
    assert_eq!(consumer.position(), CAPACITY as u64);
    consumer.release();
    assert_eq!(ring.push(Stream::Backend, b""), Ok(8));
}

#[test]
fn notes_are_kept_until_they_are_forgotten() {
    let (ring, consumer) = ring();
    let kept: Vec<_> = (0..3)
        .map(|n| ring.note(format!("note {n}").as_bytes()).unwrap())
        .collect();
    ring.forget(kept[1]);
    assert_eq!(ring.note(&[0; IN_FLIGHT_NOTE + 1]), None);
    drop(consumer);
    let mut ring = Arc::into_inner(ring).unwrap();
    assert_eq!(ring.notes(), [b"note 0", b"note 2"]);
}

/// Notes come and go on several threads and a full table refuses.
#[test]
fn notes_are_safe_among_threads() {
    let (ring, _consumer) = ring();
    thread::scope(|scope| {
        for thread in 0..2_u8 {
            let ring = &ring;
            scope.spawn(move || {
                for _ in 0..if cfg!(miri) { 20 } else { 2_000 } {
                    let slot = ring.note(&[thread; 40]).unwrap();
                    ring.forget(slot);
                }
            });
        }
    });
    if !cfg!(miri) {
        let all: Vec<_> = (0..IN_FLIGHT_SLOTS)
            .map(|_| ring.note(b"x").unwrap())
            .collect();
        assert_eq!(ring.note(b"one too many"), None);
        ring.forget(all[77]);
        assert_eq!(ring.note(b"again"), Some(all[77]));
    }
}

#[test]
fn what_was_pushed_is_scanned_and_what_was_harmed_is_not() {
    let mut ring = Ring::heap(CAPACITY).unwrap();
    ring.initialise(99);
    for n in 0..10 {
        ring.push(Stream::Backend, &line(0, n)).unwrap();
    }
    let third = frame::span(line(0, 0).len()) + frame::span(line(0, 1).len());
    // One byte of the third line.
    let at = ring.offset(third) + WORD;
    // SAFETY: inside the data, and nobody else looks.
    unsafe {
        let byte = ring.memory.read(at, 1)[0];
        ring.memory.write(at, &[byte ^ 1]);
    }
    let mut seen = Vec::new();
    let damaged = ring.scan(0, |_, first, second| seen.push([first, second].concat()));
    assert!(damaged > 0);
    let expected: Vec<_> = (0..10).filter(|n| *n != 2).map(|n| line(0, n)).collect();
    assert_eq!(seen, expected);
}
