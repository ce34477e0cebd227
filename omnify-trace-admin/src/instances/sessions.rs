//! Sessions in Redis, which forgets them by itself when they end.

use super::Redis;
use crate::state::{SessionRow, StateError};

fn session_key(hash: &str) -> String {
    format!("omnify:session:{hash}")
}

/// The hashes of one user's sessions, so that all of them can be ended.
fn user_key(name: &str) -> String {
    format!("omnify:sessions-of:{name}")
}

impl Redis {
    pub(crate) async fn put_session(&self, row: &SessionRow) -> Result<(), StateError> {
        let ends_ms = row.expires_at / 1_000_000;
        let value = serde_json::to_string(row).unwrap_or_default();
        let user = user_key(&row.name);
        let mut commands = redis::pipe();
        commands.atomic();
        commands
            .cmd("SET")
            .arg(session_key(&row.hash))
            .arg(value)
            .arg("PXAT")
            .arg(ends_ms)
            .ignore();
        commands.cmd("SADD").arg(&user).arg(&row.hash).ignore();
        // The newest session ends last: all are equally long.
        commands.cmd("PEXPIREAT").arg(&user).arg(ends_ms).ignore();
        self.ask("keep a session", &commands).await
    }

    pub(crate) async fn session(
        &self,
        hash: &str,
        now: i64,
    ) -> Result<Option<SessionRow>, StateError> {
        let mut command = redis::pipe();
        command.cmd("GET").arg(session_key(hash));
        let (value,): (Option<String>,) = self.ask("look for a session", &command).await?;
        let row: Option<SessionRow> = value.and_then(|text| serde_json::from_str(&text).ok());
        // Redis's clock may differ from ours.
        Ok(row.filter(|row| row.expires_at > now))
    }

    pub(crate) async fn delete_session(&self, hash: &str) -> Result<(), StateError> {
        let mut command = redis::pipe();
        command.cmd("DEL").arg(session_key(hash)).ignore();
        self.ask("end a session", &command).await
    }

    pub(crate) async fn delete_sessions_of(&self, name: &str) -> Result<(), StateError> {
        let user = user_key(name);
        let mut members = redis::pipe();
        members.cmd("SMEMBERS").arg(&user);
        let (hashes,): (Vec<String>,) = self.ask("list a user's sessions", &members).await?;
        let mut commands = redis::pipe();
        commands.atomic();
        for hash in hashes {
            commands.cmd("DEL").arg(session_key(&hash)).ignore();
        }
        commands.cmd("DEL").arg(&user).ignore();
        self.ask("remove a user's sessions", &commands).await
    }
}
