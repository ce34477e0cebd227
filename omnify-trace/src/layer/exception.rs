//! Errors as the `exception` object.

use std::{error::Error, fmt::Write as _};

use super::{json, plan::Part, redaction};
use crate::redact::Redactor;

/// An error with its sources on one line, escaped, without quotes.
pub(crate) fn one_line(out: &mut impl json::Out, error: &(dyn Error + 'static)) {
    json::write(out, format_args!("{error}"));
    for source in sources(error) {
        json::write(out, format_args!(": {source}"));
    }
}

/// What an event tells about its exception; each member a ready JSON value.
#[derive(Default)]
pub(crate) struct Exception {
    members: [Vec<u8>; 6],
    pub(crate) present: bool,
}

impl Exception {
    /// Takes an error's type, message and sources; members that fields gave stay.
    pub(crate) fn take(&mut self, error: &(dyn Error + 'static), redactor: Option<&Redactor>) {
        self.present = true;
        let text = |out: &mut Vec<u8>, error: &(dyn Error + 'static)| {
            out.push(b'"');
            let start = out.len();
            json::write(out, format_args!("{error}"));
            if let Some(redactor) = redactor {
                redaction::text(redactor, out, start);
            }
            out.push(b'"');
        };
        self.fill(Part::Type, |out| {
            out.push(b'"');
            json::escape(out, &type_name(error));
            out.push(b'"');
        });
        self.fill(Part::Message, |out| text(out, error));
        self.fill(Part::Chain, |out| {
            out.push(b'[');
            for (at, source) in sources(error).enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                text(out, source);
            }
            out.push(b']');
        });
    }

    fn fill(&mut self, part: Part, write: impl FnOnce(&mut Vec<u8>)) {
        let member = &mut self.members[part as usize];
        if member.is_empty() {
            write(member);
        }
    }

    /// Takes a member from an event's field. `chain` and `span_trace` are split at line breaks.
    pub(crate) fn set(&mut self, part: Part, text: &str) {
        self.present = true;
        let member = &mut self.members[part as usize];
        member.clear();
        match part {
            Part::Chain | Part::SpanTrace => {
                member.push(b'[');
                for (at, line) in text.lines().filter(|line| !line.is_empty()).enumerate() {
                    if at > 0 {
                        member.push(b',');
                    }
                    json::string(member, line);
                }
                member.push(b']');
            }
            _ => json::string(member, text),
        }
    }

    /// Appends `,"exception":{…}`.
    pub(crate) fn write(&self, out: &mut impl json::Out) {
        out.put(b",\"exception\":{");
        let mut comma = false;
        for part in Part::ALL {
            let member = &self.members[part as usize];
            if member.is_empty() {
                continue;
            }
            if comma {
                out.put(b",");
            }
            comma = true;
            json::key(out, part.name());
            out.put(member);
        }
        out.put(b"}");
    }
}

/// The sources, nearest first; a chain that goes round in a circle ends.
fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source()).take(64)
}

/// A `dyn Error` does not tell its type, but a derived `Debug` starts with it.
fn type_name(error: &(dyn Error + 'static)) -> String {
    /// Stops formatting at the first character that no path has.
    struct Head(String);
    impl std::fmt::Write for Head {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for c in text.chars() {
                if !(c.is_alphanumeric() || c == '_' || c == ':') || self.0.len() > 80 {
                    return Err(std::fmt::Error);
                }
                self.0.push(c);
            }
            Ok(())
        }
    }
    let mut head = Head(String::new());
    let _ = write!(head, "{error:?}");
    let name = head.0.trim_end_matches(':');
    if name.starts_with(|c: char| c.is_alphabetic()) {
        name.to_owned()
    } else {
        "Error".to_owned()
    }
}
