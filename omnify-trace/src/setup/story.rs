//! What a start has to tell: that it happened, and how the run before it ended.

use std::time::SystemTime;

use tracing::{error, info, warn};

use crate::{
    journal::{EarlierRun, Recovery},
    layer::Pending,
    schema::EventType,
};

const TARGET: &str = "omnify_trace::setup";

/// Tells of earlier runs that did not end cleanly, then of this one.
pub(super) fn begin(recovery: &Recovery) {
    recovery
        .runs
        .iter()
        .filter(|run| run.unclean)
        .for_each(crashed);
    if let Some(why) = recovery.volatile.as_deref() {
        warn!(
            target: TARGET,
            reason = why,
            "The journal lies in plain memory: lines that wait there would not survive a crash",
        );
    }
    info!(
        target: TARGET,
        event_type = EventType::ServiceStart.as_str(),
        pid = std::process::id(),
        "Service started",
    );
}

/// Tells that this run ends cleanly.
pub(super) fn end() {
    info!(
        target: TARGET,
        event_type = EventType::ServiceStop.as_str(),
        pid = std::process::id(),
        "Service stopped",
    );
}

/// Tells how often a message was held back.
pub(super) fn duplicates(pending: &Pending) {
    warn!(
        target: TARGET,
        event_type = EventType::LogLoss.as_str(),
        count = pending.count,
        reason = "duplicate",
        duplicate_target = pending.target,
        duplicate_message = pending.text,
        "{} more times: {}",
        pending.count,
        pending.text,
    );
}

fn crashed(run: &EarlierRun) {
    let notes = run
        .in_flight
        .iter()
        .map(|note| {
            let text = String::from_utf8_lossy(note);
            serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text.into_owned()))
        })
        .collect();
    let in_flight = serde_json::Value::Array(notes).to_string();
    let signal = run.signal.map(signal_name);
    let signal = signal.as_deref();
    error!(
        target: TARGET,
        event_type = EventType::CrashDetected.as_str(),
        reason = signal.map_or_else(
            || "the process ended without closing its journal".to_owned(),
            |signal| format!("the process was ended by {signal}"),
        ),
        signal,
        pid = run.pid,
        started_at = rfc3339(run.started_at),
        recovered_lines = run.recovered_lines,
        "json:in_flight" = in_flight,
        "The previous run (process {}) did not end cleanly; {} operations were in flight",
        run.pid,
        run.in_flight.len(),
    );
}

fn signal_name(signal: i32) -> String {
    use rustix::process::Signal;
    let named = Signal::from_named_raw(signal).map(|signal| match signal {
        Signal::SEGV => "SIGSEGV",
        Signal::BUS => "SIGBUS",
        Signal::ILL => "SIGILL",
        Signal::FPE => "SIGFPE",
        Signal::ABORT => "SIGABRT",
        Signal::SYS => "SIGSYS",
        _ => "a signal",
    });
    named.map_or_else(|| format!("signal {signal}"), str::to_owned)
}

fn rfc3339(time: SystemTime) -> String {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    crate::layer::rfc3339(since)
}
