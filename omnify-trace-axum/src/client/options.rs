//! What calls are called.

use std::borrow::Cow;
use std::sync::Arc;

/// Says what a call is, in the extensions of its request.
///
/// ```
/// use omnify_trace_axum::client::ApiCall;
/// let call = ApiCall::new("crm", "/contacts/{id}");
/// # let _ = call;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiCall {
    pub(super) api: Option<Cow<'static, str>>,
    pub(super) route: Option<Cow<'static, str>>,
}

impl ApiCall {
    /// The API's name and the route template: never a raw path.
    #[must_use]
    pub fn new(api: impl Into<Cow<'static, str>>, route: impl Into<Cow<'static, str>>) -> Self {
        Self {
            api: Some(api.into()),
            route: Some(route.into()),
        }
    }

    /// The API's name only; the route is the path, with what looks like ids replaced.
    #[must_use]
    pub fn named(api: impl Into<Cow<'static, str>>) -> Self {
        Self {
            api: Some(api.into()),
            route: None,
        }
    }
}

/// What is known of other services beforehand.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ClientOptions {
    apis: Arc<Vec<(Box<str>, Box<str>)>>,
    baggage: Arc<Vec<Box<str>>>,
}

impl ClientOptions {
    /// APIs are called by their hosts; baggage goes nowhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the API at this host, or `host:port`. Defaults to the host itself.
    pub fn api(mut self, host: impl Into<Box<str>>, name: impl Into<Box<str>>) -> Self {
        Arc::make_mut(&mut self.apis).push((host.into(), name.into()));
        self
    }

    /// A host that may have the caller's baggage; `.example.com` is every host below it. Defaults
    /// to none: baggage can hold what third parties must not see.
    pub fn baggage_to(mut self, host: impl Into<Box<str>>) -> Self {
        Arc::make_mut(&mut self.baggage).push(host.into());
        self
    }

    pub(super) fn name(&self, host: &str, authority: &str) -> Cow<'static, str> {
        let known = self
            .apis
            .iter()
            .find(|(known, _)| **known == *authority || **known == *host);
        known
            .map_or_else(|| host.to_owned(), |(_, name)| name.to_string())
            .into()
    }

    pub(super) fn gets_baggage(&self, host: &str) -> bool {
        self.baggage
            .iter()
            .any(|allowed| match allowed.strip_prefix('.') {
                Some(parent) => host
                    .strip_suffix(parent)
                    .is_some_and(|below| below.ends_with('.')),
                None => **allowed == *host,
            })
    }
}

/// A path with what looks like an id replaced: `/contacts/4711` is `/contacts/{id}`.
pub(super) fn template(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        out.push_str(if is_id(segment) { "{id}" } else { segment });
    }
    out
}

/// Digits, hexadecimal digits, UUIDs, and long mixtures of letters and digits.
fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = segment
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_mixed = segment.bytes().any(|byte| byte.is_ascii_uppercase())
        && segment.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_text = segment
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_~.@%".contains(&byte));
    (digits > 0 && digits == segment.len())
        || (segment.len() >= 8 && is_hex && digits > 0)
        || (segment.len() >= 16 && is_text && (digits >= 3 || (digits > 0 && is_mixed)))
        || segment.contains('@')
        || segment.len() > 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_become_routes() {
        for (path, route) in [
            ("/contacts/4711", "/contacts/{id}"),
            ("/v1/chat/completions", "/v1/chat/completions"),
            (
                "/users/0192a3b4-1111-7222-8333-444455556666/orders",
                "/users/{id}/orders",
            ),
            ("/c/ocQHyuzHvysMo5N5VsXc", "/c/{id}"),
            ("/by/jo@example.com", "/by/{id}"),
            ("/", "/"),
            ("", ""),
            ("/agents/researcher/runs", "/agents/researcher/runs"),
        ] {
            assert_eq!(template(path), route);
        }
    }

    #[test]
    fn baggage_goes_to_allowed_hosts_only() {
        let options = ClientOptions::new()
            .baggage_to("billing")
            .baggage_to(".internal.example");
        for (host, allowed) in [
            ("billing", true),
            ("a.internal.example", true),
            ("internal.example", false),
            ("evilinternal.example", false),
            ("api.openai.com", false),
        ] {
            assert_eq!(options.gets_baggage(host), allowed, "{host}");
        }
        assert_eq!(
            options
                .api("127.0.0.1:9", "crm")
                .name("127.0.0.1", "127.0.0.1:9"),
            "crm"
        );
    }
}
