//! The admin's state in each database that it knows: the same answers from a real SQLite, a real
//! PostgreSQL, and with sessions in a real Redis.

#![allow(clippy::expect_used, reason = "a test says so and stops")]

use omnify_tests::servers::Server;
use omnify_trace_admin::{
    Redis,
    state::{AlertRow, AlertStateRow, IssueRow, SessionRow, State, StateError, TokenRow, UserRow},
};

const SECOND: i64 = 1_000_000_000;

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_nanos()).expect("before 2262")
}

#[tokio::test]
async fn sqlite_keeps_the_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = State::sqlite_url(folder.path());
    whole_state(|| async { State::open(&url).await.expect("opened") }).await;
}

#[tokio::test]
async fn postgres_keeps_the_state() {
    let server = Server::postgres().expect("PostgreSQL");
    whole_state(|| async { State::open(&server.url).await.expect("opened") }).await;
}

#[tokio::test]
async fn redis_keeps_the_sessions_of_a_state_in_postgres() {
    let (postgres, redis) = (
        Server::postgres().expect("PostgreSQL"),
        Server::redis().expect("Redis"),
    );
    let open = || async {
        let state = State::open(&postgres.url).await.expect("opened");
        state.with_redis(Redis::open(&redis.url).await.expect("connected"))
    };
    whole_state(open).await;
    let without = State::open(&postgres.url).await.expect("opened");
    open()
        .await
        .put_session(&session("s9", "ada", now() + 60 * SECOND))
        .await
        .expect("kept");
    assert_eq!(
        without.session("s9", now()).await.expect("asked"),
        None,
        "it is in Redis"
    );
}

/// Opens the same state twice, as two instances would: what the one does, the other sees.
async fn whole_state<F: Future<Output = State>>(open: impl Fn() -> F) {
    let (one, other) = (open().await, open().await);
    tokens(&one, &other).await;
    one_token_of_instances_that_start_together(&one, &other).await;
    users_and_sessions(&one, &other).await;
    issues(&one, &other).await;
    alerts(&one, &other).await;
    leases(&one, &other).await;
    one.ping().await.expect("answers");
    one.close().await;
    let error = one.tokens().await.expect_err("closed").to_string();
    assert!(error.starts_with("OT0411"), "{error}");
    // What was kept is there after a restart, and its schema is not made a second time.
    assert_eq!(open().await.tokens().await.expect("listed").len(), 1);
}

async fn tokens(one: &State, other: &State) {
    let row = |id: &str, hash: &str, created_at| TokenRow {
        id: id.into(),
        name: "a 'quoted' ☃ name".into(),
        hash: hash.into(),
        role: "viewer".into(),
        organization_id: Some("org-1".into()),
        created_at,
        expires_at: None,
        last_used_at: None,
    };
    let (first, second) = (row("t1", "h1", 1), row("t2", "h2", 2));
    one.put_token(&first).await.expect("kept");
    one.put_token(&second).await.expect("kept");
    assert_eq!(
        other.tokens().await.expect("listed"),
        [second, first.clone()],
        "newest first"
    );
    assert_eq!(other.token("h1").await.expect("asked"), Some(first.clone()));
    let changed = TokenRow {
        id: "another".into(),
        role: "admin".into(),
        expires_at: Some(i64::MAX),
        ..first
    };
    one.put_token(&changed).await.expect("replaced");
    let found = other.token("h1").await.expect("asked").expect("there");
    assert_eq!(
        (&*found.id, &*found.role, found.expires_at),
        ("t1", "admin", Some(i64::MAX))
    );
    other.touch_token("t1", 7).await.expect("touched");
    assert_eq!(
        one.token("h1")
            .await
            .expect("asked")
            .expect("there")
            .last_used_at,
        Some(7)
    );
    assert!(other.delete_token("t1").await.expect("gone"));
    assert!(!one.delete_token("t1").await.expect("asked"), "only once");
}

fn session(hash: &str, name: &str, expires_at: i64) -> SessionRow {
    SessionRow {
        hash: hash.into(),
        name: name.into(),
        role: "support".into(),
        organization_id: None,
        csrf_token: "c".into(),
        created_at: 1,
        expires_at,
    }
}

/// The configured token, which each of them keeps at its start; and then another one.
async fn one_token_of_instances_that_start_together(one: &State, other: &State) {
    let row = |hash: &str, created_at| TokenRow {
        id: "configured".into(),
        name: "configured token".into(),
        hash: hash.into(),
        role: "admin".into(),
        organization_id: None,
        created_at,
        expires_at: None,
        last_used_at: None,
    };
    for round in 1..=20 {
        let row = row(&format!("configured {round}"), round);
        let (first, second) = tokio::join!(one.put_token(&row), other.put_token(&row));
        first.and(second).expect("both kept it");
        assert_eq!(one.token(&row.hash).await.expect("asked"), Some(row));
    }
    let gone = one.token("configured 19").await.expect("asked");
    assert_eq!(gone, None, "the last one took its place");
    // A token that is known by another id, such as that of the first start, is configured.
    let first = TokenRow {
        id: "first".into(),
        ..row("first", 1)
    };
    other.put_token(&first).await.expect("kept");
    one.put_token(&row("first", 2)).await.expect("kept");
    assert_eq!(one.token("first").await.expect("asked"), Some(first));
    let gone = one.token("configured 20").await.expect("asked");
    assert_eq!(gone, None, "nor is the one configured before");
    assert!(other.delete_token("first").await.expect("removed"));
}

