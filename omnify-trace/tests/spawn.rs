//! The context crosses every boundary between tasks and threads.

use omnify_trace::{CorrelationContext, JsonLayer, layer::MemorySink};
use tracing::{Instrument as _, info, info_span};
use tracing_subscriber::prelude::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_context_crosses_tasks_threads_and_blocking_work() {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    let guard = tracing::subscriber::set_default(subscriber);
    let span = info_span!("request", user_id = "u-1");
    let handles = {
        let _entered = span.enter();
        let task = omnify_trace::spawn("task", async {
            tokio::task::yield_now().await;
            info!("task");
            let inner = async { info!("await") }.instrument(info_span!("inner"));
            inner.await;
        });
        let blocking = omnify_trace::spawn_blocking("blocking", || {
            info!("blocking");
            CorrelationContext::current().and_then(|c| Some(c.user_id()?.to_string()))
        });
        let thread = omnify_trace::thread("thread", || info!("thread")).unwrap();
        let mut set = tokio::task::JoinSet::new();
        omnify_trace::spawn::spawn_in(&mut set, "set", async { info!("set") });
        (task, blocking, thread, set)
    };
    drop(guard);
    handles.0.await.unwrap();
    assert_eq!(handles.1.await.unwrap().as_deref(), Some("u-1"));
    handles.2.join().unwrap();
    handles.3.join_all().await;
    let lines = sink.events();
    let mut messages: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    messages.sort_unstable();
    assert_eq!(messages, ["await", "blocking", "set", "task", "thread"]);
    for line in &lines {
        assert_eq!(line["context"]["user_id"], "u-1", "{line}");
    }
    let task = lines.iter().find(|line| line["message"] == "task").unwrap();
    assert_eq!(task["span"]["name"], "task");
}
