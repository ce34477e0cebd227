//! Files that grow, move, shrink and vanish: every line once.

use std::{io::Write, time::Duration};

use super::{World, json_line};
use crate::store::{Budget, LogStore, Order, Page, Query};

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

/// Lines longer than a block that is read at once, in a growing file and in a packed one: at the
/// first look, not one block each time that is looked.
#[tokio::test]
async fn lines_of_megabytes_come_back_whole() {
    let mut world = World::with(|options| options.poll(Duration::from_secs(3600)));
    world.crash();
    let long = |n: usize| {
        json_line(
            n,
            &format!("{n} {}", "long \u{e4}".repeat(200_000 * (n % 3))),
        )
    };
    let lines: Vec<String> = (0..12).map(long).collect();
    let text = |range: std::ops::Range<usize>| lines[range].join("\n") + "\n";
    let file = std::fs::File::create(world.logs().join("packed.log.gz")).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(text(0..6).as_bytes()).unwrap();
    packer.finish().unwrap();
    world.append("backend.log", &text(6..12));
    world.reopen();
    let limit = Duration::from_secs(30);
    world
        .until(limit, "all lines", |stats| stats.lines == 12)
        .await;
    assert!(world.raws().await == lines);
}

/// So that a thousand lines of a megabyte are not answered at once.
#[tokio::test]
async fn a_page_of_long_lines_ends_with_the_budget_and_the_next_goes_on() {
    const LINES: usize = 300;
    for seal_rows in [100, 100_000] {
        let world = World::with(|options| options.seal_rows(seal_rows));
        let long = |n: usize| json_line(n, &"long ".repeat(4_000));
        let lines: Vec<String> = (0..LINES).map(long).collect();
        world.append("backend.log", &(lines.join("\n") + "\n"));
        world.settle(LINES as u64).await;
        let query = Query {
            budget: Budget {
                memory: 1 << 20,
                ..Budget::default()
            },
            ..Query::default()
        };
        let mut page = Page {
            limit: 1_000,
            cursor: None,
            order: Order::Oldest,
        };
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let answer = world.store().search(&query, &page).await.unwrap();
            found.extend(answer.lines.iter().map(|line| line.raw.to_string()));
            pages += 1;
            page.cursor = answer.next_cursor;
            let partial = answer.partial.map(|partial| partial.reason);
            if page.cursor.is_none() {
                assert_eq!(partial, None, "the last page is whole");
                break;
            }
            assert_eq!(partial.as_deref(), Some("memory"), "of page {pages}");
        }
        assert!(pages > 2, "{pages} pages");
        assert!(found == lines, "{} lines", found.len());
    }
}

/// A last line without its line break is taken once nobody can be writing to the file any more.
#[tokio::test]
async fn a_line_that_was_cut_off_by_rotation_is_kept() {
    let world = World::new();
    let (text, expected) = lines(0..10);
    world.append("backend.log", text.trim_end());
    world.settle_at(9).await;
    let rotated = world.logs().join("backend.1.log");
    std::fs::rename(world.logs().join("backend.log"), rotated).unwrap();
    world.settle(10).await;
    assert_eq!(world.raws().await, expected);
}

/// Several writers to one file, and files that come and go meanwhile.
#[tokio::test]
async fn many_writers_and_passing_files_are_all_read() {
    let world = World::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for n in 0..25 {
                    let line = json_line(writer * 25 + n, &format!("writer {writer}")) + "\n";
                    world.append("shared.log", &line);
                }
            });
        }
    });
    for n in 0..5 {
        let name = format!("passing-{n}.log");
        world.append(&name, &lines(100 + n * 10..110 + n * 10).0);
        world.settle_at(100 + (n as u64 + 1) * 10).await;
        std::fs::remove_file(world.logs().join(name)).unwrap();
    }
    world.settle(150).await;
    let mut found = world.raws().await;
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 150);
}

/// Who turns pages gets what was there, each line once, whatever is written and sealed meanwhile.
#[tokio::test]
async fn pages_join_while_lines_arrive() {
    let world = World::with(|options| options.seal_rows(25));
    let (text, mut expected) = lines(0..60);
    world.append("backend.log", &text);
    world.settle(60).await;
    let mut page = Page {
        limit: 7,
        cursor: None,
        order: Order::Newest,
    };
    let mut found = Vec::new();
    loop {
        let answer = world.store().search(&Query::default(), &page).await;
        let answer = answer.unwrap();
        found.extend(answer.lines.iter().map(|line| line.raw.to_string()));
        page.cursor = answer.next_cursor;
        if page.cursor.is_none() {
            break;
        }
        let written = 60 + found.len() * 2;
        world.append("backend.log", &lines(written..written + 10).0);
        world.settle(60 + found.len().div_ceil(7) as u64 * 10).await;
    }
    expected.reverse();
    assert_eq!(found, expected);
    assert!(world.store().stats().await.unwrap().segments > 3);
}
