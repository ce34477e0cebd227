//! Nobody sees or does what they may not: the whole matrix, read from the OpenAPI document.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};

use super::{Answer, Bench, TOKEN};
use crate::{Admin, access::Role, api::openapi_json, state::State};

/// Every route but the login, with ids filled in.
fn routes() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{trace_id}", "0af7651916cd43dd8448eb211c80319c")
            .replace("{run_id}", "run-1")
            .replace("{fingerprint}", "0123456789abcdef")
            .replace("{username}", "nobody")
            .replace("{id}", "m-0");
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            if !(method == Method::POST && path.ends_with("/session")) {
                routes.push((method, path.clone()));
            }
        }
    }
    assert!(routes.len() > 30, "{routes:?}");
    routes
}

#[tokio::test]
async fn every_route_without_a_token_is_401() {
    let bench = Bench::new().await;
    for (method, path) in routes() {
        for token in [None, Some("wrong")] {
            let answer = bench
                .call(method.clone(), &path, token, Some(json!({})))
                .await;
            // After many wrong tokens the answer may be that there were too many.
            assert!(
                matches!(answer.status.as_u16(), 401 | 429),
                "{method} {path}: {}",
                answer.status
            );
            assert!(!answer.text.contains("logs\":"), "{method} {path}");
        }
    }
    bench
        .call(Method::GET, "/api/admin/no/such/route", None, None)
        .await
        .problem(401, "OT0402");
}

/// What each role may change, and with which body.
fn changes() -> Vec<(Method, &'static str, Value, Role)> {
    vec![
        (
            Method::POST,
            "client-support",
            json!({"clientId": "u"}),
            Role::Support,
        ),
        (
            Method::PUT,
            "issues/0123456789abcdef",
            json!({"state": "ignored"}),
            Role::Support,
        ),
        (
            Method::POST,
            "tokens",
            json!({"name": "x", "role": "viewer"}),
            Role::Admin,
        ),
        (Method::DELETE, "tokens/none", json!(null), Role::Admin),
        (
            Method::PUT,
            "users/nobody",
            json!({"password": "long enough for all", "role": "viewer"}),
            Role::Admin,
        ),
        (Method::DELETE, "users/none", json!(null), Role::Admin),
        (
            Method::PUT,
            "levels",
            json!({"default": "info"}),
            Role::Admin,
        ),
        (
            Method::POST,
            "levels/overrides",
            json!({"scope": "user", "value": "u"}),
            Role::Support,
        ),
        (
            Method::DELETE,
            "levels/overrides/none",
            json!(null),
            Role::Support,
        ),
        (
            Method::POST,
            "alerts",
            json!({"name": "x", "kind": "count", "threshold": 1}),
            Role::Admin,
        ),
        (
            Method::PUT,
            "alerts/none",
            json!({"name": "x", "kind": "count", "threshold": 1}),
            Role::Admin,
        ),
        (Method::DELETE, "alerts/none", json!(null), Role::Admin),
        (
            Method::POST,
            "alerts/none/silence",
            json!({"for": "1h"}),
            Role::Support,
        ),
    ]
}

#[tokio::test]
async fn a_role_changes_only_what_it_may() {
    let bench = Bench::new().await;
    for role in [Role::Viewer, Role::Support, Role::Admin] {
        let token = bench.token(role, None).await;
        for (method, path, body, least) in changes() {
            let path = format!("/api/admin/{path}");
            let answer = bench
                .call(method.clone(), &path, Some(&token), Some(body))
                .await;
            if role < least {
                answer.problem(403, "OT0404");
            } else {
                assert_ne!(answer.status, 403, "{} {method} {path}", role.as_str());
            }
        }
    }
}

#[tokio::test]
async fn the_matrix_of_changes_names_every_route_that_changes_something() {
    let normal = |path: &str| {
        path.trim_start_matches("/api/admin/")
            .replace("0123456789abcdef", "*")
            .replace("nobody", "*")
            .replace("none", "*")
            .replace("m-0", "*")
    };
    let known: BTreeSet<String> = changes()
        .iter()
        .map(|(method, path, ..)| format!("{method} {}", normal(path)))
        .collect();
    for (method, path) in routes() {
        let own_session = method == Method::DELETE && path.ends_with("/session");
        if method != Method::GET && !own_session {
            let name = format!("{method} {}", normal(&path));
            assert!(known.contains(&name), "{name} is missing in the matrix");
        }
    }
}

