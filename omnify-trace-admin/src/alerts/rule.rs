//! What a rule says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::time;

/// What a rule measures over its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Lines that match `search`.
    Count,
    /// Failed requests of all requests, 0 to 1; nothing below 20 requests.
    ErrorRate,
    /// The 95th percentile of requests, milliseconds; nothing below 20 requests.
    P95,
    /// Fires when fewer lines than the threshold match `search`.
    Absence,
    /// Error groups that were never seen in the day before the window.
    NewErrors,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look today.
    #[default]
    Warning,
    /// Worth being woken up for.
    Critical,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    /// For people.
    pub name: String,
    /// What is measured.
    pub kind: Measure,
    /// Which lines count, in the language of the search box.
    #[serde(default)]
    pub search: String,
    /// Fires at this value or above (`absence`: below).
    pub threshold: f64,
    /// Such as `5m`. Defaults to `5m`.
    #[serde(default = "five_minutes")]
    pub window: String,
    /// How long it must hold before it fires, such as `2m`. Defaults to `0s`.
    #[serde(default, rename = "for")]
    pub hold: Option<String>,
    /// How long after a notice before the same alert notifies again. Defaults to `30m`.
    #[serde(default = "half_an_hour")]
    pub cooldown: String,
    /// How bad it is. Defaults to `warning`.
    #[serde(default)]
    pub severity: Severity,
    /// Called with JSON that Slack understands as well.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Whether it is asked at all. Defaults to true.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn five_minutes() -> String {
    "5m".to_owned()
}

fn half_an_hour() -> String {
    "30m".to_owned()
}

const fn yes() -> bool {
    true
}

impl AlertRule {
    /// What is wrong with the rule, if anything: the member's name and why.
    ///
    /// # Errors
    /// The first member that is not acceptable.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let wrong = |name, why: &str| Err((name, why.to_owned()));
        if self.name.trim().is_empty() || self.name.len() > 200 {
            return wrong("name", "A name has 1 to 200 bytes.");
        }
        if !self.threshold.is_finite() || self.threshold < 0.0 {
            return wrong("threshold", "A threshold is a number of 0 or more.");
        }
        if self.search.len() > 4_096 {
            return wrong("search", "The search text is longer than 4,096 bytes.");
        }
        if time::parse_span(&self.window).is_none_or(|window| window > 7 * time::DAY) {
            return wrong(
                "window",
                "A window is a span such as 30s, 5m or 1h, at most 7d.",
            );
        }
        if self
            .hold
            .as_deref()
            .is_some_and(|hold| hold != "0s" && time::parse_span(hold).is_none())
        {
            return wrong("for", "Send a span such as 2m.");
        }
        if self.cooldown != "0s" && time::parse_span(&self.cooldown).is_none() {
            return wrong("cooldown", "Send a span such as 30m.");
        }
        match &self.webhook {
            Some(url)
                if !(url.starts_with("https://") || url.starts_with("http://"))
                    || url.len() > 2_048 =>
            {
                wrong(
                    "webhook",
                    "A webhook's address begins with https:// or http://.",
                )
            }
            _ => Ok(()),
        }
    }

    /// Nanoseconds.
    pub(super) fn window_ns(&self) -> i64 {
        time::parse_span(&self.window).unwrap_or(5 * time::MINUTE)
    }

    pub(super) fn hold_ns(&self) -> i64 {
        self.hold.as_deref().and_then(time::parse_span).unwrap_or(0)
    }

    pub(super) fn cooldown_ns(&self) -> i64 {
        time::parse_span(&self.cooldown).unwrap_or(0)
    }

    /// Whether this value means trouble. Nothing measured is no trouble.
    pub(super) fn broken_by(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| match self.kind {
            Measure::Absence => value < self.threshold,
            _ => value >= self.threshold,
        })
    }
}

/// The rules that a new installation begins with: id and rule.
#[must_use]
pub fn defaults() -> Vec<(&'static str, AlertRule)> {
    let rule = |name: &str, kind, search: &str, threshold, severity| AlertRule {
        name: name.to_owned(),
        kind,
        search: search.to_owned(),
        threshold,
        window: five_minutes(),
        hold: None,
        cooldown: half_an_hour(),
        severity,
        webhook: None,
        enabled: true,
    };
    vec![
        (
            "default-error-rate",
            rule(
                "Many requests fail",
                Measure::ErrorRate,
                "",
                0.1,
                Severity::Critical,
            ),
        ),
        (
            "default-panic",
            rule(
                "A panic",
                Measure::Count,
                "event_type:panic",
                1.0,
                Severity::Critical,
            ),
        ),
        (
            "default-stalled",
            rule(
                "An operation hangs",
                Measure::Count,
                "event_type:operation_stalled",
                1.0,
                Severity::Warning,
            ),
        ),
        (
            "default-deadlock",
            rule(
                "A deadlock",
                Measure::Count,
                "event_type:deadlock_detected",
                1.0,
                Severity::Critical,
            ),
        ),
        (
            "default-crash",
            rule(
                "A process crashed",
                Measure::Count,
                "event_type:crash_detected",
                1.0,
                Severity::Critical,
            ),
        ),
        (
            "default-log-loss",
            rule(
                "Log lines were lost",
                Measure::Count,
                "event_type:log_loss",
                1.0,
                Severity::Warning,
            ),
        ),
    ]
}
