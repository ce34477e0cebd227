//! Names that say that what they hold is secret.

use crate::schema::fields::SECRET_NAMES;

/// Whether a field of this name is taken for secret: `password`, `user.password`, `X-Api-Key`, …
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = plain(name);
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn counts_of_tokens_and_ids_of_sessions_are_no_secrets() {
        for open in [
            "gen_ai.usage.input_tokens",
            "session_id",
            "user_id",
            "tokens",
            "password_length",
        ] {
            assert!(!is_secret_name(open), "{open}");
        }
        for secret in [
            "password",
            "X-Api-Key",
            "access_token",
            "http.request.header.authorization",
            "client-secret",
        ] {
            assert!(is_secret_name(secret), "{secret}");
        }
    }
}
