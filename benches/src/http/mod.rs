//! One request through an axum service: bare, with our layers, with our peers'.
//!
//! In process: same handler, same request, `oneshot` without a socket, sink discards. What the
//! middleware costs is the difference to `bare`. On loopback (`load`): a server in a process of its
//! own and as many keep-alive connections as keep it busy.

pub mod load;
mod subjects;

use anyhow::Result;

use crate::{
    Options,
    child::{self, Case, Subject},
    report::Report,
    rounds,
};

const REQUEST: &str = "one request, in process";
const BARE: &str = "bare axum";
const EMPTY: &str = "bare axum with an empty layer";
const OURS: &str = "omnify: TracingLayer";
const STACK: &str = "omnify: the whole stack, valid token";
const FMT: &str = "tower-http TraceLayer + fmt json";

const PERFORMANCE: &str = "omnify: PerformanceLayer";
const SECURITY: &str = "omnify: SecurityLayer";
const IDENTITY: &str = "omnify: IdentityLayer, valid token";
/// Whose instructions are counted.
const COUNTED: [&str; 8] = [
    BARE,
    EMPTY,
    OURS,
    PERFORMANCE,
    SECURITY,
    IDENTITY,
    STACK,
    FMT,
];

/// What is measured here.
pub const CASES: &[Case] = &[Case {
    name: REQUEST,
    milliseconds: 15,
    subjects: &[
        Subject {
            name: BARE,
            run: subjects::bare,
        },
        Subject {
            name: EMPTY,
            run: subjects::empty_layer,
        },
        Subject {
            name: OURS,
            run: subjects::tracing_layer,
        },
        Subject {
            name: "omnify: TracingLayer, no subscriber",
            run: subjects::tracing_layer_off,
        },
        Subject {
            name: PERFORMANCE,
            run: subjects::performance_layer,
        },
        Subject {
            name: SECURITY,
            run: subjects::security_layer,
        },
        Subject {
            name: IDENTITY,
            run: subjects::identity_layer,
        },
        Subject {
            name: STACK,
            run: subjects::stack,
        },
        Subject {
            name: FMT,
            run: subjects::trace_layer,
        },
        Subject {
            name: "tower-http request-id + TraceLayer + fmt json",
            run: subjects::trace_layer_with_request_id,
        },
        Subject {
            name: "axum-tracing-opentelemetry + fmt json",
            run: subjects::opentelemetry,
        },
    ],
}];

/// Measures everything of this area.
///
/// # Errors
/// If a subject fails.
pub fn run(options: &Options) -> Result<Report> {
    let mut report = rounds::measure("http", options)?;
    for subject in COUNTED {
        if let Some(count) = child::instructions("http", REQUEST, subject) {
            report.add("http", REQUEST, subject, count.round(), "instructions");
        }
    }
    let more = |subject, unit| report.pairs(REQUEST, unit, subject, BARE, |one, bare| one - bare);
    let (added, allocations) = (
        |subject| more(subject, "ns"),
        |subject| more(subject, "allocations"),
    );
    if let (Some(ours), Some(more), Some(stack), Some(fmt)) =
        (added(OURS), allocations(OURS), added(STACK), added(FMT))
    {
        let note = format!(
            "TracingLayer adds {ours:.0} ns (goal 500) and {more:.0} allocations (goal 6), 1/{:.1} of what TraceLayer \
             with fmt json adds (goal 1/8); the whole stack adds {stack:.0} ns (goal 1500).",
            fmt / ours
        );
        report.note(note);
    }
    report.compare(REQUEST, "ns", FMT);
    report.extend(load::run(options)?);
    Ok(report)
}
