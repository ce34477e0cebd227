//! What goes wrong on a real machine: nothing is lost, memory stays bounded, the store answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{World, json_line, lines};
use crate::store::{
    Filter, LogStore, Order, Page, Query,
    embedded::exec::{self, Stop},
};

/// How long is waited for what must come.
const LIMIT: Duration = Duration::from_secs(60);

fn is(field: &str, value: &str) -> Query {
    Query {
        filters: vec![Filter::OneOf {
            field: field.to_owned(),
            values: vec![value.to_owned()],
        }],
        ..Query::default()
    }
}

const NEWEST: Page = Page {
    limit: 10,
    cursor: None,
    order: Order::Newest,
};

/// As on a full disk: segments cannot be written for a while.
#[tokio::test]
async fn what_cannot_be_sealed_stays_searchable_and_is_sealed_later() {
    let mut world = World::with(|options| options.seal_rows(100));
    let directory = world.options.data_dir.clone();
    let aside = directory.with_extension("aside");
    std::fs::rename(&directory, &aside).unwrap();
    world.append("backend.log", &lines(0..150).0);
    let stats = world
        .until(LIMIT, "the error is told", |stats| {
            stats.lines >= 100 && stats.last_error.is_some()
        })
        .await;
    assert!(stats.last_error.unwrap().starts_with("could not seal"));
    assert!(world.raws().await.len() >= 100);
    std::fs::rename(&aside, &directory).unwrap();
    world
        .until(LIMIT, "the rest is sealed", |stats| {
            stats.segments > 0 && stats.last_error.is_none()
        })
        .await;
    world.settle(150).await;
    assert_eq!(world.raws().await, lines(0..150).1);
    world.close().await;
    world.reopen();
    world.settle(150).await;
    assert_eq!(world.raws().await, lines(0..150).1);
}

#[tokio::test]
async fn a_log_file_that_is_removed_is_read_to_its_end() {
    let mut world = World::new();
    world.append("backend.log", &lines(0..10).0);
    world.settle(10).await;
    world.append("backend.log", &lines(10..20).0);
    std::fs::remove_file(world.logs().join("backend.log")).unwrap();
    world.settle(20).await;
    world.append("backend.log", &lines(20..30).0);
    world.settle(30).await;
    assert_eq!(world.raws().await, lines(0..30).1);
    world.close().await;
    world.reopen();
    world.settle(30).await;
    assert_eq!(world.raws().await, lines(0..30).1);
}