async fn users_and_sessions(one: &State, other: &State) {
    let ada = UserRow {
        username: "ada".into(),
        password_hash: "first".into(),
        role: "support".into(),
        organization_id: None,
        created_at: 1,
    };
    one.put_user(&ada).await.expect("kept");
    let ada = UserRow {
        password_hash: "second".into(),
        ..ada
    };
    other.put_user(&ada).await.expect("replaced");
    assert_eq!(one.user("ada").await.expect("asked"), Some(ada.clone()));
    assert_eq!(one.users().await.expect("listed"), [ada]);

    let (now, later) = (now(), now() + 60 * SECOND);
    for (hash, name) in [("s1", "ada"), ("s2", "ada"), ("s3", "bob")] {
        one.put_session(&session(hash, name, later))
            .await
            .expect("kept");
    }
    assert_eq!(
        other.session("s1", now).await.expect("asked"),
        Some(session("s1", "ada", later))
    );
    assert_eq!(
        other.session("s1", later).await.expect("asked"),
        None,
        "it has ended"
    );
    assert_eq!(other.session("none", now).await.expect("asked"), None);
    other.delete_session("s1").await.expect("ended");
    assert_eq!(one.session("s1", now).await.expect("asked"), None);
    assert!(other.delete_user("ada").await.expect("removed"));
    assert!(!other.delete_user("ada").await.expect("asked"));
    assert_eq!(
        one.session("s2", now).await.expect("asked"),
        None,
        "removed with their user"
    );
    assert!(
        one.session("s3", now).await.expect("asked").is_some(),
        "another's"
    );
    one.expire_sessions(now).await.expect("expired");
    assert!(
        one.session("s3", now).await.expect("asked").is_some(),
        "it goes on"
    );
}

async fn issues(one: &State, other: &State) {
    let issue = IssueRow {
        fingerprint: "f1".into(),
        state: "ongoing".into(),
        first_seen: 5,
        resolved_at: None,
        ticket_url: None,
        assignee: Some("ada".into()),
        note: Some("two\nlines".into()),
        updated_at: 10,
        updated_by: "ada".into(),
    };
    one.put_issue(&issue).await.expect("kept");
    let resolved = IssueRow {
        state: "resolved".into(),
        first_seen: 99,
        resolved_at: Some(11),
        updated_at: 11,
        ..issue.clone()
    };
    other.put_issue(&resolved).await.expect("replaced");
    let found = one.issue("f1").await.expect("asked").expect("there");
    assert_eq!(
        found,
        IssueRow {
            first_seen: 5,
            ..resolved
        },
        "first seen stays what it was"
    );
    let newer = IssueRow {
        fingerprint: "f2".into(),
        updated_at: 12,
        ..issue
    };
    one.put_issue(&newer).await.expect("kept");
    let order: Vec<String> = other
        .issues()
        .await
        .expect("listed")
        .into_iter()
        .map(|i| i.fingerprint)
        .collect();
    assert_eq!(order, ["f2", "f1"], "last changed first");
}

async fn alerts(one: &State, other: &State) {
    let rule = AlertRow {
        id: "a1".into(),
        definition: "{}".into(),
        updated_at: 1,
        updated_by: "ada".into(),
    };
    one.put_alert(&rule).await.expect("kept");
    assert_eq!(other.alerts().await.expect("listed"), [rule]);
    other
        .silence_alert("a1", Some(50), 2)
        .await
        .expect("silenced");
    let state = AlertStateRow {
        rule_id: "a1".into(),
        status: "firing".into(),
        since: 3,
        last_value: Some(0.125),
        last_evaluated: 4,
        last_notified: Some(4),
        silenced_until: None,
    };
    one.put_alert_state(&state).await.expect("kept");
    let told = AlertStateRow {
        silenced_until: Some(50),
        ..state
    };
    assert_eq!(
        other.alert_states().await.expect("listed"),
        [told],
        "a measurement does not end a silence"
    );
    assert!(other.delete_alert("a1").await.expect("removed"));
    assert!(one.alerts().await.expect("listed").is_empty());
    assert!(one.alert_states().await.expect("listed").is_empty());
}

async fn leases(one: &State, other: &State) {
    assert!(
        one.hold("x", "one", 10, 20).await.expect("asked"),
        "nobody had it"
    );
    assert!(
        !other.hold("x", "other", 19, 30).await.expect("asked"),
        "it has not run out"
    );
    assert!(
        one.hold("x", "one", 19, 40).await.expect("asked"),
        "renewed"
    );
    assert!(!other.hold("x", "other", 39, 50).await.expect("asked"));
    assert!(
        other.hold("x", "other", 40, 50).await.expect("asked"),
        "it has run out"
    );
    assert!(
        !one.hold("x", "one", 41, 60).await.expect("asked"),
        "now it is the other's"
    );
    assert!(
        one.hold("y", "one", 41, 60).await.expect("asked"),
        "another lease"
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_without_its_password() {
    let server = Server::postgres().expect("PostgreSQL");
    let url = server.url.clone();
    drop(server);
    let error = State::open(&url).await.expect_err("gone").to_string();
    assert!(
        error.starts_with("OT0411: the state database could not be opened"),
        "{error}"
    );

    for (url, code) in [
        ("redis://:hunter2@127.0.0.1:1/0", "OT0413"),
        ("mongodb://ada:hunter2@127.0.0.1", "OT0414"),
    ] {
        let error = Redis::open(url).await.expect_err("refused");
        assert!(error.to_string().starts_with(code), "{error}");
        assert!(
            !format!("{error:?} {error}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_postgres_that_goes_away_is_told_and_found_again() {
    let mut server = Server::postgres().expect("PostgreSQL");
    let state = State::open(&server.url).await.expect("opened");
    state.ping().await.expect("answers");
    server.stop();
    let error = state.ping().await.expect_err("gone");
    assert!(matches!(error, StateError::Database { .. }), "{error}");
    server.restart().expect("PostgreSQL again");
    state.ping().await.expect("found again");
}
