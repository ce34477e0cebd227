//! Any headers: reading them does not panic, and what is written after them is valid in every format.
//!
//! The input is lines of `number value`: which of the known headers, and what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnify_trace::propagation::{Format, Outgoing, Trace, baggage, extract, inject_into, tracestate};

const NAMES: [&str; 18] = [
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "x-correlation-id",
    "x-session-id",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-amzn-trace-id",
    "TraceParent",
    "accept",
];

fuzz_target!(|data: &[u8]| {
    let headers: Vec<(&str, &[u8])> = data
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let (number, value) = line.split_first()?;
            Some((NAMES[usize::from(*number) % NAMES.len()], value))
        })
        .collect();
    let came = extract(&headers);
    let remote = came.trace.remote();
    if let Some(remote) = remote {
        assert_ne!(remote.trace_id, 0);
        assert_ne!(remote.parent_span_id, Some(0));
    }
    assert!(came.tracestate.is_none() || (remote.is_some() && came.format == Some(Format::W3c)));
    assert!(came.baggage.len() <= baggage::MAX_MEMBERS);
    assert!(came.baggage.as_str().len() <= baggage::MAX_BYTES);

    let outgoing = Outgoing {
        trace_id: remote.map_or(1, |remote| remote.trace_id),
        span_id: 2,
        flags: remote.map(|remote| remote.flags).unwrap_or_default(),
        tracestate: came.tracestate.as_deref(),
        request_id: came.request_id.valid(),
        baggage: Some(came.baggage.as_str()),
        b3: true,
    };
    let mut written: Vec<(String, String)> = Vec::new();
    inject_into(&outgoing, &mut written);
    for (name, value) in &written {
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t'), "{name}: {value:?}");
    }
    let again = extract(&written);
    let Trace::Continued(continued) = again.trace else {
        panic!("what was written cannot be read: {written:?}");
    };
    assert_eq!((continued.trace_id, continued.parent_span_id), (outgoing.trace_id, Some(2)));
    assert_eq!(again.conflict, None);
    assert_eq!(again.request_id.valid(), came.request_id.valid());
    assert_eq!(again.baggage.dropped(), 0);
    assert_eq!(again.baggage.len(), came.baggage.len());
    let fitted = came.tracestate.as_deref().map(tracestate::fit).filter(|state| !state.is_empty());
    assert_eq!(again.tracestate.as_deref(), fitted.as_deref());
});
