//! Whatever the lines, whatever the query: the engine says what a plain scan says.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    World,
    far::{Fake, lose_disk},
    reference,
};
use crate::store::{Budget, Comparison, Filter, Group, Line, LogStore, Order, Page, Query};

/// Nanoseconds of the first line's time.
const EPOCH: i64 = 1_767_225_600_000_000_000;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("payment".to_owned()),
        Just("Timeout".to_owned()),
        Just("GET /orders".to_owned()),
        Just("Ünïcode Straße".to_owned()),
        Just("quote \" and \\ back".to_owned()),
        "[a-c]{0,3}",
        "[0-9a-f]{8}",
    ]
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        4 => word().prop_map(Into::into),
        2 => (0i64..1000).prop_map(Into::into),
        1 => (-5i64..5).prop_map(|n| serde_json::json!(n as f64 / 4.0)),
        1 => any::<f64>().prop_map(|n| serde_json::json!(n)),
        1 => any::<i64>().prop_map(Into::into),
        1 => any::<bool>().prop_map(Into::into),
        1 => Just(serde_json::Value::Null),
        1 => prop::collection::vec(word(), 0..3).prop_map(Into::into),
    ]
}

const PATHS: [&str; 9] = [
    "context.user_id",
    "context.request_id",
    "extra.n",
    "extra.path",
    "n",
    "path",
    "span.fields.n",
    "exception.message",
    "service.name",
];
const FIELDS: [&str; 13] = [
    "level",
    "message",
    "event_type",
    "user_id",
    "request_id",
    "n",
    "path",
    "exception",
    "service",
    "timestamp",
    "extra.path",
    "exception.message",
    "nowhere",
];

fn nest(
    paths: Vec<(&str, serde_json::Value)>,
    line: &mut serde_json::Map<String, serde_json::Value>,
) {
    for (path, value) in paths {
        match path.rsplit_once('.') {
            None => drop(line.insert(path.to_owned(), value)),
            Some((parents, name)) => {
                let mut map = &mut *line;
                for parent in parents.split('.') {
                    let next = map.entry(parent).or_insert_with(|| serde_json::json!({}));
                    map = next.as_object_mut().unwrap();
                }
                map.insert(name.to_owned(), value);
            }
        }
    }
}

