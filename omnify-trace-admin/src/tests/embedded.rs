//! The real store over real files answers as the one in memory does, through every route.

use std::{io::Write as _, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Answer, Bench, TOKEN, story};
use crate::{
    Admin,
    store::{Budget, LogStore, Order, Page, Query},
};

async fn get(router: &axum::Router, path: &str) -> Answer {
    let request = Request::builder()
        .uri(format!("/api/admin/{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    Answer::of(
        router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap(),
    )
    .await
}

/// Takes out what must differ: ids of lines, names of files, and the time of the question.
fn settled(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for name in [
                    "id",
                    "file",
                    "example_id",
                    "line_id",
                    "next_cursor",
                    "evidence",
                ] {
                    members.remove(name);
                }
                members.values_mut().for_each(walk);
            }
            Value::Array(values) => values.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut value);
    value
}

/// The first place where two answers differ.
fn difference(place: &str, left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => a
            .iter()
            .find_map(|(name, value)| difference(&format!("{place}/{name}"), value, &b[name])),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| difference(&format!("{place}/{at}"), a, b)),
        _ => (left != right).then(|| format!("{place}: {left:.400} against {right:.400}")),
    }
}

/// Lines of every kind in one store and in the files of another.
async fn both() -> (Bench, Admin, tempfile::TempDir) {
    let bench = Bench::new().await;
    story::completed_run(&bench, "r1");
    for number in 0..60_i64 {
        let context = json!({"user_id": format!("u{}", number % 3), "organization_id": "acme", "session_id": "s"});
        bench.line(number * 500, "request_complete", context.clone(), json!({"method": "GET", "route": format!("/r{}", number % 4), "status_code": 200, "duration_ms": number * 3}));
        if number % 7 == 0 {
            bench.leveled(
                number * 500,
                "ERROR",
                "request_error",
                context,
                json!({"method": "GET", "route": "/r1", "status_code": 500, "duration_ms": 1.5}),
                json!({"type": "Db", "message": format!("row {number} missing")}),
            );
        }
    }
    bench.line(400, "agent_complete", json!({"run_id": "r9", "workflow_id": "w"}), json!({"gen_ai.agent.name": "a", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5, "cost_usd": 0.25, "duration_ms": 12.0}));
    bench.line(
        300,
        "workflow_start",
        json!({"run_id": "r9", "workflow_id": "w"}),
        json!({"workflow_name": "W"}),
    );
    bench.line(
        250,
        "page_performance",
        json!({"session_id": "s"}),
        json!({"metric": "CLS", "value": 0.3}),
    );
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let lines = bench.store.raw();
    let mut file = std::fs::File::create(logs.join("backend.log")).unwrap();
    file.write_all((lines.join("\n") + "\n").as_bytes())
        .unwrap();
    let admin = Admin::builder()
        .data_dir(directory.path())
        .token(Some(TOKEN.to_owned()))
        .build()
        .await
        .unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while admin.store().stats().await.unwrap().lines < lines.len() as u64 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the lines are found in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (bench, admin, directory)
}

