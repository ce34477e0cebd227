//! Levels change while the service runs.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    thread,
    time::{Duration, Instant},
};

use omnify_trace::{
    JsonLayer,
    layer::MemorySink,
    setup::{Levels, Scope},
};
use tracing::{debug, info, info_span, level_filters::LevelFilter, subscriber::with_default, warn};
use tracing_subscriber::prelude::*;

fn under(filter: &str, work: impl FnOnce(&Levels, &dyn Fn() -> Vec<String>)) {
    let levels = Levels::new(filter.parse().unwrap());
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry()
        .with(levels.layer())
        .with(JsonLayer::new(sink.clone()));
    let messages = || {
        let lines = sink.events();
        sink.clear();
        let message = |line: &serde_json::Value| line["message"].as_str().unwrap().to_owned();
        lines.iter().map(message).collect()
    };
    with_default(subscriber, || work(&levels, &messages));
}

#[test]
fn levels_change_for_all_and_for_a_target() {
    under("info", |levels, messages| {
        let say = || {
            debug!("mine");
            debug!(target: "other::place", "other");
            info!(target: "noisy", "noise");
        };
        say();
        assert_eq!(messages(), ["noise"]);
        levels.set_target("other", Some(LevelFilter::DEBUG));
        levels.set_target("noisy", Some(LevelFilter::WARN));
        say();
        assert_eq!(messages(), ["other"]);
        levels.set_default(LevelFilter::TRACE);
        levels.set_target("noisy", None);
        say();
        assert_eq!(messages(), ["mine", "other", "noise"]);
        levels.set("off".parse().unwrap());
        say();
        assert_eq!(messages(), [""; 0]);
    });
}

#[test]
fn one_customer_is_debugged_for_a_limited_time() {
    under("info", |levels, messages| {
        let work = |user: &str| {
            let _span =
                info_span!("request", user_id = user, organization_id = "org \"x\"").entered();
            debug!("for {user}");
            let _inner = tracing::debug_span!("inner", step_id = "s").entered();
            debug!("inside for {user}");
        };
        let id = levels.set_for(
            Scope::User("u-1".parse().unwrap()),
            LevelFilter::DEBUG,
            Duration::from_secs(600),
        );
        work("u-1");
        work("u-2");
        debug!("for nobody");
        assert_eq!(messages(), ["for u-1", "inside for u-1"]);
        assert!(levels.clear_for(id));
        assert!(!levels.clear_for(id));
        work("u-1");
        assert_eq!(messages(), [""; 0]);

        levels.set_for(
            Scope::Organization("org \"x\"".parse().unwrap()),
            LevelFilter::DEBUG,
            Duration::from_millis(200),
        );
        work("u-3");
        assert_eq!(messages(), ["for u-3", "inside for u-3"]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !levels.overrides().is_empty() {
            assert!(Instant::now() < deadline);
            thread::sleep(Duration::from_millis(10));
        }
        work("u-3");
        assert_eq!(messages(), [""; 0]);
    });
}

#[test]
fn one_workflow_is_debugged() {
    under("info", |levels, messages| {
        let id = levels.set_for(
            Scope::Workflow("onboarding".parse().unwrap()),
            LevelFilter::TRACE,
            Duration::from_secs(600),
        );
        let work = |workflow: &str| {
            let _span = info_span!("run", workflow_id = workflow).entered();
            tracing::trace!("in {workflow}");
        };
        work("onboarding");
        work("billing");
        assert_eq!(messages(), ["in onboarding"]);
        assert!(levels.clear_for(id));
        work("onboarding");
        assert_eq!(messages(), [""; 0]);
    });
}

#[test]
fn a_span_that_carries_ids_is_not_filtered_out() {
    under("warn", |_, messages| {
        let sink_line = {
            let _span = info_span!("request", user_id = "u-1").entered();
            let _plain = info_span!("plain").entered();
            warn!("kept");
            omnify_trace::CorrelationContext::current().unwrap()
        };
        assert_eq!(messages(), ["kept"]);
        assert_eq!(sink_line.user_id().unwrap().as_str(), "u-1");
    });
}
