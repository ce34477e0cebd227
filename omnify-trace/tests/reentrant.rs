//! A field whose own code logs. Under a global subscriber: a scoped one does not see such events.

use std::fmt;

use omnify_trace::{Telemetry, layer::MemorySink, setup::Console};
use serde_json::json;
use tracing::{info, info_span};

struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _span = info_span!("inside", user_id = "inner").entered();
        info!(depth = 1, "from inside");
        f.write_str("done")
    }
}

#[test]
fn a_display_that_logs_writes_a_line_of_its_own() {
    let sink = MemorySink::new();
    let _telemetry = Telemetry::builder()
        .sink(sink.clone())
        .console(Console::Off)
        .install()
        .unwrap();
    let span = info_span!("outside", user_id = "outer", value = tracing::field::Empty);
    let entered = span.enter();
    info!(a = 1, value = %Chatty, b = 2, "outer");
    span.record("value", tracing::field::display(Chatty));
    info!("last");
    let opened = info_span!("opened", value = %Chatty);
    drop((opened, entered));
    log::warn!(target: "old", "by log");
    assert_eq!(
        Telemetry::builder().install().unwrap_err().code(),
        "OT0004",
        "a second global set-up is refused"
    );
    let lines = sink.events();
    let messages: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "from inside",
            "outer",
            "from inside",
            "last",
            "from inside",
            "by log"
        ]
    );
    assert_eq!(lines[1]["extra"], json!({"a": 1, "value": "done", "b": 2}));
    assert_eq!(lines[0]["context"]["user_id"], "inner");
    assert_eq!(lines[1]["context"]["user_id"], "outer");
    assert_eq!(lines[3]["span"]["fields"]["value"], "done");
    assert_eq!(lines[5]["target"], "old");
}
