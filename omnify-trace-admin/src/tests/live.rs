//! The live tail: filtered, resumed, scoped, and counting what a slow client misses.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Bench, TOKEN};
use crate::access::Role;

/// An open stream.
struct Tail {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Sent {
    event: String,
    id: String,
    data: Value,
}

impl Tail {
    async fn open(bench: &Bench, query: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = Request::builder()
            .uri(format!("/api/admin/logs/stream?{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT_ENCODING, "gzip");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = bench
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    async fn next(&mut self) -> Sent {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let part = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .unwrap_or_default()
                        .trim()
                        .to_owned()
                };
                let sent = Sent {
                    event: part("event:"),
                    id: part("id:"),
                    data: serde_json::from_str(&part("data:")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                if !sent.event.is_empty() {
                    return sent;
                }
                continue;
            }
            let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await;
            let frame = frame
                .expect("an event in time")
                .expect("the stream goes on")
                .unwrap();
            self.text
                .push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
        }
    }
}

#[tokio::test]
async fn new_lines_arrive_filtered() {
    let bench = Bench::new().await;
    bench.line(1_000, "x", json!({"user_id": "u1"}), json!({"n": 0}));
    let mut tail = Tail::open(&bench, "userId=u1&search=-skip", TOKEN, None).await;
    bench.line(0, "x", json!({"user_id": "u2"}), json!({"n": 1}));
    bench.line(
        0,
        "x",
        json!({"user_id": "u1"}),
        json!({"n": 2, "note": "skip"}),
    );
    let id = bench.line(0, "x", json!({"user_id": "u1"}), json!({"n": 3}));
    let sent = tail.next().await;
    assert_eq!(
        (sent.event.as_str(), &sent.id, &sent.data["extra"]["n"]),
        ("log", &id, &json!(3))
    );
    assert_eq!(sent.data["id"], id);
}

#[tokio::test]
async fn a_returning_client_gets_what_it_missed_once() {
    let bench = Bench::new().await;
    let ids: Vec<String> = (0..4)
        .map(|n| bench.line(1_000 - n, "x", json!({}), json!({"n": n})))
        .collect();
    let mut tail = Tail::open(&bench, "", TOKEN, Some(&ids[1])).await;
    let live = bench.line(0, "x", json!({}), json!({"n": 9}));
    let got = [
        tail.next().await.id,
        tail.next().await.id,
        tail.next().await.id,
    ];
    assert_eq!(got, [ids[2].clone(), ids[3].clone(), live]);
    // An id that is not known any more starts with what is new.
    let mut tail = Tail::open(&bench, "", TOKEN, Some("gone")).await;
    let live = bench.line(0, "x", json!({}), json!({}));
    assert_eq!(tail.next().await.id, live);
}

#[tokio::test]
async fn an_organizations_tail_has_its_lines_only() {
    let bench = Bench::new().await;
    let token = bench.token(Role::Viewer, Some("ours")).await;
    let before = bench.line(1_000, "x", json!({"organization_id": "theirs"}), json!({}));
    bench.line(900, "x", json!({"organization_id": "theirs"}), json!({}));
    let mut tail = Tail::open(&bench, "organizationId=theirs", &token, Some(&before)).await;
    let mut all = Tail::open(&bench, "", &token, Some(&before)).await;
    bench.line(0, "x", json!({"organization_id": "theirs"}), json!({}));
    bench.line(0, "x", json!({}), json!({}));
    let ours = bench.line(0, "x", json!({"organization_id": "ours"}), json!({}));
    assert_eq!(all.next().await.id, ours);
    let silent = tokio::time::timeout(Duration::from_millis(200), tail.next()).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test]
async fn a_slow_client_is_told_how_many_lines_it_missed() {
    let bench = Bench::new().await;
    let mut tail = Tail::open(&bench, "", TOKEN, None).await;
    // Without a pause the follower does not get to run, so the tail of 16 lines overflows.
    for n in 0..100 {
        bench.line(0, "x", json!({}), json!({"n": n}));
    }
    let sent = tail.next().await;
    assert_eq!(
        (sent.event.as_str(), &sent.data),
        ("lag", &json!({"missed": 84}))
    );
    assert_eq!(tail.next().await.data["extra"]["n"], 84);
}

#[tokio::test]
async fn streams_are_bounded_and_counted() {
    let bench = Bench::new().await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(Tail::open(&bench, "", TOKEN, None).await);
    }
    bench.get("logs/stream").await.problem(503, "OT0304");
    assert_eq!(
        bench.get("health").await.ok()["journal"]["live_streams"],
        200
    );
    drop(open);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while bench.get("health").await.ok()["journal"]["live_streams"] != 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "closed streams are forgotten"
        );
        tokio::task::yield_now().await;
    }
}
