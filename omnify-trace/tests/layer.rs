//! What a line holds, whatever an application gives: one behaviour a test.

use std::{error::Error, fmt, io};

use omnify_trace::{
    CorrelationContext, JsonLayer, Stream,
    context::{RequestId, SpanId, TraceId, UserId},
    emit_line,
    layer::MemorySink,
};
use serde_json::{Value, json};
use tracing::{Span, debug, error, info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer as _, filter::LevelFilter, prelude::*};

/// Runs `work` under a JSON layer and gives its lines, parsed.
fn capture(work: impl FnOnce()) -> Vec<Value> {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    with_default(subscriber, work);
    sink.events()
}

#[test]
fn lines_of_any_length_are_whole() {
    // Around the length up to which lines are written the quick way.
    for length in (0..40).map(|at| 7_800 + at * 12).chain([70_000]) {
        let text = "x\"".repeat(length / 3);
        let lines = capture(|| {
            info!(%text, after = 1, "short");
            info!(text, after = 2.5, "short");
            info!(after = 3, "{text}");
            info!("short");
        });
        let value = |at: usize, pointer: &str| lines[at].pointer(pointer).unwrap().clone();
        assert_eq!(value(0, "/extra/text"), text.as_str());
        assert_eq!(value(0, "/extra/after"), 1);
        assert_eq!(value(1, "/extra/text"), text.as_str());
        assert_eq!(value(1, "/extra/after"), 2.5);
        assert_eq!(value(2, "/message"), text.as_str());
        assert_eq!(value(2, "/extra/after"), 3);
        assert_eq!(value(3, "/message"), "short");
    }
}

#[test]
fn every_kind_of_value_keeps_its_type() {
    let lines = capture(|| {
        info!(
            signed = -5_i64,
            unsigned = u64::MAX,
            wide = i128::MIN,
            wider = u128::MAX,
            float = 0.1,
            whole = 3.0,
            nan = f64::NAN,
            infinite = f64::INFINITY,
            negative = f64::NEG_INFINITY,
            yes = true,
            text = "a\"b\\c\nd\u{2028}e\u{7f}é",
            bytes = &[0_u8, 255][..],
            debug = ?Some(1),
            display = %"shown",
            none = None::<u8>,
            "values"
        );
    });
    let extra = &lines[0]["extra"];
    assert_eq!(extra["signed"], -5);
    assert_eq!(extra["unsigned"], u64::MAX);
    assert_eq!(extra["float"], 0.1);
    assert_eq!(extra["whole"], 3.0);
    assert_eq!(extra["nan"], "NaN");
    assert_eq!(extra["infinite"], "Infinity");
    assert_eq!(extra["negative"], "-Infinity");
    assert_eq!(extra["yes"], true);
    assert_eq!(extra["text"], "a\"b\\c\nd\u{2028}e\u{7f}é");
    assert_eq!(extra["bytes"], "00ff");
    assert_eq!(extra["debug"], "Some(1)");
    assert_eq!(extra["display"], "shown");
    assert_eq!(extra.get("none"), None);
}

