//! Whatever an administrator does leaves a line that says who did what to what.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use omnify_trace::{
    setup::{Directives, Levels},
    testing,
};
use serde_json::{Value, json};

use super::{Bench, TOKEN};

/// Every route that changes something: method, path, an instance of the path, body, action.
/// `{made}` stands for the id that the answer before had.
fn actions() -> Vec<(
    &'static str,
    &'static str,
    &'static str,
    Value,
    &'static str,
)> {
    let rule = || json!({"name": "Panics", "kind": "count", "search": "event_type:panic", "threshold": 2, "window": "5m"});
    let user = json!({"password": "a long enough one", "role": "support"});
    let log_in = json!({"username": "ada", "password": "a long enough one"});
    let change = json!({"default": "warn"});
    let level = json!({"scope": "user", "value": "u-1", "for": "10m"});
    let issue = json!({"state": "resolved"});
    let client = json!({"clientId": "u-1"});
    vec![
        (
            "POST",
            "/tokens",
            "tokens",
            json!({"name": "ci", "role": "viewer"}),
            "make_token",
        ),
        (
            "DELETE",
            "/tokens/{id}",
            "tokens/{made}",
            Value::Null,
            "revoke_token",
        ),
        ("PUT", "/users/{username}", "users/ada", user, "change_user"),
        ("POST", "/session", "session", log_in, "log_in"),
        ("DELETE", "/session", "session", Value::Null, "log_out"),
        (
            "DELETE",
            "/users/{username}",
            "users/ada",
            Value::Null,
            "remove_user",
        ),
        ("POST", "/alerts", "alerts", rule(), "change_alert"),
        (
            "PUT",
            "/alerts/{id}",
            "alerts/{made}",
            rule(),
            "change_alert",
        ),
        (
            "POST",
            "/alerts/{id}/silence",
            "alerts/{made}/silence",
            json!({"for": "1h"}),
            "silence_alert",
        ),
        (
            "DELETE",
            "/alerts/{id}",
            "alerts/{made}",
            Value::Null,
            "remove_alert",
        ),
        (
            "PUT",
            "/issues/{fingerprint}",
            "issues/00112233445566aa",
            issue,
            "change_issue",
        ),
        ("PUT", "/levels", "levels", change, "change_levels"),
        (
            "POST",
            "/levels/overrides",
            "levels/overrides",
            level,
            "override_level",
        ),
        (
            "DELETE",
            "/levels/overrides/{id}",
            "levels/overrides/{made}",
            Value::Null,
            "end_override",
        ),
        (
            "POST",
            "/client-support",
            "client-support",
            client,
            "client_support",
        ),
        ("GET", "/logs/export", "logs/export", Value::Null, "export"),
    ]
}

#[tokio::test]
async fn every_action_is_written_down() {
    let levels = Levels::new(Directives::all(tracing::level_filters::LevelFilter::INFO));
    let bench = Bench::with(|builder| builder.levels(levels)).await;
    let document = bench.get("openapi.json").await.ok();
    let logs = testing::capture_async(async {
        let mut made = String::new();
        let mut session: Option<(String, String)> = None;
        for (method, _, path, body, action) in actions() {
            let path = format!("/api/admin/{}", path.replace("{made}", &made));
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let body = Some(body).filter(|body| !body.is_null());
            // Whoever logs in has no token, and who logs out has a session.
            let token = (action != "log_in").then_some(TOKEN);
            let answer = match session.take() {
                Some((cookie, csrf)) => {
                    let request = Request::builder()
                        .method(method)
                        .uri(&path)
                        .header(header::COOKIE, cookie)
                        .header("x-csrf-token", csrf);
                    bench.send(request.body(Body::empty()).unwrap()).await
                }
                None => bench.call(method, &path, token, body).await,
            };
            assert!(answer.status.is_success(), "{path}: {}", answer.text);
            let cookie = answer.headers.get(header::SET_COOKIE).cloned();
            let answer: Value = serde_json::from_str(&answer.text).unwrap_or_default();
            if let (Some(cookie), Some(csrf)) = (cookie, answer["csrf_token"].as_str()) {
                let pair = cookie
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .to_owned();
                session = Some((pair, csrf.to_owned()));
            }
            match &answer["id"] {
                Value::String(id) => made.clone_from(id),
                Value::Number(id) => made = id.to_string(),
                _ => {}
            }
        }
    })
    .await;
    let told: Vec<String> = logs
        .events()
        .iter()
        .filter(|event| event.json()["target"] == "omnify_trace_admin::audit")
        .map(|event| {
            assert!(
                event.json()["extra"]["actor"].is_string(),
                "{:?}",
                event.json()
            );
            let action = event.json()["extra"]["action"].as_str();
            action.unwrap_or(event.event_type()).to_owned()
        })
        .collect();
    let expected: Vec<&str> = actions().iter().map(|action| action.4).collect();
    assert_eq!(told, expected);

    // And there is no route that changes something but those above.
    let mut changing = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"] {
            if item[method].is_object() {
                let path = path.strip_prefix("/api/admin").unwrap();
                changing.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    let known: BTreeSet<(String, String)> = actions()
        .iter()
        .filter(|action| action.0 != "GET")
        .map(|action| (action.0.to_owned(), action.1.to_owned()))
        .collect();
    assert_eq!(changing, known);
}