fn json_text() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((prop::sample::select(&PATHS[..]), json_value()), 0..5);
    let level = prop::option::weighted(0.9, prop::sample::select(vec!["INFO", "ERROR", "WARN"]));
    let kind = prop::option::of(prop::sample::select(vec![
        "request_start",
        "workflow_step",
        "own",
    ]));
    // Few distinct times, so that equal ones occur; minutes and hours apart, so that rollups do.
    let time = (
        0i64..200,
        prop::sample::select(vec![1i64, 1_000_000_000, 61_000_000_007]),
    );
    (fields, level, kind, time, word()).prop_map(|(fields, level, kind, (n, unit), message)| {
        let mut line = serde_json::Map::new();
        let mut time = Vec::new();
        crate::store::time::write_rfc3339(&mut time, EPOCH + n * unit, 9);
        line.insert(
            "timestamp".to_owned(),
            String::from_utf8(time).unwrap().into(),
        );
        if let Some(level) = level {
            line.insert("level".to_owned(), level.into());
        }
        line.insert("message".to_owned(), message.into());
        if let Some(kind) = kind {
            line.insert("event_type".to_owned(), kind.into());
        }
        nest(fields, &mut line);
        serde_json::to_string(&line).unwrap()
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => json_text(),
        1 => word().prop_map(|word| format!("plain {word}")),
        1 => Just(r#"{"timestamp":"2026-01-01T00:00:01Z","n":1,"n":2,"message":"twice"}"#.to_owned()),
        1 => Just(r#"{"timestamp":"2026-01-01 00:01:00+00:00","message":"\u00e9","n":1e2}"#.to_owned()),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let field = || prop::sample::select(&FIELDS[..]).prop_map(str::to_owned);
    let value = prop_oneof![
        word(),
        prop::sample::select(vec![
            "ERROR", "INFO", "UNKNOWN", "own", "1", "0.25", "2", "true", "null", "-0.5"
        ])
        .prop_map(str::to_owned),
    ];
    let op = prop::sample::select(vec![
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Equal,
    ]);
    let leaf = prop_oneof![
        (field(), prop::collection::vec(value.clone(), 1..3))
            .prop_map(|(field, values)| Filter::OneOf { field, values }),
        (field(), value.clone()).prop_map(|(field, text)| Filter::Contains { field, text }),
        (field(), op, -4i64..500).prop_map(|(field, op, n)| Filter::Compare {
            field,
            op,
            value: n as f64 / 4.0,
        }),
        value.prop_map(Filter::Text),
        field().prop_map(Filter::Exists),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|filter| Filter::Not(Box::new(filter))),
            prop::collection::vec(inner, 0..3).prop_map(Filter::Any),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let bound = || {
        prop::option::of((
            0i64..200,
            prop::sample::select(vec![1i64, 1_000_000_000, 60_000_000_000]),
        ))
    };
    (bound(), bound(), prop::collection::vec(filter(), 0..3)).prop_map(|(from, to, filters)| {
        let at = |(n, unit): (i64, i64)| EPOCH + n * unit;
        Query {
            from: from.map(at),
            to: to.map(at),
            filters,
            budget: Budget::default(),
        }
    })
}

/// All pages of a search.
async fn pages(world: &World, query: &Query, order: Order, limit: usize) -> Vec<Line> {
    let mut found = Vec::new();
    let mut page = Page {
        limit,
        cursor: None,
        order,
    };
    loop {
        let lines = world.store().search(query, &page).await.unwrap();
        assert!(lines.lines.len() <= limit && lines.partial.is_none());
        found.extend(lines.lines);
        match lines.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return found,
        }
    }
}

async fn compare(world: &World, lines: &[Line], query: &Query, step: i64, field: &str) {
    for order in [Order::Newest, Order::Oldest] {
        let expected = reference::search(lines, query, order);
        // A few pages, of which the last is often full to the brim; and one page.
        for limit in [(expected.len() / 3).max(1), 1000] {
            let found = pages(world, query, order, limit).await;
            assert_eq!(found, expected, "{query:?} by {limit}");
        }
    }
    let store = world.store();
    for by in [None, Some("level"), Some(field)] {
        let theirs = store.histogram(query, step, by).await.unwrap().buckets;
        let ours = reference::histogram(lines, query, step, by);
        assert_eq!(
            format!("{theirs:?}"),
            format!("{ours:?}"),
            "{query:?} by {by:?}"
        );
    }
    for fields in [["level", "event_type"], ["event_type", field]] {
        let theirs = store.facets(query, &fields, 3).await.unwrap().facets;
        let ours = fields.map(|field| reference::facet(lines, query, field, 3));
        assert_eq!(format!("{theirs:?}"), format!("{ours:?}"), "{query:?}");
    }
    for most in [3, 1000] {
        let fields = ["level", field, "message"];
        let theirs = store.texts(query, &fields, most).await.unwrap();
        let ours = crate::store::texts::by_search(store, query, &fields, most);
        let ours = ours.await.unwrap();
        assert_eq!(theirs.rows, ours.rows, "{query:?}");
        assert_eq!(theirs.more, ours.more, "{query:?}");
    }
    for by_time in [None, Some(step)] {
        let fields = ["level", field];
        let theirs = store.numbers(query, "n", &fields, by_time).await.unwrap();
        let ours = reference::numbers(lines, query, "n", &fields, by_time);
        same_numbers(theirs.groups, ours, query);
    }
}

fn same_numbers(theirs: Vec<Group>, ours: Vec<Group>, query: &Query) {
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.into_iter().zip(ours) {
        // Sums depend on the order of addition.
        assert!(
            (theirs.sum - ours.sum).abs() <= ours.sum.abs().max(1.0) * 1e-9
                || !ours.sum.is_finite()
        );
        let sum = ours.sum;
        let theirs = Group { sum, ..theirs };
        assert_eq!(format!("{theirs:?}"), format!("{ours:?}"), "{query:?}");
    }
}

/// How the lines are kept and asked for.
struct Case<'a> {
    rows: usize,
    step: i64,
    field: &'a str,
    /// Whether the segments are sent to an object store, and the disk is lost.
    far: bool,
}

async fn check(texts: Vec<String>, queries: Vec<Query>, case: Case<'_>) {
    let Case {
        rows,
        step,
        field,
        far,
    } = case;
    let mut world = World::with(|mut options| {
        if far {
            options.far = Some(Arc::new(Fake::default()));
        }
        options.seal_rows(rows)
    });
    let half = texts.len() / 2;
    let text = |texts: &[String]| {
        texts
            .iter()
            .map(|text| format!("{text}\n"))
            .collect::<String>()
    };
    world.append("a.log", &text(&texts[..half]));
    world.append("b.log", &text(&texts[half..]));
    world.settle(texts.len() as u64).await;
    let lines = world.all().await;
    let mut raws: Vec<&str> = lines.iter().map(|line| &*line.raw).collect();
    let mut expected: Vec<&str> = texts.iter().map(String::as_str).collect();
    raws.sort_unstable();
    expected.sort_unstable();
    assert_eq!(raws, expected);
    for query in &queries {
        compare(&world, &lines, query, step, field).await;
    }
    // The same once everything is sealed: the arrival times must have stayed.
    world.close().await;
    if far {
        lose_disk(&world);
    }
    world.reopen();
    world.settle(texts.len() as u64).await;
    assert_eq!(world.all().await, lines);
    for query in &queries {
        // What sealed rows add is kept from one question to the next, whatever the bounds.
        let unbounded = Query {
            from: None,
            to: None,
            ..query.clone()
        };
        compare(&world, &lines, &unbounded, step, field).await;
        compare(&world, &lines, query, step, field).await;
    }
}

/// A line's own time is kept beside its fields: it must be read although no bound asks for it.
#[tokio::test]
async fn the_time_is_a_value_like_any_other() {
    let texts = (0..40).map(|n| super::json_line(n, "m")).collect();
    let negated = Filter::Not(Box::new(Filter::Contains {
        field: "message".to_owned(),
        text: "absent".to_owned(),
    }));
    let queries = [vec![], vec![negated]].map(|filters| Query {
        filters,
        ..Query::default()
    });
    let case = Case {
        rows: 10,
        step: 1_000_000_000,
        field: "timestamp",
        far: true,
    };
    check(texts, queries.into(), case).await;
}

/// Few in the gate; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(_) => config.cases,
        Err(_) => 16,
    };
    ProptestConfig { cases, ..config }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn the_engine_says_what_a_scan_says(
        texts in prop::collection::vec(text(), 1..120),
        queries in prop::collection::vec(query(), 1..6),
        rows in prop::sample::select(vec![10usize, 50, 1000]),
        step in prop::sample::select(vec![1_000_000_000i64, 60_000_000_000, 3_600_000_000_000]),
        field in prop::sample::select(&FIELDS[..]),
        far in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let case = Case { rows, step, field, far };
        runtime.block_on(check(texts, queries, case));
    }
}