#[test]
fn integers_of_128_bits_keep_every_digit() {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    with_default(subscriber, || {
        info!(low = i128::MIN, high = u128::MAX, "wide");
    });
    let line = &sink.lines()[0].1;
    assert!(
        line.contains(r#""low":-170141183460469231731687303715884105728"#),
        "{line}"
    );
    assert!(
        line.contains(r#""high":340282366920938463463374607431768211455"#),
        "{line}"
    );
}

#[test]
fn keys_never_repeat_whatever_names_a_user_gives() {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    with_default(subscriber, || {
        let span = info_span!("outer", color = "red", level = 1, shade = "dark").entered();
        let inner = info_span!("inner", color = "blue", user_id = "a", user_id = "b").entered();
        info!(
            level = "mine",
            target = "mine",
            timestamp = 1,
            extra = 2,
            context = 3,
            twice = 1,
            other = 0,
            twice = 2,
            "said"
        );
        drop((inner, span));
    });
    let line = sink.lines()[0].1.clone();
    let value: Unique = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let value = value.0;
    assert_eq!(value["level"], "INFO");
    assert_eq!(value["message"], "said");
    assert_eq!(
        value["extra"],
        json!({"level": "mine", "target": "mine", "timestamp": 1, "extra": 2, "context": 3, "other": 0, "twice": 2})
    );
    assert_eq!(
        value["span"]["fields"],
        json!({"level": 1, "shade": "dark", "color": "blue"})
    );
    assert_eq!(value["context"]["user_id"], "b");
}

#[test]
fn the_same_name_twice_where_the_later_one_is_absent_keeps_the_earlier_value() {
    let lines = capture(|| info!(twice = 1, twice = None::<u8>, "said"));
    assert_eq!(lines[0]["extra"]["twice"], 1);
}

#[test]
fn well_known_span_fields_land_in_the_context_and_children_inherit_them() {
    let lines = capture(|| {
        let _outer = info_span!("request", request_id = "r-1", user_id = 42, shop = "x").entered();
        info!("outside");
        let _inner = info_span!("step", step_id = "charge").entered();
        info!("inside");
    });
    let outer = &lines[0]["context"];
    let inner = &lines[1]["context"];
    assert_eq!(outer["request_id"], "r-1");
    assert_eq!(outer["user_id"], "42");
    assert_eq!(outer.get("parent_span_id"), None);
    assert_eq!(inner["request_id"], "r-1");
    assert_eq!(inner["step_id"], "charge");
    assert_eq!(inner["trace_id"], outer["trace_id"]);
    assert_eq!(inner["parent_span_id"], outer["span_id"]);
    assert_ne!(inner["span_id"], outer["span_id"]);
    assert_eq!(
        lines[1]["span"],
        json!({"name": "step", "fields": {"shop": "x"}})
    );
}

#[test]
fn an_event_can_correct_its_context() {
    let lines = capture(|| {
        let _span = info_span!("request", request_id = "r-1", user_id = "u-1").entered();
        info!(
            user_id = "u-2",
            agent = "researcher",
            items = 1,
            "as another"
        );
        info!("as before");
    });
    assert_eq!(lines[0]["context"]["user_id"], "u-2");
    assert_eq!(lines[0]["context"]["agent"], "researcher");
    assert_eq!(lines[0]["context"]["request_id"], "r-1");
    assert_eq!(lines[0]["extra"], json!({"items": 1}));
    assert_eq!(lines[1]["context"]["user_id"], "u-1");
    let outside = capture(|| info!(user_id = "u-3", "no span"));
    assert_eq!(outside[0]["context"], json!({"user_id": "u-3"}));
}

#[test]
fn a_late_record_reaches_every_generation() {
    let lines = capture(|| {
        let root = info_span!("root", user_id = tracing::field::Empty);
        let mut spans = vec![root.clone()];
        for _ in 0..12 {
            let inner = info_span!(parent: spans.last().unwrap(), "inner");
            spans.push(inner);
        }
        root.record("user_id", "u-1");
        for span in &spans {
            span.in_scope(|| info!("inside"));
        }
    });
    assert_eq!(lines.len(), 13);
    for line in &lines {
        assert_eq!(line["context"]["user_id"], "u-1");
        assert_eq!(line["context"]["trace_id"], lines[0]["context"]["trace_id"]);
    }
}

#[test]
fn a_late_record_reaches_the_span_its_children_and_other_threads() {
    let lines = capture(|| {
        let root = info_span!(
            "request",
            user_id = tracing::field::Empty,
            rows = tracing::field::Empty
        );
        let _root = root.enter();
        let child = info_span!("child");
        let _child = child.enter();
        info!("before");
        std::thread::scope(|scope| {
            let root = root.clone();
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || root.record("user_id", "u-9"));
            });
        });
        root.record("rows", 7);
        info!("after");
        root.record("rows", 8);
        info!("later");
    });
    assert_eq!(lines[0]["context"].get("user_id"), None);
    assert_eq!(lines[1]["context"]["user_id"], "u-9");
    assert_eq!(lines[1]["span"]["fields"]["rows"], 7);
    assert_eq!(lines[2]["span"]["fields"]["rows"], 8);
    assert_eq!(
        lines[1]["context"]["trace_id"],
        lines[0]["context"]["trace_id"]
    );
}

#[test]
fn follows_from_is_told() {
    let lines = capture(|| {
        let first = info_span!("first");
        first.in_scope(|| info!("one"));
        let second = info_span!("second");
        second.follows_from(&first);
        second.in_scope(|| info!("two"));
    });
    assert_eq!(
        lines[1]["span"]["follows_from"],
        json!([lines[0]["context"]["span_id"]])
    );
}

