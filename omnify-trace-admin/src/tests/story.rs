//! Runs, traces, alerts and support reports, from the lines of one small day.

use axum::http::{Method, header};
use serde_json::{Value, json};

use super::{Bench, TOKEN};
use crate::alerts::{Engine, Transition};

fn run(run_id: &str) -> Value {
    json!({"workflow_id": "onboarding", "run_id": run_id, "user_id": "ada", "organization_id": "acme",
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "00000000000000aa"})
}

fn step(run_id: &str, step_id: &str, span: &str) -> Value {
    let mut context = run(run_id);
    context["step_id"] = step_id.into();
    context["span_id"] = span.into();
    context["parent_span_id"] = "00000000000000aa".into();
    context
}

/// quote → (mail ∥ charge, which fails once) → done.
pub(super) fn completed_run(bench: &Bench, run_id: &str) {
    let step = |id, span| step(run_id, id, span);
    bench.line(
        10_000,
        "workflow_start",
        run(run_id),
        json!({"workflow_name": "Onboarding", "steps": 3}),
    );
    bench.line(
        10_000,
        "workflow_step",
        step("quote", "0000000000000001"),
        json!({"status": "started", "step_name": "Quote", "attempt": 1}),
    );
    bench.line(
        8_000,
        "workflow_step",
        step("quote", "0000000000000001"),
        json!({"status": "completed", "attempt": 1, "duration_ms": 2000.0, "output_bytes": 7}),
    );
    bench.line(
        8_000,
        "workflow_step",
        step("mail", "0000000000000002"),
        json!({"status": "started", "depends_on": "quote"}),
    );
    bench.line(
        8_000,
        "workflow_step",
        step("charge", "0000000000000003"),
        json!({"status": "started", "depends_on": "quote", "attempt": 1, "agent_type": "agentkit"}),
    );
    bench.line(
        7_500,
        "external_api_call",
        step("charge", "0000000000000004"),
        json!({"api": "pay", "host": "h", "status_code": 503, "attempt": 1, "duration_ms": 400.0}),
    );
    bench.line(
        7_000,
        "workflow_step",
        step("mail", "0000000000000002"),
        json!({"status": "completed", "duration_ms": 1000.0}),
    );
    bench.leveled(
        7_000,
        "ERROR",
        "workflow_step_error",
        step("charge", "0000000000000003"),
        json!({"attempt": 1, "will_retry": true}),
        json!({"type": "Http", "message": "503"}),
    );
    bench.line(
        6_900,
        "workflow_step",
        step("charge", "0000000000000005"),
        json!({"status": "started", "attempt": 2, "depends_on": "quote"}),
    );
    bench.line(
        5_000,
        "workflow_step",
        step("charge", "0000000000000005"),
        json!({"status": "completed", "attempt": 2, "duration_ms": 1900.0}),
    );
    bench.line(
        5_000,
        "workflow_complete",
        run(run_id),
        json!({"workflow_name": "Onboarding", "duration_ms": 5000.0}),
    );
}

