//! Each route answers in the documented shape.

use std::sync::Arc;

use axum::http::{Method, Request, header};
use serde_json::json;

use super::{Bench, TOKEN};
use crate::access::Role;

#[tokio::test]
async fn logs_come_newest_first_with_cursor_and_filters() {
    let bench = Bench::new().await;
    for number in 0..5 {
        bench.line(
            5_000 - number * 1_000,
            "user_action",
            json!({"user_id": "u1"}),
            json!({"number": number}),
        );
    }
    bench.line(10, "navigation", json!({"user_id": "u2"}), json!({}));
    let page = bench.get("logs?userId=u1&limit=3").await.ok();
    let numbers: Vec<_> = page["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["extra"]["number"].clone())
        .collect();
    assert_eq!(numbers, [4, 3, 2]);
    assert_eq!(
        (&page["logs"][0]["file"], &page["logs"][0]["id"]),
        (&json!("backend.log"), &json!("m-4"))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = bench
        .get(&format!("logs?userId=u1&limit=3&cursor={cursor}"))
        .await
        .ok();
    assert_eq!(rest["logs"].as_array().unwrap().len(), 2);
    assert!(rest["next_cursor"].is_null());
    let oldest = bench.get("logs?order=oldest&limit=1").await.ok();
    assert_eq!(oldest["logs"][0]["extra"]["number"], 0);
    for (query, count) in [
        ("eventType=navigation", 1),
        ("eventType=navigation,user_action", 6),
        ("search=number%3E3", 1),
        ("search=user_id:u1%20-number:2", 4),
        ("search=NAVIGATION", 1),
        ("level=error,warn", 0),
        ("service=shop&target=test", 6),
        ("timeRange=3s", 3),
        ("userId=", 6),
    ] {
        let page = bench.get(&format!("logs?{query}")).await.ok();
        assert_eq!(page["logs"].as_array().unwrap().len(), count, "{query}");
    }
    let noted = bench.get("logs?search=number%3Elots").await.ok();
    assert!(noted["search_note"].is_string(), "{noted}");
}

#[tokio::test]
async fn lines_are_found_by_id_and_with_their_neighbours() {
    let bench = Bench::new().await;
    let ids: Vec<String> = (0..5)
        .map(|number| bench.line(100 - number, "x", json!({}), json!({"n": number})))
        .collect();
    assert_eq!(
        bench.get(&format!("logs/{}", ids[2])).await.ok()["extra"]["n"],
        2
    );
    let around = bench
        .get(&format!("logs/{}/context?before=1&after=2", ids[2]))
        .await
        .ok();
    let numbers: Vec<_> = around["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["extra"]["n"].clone())
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    bench.get("logs/none").await.problem(404, "OT0406");
    bench.get("logs/none/context").await.problem(404, "OT0406");
}

#[tokio::test]
async fn histogram_and_facets_count() {
    let bench = Bench::new().await;
    bench.line(1_000, "a", json!({"organization_id": "o1"}), json!({}));
    bench.line(1_000, "a", json!({"organization_id": "o2"}), json!({}));
    bench.leveled(1_000, "ERROR", "b", json!({}), json!({}), json!(null));
    let histogram = bench
        .get("logs/histogram?timeRange=1h&buckets=60")
        .await
        .ok();
    assert_eq!(histogram["step_ms"], 120_000);
    assert_eq!(
        histogram["buckets"][0]["by"],
        json!({"ERROR": 1, "INFO": 2})
    );
    let facets = bench
        .get("logs/facets?fields=event_type,organization_id&top=1")
        .await
        .ok();
    assert_eq!(
        facets["facets"],
        json!([
            {"field": "event_type", "present": 3, "values": [{"value": "a", "count": 2}]},
            {"field": "organization_id", "present": 2, "values": [{"value": "o1", "count": 1}]},
        ])
    );
}

#[tokio::test]
async fn an_export_has_every_line_of_every_page() {
    let bench = Bench::new().await;
    for number in 0..2_500 {
        bench.line(
            number,
            "x",
            json!({"user_id": format!("u{}", number % 2)}),
            json!({"n": number}),
        );
    }
    let ndjson = bench.get("logs/export?userId=u1").await;
    assert_eq!(ndjson.headers[header::CONTENT_TYPE], "application/x-ndjson");
    assert_eq!(ndjson.text.lines().count(), 1_250);
    for line in ndjson.text.lines() {
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(line).unwrap()["context"]["user_id"],
            "u1"
        );
    }
    let csv = bench.get("logs/export?format=csv&limit=1100").await;
    assert_eq!(csv.text.lines().count(), 1_101);
    assert!(csv.text.starts_with("id,timestamp,level,"));
    let table = bench.get("logs/export?format=parquet&userId=u0").await;
    assert_eq!(
        table.headers[header::CONTENT_TYPE],
        "application/vnd.apache.parquet"
    );
    assert_eq!(rows_of(table.bytes), 1_250);
    bench
        .get("logs/export?format=xls")
        .await
        .problem(400, "OT0401");
}

#[tokio::test]
async fn stats_compare_with_the_time_before() {
    let bench = Bench::new().await;
    for number in 1..=20 {
        bench.line(
            number * 1_000,
            "request_complete",
            json!({}),
            json!({"route": "/a", "method": "GET", "status_code": 200, "duration_ms": number}),
        );
    }
    bench.leveled(
        500,
        "ERROR",
        "request_error",
        json!({"user_id": "u"}),
        json!({"route": "/a", "method": "GET", "status_code": 500, "duration_ms": 100.0}),
        json!({"type": "Boom", "message": "no 7"}),
    );
    bench.line(
        70_000,
        "request_complete",
        json!({}),
        json!({"duration_ms": 9.0}),
    );
    bench.line(400, "frontend_error", json!({"session_id": "s"}), json!({}));
    let stats = bench.get("stats?timeRange=1m").await.ok();
    assert_eq!(stats["requests"]["count"], 21);
    assert_eq!(stats["requests"]["errors"], 1);
    assert_eq!(stats["requests"]["p50_ms"], 11.0);
    assert_eq!(stats["total"], 22);
    assert_eq!(stats["by_level"], json!({"ERROR": 1, "INFO": 21}));
    assert_eq!(stats["previous"]["requests"], 1);
    assert_eq!(stats["previous"]["p95_ms"], 9.0);
    assert_eq!(stats["frontend"]["errors"], 1);
    assert_eq!(stats["top_errors"][0]["type"], "Boom");
    assert_eq!(stats["top_errors"][0]["message"], "no <n>");
    let requests: u64 = stats["series"]["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(requests, 21);
}

#[tokio::test]
async fn performance_tells_routes_apis_agents_and_pages() {
    let bench = Bench::new().await;
    bench.line(
        10,
        "request_complete",
        json!({}),
        json!({"route": "/a", "method": "GET", "duration_ms": 5.0}),
    );
    bench.line(
        10,
        "request_error",
        json!({}),
        json!({"route": "/a", "method": "GET", "duration_ms": 15.0}),
    );
    bench.line(
        10,
        "external_api_call",
        json!({}),
        json!({"api": "crm", "host": "h", "status_code": 503, "duration_ms": 20.0}),
    );
    bench.line(10, "agent_complete", json!({}), json!({"gen_ai.agent.name": "writer", "gen_ai.provider.name": "p", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 4, "cost_usd": 0.5, "duration_ms": 900.0}));
    bench.line(
        10,
        "page_performance",
        json!({}),
        json!({"metric": "LCP", "value": 3000.0}),
    );
    bench.line(
        10,
        "slow_request",
        json!({}),
        json!({"route": "/a", "duration_ms": 15.0}),
    );
    let figures = bench.get("performance?timeRange=5m").await.ok();
    assert_eq!(
        figures["routes"][0],
        json!({"method": "GET", "route": "/a", "count": 2, "errors": 1, "p50_ms": 5.0, "p95_ms": 15.0, "p99_ms": 15.0, "max_ms": 15.0})
    );
    assert_eq!(
        (
            &figures["external_apis"][0]["api"],
            &figures["external_apis"][0]["errors"]
        ),
        (&json!("crm"), &json!(1))
    );
    assert_eq!(figures["agents"][0]["input_tokens"], 10);
    assert_eq!(figures["agents"][0]["cost_usd"], 0.5);
    assert_eq!(figures["web_vitals"][0]["rating"], "needs-improvement");
    assert_eq!(figures["slow_requests"][0]["event_type"], "slow_request");
}

#[tokio::test]
async fn a_route_is_followed_over_time_on_its_own() {
    let bench = Bench::new().await;
    for (method, route, duration) in [
        ("GET", "/a", 5.0),
        ("GET", "/a", 7.0),
        ("POST", "/a", 90.0),
        ("GET", "/b", 400.0),
    ] {
        bench.line(
            10,
            "request_complete",
            json!({}),
            json!({"route": route, "method": method, "duration_ms": duration}),
        );
    }
    for (query, requests, slowest) in [
        ("", 4, 400.0),
        ("&route=/a", 3, 90.0),
        ("&route=/a&method=GET", 2, 7.0),
        ("&route=/c", 0, 0.0),
        ("&method=GET", 4, 400.0),
    ] {
        let figures = bench.get(&format!("performance?timeRange=5m{query}")).await;
        let figures = figures.ok();
        let buckets = figures["series"]["buckets"].as_array().unwrap();
        let counted: u64 = buckets
            .iter()
            .map(|bucket| bucket["requests"].as_u64().unwrap())
            .sum();
        let p99 = buckets
            .iter()
            .filter_map(|bucket| bucket["p99_ms"].as_f64())
            .fold(0.0, f64::max);
        assert_eq!((counted, p99), (requests, slowest), "{query}");
        assert_eq!(figures["routes"].as_array().unwrap().len(), 3, "{query}");
    }
}

#[tokio::test]
async fn errors_are_grouped_decided_and_regress() {
    let bench = Bench::new().await;
    for number in 0..3 {
        bench.leveled(
            50_000,
            "ERROR",
            "panic",
            json!({"user_id": format!("u{number}")}),
            json!({}),
            json!({"type": "panic", "message": format!("index {number} out of range")}),
        );
    }
    let groups = bench.get("errors?timeRange=1h").await.ok();
    let group = &groups["errors"][0];
    assert_eq!(
        (&group["count"], &group["users"], &group["state"]),
        (&json!(3), &json!(3), &json!("new"))
    );
    let print = group["fingerprint"].as_str().unwrap().to_owned();
    let one = bench.get(&format!("errors/{print}")).await.ok();
    assert_eq!(one["examples"].as_array().unwrap().len(), 3);

    let path = format!("/api/admin/issues/{print}");
    let change = json!({"state": "resolved", "ticket_url": "https://t/1"});
    bench
        .call(Method::PUT, &path, Some(TOKEN), Some(change))
        .await
        .ok();
    let state = |groups: serde_json::Value| groups["errors"][0]["state"].clone();
    assert_eq!(
        state(bench.get("errors?timeRange=1h").await.ok()),
        "resolved"
    );
    bench.leveled(
        -1_000,
        "ERROR",
        "panic",
        json!({}),
        json!({}),
        json!({"type": "panic", "message": "index 99 out of range"}),
    );
    assert_eq!(
        state(bench.get("errors?to=4102444800000").await.ok()),
        "regressed"
    );
    let issues = bench.get("issues").await.ok();
    assert_eq!(issues["issues"][0]["ticket_url"], "https://t/1");
    let bad = json!({"ticket_url": "javascript:alert(1)"});
    bench
        .call(Method::PUT, &path, Some(TOKEN), Some(bad))
        .await
        .problem(400, "OT0401");
    bench
        .call(
            Method::PUT,
            &path,
            Some(TOKEN),
            Some(json!({"state": "new"})),
        )
        .await
        .problem(400, "OT0401");
    bench
        .get("errors/0000000000000000")
        .await
        .problem(404, "OT0406");
}

#[tokio::test]
async fn unfinished_code_is_a_work_list() {
    let bench = Bench::new().await;
    for _ in 0..2 {
        bench.leveled(
            5,
            "ERROR",
            "incomplete_code",
            json!({}),
            json!({"location": "src/a.rs:1:2", "kind": "todo"}),
            json!({"type": "panic", "message": "not yet implemented"}),
        );
    }
    let items = bench.get("incomplete").await.ok();
    assert_eq!(items["items"][0]["location"], "src/a.rs:1:2");
    assert_eq!(items["items"][0]["count"], 2);
}

#[tokio::test]
async fn health_metrics_and_headers() {
    let bench = Bench::new().await;
    bench.line(1, "x", json!({}), json!({}));
    let health = bench.get("health").await;
    assert_eq!(health.ok()["status"], "ok");
    assert_eq!(health.ok()["store"]["lines"], 1);
    assert_eq!(health.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(health.headers[header::X_FRAME_OPTIONS], "DENY");
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = bench.call(Method::GET, path, None, None).await;
        assert_eq!(answer.status, 200, "{path}");
        if path == "/metrics" {
            assert!(
                answer.text.contains("omnify_store_lines 1\n"),
                "{}",
                answer.text
            );
        }
    }
    bench.admin.shutdown().await;
    assert_eq!(
        bench.call(Method::GET, "/readyz", None, None).await.status,
        503
    );
    assert_eq!(
        bench.call(Method::GET, "/healthz", None, None).await.status,
        200
    );
}

#[tokio::test]
async fn a_service_whose_loki_is_away_stays_ready_and_says_so() {
    let away = crate::store::LokiOptions::new("http://127.0.0.1:1");
    let store = Arc::new(crate::store::LokiStore::open(away).unwrap());
    let bench = Bench::with(|builder| builder.store(store)).await;
    let ready = bench.call(Method::GET, "/readyz", None, None).await;
    assert_eq!(ready.status, 200);
    let health = bench.get("health").await.ok();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["components"][0]["name"], "store");
    assert_eq!(health["components"][0]["status"], "degraded");
    bench.get("logs").await.problem(503, "OT0304");
}

#[tokio::test]
async fn answers_are_compressed_and_problems_name_the_request() {
    let bench = Bench::new().await;
    for _ in 0..20 {
        bench.line(1, "x", json!({}), json!({}));
    }
    let request = |path: &str| {
        Request::builder()
            .uri(format!("/api/admin/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(header::ACCEPT_ENCODING, "gzip")
            .header("x-request-id", "req-7")
            .header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let page = bench.send(request("logs")).await;
    assert_eq!(page.headers[header::CONTENT_ENCODING], "gzip");
    let problem = bench.send(request("nowhere")).await;
    problem.problem(404, "OT0406");
    assert_eq!(problem.json()["request_id"], "req-7");
    assert_eq!(
        problem.json()["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    bench
        .call(Method::PATCH, "/api/admin/logs", Some(TOKEN), None)
        .await
        .problem(405, "OT0407");
}

#[tokio::test]
async fn the_document_names_every_route_and_is_openapi_3_1() {
    let bench = Bench::new().await;
    let document = bench.get("openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    for path in [
        "session",
        "logs",
        "logs/histogram",
        "logs/facets",
        "logs/{id}",
        "logs/{id}/context",
        "logs/stream",
        "logs/export",
        "traces/{trace_id}",
        "stats",
        "health",
        "workflows",
        "workflows/{id}/runs",
        "runs",
        "runs/{run_id}",
        "performance",
        "errors",
        "errors/{fingerprint}",
        "incomplete",
        "client-support",
        "issues",
        "issues/{fingerprint}",
        "levels",
        "tokens",
        "users",
        "openapi.json",
    ] {
        assert!(
            document["paths"][format!("/api/admin/{path}")].is_object(),
            "{path}"
        );
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn tokens_and_users_are_made_used_and_taken_away() {
    let bench = Bench::new().await;
    let made = bench
        .post(
            "tokens",
            json!({"name": "ci", "role": "viewer", "organization_id": "o1", "expires_in": "1d"}),
        )
        .await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("omnify_"));
    let who = bench
        .call(Method::GET, "/api/admin/session", Some(secret), None)
        .await
        .ok();
    assert_eq!(
        (&who["name"], &who["role"], &who["organization_id"]),
        (&json!("ci"), &json!("viewer"), &json!("o1"))
    );
    assert!(!bench.get("tokens").await.text.contains(secret));
    let path = format!("/api/admin/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(
        bench
            .call(Method::DELETE, &path, Some(TOKEN), None)
            .await
            .status,
        204
    );
    bench
        .call(Method::GET, "/api/admin/session", Some(secret), None)
        .await
        .problem(401, "OT0402");
    bench
        .call(Method::DELETE, &path, Some(TOKEN), None)
        .await
        .problem(404, "OT0406");

    let user = json!({"password": "a long enough one", "role": "support"});
    bench
        .call(Method::PUT, "/api/admin/users/ada", Some(TOKEN), Some(user))
        .await
        .ok();
    let short = json!({"password": "short", "role": "support"});
    bench
        .call(
            Method::PUT,
            "/api/admin/users/ada",
            Some(TOKEN),
            Some(short),
        )
        .await
        .problem(400, "OT0401");
    let login = bench
        .call(
            Method::POST,
            "/api/admin/session",
            None,
            Some(json!({"username": "ada", "password": "a long enough one"})),
        )
        .await;
    assert_eq!(login.ok()["role"], Role::Support.as_str());
    assert_eq!(bench.get("users").await.ok()["users"][0]["username"], "ada");
    assert_eq!(
        bench
            .call(Method::DELETE, "/api/admin/users/ada", Some(TOKEN), None)
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn levels_change_while_the_service_runs() {
    use omnify_trace::setup::{Directives, Levels};
    let levels = Levels::new(Directives::all(tracing::level_filters::LevelFilter::INFO));
    let handed = levels.clone();
    let bench = Bench::with(|builder| builder.levels(handed)).await;
    assert_eq!(
        bench.get("levels").await.ok(),
        json!({"default": "info", "targets": [], "overrides": []})
    );
    let change =
        json!({"default": "warn", "targets": [{"target": "shop::cart", "level": "trace"}]});
    let changed = bench
        .call(Method::PUT, "/api/admin/levels", Some(TOKEN), Some(change))
        .await
        .ok();
    assert_eq!(
        changed,
        json!({"default": "warn", "targets": [{"target": "shop::cart", "level": "trace"}], "overrides": []})
    );
    assert!(
        levels
            .directives()
            .allow(tracing::Level::TRACE, "shop::cart::sum")
    );
    let wanted = json!({"scope": "user", "value": "u-1", "for": "10m"});
    let made = bench.post("levels/overrides", wanted).await.ok();
    assert_eq!(
        (&made["level"], &made["scope"]),
        (&json!("debug"), &json!("user"))
    );
    assert_eq!(levels.overrides().len(), 1);
    assert_eq!(
        bench.get("levels").await.ok()["overrides"][0]["value"],
        "u-1"
    );
    let path = format!("/api/admin/levels/overrides/{}", made["id"]);
    let ended = bench.call(Method::DELETE, &path, Some(TOKEN), None).await;
    assert_eq!(ended.status, 204);
    assert!(levels.overrides().is_empty());
    let forever = json!({"scope": "user", "value": "u-1", "for": "48h"});
    bench
        .post("levels/overrides", forever)
        .await
        .problem(400, "OT0401");
    let change = json!({"default": "loud"});
    bench
        .call(Method::PUT, "/api/admin/levels", Some(TOKEN), Some(change))
        .await
        .problem(400, "OT0401");
    Bench::new()
        .await
        .get("levels")
        .await
        .problem(404, "OT0406");
}

#[tokio::test]
async fn what_does_not_change_is_sent_once() {
    let bench = Bench::new().await;
    let id = bench.line(1, "x", json!({}), json!({}));
    for path in ["openapi.json".to_owned(), format!("logs/{id}")] {
        let first = bench.get(&path).await;
        let tag = first.headers[header::ETAG].to_str().unwrap();
        assert_eq!(first.headers[header::CACHE_CONTROL], "private, no-cache");
        let again = |tag: String| {
            Request::builder()
                .uri(format!("/api/admin/{path}"))
                .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
                .header(header::IF_NONE_MATCH, tag)
                .body(axum::body::Body::empty())
                .unwrap()
        };
        let known = bench.send(again(format!("\"other\", W/{tag}"))).await;
        assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
        assert_eq!(bench.send(again("\"other\"".to_owned())).await.status, 200);
    }
}

fn rows_of(bytes: Vec<u8>) -> usize {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let batches = file.build().unwrap();
    batches.map(|batch| batch.unwrap().num_rows()).sum()
}
