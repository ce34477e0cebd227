//! Telling: one line in the log (and so in every live tail), one call of the webhook.

use std::{sync::LazyLock, time::Duration};

use super::AlertRule;
use crate::time::milliseconds;

/// How long a webhook may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried.
const ATTEMPTS: u32 = 3;

static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    crate::tls::provide();
    reqwest::Client::builder()
        .timeout(PATIENCE)
        // A webhook that redirects could lead into our own network.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .ok()
});

pub(super) fn fired(rule_id: &str, rule: &AlertRule, value: f64, link: &str) {
    tracing::warn!(
        target: "omnify_trace_admin::alerts",
        event_type = "alert_fired",
        rule = rule_id,
        name = rule.name.as_str(),
        severity = ?rule.severity,
        value,
        threshold = rule.threshold,
        search = link,
        "Alert: {} ({value} against {})",
        rule.name,
        rule.threshold,
    );
    let text = format!(
        "🔴 {}: {value} against {} over {}. See: {link}",
        rule.name, rule.threshold, rule.window
    );
    send(rule_id, rule, "fired", &text, Some(value));
}

pub(super) fn resolved(rule_id: &str, rule: &AlertRule, lasted: i64) {
    let lasted_ms = milliseconds(lasted.max(0));
    tracing::info!(
        target: "omnify_trace_admin::alerts",
        event_type = "alert_resolved",
        rule = rule_id,
        name = rule.name.as_str(),
        duration_ms = lasted_ms,
        "Alert over: {}",
        rule.name,
    );
    let text = format!("🟢 {} is over after {:.0} s.", rule.name, lasted_ms / 1e3);
    send(rule_id, rule, "resolved", &text, None);
}

/// Sends in the background; what fails is told in the log.
fn send(rule_id: &str, rule: &AlertRule, status: &'static str, text: &str, value: Option<f64>) {
    let Some(url) = rule.webhook.clone() else {
        return;
    };
    let Some(client) = CLIENT.clone() else {
        tracing::error!(target: "omnify_trace_admin::alerts", rule = rule_id, "No webhook can be called: the HTTP client could not be made");
        return;
    };
    let body = serde_json::json!({
        "text": text,
        "status": status,
        "rule": rule_id,
        "name": rule.name,
        "severity": rule.severity,
        "value": value,
        "threshold": rule.threshold,
        "window": rule.window,
    });
    let rule_id = rule_id.to_owned();
    tokio::spawn(async move {
        for attempt in 1..=ATTEMPTS {
            let error = match client.post(&url).json(&body).send().await {
                Ok(response) if response.status().is_success() => return,
                Ok(response) => format!("it answered {}", response.status()),
                // The URL may hold a secret, so the error goes without it.
                Err(error) => error.without_url().to_string(),
            };
            if attempt == ATTEMPTS {
                tracing::error!(target: "omnify_trace_admin::alerts", rule = rule_id, error, "The webhook was not reached");
            } else {
                tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            }
        }
    });
}
