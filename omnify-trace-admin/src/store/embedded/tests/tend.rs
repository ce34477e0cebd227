//! Joining, retention, damage: nothing is lost that should stay.

use std::{os::unix::fs::FileExt, time::Duration};

use super::{World, json_line};
use crate::store::{LogStore, embedded::tend};

fn lines(range: std::ops::Range<usize>) -> (String, Vec<String>) {
    let lines: Vec<String> = range.map(|n| json_line(n, &format!("line {n}"))).collect();
    (
        lines.iter().map(|line| format!("{line}\n")).collect(),
        lines,
    )
}

/// A store with many small segments.
async fn crumbs() -> World {
    let mut world = World::with(|options| options.seal_rows(1000));
    for round in 0..12 {
        world.append("backend.log", &lines(round * 20..round * 20 + 20).0);
        world.settle(round as u64 * 20 + 20).await;
        world.close().await;
        world.reopen();
    }
    world
}

#[tokio::test]
async fn small_segments_are_joined_without_loss() {
    let mut world = crumbs().await;
    let before = world.all().await;
    tend::once(&world.store().shared).unwrap();
    let stats = world.store().stats().await.unwrap();
    assert!(stats.segments < 6, "{stats:?}");
    assert_eq!(world.all().await, before);
    world.crash();
    world.reopen();
    world.settle(240).await;
    assert_eq!(world.all().await, before);
}

#[tokio::test]
async fn what_retention_removed_is_not_read_again() {
    let mut world = crumbs().await;
    world.close().await;
    world.options = world.options.clone().max_bytes(1);
    world.reopen();
    tend::once(&world.store().shared).unwrap();
    assert_eq!(world.store().stats().await.unwrap().lines, 0);
    world.options.max_bytes = None;
    world.close().await;
    world.reopen();
    world.append("backend.log", &lines(240..250).0);
    world.settle(10).await;
    world.crash();
    world.reopen();
    world.settle(10).await;
    assert_eq!(world.raws().await, lines(240..250).1);
}

#[tokio::test]
async fn old_segments_go_and_young_ones_stay() {
    let mut world = crumbs().await;
    world.close().await;
    world.options = world.options.clone().max_age(Duration::from_secs(3600));
    world.reopen();
    tend::once(&world.store().shared).unwrap();
    // The lines are of the first minutes of 2026.
    assert_eq!(world.store().stats().await.unwrap().lines, 0);
}

#[tokio::test]
async fn a_flipped_bit_is_found_before_its_rows_are_served() {
    let mut world = World::new();
    world.append("backend.log", &lines(0..500).0);
    world.settle(500).await;
    world.close().await;
    world.reopen();
    world.settle(500).await;
    let segment = world.store().shared.view().segments[0].path.clone();
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&segment)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 200).unwrap();
    file.write_all_at(&[byte[0] ^ 4], 200).unwrap();
    // The answer is without the damaged rows at first, and whole once they were read again.
    world.raws().await;
    world.settle(500).await;
    assert_eq!(world.raws().await, lines(0..500).1);
    assert_eq!(world.store().stats().await.unwrap().quarantined, 1);
}
