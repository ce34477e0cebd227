//! Files that grow, move, shrink and vanish: every line once.

use std::io::Write;

use super::{World, json_line};
use crate::store::{LogStore, Query};

fn lines(range: std::ops::Range<usize>) -> (String, Vec<String>) {
    let lines: Vec<String> = range.map(|n| json_line(n, &format!("line {n}"))).collect();
    (
        lines.iter().map(|line| format!("{line}\n")).collect(),
        lines,
    )
}

#[tokio::test]
async fn lines_are_found_whole_and_in_order() {
    let world = World::new();
    let (text, expected) = lines(0..100);
    let (whole, partial) = text.split_at(text.len() - 10);
    world.append("backend.log", whole);
    world.settle_at(99).await;
    assert_eq!(world.raws().await, expected[..99]);
    world.append("backend.log", partial);
    world.settle(100).await;
    assert_eq!(world.raws().await, expected);
    for line in world.all().await {
        assert_eq!(world.store().get(&line.id).await.unwrap(), Some(line));
    }
}

#[tokio::test]
async fn plain_text_and_odd_json_are_kept_as_they_came() {
    let world = World::new();
    let odd = [
        "plain text, \t with a tab",
        r#"{"timestamp":"2026-01-01T00:00:00Z","a":1,"a":2}"#,
        r#"{ "b" : "\u00e9\/" , "c":1e5,"d":[1, {"x":"y"}],"e":{},"f":-0.0,"g":12345678901234567890}"#,
        r#"{"a.b":1,"a":{"b":2}}"#,
        r#"{"n":1.5}"#,
        r#"{"n":1.123456789}"#,
        r#"{"n":9007199254740992}"#,
        r#"{"n":null,"_time":3}"#,
        "[1,2]",
        "{\"cr\":1}\r",
        "ünïcode",
    ];
    world.append("x.log", &(odd.join("\n") + "\n\n"));
    world.settle(odd.len() as u64).await;
    let mut found = world.raws().await;
    let mut expected = odd.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(world.store().stats().await.unwrap().malformed, 3);
}

#[tokio::test]
async fn rotation_by_rename_loses_and_repeats_nothing() {
    let mut world = World::new();
    for round in 0..5 {
        world.append("backend.log", &lines(round * 10..round * 10 + 10).0);
        if round % 2 == 0 {
            world.settle(round as u64 * 10 + 10).await;
        }
        let rotated = world.logs().join(format!("backend.{round}.log"));
        std::fs::rename(world.logs().join("backend.log"), rotated).unwrap();
    }
    world.settle(50).await;
    assert_eq!(world.raws().await, lines(0..50).1);
    world.close().await;
    world.reopen();
    world.settle(50).await;
    assert_eq!(world.raws().await, lines(0..50).1);
}

#[tokio::test]
async fn rotation_by_copy_and_truncation_loses_and_repeats_nothing() {
    let world = World::new();
    let path = world.logs().join("backend.log");
    world.append("backend.log", &lines(0..10).0);
    world.settle(10).await;
    world.append("backend.log", &lines(10..20).0);
    std::fs::copy(&path, world.logs().join("backend.1.log")).unwrap();
    world.settle(20).await;
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(0)
        .unwrap();
    world.append("backend.log", &lines(20..25).0);
    world.settle(25).await;
    assert_eq!(world.raws().await, lines(0..25).1);
}

#[tokio::test]
async fn a_compressed_rotated_file_is_the_same_file() {
    let mut world = World::new();
    let path = world.logs().join("backend.log");
    let pack = |range: std::ops::Range<usize>, to: &str| {
        let file = std::fs::File::create(world.logs().join(to)).unwrap();
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(lines(range).0.as_bytes()).unwrap();
        packer.finish().unwrap();
    };
    world.append("backend.log", &lines(0..10).0);
    world.settle(10).await;
    pack(0..10, "backend.1.log.gz");
    pack(20..30, "other.log.gz");
    world.settle(20).await;
    std::fs::remove_file(&path).unwrap();
    world.append("backend.log", &lines(10..20).0);
    world.settle(30).await;
    assert_eq!(world.raws().await, lines(0..30).1);
    world.close().await;
    world.reopen();
    world.settle(30).await;
    assert_eq!(world.raws().await, lines(0..30).1);
}

#[tokio::test]
async fn what_was_not_sealed_is_read_again_after_a_crash() {
    let mut world = World::with(|options| options.seal_rows(64));
    for round in 0..6 {
        let from = round * 50;
        world.append("backend.log", &lines(from..from + 50).0);
        world.append("frontend.log", &lines(from + 1000..from + 1050).0);
        world.settle((round as u64 + 1) * 100).await;
        world.crash();
        world.reopen();
        world.settle((round as u64 + 1) * 100).await;
    }
    let mut found = world.raws().await;
    let mut expected = lines(0..300).1;
    expected.extend(lines(1000..1300).1);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(world.store().stats().await.unwrap().segments > 2);
}

#[tokio::test]
async fn a_damaged_segment_is_set_aside_and_rebuilt() {
    let mut world = World::new();
    world.append("backend.log", &lines(0..500).0);
    world.settle(500).await;
    world.close().await;
    let segment = std::fs::read_dir(&world.options.data_dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "parquet")
        })
        .unwrap();
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &bytes[..bytes.len() - 100]).unwrap();
    world.reopen();
    world.settle(500).await;
    assert_eq!(world.raws().await, lines(0..500).1);
    assert_eq!(world.store().stats().await.unwrap().quarantined, 1);
}

#[tokio::test]
async fn the_live_tail_tells_each_line_once() {
    let world = World::new();
    let mut tail = world.store().tail();
    let (text, expected) = lines(0..20);
    world.append("backend.log", &text);
    for line in expected {
        assert_eq!(&*tail.recv().await.unwrap().raw, line);
    }
    world.settle(20).await;
    assert!(tail.try_recv().is_err());
}

#[tokio::test]
async fn two_processes_cannot_share_a_data_directory() {
    let world = World::new();
    let error = super::EmbeddedStore::open(world.options.clone()).unwrap_err();
    assert!(error.to_string().starts_with("OT0305"), "{error}");
    assert!(
        world
            .store()
            .search(
                &Query::default(),
                &crate::store::Page {
                    limit: 1,
                    cursor: Some("not one of ours".into()),
                    order: crate::store::Order::Newest,
                }
            )
            .await
            .is_err()
    );
}