#[test]
fn a_remote_trace_goes_on() {
    let trace: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap();
    let parent: SpanId = "00f067aa0ba902b7".parse().unwrap();
    let by_text = capture(|| {
        let _span = info_span!("request", trace_id = %trace, parent_span_id = %parent).entered();
        info!("hello");
    });
    let by_number = capture(|| {
        let _span = info_span!(
            "request",
            trace_id = trace.to_u128(),
            parent_span_id = parent.to_u64()
        )
        .entered();
        info!("hello");
    });
    let context = CorrelationContext::builder()
        .trace_id(trace)
        .span_id(parent)
        .build();
    let by_context = capture(|| context.span("request").in_scope(|| info!("hello")));
    for lines in [by_text, by_number, by_context] {
        assert_eq!(lines[0]["context"]["trace_id"], trace.to_string());
        assert_eq!(lines[0]["context"]["parent_span_id"], parent.to_string());
        assert_eq!(lines[0]["span"]["name"], "request");
    }
}

#[test]
fn the_current_context_is_typed_and_carries_what_is_no_field() {
    let context = CorrelationContext::builder()
        .request_id("r-1".parse::<RequestId>().unwrap())
        .user_id("née \"quoted\"".parse::<UserId>().unwrap())
        .trace_state(std::sync::Arc::from("vendor=1"))
        .trace_flags(1)
        .baggage("tier", "gold")
        .build();
    let lines = capture(|| {
        assert_eq!(CorrelationContext::current(), None);
        let _span = context.span("request").entered();
        let _child = info_span!("child", step_id = "s").entered();
        let current = CorrelationContext::current().unwrap();
        assert_eq!(current.user_id(), context.user_id());
        assert_eq!(current.request_id(), context.request_id());
        assert_eq!(current.trace_state(), Some("vendor=1"));
        assert_eq!(current.trace_flags(), 1);
        assert_eq!(current.baggage(), context.baggage());
        assert_eq!(current.step_id().unwrap().as_str(), "s");
        info!(span = %current.span_id().unwrap(), "hello");
    });
    assert_eq!(lines[0]["extra"]["span"], lines[0]["context"]["span_id"]);
}

#[test]
fn a_context_of_another_trace_brings_nothing_of_the_surrounding_one() {
    let other = CorrelationContext::builder()
        .trace_id(
            "4bf92f3577b34da6a3ce929d0e0e4736"
                .parse::<TraceId>()
                .unwrap(),
        )
        .build();
    let lines = capture(|| {
        let _mine = info_span!("mine", user_id = "u-1", color = "red").entered();
        other.span("theirs").in_scope(|| info!("hello"));
    });
    assert_eq!(lines[0]["context"].get("user_id"), None);
    assert_eq!(lines[0]["span"], json!({"name": "theirs"}));
}

#[derive(Debug)]
struct Outer(io::Error);
impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not charge")
    }
}
impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_becomes_the_exception_with_its_sources() {
    let lines = capture(|| {
        let failure = Outer(io::Error::other("socket \"closed\""));
        error!(error = &failure as &dyn Error, attempt = 2, "charge failed");
        error!(cause = &failure as &dyn Error, "under another name");
        error!(
            error = &failure as &dyn Error,
            exception.type = "PaymentError",
            exception.category = "external",
            exception.span_trace = "a\nb",
            "with more"
        );
    });
    assert_eq!(
        lines[0]["exception"],
        json!({"type": "Outer", "message": "could not charge", "chain": ["socket \"closed\""]})
    );
    assert_eq!(lines[0]["extra"], json!({"attempt": 2}));
    assert_eq!(lines[1]["exception"]["message"], "could not charge");
    assert_eq!(
        lines[1]["extra"]["cause"],
        "could not charge: socket \"closed\""
    );
    assert_eq!(lines[2]["exception"]["type"], "PaymentError");
    assert_eq!(lines[2]["exception"]["category"], "external");
    assert_eq!(lines[2]["exception"]["span_trace"], json!(["a", "b"]));
    assert_eq!(lines[2].get("extra"), None);
}

#[test]
fn event_type_is_at_the_top_and_chooses_the_stream() {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    with_default(subscriber, || {
        info!(event_type = "workflow_start", steps = 3, "Workflow started");
        info!(event_type = "cart_opened", "an application's own");
        info!("plain");
    });
    let streams: Vec<_> = sink.lines().iter().map(|(stream, _)| *stream).collect();
    assert_eq!(
        streams,
        [Stream::Workflow, Stream::Backend, Stream::Backend]
    );
    let lines = sink.events();
    assert_eq!(lines[0]["event_type"], "workflow_start");
    assert_eq!(lines[0]["extra"], json!({"steps": 3}));
    assert_eq!(lines[1]["event_type"], "cart_opened");
    assert_eq!(lines[2].get("event_type"), None);
}

