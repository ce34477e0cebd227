//! The core as a page uses it, in a real browser: `cargo xtask test --only wasm`.
#![cfg(target_arch = "wasm32")]

use omnify_trace_wasm as core;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

// As in `js/src/codes.ts`.
const SETTING_APP: u8 = 0;
const SETTING_ENDPOINT: u8 = 1;
const SETTING_ALLOWED_ORIGIN: u8 = 2;
const SIGN_ACTION: u8 = 1;
const SIGN_INTERVAL: u8 = 7;
const EVENT_OWN: u8 = 0;
const EVENT_USER_ACTION: u8 = 1;
const EVENT_NAVIGATION: u8 = 2;
const EVENT_API_RESPONSE: u8 = 4;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = JSON, catch)]
    fn parse(text: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = Reflect)]
    fn get(target: &JsValue, key: &str) -> JsValue;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    fn date_parse(text: &str) -> f64;
    #[wasm_bindgen(js_namespace = location, js_name = origin, thread_local_v2)]
    static ORIGIN: String;
    #[wasm_bindgen(js_namespace = document, js_name = nodeType, thread_local_v2)]
    static NODE_TYPE: u32;
}

/// Tests share the page and the module: each begins with a logger of its own.
fn begin(now: f64) {
    core::create(&[7; 32], now);
    core::set(SETTING_APP, "page", now);
    core::set(SETTING_ENDPOINT, "http://x/logs", now);
    core::set(SETTING_ALLOWED_ORIGIN, &ORIGIN.with(Clone::clone), now);
    core::notice(SIGN_INTERVAL, 0.0, now);
}

fn log(event: u8, message: &str, extra: &str, request: i32, now: f64) {
    let parts = format!("\0{extra}\0\0{message}");
    assert!(core::log(2, event, &parts, request, now));
}

/// The entries of the next batch, parsed by the browser itself.
fn entries(now: f64) -> Vec<JsValue> {
    let body = String::from_utf8(core::take(48 * 1024, false, now)).expect("UTF-8");
    let batch = parse(&body).expect("the body is JSON");
    let entries = get(&batch, "entries");
    let count = get(&entries, "length").as_f64().unwrap_or(0.0) as u32;
    (0..count)
        .map(|at| get(&entries, &at.to_string()))
        .collect()
}

fn text(value: &JsValue, path: &str) -> String {
    path.split('.')
        .fold(value.clone(), |value, key| get(&value, key))
        .as_string()
        .unwrap_or_default()
}

#[wasm_bindgen_test]
fn this_is_a_real_page() {
    assert_eq!(NODE_TYPE.with(|value| *value), 9, "document.nodeType");
}

#[wasm_bindgen_test]
fn the_browser_reads_back_what_was_logged() {
    let now = date_now();
    begin(now);
    let odd = "quote \" backslash \\ newline \n control \u{1} emoji 🦀 line separator \u{2028}";
    let extra = "{\"amount\":12.5,\"password\":\"x\"}";
    log(EVENT_OWN, odd, extra, -1, now);
    let entries = entries(now);
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(text(entry, "message"), odd);
    assert_eq!(text(entry, "level"), "INFO");
    assert_eq!(text(entry, "target"), "page");
    assert_eq!(text(entry, "extra.password"), "[redacted]");
    assert_eq!(get(&get(entry, "extra"), "amount").as_f64(), Some(12.5));
    let skew = date_parse(&text(entry, "timestamp")) - now;
    assert!(skew.abs() < 1.0, "off by {skew} ms");
}

#[wasm_bindgen_test]
fn a_click_and_the_requests_that_follow_share_a_trace() {
    let now = date_now();
    begin(now);
    log(EVENT_NAVIGATION, "shown", "", -1, now);
    core::notice(SIGN_ACTION, 0.0, now);
    log(EVENT_USER_ACTION, "click", "", -1, now);
    let url = ORIGIN.with(|origin| format!("{origin}/api/save"));
    let ticket = String::from_utf8(core::request_start(&url, true, now + 10.0)).expect("ASCII");
    log(EVENT_API_RESPONSE, "saved", "", 0, now + 60.0);
    core::request_end(0, now + 60.0);
    let entries = entries(now + 100.0);
    let kinds: Vec<String> = entries
        .iter()
        .map(|entry| text(entry, "event_type"))
        .collect();
    assert_eq!(kinds, ["navigation", "user_action", "api_response"]);
    let trace = text(&entries[1], "context.trace_id");
    assert_eq!(trace, text(&entries[2], "context.trace_id"));
    assert_ne!(trace, text(&entries[0], "context.trace_id"));
    assert_eq!(&ticket[3..35], trace);
    assert_eq!(&ticket[36..52], text(&entries[2], "context.span_id"));
    assert_eq!(
        text(&entries[2], "context.parent_span_id"),
        text(&entries[1], "context.span_id")
    );
    assert_eq!(&ticket[55..91], text(&entries[2], "context.request_id"));
    let session = text(&entries[0], "context.session_id");
    assert_eq!(ticket.split(' ').nth(1), Some(session.as_str()));
}
