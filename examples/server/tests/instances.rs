//! Several servers behind one address, with a real PostgreSQL and a real Redis between them.

#![allow(clippy::expect_used, reason = "a test says so and stops")]

mod harness;

use std::time::Duration;

use harness::{Server, TOKEN, eventually};
use omnify_tests::servers;
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Pair {
    one: Server,
    other: Server,
    redis: servers::Server,
    _postgres: servers::Server,
    _homes: [TempDir; 2],
}

async fn pair() -> Pair {
    let postgres = servers::Server::postgres().expect("PostgreSQL");
    let redis = servers::Server::redis().expect("Redis");
    let environment = [("DATABASE_URL", &*postgres.url), ("REDIS_URL", &*redis.url)];
    let homes = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    // Both at once, on an empty database: each finds what the other has made.
    let (one, other) = tokio::join!(
        Server::start(homes[0].path(), "serve", &environment),
        Server::start(homes[1].path(), "serve", &environment),
    );
    Pair {
        one,
        other,
        redis,
        _postgres: postgres,
        _homes: homes,
    }
}

fn session(server: &Server) -> String {
    format!("{}/api/admin/session", server.base)
}

async fn log_in(server: &Server, body: &Value) -> Response {
    let call = server.client.post(session(server)).json(body);
    call.send().await.expect("an answer")
}

async fn status_with(server: &Server, cookie: &str) -> StatusCode {
    let call = server
        .client
        .get(session(server))
        .header(header::COOKIE, cookie);
    call.send().await.expect("an answer").status()
}

async fn code(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.expect("a problem");
    (status, problem["code"].clone())
}

#[tokio::test]
async fn who_logs_in_at_one_is_known_at_the_other_until_they_log_out() {
    let pair = pair().await;
    let answer = log_in(&pair.one, &json!({ "token": TOKEN })).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let known: Value = answer.json().await.expect("a session");
    assert_eq!(status_with(&pair.other, &cookie).await, 200);

    let log_out = pair.other.client.delete(session(&pair.other));
    let log_out = log_out.header(header::COOKIE, &cookie).header(
        "x-csrf-token",
        known["csrf_token"].as_str().expect("a token"),
    );
    assert_eq!(log_out.send().await.expect("an answer").status(), 204);
    assert_eq!(status_with(&pair.one, &cookie).await, 401);
}

#[tokio::test]
async fn failed_logins_count_at_all_of_them_together() {
    let pair = pair().await;
    let wrong = json!({"username": "ada", "password": "guess"});
    for server in [&pair.one, &pair.other, &pair.one, &pair.other, &pair.one] {
        assert_eq!(
            code(log_in(server, &wrong).await).await,
            (401, "OT0403".into())
        );
    }
    for server in [&pair.one, &pair.other] {
        let answer = log_in(server, &wrong).await;
        let wait = answer.headers()[header::RETRY_AFTER]
            .to_str()
            .expect("text");
        assert!(
            (1..=60).contains(&wait.parse::<u32>().expect("seconds")),
            "{wait}"
        );
        assert_eq!(code(answer).await, (429, "OT0408".into()));
    }
}

#[tokio::test]
async fn a_live_tail_shows_what_happens_at_the_others_too() {
    let pair = pair().await;
    let url = format!(
        "{}/api/admin/logs/stream?eventType=request_complete",
        pair.one.base
    );
    let mut stream = pair
        .one
        .client
        .get(url)
        .bearer_auth(TOKEN)
        // The time of an ordinary answer is none for a stream.
        .timeout(Duration::from_secs(120))
        .send()
        .await
        .expect("a stream");
    // An instance begins to tell its lines within a second of somebody looking elsewhere.
    let mut told = String::new();
    let mut number = 0;
    while !told.contains("/nowhere-") {
        number += 1;
        assert!(number < 120, "nothing of the other instance: {told}");
        let url = format!("{}/nowhere-{number}", pair.other.base);
        let answer = pair.other.client.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
        if let Ok(part) = tokio::time::timeout(Duration::from_millis(500), stream.chunk()).await {
            told += &String::from_utf8_lossy(&part.expect("readable").expect("it goes on"));
        }
    }
    assert!(told.contains("event: log"), "{told}");
}

#[tokio::test]
async fn without_redis_nobody_logs_in_but_tokens_go_on_until_it_is_back() {
    let mut pair = pair().await;
    pair.redis.stop();
    let body = json!({ "token": TOKEN });
    assert_eq!(
        code(log_in(&pair.one, &body).await).await,
        (503, "OT0413".into())
    );
    let health = pair.one.admin("health").await;
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(health["components"][2]["name"], "redis", "{health}");

    pair.redis.restart().expect("Redis again");
    eventually(
        "Redis is found again",
        Duration::from_secs(30),
        async || log_in(&pair.one, &body).await.status() == 200,
    )
    .await;
    assert_eq!(pair.one.admin("health").await["status"], "ok");
}
