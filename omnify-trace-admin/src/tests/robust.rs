//! Whatever is sent, the answer is an answer: never a 500, always problem+json.

use std::sync::LazyLock;

use axum::http::{Method, header};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bench, TOKEN};

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    RUNTIME.block_on(async {
        let bench = Bench::new().await;
        bench.line(
            10,
            "request_complete",
            json!({"user_id": "u", "run_id": "r"}),
            json!({"duration_ms": 3}),
        );
        bench.line(
            9,
            "workflow_start",
            json!({"workflow_id": "w", "run_id": "r", "step_id": 7}),
            json!({"steps": {"a": []}}),
        );
        bench.line(
            8,
            "workflow_step",
            json!({"run_id": "r", "step_id": "s"}),
            json!({"depends_on": 9, "attempt": "x", "duration_ms": -5}),
        );
        bench.store.push("not json at all \u{1b}[31m");
        bench
            .store
            .push("{\"timestamp\":\"never\",\"extra\":[1],\"context\":\"x\",\"exception\":3}");
        bench
    })
});

const PATHS: [&str; 22] = [
    "logs",
    "logs/histogram",
    "logs/facets",
    "logs/export",
    "logs/m-0",
    "logs/m-0/context",
    "stats",
    "workflows",
    "runs",
    "runs/r",
    "workflows/w/runs",
    "performance",
    "errors",
    "errors/0",
    "incomplete",
    "traces/x",
    "health",
    "issues",
    "issues/zz",
    "levels",
    "alerts",
    "tokens",
];
const NAMES: [&str; 24] = [
    "timeRange",
    "from",
    "to",
    "level",
    "userId",
    "search",
    "eventType",
    "limit",
    "cursor",
    "order",
    "buckets",
    "by",
    "fields",
    "top",
    "before",
    "after",
    "status",
    "format",
    "runId",
    "traceId",
    "target",
    "service",
    "workflowId",
    "x",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,20}",
        "-?[0-9]{1,19}[smhd]?",
        r#"[a-z_.:<>="*, -]{0,30}"#,
        Just("2026-11-21T09:10:11Z".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("newest".to_owned()),
        Just("ndjson".to_owned()),
    ]
}

/// The parameter that a route refused because it has none of this name.
fn stranger(answer: &super::Answer) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(&answer.text).ok()?;
    let error = &problem["errors"][0];
    let refused = error["detail"].as_str()?.starts_with("This route has no ");
    refused.then(|| error["parameter"].as_str().unwrap_or_default().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_parameter_breaks_a_route(
        path in prop::sample::select(&PATHS[..]),
        parameters in prop::collection::vec((prop::sample::select(&NAMES[..]), value()), 0..4),
    ) {
        let mut query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let ask = |query: &[String]| RUNTIME.block_on(BENCH.get(&format!("{path}?{}", query.join("&"))));
        let mut answer = ask(&query);
        // Those that the route does not have must not keep the others from it.
        while let Some(stranger) = stranger(&answer) {
            query.retain(|parameter| !parameter.starts_with(&format!("{stranger}=")));
            answer = ask(&query);
        }
        prop_assert!(answer.status.as_u16() < 500, "{path}?{query:?}: {}", answer.text);
        if answer.status.is_client_error() {
            prop_assert_eq!(&answer.headers[header::CONTENT_TYPE], "application/problem+json");
        }
    }

    #[test]
    fn no_body_breaks_a_route(
        path in prop::sample::select(&["client-support", "session", "tokens", "alerts", "alerts/x/silence"][..]),
        body in prop_oneof![
            any::<String>().prop_map(|text| json!(text)),
            (value(), value()).prop_map(|(name, range)| json!({"clientId": name, "timeRange": range})),
            (value(), any::<f64>()).prop_map(|(name, number)| json!({"name": name, "kind": "count", "threshold": number, "role": "viewer", "window": name})),
            value().prop_map(|text| json!({"for": text, "token": text})),
        ],
    ) {
        let path = format!("/api/admin/{path}");
        let answer = RUNTIME.block_on(BENCH.call(Method::POST, &path, Some(TOKEN), Some(body.clone())));
        prop_assert!(answer.status.as_u16() < 500, "{path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let bench = Bench::new().await;
    for (path, parameter) in [
        ("logs?limit=0", "limit"),
        ("logs?limit=1001", "limit"),
        ("logs?order=random", "order"),
        ("logs?level=LOUD", "level"),
        ("logs?timeRange=yesterday", "timeRange"),
        ("logs?timeRange=1h&from=0", "timeRange"),
        ("logs?from=2026-13-01", "from"),
        ("logs?from=5&to=4", "from"),
        ("runs?status=sleeping", "status"),
        ("logs/facets?top=x", "top"),
        ("logs?limit=5&usrId=u-1", "usrId"),
        ("stats?level=ERROR", "level"),
        ("logs/m-0?x", "x"),
        ("health?verbose=1", "verbose"),
    ] {
        let answer = bench.get(path).await;
        answer.problem(400, "OT0401");
        assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{path}");
    }
    bench
        .get("logs?cursor=nonsense")
        .await
        .problem(400, "OT0301");
}

/// Whatever a page is made of: if a question behind it ran out of its budget, the page says so.
#[tokio::test]
async fn every_page_says_that_it_is_not_whole() {
    let bench = Bench::new().await;
    let ids = json!({"trace_id": "0123456789abcdef0123456789abcdef", "run_id": "r1", "workflow_id": "w1", "user_id": "u1"});
    bench.line(20, "workflow_start", ids.clone(), json!({}));
    bench.leveled(10, "ERROR", "request_error", ids, json!({}), Value::Null);
    let errors = bench.get("errors").await.ok();
    assert!(errors["partial"].is_null(), "{errors}");
    let fingerprint = errors["errors"][0]["fingerprint"].as_str().unwrap();
    bench.store.hurry();
    let pages = [
        "logs",
        "logs/histogram",
        "logs/facets",
        "stats",
        "performance",
        "errors",
        &format!("errors/{fingerprint}"),
        "incomplete",
        "workflows",
        "workflows/w1/runs",
        "runs",
        "runs/r1",
        "traces/0123456789abcdef0123456789abcdef",
    ];
    for page in pages {
        let answer = bench.get(page).await.ok();
        assert_eq!(answer["partial"]["reason"], "time", "{page}: {answer}");
    }
    let report = bench
        .post("client-support", json!({"clientId": "u1"}))
        .await;
    assert_eq!(report.ok()["partial"]["reason"], "time");
}
