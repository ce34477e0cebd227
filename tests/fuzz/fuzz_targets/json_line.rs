//! Whatever is logged: one line, valid JSON without a key twice, and the fields come back equal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnify_trace::{JsonLayer, layer::MemorySink};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

fuzz_target!(|input: (String, String, String, f64, i128, Vec<u8>, Option<String>)| {
    let (message, text, user, float, wide, bytes, debugged) = input;
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!("s", user_id = user, kept = text).entered();
        info!(text, float, wide, debugged = ?debugged, bytes = &bytes[..], "{message}");
        info!(text, step_id = text, "json:raw" = text, "{message}");
    });
    let lines = sink.lines();
    assert_eq!(lines.len(), 2);
    for ((_, line), event) in lines.iter().zip(sink.events()) {
        assert!(
            !line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
            "{line}"
        );
        assert_eq!(event["message"], message.as_str(), "{line}");
        assert_eq!(event["extra"]["text"], text.as_str());
        assert_eq!(event["span"]["fields"]["kept"], text.as_str());
        assert_eq!(event["context"]["user_id"].as_str().unwrap_or_default(), user);
    }
    let (_, first) = &lines[0];
    let extra = &sink.events()[0]["extra"];
    assert!(first.contains(&format!("\"wide\":{wide}")), "{first}");
    assert_eq!(extra["debugged"], format!("{debugged:?}"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(extra["bytes"], hex);
    let (_, number) = first.split_once("\"float\":").expect("the float");
    let number = number.split([',', '}']).next().expect("its digits");
    match float.is_finite() {
        true => assert_eq!(number.parse::<f64>().expect("a number").to_bits(), float.to_bits()),
        false => assert!(number.starts_with('"'), "{number}"),
    }
});
