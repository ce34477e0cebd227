//! Both engines, the same lines, the same questions. The other side of the wire is a small
//! server on loopback that keeps to Loki's documentation: what it is pushed, it gives back. With
//! `LOKI_URL` set, the same is asked of a real Loki, which has to be empty.

mod contract;

use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::contract::Contract;
use super::{LokiOptions, LokiStore};
use crate::store::{
    Budget, Comparison, EmbeddedStore, Filter, Line, LogStore, Order, Page, Query, StoreOptions,
    grammar,
    time::{MINUTE, SECOND, write_rfc3339},
};
use crate::time::now;

const LINES: i64 = 400;

/// Lines of an hour and a half: levels, users, numbers, plain text, equal times, equal lines.
fn texts(start: i64) -> Vec<String> {
    let line = |n: i64| {
        let time = start + n / 3 * 40 * SECOND + n / 9;
        let mut written = Vec::new();
        write_rfc3339(&mut written, time, 9);
        let level = ["INFO", "INFO", "WARN", "ERROR"][usize::try_from(n % 4).unwrap()];
        let mut value = serde_json::json!({
            "timestamp": String::from_utf8(written).unwrap(),
            "level": level,
            "message": format!("Request {n} said \"hello\\there\" to Müller"),
            "service": { "name": if n % 3 == 0 { "shop" } else { "billing" } },
            "context": { "request_id": format!("req-{n}") },
            "extra": { "path": format!("/orders/{}", n % 5), "duration_ms": (n * 37) % 101 },
        });
        if n % 5 != 0 {
            value["context"]["user_id"] = format!("user.{}|x", n % 6).into();
        }
        if n % 2 == 0 {
            value["event_type"] = "request_complete".into();
        }
        value.to_string()
    };
    (0..LINES).map(line).collect()
}

struct Engines {
    loki: LokiStore,
    embedded: EmbeddedStore,
    dir: TempDir,
    _contract: Option<Contract>,
}

impl Engines {
    async fn of(texts: &[String]) -> Self {
        let contract = match std::env::var("LOKI_URL") {
            Ok(_) => None,
            Err(_) => Some(Contract::start().await),
        };
        let url = match &contract {
            Some(contract) => contract.url(),
            None => std::env::var("LOKI_URL").unwrap(),
        };
        let dir = TempDir::new().unwrap();
        let logs = dir.path().join("logs");
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::write(logs.join("backend.log"), texts.join("\n") + "\n").unwrap();
        let options = StoreOptions::new(&logs, dir.path().join("store"));
        let engines = Self {
            loki: LokiStore::open(
                LokiOptions::new(url)
                    .batch(50)
                    .ship(&logs, dir.path().join("loki")),
            )
            .unwrap(),
            embedded: EmbeddedStore::open(options).unwrap(),
            dir,
            _contract: contract,
        };
        for store in [&engines.loki as &dyn LogStore, &engines.embedded] {
            settle(store, texts.len()).await;
        }
        engines
    }
}

/// All lines. What is compared is what the engines say, not how soon: a Loki that is asked for a
/// whole month may need a while.
fn patient() -> Query {
    Query {
        budget: Budget {
            time: Duration::from_secs(60),
            ..Budget::default()
        },
        ..Query::default()
    }
}

/// All lines of a store, oldest first.
async fn all(store: &dyn LogStore, query: &Query) -> Vec<Line> {
    let page = Page {
        limit: 100_000,
        cursor: None,
        order: Order::Oldest,
    };
    store.search(query, &page).await.unwrap().lines
}