#[tokio::test]
async fn an_organizations_token_sees_no_other_organization_on_any_route() {
    let bench = Bench::new().await;
    for organization in ["ours", "theirs"] {
        let context = |run: &str| {
            json!({"organization_id": organization, "user_id": format!("user-{organization}"),
                "workflow_id": format!("flow-{organization}"), "run_id": format!("{run}-{organization}"),
                "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
                "session_id": format!("session-{organization}")})
        };
        let secret = json!({"secret": format!("secret-{organization}")});
        bench.line(900, "workflow_start", context("run"), secret.clone());
        bench.line(800, "workflow_start", context("ended"), secret.clone());
        bench.line(
            700,
            "workflow_complete",
            context("ended"),
            json!({"duration_ms": 4.0}),
        );
        bench.line(
            600,
            "request_complete",
            context("run"),
            json!({"route": format!("/{organization}"), "method": "GET", "duration_ms": 1.0}),
        );
        bench.line(
            500,
            "external_api_call",
            context("run"),
            json!({"api": format!("api-{organization}"), "duration_ms": 1.0}),
        );
        bench.line(
            400,
            "slow_request",
            context("run"),
            json!({"route": format!("/{organization}"), "duration_ms": 9.0}),
        );
        bench.leveled(
            300,
            "ERROR",
            "incomplete_code",
            context("run"),
            json!({"location": format!("{organization}.rs:1:1")}),
            json!({"type": "panic", "message": format!("boom of {organization}")}),
        );
    }
    let token = bench.token(Role::Admin, Some("ours")).await;
    let theirs = ["m-7", "m-13"];
    let mut seen_ours = 0;
    for (method, path) in routes() {
        if method != Method::GET || path.contains("stream") {
            continue;
        }
        for path in [
            path.clone(),
            path.replace("m-0", theirs[0]),
            format!("{path}?organizationId=theirs"),
        ] {
            let answer = bench.call(Method::GET, &path, Some(&token), None).await;
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.text);
            assert!(!answer.text.contains("theirs"), "{path}: {}", answer.text);
            seen_ours += usize::from(answer.text.contains("ours"));
        }
    }
    assert!(
        seen_ours > 10,
        "the token sees its own lines on {seen_ours} routes"
    );
    for (id, count) in [("user-theirs", 0), ("theirs", 0), ("user-ours", 7)] {
        let answer = bench
            .call(
                Method::POST,
                "/api/admin/client-support",
                Some(&token),
                Some(json!({"clientId": id})),
            )
            .await;
        assert_eq!(answer.ok()["total_logs"], count, "{id}");
    }
    let run = bench
        .call(
            Method::GET,
            "/api/admin/runs/run-theirs",
            Some(&token),
            None,
        )
        .await;
    run.problem(404, "OT0406");
    for (method, path, body, _) in changes() {
        if path != "client-support" {
            let answer = bench
                .call(
                    method,
                    &format!("/api/admin/{path}"),
                    Some(&token),
                    Some(body),
                )
                .await;
            answer.problem(403, "OT0404");
        }
    }
}

async fn log_in(bench: &Bench, body: Value) -> (Answer, String) {
    let answer = bench
        .call(Method::POST, "/api/admin/session", None, Some(body))
        .await;
    let cookie = answer
        .headers
        .get(header::SET_COOKIE)
        .map(|cookie| cookie.to_str().unwrap().to_owned());
    (answer, cookie.unwrap_or_default())
}

