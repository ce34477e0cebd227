//! Whatever is logged, every line parses, and the fields come back equal.

use omnify_trace::{JsonLayer, layer::MemorySink};
use proptest::prelude::*;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

proptest! {
    #[test]
    fn every_line_parses_and_gives_the_fields_back(
        message in any::<String>(),
        text in any::<String>(),
        user in any::<String>(),
        step in "\\PC{0,300}",
        debugged in any::<Vec<Option<String>>>(),
        signed in any::<i64>(),
        unsigned in any::<u64>(),
        truth in any::<bool>(),
        bytes in any::<Vec<u8>>(),
        raw in any::<String>(),
        event_type in any::<String>(),
        late in any::<Option<String>>(),
    ) {
        let sink = MemorySink::new();
        let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let span = info_span!("s", user_id = user, kept = text, "json:ready" = raw, late = tracing::field::Empty);
            let _entered = span.enter();
            if let Some(late) = &late {
                span.record("late", late.as_str());
            }
            info!(
                event_type, text, debugged = ?debugged, signed, unsigned, truth,
                bytes = &bytes[..], step_id = step, "json:raw" = raw,
                "{message}"
            );
        });
        let line = &sink.lines()[0].1;
        let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        prop_assert!(!line.contains(breaks), "{}", line);
        let parsed = &sink.events()[0];
        prop_assert_eq!(&parsed["message"], &message);
        prop_assert_eq!(&parsed["event_type"], &event_type);
        let extra = &parsed["extra"];
        prop_assert_eq!(&extra["text"], &text);
        prop_assert_eq!(&extra["debugged"], &format!("{debugged:?}"));
        prop_assert_eq!(&extra["signed"], signed);
        prop_assert_eq!(&extra["unsigned"], unsigned);
        prop_assert_eq!(&extra["truth"], truth);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        prop_assert_eq!(&extra["bytes"], &hex);
        let context = &parsed["context"];
        prop_assert_eq!(context["user_id"].as_str().unwrap_or_default(), &user);
        prop_assert_eq!(context["step_id"].as_str().unwrap_or_default(), &step);
        prop_assert_eq!(&parsed["span"]["fields"]["kept"], &text);
        prop_assert_eq!(parsed["span"]["fields"]["late"].as_str(), late.as_deref());
    }
}
