//! What is known of a request from its arrival to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::MatchedPath;
use http::{HeaderMap, StatusCode, header};

use super::arrival::Arrival;
use super::hooks::{End, OnEnd};
use super::layer::Config;
use crate::classify::{Classify, Outcome};
use crate::follow::{Follow, Progress, is_bodiless};

/// What kind of answer a request got: long-lived ones end differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StreamKind {
    /// A body with an end.
    #[default]
    Plain,
    /// Server-sent events: it is the client who ends them.
    EventStream,
    /// The connection became something else, such as a WebSocket.
    Upgrade,
}

impl StreamKind {
    /// The name in a log field; nothing for an ordinary answer.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::EventStream => Some("event_stream"),
            Self::Upgrade => Some("upgrade"),
        }
    }

    pub(crate) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Self::Upgrade;
        }
        // It nearly always is the first, and to compare is cheaper than to look up by hash.
        let mut headers = headers.iter();
        match headers.find(|(name, _)| **name == header::CONTENT_TYPE) {
            Some((_, kind)) if kind.as_bytes().starts_with(b"text/event-stream") => {
                Self::EventStream
            }
            _ => Self::Plain,
        }
    }
}

/// An open request. Whoever drops it unfinished has given it up: it says so by itself, and that
/// is what makes "exactly one end" true.
pub struct Active<C: Classify, R, E: OnEnd> {
    pub(super) config: Arc<Config<C, R, E>>,
    pub(super) arrival: Arc<Arrival>,
    pub(super) head: Option<Head>,
    pub(super) response_bytes: u64,
    pub(super) finished: bool,
}

/// The response's head.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) outcome: Outcome,
    pub(super) ttfb: Duration,
    pub(super) stream: StreamKind,
}

impl<C: Classify, R, E: OnEnd> Active<C, R, E> {
    /// Notes the head. `true` when no body follows that anyone would poll.
    pub(super) fn head(&mut self, status: StatusCode, headers: &HeaderMap) -> bool {
        let stream = StreamKind::of(status, headers);
        let outcome = self.config.classify.classify(status, headers);
        self.head = Some(Head {
            status,
            outcome,
            ttfb: self.arrival.looked(),
            stream,
        });
        is_bodiless(&self.arrival.method, status)
    }

    fn finish(&mut self, outcome: Outcome, error: Option<&str>) {
        if !std::mem::replace(&mut self.finished, true) {
            let _entered = self.arrival.span.enter();
            self.tell(outcome, error);
        }
    }

    /// Tells of the end; inside the span, once.
    fn tell(&self, outcome: Outcome, error: Option<&str>) {
        let end = End {
            method: &self.arrival.method,
            route: self.arrival.route.as_ref().map(MatchedPath::as_str),
            path: self.arrival.path(),
            outcome,
            status: self.head.map(|head| head.status),
            duration: self.arrival.looked(),
            ttfb: self.head.map(|head| head.ttfb),
            response_bytes: self.response_bytes,
            error,
            stream: self.head.map(|head| head.stream).unwrap_or_default(),
            quiet: self.arrival.quiet,
        };
        self.config.on_end.on_end(&end);
    }

    /// How the request ends if its body is sent to its end.
    fn outcome(&self) -> Outcome {
        self.head.map_or(Outcome::Failure, |head| head.outcome)
    }

    /// The body has been sent to its end.
    pub(super) fn complete(&mut self) {
        self.finish(self.outcome(), None);
    }

    /// It broke off, or there is none.
    pub(super) fn fail(&mut self, error: &str) {
        self.finish(Outcome::Failure, Some(error));
    }
}

impl<C: Classify, R, E: OnEnd> Follow for Active<C, R, E> {
    fn follow(&mut self, poll: impl FnOnce() -> Progress) {
        // Entered once for the body and for what is told of its end.
        let _entered = self.arrival.span.enter();
        self.arrival.forget();
        let (outcome, error) = match poll() {
            Progress::Pending => return,
            Progress::Data(bytes) => {
                self.response_bytes += bytes;
                return;
            }
            Progress::End(bytes) => {
                self.response_bytes += bytes;
                (self.outcome(), None)
            }
            Progress::Failed(error) => (Outcome::Failure, Some(error)),
        };
        if !std::mem::replace(&mut self.finished, true) {
            self.tell(outcome, error.as_deref());
        }
    }
}

impl<C: Classify, R, E: OnEnd> Drop for Active<C, R, E> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.arrival.forget();
        match self.head {
            // Leaving is how a client ends server-sent events.
            Some(Head {
                stream: StreamKind::EventStream,
                outcome,
                ..
            }) => self.finish(outcome, None),
            _ => self.finish(Outcome::Cancelled, None),
        }
    }
}
