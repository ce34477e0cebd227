//! How little it could cost: an equal line, by hand, and by serde_json.

use std::{
    hint::black_box,
    io::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use omnify_trace::{Sink, Stream, layer::NoSink};
use serde::Serialize;

type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

const SERVICE: &str = r#","service":{"name":"shop","version":"1.2.3","environment":"production","instance":"host-1"}"#;
const CONTEXT: &str = r#","context":{"request_id":"0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","parent_span_id":"00f067aa0ba902b8","user_id":"user-42","organization_id":"org-7","workflow_id":"client-onboarding"},"span":{"name":"handler","fields":{"route":"/api/{x}"}}"#;

/// Knows every field, and that nothing needs an escape. The second's text is kept.
pub(super) fn bytes(measure: Measure<'_>) {
    let sink: Box<dyn Sink> = black_box(Box::new(NoSink));
    let mut line = Vec::with_capacity(1024);
    let mut second = 0;
    let mut stamp = *b"2026-11-21T09:10:11.000000000Z";
    let mut integer = itoa::Buffer::new();
    let mut float = zmij::Buffer::new();
    measure(&mut |turns| {
        for _ in 0..turns {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            if now.as_secs() != second {
                second = now.as_secs();
                let _ = write!(&mut stamp[17..19], "{:02}", second % 60);
            }
            let mut nanos = now.subsec_nanos();
            for digit in stamp[20..29].iter_mut().rev() {
                *digit = b'0' + (nanos % 10) as u8;
                nanos /= 10;
            }
            let (method, path, message) = black_box(("GET", "/api/x", "Request completed"));
            line.clear();
            line.extend_from_slice(b"{\"timestamp\":\"");
            line.extend_from_slice(&stamp);
            line.extend_from_slice(b"\",\"level\":\"INFO\",\"message\":\"");
            line.extend_from_slice(message.as_bytes());
            line.extend_from_slice(b"\",\"target\":\"omnify_benches::emit\"");
            line.extend_from_slice(SERVICE.as_bytes());
            line.extend_from_slice(CONTEXT.as_bytes());
            line.extend_from_slice(b",\"extra\":{\"method\":\"");
            line.extend_from_slice(method.as_bytes());
            line.extend_from_slice(b"\",\"path\":\"");
            line.extend_from_slice(path.as_bytes());
            line.extend_from_slice(b"\",\"status_code\":");
            line.extend_from_slice(integer.format(black_box(200_u16)).as_bytes());
            line.extend_from_slice(b",\"duration_ms\":");
            line.extend_from_slice(float.format(black_box(12.5)).as_bytes());
            line.extend_from_slice(b"}}\n");
            sink.write(Stream::Backend, &line);
        }
    });
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    message: &'a str,
    target: &'a str,
    service: Service<'a>,
    context: Context<'a>,
    span: Span<'a>,
    extra: Extra<'a>,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    version: &'a str,
    environment: &'a str,
    instance: &'a str,
}

#[derive(Serialize)]
struct Context<'a> {
    request_id: &'a str,
    trace_id: &'a str,
    span_id: &'a str,
    parent_span_id: &'a str,
    user_id: &'a str,
    organization_id: &'a str,
    workflow_id: &'a str,
}

#[derive(Serialize)]
struct Span<'a> {
    name: &'a str,
    fields: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    route: &'a str,
}

#[derive(Serialize)]
struct Extra<'a> {
    method: &'a str,
    path: &'a str,
    status_code: u16,
    duration_ms: f64,
}

/// An equal struct into a reused buffer; its time stamp is text already.
pub(super) fn serde(measure: Measure<'_>) {
    let sink: Box<dyn Sink> = black_box(Box::new(NoSink));
    let mut line = Vec::with_capacity(1024);
    measure(&mut |turns| {
        for _ in 0..turns {
            black_box(SystemTime::now());
            let value = black_box(Line {
                timestamp: "2026-11-21T09:10:11.000000000Z",
                level: "INFO",
                message: "Request completed",
                target: "omnify_benches::emit",
                service: Service {
                    name: "shop",
                    version: "1.2.3",
                    environment: "production",
                    instance: "host-1",
                },
                context: Context {
                    request_id: "0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e",
                    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
                    span_id: "00f067aa0ba902b7",
                    parent_span_id: "00f067aa0ba902b8",
                    user_id: "user-42",
                    organization_id: "org-7",
                    workflow_id: "client-onboarding",
                },
                span: Span {
                    name: "handler",
                    fields: Fields { route: "/api/{x}" },
                },
                extra: Extra {
                    method: "GET",
                    path: "/api/x",
                    status_code: 200,
                    duration_ms: 12.5,
                },
            });
            line.clear();
            if serde_json::to_writer(&mut line, &value).is_ok() {
                line.push(b'\n');
                sink.write(Stream::Backend, &line);
            }
        }
    });
}

pub(super) fn empty(measure: Measure<'_>) {
    measure(&mut |turns| {
        (0..turns).for_each(|turn| {
            black_box(turn);
        });
    });
}