#[test]
fn records_of_the_log_crate_come_through_with_their_target() {
    let _ = tracing_log::LogTracer::init();
    let lines = capture(|| {
        let _span = info_span!("request", user_id = "u-1").entered();
        log::warn!(target: "old::library", "disk {} full", "sda");
    });
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["message"], "disk sda full");
    assert_eq!(lines[0]["target"], "old::library");
    assert_eq!(lines[0]["context"]["user_id"], "u-1");
    assert_eq!(lines[0].get("extra"), None);
}

#[test]
fn ready_json_is_taken_as_such_and_nothing_else_is() {
    let lines = capture(|| {
        let _span = info_span!("span", "json:cart" = r#"{"items":[1]}"#).entered();
        info!(
            "json:order" = r#"{"id": 7,
                "lines": ["a\u2028"]}"#,
            "json:forged" = "1},\"level\":\"ERROR\",\"x\":{\"y\":2",
            "json:deep" = "[".repeat(100) + &"]".repeat(100),
            "json:shown" = %"[true]",
            "said"
        );
    });
    assert_eq!(lines[0]["span"]["fields"]["cart"], json!({"items": [1]}));
    assert_eq!(
        lines[0]["extra"]["order"],
        json!({"id": 7, "lines": ["a\u{2028}"]})
    );
    assert_eq!(lines[0]["extra"]["shown"], json!([true]));
    assert!(lines[0]["extra"]["forged"].is_string());
    assert!(lines[0]["extra"]["deep"].is_string());
    assert_eq!(lines[0]["level"], "INFO");
}

#[test]
fn explicit_parents_are_followed() {
    let lines = capture(|| {
        let elsewhere = info_span!(parent: None, "elsewhere", user_id = "e");
        let _here = info_span!("here", user_id = "h").entered();
        info!(parent: &elsewhere, "there");
        info!(parent: None, "nowhere");
        let child = info_span!(parent: &elsewhere, "child");
        child.in_scope(|| info!("below"));
    });
    assert_eq!(lines[0]["context"]["user_id"], "e");
    assert_eq!(lines[1].get("context"), None);
    assert_eq!(lines[2]["context"]["user_id"], "e");
}

#[test]
fn works_beside_other_layers_and_under_its_own_filter() {
    let mine = MemorySink::new();
    let all = MemorySink::new();
    let subscriber = tracing_subscriber::registry()
        .with(JsonLayer::new(mine.clone()).with_filter(LevelFilter::INFO))
        .with(JsonLayer::new(all.clone()).with_filter(LevelFilter::DEBUG))
        .with(tracing_subscriber::fmt::layer().with_writer(io::sink));
    with_default(subscriber, || {
        let _outer = info_span!("outer", user_id = "u").entered();
        let _hidden = tracing::debug_span!("hidden", step_id = "s").entered();
        info!("both");
        debug!("one");
    });
    assert_eq!(mine.events().len(), 1);
    assert_eq!(all.events().len(), 2);
    let (mine, all) = (&mine.events()[0], &all.events()[0]);
    assert_eq!(mine["span"]["name"], "outer");
    assert_eq!(mine["context"].get("step_id"), None);
    assert_eq!(all["span"]["name"], "hidden");
    assert_eq!(all["context"]["step_id"], "s");
    assert_eq!(all["context"]["user_id"], "u");
}

#[test]
fn an_inner_subscriber_does_not_see_the_outer_ones_spans() {
    let lines = capture(|| {
        let _outer = info_span!("outer", user_id = "u").entered();
        let inner = capture(|| {
            info!("inner");
            assert_eq!(CorrelationContext::current(), None);
        });
        assert_eq!(inner[0].get("context"), None);
        info!("outer again");
    });
    assert_eq!(lines[0]["context"]["user_id"], "u");
}

#[test]
fn spans_left_in_another_order_than_entered_are_told_apart() {
    let lines = capture(|| {
        let a = info_span!("a");
        let b = info_span!(parent: None, "b");
        let a_entered = a.enter();
        let b_entered = b.enter();
        drop(a_entered);
        info!("in b");
        drop(b_entered);
        info!("in none");
        let _again = a.enter();
        let twice = a.enter();
        drop(twice);
        info!("still in a");
    });
    assert_eq!(lines[0]["span"]["name"], "b");
    assert_eq!(lines[1].get("span"), None);
    assert_eq!(lines[2]["span"]["name"], "a");
}

