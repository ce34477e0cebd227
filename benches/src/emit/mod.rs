//! The emit path: an event inside nested spans, a whole request's worth, a disabled event, two threads.

mod floor;
mod ours;
mod peers;

use anyhow::Result;

use crate::{
    Options,
    child::{self, Case, Subject},
    report::Report,
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
        turns: 200_000,
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
        turns: 50_000,
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
        turns: 50_000_000,
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
        turns: 1_000_000,
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
    let mut report = child::measure("emit", options)?;
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
    let value = |subject: &str| {
        let row = report
            .rows()
            .iter()
            .find(|row| row.case == EVENT && row.subject == subject && row.unit == "ns");
        row.map(|row| row.value)
    };
    if let (Some(ours), Some(fmt), Some(floor)) = (value(OURS), value(FMT), value(FLOOR)) {
        report.note(format!(
            "One event: {:.1} times faster than fmt json (goal 33); {:.2} times the hand-written floor (goal 1.6).",
            fmt / ours,
            ours / floor,
        ));
    }
    report.note(
        "Time is the median of the rounds; allocations are those of the measured thread's process.",
    );
    Ok(report)
}
