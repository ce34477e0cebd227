//! The `log_loss` line: how many lines were lost, and why.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use super::clock::Moment;
use super::error::Dropped;
use super::header::Header;
use crate::schema::{EventType, fields};

/// A loss that no line has told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Untold {
    pub(super) reason: Dropped,
    pub(super) count: u64,
}

/// The losses that wait to be told.
pub(super) fn untold(header: &Header) -> impl Iterator<Item = Untold> + '_ {
    Dropped::ALL.into_iter().filter_map(|reason| {
        let at = reason as usize;
        let told = header.told[at].load(Relaxed);
        let count = header.dropped[at].load(Relaxed).saturating_sub(told);
        (count > 0).then_some(Untold { reason, count })
    })
}

/// Notes that a loss has been told.
pub(super) fn told(header: &Header, loss: Untold) {
    header.told[loss.reason as usize].fetch_add(loss.count, Relaxed);
}

/// The line, schema v1. `service` is a JSON object.
pub(super) fn line(loss: Untold, service: Option<&str>, now: Moment) -> String {
    let Untold { reason, count } = loss;
    let plural = if count == 1 { "line was" } else { "lines were" };
    let mut line = format!(
        "{{\"{}\":\"{now}\",\"{}\":\"WARN\",\"{}\":\"{count} log {plural} lost: {reason}\",\"{}\":\"{}\",\
         \"{}\":\"omnify_trace::journal\"",
        fields::TIMESTAMP,
        fields::LEVEL,
        fields::MESSAGE,
        fields::EVENT_TYPE,
        EventType::LogLoss,
        fields::TARGET,
    );
    // Writing to a string does not fail.
    if let Some(service) = service {
        let _ = write!(line, ",\"{}\":{service}", fields::SERVICE);
    }
    let _ = write!(
        line,
        ",\"{}\":{{\"{}\":{count},\"{}\":\"{}\"}}}}",
        fields::EXTRA,
        fields::COUNT,
        fields::REASON,
        reason.as_str(),
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_json_of_the_schema() {
        let loss = Untold {
            reason: Dropped::Full,
            count: 12,
        };
        let line = line(loss, Some(r#"{"name":"shop"}"#), Moment::now());
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["event_type"], "log_loss");
        assert_eq!(value["extra"]["count"], 12);
        assert_eq!(value["extra"]["reason"], "full");
        assert_eq!(value["service"]["name"], "shop");
    }
}