async fn settle(store: &dyn LogStore, lines: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while all(store, &patient()).await.len() < lines {
        assert!(Instant::now() < deadline, "lines are missing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn raws(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| &*line.raw).collect()
}

/// Lines of one time may come in another order; which pages they are on, too.
fn by_time(lines: &[Line]) -> Vec<(i64, &str)> {
    let mut keys: Vec<(i64, &str)> = lines
        .iter()
        .map(|line| (line.timestamp, &*line.raw))
        .collect();
    keys.sort_unstable();
    keys
}

fn questions(start: i64) -> Vec<Query> {
    let within = Query {
        from: Some(start + 5 * MINUTE + 3),
        to: Some(start + 70 * MINUTE),
        ..Query::default()
    };
    let mut queries = vec![Query::default(), within.clone()];
    for text in [
        "level:ERROR",
        "level:ERROR,WARN service:shop",
        "user_id:\"user.2|x\"",
        "user_id:user.2",
        "hello",
        "MÜLLER \"request 1\"",
        "-level:INFO",
        "path:*orders/3*",
        "duration_ms>50 level:INFO",
        "user_id:*",
        "-user_id:*",
        "request_id:req-77",
        "\"\\\"hello\\\\there\\\"\"",
        "absent",
    ] {
        queries.push(Query {
            filters: grammar::parse(text).filters,
            ..within.clone()
        });
    }
    queries.push(Query {
        filters: vec![Filter::Any(vec![
            Filter::Compare {
                field: "extra.duration_ms".into(),
                op: Comparison::Less,
                value: 3.0,
            },
            Filter::OneOf {
                field: "request_id".into(),
                values: vec!["req-4".into(), "req-9".into()],
            },
        ])],
        ..Query::default()
    });
    for query in &mut queries {
        query.budget = patient().budget;
    }
    queries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_say_the_same() {
    let start = (now() - 100 * MINUTE) / MINUTE * MINUTE;
    let texts = texts(start);
    let engines = Engines::of(&texts).await;
    let (loki, embedded) = (&engines.loki, &engines.embedded);
    for query in questions(start) {
        let (ours, theirs) = (all(embedded, &query).await, all(loki, &query).await);
        assert_eq!(by_time(&theirs), by_time(&ours), "{query:?}");
        for by in [None, Some("level"), Some("user_id"), Some("path")] {
            for step in [MINUTE, 7 * SECOND + 1] {
                let ours = embedded.histogram(&query, step, by).await.unwrap();
                let theirs = loki.histogram(&query, step, by).await.unwrap();
                let (ours, theirs) = (format!("{ours:?}"), format!("{theirs:?}"));
                assert_eq!(theirs, ours, "{query:?} by {by:?}");
            }
        }
        let fields = ["path", "level", "service", "user_id"];
        let ours = embedded.facets(&query, &fields, 3).await.unwrap().facets;
        let theirs = loki.facets(&query, &fields, 3).await.unwrap().facets;
        assert_eq!(format!("{theirs:?}"), format!("{ours:?}"), "{query:?}");
        for step in [None, Some(10 * MINUTE)] {
            let ours = embedded
                .numbers(&query, "duration_ms", &["path"], step)
                .await;
            let theirs = loki.numbers(&query, "duration_ms", &["path"], step).await;
            let (ours, theirs) = (ours.unwrap().groups, theirs.unwrap().groups);
            assert_eq!(format!("{theirs:?}"), format!("{ours:?}"), "{query:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_join_without_a_gap_and_lines_are_found_by_id() {
    let start = (now() - 100 * MINUTE) / MINUTE * MINUTE;
    let texts = texts(start);
    let engines = Engines::of(&texts).await;
    let loki = &engines.loki;
    let whole = all(loki, &patient()).await;
    for order in [Order::Newest, Order::Oldest] {
        let mut found = Vec::new();
        let mut page = Page {
            limit: 33,
            cursor: None,
            order,
        };
        loop {
            let lines = loki.search(&patient(), &page).await.unwrap();
            found.extend(lines.lines);
            match lines.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        if order == Order::Newest {
            found.reverse();
        }
        assert_eq!(found, whole);
    }
    let line = &whole[100];
    assert_eq!(loki.get(&line.id).await.unwrap().as_ref(), Some(line));
    assert_eq!(loki.get("0-0-0").await.unwrap(), None);
    assert!(loki.get("nonsense").await.is_err());
    let around = loki.context(&line.id, 3, 4).await.unwrap();
    let service = r#""name":"shop""#;
    let same: Vec<&Line> = whole
        .iter()
        .filter(|other| other.raw.contains(service) == line.raw.contains(service))
        .collect();
    let at = same.iter().position(|other| other.id == line.id).unwrap();
    let expected: Vec<Line> = same[at - 3..=at + 4].iter().copied().cloned().collect();
    assert_eq!(raws(&around), raws(&expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_lines_come_once_each() {
    let engines = Engines::of(&[]).await;
    let mut live = engines.loki.tail();
    let texts: Vec<String> = (0..20).map(|n| format!("live line {n}")).collect();
    // The following begins with its next look.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let file = engines.dir.path().join("logs/live.log");
    std::fs::write(file, texts.join("\n") + "\n").unwrap();
    let mut heard = Vec::new();
    while heard.len() < texts.len() {
        let line = tokio::time::timeout(Duration::from_secs(20), live.recv()).await;
        heard.push(line.unwrap().unwrap().raw.to_string());
    }
    assert!(
        tokio::time::timeout(Duration::from_millis(2500), live.recv())
            .await
            .is_err()
    );
    heard.sort();
    let mut expected = texts;
    expected.sort();
    assert_eq!(heard, expected);
}

/// Away, full, out of order: what a Loki can answer to a batch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_loki_does_not_take_now_it_takes_later_and_once() {
    let contract = Contract::start().await;
    // Too large, twice; too much; broken; then it works.
    contract.answer_with(&[413, 413, 429, 500, 503]);
    let dir = TempDir::new().unwrap();
    let logs = dir.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let texts = texts(now() - 100 * MINUTE);
    std::fs::write(logs.join("a.log"), texts.join("\n") + "\n").unwrap();
    let ship = || LokiOptions::new(contract.url()).ship(&logs, dir.path().join("loki"));
    let store = LokiStore::open(ship()).unwrap();
    settle(&store, texts.len()).await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.behind_bytes, stats.last_error), (0, None));
    store.close().await;
    drop(store);
    // What has been shipped is not shipped again, what is new is.
    let pushed = contract.pushed();
    let more = ["one more line".to_owned(), "x".repeat(300 << 10)];
    std::fs::write(logs.join("b.log"), more.join("\n") + "\n").unwrap();
    let store = LokiStore::open(ship()).unwrap();
    settle(&store, texts.len() + 1).await;
    assert_eq!(contract.pushed(), pushed + 1);
    // What is refused for good is counted and said.
    contract.answer_with(&[400]);
    std::fs::write(logs.join("c.log"), "refused\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let said = loop {
        let said = store.stats().await.unwrap().last_error.unwrap_or_default();
        if said.contains("1 lines that it refused") {
            break said;
        }
        assert!(Instant::now() < deadline, "{said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(said.contains("1 that are longer"), "{said}");
    store.close().await;
}

#[tokio::test]
async fn an_address_that_is_none_and_a_loki_that_is_not_there_say_so() {
    for (address, part) in [
        ("localhost:3100", "http"),
        ("ftp://u:secret@host/", "http"),
        ("", "relative"),
    ] {
        let error = LokiStore::open(LokiOptions::new(address)).err().unwrap();
        let text = error.to_string();
        assert!(text.starts_with("OT0307") && text.contains(part), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let store = LokiStore::open(LokiOptions::new(address)).unwrap();
    let page = Page {
        limit: 1,
        cursor: None,
        order: Order::Newest,
    };
    let error = store.search(&Query::default(), &page).await.unwrap_err();
    assert!(error.to_string().starts_with("OT0304"), "{error}");
}
