//! Whatever is logged, every line parses, and the fields come back equal.

use omnify_trace::{JsonLayer, layer::MemorySink};
use proptest::prelude::*;
use tracing::{info, info_span};
use tracing_core::{Event, Metadata};
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
            let error = std::io::Error::other(reason.clone());
            info!(
                text, debugged = ?debugged, small, signed, unsigned, wide, float, truth,
                bytes = &bytes[..], "json:raw" = raw, error = &error as &dyn std::error::Error,
                "{message}"
            );
            info!(wide, truth, none = Option::<u32>::None, "{message}");
            info!(message = float, small);
            info!(cause = &error as &dyn std::error::Error, "json:raw" = truth, "");
            info!("{message}");
            info!(event_type = "workflow_step", small, "{message}");
            info!(event_type = reason, truth);
            info!(event_type = ?debugged, truth, "{message}");
            info!(event_type = float, "{message}");
            info!(event_type = Option::<u32>::None, truth, "{message}");
        });
        prop_assert_eq!(quick.len(), 10);
        let streams = |sink: &MemorySink| sink.lines().into_iter().map(|line| line.0).collect::<Vec<_>>();
        prop_assert_eq!(streams(&quick), streams(&careful));
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

/// A callsite made by hand, as bridges from other libraries make them.
struct Bridge;

static BRIDGE: Bridge = Bridge;
static BRIDGE_METADATA: Metadata<'static> = tracing_core::metadata! {
    name: "bridge",
    target: "bridge",
    level: tracing_core::Level::INFO,
    fields: &["message", "event_type", "a", "b"],
    callsite: &BRIDGE,
    kind: tracing_core::metadata::Kind::EVENT,
};

impl tracing_core::Callsite for Bridge {
    fn set_interest(&self, _: tracing_core::Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &BRIDGE_METADATA
    }
}

proptest! {
    /// The macros give each field once and in order; who makes a set of values by hand need not.
    #[test]
    fn values_in_any_order_and_given_twice_make_whole_lines(
        given in proptest::collection::vec((0..4_usize, "[a-z\"]{0,9}"), 0..8),
        secret_names in any::<bool>(),
    ) {
        let sink = MemorySink::new();
        let layer = JsonLayer::new(sink.clone());
        let layer = if secret_names {
            layer.redactor(omnify_trace::redact::Redactor::new().key("no such name"))
        } else {
            layer
        };
        let subscriber = tracing_subscriber::registry().with(layer);
        let fields: Vec<_> = BRIDGE_METADATA.fields().iter().collect();
        let values: Vec<_> = given
            .iter()
            .map(|(field, text)| (&fields[*field], Some(text as &dyn tracing_core::field::Value)))
            .chain(std::iter::repeat((&fields[0], None)))
            .take(8)
            .collect();
        let values: &[_; 8] = values[..].try_into().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            Event::dispatch(&BRIDGE_METADATA, &BRIDGE_METADATA.fields().value_set(values));
        });
        let (_, line) = sink.lines().remove(0);
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        for (index, name) in ["a", "b"].iter().enumerate() {
            let last = given.iter().rev().find(|(field, _)| *field == index + 2);
            prop_assert_eq!(event["extra"][name].as_str(), last.map(|(_, text)| text.as_str()));
            prop_assert!(line.matches(&format!("\"{name}\":")).count() <= 1, "{}", line);
        }
        let first = given.iter().find(|(field, _)| *field == 0);
        prop_assert_eq!(event["message"].as_str(), Some(first.map_or("", |(_, text)| text.as_str())));
        prop_assert!(line.matches("\"message\":").count() == 1, "{}", line);
        prop_assert!(line.matches("\"event_type\":").count() <= 1, "{}", line);
    }
}
