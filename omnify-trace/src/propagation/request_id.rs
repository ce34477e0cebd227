//! `X-Request-ID` and `X-Correlation-ID`: taken from the caller only when harmless.

/// The header that names the request, in and out.
pub const X_REQUEST_ID: &str = "x-request-id";
/// Its elder cousin: read when there is no [`X_REQUEST_ID`].
pub const X_CORRELATION_ID: &str = "x-correlation-id";
/// The header that names the browser session, by the same rule; not a secret, unlike a cookie.
pub const X_SESSION_ID: &str = "x-session-id";
/// The member of baggage that names it, by OpenTelemetry's name.
pub const SESSION_MEMBER: &str = "session.id";
/// The longest id that is accepted.
pub const MAX_LENGTH: usize = 128;

/// The id, if it is 1 to 128 of `[A-Za-z0-9._+/=-]`: nothing that could forge a line, a header,
/// a query or a file name worth fearing.
///
/// ```
/// use omnify_trace::propagation::request_id::valid;
/// assert_eq!(valid(b"7f3a-42"), Some("7f3a-42"));
/// assert_eq!(valid(b"x\nforged"), None);
/// ```
#[must_use]
pub fn valid(value: &[u8]) -> Option<&str> {
    let is_valid = |&byte: &u8| byte.is_ascii_alphanumeric() || b"._+/=-".contains(&byte);
    if (1..=MAX_LENGTH).contains(&value.len()) && value.iter().all(is_valid) {
        std::str::from_utf8(value).ok()
    } else {
        None
    }
}
