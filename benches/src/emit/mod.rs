//! The emit path: an event inside nested spans, a whole request's worth, a disabled event, two threads.

mod floor;
mod ours;
mod peers;

use anyhow::Result;

use crate::{
    Options,
    child::{self, Case, Subject},
    report::Report,
    rounds,
};

const EVENT: &str = "one event in two spans";
const REQUEST: &str = "request: root, two spans, three events";
const FMT: &str = "tracing-subscriber fmt json";
const OURS: &str = "omnify-trace";
const FLOOR: &str = "floor: hand-written bytes";

/// What is measured here.
pub const CASES: &[Case] = &[
    Case {
        name: EVENT,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: OURS,
                run: ours::event,
            },
            Subject {
                name: "omnify-trace, levels and pretty off as init() sets up",
                run: ours::event_as_init,
            },
            Subject {
                name: FMT,
                run: peers::fmt_json,
            },
            Subject {
                name: "json-subscriber",
                run: peers::json_subscriber,
            },
            Subject {
                name: "tracing-bunyan-formatter",
                run: peers::bunyan,
            },
            Subject {
                name: "logforth json (by log)",
                run: peers::logforth,
            },
            Subject {
                name: "slog-json",
                run: peers::slog_json,
            },
            Subject {
                name: "slog-json behind slog-async",
                run: peers::slog_async,
            },
            Subject {
                name: "fastrace (span event, no JSON)",
                run: peers::fastrace,
            },
            Subject {
                name: "floor: serde_json of an equal struct",
                run: floor::serde,
            },
            Subject {
                name: FLOOR,
                run: floor::bytes,
            },
        ],
    },
    Case {
        name: REQUEST,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: OURS,
                run: ours::request,
            },
            Subject {
                name: FMT,
                run: peers::fmt_json_request,
            },
            Subject {
                name: "json-subscriber",
                run: peers::json_subscriber_request,
            },
            Subject {
                name: "tracing-bunyan-formatter",
                run: peers::bunyan_request,
            },
        ],
    },
    Case {
        name: "disabled event",
        milliseconds: 10,
        subjects: &[
            Subject {
                name: OURS,
                run: ours::disabled,
            },
            Subject {
                name: FMT,
                run: peers::fmt_json_disabled,
            },
            Subject {
                name: "floor: an empty loop",
                run: floor::empty,
            },
        ],
    },
    Case {
        name: "one event, per thread",
        milliseconds: 40,
        subjects: &[
            Subject {
                name: "omnify-trace, one thread",
                run: ours::one_thread,
            },
            Subject {
                name: "omnify-trace, two threads",
                run: ours::two_threads,
            },
        ],
    },
];

/// Measures everything of this area.
///
/// # Errors
/// If a subject fails.
pub fn run(options: &Options) -> Result<Report> {
    let mut report = rounds::measure("emit", options)?;
    for case in [EVENT, REQUEST] {
        let subjects = CASES.iter().filter(|c| c.name == case);
        for subject in subjects.flat_map(|case| case.subjects) {
            if let Some(count) = child::instructions("emit", case, subject.name) {
                let count = count.round();
                report.add("emit", case, subject.name, count, "instructions");
            }
        }
    }
    if report.rows().iter().all(|row| row.unit != "instructions") {
        report.note("Instructions were not counted: that needs valgrind on the PATH.");
    }
    report.compare(EVENT, "ns", FMT);
    report.compare(REQUEST, "ns", FMT);
    report.compare("disabled event", "ns", FMT);
    report.compare("one event, per thread", "ns", "omnify-trace, one thread");
    if let (Some(fmt), Some(floor)) = (
        report.over(EVENT, "ns", FMT, OURS),
        report.over(EVENT, "ns", OURS, FLOOR),
    ) {
        report.note(format!(
            "One event: {fmt:.1} times faster than fmt json (goal 33); {floor:.2} times the hand-written floor (goal 1.6)."
        ));
    }
    if let Some(fmt) = report.over(REQUEST, "ns", FMT, OURS) {
        report.note(format!(
            "One request: {fmt:.1} times faster than with fmt json (goal 10)."
        ));
    }
    report.note(
        "Time is the median of the rounds, a ratio the median of the rounds' ratios; allocations are those of the \
         measured thread.",
    );
    Ok(report)
}