#[tokio::test]
async fn a_run_is_rebuilt_with_attempts_calls_lanes_and_critical_path() {
    let bench = Bench::new().await;
    completed_run(&bench, "r1");
    let run = bench.get("runs/r1").await.ok();
    assert_eq!(
        (&run["status"], &run["name"], &run["duration_ms"]),
        (&json!("completed"), &json!("Onboarding"), &json!(5000.0))
    );
    assert_eq!(
        (
            &run["steps_total"],
            &run["steps_done"],
            &run["current_step"]
        ),
        (&json!(3), &json!(3), &Value::Null)
    );
    let steps = run["steps"].as_array().unwrap();
    let step = |id: &str| steps.iter().find(|step| step["step_id"] == id).unwrap();
    let critical: Vec<_> = steps
        .iter()
        .filter(|step| step["critical"] == true)
        .map(|step| &step["step_id"])
        .collect();
    assert_eq!(critical, ["quote", "charge"]);
    assert_eq!(
        (&step("charge")["attempts"], &step("charge")["error"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(step("charge")["depends_on"], json!(["quote"]));
    assert_eq!(
        (
            &step("charge")["calls"][0]["kind"],
            &step("charge")["calls"][0]["status"]
        ),
        (&json!("external_api"), &json!("failed"))
    );
    assert_eq!(
        (&step("mail")["lane"], &step("charge")["lane"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(step("quote")["name"], "Quote");
}

#[tokio::test]
async fn open_runs_are_told_apart_by_what_happened_to_their_process() {
    let bench = Bench::new().await;
    completed_run(&bench, "done");
    bench.leveled(
        60_000,
        "ERROR",
        "workflow_error",
        run("failed"),
        json!({"failed_step": "charge", "duration_ms": 9.0}),
        json!({"type": "E", "message": "declined"}),
    );
    for (ago, id) in [
        (50_000, "crashed"),
        (40_000, "restarted"),
        (3_000, "stalled"),
        (2_900, "recovered"),
        (2_000, "active"),
        (1_900, "waiting"),
    ] {
        bench.line(ago, "workflow_start", run(id), json!({}));
        bench.line(
            ago,
            "workflow_step",
            step(id, "charge", "0000000000000009"),
            json!({"status": "started"}),
        );
    }
    bench.leveled(
        49_000,
        "ERROR",
        "crash_detected",
        json!({}),
        json!({"in_flight": [{"run_id": "crashed", "operation_kind": "workflow"}]}),
        Value::Null,
    );
    bench.line(30_000, "service_start", json!({}), json!({"pid": 9}));
    for id in ["stalled", "recovered"] {
        bench.leveled(
            1_000,
            "WARN",
            "operation_stalled",
            step(id, "charge", "0000000000000009"),
            json!({"operation_kind": "step", "operation": "charge", "age_ms": 2000}),
            Value::Null,
        );
    }
    bench.line(
        900,
        "operation_recovered",
        step("recovered", "charge", "0000000000000009"),
        json!({"operation_kind": "step", "operation": "charge"}),
    );
    bench.line(
        800,
        "workflow_step",
        step("waiting", "charge", "0000000000000009"),
        json!({"status": "waiting"}),
    );
    for (id, status, current) in [
        ("done", "completed", None),
        ("failed", "failed", Some("charge")),
        ("crashed", "interrupted", Some("charge")),
        ("restarted", "interrupted", Some("charge")),
        ("stalled", "stalled", Some("charge")),
        ("recovered", "active", Some("charge")),
        ("active", "active", Some("charge")),
        ("waiting", "active", Some("charge")),
    ] {
        let run = bench.get(&format!("runs/{id}")).await.ok();
        assert_eq!(
            (&run["status"], run["current_step"].as_str()),
            (&json!(status), current),
            "{id}: {run}"
        );
    }
    let totals = json!({"active": 3, "completed": 1, "failed": 1, "stalled": 1, "interrupted": 2});
    let summary = bench.get("workflows?timeRange=1h").await.ok();
    assert_eq!(summary["totals"], totals);
    let flow = &summary["workflows"][0];
    assert_eq!(
        (&flow["workflow_id"], &flow["name"], &flow["runs"]),
        (&json!("onboarding"), &json!("onboarding"), &json!(8))
    );
    assert_eq!(flow["p95_ms"], 5000.0);
    assert_eq!(
        bench.get("stats?timeRange=1h").await.ok()["workflows"],
        totals
    );

    let names = async |query: &str| -> Vec<String> {
        let page = bench.get(&format!("runs?timeRange=1h&{query}")).await.ok();
        page["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["run_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("status=active").await,
        ["waiting", "active", "recovered"]
    );
    assert_eq!(names("status=interrupted").await, ["restarted", "crashed"]);
    assert_eq!(names("status=failed").await, ["failed"]);
    assert_eq!(names("limit=2").await, ["waiting", "active"]);
    assert_eq!(names("userId=nobody").await, Vec::<String>::new());
    let page = bench
        .get("runs?timeRange=1h&status=active&limit=2")
        .await
        .ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(
        names(&format!("status=active&limit=2&cursor={cursor}")).await,
        ["recovered"]
    );
    let of_workflow = bench
        .get("workflows/onboarding/runs?timeRange=1h")
        .await
        .ok();
    assert_eq!(
        of_workflow["runs"].as_array().unwrap().len(),
        7,
        "all but the one whose start is not in the lines"
    );
}

#[tokio::test]
async fn a_trace_is_rebuilt_as_a_tree_of_spans() {
    let bench = Bench::new().await;
    completed_run(&bench, "r1");
    bench.line(
        5_000,
        "workflow_step",
        step("r1", "approval", "0000000000000009"),
        json!({"status": "skipped", "reason": "not needed"}),
    );
    let trace = bench
        .get("traces/0af7651916cd43dd8448eb211c80319c")
        .await
        .ok();
    assert_eq!(trace["services"], json!(["shop"]));
    assert_eq!(trace["logs"].as_array().unwrap().len(), 12);
    let spans = trace["spans"].as_array().unwrap();
    let span = |id: &str| spans.iter().find(|span| span["span_id"] == id).unwrap();
    let root = span("00000000000000aa");
    assert_eq!(
        (
            &root["kind"],
            &root["name"],
            &root["duration_ms"],
            &root["status"]
        ),
        (
            &json!("workflow"),
            &json!("Onboarding"),
            &json!(5000.0),
            &json!("ok")
        )
    );
    assert_eq!(span("0000000000000003")["status"], "error");
    assert_eq!(span("0000000000000005")["status"], "ok");
    assert_eq!(
        span("0000000000000009")["status"],
        "ok",
        "skipped is not open"
    );
    assert_eq!(
        span("0000000000000004")["parent_span_id"],
        "00000000000000aa"
    );
    let starts: Vec<&str> = spans
        .iter()
        .map(|span| span["started_at"].as_str().unwrap())
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
}

#[tokio::test]
async fn a_support_report_names_the_cause_with_its_evidence() {
    let bench = Bench::new().await;
    completed_run(&bench, "r1");
    let evidence: Vec<String> = (0..6)
        .map(|_| {
            bench.leveled(
                2_000,
                "ERROR",
                "external_api_call",
                run("r2"),
                json!({"api": "crm", "host": "h", "status_code": 502, "error": "bad gateway <b>"}),
                Value::Null,
            )
        })
        .collect();
    bench.line(1_500, "workflow_start", run("r2"), json!({}));
    let question = json!({"clientId": "ada", "issueDescription": "the CRM sync does nothing", "timeRange": "1h"});
    let report = bench.post("client-support", question.clone()).await.ok();
    assert_eq!(
        (&report["kind"], &report["error_count"]),
        (&json!("user"), &json!(7))
    );
    let cause = &report["probable_cause"];
    assert_eq!(cause["category"], "external_service");
    assert!(cause["confidence"].as_f64().unwrap() > 0.5, "{cause}");
    assert!(evidence.contains(&cause["evidence"][0].as_str().unwrap().to_owned()));
    assert_eq!(report["workflows"]["unfinished"][0]["run_id"], "r2");
    assert_eq!(report["workflows"]["completed"], 1);
    assert!(!report["recommendations"].as_array().unwrap().is_empty());
    let times: Vec<&str> = report["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["timestamp"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted() && !times.is_empty());

    let html = bench
        .post("client-support?format=html", question.clone())
        .await;
    assert_eq!(
        html.headers[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
    assert!(
        html.text.contains("bad gateway &lt;b&gt;") && !html.text.contains("<b>"),
        "{}",
        html.text
    );
    let markdown = bench.post("client-support?format=markdown", question).await;
    assert!(
        markdown.text.starts_with("# Support report: ada\n"),
        "{}",
        markdown.text
    );

    let of_all = bench
        .post("client-support", json!({"clientId": "acme"}))
        .await
        .ok();
    assert_eq!(of_all["kind"], "organization");
    let nobody = bench
        .post("client-support", json!({"clientId": "nobody"}))
        .await
        .ok();
    assert_eq!(
        (&nobody["kind"], &nobody["probable_cause"]["category"]),
        (&json!("unknown"), &json!("none"))
    );
    bench
        .post("client-support", json!({"clientId": " "}))
        .await
        .problem(400, "OT0401");
}

#[tokio::test]
async fn an_alert_fires_calls_its_webhook_and_is_silenced() {
    let bench = Bench::with(|builder| builder.alert_period(std::time::Duration::ZERO)).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel::<Value>();
    let address = listener.local_addr().unwrap();
    let hook = axum::Router::new().route(
        "/hook",
        axum::routing::post(move |axum::Json(body): axum::Json<Value>| {
            let sender = sender.clone();
            async move { sender.send(body).unwrap() }
        }),
    );
    tokio::spawn(async move { axum::serve(listener, hook).await });
    let rule = json!({"name": "Panics", "kind": "count", "search": "event_type:panic", "threshold": 2, "window": "5m",
        "cooldown": "0s", "webhook": format!("http://{address}/hook")});
    let made = bench.post("alerts", rule.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let engine = Engine::new(bench.admin.state().clone(), bench.admin.store());
    let evaluate = async || engine.evaluate(crate::time::now()).await.unwrap()[0].1;
    assert_eq!(evaluate().await, Transition::Quiet);
    for _ in 0..2 {
        bench.leveled(5, "ERROR", "panic", json!({}), json!({}), Value::Null);
    }
    assert_eq!(evaluate().await, Transition::Fired);
    assert_eq!(evaluate().await, Transition::Quiet);
    let call = tokio::time::timeout(std::time::Duration::from_secs(10), calls.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&call["status"], &call["value"], &call["rule"]),
        (&json!("fired"), &json!(2.0), &json!(id))
    );
    assert!(call["text"].as_str().unwrap().contains("Panics"));
    let alerts = bench.get("alerts").await.ok();
    assert_eq!(
        (
            &alerts["alerts"][0]["status"],
            &alerts["alerts"][0]["value"]
        ),
        (&json!("firing"), &json!(2.0))
    );

    bench
        .post(&format!("alerts/{id}/silence"), json!({"for": "1h"}))
        .await
        .ok();
    let mut quiet = rule.clone();
    quiet["threshold"] = json!(5);
    bench
        .call(
            Method::PUT,
            &format!("/api/admin/alerts/{id}"),
            Some(TOKEN),
            Some(quiet),
        )
        .await
        .ok();
    assert_eq!(evaluate().await, Transition::Resolved);
    assert!(calls.try_recv().is_err(), "a silenced alert tells nobody");
    assert!(bench.get("alerts").await.ok()["alerts"][0]["silenced_until"].is_string());
    let bad = json!({"name": "x", "kind": "count", "threshold": 1, "webhook": "ftp://x"});
    bench.post("alerts", bad).await.problem(400, "OT0401");
    assert_eq!(
        bench
            .call(
                Method::DELETE,
                &format!("/api/admin/alerts/{id}"),
                Some(TOKEN),
                None
            )
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn a_new_installation_begins_with_rules() {
    let bench = Bench::new().await;
    let alerts = bench.get("alerts").await.ok();
    assert!(
        alerts["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alert| alert["id"] == "default-panic"),
        "{alerts}"
    );
}
