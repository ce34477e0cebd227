//! The terminal: lines for a person, or the JSON lines themselves.
//!
//! The pretty form is made from the event, not from its line. Everything that came from outside
//! is stripped of control characters: no log line can move the cursor or ring the bell. Secrets are
//! taken out as they are of lines.

use std::{
    fmt::{self, Write as _},
    io::{IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use tracing::{Event, Level, Subscriber, field::Field};
use tracing_core::field::Visit;
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use crate::{
    CorrelationContext, Sink,
    layer::{self, Clock},
    redact::{REDACTED, Redactor},
    schema::{Stream, fields},
};

/// Writes each event to standard error, for a person.
pub(super) struct PrettyLayer {
    clock: Clock,
    redactor: Option<Redactor>,
    colours: bool,
}

impl PrettyLayer {
    pub(super) fn new(clock: Clock, redactor: Option<Redactor>) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            clock,
            redactor,
            colours: wanted && std::io::stderr().is_terminal(),
        }
    }

    fn paint(&self, out: &mut String, colour: &str, text: &str) {
        if self.colours {
            let _ = write!(out, "\x1b[{colour}m{text}\x1b[0m");
        } else {
            out.push_str(text);
        }
    }

    fn render(
        &self,
        event: &Event<'_>,
        context: Option<&CorrelationContext>,
        span: &str,
    ) -> String {
        let metadata = event.metadata();
        let mut fields = Fields::new(self.redactor.as_ref());
        event.record(&mut fields);
        let mut out = String::with_capacity(160);
        let stamp = layer::rfc3339(self.clock.now());
        self.paint(&mut out, "2", stamp.get(11..23).unwrap_or_default());
        out.push(' ');
        let (colour, name) = match *metadata.level() {
            Level::ERROR => ("1;31", "ERROR"),
            Level::WARN => ("33", " WARN"),
            Level::INFO => ("32", " INFO"),
            Level::DEBUG => ("34", "DEBUG"),
            Level::TRACE => ("35", "TRACE"),
        };
        self.paint(&mut out, colour, name);
        out.push(' ');
        let target = fields.log_target.as_deref().unwrap_or(metadata.target());
        self.paint(&mut out, "2", target);
        if !span.is_empty() {
            self.paint(&mut out, "2", &format!(" {}", clean(span)));
        }
        out.push_str("  ");
        out.push_str(&fields.message);
        for (name, value) in &fields.others {
            out.push(' ');
            self.paint(&mut out, "36", name);
            out.push('=');
            out.push_str(value);
        }
        if let Some(context) = context {
            let mut known = String::new();
            context.for_each(|name, value| {
                let shown = !matches!(name, fields::SPAN_ID | fields::PARENT_SPAN_ID);
                if shown && name != fields::TRACE_ID {
                    let _ = write!(known, " {name}={}", clean(value));
                }
            });
            self.paint(&mut out, "2", &known);
        }
        out.push('\n');
        out
    }
}

impl<S> tracing_subscriber::Layer<S> for PrettyLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = context.event_span(event);
        let name = span.map(|span| span.name()).unwrap_or_default();
        let name = if name == "span" { "" } else { name };
        let line = self.render(event, CorrelationContext::current().as_ref(), name);
        // A terminal that went away must not stop the service.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// Control characters become visible: `\n` as `␊`.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            '\x7f'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

struct Fields<'a> {
    redactor: Option<&'a Redactor>,
    message: String,
    log_target: Option<String>,
    others: Vec<(&'static str, String)>,
}

impl<'a> Fields<'a> {
    fn new(redactor: Option<&'a Redactor>) -> Self {
        Self {
            redactor,
            message: String::new(),
            log_target: None,
            others: Vec::new(),
        }
    }