#[tokio::test]
async fn both_stores_answer_alike_on_every_route() {
    let (bench, admin, _directory) = both().await;
    let router = admin.router();
    // One fixed range, so that both are asked about the same moment.
    let (from, to) = (
        crate::time::now() - crate::time::HOUR,
        crate::time::now() + crate::time::MINUTE,
    );
    let range = format!("from={}&to={}", from / 1_000_000, to / 1_000_000);
    for path in [
        format!("logs?{range}&limit=500"),
        format!("logs?{range}&search=missing%20-level:INFO"),
        format!("logs?{range}&search=duration_ms%3E100&order=oldest"),
        format!("logs/histogram?{range}&buckets=30"),
        format!("logs/histogram?{range}&buckets=7&by=event_type"),
        format!("logs/facets?{range}&top=50"),
        format!("logs/facets?{range}&fields=extra.route,user_id,extra.metric"),
        format!("stats?{range}"),
        format!("performance?{range}"),
        format!("workflows?{range}"),
        format!("runs?{range}"),
        format!("runs?{range}&status=active"),
        "runs/r1".to_owned(),
        "traces/0af7651916cd43dd8448eb211c80319c".to_owned(),
        format!("errors?{range}"),
        format!("incomplete?{range}"),
        format!("logs/export?{range}"),
    ] {
        let (expected, answer) = (bench.get(&path).await, get(&router, &path).await);
        if path.starts_with("logs/export") {
            assert_eq!(expected.text.lines().count(), answer.text.lines().count());
            continue;
        }
        // Lines of one instant may come in either order.
        let sorted = |answer: &Answer| {
            let mut value = settled(answer.ok());
            if let Some(logs) = value.get_mut("logs").and_then(Value::as_array_mut) {
                logs.sort_by_key(ToString::to_string);
            }
            if let Some(facets) = value.get_mut("facets").and_then(Value::as_array_mut) {
                for facet in facets {
                    facet["values"]
                        .as_array_mut()
                        .unwrap()
                        .sort_by_key(ToString::to_string);
                }
            }
            value
        };
        let different = difference("", &sorted(&answer), &sorted(&expected));
        assert_eq!(different, None, "{path}");
    }
    admin.shutdown().await;
}

/// A query that may take no time at all says how far it got, whatever it was asked for.
#[tokio::test]
async fn an_answer_that_is_not_whole_says_so() {
    let (_bench, admin, _directory) = both().await;
    let none = Query {
        budget: Budget {
            time: Duration::ZERO,
            ..Budget::default()
        },
        ..Query::default()
    };
    let store = admin.store();
    let page = Page {
        limit: 10,
        cursor: None,
        order: Order::Newest,
    };
    let partial = [
        store.search(&none, &page).await.unwrap().partial,
        store.histogram(&none, 7, None).await.unwrap().partial,
        store.facets(&none, &["target"], 5).await.unwrap().partial,
        store
            .numbers(&none, "duration_ms", &[], None)
            .await
            .unwrap()
            .partial,
    ];
    for partial in partial {
        assert_eq!(partial.unwrap().reason, "time");
    }
    let noting = crate::api::Noting::new(&store);
    noting.facets(&none, &["target"], 5).await.unwrap();
    let answer = serde_json::to_value(noting.answer(json!({"x": 1}))).unwrap();
    assert_eq!(answer["x"], 1);
    assert_eq!(answer["partial"]["reason"], "time");
}

#[tokio::test]
async fn a_new_line_reaches_search_and_tail_and_a_restart_keeps_its_id() {
    let (_bench, admin, directory) = both().await;
    let mut tail = admin.store().tail();
    let line = json!({"timestamp": crate::time::rfc3339(crate::time::now()), "level": "INFO", "message": "fresh", "context": {"request_id": "needle"}});
    let mut file = std::fs::File::options()
        .append(true)
        .open(directory.path().join("logs/backend.log"))
        .unwrap();
    file.write_all(format!("{line}\nplain text, \"no\" JSON\n").as_bytes())
        .unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(10), tail.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(seen.raw.contains("fresh"));
    let text = tokio::time::timeout(Duration::from_secs(10), tail.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(!text.is_json);
    let router = admin.router();
    let text = get(&router, "logs?level=unknown").await.ok();
    assert_eq!(
        (&text["logs"][0]["event_type"], &text["logs"][0]["message"]),
        (&json!("malformed_line"), &json!("plain text, \"no\" JSON"))
    );
    let found = get(&router, "logs?requestId=needle").await.ok();
    assert_eq!(found["logs"][0]["id"], seen.id);
    let around = get(
        &router,
        &format!("logs/{}/context?before=2&after=0", seen.id),
    )
    .await
    .ok();
    assert!(
        around["logs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["message"] == "fresh")
    );
    admin.shutdown().await;
    drop((router, admin));
    let again = Admin::builder()
        .data_dir(directory.path())
        .token(Some(TOKEN.to_owned()))
        .build()
        .await
        .unwrap();
    let line = get(&again.router(), &format!("logs/{}", seen.id))
        .await
        .ok();
    assert_eq!(line["message"], "fresh");
    again.shutdown().await;
}