fn with_cookie(
    method: Method,
    path: &str,
    cookie: &str,
    csrf: Option<&str>,
    body: &Value,
) -> Request<Body> {
    let pair = cookie.split(';').next().unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/admin/{path}"))
        .header(header::COOKIE, format!("other=1; {pair}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(csrf) = csrf {
        request = request.header("x-csrf-token", csrf);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn a_session_needs_its_csrf_token_to_change_anything_and_ends() {
    let bench = Bench::new().await;
    let (answer, cookie) = log_in(&bench, json!({"token": TOKEN})).await;
    let session = answer.ok();
    for part in [
        "HttpOnly",
        "SameSite=Strict",
        "Path=/api/admin",
        "Max-Age=43200",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let csrf = session["csrf_token"].as_str().unwrap();
    let none = json!(null);
    let who = bench
        .send(with_cookie(Method::GET, "session", &cookie, None, &none))
        .await
        .ok();
    assert_eq!(who["csrf_token"], csrf);
    let question = json!({"clientId": "u"});
    for wrong in [None, Some("wrong"), Some("")] {
        bench
            .send(with_cookie(
                Method::POST,
                "client-support",
                &cookie,
                wrong,
                &question,
            ))
            .await
            .problem(403, "OT0405");
    }
    bench
        .send(with_cookie(
            Method::POST,
            "client-support",
            &cookie,
            Some(csrf),
            &question,
        ))
        .await
        .ok();
    let gone = bench
        .send(with_cookie(
            Method::DELETE,
            "session",
            &cookie,
            Some(csrf),
            &none,
        ))
        .await;
    assert_eq!(gone.status, 204);
    assert!(
        gone.headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    bench
        .send(with_cookie(Method::GET, "session", &cookie, None, &none))
        .await
        .problem(401, "OT0402");
}

#[tokio::test]
async fn a_session_expires_and_a_cookie_behind_https_is_secure() {
    let bench = Bench::with(|builder| builder.session_length(std::time::Duration::ZERO)).await;
    let (answer, cookie) = log_in(&bench, json!({"token": TOKEN})).await;
    answer.ok();
    bench
        .send(with_cookie(
            Method::GET,
            "session",
            &cookie,
            None,
            &json!(null),
        ))
        .await
        .problem(401, "OT0402");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/admin/session")
        .header("x-forwarded-proto", "https")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"token": TOKEN}).to_string()))
        .unwrap();
    let answer = bench.send(request).await;
    assert!(
        answer.headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .ends_with("; Secure")
    );
}

#[tokio::test]
async fn logins_are_limited_after_failures() {
    let bench =
        Bench::with(|builder| builder.user("ada", "the right password", Role::Viewer, None)).await;
    let wrong = json!({"username": "ada", "password": "guess"});
    for _ in 0..5 {
        log_in(&bench, wrong.clone()).await.0.problem(401, "OT0403");
    }
    let right = json!({"username": "ada", "password": "the right password"});
    let (limited, _) = log_in(&bench, right).await;
    limited.problem(429, "OT0408");
    assert!(
        limited.headers[header::RETRY_AFTER]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            <= 60
    );
    log_in(&bench, json!({"token": TOKEN})).await.0.ok();
    log_in(&bench, json!({"username": "bob"}))
        .await
        .0
        .problem(400, "OT0401");
}

#[tokio::test]
async fn the_first_token_is_made_once_and_a_configured_one_replaces_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let start = async |token: Option<&str>| {
        let store = std::sync::Arc::new(super::MemoryStore::new());
        Admin::builder()
            .data_dir(directory.path())
            .store(store)
            .token(token.map(str::to_owned))
            .build()
            .await
            .unwrap()
    };
    let first = start(None).await.first_token().unwrap();
    assert!(start(None).await.first_token().is_none());
    let admin = start(Some("one configured")).await;
    assert!(admin.first_token().is_none());
    drop(start(Some("another configured")).await);
    let state = State::open(&State::sqlite_url(directory.path()))
        .await
        .unwrap();
    let known = async |token: &str| {
        state
            .token(&crate::access::hash(token))
            .await
            .unwrap()
            .is_some()
    };
    assert!(known(&first).await);
    assert!(known("another configured").await);
    assert!(!known("one configured").await);
    let file = std::fs::read(directory.path().join("admin.db")).unwrap();
    assert!(
        !String::from_utf8_lossy(&file).contains(&first),
        "secrets are kept as hashes only"
    );
}