    /// What of a value may be shown.
    fn shown(&self, name: &str, value: &str) -> String {
        match self.redactor {
            Some(redactor) if redactor.is_secret_name(name) => REDACTED.to_owned(),
            Some(redactor) => clean(&redactor.clean(value)),
            None => clean(value),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let shown = self.shown(field.name(), value);
        match field.name() {
            fields::MESSAGE => self.message = shown,
            "log.target" => self.log_target = Some(shown),
            name if name.starts_with("log.") || name == "exception.stacktrace" => {}
            name => self.others.push((name, shown)),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(source) = next.filter(|_| text.len() < 4096) {
            let _ = write!(text, ": {source}");
            next = source.source();
        }
        self.record_str(field, &text);
    }
}

/// Lines to standard output as well as to another sink: for container platforms.
pub(super) struct Tee(pub(super) Arc<dyn Sink>);

impl Sink for Tee {
    fn write(&self, stream: Stream, line: &[u8]) {
        let _ = std::io::stdout().lock().write_all(line);
        self.0.write(stream, line);
    }

    fn flush(&self, timeout: Duration) -> bool {
        let _ = std::io::stdout().lock().flush();
        self.0.flush(timeout)
    }

    fn close(&self, timeout: Duration) -> bool {
        self.0.close(timeout)
    }

    fn lost(&self) -> u64 {
        self.0.lost()
    }

    fn in_flight(&self, note: &[u8]) -> Option<crate::journal::InFlight> {
        self.0.in_flight(note)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tracing_subscriber::prelude::*;

    use super::*;

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(
            clean("a\x1b[2Jb\nc\u{202e}d"),
            "a\u{241b}[2Jb\u{240a}c\u{fffd}d"
        );
    }

    thread_local! {
        static SHOWN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// Keeps what would be shown.
    struct Shown(PrettyLayer);

    impl<S: Subscriber> tracing_subscriber::Layer<S> for Shown {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let user = "u-1".parse::<crate::context::UserId>().ok();
            let context = CorrelationContext::builder().user_id(user).build();
            let line = self.0.render(event, Some(&context), "checkout");
            SHOWN.with_borrow_mut(|shown| shown.push(line));
        }
    }

    fn shown(colours: bool, redactor: Option<Redactor>, work: impl FnOnce()) -> Vec<String> {
        let now = Duration::from_millis(1_795_252_211_123);
        let layer = PrettyLayer {
            colours,
            ..PrettyLayer::new(Clock::Custom(Arc::new(move || now)), redactor)
        };
        let subscriber = tracing_subscriber::registry().with(Shown(layer));
        tracing::subscriber::with_default(subscriber, work);
        SHOWN.take()
    }

    #[test]
    fn a_line_for_a_person_is_coloured_on_a_terminal_and_plain_elsewhere() {
        let work = || tracing::warn!(target: "shop", items = 3, "cart\nopened");
        assert_eq!(
            shown(false, None, work),
            ["09:10:11.123  WARN shop checkout  cart\u{240a}opened items=3 user_id=u-1\n"]
        );
        assert_eq!(
            shown(true, None, work),
            [
                "\x1b[2m09:10:11.123\x1b[0m \x1b[33m WARN\x1b[0m \x1b[2mshop\x1b[0m\x1b[2m checkout\x1b[0m  \
              cart\u{240a}opened \x1b[36mitems\x1b[0m=3\x1b[2m user_id=u-1\x1b[0m\n"
            ]
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let work = || {
            tracing::info!(
                password = "hunter2",
                header = "Bearer abc.def-1",
                "with Bearer abc.def-1"
            );
        };
        let line = |redactor| shown(false, redactor, work).concat();
        let by_name = line(Some(Redactor::new()));
        assert!(by_name.contains("password=[redacted]"), "{by_name}");
        assert!(by_name.contains("header=Bearer abc.def-1"), "{by_name}");
        let by_shape = line(Some(Redactor::new().patterns()));
        assert!(!by_shape.contains("abc.def"), "{by_shape}");
        assert!(line(None).contains("password=hunter2"));
    }
}
