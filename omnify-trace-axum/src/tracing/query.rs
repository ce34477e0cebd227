//! Query strings without their secrets.

use std::borrow::Cow;

/// What stands in place of a secret.
const REDACTED: &str = "REDACTED";
/// Bytes of a query or path that are logged.
pub(crate) const MAX_LOGGED: usize = 1024;

/// Names whose values are never logged: the signatures that OpenTelemetry's conventions list,
/// and what passwords and tokens are usually called. Compared without case.
const SECRET_NAMES: &[&str] = &[
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "awsaccesskeyid",
    "signature",
    "sig",
    "x-goog-signature",
    "x-goog-credential",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "csrf_token",
    "api_key",
    "apikey",
    "api-key",
    "key",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "pass",
    "code",
    "auth",
    "authorization",
    "session",
    "sessionid",
    "session_id",
    "jwt",
    "credentials",
    "private_key",
    "ticket",
    "otp",
    "pin",
    "card",
    "card_number",
    "cvv",
    "ssn",
    "assertion",
    "samlresponse",
    "state_token",
];

/// The query with the values of secret names replaced, cut at 1024 bytes. Borrowed when
/// there is nothing to replace.
///
/// ```
/// use omnify_trace_axum::tracing::redact_query;
/// assert_eq!(redact_query("page=2&token=s3cret"), "page=2&token=REDACTED");
/// ```
#[must_use]
pub fn redact_query(query: &str) -> Cow<'_, str> {
    let query = cut(query);
    if !query.split('&').any(has_secret) {
        return Cow::Borrowed(query);
    }
    let mut out = String::with_capacity(query.len());
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            out.push('&');
        }
        match pair.split_once('=') {
            Some((name, _)) if has_secret(pair) => {
                out.push_str(name);
                out.push('=');
                out.push_str(REDACTED);
            }
            _ => out.push_str(pair),
        }
    }
    Cow::Owned(out)
}

/// At most [`MAX_LOGGED`] bytes, whole characters.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_LOGGED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn has_secret(pair: &str) -> bool {
    let Some((name, value)) = pair.split_once('=') else {
        return false;
    };
    if value.is_empty() || name.len() > 64 {
        return false;
    }
    // `user[password]` and `%61pi_key` mean the same as the plain name.
    if name.contains(['%', '[', '.']) {
        let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        let last = decoded
            .trim_end_matches(']')
            .rsplit(['[', '.'])
            .next()
            .unwrap_or_default();
        return is_secret(last);
    }
    is_secret(name)
}

fn is_secret(name: &str) -> bool {
    // Most names of a query are ruled out by their length or first letter.
    SECRET_NAMES
        .iter()
        .any(|secret| secret.len() == name.len() && secret.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_reach_the_log() {
        for (query, logged) in [
            ("", ""),
            ("a=1&b=2", "a=1&b=2"),
            ("token=abc", "token=REDACTED"),
            ("TOKEN=abc&x", "TOKEN=REDACTED&x"),
            (
                "X-Amz-Signature=ab&X-Amz-Date=1",
                "X-Amz-Signature=REDACTED&X-Amz-Date=1",
            ),
            ("user[password]=abc", "user[password]=REDACTED"),
            ("user%5Bpassword%5D=abc", "user%5Bpassword%5D=REDACTED"),
            ("%74oken=abc", "%74oken=REDACTED"),
            ("token=", "token="),
            ("tokens=3", "tokens=3"),
            ("sig=a=b&c", "sig=REDACTED&c"),
        ] {
            assert_eq!(redact_query(query), logged, "{query}");
        }
        assert!(matches!(redact_query("a=1"), Cow::Borrowed(_)));
        assert_eq!(redact_query(&"ä".repeat(2000)).len(), MAX_LOGGED);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_query_a_secret_value_is_gone(before in "[a-z=&%0-9]{0,40}", after in "[a-z=&%0-9]{0,40}") {
            let query = format!("{before}&password=hunter2hunter2&{after}");
            proptest::prop_assert!(!redact_query(&query).contains("hunter2"));
        }
    }
}
