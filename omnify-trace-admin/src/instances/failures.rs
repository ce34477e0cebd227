//! Failed logins, counted over every instance.

use std::time::Duration;

use super::Redis;
use crate::{access::hash, state::StateError};

/// Names and addresses are not kept, and a long one takes no more room than a short one.
fn failures_key(who: &str) -> String {
    format!("omnify:failures:{}", hash(who))
}

impl Redis {
    /// Counts a failure; the first one begins a window of this length.
    pub(crate) async fn count_failure(
        &self,
        who: &str,
        window: Duration,
    ) -> Result<(), StateError> {
        let key = failures_key(who);
        let mut commands = redis::pipe();
        commands.atomic();
        commands
            .cmd("SET")
            .arg(&key)
            .arg(0)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
            .ignore();
        commands.cmd("INCR").arg(&key).ignore();
        self.ask("count a failed login", &commands).await
    }

    /// Failures so far in this window, and how long it still lasts.
    pub(crate) async fn failures(&self, who: &str) -> Result<(usize, Duration), StateError> {
        let key = failures_key(who);
        let mut commands = redis::pipe();
        commands.atomic();
        commands.cmd("GET").arg(&key);
        commands.cmd("PTTL").arg(&key);
        let (count, left_ms): (Option<usize>, i64) =
            self.ask("look for failed logins", &commands).await?;
        // Negative where there is no such key.
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        Ok((count.unwrap_or(0), left))
    }

    pub(crate) async fn forget_failures(&self, who: &str) -> Result<(), StateError> {
        let mut command = redis::pipe();
        command.cmd("DEL").arg(failures_key(who)).ignore();
        self.ask("forget failed logins", &command).await
    }
}
