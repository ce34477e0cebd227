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

proptest! {
    /// Plain events are written by a way of their own, which a redactor with names of its own rules
    /// out: both must say the same.
    #[test]
    fn the_quick_way_and_the_careful_one_write_the_same(
        message in any::<String>(),
        text in "\\PC{0,20}|[ -~]{0,40}",
        debugged in any::<Option<String>>(),
        small in 0..1_200_u64,
        signed in any::<i64>(),
        unsigned in any::<u64>(),
        wide in any::<i128>(),
        float in prop_oneof![any::<f64>(), (0..5_000_000_u32).prop_map(|n| f64::from(n) / 1000.0)],
        truth in any::<bool>(),
        bytes in any::<Vec<u8>>(),
        raw in any::<String>(),
        reason in any::<String>(),
    ) {
        let (quick, careful) = (MemorySink::new(), MemorySink::new());
        let redactor = omnify_trace::redact::Redactor::new().key("no such name");
        let subscriber = tracing_subscriber::registry()
            .with(JsonLayer::new(quick.clone()))
            .with(JsonLayer::new(careful.clone()).redactor(redactor));
        tracing::subscriber::with_default(subscriber, || {
            let _span = info_span!("s", user_id = "u-1", kept = 1).entered();
            let error = std::io::Error::other(reason);
            info!(
                text, debugged = ?debugged, small, signed, unsigned, wide, float, truth,
                bytes = &bytes[..], "json:raw" = raw, error = &error as &dyn std::error::Error,
                "{message}"
            );
            info!(wide, truth, none = Option::<u32>::None, "{message}");
            info!(message = float, small);
            info!(cause = &error as &dyn std::error::Error, "json:raw" = truth, "");
            info!("{message}");
        });
        prop_assert_eq!(quick.len(), 5);
        for (mut quick, mut careful) in quick.events().into_iter().zip(careful.events()) {
            for line in [&mut quick, &mut careful] {
                prop_assert_eq!(line["context"]["user_id"].as_str(), Some("u-1"), "{}", line);
                line["timestamp"].take();
                line["context"]["trace_id"].take();
                line["context"]["span_id"].take();
            }
            prop_assert_eq!(quick, careful);
        }
    }
}
