//! What an attack looks like, and what does not; headers on every answer.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use axum::Router;
use axum::body::Body;
use axum::response::AppendHeaders;
use axum::routing::get;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use omnify_trace_axum::security::score::{self, Finding, Rule, score};
use omnify_trace_axum::security::{SecurityHeaders, SecurityLayer};
use omnify_trace_axum::{StackOptions, TracingLayer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use support::{capture, get as request, send};

const ATTACKS: &str = include_str!("corpus/attacks.txt");
const BENIGN: &str = include_str!("corpus/benign.txt");

/// What the browsers and programs of honest people call themselves.
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "curl/8.9.1",
    "Wget/1.24.5",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "PostmanRuntime/7.42.0",
    "axios/1.7.7",
    "node",
    "Java/21.0.2",
    "kube-probe/1.31",
    "Prometheus/2.54.1",
    "ELB-HealthChecker/2.0",
    "GitHub-Hookshot/abc123",
    "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "reqwest/0.13",
];

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<(Method, Uri, HeaderMap)> {
    // What no HTTP library accepts never reaches the layer.
    let uri = uri.parse().ok()?;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().ok()?;
        map.insert(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    Some((method.parse().ok()?, uri, map))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// As a client has to write it to get it through an HTTP parser.
fn writable(uri: &str) -> String {
    uri.chars()
        .map(|c| match c {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | ' '
                if c != '{' && c != '}' && c != '|' =>
            {
                utf8_percent_encode(&c.to_string(), NON_ALPHANUMERIC).to_string()
            }
            c => c.to_string(),
        })
        .collect()
}

fn attack(line: &str) -> Finding {
    let (request, header) = line.split_once(" | ").unwrap_or((line, ""));
    let (method, uri) = request.split_once(' ').expect("a method and an address");
    let header = header.split_once(": ");
    let headers: Vec<_> = header.into_iter().collect();
    let uri = writable(uri);
    let (method, uri, headers) =
        head(method, &uri, &headers).unwrap_or_else(|| panic!("not a request: {line}"));
    score(&method, &uri, &headers)
}

#[test]
fn at_least_99_percent_of_the_attacks_are_found() {
    let attacks: Vec<_> = lines(ATTACKS).collect();
    let missed: Vec<_> = attacks
        .iter()
        .filter(|line| !attack(line).is_suspicious())
        .collect();
    println!(
        "{} attacks, {} missed: {missed:#?}",
        attacks.len(),
        missed.len()
    );
    assert!(attacks.len() >= 300);
    assert!(
        missed.len() * 100 <= attacks.len(),
        "missed {} of {}: {missed:#?}",
        missed.len(),
        attacks.len()
    );
}

/// Every honest text in every place, with every honest client.
fn ordinary_requests() -> Vec<(String, Vec<(&'static str, String)>)> {
    let mut requests = Vec::new();
    for (index, text) in lines(BENIGN).enumerate() {
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let plus = encoded.replace("%20", "+");
        let agent = AGENTS[index % AGENTS.len()].to_owned();
        let uris = [
            format!("/search?q={plus}"),
            format!("/search?q={encoded}&page=2&sort=-created_at"),
            format!("/api/v1/items?name={plus}&limit=20&fields=id,name"),
            format!("/tags/{encoded}"),
            format!("/users/42/notes?text={encoded}"),
            format!("/products/{encoded}/reviews?stars=5"),
            format!("/callback?code=4%2F0AX4XfWh&state={encoded}"),
            format!("/track?utm_source=news&utm_campaign={plus}&utm_term=a%7Cb"),
        ];
        for uri in uris {
            let referer = format!("https://www.example.com/search?q={encoded}");
            requests.push((
                uri,
                vec![("user-agent", agent.clone()), ("referer", referer)],
            ));
        }
        let cookie = format!("sid=0af7651916cd43dd; theme=dark; q={encoded}; _ga=GA1.2.1.1");
        requests.push((
            "/".to_owned(),
            vec![("user-agent", agent), ("cookie", cookie)],
        ));
    }
    requests
}

#[test]
fn at_most_one_in_a_thousand_ordinary_requests_is_flagged() {
    let requests = ordinary_requests();
    let mut flagged = Vec::new();
    for (uri, headers) in &requests {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (method, uri, headers) = head("GET", uri, &headers).expect("a request");
        let finding = score(&method, &uri, &headers);
        if finding.is_suspicious() {
            flagged.push(format!(
                "{uri} {headers:?}: {:?}",
                finding.rules().collect::<Vec<_>>()
            ));
        }
    }
    println!(
        "{} ordinary requests, {} flagged: {flagged:#?}",
        requests.len(),
        flagged.len()
    );
    assert!(requests.len() >= 2000);
    assert!(
        flagged.len() * 1000 <= requests.len(),
        "flagged {} of {}: {flagged:#?}",
        flagged.len(),
        requests.len()
    );
}

#[tokio::test]
async fn a_suspicious_request_is_reported_and_answered_all_the_same() {
    let log = capture();
    let app = Router::new()
        .route("/x", get(|| async { "ok" }))
        .layer(SecurityLayer::new());
    let response = send(&app, request("/x?file=..%2f..%2fetc%2fpasswd")).await;
    assert_eq!(
        (response.status().as_u16(), response.body().as_str()),
        (200, "ok")
    );
    let event = &log.of("suspicious_request")[0];
    assert_eq!(event["level"], "WARN");
    assert!(event["extra"]["score"].as_u64() >= Some(5));
    assert_eq!(event["extra"]["location"], "query");
    assert_eq!(event["extra"]["path"], "/x");
    assert_eq!(event["extra"]["blocked"], false);
    log.sink.clear();
    send(&app, request("/x?page=2")).await;
    assert!(log.of("suspicious_request").is_empty());
}

#[tokio::test]
async fn it_is_blocked_only_when_told() {
    let _log = capture();
    let app = Router::new()
        .route("/x", get(|| async { "ok" }))
        .layer(SecurityLayer::new().block_at(5));
    let response = send(&app, request("/x?q=1'+union+select+1,2--")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(send(&app, request("/x?q=hello")).await.status(), 200);
}

#[tokio::test]
async fn headers_are_set_unless_the_handler_has_set_them() {
    let app = Router::new()
        .route("/json", get(|| async { "ok" }))
        .route(
            "/own",
            get(|| async {
                (
                    [
                        ("cache-control", "max-age=60"),
                        ("server", "mine/1.0"),
                        ("x-powered-by", "steam"),
                        ("x-b3-traceid", "0af7651916cd43dd"),
                        ("x-datadog-trace-id", "1"),
                        ("x-aspnet-version", "4"),
                        ("x-mine", "kept"),
                    ],
                    "ok",
                )
            }),
        )
        .route("/admin/x", get(|| async { "page" }))
        .route("/administrator", get(|| async { "api" }))
        .layer(SecurityLayer::new().headers_below("/admin", SecurityHeaders::dashboard()));
    let response = send(&app, request("/json")).await;
    for (name, value) in [
        (
            "strict-transport-security",
            "max-age=63072000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store, max-age=0"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    let response = send(&app, request("/own")).await;
    assert_eq!(response.headers()["cache-control"], "max-age=60");
    assert_eq!(response.headers()["x-mine"], "kept");
    for name in [
        "server",
        "x-powered-by",
        "x-b3-traceid",
        "x-datadog-trace-id",
        "x-aspnet-version",
    ] {
        assert_eq!(response.headers().get(name), None, "{name}");
    }
    let response = send(&app, request("/admin/x")).await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(
        policy.contains("script-src 'self' 'wasm-unsafe-eval'")
            && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    assert_eq!(
        response.headers()["cross-origin-opener-policy"],
        "same-origin"
    );
    let response = send(&app, request("/administrator")).await;
    assert_eq!(
        response.headers()["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
}

#[tokio::test]
async fn headers_of_the_handler_all_arrive_and_none_is_empty() {
    let app = Router::new()
        .route(
            "/cookies",
            get(|| async {
                let cookies = AppendHeaders([
                    (SET_COOKIE, "a=1"),
                    (SET_COOKIE, "b=2"),
                    (SET_COOKIE, "c=3"),
                ]);
                (cookies, [("x-frame-options", "sameorigin")], "ok")
            }),
        )
        .route("/nothing", get(|| async { StatusCode::NO_CONTENT }));
    let quiet = StackOptions::new().tracing(TracingLayer::new().without_response_header());
    let bare = StackOptions::new().security(SecurityLayer::new().headers(SecurityHeaders::none()));
    for (options, ours) in [(StackOptions::new(), 8), (quiet, 7), (bare, 2)] {
        let app = omnify_trace_axum::stack(app.clone(), options);
        let response = send(&app, request("/cookies")).await;
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2", "c=3"]);
        assert_eq!(response.headers()["x-frame-options"], "sameorigin");
        assert_eq!(response.headers()["content-length"], "2");
        // Ours, and axum's `content-length: 0`.
        let response = send(&app, request("/nothing")).await;
        assert_eq!(response.headers().len(), ours, "{:?}", response.headers());
        assert!(response.headers().values().all(|value| !value.is_empty()));
    }
}

#[test]
fn the_work_per_request_is_bounded() {
    // Only the beginning of a long text is looked at, and its length is a sign in itself.
    let padding = "a".repeat(score::MAX_INSPECTED);
    for (uri, headers) in [
        (format!("/x?q={padding}&f=../../etc/passwd"), vec![]),
        (format!("/{padding}/../../etc/passwd"), vec![]),
    ] {
        let (method, uri, headers) = head("GET", &uri, &headers).expect("a request");
        let finding = score(&method, &uri, &headers);
        let rules: Vec<_> = finding.rules().map(|(rule, _, _)| rule).collect();
        assert_eq!(rules, [Rule::Oversized]);
    }
    // Nor is every fragment of a text that is full of them: so many are an attack by themselves.
    let fragments = "or ".repeat(score::MAX_INSPECTED / 3);
    let uri = format!("/x?q={}", fragments.replace(' ', "+"));
    let (method, uri, headers) = head("GET", &uri, &[]).expect("a request");
    let finding = score(&method, &uri, &headers);
    assert!(finding.rules().any(|(rule, _, _)| rule == Rule::Oversized));
    assert!(finding.is_suspicious());
}

/// Lists that others publish, which are not copied here: the folder named by `OMNIFY_PAYLOADS`
/// holds them, a payload a line; a file whose name begins with `ordinary` holds what is no attack.
/// Prints what is judged wrongly of each.
#[test]
#[ignore = "needs lists from elsewhere"]
fn payload_lists_of_others() {
    let folder = std::env::var("OMNIFY_PAYLOADS").expect("OMNIFY_PAYLOADS names a folder");
    let (mut right, mut all) = (0_u32, 0_u32);
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_attack = !name.starts_with("ordinary");
        let bytes = std::fs::read(&path).expect("readable");
        let text = String::from_utf8_lossy(&bytes);
        let mut wrong = Vec::new();
        for payload in text.lines().filter(|line| line.trim().len() > 1) {
            all += 1;
            if is_flagged(payload).is_none_or(|flagged| flagged == is_attack) {
                right += 1;
            } else {
                wrong.push(payload);
            }
        }
        println!("{name}: {} wrong: {wrong:#?}", wrong.len());
    }
    let share = f64::from(right) / f64::from(all) * 100.0;
    println!("{right} of {all} right: {share:.2} %");
}

/// Whether a parameter with this value is suspicious; `None` of what no HTTP library accepts.
fn is_flagged(value: &str) -> Option<bool> {
    // What is encoded already goes as it is.
    let sent = if value.contains('%') {
        writable(value).replace('#', "%23").replace('&', "%26")
    } else {
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
    };
    let (method, uri, headers) = head("GET", &format!("/x?q={sent}"), &[])?;
    Some(score(&method, &uri, &headers).is_suspicious())
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_request_makes_it_panic(path in "[ -~]{0,60}", value in "\\PC{0,40}") {
            let path = utf8_percent_encode(&path, percent_encoding::CONTROLS).to_string().replace([' ', '"', '<', '>', '#'], "%25");
            let request = Request::get(format!("/{path}")).header("x", HeaderValue::from_bytes(value.as_bytes()).unwrap_or(HeaderValue::from_static(""))).body(Body::empty());
            if let Ok(request) = request {
                let _ = score(request.method(), request.uri(), request.headers());
            }
        }
    }
}
