//! What only one instance at a time may do.

use super::{State, StateError, change};

impl State {
    /// Takes a lease until then, or renews it. Whether `holder` has it now: no, while another one's
    /// has not run out.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn hold(
        &self,
        name: &str,
        holder: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StateError> {
        change!(
            self,
            "take a lease",
            sqlx::query(
                "INSERT INTO leases (name, holder, held_until) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
                 WHERE leases.holder = excluded.holder OR leases.held_until <= $4"
            )
            .bind(name)
            .bind(holder)
            .bind(until)
            .bind(now)
        )
        .map(|rows| rows > 0)
    }
}
