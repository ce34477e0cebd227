//! What counts as a failure: decided here, once, for levels, metrics and alerts alike.

use http::{HeaderMap, StatusCode};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered.
    Success,
    /// Answered; the client was at fault (4xx).
    ClientError,
    /// Our fault: 5xx, a panic, a body that broke off.
    Failure,
    /// The client went away first: nobody's fault.
    Cancelled,
}

/// Decides from the response's head how a request went.
pub trait Classify: Send + Sync + 'static {
    /// The outcome, should the body be sent to its end.
    fn classify(&self, status: StatusCode, headers: &HeaderMap) -> Outcome;
}

impl<F: Fn(StatusCode, &HeaderMap) -> Outcome + Send + Sync + 'static> Classify for F {
    fn classify(&self, status: StatusCode, headers: &HeaderMap) -> Outcome {
        self(status, headers)
    }
}

/// 5xx is a failure, 4xx the client's error, everything else a success.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl Classify for ByStatus {
    fn classify(&self, status: StatusCode, _: &HeaderMap) -> Outcome {
        if status.is_server_error() {
            Outcome::Failure
        } else if status.is_client_error() {
            Outcome::ClientError
        } else {
            Outcome::Success
        }
    }
}