/// Clocks that stood wrong: lines of long ago and of far ahead, and steps back.
#[tokio::test]
async fn clocks_may_jump() {
    let mut world = World::with(|options| options.seal_rows(5));
    let years = [2026, 1970, 2099, 2025, 2026, 1999, 2026, 2261, 2026, 2000];
    let line = |(n, year): (usize, &i32)| {
        format!(r#"{{"timestamp":"{year}-06-01T00:00:00.{n}Z","message":"m{n}"}}"#)
    };
    let written: Vec<String> = years.iter().enumerate().map(line).collect();
    for line in &written {
        world.append("backend.log", &format!("{line}\n"));
    }
    let mut expected = written.clone();
    expected.sort();
    for _ in 0..2 {
        world.settle(10).await;
        assert_eq!(world.raws().await, expected);
        let mut query = is("message", "m3");
        query.from = Some(1_735_689_600_000_000_000);
        query.to = Some(1_767_225_600_000_000_000);
        let found = world.store().search(&query, &NEWEST).await.unwrap().lines;
        assert_eq!(&*found[0].raw, written[3]);
        world.close().await;
        world.reopen();
    }
}

/// Every line has a field of its own name: the tables do not grow without bound, and each field
/// is found all the same.
#[tokio::test]
async fn a_hundred_thousand_field_names_are_searchable() {
    const NAMES: usize = 100_000;
    let world = World::new();
    let mut text = String::new();
    for n in 0..NAMES {
        text += &format!("{{\"timestamp\":\"2026-01-01T00:00:00.{n:06}Z\",\"f{n}\":{n}}}\n");
    }
    world.append("backend.log", &text);
    world
        .until(LIMIT, "all lines", |stats| {
            stats.lines == NAMES as u64 && stats.behind_bytes == 0
        })
        .await;
    for n in [0, 399, 401, 5000, NAMES - 1] {
        let query = is(&format!("f{n}"), &n.to_string());
        let found = world.store().search(&query, &NEWEST).await.unwrap().lines;
        assert_eq!(found.len(), 1, "f{n}");
        assert!(found[0].raw.ends_with(&format!("\"f{n}\":{n}}}")));
    }
    let view = world.store().shared.view();
    for chunk in view.chunks() {
        assert!(chunk.tables.columns.len() <= 400);
        assert!(chunk.tables.shapes.len() <= 4096);
    }
}

#[tokio::test]
async fn a_big_first_file_tells_how_far_it_is_read() {
    let mut world = World::new();
    world.crash();
    let filling = "x".repeat(20_000);
    let text: String = (0..1500)
        .map(|n| json_line(n, &format!("{n} {filling}")) + "\n")
        .collect();
    world.append("backend.log", &text);
    world.reopen();
    let stats = world
        .until(LIMIT, "progress", |stats| {
            stats.reading.first().is_some_and(|file| file.read > 0)
        })
        .await;
    let file = &stats.reading[0];
    assert_eq!(
        (file.file.as_str(), file.size),
        ("backend.log", text.len() as u64)
    );
    assert!(file.read < file.size && stats.behind_bytes == file.size - file.read);
    // What was read already is searchable meanwhile.
    let found = world
        .store()
        .search(&Query::default(), &NEWEST)
        .await
        .unwrap();
    assert_eq!(found.lines.len(), 10);
    let stats = world
        .until(LIMIT, "the end", |stats| stats.behind_bytes == 0)
        .await;
    assert!(stats.reading.is_empty() && stats.lines == 1500);
}

/// Fifty heavy questions at a time while lines come in: each is answered, and right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_heavy_queries_during_ingest_are_all_answered() {
    let world = Arc::new(World::with(|options| options.seal_rows(400)));
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (world, done) = (world.clone(), done.clone());
        tokio::spawn(async move {
            for round in 0..20 {
                world.append("backend.log", &lines(round * 100..round * 100 + 100).0);
                world
                    .until(LIMIT, "taken in", |stats| {
                        stats.lines >= round as u64 * 100 + 100
                    })
                    .await;
            }
            done.store(true, Ordering::Relaxed);
        })
    };
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, done) = (world.clone(), done.clone());
        asked.spawn(async move {
            let mut before = 0;
            loop {
                let last = done.load(Ordering::Relaxed);
                let store = world.store();
                let query = Query {
                    filters: vec![Filter::Text("LINE".to_owned())],
                    ..Query::default()
                };
                let facets = store.facets(&query, &["user_id", "message"], 5).await;
                let here = facets.unwrap().facets[0].present;
                // Nothing that was there goes away while parts are sealed.
                assert!(here >= before, "{here} after {before}");
                before = here;
                if last {
                    break before;
                }
            }
        });
    }
    writer.await.unwrap();
    while let Some(found) = asked.join_next().await {
        assert_eq!(found.unwrap(), 2000);
    }
}

/// A connection that is dropped drops the query, which then looks at nothing more.
#[tokio::test]
async fn a_query_that_nobody_waits_for_ends() {
    let world = World::new();
    world.append("backend.log", &lines(0..100).0);
    world.settle(100).await;
    let view = world.store().shared.view();
    let fields = ["message".to_owned()];
    let stop = Stop::default();
    let ask = || exec::facets(&view, &Query::default(), &fields, 5, &stop).unwrap();
    assert_eq!(ask().facets[0].present, 100);
    drop(stop.on_drop());
    let answer = ask();
    assert_eq!(answer.facets[0].present, 0);
    assert!(answer.partial.is_some());
}