#[test]
fn memory_of_closed_spans_is_clean_when_used_again() {
    let lines = capture(|| {
        for round in 0..200 {
            let root = info_span!("root", user_id = "u", late = tracing::field::Empty);
            let _root = root.enter();
            root.record("late", round);
            let other = info_span!("other", color = "red");
            other.follows_from(&root);
        }
        let _clean = info_span!("clean").entered();
        info!("said");
    });
    let line = &lines[0];
    assert_eq!(line["span"], json!({"name": "clean"}));
    let context = line["context"].as_object().unwrap();
    assert_eq!(context.keys().collect::<Vec<_>>(), ["trace_id", "span_id"]);
}

#[test]
fn a_ready_line_cannot_forge_a_second_one() {
    let sink = MemorySink::new();
    assert!(!emit_line(Stream::Frontend, b"{}"));
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    with_default(subscriber, || {
        assert!(emit_line(Stream::Frontend, b"{\"a\":1}\n{\"b\":2}\n"));
    });
    assert_eq!(
        sink.lines(),
        [(Stream::Frontend, r#"{"a":1} {"b":2}"#.to_owned())]
    );
}

#[test]
fn an_event_without_a_message_or_a_span_is_whole() {
    let lines = capture(|| info!(n = 1));
    assert_eq!(lines[0]["message"], "");
    assert_eq!(lines[0]["extra"]["n"], 1);
    assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(lines[0]["target"], "layer");
    let _ = Span::none();
}

/// JSON whose objects have no key twice.
struct Unique(Value);

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Value, A::Error> {
                let mut object = serde_json::Map::new();
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value::<Unique>()?.0;
                    if object.insert(key.clone(), value).is_some() {
                        return Err(serde::de::Error::custom(format!("{key} twice")));
                    }
                }
                Ok(Value::Object(object))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Value, A::Error> {
                let mut array = Vec::new();
                while let Some(Unique(value)) = seq.next_element()? {
                    array.push(value);
                }
                Ok(Value::Array(array))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }
            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                Ok(n.into())
            }
            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(n.into())
            }
            fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
                Ok(n.into())
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(b.into())
            }
        }
        deserializer.deserialize_any(Visitor).map(Unique)
    }
}

#[test]
fn secrets_by_name_are_not_written_in_events_spans_or_late_records() {
    let lines = capture(|| {
        let span = info_span!(
            "login",
            password = "p1",
            api_key = tracing::field::Empty,
            user = "u"
        );
        let _entered = span.enter();
        span.record("api_key", "p2");
        info!(
            token = "p3",
            access_token = 4,
            tokens = 5,
            "json:secret" = "[6]",
            "signed in"
        );
    });
    let gone = "[redacted]";
    assert_eq!(
        lines[0]["span"]["fields"],
        json!({"user": "u", "password": gone, "api_key": gone})
    );
    assert_eq!(
        lines[0]["extra"],
        json!({"token": gone, "access_token": gone, "tokens": 5, "secret": gone})
    );
}

#[test]
fn secrets_by_shape_are_taken_out_of_every_text() {
    use omnify_trace::redact::Redactor;
    let sink = MemorySink::new();
    let redactor = Redactor::new()
        .patterns()
        .key("shoe_size")
        .expression(regex::Regex::new("CUSTOMER-[0-9]+").unwrap());
    let layer = JsonLayer::new(sink.clone()).redactor(redactor);
    with_default(tracing_subscriber::registry().with(layer), || {
        let failure = io::Error::other("refused: Bearer abc.def");
        let _span =
            info_span!("s", url = "redis://app:hunter2@db", user_id = "CUSTOMER-7").entered();
        error!(
            error = &failure as &dyn Error,
            shoe_size = 43,
            header = "\"Bearer x\u{7f}\"",
            "for CUSTOMER-7: password=\"a\\b\""
        );
    });
    let line = &sink.events()[0];
    assert_eq!(line["message"], "for [redacted]: password=\"[redacted]\"");
    assert_eq!(
        line["extra"],
        json!({"shoe_size": "[redacted]", "header": "\"Bearer [redacted]\u{7f}\""})
    );
    assert_eq!(line["span"]["fields"]["url"], "redis://app:[redacted]@db");
    assert_eq!(line["exception"]["message"], "refused: Bearer [redacted]");
    assert_eq!(
        line["context"]["user_id"], "CUSTOMER-7",
        "ids stay: they are what support looks for"
    );
}
