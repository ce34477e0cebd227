//! Asking the rules again and again, and telling what changed.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use super::{AlertRule, measure, measure::link, notify};
use crate::{
    state::{AlertRow, AlertStateRow, State, StateError},
    store::LogStore,
    time,
};

/// Who holds it evaluates the rules.
const LEASE: &str = "alerts";

/// What an evaluation did to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Nothing to tell.
    Quiet,
    /// It fires now.
    Fired,
    /// It no longer fires.
    Resolved,
}

/// Evaluates the rules.
pub struct Engine {
    state: State,
    store: Arc<dyn LogStore>,
}

impl Engine {
    /// An engine over this state and store.
    #[must_use]
    pub fn new(state: State, store: Arc<dyn LogStore>) -> Self {
        Self { state, store }
    }

    /// Evaluates every `period` until the handle is aborted. Of several instances with one state, one
    /// does; when it ends, another takes over within three periods.
    #[must_use]
    pub fn start(self, period: Duration) -> JoinHandle<()> {
        let holder = uuid::Uuid::now_v7().to_string();
        let term = i64::try_from(period.as_nanos() * 3).unwrap_or(i64::MAX);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let now = time::now();
                let until = now.saturating_add(term);
                let evaluated = match self.state.hold(LEASE, &holder, now, until).await {
                    Ok(true) => self.evaluate(now).await.map(|_| ()),
                    Ok(false) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = evaluated {
                    tracing::warn!(target: "omnify_trace_admin::alerts", %error, "The alert rules could not be evaluated");
                }
            }
        })
    }

    /// Evaluates every enabled rule once.
    ///
    /// # Errors
    /// [`StateError`]. A rule whose question the store does not answer is left as it was.
    pub async fn evaluate(&self, now: i64) -> Result<Vec<(String, Transition)>, StateError> {
        let states = self.state.alert_states().await?;
        let mut transitions = Vec::new();
        for row in self.state.alerts().await? {
            let Some(rule) = row.rule().filter(|rule| rule.enabled) else {
                continue;
            };
            let before = states.iter().find(|state| state.rule_id == row.id);
            let transition = self.evaluate_one(&row, &rule, before, now).await?;
            transitions.push((row.id, transition));
        }
        Ok(transitions)
    }

    async fn evaluate_one(
        &self,
        row: &AlertRow,
        rule: &AlertRule,
        before: Option<&AlertStateRow>,
        now: i64,
    ) -> Result<Transition, StateError> {
        let value = match measure(&*self.store, rule, now).await {
            Ok(value) => value,
            Err(error) => {
                tracing::warn!(target: "omnify_trace_admin::alerts", rule = row.id.as_str(), %error, "An alert rule could not be measured");
                return Ok(Transition::Quiet);
            }
        };
        let (mut after, transition) = next(&row.id, rule, before, value, now);
        let silenced = after.silenced_until.is_some_and(|until| until > now);
        let cooling = after
            .last_notified
            .is_some_and(|at| now - at < rule.cooldown_ns());
        match transition {
            Transition::Fired if !silenced && !cooling => {
                after.last_notified = Some(now);
                notify::fired(&row.id, rule, value.unwrap_or_default(), &link(rule));
            }
            Transition::Resolved if !silenced => notify::resolved(
                &row.id,
                rule,
                after.since - before.map_or(now, |state| state.since),
            ),
            _ => {}
        }
        self.state.put_alert_state(&after).await?;
        Ok(transition)
    }
}

/// The state after a measurement: `ok` → `pending` (it holds, but not for long enough) → `firing` → `ok`.
fn next(
    rule_id: &str,
    rule: &AlertRule,
    before: Option<&AlertStateRow>,
    value: Option<f64>,
    now: i64,
) -> (AlertStateRow, Transition) {
    let status = before.map_or("ok", |state| state.status.as_str());
    let since = before.map_or(now, |state| state.since);
    let broken = rule.broken_by(value);
    let (status, since, transition) = match (status, broken) {
        ("firing", true) => ("firing", since, Transition::Quiet),
        ("firing", false) => ("ok", now, Transition::Resolved),
        ("pending", true) if now - since >= rule.hold_ns() => ("firing", now, Transition::Fired),
        ("pending", true) => ("pending", since, Transition::Quiet),
        (_, true) if rule.hold_ns() == 0 => ("firing", now, Transition::Fired),
        (_, true) => ("pending", now, Transition::Quiet),
        ("ok", false) => ("ok", since, Transition::Quiet),
        (_, false) => ("ok", now, Transition::Quiet),
    };
    let after = AlertStateRow {
        rule_id: rule_id.to_owned(),
        status: status.to_owned(),
        since,
        last_value: value,
        last_evaluated: now,
        last_notified: before.and_then(|state| state.last_notified),
        silenced_until: before.and_then(|state| state.silenced_until),
    };
    (after, transition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::{Measure, Severity};

    fn rule(kind: Measure, hold: Option<&str>) -> AlertRule {
        AlertRule {
            name: "x".into(),
            kind,
            search: String::new(),
            threshold: 3.0,
            window: "5m".into(),
            hold: hold.map(str::to_owned),
            cooldown: "0s".into(),
            severity: Severity::Warning,
            webhook: None,
            enabled: true,
        }
    }

    fn walk(rule: &AlertRule, values: &[Option<f64>]) -> Vec<Transition> {
        let mut state = None;
        values
            .iter()
            .enumerate()
            .map(|(minute, value)| {
                let now = i64::try_from(minute).unwrap() * time::MINUTE;
                let (after, transition) = next("r", rule, state.as_ref(), *value, now);
                state = Some(after);
                transition
            })
            .collect()
    }

    #[test]
    fn an_alert_fires_once_and_resolves_once() {
        use Transition::{Fired, Quiet, Resolved};
        let values = [Some(1.0), Some(3.0), Some(9.0), None, Some(0.0), Some(4.0)];
        assert_eq!(
            walk(&rule(Measure::Count, None), &values),
            [Quiet, Fired, Quiet, Resolved, Quiet, Fired]
        );
    }

    #[test]
    fn a_short_spike_does_not_fire_a_rule_that_waits() {
        use Transition::{Fired, Quiet};
        let values = [Some(3.0), Some(0.0), Some(3.0), Some(3.0), Some(3.0)];
        assert_eq!(
            walk(&rule(Measure::Count, Some("2m")), &values),
            [Quiet, Quiet, Quiet, Quiet, Fired]
        );
    }

    #[test]
    fn absence_fires_below_its_threshold() {
        use Transition::{Fired, Quiet, Resolved};
        assert_eq!(
            walk(
                &rule(Measure::Absence, None),
                &[Some(3.0), Some(2.0), Some(3.0)]
            ),
            [Quiet, Fired, Resolved]
        );
    }
}
